package hep

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collectors/inventory"
	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

var (
	agentAddr = netip.MustParseAddr("10.0.0.9")
	arrival   = time.Unix(capturedAt+3, 0)
)

// take feeds one message to a fresh listener and returns what came of it.
func take(t *testing.T, cfg Config, data []byte) (*recorder, Stats) {
	t.Helper()
	var sink recorder
	l := bare(cfg, decoders{}, &sink)
	newHandler(l).message(data, agentAddr, arrival)
	return &sink, l.Stats()
}

// oldHEP is a message of version 1 or 2 with IPv4 addresses.
func oldHEP(version uint8, payload string) []byte {
	b := []byte{version, 16, 2, 17, 0x75, 0x31, 0x9c, 0x43, 192, 0, 2, 1, 192, 0, 2, 2}
	if version == 2 {
		b = binary.LittleEndian.AppendUint32(b, capturedAt)
		b = binary.LittleEndian.AppendUint32(b, micros)
		b = binary.LittleEndian.AppendUint16(b, agentID)
	}
	return append(b, payload...)
}

func TestRTCPReport(t *testing.T) {
	raw := []byte{0x81, 201, 0, 7}
	for _, v := range []uint32{11, 22, 26<<24 | 101, 69778, 88, 305419896, 65536} {
		raw = binary.BigEndian.AppendUint32(raw, v)
	}
	six := func(last byte) []byte { return append(netip.MustParseAddr("2001:db8::").AsSlice()[:15], last) }
	for name, tt := range map[string]struct {
		data     []byte
		at       time.Time
		src, dst netip.AddrPort
		agent    uint32
		id       string
		mos      float32
	}{
		"JSON":              {message(typeRTCP, rtcpJSON), time.Unix(capturedAt, micros*1000), src, dst, agentID, callID, 0},
		"on the wire":       {message(typeRTCP, string(raw)), time.Unix(capturedAt, micros*1000), src, dst, agentID, callID, 0},
		"JSON after blanks": {message(typeRTCP, " \r\n"+rtcpJSON), time.Unix(capturedAt, micros*1000), src, dst, agentID, callID, 0},
		"chunks in reverse": {
			hep3(text(chunkPayload, rtcpJSON), chunk32(chunkAgent, 7), chunk(0, chunkProtocol, 5), chunk16(chunkDstPort, 2), chunk16(chunkSrcPort, 1), chunk(0, chunkDst6, six(2)...), chunk(0, chunkSrc6, six(1)...)),
			arrival, netip.MustParseAddrPort("[2001:db8::1]:1"), netip.MustParseAddrPort("[2001:db8::2]:2"), 7, "", 0,
		},
		"MOS x100":     {hep3(head(5), chunk16(chunkMOS, 425), text(chunkPayload, rtcpJSON)), time.Unix(capturedAt, micros*1000), src, dst, agentID, "", 4.25},
		"no addresses": {hep3(chunk(0, chunkProtocol, 5), text(chunkPayload, rtcpJSON)), arrival, netip.AddrPort{}, netip.AddrPort{}, 0, "", 0},
		"ports 0":      {hep3(head(5), chunk16(chunkSrcPort, 0), chunk16(chunkDstPort, 0), text(chunkPayload, rtcpJSON)), time.Unix(capturedAt, micros*1000), netip.AddrPort{}, netip.AddrPort{}, agentID, "", 0},
		"a vendor's chunk of the payload's type": {
			hep3(head(5), text(chunkPayload, rtcpJSON), chunk(3, chunkPayload, []byte("not ours")...), chunk(0, 0x99, 1, 2, 3)), time.Unix(capturedAt, micros*1000), src, dst, agentID, "", 0,
		},
		"repeated chunks, the last counts": {
			hep3(text(chunkPayload, "{}"), chunk32(chunkAgent, 1), head(5), text(chunkPayload, rtcpJSON), chunk(0, chunkKey)), time.Unix(capturedAt, micros*1000), src, dst, agentID, "", 0,
		},
		"microseconds that are none": {hep3(head(5), chunk32(chunkMicros, 4_000_000_000), text(chunkPayload, rtcpJSON)), time.Unix(capturedAt, 0), src, dst, agentID, "", 0},
		"octets after it":            {append(message(typeRTCP, rtcpJSON), 0, 0, 0), time.Unix(capturedAt, micros*1000), src, dst, agentID, callID, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sink, stats := take(t, Config{}, tt.data)
			if len(sink.reports) != 1 {
				t.Fatalf("%d reports, %+v", len(sink.reports), stats)
			}
			r := sink.reports[0]
			if r.Reporter != 11 || r.Source != 22 || r.FractionLost != 26 || r.CumulativeLost != 101 || r.HighestSeq != 69778 || r.JitterTicks != 88 {
				t.Errorf("%+v", r)
			}
			want := voice.Seen{Observer: voice.Observer{Via: voice.ViaHEP, Agent: tt.agent, Addr: agentAddr}, At: tt.at, Arrived: arrival, Src: tt.src, Dst: tt.dst}
			if r.Seen != want || string(r.CorrelationID) != tt.id || r.VendorMOS != tt.mos {
				t.Errorf("seen %+v\nwant %+v\n%q, MOS %g", r.Seen, want, r.CorrelationID, r.VendorMOS)
			}
			if stats.Messages != 1 || stats.Reports != 1 || stats.Types[5] != 1 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// TestDialectOfAgent: an override by agent id wins over what the message looks like.
func TestDialectOfAgent(t *testing.T) {
	cfg := Config{Dialects: map[uint32]wire.Dialect{agentID: wire.DialectFreeSWITCH}}
	data := hep3(head(5), chunk32(chunkMicros, 250), text(chunkPayload, rtcpJSON))
	sink, stats := take(t, cfg, data)
	if r := sink.reports[0]; !r.Has.Has(voice.HasLostSince) || r.Has.Has(voice.HasCumulative) || !r.Seen.At.Equal(time.Unix(capturedAt, 250_000_000)) {
		t.Errorf("%+v", r)
	}
	if stats.Dialects["freeswitch"] != 1 {
		t.Errorf("%v", stats.Dialects)
	}
	if _, stats = take(t, Config{}, data); stats.Dialects["rtpengine"] != 1 {
		t.Errorf("%v", stats.Dialects)
	}
}

func TestRefused(t *testing.T) {
	key := Config{Key: inventory.NewSecret("sesame")}
	keyed := func(k string) []byte { return hep3(head(5), text(chunkKey, k), text(chunkPayload, rtcpJSON)) }
	short := message(typeRTCP, rtcpJSON)
	bad := func(chunks ...[]byte) []byte {
		return hep3(head(5), slices.Concat(chunks...), text(chunkPayload, rtcpJSON))
	}
	for name, tt := range map[string]struct {
		cfg    Config
		data   []byte
		reason Reason
		facts  int
	}{
		"nothing":                  {Config{}, nil, NotHEP, 0},
		"noise":                    {Config{}, []byte("GET / HTTP/1.1\r\n\r\n"), NotHEP, 0},
		"EEP1, which nobody sends": {Config{}, []byte("EEP1\x00\x06"), NotHEP, 0},
		"datagram cut short":       {Config{}, short[:len(short)-1], Malformed, 0},
		"total below the header":   {Config{}, []byte("HEP3\x00\x05"), Malformed, 0},
		"chunk below its header":   {Config{}, hep3([]byte{0, 0, 0, 15, 0, 5}), Malformed, 0},
		"chunk beyond the packet":  {Config{}, hep3([]byte{0, 0, 0, 15, 0, 9, 1}), Malformed, 0},
		"half a chunk header":      {Config{}, hep3([]byte{0, 0, 0}), Malformed, 0},
		"IPv4 address of three":    {Config{}, bad(chunk(0, chunkSrc4, 1, 2, 3)), Malformed, 0},
		"IPv6 address of four":     {Config{}, bad(chunk(0, chunkDst6, 1, 2, 3, 4)), Malformed, 0},
		"port of one":              {Config{}, bad(chunk(0, chunkSrcPort, 1)), Malformed, 0},
		"seconds of two":           {Config{}, bad(chunk(0, chunkSeconds, 1, 2)), Malformed, 0},
		"type of two":              {Config{}, bad(chunk(0, chunkProtocol, 0, 5)), Malformed, 0},
		"version 1 cut short":      {Config{}, oldHEP(1, "")[:15], Malformed, 0},
		"version 2 without times":  {Config{}, oldHEP(1, "")[:16:16], NoPayload, 0},
		"version 1, odd family":    {Config{}, []byte{1, 16, 77, 17, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}, NotHEP, 0},
		"no key":                   {key, message(typeRTCP, rtcpJSON), WrongKey, 0},
		"another key":              {key, keyed("simsim"), WrongKey, 0},
		"a longer key":             {key, keyed("sesame "), WrongKey, 0},
		"version 2 has no key":     {key, oldHEP(2, "OPTIONS"), WrongKey, 0},
		"the key":                  {key, keyed("sesame"), reasonCount, 1},
		"a key nobody asked for":   {Config{}, keyed("x"), reasonCount, 1},
		"no payload":               {Config{}, hep3(head(5)), NoPayload, 0},
		"type without payload":     {Config{}, hep3(head(5), chunk(0, chunkPayload)), NoPayload, 0},
		"log":                      {Config{}, message(typeLog, "hello"), Log, 0},
		"Verto":                    {Config{}, message(0x3d, "{}"), Type, 0},
		"SIP without a decoder":    {Config{}, message(typeSIP, "OPTIONS"), Type, 0},
		"JSON that is none":        {Config{}, message(typeRTCP, "{oops"), NotDecoded, 0},
		"no figures":               {Config{}, message(typeRTCP, `{"a":1}`), NoFigures, 0},
		"raw RTCP, no sub-packet":  {Config{}, message(typeRTCP, "\x80\xc8\x00\x63\x00\x00\x00\x00"), NotDecoded, 0},
		"report that is none":      {Config{}, message(typeReport, "MOS=4"), NotDecoded, 0},
		"report without figures":   {Config{}, message(typeReport, `{"TYPE":"x"}`), NotDecoded, 0},
		"IPFIX without figures":    {Config{}, message(typeIPFIX, `{"NAME":"sbc"}`), NotDecoded, 0},
		"not compressed":           {Config{}, hep3(head(5), text(chunkCompressed, "\x78\x9cnot zlib")), Unpack, 0},
		"octets after":             {Config{}, append(message(typeRTCP, rtcpJSON), 1), Longer, 1},
	} {
		t.Run(name, func(t *testing.T) {
			sink, stats := take(t, tt.cfg, tt.data)
			for r := range reasonCount {
				want := uint64(0)
				if r == tt.reason {
					want = 1
				}
				if got := stats.Dropped[r.String()]; got != want {
					t.Errorf("%s: %d, want %d", r, got, want)
				}
			}
			if sink.count() != tt.facts {
				t.Errorf("%d facts, want %d", sink.count(), tt.facts)
			}
		})
	}
}

func packed(t *testing.T, make func(io.Writer) io.WriteCloser, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := make(&b)
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCompressed(t *testing.T) {
	kinds := map[string]func(io.Writer) io.WriteCloser{
		"zlib":    func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f },
	}
	for name, kind := range kinds {
		var sink recorder
		l := bare(Config{}, decoders{}, &sink)
		h := newHandler(l)
		small := packed(t, kind, rtcpJSON)
		bomb := packed(t, kind, strings.Repeat("{", 20<<20))
		for range 2 { // the second time with memory that was used before
			h.message(hep3(head(5), text(chunkCompressed, string(small))), agentAddr, arrival)
			h.message(hep3(head(5), text(chunkCompressed, string(small)+"trailing octets")), agentAddr, arrival)
			h.message(hep3(head(5), text(chunkCompressed, string(bomb))), agentAddr, arrival)
		}
		if s := l.Stats(); len(sink.reports) != 4 || s.Dropped["unpack"] != 2 || s.Dropped["panic"] != 0 {
			t.Errorf("%s: %d reports, %v", name, len(sink.reports), s.Dropped)
		}
	}
}

// TestHooks: SIP and vq-rtcpxr go to their decoders with all that HEP says of the packet, and their facts carry by which way they came.
func TestHooks(t *testing.T) {
	var metas []wire.Meta
	decode := func(meta wire.Meta, data []byte, sink voice.Sink) error {
		metas = append(metas, meta)
		if len(data) == 0 || data[0] == '!' {
			return errors.New("no")
		}
		seen := voice.Seen{At: meta.At, Arrived: meta.At, Observer: voice.Observer{Agent: meta.Agent, Addr: meta.Observer}, Src: meta.From, Dst: meta.To}
		sink.Signal(&voice.Signal{Seen: seen})
		sink.Quality(&voice.Quality{Seen: seen})
		sink.Report(&voice.Report{Seen: seen})
		return nil
	}
	var sink recorder
	l := bare(Config{}, decoders{sip: decode, vq: decode}, &sink)
	h := newHandler(l)
	for _, data := range [][]byte{message(typeSIP, "INVITE"), message(typeVQ, "VQSessionReport"), oldHEP(1, "BYE"), oldHEP(2, "BYE"), message(typeSIP, "!")} {
		h.message(data, agentAddr, arrival)
	}
	full := wire.Meta{At: time.Unix(capturedAt, micros*1000), Agent: agentID, AgentName: "edge", From: src, To: dst, Correlation: callID, Observer: agentAddr}
	v1, v2 := full, full
	v1.At, v1.Agent, v1.AgentName, v1.Correlation = arrival, 0, "", ""
	v2.AgentName, v2.Correlation = "", ""
	if want := []wire.Meta{full, full, v1, v2, full}; !slices.Equal(metas, want) {
		t.Errorf("%+v\nwant %+v", metas, want)
	}
	if len(sink.signals) != 4 || len(sink.qualities) != 4 || len(sink.reports) != 4 || l.Stats().Dropped["not_decoded"] != 1 {
		t.Fatalf("%d signals, %d qualities, %d reports, %v", len(sink.signals), len(sink.qualities), len(sink.reports), l.Stats().Dropped)
	}
	want := voice.Seen{Observer: voice.Observer{Via: voice.ViaHEP, Agent: agentID, Addr: agentAddr}, At: full.At, Arrived: arrival, Src: src, Dst: dst}
	if sink.signals[0].Seen != want || sink.qualities[0].Seen != want || sink.reports[0].Seen != want {
		t.Errorf("%+v", sink.signals[0].Seen)
	}
}

// TestJoined takes SIP and vq-rtcpxr through the decoders of package wire.
func TestJoined(t *testing.T) {
	var sink recorder
	d := NewDecoder(&sink, slog.New(slog.DiscardHandler))
	const invite = "INVITE sip:50622223333@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:50640001111@192.0.2.1>;tag=a\r\n" +
		"To: <sip:50622223333@192.0.2.2>\r\nCall-ID: " + callID + "\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
	d.Message(message(typeSIP, invite), agentAddr, arrival)
	d.Message(oldHEP(2, invite), agentAddr, arrival)
	d.Message(message(typeVQ, "VQSessionReport: CallTerm\r\nCallID: "+callID+"\r\nLocalMetrics:\r\nPacketLoss:NLR=1.5 JDR=0.5\r\nQualityEst:MOSLQ=4.1 MOSCQ=4.0\r\n"), agentAddr, arrival)
	if len(sink.signals) != 2 || len(sink.qualities) != 1 {
		t.Fatalf("%d signals, %d qualities, %v", len(sink.signals), len(sink.qualities), d.Stats().Dropped)
	}
	want := voice.Seen{Observer: voice.Observer{Via: voice.ViaHEP, Agent: agentID, Addr: agentAddr}, At: time.Unix(capturedAt, micros*1000), Arrived: arrival, Src: src, Dst: dst}
	for _, m := range sink.signals {
		if m.Seen != want || m.Method != voice.MethodInvite {
			t.Errorf("%+v", m)
		}
	}
	if q := sink.qualities[0]; q.Seen != want || string(q.CallID) != callID || q.Local.LossPct != 1.5 || string(q.CorrelationID) != callID {
		t.Errorf("%+v", q)
	}
}

func TestReports(t *testing.T) {
	sink, _ := take(t, Config{}, message(typeReport, `{"CORRELATION_ID":"x","RTP_SIP_CALL_ID":"call-7","MOS":"4.10","TOTAL_PK":1500,"PACKET_LOSS":3,"JITTER":17.5,"CODEC_NAME":"PCMA","CODEC_PT":8,"PTIME":20,"TYPE":"PERIODIC"}`))
	q := sink.qualities[0]
	if !q.Vendor || string(q.CallID) != "call-7" || string(q.CorrelationID) != callID || q.Local.Addr != dst || q.Remote.Addr != src {
		t.Errorf("%+v", q)
	}
	if s := q.Local; s.MOSCQ != 4.1 || s.Packets != 1500 || s.Lost != 3 || string(s.Codec) != "PCMA" || s.PayloadType != 8 || s.PtimeMicros != 20000 || s.Has.Has(voice.HasSideJitter) {
		t.Errorf("%+v", s)
	}
	sink, _ = take(t, Config{}, message(typeIPFIX, `{"NAME":"sbc1","INC_MOS":431,"INC_RVAL":9212,"INC_RTP_PK":5000,"INC_RTP_PK_LOSS":12,"OUT_MOS":410,"OUT_RVAL":8300,"OUT_RTP_PK":5001,"OUT_RTP_PK_LOSS":18}`))
	if len(sink.qualities) != 2 {
		t.Fatalf("%d facts", len(sink.qualities))
	}
	in, out := sink.qualities[0].Local, sink.qualities[1].Local
	if in.MOSCQ != 4.31 || in.RCQ != 92.12 || in.Packets != 5000 || in.Lost != 12 || out.MOSCQ != 4.1 || out.RCQ != 83 || out.Lost != 18 || !sink.qualities[0].Vendor {
		t.Errorf("%+v\n%+v", in, out)
	}
	for in, want := range map[float64]float32{4.25: 4.25, 42.5: 4.25, 425: 4.25, 1: 1} {
		if got, ok := normalMOS(in); !ok || got != want {
			t.Errorf("%g: %g, %v", in, got, ok)
		}
	}
	for _, in := range []float64{0, 0.5, 7, 60, 600, -1} {
		if got, ok := normalMOS(in); ok {
			t.Errorf("%g: %g", in, got)
		}
	}
}

// TestFault: a panic costs one message.
func TestFault(t *testing.T) {
	sink := recorder{fail: true}
	l := bare(Config{}, decoders{}, &sink)
	h := newHandler(l)
	h.message(message(typeRTCP, rtcpJSON), agentAddr, arrival)
	h.message(message(typeRTCP, rtcpJSON), agentAddr, arrival)
	if len(sink.reports) != 1 || l.Stats().Dropped["panic"] != 1 {
		t.Errorf("%d reports, %v", len(sink.reports), l.Stats().Dropped)
	}
}
