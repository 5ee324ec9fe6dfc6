package capture

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// The bounds of what waits for its other fragments.
const (
	maxPieces       = 64      // of one packet: 64 KiB at the smallest usual MTU of 1280
	maxAssembling   = 4096    // packets
	maxAssembled    = 1 << 16 // octets of one packet
	fragmentsExpire = 30 * time.Second
)

// fragmentKey is what the fragments of one packet share (RFC 791, RFC 8200).
type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
	protocol uint8
}

type piece struct {
	offset int
	data   []byte
}

// assembly is a packet of which some fragments came.
type assembly struct {
	at     time.Time // of the first
	pieces []piece
	total  int // known when the last fragment came; 0 before
}

// assemble keeps a fragment, and returns the whole packet when all of it is there.
func (d *Decoder) assemble(key fragmentKey, offset int, more bool, data []byte, missing int) []byte {
	d.stats.Fragments++
	if missing > 0 || offset+len(data) > maxAssembled || more && len(data)%8 != 0 || len(data) == 0 {
		return nil
	}
	a := d.assembling[key]
	if a == nil || d.now.Sub(a.at) > fragmentsExpire {
		if a == nil && !d.roomToAssemble() {
			return nil
		}
		a = &assembly{at: d.now}
		d.assembling[key] = a
	}
	if len(a.pieces) == maxPieces {
		delete(d.assembling, key)
		return nil
	}
	a.pieces = append(a.pieces, piece{offset, slices.Clone(data)})
	if !more {
		a.total = offset + len(data)
	}
	whole := a.whole()
	if whole != nil {
		delete(d.assembling, key)
	}
	return whole
}

// whole joins the pieces when they cover everything; where they overlap the earlier offset counts.
func (a *assembly) whole() []byte {
	if a.total == 0 {
		return nil
	}
	slices.SortStableFunc(a.pieces, func(x, y piece) int { return cmp.Compare(x.offset, y.offset) })
	end := 0
	for _, p := range a.pieces {
		if p.offset > end {
			return nil
		}
		end = max(end, p.offset+len(p.data))
	}
	if end < a.total {
		return nil
	}
	out := make([]byte, 0, a.total)
	for _, p := range a.pieces {
		if from := len(out) - p.offset; from < len(p.data) {
			out = append(out, p.data[from:]...)
		}
	}
	return out[:a.total]
}

// roomToAssemble forgets what will never be whole, once the table is full.
func (d *Decoder) roomToAssemble() bool {
	if len(d.assembling) < maxAssembling {
		return true
	}
	if !d.sweepFragments.due(d.now) {
		return false
	}
	for key, a := range d.assembling {
		if d.now.Sub(a.at) > fragmentsExpire || d.now.Before(a.at) {
			delete(d.assembling, key)
		}
	}
	return len(d.assembling) < maxAssembling
}
