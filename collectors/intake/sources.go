package intake

import (
	"net/netip"
	"sync"
	"time"
)

// Verdict is whether a source may go on.
type Verdict uint8

// The verdicts.
const (
	Admitted   Verdict = iota
	NotAllowed         // not in the list of networks
	TooFast            // more than its rate
	TableFull          // a new source while all places are taken by sources that were heard of lately
)

// Limits bound what strangers can cost. The zero value of a field means its default.
type Limits struct {
	Allow   []netip.Prefix // networks whose packets are taken; empty: all
	Rate    float64        // packets per second and source; default 50,000
	Burst   float64        // packets at once beyond the rate; default twice the rate
	Sources int            // sources that are known at one time; default 65,536
}

// idle is how long a source must have been silent before its place may be taken.
const idle = time.Minute

// Source is what is known of one address.
type Source struct {
	Addr    netip.Addr
	Packets uint64
	Refused uint64 // too fast
	Last    time.Time
}

type bucket struct {
	level   float64
	last    time.Time
	packets uint64
	refused uint64
}

// Sources is a bounded table of senders with a token bucket each.
type Sources struct {
	limits  Limits
	mu      sync.Mutex
	table   map[netip.Addr]*bucket
	refused [TableFull + 1]uint64
	swept   time.Time
}

// NewSources makes an empty table.
func NewSources(limits Limits) *Sources {
	if limits.Rate <= 0 {
		limits.Rate = 50_000
	}
	if limits.Burst <= 0 {
		limits.Burst = 2 * limits.Rate
	}
	if limits.Sources <= 0 {
		limits.Sources = 65536
	}
	return &Sources{limits: limits, table: map[netip.Addr]*bucket{}}
}

// Allowed reports whether the address lies in the allowed networks.
func (s *Sources) Allowed(addr netip.Addr) bool {
	addr = addr.WithZone("")
	for _, p := range s.limits.Allow {
		if p.Contains(addr) {
			return true
		}
	}
	return len(s.limits.Allow) == 0
}

// Admit takes one packet of an address. Refusals are counted.
func (s *Sources) Admit(addr netip.Addr, now time.Time) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.admit(addr, now)
	s.refused[v]++
	return v
}

func (s *Sources) admit(addr netip.Addr, now time.Time) Verdict {
	b := s.table[addr]
	if b == nil {
		if !s.Allowed(addr) {
			return NotAllowed
		}
		if len(s.table) >= s.limits.Sources && !s.sweep(now) {
			return TableFull
		}
		b = &bucket{level: s.limits.Burst, last: now}
		s.table[addr] = b
	}
	if d := now.Sub(b.last); d > 0 {
		b.level = min(b.level+d.Seconds()*s.limits.Rate, s.limits.Burst)
		b.last = now
	} else if d < -idle {
		b.last = now // the clock was set back
	}
	if b.level < 1 {
		b.refused++
		return TooFast
	}
	b.level--
	b.packets++
	return Admitted
}

// sweep removes sources that are silent, at most once a second, and reports whether there is a place now.
func (s *Sources) sweep(now time.Time) bool {
	if d := now.Sub(s.swept); d >= 0 && d < time.Second {
		return false
	}
	s.swept = now
	for addr, b := range s.table {
		if now.Sub(b.last) > idle {
			delete(s.table, addr)
		}
	}
	return len(s.table) < s.limits.Sources
}

// SourceStats is what the table has refused, and how many sources it holds.
type SourceStats struct {
	Known                          int
	NotAllowed, TooFast, TableFull uint64
}

// Stats is a snapshot.
func (s *Sources) Stats() SourceStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SourceStats{Known: len(s.table), NotAllowed: s.refused[NotAllowed], TooFast: s.refused[TooFast], TableFull: s.refused[TableFull]}
}

// Known lists the sources.
func (s *Sources) Known() []Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Source, 0, len(s.table))
	for addr, b := range s.table {
		out = append(out, Source{Addr: addr, Packets: b.packets, Refused: b.refused, Last: b.last})
	}
	return out
}
