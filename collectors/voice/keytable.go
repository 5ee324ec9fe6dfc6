package voice

// keyTable leads from a key to one call. Keys are spread already (see hasher) and never 0, so that a key's low bits are its place, and the place is
// where it is or nearly: a look takes one access to memory, where a general map takes three or four, and with 100,000 calls each of them is a miss.
type keyTable struct {
	places []keyPlace // a power of two of them, at most two thirds taken
	held   int
}

// keyPlace is free when its key is 0.
type keyPlace struct {
	key uint64
	c   *call
}

func (t *keyTable) init(size int) { t.places, t.held = make([]keyPlace, size), 0 }

// find returns where a key is, or where it would be.
func (t *keyTable) find(key uint64) int {
	mask := len(t.places) - 1
	i := int(key) & mask
	for t.places[i].key != key && t.places[i].key != 0 {
		i = (i + 1) & mask
	}
	return i
}

// get returns the call of a key, or nil.
func (t *keyTable) get(key uint64) *call { return t.places[t.find(key)].c }

// set makes a key lead to a call.
func (t *keyTable) set(key uint64, c *call) {
	i := t.find(key)
	if t.places[i].key == 0 {
		if 3*(t.held+1) > 2*len(t.places) {
			t.resize(2 * len(t.places))
			i = t.find(key)
		}
		t.held++
	}
	t.places[i] = keyPlace{key, c}
}

// remove forgets a key. What stands behind it and would not be found any more moves up. A table that has become empty to seven eighths is made smaller.
func (t *keyTable) remove(key uint64) {
	i, mask := t.find(key), len(t.places)-1
	if t.places[i].key == 0 {
		return
	}
	t.held--
	for j := (i + 1) & mask; t.places[j].key != 0; j = (j + 1) & mask {
		home := int(t.places[j].key) & mask
		if (j-home)&mask >= (j-i)&mask {
			t.places[i] = t.places[j]
			i = j
		}
	}
	t.places[i] = keyPlace{}
	if len(t.places) > 1024 && 8*t.held < len(t.places) {
		t.resize(len(t.places) / 2)
	}
}

func (t *keyTable) resize(size int) {
	old := t.places
	t.places = make([]keyPlace, size)
	for _, p := range old {
		if p.key != 0 {
			t.places[t.find(p.key)] = p
		}
	}
}
