package snmpagent

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		tag  Tag
		v    uint64
		want []byte
	}{
		{Integer32, 0, []byte{0x02 /* INTEGER */, 1 /* length */, 0}},
		{Integer32, 127, []byte{0x02, 1, 0x7f}},
		{Integer32, 128, []byte{0x02, 2, 0x00 /* not negative */, 0x80}},
		{Integer32, ^uint64(0), []byte{0x02, 1, 0xff /* -1 */}},
		{Integer32, ^uint64(128), []byte{0x02, 2, 0xff, 0x7f /* -129 */}},
		{Integer32, 1 << 31, []byte{0x02, 4, 0x80, 0, 0, 0 /* wraps to the least */}},
		{Counter32, math.MaxUint32, []byte{0x41 /* Counter32 */, 5, 0x00, 0xff, 0xff, 0xff, 0xff}},
		{Counter32, 1 << 32, []byte{0x41, 1, 0 /* wraps */}},
		{Gauge32, 256, []byte{0x42 /* Gauge32 */, 2, 1, 0}},
		{TimeTicks, 100, []byte{0x43 /* TimeTicks */, 1, 100}},
		{Counter64, math.MaxUint64, []byte{0x46 /* Counter64 */, 9, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{Counter64, 1 << 40, []byte{0x46, 6, 1, 0, 0, 0, 0, 0}},
	} {
		got := appendNumber(nil, c.tag, c.v)
		if !bytes.Equal(got, c.want) {
			t.Errorf("%d of type %d: % x, want % x", c.v, c.tag, got, c.want)
		}
		tag, contents, rest, ok := next(got)
		if !ok || tag != c.tag || len(rest) > 0 {
			t.Errorf("%d of type %d does not read back", c.v, c.tag)
		}
		back, ok := unsignedOf(contents)
		if c.tag == Integer32 {
			var n int64
			n, ok = integerOf(contents)
			back = uint64(n)
		}
		if !ok || back != wrap(c.tag, c.v) {
			t.Errorf("%d of type %d reads back as %d", c.v, c.tag, back)
		}
	}
}

func TestLengths(t *testing.T) {
	for n, want := range map[int][]byte{
		0: {0}, 127: {0x7f}, 128: {0x81, 0x80}, 255: {0x81, 0xff}, 256: {0x82, 1, 0}, 65535: {0x82, 0xff, 0xff}, 65536: {0x83, 1, 0, 0},
	} {
		if got := appendLength(nil, n); !bytes.Equal(got, want) || len(got) != lengthSize(n) {
			t.Errorf("length %d: % x of announced size %d, want % x", n, got, lengthSize(n), want)
		}
		value := appendValue(nil, OctetString, make([]byte, n))
		if _, contents, rest, ok := next(append(value, 5, 0)); !ok || len(contents) != n || len(rest) != 2 {
			t.Errorf("a string of %d octets does not read back", n)
		}
	}
}

func TestNextRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":         {},
		"no length":       {0x30},
		"too short":       {0x04, 2, 'a'},
		"indefinite":      {0x30, 0x80, 0, 0},
		"length cut off":  {0x30, 0x82, 1},
		"length too long": {0x30, 0x85, 0, 0, 0, 0, 0},
		"huge":            {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, _, _, ok := next(b); ok {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestOIDs(t *testing.T) {
	for text, want := range map[string][]byte{
		"0.0":                 {0},
		"1.3.6.1":             {0x2b, 6, 1},
		".1.3.6.1.2.1.1.3.0":  []byte(sysUpTime),
		"2.999":               {0x88, 0x37},
		"2.4294967295":        {0x90, 0x80, 0x80, 0x80, 0x4f},
		"1.3.128.16383.16384": {0x2b, 0x81, 0, 0xff, 0x7f, 0x81, 0x80, 0},
		"1.0.4294967295":      {0x28, 0x8f, 0xff, 0xff, 0xff, 0x7f},
	} {
		got, err := encodeOID(nil, text)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: % x %v, want % x", text, got, err, want)
		}
		if !validOID(got) {
			t.Errorf("%s: its own octets are refused", text)
		}
		if back := formatOID(got); back != strings.TrimPrefix(text, ".") {
			t.Errorf("%s reads back as %s", text, back)
		}
	}
	for _, text := range []string{
		"", ".", "1", "1.", "3.1", "1.40", "1.3.x", "1.3.4294967296", "1..3", "1.3.-1", "..1.3", "1.3." + strings.Repeat("1.", 126) + "1",
	} {
		if got, err := encodeOID(nil, text); err == nil {
			t.Errorf("%q is taken as % x", text, got)
		}
	}
	for _, octets := range [][]byte{
		{},
		{0x80, 1},
		{0x2b, 0x80, 1},
		{0x2b, 0x81},
		{0x2b, 0x90, 0x80, 0x80, 0x80, 0},
		{0x2b, 0x81, 0x80, 0x80, 0x80, 0x80, 0},
		append([]byte{0x2b}, bytes.Repeat([]byte{1}, 127)...),
	} {
		if validOID(octets) {
			t.Errorf("octets % x are taken as an OID", octets)
		}
	}
}

func TestCompareOID(t *testing.T) {
	sorted := []string{
		"0.0", "0.39", "1.0", "1.3", "1.3.0", "1.3.6", "1.3.6.1", "1.3.6.1.127", "1.3.6.1.127.1", "1.3.6.1.128", "1.3.6.1.255",
		"1.3.6.1.16383", "1.3.6.1.16383.5", "1.3.6.1.16384", "1.3.6.1.2097151", "1.3.6.1.2097152", "1.3.6.1.4294967295", "1.3.7", "2.0", "2.47", "2.48", "2.4294967295",
	}
	for i, a := range sorted {
		for j, b := range sorted {
			x, _ := encodeOID(nil, a)
			y, _ := encodeOID(nil, b)
			got := compareOID(x, y)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
}

func TestParent(t *testing.T) {
	for oid, want := range map[string]string{"1.3.6.1": "1.3.6", "1.3.6.16384": "1.3.6", "1.3.6.300.1": "1.3.6.300", "1.3": ""} {
		octets, _ := encodeOID(nil, oid)
		if got := formatOID(parentOf(octets)); got != want {
			t.Errorf("parent of %s is %q, want %q", oid, got, want)
		}
	}
}

// TestRequest reads a request whose octets are written out.
func TestRequest(t *testing.T) {
	datagram := []byte{
		0x30, 0x82, 0x00, 0x2b, // message, its length in the long form that net-snmp uses
		0x02, 0x01, 0x01, // version: 2c
		0x04, 0x06, 'p', 'u', 'b', 'l', 'i', 'c', // community
		0xa5, 0x1e, // GetBulkRequest-PDU
		0x02, 0x04, 0x7f, 0xff, 0xff, 0xff, // request-id
		0x02, 0x01, 0x00, // non-repeaters
		0x02, 0x01, 0x0a, // max-repetitions
		0x30, 0x10, // variable-bindings
		0x30, 0x0e, // one of them
		0x06, 0x0a, 0x2b, 6, 1, 2, 1, 2, 2, 1, 0x81, 0x00, // name: 1.3.6.1.2.1.2.2.1.128
		0x05, 0x00, // value: unSpecified
	}
	q, ok := readRequest(datagram, nil)
	if !ok || q.version != version2c || string(q.community) != "public" || q.operation != pduGetBulk || q.first != 0 || q.second != 10 {
		t.Fatalf("read as %+v %v", q, ok)
	}
	if !bytes.Equal(q.id, []byte{0x7f, 0xff, 0xff, 0xff}) || len(q.names) != 1 || formatOID(q.names[0]) != "1.3.6.1.2.1.2.2.1.128" {
		t.Errorf("request-id % x, names % x", q.id, q.names)
	}
	for cut := range len(datagram) {
		if _, ok := readRequest(datagram[:cut], nil); ok {
			t.Errorf("taken with %d of %d octets", cut, len(datagram))
		}
	}
	datagram[6] = 3 // version
	if _, ok := readRequest(datagram, nil); ok {
		t.Error("version 3 is taken")
	}
	datagram[6] = 0
	if _, ok := readRequest(datagram, nil); ok {
		t.Error("GETBULK of version 1 is taken")
	}
}
