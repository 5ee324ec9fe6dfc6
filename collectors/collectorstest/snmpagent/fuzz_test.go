package snmpagent

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// FuzzRequest gives an agent any octets: it never panics, and what it answers is one message that is not too long.
func FuzzRequest(f *testing.F) {
	for _, version := range []int64{0, 1} {
		for _, operation := range []Tag{pduGet, pduGetNext, pduGetBulk, pduSet} {
			f.Add(ask(version, operation, 1, 50, "1.3", "1.3.6.2.1", "1.3.6.2.2.2"), 1472)
		}
	}
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, 100)
	r := small()
	r.SetString("1.3.6.2.1.16384", strings.Repeat("x", 300))
	v := view{table: r.table(), grow: true, elapsed: time.Hour}
	f.Fuzz(func(t *testing.T, datagram []byte, size int) {
		maker := &answerer{max: size}
		q, ok := readRequest(datagram, nil)
		if !ok {
			return
		}
		q.public(netip.AddrPort{})
		answer := maker.answer(v, &q)
		if len(answer) == 0 {
			return
		}
		if len(answer) > size {
			t.Fatalf("%d octets, the most are %d", len(answer), size)
		}
		if _, _, rest, ok := next(answer); !ok || len(rest) > 0 {
			t.Fatalf("not one message: % x", answer)
		}
	})
}

// FuzzParse reads any text as a recording; what is read is in order and can be asked for.
func FuzzParse(f *testing.F) {
	f.Add("1.3.6.1|4x|00\n1.3|2:numeric|rate=1,wrap=1\n")
	f.Add("#\n1.3.6.1.2.1.1.3.0|67|5\n1.3.1|70|9\n1.3.2|4e|\\x41\\101\\\\\n1.3.3|64|1.2.3.4\n1.3.4|6|1.3")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		v := view{table: r.table(), grow: true, elapsed: time.Hour}
		for i := range v.rows {
			var scratch [16]byte
			if _, _, rest, ok := next(v.value(i, scratch[:])); !ok || len(rest) > 0 || !validOID(v.oid(i)) {
				t.Fatalf("row %d of %q", i, text)
			}
			if i > 0 && compareOID(v.oid(i-1), v.oid(i)) >= 0 {
				t.Fatalf("row %d of %q is out of order", i, text)
			}
		}
	})
}

// FuzzOID compares the order of octets with the order of arcs.
func FuzzOID(f *testing.F) {
	f.Add([]byte{0x2b, 6}, []byte{0x2b, 0x81, 0})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if !validOID(a) || !validOID(b) {
			return
		}
		back, err := encodeOID(nil, formatOID(a))
		if err != nil || !bytes.Equal(back, a) {
			t.Fatalf("% x reads back as % x: %v", a, back, err)
		}
		got, want := compareOID(a, b), 0
		for x, y := a, b; want == 0 && (len(x) > 0 || len(y) > 0); {
			if len(x) == 0 || len(y) == 0 {
				want = len(x) - len(y)
				break
			}
			arcX, sizeX := firstArc(x)
			arcY, sizeY := firstArc(y)
			want = int(int64(arcX) - int64(arcY))
			x, y = x[sizeX:], y[sizeY:]
		}
		if (got < 0) != (want < 0) || (got > 0) != (want > 0) {
			t.Fatalf("% x and % x: %d, by arcs %d", a, b, got, want)
		}
	})
}

// BenchmarkGetBulk is one answer of a full datagram, without its socket.
func BenchmarkGetBulk(b *testing.B) {
	r := &Recording{}
	for _, column := range []string{"10", "16", "14", "20"} {
		for row := range 50 {
			r.SetCounter64("1.3.6.1.2.1.31.1.1.1."+column+"."+string(rune('1'+row%9))+strings.Repeat("0", row/9), uint64(row)<<30)
		}
	}
	datagram := ask(1, pduGetBulk, 0, 50, "1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.31.1.1.1.16")
	v := view{table: r.table(), grow: true, elapsed: time.Hour}
	maker := &answerer{max: defaultMaxSize}
	var names [][]byte
	b.ReportAllocs()
	for b.Loop() {
		q, ok := readRequest(datagram, names)
		if !ok || len(maker.answer(v, &q)) < 1000 {
			b.Fatal("no full answer")
		}
		names = q.names
	}
}
