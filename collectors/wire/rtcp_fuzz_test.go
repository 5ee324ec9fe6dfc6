package wire

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pion/rtcp"

	"vigia/collectors/voice"
)

// FuzzRTCP holds the decoder against pion/rtcp: whatever pion reads as SR or RR, sub-packet by sub-packet, must come out with the same figures.
func FuzzRTCP(f *testing.F) {
	block := rb(bob, 26, -101, 1<<16|4242, 88, 0x12345678, 65536)
	sr := srOf(alice, 3_998_000_000, 0x80000000, 160_000, 1000, 160_000, block)
	f.Add(cat(sr, sdesOf(alice, "alice@192.0.2.1")))
	f.Add(cat(rrOf(alice, block, rb(carol, 255, 1, 2, 3, 4, 5)), sub(rtcpBYE, 1, u32(alice))))
	f.Add(cat(sr, sub(rtcpXR, 0, u32(alice), voip(bob), xrBlock(xrDLRR, 0, u32(bob, 1, 2)), xrBlock(xrReceiverTime, 0, u32(3, 4)))))
	f.Add(cat(sr, u32(1, 2, 0x80000001), make([]byte, 10)))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var d RTCPDecoder
		var sink recorder
		stats, err := d.Decode(data, &sink)
		if !bytes.Equal(before, data) {
			t.Fatal("the packet was changed")
		}
		if stats.Reports != len(sink.reports) {
			t.Fatalf("%d reports, counted %d", len(sink.reports), stats.Reports)
		}
		if err != nil || stats.Encrypted || stats.Excess > 0 {
			return
		}
		var got []voice.Report
		for _, r := range sink.reports {
			if r.Has.Any(voice.HasBlock | voice.HasSenderTime | voice.HasSenderCounts) {
				got = append(got, plainReport(r))
			}
		}
		if want := pionReports(&d); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

// plainReport keeps the fields of SR and RR.
func plainReport(r voice.Report) voice.Report {
	r.Has &= voice.HasReporter | senderBits | blockBits
	if !r.Has.Any(voice.HasBlock) {
		r.Has &^= voice.HasSource
	}
	return only(r)
}

// pionReports reads the sub-packets that were told apart with pion.
func pionReports(d *RTCPDecoder) (out []voice.Report) {
	for _, p := range d.parts[:d.count] {
		part := bytes.Clone(p.data)
		part[0] &^= 0x20 // the padding is off
		n := len(part) &^ 3
		part = part[:n]
		part[2], part[3] = byte((n/4-1)>>8), byte(n/4-1)
		switch p.kind {
		case rtcpSR:
			var sr rtcp.SenderReport
			if sr.Unmarshal(part) == nil {
				r := voice.Report{Has: voice.HasReporter | senderBits, Reporter: sr.SSRC, SenderNTP: sr.NTPTime, SenderRTP: sr.RTPTime, SentPackets: sr.PacketCount, SentOctets: sr.OctetCount}
				if sr.NTPTime == 0 {
					r.Has, r.SenderRTP = voice.HasReporter|voice.HasSenderCounts, 0
				}
				out = append(out, pionBlocks(r, sr.Reports)...)
			}
		case rtcpRR:
			var rr rtcp.ReceiverReport
			if rr.Unmarshal(part) == nil && len(rr.Reports) > 0 {
				out = append(out, pionBlocks(voice.Report{Has: voice.HasReporter, Reporter: rr.SSRC}, rr.Reports)...)
			}
		}
	}
	return out
}

func pionBlocks(r voice.Report, blocks []rtcp.ReceptionReport) (out []voice.Report) {
	if len(blocks) == 0 {
		return []voice.Report{r}
	}
	for _, b := range blocks {
		n := r
		n.Has |= blockBits
		n.Source, n.FractionLost, n.CumulativeLost = b.SSRC, b.FractionLost, int32(b.TotalLost<<8)>>8
		n.HighestSeq, n.JitterTicks, n.LSR, n.DLSR = b.LastSequenceNumber, b.Jitter, b.LastSenderReport, b.Delay
		out = append(out, n)
	}
	return out
}

// TestXRLikePion holds the XR blocks against pion.
func TestXRLikePion(t *testing.T) {
	data := sub(rtcpXR, 0, u32(alice), voip(bob), xrBlock(xrSummary, 0xe0, u32(carol), u16(100, 350), u32(9, 2, 11, 300, 77, 5), u32(0)), xrBlock(xrReceiverTime, 0, u32(3, 4)))
	var x rtcp.ExtendedReport
	if err := x.Unmarshal(data); err != nil {
		t.Fatal(err)
	}
	var sink recorder
	if _, err := RTCP(Meta{}, data, &sink); err != nil {
		t.Fatal(err)
	}
	v, s := x.Reports[0].(*rtcp.VoIPMetricsReportBlock), x.Reports[1].(*rtcp.StatisticsSummaryReportBlock)
	got := sink.reports[0].VoIP
	want := voice.VoIPMetrics{
		LossRate: v.LossRate, DiscardRate: v.DiscardRate, BurstDensity: v.BurstDensity, GapDensity: v.GapDensity, BurstMS: v.BurstDuration, GapMS: v.GapDuration,
		RoundTripMS: v.RoundTripDelay, EndSystemMS: v.EndSystemDelay, SignalDBm0: int8(v.SignalLevel), NoiseDBm0: int8(v.NoiseLevel), RERL: v.RERL, Gmin: v.Gmin,
		RFactor: v.RFactor, ExternalR: v.ExtRFactor, MOSLQ: v.MOSLQ, MOSCQ: v.MOSCQ, RXConfig: v.RXConfig, BufferNominalMS: v.JBNominal, BufferMaxMS: v.JBMaximum, BufferAbsMaxMS: v.JBAbsMax,
	}
	if got != want {
		t.Errorf("VoIP metrics %+v, want %+v", got, want)
	}
	if sum := sink.reports[1].Summary; sum.Lost != s.LostPackets || sum.Duplicates != s.DupPackets || sum.MinJitter != s.MinJitter || sum.MaxJitter != s.MaxJitter ||
		sum.MeanJitter != s.MeanJitter || sum.BeginSeq != s.BeginSeq || sum.EndSeq != s.EndSeq || !sum.HasLoss || !sum.HasDuplicates || !sum.HasJitter {
		t.Errorf("summary %+v, want %+v", sum, s)
	}
	if at := x.Reports[2].(*rtcp.ReceiverReferenceTimeReportBlock).NTPTimestamp; sink.reports[0].ReceiverNTP != at {
		t.Errorf("receiver time %x, want %x", sink.reports[0].ReceiverNTP, at)
	}
}

// FuzzRTCPJSON holds the scan against encoding/json: whatever is JSON without escapes must read the same from its tokens.
func FuzzRTCPJSON(f *testing.F) {
	for _, s := range []string{fromRTPEngine, fromCaptagent, fromHeplify, fromHeplifyRR, fromHeplify2XR, fromAsterisk, fromHepipe, fromCaptagentXR, fromCaptagentXR + "}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var d JSONDecoder
		var sink recorder
		stats, err := d.Decode(data, DialectAuto, &sink)
		if !bytes.Equal(before, data) {
			t.Fatal("the message was changed")
		}
		if stats.Reports != len(sink.reports) || err != nil && stats.Reports > 0 {
			t.Fatalf("%d reports, counted %d, %v", len(sink.reports), stats.Reports, err)
		}
		if !json.Valid(data) || !utf8.Valid(data) || bytes.IndexByte(data, '\\') >= 0 || len(data) > maxRTCPJSON {
			return
		}
		var got, want rtcpJSON
		for _, other := range []string{fromRTPEngine, fromHeplify2XR} { // what was learned from others must change nothing
			got.read(&jsonScan{data: []byte(other)})
		}
		got.blocks, got.cname, got.chunk = [maxJSONBlocks]jsonBlock{}, nil, 0
		got.ntpSec, got.ntpFrac, got.rtp, got.packets, got.octet, got.ssrc, got.kind, got.count, got.sdes = 0, 0, 0, 0, 0, 0, 0, 0, 0
		scan := jsonScan{data: data}
		if ok := got.read(&scan); ok != (strings.TrimLeft(string(data), " \t\r\n")[0] == '{') {
			t.Fatalf("read: %v", ok)
		} else if !ok {
			return
		}
		reference(data, &want)
		clearJSON(&got)
		clearJSON(&want)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

// clearJSON removes what has no bit, and the metrics, which TestRTCPJSON covers.
func clearJSON(m *rtcpJSON) {
	m.has &^= jsonXR | jsonXRKey | jsonMetrics
	m.xr, m.xrSource = voice.VoIPMetrics{}, 0
	m.outer, m.inner, m.text = memberValues{}, memberValues{}, nil
	m.order = [kinds]memberOrder{}
	for i := range m.blocks {
		b := &m.blocks[i]
		if i >= m.n {
			b.has = 0
		}
		for member := range b.value {
			if b.has>>member&1 == 0 {
				b.value[member] = 0
			}
		}
	}
}

// member is one key and its value: any of json.Number, string, bool, nil, []any, members.
type (
	member struct {
		key   string
		value any
	}
	members []member
)

func ordered(dec *json.Decoder) any {
	t, err := dec.Token()
	if err != nil {
		return nil
	}
	switch t {
	case json.Delim('{'):
		out := members{}
		for dec.More() {
			k, _ := dec.Token()
			out = append(out, member{k.(string), ordered(dec)})
		}
		_, _ = dec.Token()
		return out
	case json.Delim('['):
		out := []any{}
		for dec.More() {
			out = append(out, ordered(dec))
		}
		_, _ = dec.Token()
		return out
	}
	return t
}

func refNumber(v any) (n int64, quoted, ok bool) {
	switch v := v.(type) {
	case json.Number:
		n, ok = integer([]byte(v))
		return n, false, ok
	case string:
		n, ok = integer([]byte(v))
		return n, true, ok
	}
	return 0, false, false
}

// reference reads a message from encoding/json's tokens.
func reference(data []byte, m *rtcpJSON) {
	dec := json.NewDecoder(io.Reader(bytes.NewReader(data)))
	dec.UseNumber()
	put := func(v any, to *int64, bit jsonHas) {
		if n, quoted, ok := refNumber(v); ok {
			*to = n
			m.has |= bit
			if bit == jsonNTPSec && quoted {
				m.has |= jsonQuoted
			}
		}
	}
	top, _ := ordered(dec).(members)
	for _, e := range top {
		switch e.key {
		case "sender_information":
			inner, _ := e.value.(members)
			for _, s := range inner {
				switch s.key {
				case "ntp_timestamp_sec":
					put(s.value, &m.ntpSec, jsonNTPSec)
				case "ntp_timestamp_usec":
					put(s.value, &m.ntpFrac, jsonNTPFrac)
				case "rtp_timestamp":
					put(s.value, &m.rtp, jsonRTP)
				case "packets":
					put(s.value, &m.packets, jsonPackets)
				case "octets":
					put(s.value, &m.octet, jsonOctets)
				}
			}
		case "ssrc":
			put(e.value, &m.ssrc, jsonSSRC)
		case "type":
			put(e.value, &m.kind, jsonType)
		case "report_count":
			put(e.value, &m.count, jsonCount)
		case "sdes_ssrc":
			put(e.value, &m.sdes, jsonSDES)
		case "report_blocks":
			list, _ := e.value.([]any)
			refBlocks(m, list)
		case "sdes_information":
			list, _ := e.value.([]any)
			refSources(m, list)
		}
	}
}

func refBlocks(m *rtcpJSON, list []any) {
	for _, e := range list {
		if m.n == maxJSONBlocks {
			m.has |= jsonExcess
			continue
		}
		b := &m.blocks[m.n]
		*b = jsonBlock{}
		inner, _ := e.(members)
		for _, f := range inner {
			i := blockNames.index(f.key)
			if n, _, ok := refNumber(f.value); ok && i != unknownMember {
				b.value[i] = n
				b.has |= 1 << i
			}
		}
		if b.has != 0 {
			m.n++
		}
	}
}

func refSources(m *rtcpJSON, list []any) {
	for _, e := range list {
		inner, _ := e.(members)
		var kind, chunk int64
		var text string
		var of bool
		for _, f := range inner {
			switch s, isText := f.value.(string); {
			case f.key == "type":
				kind, _, _ = refNumber(f.value)
			case f.key == "sdes_chunk_ssrc":
				chunk, _, of = refNumber(f.value)
			case f.key == "text" && isText:
				text = s
			}
		}
		if of {
			m.has |= jsonChunk
		}
		if kind == 1 && text != "" && m.has&jsonCNAME == 0 {
			m.has |= jsonCNAME
			m.cname, m.chunk = []byte(text), -1
			if of {
				m.chunk = chunk
			}
		}
	}
}
