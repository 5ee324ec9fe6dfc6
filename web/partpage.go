package web

import (
	"slices"
	"strings"

	"vigia/collectors"
	"vigia/store"
)

// partHead is which part of an object a page shows, and the way back to all of it.
type partHead struct {
	Name, Alias string
	Back        string
}

// showPart fills the page of one part of an object: an interface, a disk, a sensor. It has the charts that the object's own page leaves out.
func (s *Server) showPart(v *visit, w *world, list readings, body *objectBody) error {
	if len(list) == 0 {
		return store.ErrNotFound
	}
	series := list[0].Series
	up, _ := list.at(collectors.InterfaceUp, series.Instance)
	d := detailOf[interfaceDetail](up)
	body.Part = &partHead{Name: partName(list, series), Alias: joinSaid(clean(d.Alias), clean(d.Descr)), Back: body.URL}
	var err error
	if body.Tiles, err = s.objectTiles(v, w, list, partOrder(list, partTiles)); err != nil {
		return err
	}
	body.Charts = s.charts(v, w, list, partOrder(list, chartOrder), body.Range)
	for i := range body.Charts { // the heading names the part
		body.Charts[i].Label = strings.TrimSuffix(body.Charts[i].Label, " · "+series.Part())
	}
	if _, ok := list.at(collectors.InBps, series.Instance); ok {
		body.Device.Months = monthsURL(collectors.Series{Metric: collectors.InBps, Ref: series.Ref, Instance: series.Instance})
	}
	return nil
}

// partOrder is an order of metrics with whatever else there is at its end.
func partOrder(list readings, order []collectors.Metric) []collectors.Metric {
	order = slices.Clone(order)
	for _, r := range list {
		if !slices.Contains(order, r.Series.Metric) {
			order = append(order, r.Series.Metric)
		}
	}
	return order
}
