package chunk

import "testing"

func TestCount(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 5000, MostPoints} {
		payload := Pack(nil, 7, make([]Point, n))
		if got, ok := Count(payload[:min(HeadSize, len(payload))]); !ok || got != n {
			t.Errorf("a payload of %d points: %d, %v", n, got, ok)
		}
	}
	group := AppendGroup(nil, []Part{{7, Pack(nil, 7, make([]Point, 60))}, {9, Pack(nil, 9, make([]Point, 300))}})
	if got, ok := Count(group[:HeadSize]); !ok || got != 360 {
		t.Errorf("a group of 360 points: %d, %v", got, ok)
	}
	for name, head := range map[string][]byte{
		"nothing": nil, "one octet": {packVersion}, "a row of the log": {version, 3, 3}, "a count without an end": {packVersion, 0x80, 0x80},
		"too many": {packVersion, 0xff, 0xff, 0xff, 0xff, 0x0f},
	} {
		if n, ok := Count(head); ok {
			t.Errorf("%s holds %d points", name, n)
		}
	}
}
