package hep

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

// plainChunk is a chunk as the reference sees it.
type plainChunk struct {
	vendor, kind uint16
	body         []byte
}

// plainChunks cuts a message into chunks in the most obvious way; nil when a length does not fit.
func plainChunks(data []byte) (out []plainChunk, ok bool) {
	r := bytes.NewReader(data[6:])
	for r.Len() > 0 {
		var h struct{ Vendor, Type, Length uint16 }
		if binary.Read(r, binary.BigEndian, &h) != nil || h.Length < 6 {
			return nil, false
		}
		body := make([]byte, h.Length-6)
		if n, _ := r.Read(body); n != len(body) {
			return nil, false
		}
		out = append(out, plainChunk{h.Vendor, h.Type, body})
	}
	return out, true
}

// FuzzHEP holds the packet reader against a plain one, and whole messages against the recover boundary.
func FuzzHEP(f *testing.F) {
	f.Add(message(typeRTCP, rtcpJSON))
	f.Add(hep3(head(5), chunk(3, 15, 1), chunk16(chunkMOS, 425), text(chunkKey, "k")))
	f.Add(oldHEP(1, "BYE sip:a SIP/2.0\r\n\r\n"))
	f.Add(oldHEP(2, "BYE sip:a SIP/2.0\r\n\r\n"))
	f.Add(hep3(head(34), text(chunkPayload, `{"MOS":425,"TOTAL_PK":1,"PACKET_LOSS":2}`)))
	f.Add(hep3(head(5), text(chunkCompressed, "\x78\x9c\x03\x00\x00\x00\x00\x01")))
	var sink recorder
	l := bare(Config{}, decoders{sip: func(wire.Meta, []byte, voice.Sink) error { return errors.New("no") }}, &sink)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var p packet
		err := p.read(data)
		newHandler(l).message(data, agentAddr, arrival)
		if l.Stats().Dropped["panic"] > 0 {
			t.Fatal("a decoder failed")
		}
		if !bytes.Equal(before, data) {
			t.Fatal("the message was changed")
		}
		sink = recorder{}
		if len(data) < 6 || string(data[:4]) != "HEP3" {
			if err == nil && p.version == 3 {
				t.Fatal("not version 3")
			}
			return
		}
		total := int(binary.BigEndian.Uint16(data[4:]))
		if total < 6 || total > len(data) {
			if !errors.Is(err, errLength) {
				t.Fatalf("%v, want %v", err, errLength)
			}
			return
		}
		compare(t, &p, err, data[:total])
	})
}

func compare(t *testing.T, p *packet, err error, data []byte) {
	t.Helper()
	chunks, ok := plainChunks(data)
	if !ok {
		if err == nil {
			t.Fatal("lengths that do not fit were taken")
		}
		return
	}
	var want packet
	for _, c := range chunks {
		if c.vendor != 0 {
			continue
		}
		b := c.body
		switch c.kind {
		case chunkSrc4, chunkSrc6:
			want.src, _ = netip.AddrFromSlice(b)
		case chunkDst4, chunkDst6:
			want.dst, _ = netip.AddrFromSlice(b)
		case chunkSrcPort:
			want.srcPort = uint16(number(b))
		case chunkDstPort:
			want.dstPort = uint16(number(b))
		case chunkMOS:
			want.mos = uint16(number(b))
		case chunkSeconds:
			want.seconds = uint32(number(b))
		case chunkMicros:
			want.micros = uint32(number(b))
		case chunkAgent:
			want.agent = uint32(number(b))
		case chunkProtocol:
			want.protocol = uint8(number(b))
		case chunkPayload, chunkCompressed:
			want.payload, want.compressed = b, c.kind == chunkCompressed
		case chunkKey:
			want.key = b
		case chunkCorrelation:
			want.correlation = b
		case chunkName:
			want.name = b
		}
	}
	if err != nil {
		return // a chunk of a wrong size for its type
	}
	same := p.src == want.src.Unmap() && p.dst == want.dst.Unmap() && p.srcPort == want.srcPort && p.dstPort == want.dstPort && p.mos == want.mos &&
		p.seconds == want.seconds && p.micros == want.micros && p.agent == want.agent && p.protocol == want.protocol && p.compressed == want.compressed &&
		bytes.Equal(p.payload, want.payload) && bytes.Equal(p.key, want.key) && bytes.Equal(p.correlation, want.correlation) && bytes.Equal(p.name, want.name)
	if !same {
		t.Fatalf("got  %+v\nwant %+v", *p, want)
	}
}

func number(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// nothing is a Sink that costs nothing.
type nothing struct{ n int }

func (n *nothing) Report(*voice.Report)   { n.n++ }
func (n *nothing) Signal(*voice.Signal)   {}
func (n *nothing) Quality(*voice.Quality) {}

// BenchmarkMessage is one HEP message of RTCP JSON from its octets to a Report.
func BenchmarkMessage(b *testing.B) {
	var sink nothing
	h := newHandler(bare(Config{}, decoders{}, &sink))
	data := message(typeRTCP, rtcpJSON)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		h.message(data, agentAddr, arrival)
	}
	if sink.n == 0 {
		b.Fatal("no report")
	}
}
