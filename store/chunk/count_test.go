package chunk

import "testing"

func TestCount(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 5000, MostPoints} {
		payload := Pack(nil, make([]Point, n))
		if got, ok := Count(payload[:min(HeadSize, len(payload))]); !ok || got != n {
			t.Errorf("a payload of %d points: %d, %v", n, got, ok)
		}
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
