package store

import (
	"bytes"
	"context"
	"math"
	"slices"

	"vigia/store/chunk"
)

// piece is many samples that wait for a database that is away for long, packed: some 3 octets each instead of 24.
type piece struct {
	payload []byte // its series are places in the packer's list
	count   int
	t1      int64 // of the newest sample, microseconds
}

// packer makes pieces and takes them apart. It is guarded by flushing, and begins anew when no piece is left.
type packer struct {
	of      []*recent // of which series the samples in the pieces are
	place   map[*recent]int
	counts  []int // of the samples of each series
	points  []chunk.Point
	blocks  []chunk.Block
	payload []byte
}

// pack packs samples in any order. Those of one series keep theirs.
func (m *packer) pack(list []waiting) piece {
	p := piece{count: len(list), t1: math.MinInt64}
	if m.place == nil {
		m.place = map[*recent]int{}
	}
	clear(m.counts)
	for i := range list {
		at, ok := m.place[list[i].of]
		if !ok {
			at = len(m.of)
			m.place[list[i].of] = at
			m.of, m.counts = append(m.of, list[i].of), append(m.counts, 0)
		}
		m.counts[at]++
		p.t1 = max(p.t1, list[i].At)
	}
	m.arrange(list)
	m.payload = chunk.Encode(m.payload[:0], m.blocks)
	p.payload = bytes.Clone(m.payload) // without room to spare
	return p
}

// arrange makes a block of each series that has samples.
func (m *packer) arrange(list []waiting) {
	m.points = slices.Grow(m.points[:0], len(list))[:len(list)]
	m.blocks = m.blocks[:0]
	end := 0
	for i, n := range m.counts {
		if n > 0 {
			m.blocks = append(m.blocks, chunk.Block{Series: int64(i), Points: m.points[end:end]})
			end += n
			m.counts[i] = len(m.blocks) - 1 // from here on, which block
		}
	}
	for i := range list {
		b := &m.blocks[m.counts[m.place[list[i].of]]]
		b.Points = append(b.Points, list[i].Point)
	}
}

// unpack is what was packed, series by series. Should memory have changed, what is whole before that.
func (m *packer) unpack(p *piece) []waiting {
	list := make([]waiting, 0, p.count)
	_ = chunk.Decode(p.payload, func(series int64, points []chunk.Point) bool { // what lacks is counted by who asks
		for _, point := range points {
			list = append(list, waiting{m.of[series], point})
		}
		return true
	})
	return list
}

// pack makes pieces of what waits, while that is much. It is called when a flush has failed; nobody who puts samples waits for it. The caller
// holds flushing.
func (l *sampleLog) pack() {
	for {
		l.mu.Lock()
		n := max(l.maxPending/4, 1)
		if len(l.pending) < n {
			l.mu.Unlock()
			return
		}
		whole := l.pending
		l.pending = append(slices.Grow(l.spare[:0], n+n/4), whole[n:]...)
		l.spare = nil
		l.mu.Unlock()
		made := l.packer.pack(whole[:n])
		l.mu.Lock()
		l.packed, l.spare = append(l.packed, made), whole[:0]
		l.boundPacked()
		l.mu.Unlock()
	}
}

// boundPacked drops the oldest pieces above the bound. The caller holds mu.
func (l *sampleLog) boundPacked() {
	var size int64
	for i := len(l.packed) - 1; i >= 0; i-- {
		if size += int64(len(l.packed[i].payload)); size <= l.maxPacked {
			continue
		}
		for _, p := range l.packed[:i+1] {
			l.counts.dropped += uint64(p.count)
		}
		l.packed = append([]piece(nil), l.packed[i+1:]...)
		return
	}
}

// oldest is the piece to be written first; false when there is none.
func (l *sampleLog) oldest() (p piece, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.packed) == 0 {
		return p, false
	}
	return l.packed[0], true
}

// replaceOldest puts what is left of the oldest piece in its place. The caller holds flushing.
func (l *sampleLog) replaceOldest(left []waiting) {
	var p piece
	if len(left) > 0 {
		p = l.packer.pack(left)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(left) > 0 {
		l.packed[0] = p
		return
	}
	l.packed[0] = piece{}
	l.packed = l.packed[1:]
}

// writePacked writes the pieces, the oldest first. The caller holds flushing.
func (l *sampleLog) writePacked(ctx context.Context, epoch int64) (wrote int, err error) {
	for {
		p, ok := l.oldest()
		if !ok {
			l.packer = packer{}
			return wrote, nil
		}
		left, began := l.packer.unpack(&p), wrote
		if lack := p.count - len(left); lack > 0 {
			l.lose(lack)
		}
		for len(left) > 0 {
			batch := left[:min(len(left), mostInRow)]
			if err := l.write(ctx, batch, epoch); err != nil {
				if refusesData(err) {
					l.lose(len(batch))
					left = left[len(batch):]
				}
				if wrote > began || refusesData(err) {
					l.replaceOldest(left)
				}
				return wrote, err
			}
			l.wrote(len(batch))
			wrote, left = wrote+len(batch), left[len(batch):]
		}
		l.replaceOldest(nil)
	}
}

// lose counts samples that will not be written.
func (l *sampleLog) lose(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.dropped += uint64(n)
}

// wrote counts samples that were written.
func (l *sampleLog) wrote(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.written += uint64(n)
}

// giveWayPacked lets go of packed samples from an instant on. The caller holds flushing and mu.
func (l *sampleLog) giveWayPacked(from int64) {
	kept := l.packed[:0]
	for _, p := range l.packed {
		if p.t1 >= from {
			var left []waiting
			for _, w := range l.packer.unpack(&p) {
				if w.At < from {
					left = append(left, w)
				}
			}
			if len(left) == 0 {
				continue
			}
			p = l.packer.pack(left)
		}
		kept = append(kept, p)
	}
	clear(l.packed[len(kept):])
	l.packed = kept
}
