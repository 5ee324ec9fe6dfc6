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

// decode gathers all blocks of a payload.
func decode(payload []byte) ([]Block, error) {
	var blocks []Block
	err := Decode(payload, func(series int64, points []Point) bool {
		blocks = append(blocks, Block{series, slices.Clone(points)})
		return true
	})
	return blocks, err
}

// same compares bit for bit, so that NaN equals itself and zero does not equal negative zero.
func same(a, b []Block) bool {
	return slices.EqualFunc(a, b, func(a, b Block) bool {
		return a.Series == b.Series && slices.EqualFunc(a.Points, b.Points, func(p, q Point) bool {
			return p.At == q.At && math.Float64bits(p.Value) == math.Float64bits(q.Value)
		})
	})
}

func TestRoundTrip(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name   string
		blocks []Block
		most   int // octets
	}{
		{"nothing", nil, 8},
		{"one", []Block{{7, []Point{{1, 2}}}}, 16},
		{"odd values", []Block{{1, []Point{
			{1, nan},
			{2, inf},
			{3, -inf},
			{4, math.Copysign(0, -1)},
			{5, 0},
			{6, math.Float64frombits(0x7ff8000000000123)},
			{7, math.MaxFloat64},
			{8, math.SmallestNonzeroFloat64},
			{9, 1 << 53},
			{10, 1<<53 + 2},
		}}}, 130},
		{"negative zero alone", []Block{{1, []Point{{1, math.Copysign(0, -1)}}}}, 20},
		{"times at the ends", []Block{{math.MaxInt64, []Point{{math.MinInt64, 1}, {math.MaxInt64, 1}}}, {math.MinInt64, []Point{{0, 1}, {-1, 1}}}}, 120},
		{"repeats and backwards", []Block{{1, []Point{{5, 1}, {5, 1}, {4, 2}, {9, 2}}}, {1, []Point{{5, 1}}}, {-3, []Point{{5, 1}}}}, 60},
		{"decimals", []Block{{1, []Point{{1, 0.1}, {2, 11.2}, {3, 0.30000000000000004}}}}, 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			payload := Encode([]byte("before"), test.blocks)[len("before"):]
			got, err := decode(payload)
			if err != nil || !same(got, test.blocks) {
				t.Errorf("got %v, %v, want %v", got, err, test.blocks)
			}
			if len(payload) > test.most {
				t.Errorf("%d octets, want at most %d", len(payload), test.most)
			}
		})
	}
}

func TestEmptyBlocksAreLeftOut(t *testing.T) {
	got, err := decode(Encode(nil, []Block{{1, nil}, {2, []Point{{3, 4}}}, {5, nil}}))
	if err != nil || !same(got, []Block{{2, []Point{{3, 4}}}}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRoundTripProperty(t *testing.T) {
	value := rapid.OneOf(
		rapid.Float64(),
		rapid.Map(rapid.Uint64(), math.Float64frombits),
		rapid.Map(rapid.IntRange(-1000, 100_000), func(i int) float64 { return float64(i) / 1000 }),
		rapid.SampledFrom([]float64{0, 1, 100, math.Copysign(0, -1), math.Inf(-1), math.NaN()}),
	)
	at := rapid.OneOf(rapid.Int64(), rapid.Int64Range(1_790_000_000_000_000, 1_790_000_100_000_000))
	point := rapid.Custom(func(t *rapid.T) Point { return Point{at.Draw(t, "at"), value.Draw(t, "value")} })
	block := rapid.Custom(func(t *rapid.T) Block {
		return Block{rapid.Int64().Draw(t, "series"), rapid.SliceOfN(point, 1, 20).Draw(t, "points")}
	})
	rapid.Check(t, func(t *rapid.T) {
		blocks := rapid.SliceOfN(block, 0, 10).Draw(t, "blocks")
		got, err := decode(Encode(nil, blocks))
		if err != nil || !same(got, blocks) {
			t.Fatalf("got %v, %v, want %v", got, err, blocks)
		}
	})
}

// flush is what one flush of n series looks like: latencies of nanosecond resolution, losses, ups, in runs that share an instant.
func flush(n int) []Block {
	random := rand.New(rand.NewPCG(1, 2))
	var blocks []Block
	at := int64(1_790_000_000_000_000)
	for i := range n {
		if i%3 == 0 {
			at = 1_790_000_000_000_000 + random.Int64N(2_000_000)
		}
		value := [3]float64{float64(12_000_000+random.Int64N(3_000_000)) / 1e6, 0, 1}[i%3]
		blocks = append(blocks, Block{int64(1 + i*15), []Point{{at, value}}})
	}
	return blocks
}

// hour is one series' hour at ten seconds.
func hour() []Block {
	random := rand.New(rand.NewPCG(1, 2))
	points := make([]Point, 360)
	for i := range points {
		points[i] = Point{1_790_000_000_000_000 + int64(i)*10_000_000 + random.Int64N(2000), float64(12_000+random.Int64N(300)) / 1000}
	}
	return []Block{{1, points}}
}

func TestSize(t *testing.T) {
	for name, test := range map[string]struct {
		blocks []Block
		points int
		most   float64 // octets a sample
	}{"flush": {flush(6000), 6000, 6}, "hour": {hour(), 360, 5}} {
		payload := Encode(nil, test.blocks)
		each := float64(len(payload)) / float64(test.points)
		t.Logf("%s: %.2f octets a sample", name, each)
		if each > test.most {
			t.Errorf("%s: %.2f octets a sample, want at most %g", name, each, test.most)
		}
	}
}

func TestCorruptionIsNoticed(t *testing.T) {
	payload := Encode(nil, flush(300))
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 1000 {
		damaged := slices.Clone(payload)
		switch i % 4 {
		case 0: // one bit
			damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
		case 1: // some octets
			for range 1 + random.IntN(20) {
				damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
			}
		case 2: // the end is missing
			damaged = damaged[:random.IntN(len(damaged))]
		case 3: // a part is zero
			at := random.IntN(len(damaged) - 40)
			clear(damaged[at : at+32])
		}
		if slices.Equal(damaged, payload) {
			continue
		}
		if blocks, err := decode(damaged); !errors.Is(err, ErrDamaged) || blocks != nil {
			t.Fatalf("corruption %d: got %d blocks and %v, want none and ErrDamaged", i, len(blocks), err)
		}
	}
}

// sum signs a payload's body.
func sum(body []byte) []byte { return binary.LittleEndian.AppendUint32(body, checksum(body)) }

func TestNewerVersion(t *testing.T) {
	payload := Encode(nil, flush(3))
	payload[0] = 2
	payload = sum(payload[:len(payload)-sumSize])
	if _, err := decode(payload); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v, want ErrVersion", err)
	}
}

func TestVisitMayStop(t *testing.T) {
	visits := 0
	err := Decode(Encode(nil, flush(10)), func(int64, []Point) bool { visits++; return visits < 3 })
	if err != nil || visits != 3 {
		t.Errorf("%d visits and %v, want 3 and nil", visits, err)
	}
}

// FuzzDecode takes any body, signs it, and expects no panic; what decodes must come back the same when it is encoded again.
func FuzzDecode(f *testing.F) {
	for _, blocks := range [][]Block{nil, flush(5), hour(), {{1, []Point{{1, math.NaN()}, {0, 0.1}}}}} {
		payload := Encode(nil, blocks)
		f.Add(payload[:len(payload)-sumSize])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		blocks, err := decode(sum(slices.Clone(body)))
		if err != nil {
			return
		}
		again, err := decode(Encode(nil, blocks))
		if err != nil || !same(again, blocks) {
			t.Fatalf("%v became %v, %v", blocks, again, err)
		}
	})
}

func BenchmarkEncodeFlush(b *testing.B) {
	blocks := flush(6000)
	var payload []byte
	for b.Loop() {
		payload = Encode(payload[:0], blocks)
	}
	b.ReportMetric(float64(len(payload))/6000, "octets/sample")
}

func BenchmarkDecodeFlush(b *testing.B) {
	payload := Encode(nil, flush(6000))
	for b.Loop() {
		if err := Decode(payload, func(int64, []Point) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}
