package store_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// Memory gives back in order what came nearly in order, whatever came late and whatever came twice: of one instant the last.
func TestMemoryKeepsOrder(t *testing.T) {
	chance := rand.New(rand.NewPCG(7, 7))
	for n := range 60 {
		s := storetest.Open(t, at(noon))
		name := series(link, collectors.LossPct)
		want := map[int]float64{}
		var list []collectors.Sample
		for i := range n {
			second := max(0, i-max(0, chance.IntN(12)-6))
			want[second] = float64(i)
			list = append(list, collectors.Sample{Series: name, At: noon.Add(time.Duration(second-100) * time.Second), Value: float64(i)})
		}
		s.Put(list)
		var in []float64
		for _, second := range slices.Sorted(maps.Keys(want)) {
			in = append(in, want[second])
		}
		points := read(t, s, name, noon.Add(-time.Hour), noon, 0).Points
		if !slices.Equal(values(points), in) {
			t.Fatalf("of %d samples memory gives %v, want %v", n, values(points), in)
		}
		if held := s.Stats().HeadSamples; held != len(want) {
			t.Fatalf("memory says that it holds %d samples, want %d", held, len(want))
		}
		half := noon.Add(time.Duration(n/2-100) * time.Second)
		before, after := read(t, s, name, noon.Add(-time.Hour), half, 0).Points, read(t, s, name, half.Add(time.Microsecond), noon, 0).Points
		if len(before)+len(after) != len(points) {
			t.Fatalf("in two parts there are %d and %d samples, in one %d", len(before), len(after), len(points))
		}
	}
}

// What is too old is looked for every ten minutes, and at once when it is to be kept for a shorter time.
func TestShorterRetentionActsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(at(noon), func(c *store.Config) { c.SampleRetention = 100 * 24 * time.Hour })
		s.Put(line(series(link, collectors.LossPct), noon.AddDate(0, 0, -20), time.Minute, 10))
		flush(t, s)
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		count := func() int {
			return len(read(t, open(at(noon)), series(link, collectors.LossPct), noon.AddDate(0, 0, -30), noon, 0).Points)
		}
		if n := count(); n != 10 {
			t.Fatalf("%d samples before, want 10", n)
		}
		s.SetSampleRetention(10 * 24 * time.Hour)
		if err := s.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 0 {
			t.Errorf("%d samples are left of what is too old", n)
		}
	})
}
