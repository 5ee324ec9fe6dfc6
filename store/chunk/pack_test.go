package chunk

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func samePoints(a, b []Point) bool { return same([]Block{{1, a}}, []Block{{1, b}}) }

// day is one series' day at a minute, with a jitter of the times and values of some kind.
func day(jitter int64, value func(i int, r *rand.Rand) float64) []Point {
	random := rand.New(rand.NewPCG(1, 2))
	points := make([]Point, 1440)
	for i := range points {
		points[i] = Point{1_790_000_000_000_000 + int64(i)*60_000_000, value(i, random)}
		if jitter > 0 {
			points[i].At += random.Int64N(jitter)
		}
	}
	return points
}

var days = map[string]struct {
	points []Point
	most   float64 // octets a sample
}{
	"constant":         {day(0, func(int, *rand.Rand) float64 { return 1 }), 0.02},
	"constant, jitter": {day(2000, func(int, *rand.Rand) float64 { return 1 }), 1.6},
	"seldom else":      {day(0, func(i int, _ *rand.Rand) float64 { return float64(min(1, i%200)) }), 0.2},
	"uptime":           {day(0, func(i int, _ *rand.Rand) float64 { return float64(i) * 60 }), 0.02},
	"latency":          {day(0, func(_ int, r *rand.Rand) float64 { return math.Round(12_000+r.NormFloat64()*300) / 1000 }), 1.35},
	"bits a second":    {day(0, func(_ int, r *rand.Rand) float64 { return float64(400_000_000 + r.Int64N(1<<24)) }), 3.4},
	"any":              {day(0, func(_ int, r *rand.Rand) float64 { return r.Float64() }), 8.1},
}

func TestPackSize(t *testing.T) {
	for name, test := range days {
		payload := Pack(nil, 7, test.points)
		each := float64(len(payload)) / float64(len(test.points))
		t.Logf("%s: %.3f octets a sample", name, each)
		if each > test.most {
			t.Errorf("%s: %.3f octets a sample, want at most %g", name, each, test.most)
		}
		if got, err := Unpack(nil, 7, payload); err != nil || !samePoints(got, test.points) {
			t.Errorf("%s: another comes back, %v", name, err)
		}
	}
}

func TestPackAppends(t *testing.T) {
	points := []Point{{1, 2}, {3, 4}}
	payload := Pack([]byte("before"), 7, points)
	got, err := Unpack([]Point{{9, 9}}, 7, payload[len("before"):])
	if err != nil || !samePoints(got, []Point{{9, 9}, {1, 2}, {3, 4}}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := Unpack(nil, 7, Pack(nil, 7, nil)); err != nil || len(got) != 0 {
		t.Errorf("nothing became %v, %v", got, err)
	}
}

// anyPoints draws points of every kind: even and odd times, whole and broken and impossible values.
func anyPoints(most int) *rapid.Generator[[]Point] {
	value := rapid.OneOf(
		rapid.Map(rapid.Uint64(), math.Float64frombits),
		rapid.Map(rapid.IntRange(-1000, 100_000), func(i int) float64 { return float64(i) / 1000 }),
		rapid.Map(rapid.Int64Range(-1<<53, 1<<53), func(i int64) float64 { return float64(i) }),
		rapid.SampledFrom([]float64{0, 1, 100, math.Copysign(0, -1), math.Inf(-1), math.NaN()}),
	)
	step := rapid.OneOf(rapid.Just(int64(10_000_000)), rapid.Int64Range(9_990_000, 10_010_000), rapid.Int64())
	return rapid.Custom(func(t *rapid.T) []Point {
		n := rapid.IntRange(0, most).Draw(t, "n")
		steps := rapid.OneOf(rapid.SliceOfN(step, n, n), rapid.SliceOfN(rapid.Just(int64(60)), n, n)).Draw(t, "steps")
		values := rapid.OneOf(rapid.SliceOfN(value, n, n), rapid.Map(value, func(v float64) []float64 { return slices.Repeat([]float64{v}, n) })).Draw(t, "values")
		points := make([]Point, n)
		at := rapid.Int64().Draw(t, "first")
		for i := range points {
			points[i] = Point{at, values[i]}
			at += steps[i]
		}
		return points
	})
}

func TestPackProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := anyPoints(60).Draw(t, "points")
		got, err := Unpack(nil, 7, Pack(nil, 7, points))
		if err != nil || !samePoints(got, points) {
			t.Fatalf("got %v, %v, want %v", got, err, points)
		}
	})
}

func TestPackedCorruptionIsNoticed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for name, test := range days {
		payload := Pack(nil, 7, test.points)
		for i := range 300 {
			damaged := slices.Clone(payload)
			if i%2 == 0 {
				damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
			} else {
				damaged = damaged[:random.IntN(len(damaged))]
			}
			if got, err := Unpack(nil, 7, damaged); !errors.Is(err, ErrDamaged) || got != nil {
				t.Fatalf("%s, corruption %d: got %d points and %v, want none and ErrDamaged", name, i, len(got), err)
			}
		}
	}
}

func TestPackedNewerVersion(t *testing.T) {
	payload := Pack(nil, 7, []Point{{1, 2}})
	payload[0]++
	if _, err := Unpack(nil, 7, sealed(payload[:len(payload)-sumSize])); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v, want ErrVersion", err)
	}
	if _, err := Unpack(nil, 7, Encode(nil, flush(3))); !errors.Is(err, ErrDamaged) {
		t.Errorf("a payload of many series: got %v, want ErrDamaged", err)
	}
}

// sealed ends a payload's body with the checksum of series 7.
func sealed(body []byte) []byte { return binary.LittleEndian.AppendUint32(body, checksumOf(body, 7)) }

// first makes of a payload of series 7 what the first version of Pack made, which read the same for every series.
func first(payload []byte) []byte {
	body := slices.Clone(payload[:len(payload)-sumSize])
	body[0] = packVersion1
	return sum(body)
}

func TestPackKnowsWhoseItIs(t *testing.T) {
	points := []Point{{1, 2}, {3, 4}}
	payload := Pack(nil, 7, points)
	for _, series := range []int64{0, 6, 8, 7 << 32, -7} {
		if got, err := Unpack(nil, series, payload); !errors.Is(err, ErrDamaged) {
			t.Errorf("as series %d it gives %v, %v", series, got, err)
		}
	}
	for _, series := range []int64{7, 8} {
		if got, err := Unpack(nil, series, first(payload)); err != nil || !samePoints(got, points) {
			t.Errorf("of the first version, as series %d: %v, %v", series, got, err)
		}
	}
}

// FuzzUnpack takes any body, signs it, and expects no panic; what comes out must come out the same when it is packed again.
func FuzzUnpack(f *testing.F) {
	for _, points := range [][]Point{nil, {{1, math.NaN()}, {0, 0.1}}, hour()[0].Points, days["uptime"].points, days["bits a second"].points} {
		payload := Pack(nil, 7, points)
		f.Add(payload[:len(payload)-sumSize])
		f.Add(first(payload)[:len(payload)-sumSize])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		points, err := Unpack(nil, 7, sealed(slices.Clone(body)))
		if err != nil || len(points) > 100_000 {
			return
		}
		again, err := Unpack(nil, 7, Pack(nil, 7, points))
		if err != nil || !samePoints(again, points) {
			t.Fatalf("%v became %v, %v", points, again, err)
		}
	})
}

func BenchmarkPackDay(b *testing.B) {
	for _, name := range []string{"constant", "latency", "constant, jitter", "any"} {
		b.Run(name, func(b *testing.B) {
			var payload []byte
			for b.Loop() {
				payload = Pack(payload[:0], 7, days[name].points)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1440, "ns/sample")
		})
	}
}

func BenchmarkUnpackDay(b *testing.B) {
	for _, name := range []string{"constant", "latency", "constant, jitter", "any"} {
		b.Run(name, func(b *testing.B) {
			payload := Pack(nil, 7, days[name].points)
			var points []Point
			for b.Loop() {
				points, _ = Unpack(points[:0], 7, payload)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1440, "ns/sample")
		})
	}
}
