package web

import (
	"context"
	"errors"
	"net/url"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// monthsBody is the 95th percentile of the current and the previous month, as carriers bill by it.
type monthsBody struct {
	Label  string // whose it is
	Back   string
	Months []monthBill
	Failed bool
}

// monthBill is one month.
type monthBill struct {
	Name   string
	Billed figure // the larger of in and out
	Share  string // of the capacity
	Flows  []billFlow
	Made   string // of how many values, and how much of the month they cover
}

// monthsKey is an interface and the zone in which its months begin.
type monthsKey struct {
	ref      inventory.Ref
	instance string
	zone     string
}

// monthsFound is what is kept of it.
type monthsFound struct {
	at     time.Time
	months [2]monthFound // the current one and the one before
}

type monthFound struct {
	from    time.Time
	ended   bool
	in, out store.Percentile
}

// billFlow is one direction of a month.
type billFlow struct{ Name, Value, Share string }

const (
	monthsKeep = 5 * time.Minute
	monthsMany = 1024
)

func newMonths() *memo[monthsKey, monthsFound] {
	return newMemo[monthsKey, monthsFound](monthsKeep, monthsMany)
}

// monthsURL is where the percentiles of a series' interface are.
func monthsURL(series collectors.Series) string {
	return "/data/months?" + url.Values{"ref": {series.Ref.String()}, "instance": {series.Instance}}.Encode()
}

// months answers with the percentiles: as a part of an object's page, or as a page of its own. It reads a month of samples, so the object's
// page asks for it when it is there already.
func (s *Server) months(v *visit) error {
	q := v.r.URL.Query()
	ref, err := inventory.ParseRef(q.Get("ref"))
	if err != nil {
		return store.ErrNotFound
	}
	in, ok := s.reading(v, collectors.Series{Metric: collectors.InBps, Ref: ref, Instance: q.Get("instance")})
	if !ok {
		return store.ErrNotFound
	}
	list := s.readings(v, ref).of(in.Series.Instance)
	body := monthsBody{Label: joinSaid(v.object(ref), partName(list, in.Series)), Back: pageOf(ref)}
	if in.Series.Part() != "" {
		body.Back = partURL(in.Series)
	}
	inv := s.cfg.Inventory()
	zone := v.zone
	if site := inv.Site(inv.SiteOf(ref)); site != nil {
		zone = site.Timezone
	}
	key := monthsKey{ref, in.Series.Instance, zone.String()}
	found, err := s.billed.get(v.ctx(), key, v.now, func() (monthsFound, error) {
		old, _, _ := s.billed.peek(key, v.now)
		return s.findMonths(v, in.Series, zone, old)
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		body.Failed = true
	case err != nil:
		return err
	default:
		capacity := capacityOf(inv, list, in.Series)
		for _, m := range found.months {
			body.Months = append(body.Months, v.monthBill(m.from.In(zone), m.ended, m.in, m.out, capacity))
		}
	}
	f := s.frame(v, "months", "", v.t("months.title"))
	f.Body, f.Bare = body, true
	return s.show(v, 200, f)
}

// findMonths reads the current and the previous month of a zone. A month that was over when it was read last does not change any more.
func (s *Server) findMonths(v *visit, in collectors.Series, zone *time.Location, old monthsFound) (monthsFound, error) {
	ctx, cancel := context.WithTimeout(v.ctx(), costlyMost)
	defer cancel()
	out := in
	out.Metric = collectors.OutBps
	found := monthsFound{at: v.now}
	year, mon, _ := v.now.In(zone).Date()
	for i := range found.months {
		from := time.Date(year, mon-time.Month(i), 1, 0, 0, 0, 0, zone)
		to := time.Date(year, mon-time.Month(i)+1, 1, 0, 0, 0, 0, zone)
		if last := old.months[i]; last.ended && last.from.Equal(from) && old.at.After(to.Add(time.Hour)) {
			found.months[i] = last
			continue
		}
		p, err := s.cfg.Store.Percentile95(ctx, v.scope(), []collectors.Series{in, out}, from, to)
		if err != nil {
			if ctx.Err() != nil {
				err = errors.Join(context.Cause(ctx), err)
			}
			return monthsFound{}, err
		}
		found.months[i] = monthFound{from, i > 0, p[in], p[out]}
	}
	return found, nil
}

func (v *visit) monthBill(from time.Time, ended bool, in, out store.Percentile, capacity float64) monthBill {
	b := monthBill{Name: v.monthName(from)}
	if !ended {
		b.Name = v.t("months.so_far", b.Name)
	}
	most := max(in.Value, out.Value)
	parts, of := max(in.Parts, out.Parts), max(in.Of, out.Of)
	if parts == 0 {
		b.Billed = nothing(v.t("months.none"))
		b.Made = v.t("months.none")
		return b
	}
	b.Flows = []billFlow{v.billFlow("flow.in", in, capacity), v.billFlow("flow.out", out, capacity)}
	b.Billed = v.figure(collectors.InBps, most)
	if capacity > 0 {
		b.Share = v.t("tile.of", v.percent(100*most/capacity), collectors.FormatUnit(v.lang, collectors.UnitBps, capacity))
	}
	code := "months.made"
	if !ended {
		code = "months.made_so_far"
	}
	b.Made = v.t(code, v.number(float64(parts)), v.number(float64(of)), v.covered(parts, of))
	return b
}

// billFlow writes one direction and, when it is known, how much of the capacity that is.
func (s *speaker) billFlow(code string, p store.Percentile, capacity float64) billFlow {
	b := billFlow{Name: s.t(code), Value: "–"}
	if p.Parts > 0 {
		b.Value = collectors.FormatUnit(s.lang, collectors.UnitBps, p.Value)
	}
	if p.Parts > 0 && capacity > 0 {
		b.Share = s.percent(100 * p.Value / capacity)
	}
	return b
}

// covered is a share that says 100 % only when nothing lacks, and 0 % only when there is nothing.
func (s *speaker) covered(parts, of int) string {
	share := 100 * float64(parts) / float64(max(of, 1))
	if parts < of {
		share = min(share, 99.9)
	}
	return collectors.Number(s.lang, share, flag(parts < of)) + " %"
}

func (s *speaker) monthName(at time.Time) string {
	return s.t("monthname."+at.Month().String()) + at.Format(" 2006")
}
