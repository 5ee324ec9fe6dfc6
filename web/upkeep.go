package web

import (
	"context"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// window is a span of time; its end is not in it.
type window struct{ from, to time.Time }

// windowsOf lists when a mute was or is on between two instants, cut to them, in order.
func windowsOf(m alerting.Mute, from, to time.Time) []window {
	if !m.CancelledAt.IsZero() && m.CancelledAt.Before(to) {
		to = m.CancelledAt
	}
	m.CancelledAt = time.Time{}
	var list []window
	for at := from; at.Before(to); {
		begins, ends, on := m.Window(at)
		if !on {
			if at = m.Next(at); at.IsZero() {
				break
			}
			continue
		}
		if begins.Before(from) {
			begins = from
		}
		at = ends
		if ends.After(to) {
			ends = to
		}
		list = append(list, window{begins, ends})
	}
	return list
}

// upkeep is the maintenance of some time: what is down then does not count.
type upkeep struct {
	inv      *inventory.Inventory
	mutes    []alerting.Mute
	from, to time.Time
}

// upkeep reads the maintenance that concerns an object. A reader who does not see everything still gets figures that leave it out.
func (s *Server) upkeep(ctx context.Context, ref inventory.Ref, from, to time.Time) (upkeep, error) {
	inv := s.cfg.Inventory()
	list, err := s.cfg.Store.Mutes(ctx, store.Everything(), store.MuteFilter{Kind: alerting.Maintenance, Since: from, Until: to, Limit: mostMutes})
	if err != nil {
		return upkeep{}, err
	}
	list = slices.DeleteFunc(list, func(m alerting.Mute) bool { return !m.CoversRef(inv, ref) })
	return upkeep{inv, list, from, to}, nil
}

// of lists the windows in which alarms of a series do not count, in order and joined where they touch.
func (u upkeep) of(series collectors.Series) []window {
	var list []window
	for i := range u.mutes {
		if u.mutes[i].Covers(u.inv, series) {
			list = append(list, windowsOf(u.mutes[i], u.from, u.to)...)
		}
	}
	slices.SortFunc(list, func(a, b window) int { return a.from.Compare(b.from) })
	var out []window
	for _, w := range list {
		if n := len(out); n > 0 && !w.from.After(out[n-1].to) {
			if w.to.After(out[n-1].to) {
				out[n-1].to = w.to
			}
			continue
		}
		out = append(out, w)
	}
	return out
}

// without is what is left of a span when windows are cut out of it.
func (w window) without(cut []window) []window {
	var out []window
	at := w.from
	for _, c := range cut {
		if !c.to.After(at) || !c.from.Before(w.to) {
			continue
		}
		if c.from.After(at) {
			out = append(out, window{at, c.from})
		}
		at = c.to
	}
	if at.Before(w.to) {
		out = append(out, window{at, w.to})
	}
	return out
}
