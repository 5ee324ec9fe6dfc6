package voice

import (
	"math/rand/v2"
	"testing"
)

// TestKeyTable does to a table what is done to a map, and both must hold the same, also where many keys want one place.
func TestKeyTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	calls := make([]call, 64)
	var table keyTable
	table.init(16)
	want := map[uint64]*call{}
	for step := range 200_000 {
		key := random.Uint64N(1500)<<random.UintN(20) | 1
		if phase := step / 20_000 % 2; random.IntN(3) > phase {
			c := &calls[random.IntN(len(calls))]
			table.set(key, c)
			want[key] = c
		} else {
			table.remove(key)
			delete(want, key)
		}
		if table.held != len(want) || table.get(key) != want[key] {
			t.Fatalf("step %d: %d keys, want %d", step, table.held, len(want))
		}
	}
	for key, c := range want {
		if table.get(key) != c {
			t.Fatalf("key %d is lost", key)
		}
		table.remove(key)
	}
	if table.held != 0 || len(table.places) > 2048 {
		t.Errorf("%d keys in %d places are left", table.held, len(table.places))
	}
	for _, p := range table.places {
		if p != (keyPlace{}) {
			t.Fatal("a place is not free")
		}
	}
}
