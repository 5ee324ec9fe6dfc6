package chunk

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// three is a group of three series, 5 points each.
func three() (parts []Part, payload []byte) {
	for _, series := range []int64{64, 70, 95} {
		points := make([]Point, 5)
		for i := range points {
			points[i] = Point{int64(i) * 60_000_000, float64(series)}
		}
		parts = append(parts, Part{series, Pack(nil, series, points)})
	}
	return parts, AppendGroup([]byte("before"), parts)[len("before"):]
}

func TestGroup(t *testing.T) {
	parts, payload := three()
	same := func(a, b Part) bool { return a.Series == b.Series && bytes.Equal(a.Packed, b.Packed) }
	if got, err := Parts(nil, 64, payload); err != nil || !slices.EqualFunc(got, parts, same) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, packed := range [][]byte{parts[1].Packed, first(Pack(nil, 7, []Point{{1, 2}}))} {
		if got, err := Parts(nil, 7, packed); err != nil || len(got) != 1 || !same(got[0], Part{7, packed}) {
			t.Errorf("one series alone: got %v, %v", got, err)
		}
	}
	for name, damaged := range map[string][]byte{"nothing": nil, "a row of the log": Encode(nil, flush(3)), "no part": AppendGroup(nil, nil)} {
		if got, err := Parts(nil, 7, damaged); !errors.Is(err, ErrDamaged) || len(got) > 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestGroupDamage: whatever happens to a group, no part comes out as another; and what happens behind the index costs one part.
func TestGroupDamage(t *testing.T) {
	parts, payload := three()
	index := len(payload)
	for _, p := range parts {
		index -= len(p.Packed)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		damaged, at := slices.Clone(payload), random.IntN(len(payload))
		damaged[at] ^= byte(1 + random.IntN(255))
		whole := readable(t, parts, damaged)
		if at < index && whole > 0 || at >= index && whole != 2 {
			t.Errorf("an octet at %d has changed, and %d parts are whole", at, whole)
		}
	}
	for n := range payload {
		if whole := readable(t, parts, payload[:n]); whole == 3 {
			t.Errorf("of %d octets of %d all parts are whole", n, len(payload))
		}
	}
	if whole := readable(t, parts, append(slices.Clone(payload), 0)); whole != 2 {
		t.Errorf("with one octet more %d parts are whole", whole)
	}
	swapped := []Part{{parts[0].Series, parts[1].Packed}, {parts[1].Series, parts[0].Packed}, parts[2]}
	if whole := readable(t, parts, AppendGroup(nil, swapped)); whole != 1 {
		t.Errorf("two parts have each other's series, and %d are whole", whole)
	}
}

// readable is how many parts of a payload can be unpacked; they must be the right ones.
func readable(t *testing.T, want []Part, payload []byte) (whole int) {
	t.Helper()
	got, err := Parts(nil, 64, payload)
	if err != nil && !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	for _, p := range got {
		points, err := Unpack(nil, p.Series, p.Packed)
		if err != nil {
			continue
		}
		whole++
		i := slices.IndexFunc(want, func(w Part) bool { return w.Series == p.Series })
		if i < 0 || points[0].Value != float64(p.Series) {
			t.Errorf("series %d has %v", p.Series, points)
		}
	}
	return whole
}

// FuzzParts takes any octets, and those with the right checksum behind them, and expects no panic.
func FuzzParts(f *testing.F) {
	_, payload := three()
	f.Add(payload, 20)
	f.Fuzz(func(t *testing.T, payload []byte, index int) {
		signed := append(sum(slices.Clone(payload[:min(max(index, 0), len(payload))])), payload...)
		for _, p := range [][]byte{payload, signed} {
			parts, err := Parts(nil, 1, p)
			if err != nil && len(parts) > 0 || err == nil && len(parts) == 0 {
				t.Fatalf("%d parts and %v", len(parts), err)
			}
		}
	})
}
