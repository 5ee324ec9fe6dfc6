package voice

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxObservers bounds the table of observers. Those beyond it are nobody in particular: their reports count, their round trips do not.
const maxObservers = 8192

// observers numbers those who see packets, and knows how far their clocks are from ours (rule 26).
type observers struct {
	mu    sync.Mutex // held to add one
	table atomic.Pointer[observerTable]
}

// observerTable is never changed: a new observer makes a new one, which is rare.
type observerTable struct {
	ids  map[Observer]observerID
	list []*observing
}

type observing struct {
	mu    sync.Mutex
	who   Observer
	skew  time.Duration // our clock minus theirs: the least of the last one to two minutes, for facts may be long on their way but never too short
	low   time.Duration // the least since from
	from  instant
	facts uint64
}

func (o *observers) init() {
	o.table.Store(&observerTable{ids: map[Observer]observerID{}, list: []*observing{{}}})
}

// of numbers an observer. Phones that report themselves are one observer: there may be very many, and nothing is compared between their facts.
func (o *observers) of(w Observer) observerID {
	if w.Via == ViaPublish {
		w = Observer{Via: ViaPublish}
	}
	if id, ok := o.table.Load().ids[w]; ok {
		return id
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.table.Load()
	if id, ok := old.ids[w]; ok {
		return id
	}
	if len(old.list) >= maxObservers {
		return 0
	}
	id := observerID(len(old.list))
	next := &observerTable{ids: maps.Clone(old.ids), list: append(slices.Clip(old.list), &observing{who: w})}
	next.ids[w] = id
	o.table.Store(next)
	return id
}

func (o *observers) get(id observerID) *observing { return o.table.Load().list[id] }

// skewLimit is how far an observer's clock may be from ours before its times are moved.
const skewLimit = 2 * time.Second

// corrected is the time at which a fact was seen, by our clock: the observer's, unless that is more than two seconds away. Differences within
// one observer stay exact, but for slow changes of the correction.
func (o *observers) corrected(id observerID, seen *Seen) (at, arrived instant) {
	at, arrived = nanos(seen.At), nanos(seen.Arrived)
	if arrived == 0 {
		arrived = at
	}
	if at == 0 {
		at = arrived
	}
	if id == 0 || seen.Observer.Via == ViaReplay {
		return at, arrived
	}
	w := o.get(id)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(time.Duration(arrived-at), arrived)
	if w.skew.Abs() > skewLimit {
		at += instant(w.skew)
	}
	return at, arrived
}

// note takes how long after its own time a fact came.
func (w *observing) note(late time.Duration, arrived instant) {
	switch w.facts++; {
	case w.facts == 1:
		w.skew, w.low, w.from = late, late, arrived
	case arrived-w.from > instant(time.Minute):
		w.skew, w.low, w.from = min(w.low, late), late, arrived
	default:
		w.low, w.skew = min(w.low, late), min(w.skew, late)
	}
}

func nanos(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func toTime(at instant) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}

// ObserverStats is what is known of an observer.
type ObserverStats struct {
	Observer Observer
	Facts    uint64
	Skew     time.Duration // our clock minus its clock; includes the shortest way here
	Skewed   bool          // more than two seconds off: its times are corrected, and someone should set its clock
}

// Observers lists who has sent facts.
func (t *Tracker) Observers() []ObserverStats {
	list := t.observers.table.Load().list[1:]
	out := make([]ObserverStats, 0, len(list))
	for _, w := range list {
		w.mu.Lock()
		out = append(out, ObserverStats{Observer: w.who, Facts: w.facts, Skew: w.skew, Skewed: w.skew.Abs() > skewLimit})
		w.mu.Unlock()
	}
	return out
}

// unmap is an address in the form in which all are compared.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
