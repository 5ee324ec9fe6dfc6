package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store/chunk"
)

// LatestOf appends the newest sample of every series of an object that the scope may see, in no order: a device can have thousands, and this
// takes the lock once for all of them.
func (s *Store) LatestOf(scope Scope, ref inventory.Ref, to []collectors.Sample) []collectors.Sample {
	if !scope.Sees(ref) {
		return to
	}
	s.head.mu.RLock()
	defer s.head.mu.RUnlock()
	list := s.head.byRef[ref]
	to = slices.Grow(to, len(list))
	for _, r := range list {
		if !r.last.at.IsZero() {
			to = append(to, r.sample())
		}
	}
	return to
}

// BillingPart is how long the parts are of whose means a 95th percentile is made.
const BillingPart = 5 * time.Minute

// Percentile is a 95th percentile as carriers bill by it: the means of five minutes each, sorted, and the highest twentieth of them dropped.
type Percentile struct {
	Value float64 // the highest mean that is left; 0 when there is none
	Parts int     // how many means it is made of
	Of    int     // how many there could be: parts of five minutes that have ended by now
}

// Percentile95 reads the 95th percentile of several series over [from, to) at once. It passes over the samples once and keeps one sum for
// each part, however many samples there are. Parts without a sample are left out, not zero; the part that has not ended yet is left out too.
func (s *Store) Percentile95(ctx context.Context, scope Scope, series []collectors.Series, from, to time.Time) (map[collectors.Series]Percentile, error) {
	end := to
	if now := s.cfg.Now(); now.Before(end) {
		end = now
	}
	n := int(max(end.Sub(from), 0) / BillingPart)
	sums := make(map[collectors.Series]*partSums, len(series))
	sinks := make(map[collectors.Series]sink, len(series))
	for _, one := range series {
		if scope.Sees(one.Ref) {
			p := &partSums{from: from.UnixMicro(), sum: make([]float64, n), count: make([]uint32, n)}
			sums[one], sinks[one] = p, p
		}
	}
	if n > 0 && len(sums) > 0 {
		if err := s.feed(ctx, scope, sinks, from.UnixMicro(), from.Add(time.Duration(n)*BillingPart).UnixMicro()-1); err != nil {
			return nil, fmt.Errorf("read the 95th percentile of %d series: %w", len(series), s.db.explain(err))
		}
	}
	out := make(map[collectors.Series]Percentile, len(sums))
	for one, p := range sums {
		out[one] = p.percentile()
	}
	return out, nil
}

// partSums gathers a series' samples by parts of five minutes.
type partSums struct {
	from  int64 // where the first part begins, microseconds
	sum   []float64
	count []uint32
}

func (p *partSums) take(points []chunk.Point) {
	for _, q := range points {
		if k := (q.At - p.from) / BillingPart.Microseconds(); q.At >= p.from && k < int64(len(p.sum)) {
			p.sum[k] += q.Value
			p.count[k]++
		}
	}
}

func (p *partSums) percentile() Percentile {
	means := make([]float64, 0, len(p.sum))
	for k, n := range p.count {
		if n > 0 {
			means = append(means, p.sum[k]/float64(n))
		}
	}
	out := Percentile{Parts: len(means), Of: len(p.sum)}
	if len(means) > 0 {
		slices.Sort(means)
		out.Value = means[len(means)-1-len(means)/20]
	}
	return out
}
