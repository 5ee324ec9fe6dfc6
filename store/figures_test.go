package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// billed is the percentile by the words of the method, with everything in memory.
func billed(samples []collectors.Sample, from, to time.Time) store.Percentile {
	parts := map[int64][]float64{}
	for _, s := range samples {
		if !s.At.Before(from) && s.At.Before(to) {
			k := int64(s.At.Sub(from) / (5 * time.Minute))
			parts[k] = append(parts[k], s.Value)
		}
	}
	var means []float64
	for _, list := range parts {
		sum := 0.0
		for _, v := range list {
			sum += v
		}
		means = append(means, sum/float64(len(list)))
	}
	slices.SortFunc(means, func(a, b float64) int { return int(b) - int(a) }) // the largest first
	p := store.Percentile{Parts: len(means), Of: int(to.Sub(from) / (5 * time.Minute))}
	if drop := int(float64(len(means)) * 0.05); len(means) > 0 {
		p.Value = means[drop]
	}
	return p
}

// traffic makes whole values, so that sums are the same in any order, with gaps of up to a day.
func traffic(name collectors.Series, from, to time.Time, every time.Duration, chance *rand.Rand) []collectors.Sample {
	var list []collectors.Sample
	for at := from; at.Before(to); at = at.Add(every) {
		if chance.IntN(2000) == 0 {
			at = at.Add(time.Duration(chance.IntN(24*60)) * time.Minute)
		}
		if at.Before(to) {
			list = append(list, collectors.Sample{Series: name, At: at, Value: float64(chance.IntN(1e6)) * 16, Every: every})
		}
	}
	return list
}

func TestPercentile95(t *testing.T) {
	november := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		from, to, now time.Time
		every         time.Duration
	}{
		"a whole month":       {november, november.AddDate(0, 1, 0), november.AddDate(0, 1, 3), time.Minute},
		"a month so far":      {november, november.AddDate(0, 1, 0), november.Add(11*24*time.Hour + 7*time.Minute), time.Minute},
		"an hour":             {november, november.AddDate(0, 1, 0), november.Add(time.Hour), 10 * time.Second},
		"not yet one part":    {november, november.AddDate(0, 1, 0), november.Add(4 * time.Minute), 10 * time.Second},
		"slower than a part":  {november, november.AddDate(0, 1, 0), november.Add(9 * 24 * time.Hour), 15 * time.Minute},
		"from the head alone": {november, november.AddDate(0, 1, 0), november.Add(20 * time.Minute), 10 * time.Second},
	}
	in, out := series(link, collectors.InBps), series(link, collectors.OutBps)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, open storetest.Opener) {
				s := open(at(c.now), func(cfg *store.Config) { cfg.HeadSamples = 1000 })
				chance := rand.New(rand.NewPCG(1, 2))
				end := c.to.Add(time.Hour)
				if c.now.Before(end) {
					end = c.now
				}
				all := append(traffic(in, c.from.Add(-time.Hour), end, c.every, chance), traffic(out, c.from.Add(-time.Hour), end, c.every, chance)...)
				slices.SortStableFunc(all, func(a, b collectors.Sample) int { return a.At.Compare(b.At) })
				for part := range slices.Chunk(all, 5000) {
					s.Put(part)
					flush(t, s)
				}
				found := got[map[collectors.Series]store.Percentile](t)(s.Percentile95(t.Context(), store.Everything(), []collectors.Series{in, out}, c.from, c.to))
				elapsed := c.from.Add(min(c.to.Sub(c.from), c.now.Sub(c.from)).Truncate(5 * time.Minute))
				for _, one := range []collectors.Series{in, out} {
					mine := slices.DeleteFunc(slices.Clone(all), func(sample collectors.Sample) bool { return sample.Series != one })
					differ(t, string(one.Metric), found[one], billed(mine, c.from, elapsed))
				}
			})
		})
	}
}

func TestPercentileOfNothing(t *testing.T) {
	s := storetest.Open(t, at(noon))
	one := series(link, collectors.InBps)
	found := got[map[collectors.Series]store.Percentile](t)(s.Percentile95(t.Context(), store.Everything(), []collectors.Series{one}, noon.Add(-time.Hour), noon))
	differ(t, "nothing was measured", found[one], store.Percentile{Of: 12})
	found = got[map[collectors.Series]store.Percentile](t)(s.Percentile95(t.Context(), store.Everything(), []collectors.Series{one}, noon.Add(time.Hour), noon.Add(2*time.Hour)))
	differ(t, "a month that has not begun", found[one], store.Percentile{})
}

func TestLatestOf(t *testing.T) {
	s := storetest.Open(t, at(noon))
	loss, up := series(link, collectors.LossPct), series(link, collectors.Up)
	s.Put([]collectors.Sample{{Series: loss, At: noon, Value: 1, Detail: "{}"}, {Series: up, At: noon, Value: 1}, {Series: loss, At: noon.Add(-time.Second), Value: 2}})
	list := s.LatestOf(store.Everything(), link, nil)
	slices.SortFunc(list, func(a, b collectors.Sample) int {
		if a.Series.Less(b.Series) {
			return -1
		}
		return 1
	})
	differ(t, "the newest of each", list, []collectors.Sample{{Series: loss, At: noon, Value: 1, Detail: "{}"}, {Series: up, At: noon, Value: 1}})
	s.Put([]collectors.Sample{{Series: series(acme, collectors.MOSMean), At: noon, Value: 4}})
	if got := s.LatestOf(store.Scope{}, acme, nil); len(got) != 0 {
		t.Errorf("a scope that sees nothing sees %v", got)
	}
}
