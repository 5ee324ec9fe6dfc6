package vqrtcpxr

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// memory tells requests that came before, and sources that send too much. It is bounded: two generations of duplicates, one table of rates.
type memory struct {
	mu       sync.Mutex
	seed     maphash.Seed
	new, old map[uint64]struct{}
	turned   time.Time // when new became empty
	rates    map[netip.Addr]int
	second   time.Time // since when the rates are counted
	others   int       // requests of the sources that found no room
}

func newMemory() *memory {
	return &memory{seed: maphash.MakeSeed(), new: map[uint64]struct{}{}, old: map[uint64]struct{}{}, rates: map[netip.Addr]int{}}
}

// hash is the fingerprint of a request: who sent it, its Call-ID and its CSeq.
func (m *memory) hash(from netip.Addr, callID, cseq []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	a := from.As16()
	_, _ = h.Write(a[:])
	_, _ = h.Write(callID)
	_ = h.WriteByte(0)
	_, _ = h.Write(cseq)
	return h.Sum64()
}

// repeated notes a request and reports whether it came within rememberFor. When there are very many the time is shorter, but the last
// maxRemembered are always known.
func (m *memory) repeated(hash uint64, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.turned) >= rememberFor || len(m.new) >= maxRemembered {
		if now.Sub(m.turned) >= 2*rememberFor {
			clear(m.new)
		}
		m.old, m.new, m.turned = m.new, m.old, now
		clear(m.new)
	}
	_, inNew := m.new[hash]
	_, inOld := m.old[hash]
	m.new[hash] = struct{}{}
	return inNew || inOld
}

// tooMany counts a request of a source and reports whether it is over its rate.
func (m *memory) tooMany(from netip.Addr, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.second) >= time.Second || now.Before(m.second) {
		clear(m.rates)
		m.second, m.others = now, 0
	}
	n, known := m.rates[from]
	if !known && len(m.rates) >= maxSources {
		m.others++
		return m.others > perSource
	}
	m.rates[from] = n + 1
	return n >= perSource
}
