package wire

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vigia/collectors/voice"
)

const (
	alice = 0xa11ce001
	bob   = 0xb0b00002
	carol = 0xca501003
)

// only clears the fields that have no bit, so that reports can be compared.
func only(r voice.Report) voice.Report {
	out := voice.Report{Has: r.Has}
	pick := func(bits voice.Fields, take func()) {
		if r.Has.Any(bits) {
			take()
		}
	}
	pick(voice.HasReporter, func() { out.Reporter = r.Reporter })
	pick(voice.HasSource, func() { out.Source = r.Source })
	pick(voice.HasCNAME, func() { out.CNAME = r.CNAME })
	pick(voice.HasSenderTime, func() { out.SenderNTP, out.SenderRTP = r.SenderNTP, r.SenderRTP })
	pick(voice.HasSenderCounts, func() { out.SentPackets, out.SentOctets = r.SentPackets, r.SentOctets })
	pick(voice.HasFraction, func() { out.FractionLost = r.FractionLost })
	pick(voice.HasCumulative, func() { out.CumulativeLost = r.CumulativeLost })
	pick(voice.HasLostSince, func() { out.LostSince = r.LostSince })
	pick(voice.HasSequence, func() { out.HighestSeq = r.HighestSeq })
	pick(voice.HasJitter, func() { out.JitterTicks = r.JitterTicks })
	pick(voice.HasLSR, func() { out.LSR, out.DLSR = r.LSR, r.DLSR })
	pick(voice.HasReceiverTime, func() { out.ReceiverNTP = r.ReceiverNTP })
	pick(voice.HasDLRR, func() { out.LRR, out.DLRR = r.LRR, r.DLRR })
	pick(voice.HasVoIP, func() { out.VoIP = r.VoIP })
	pick(voice.HasSummary, func() { out.Summary = r.Summary })
	pick(voice.HasVendorMOS, func() { out.VendorMOS = r.VendorMOS })
	return out
}

func sameReports(t *testing.T, got, want []voice.Report) {
	t.Helper()
	var clean []voice.Report
	for _, r := range got {
		clean = append(clean, only(r))
	}
	if diff := cmp.Diff(want, clean, cmpopts.EquateComparable(voice.Seen{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

const (
	senderBits = voice.HasSenderTime | voice.HasSenderCounts
	blockBits  = voice.HasSource | wireBlock
)

// fromAlice is what an SR of Alice about Bob says.
func fromAlice(more voice.Fields) voice.Report {
	return voice.Report{
		Has: voice.HasReporter | senderBits | blockBits | more, Reporter: alice, Source: bob,
		SenderNTP: 3_998_000_000<<32 | 0x80000000, SenderRTP: 160_000, SentPackets: 1000, SentOctets: 160_000,
		FractionLost: 26, CumulativeLost: 101, HighestSeq: 1<<16 | 4242, JitterTicks: 88, LSR: 0x12345678, DLSR: 65536,
	}
}

func with(r voice.Report, change func(*voice.Report)) voice.Report {
	change(&r)
	return r
}

func TestRTCP(t *testing.T) {
	blockB := rb(bob, 26, 101, 1<<16|4242, 88, 0x12345678, 65536)
	sr := srOf(alice, 3_998_000_000, 0x80000000, 160_000, 1000, 160_000, blockB)
	sdes := sdesOf(alice, "alice@192.0.2.1")
	name := voice.HashName([]byte("alice@192.0.2.1"))
	named := with(fromAlice(voice.HasCNAME), func(r *voice.Report) { r.CNAME = name })
	xr := sub(rtcpXR, 0, u32(alice), voip(bob))
	summary := xrBlock(xrSummary, 0xe8, u32(bob), u16(100, 350), u32(9, 2, 11, 300, 77, 5), []byte{60, 64, 62, 1})
	wantSummary := voice.Summary{
		HasLoss: true, HasDuplicates: true, HasJitter: true, Lost: 9, Duplicates: 2, MinJitter: 11, MaxJitter: 300, MeanJitter: 77, BeginSeq: 100, EndSeq: 350,
	}
	padded := cat(rrOf(alice, blockB), u32(4))
	padded[0] |= 0x20
	padded[3]++
	receiver := with(voice.Report{Has: voice.HasReporter | blockBits, Reporter: alice}, func(r *voice.Report) {
		s := fromAlice(0)
		s.Has, s.SenderNTP, s.SenderRTP, s.SentPackets, s.SentOctets = r.Has, 0, 0, 0, 0
		*r = s
	})
	truncated := srOf(alice, 1, 2, 3, 4, 5)
	truncated[0] |= 3 // claims three blocks and has none

	for name, tt := range map[string]struct {
		data  []byte
		want  []voice.Report
		stats RTCPStats
	}{
		"SR and SDES":       {cat(sr, sdes), []voice.Report{named}, RTCPStats{Reports: 1}},
		"SDES of another":   {cat(sr, sdesOf(carol, "x")), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1}},
		"SR, its SDES last": {cat(sr, sub(204, 0, u32(alice), []byte("APPL")), sdes), []voice.Report{named}, RTCPStats{Reports: 1, Skipped: 1}},
		"SR without blocks": {
			cat(srOf(alice, 3_998_000_000, 0x80000000, 160_000, 1000, 160_000)),
			[]voice.Report{{
				Has: voice.HasReporter | senderBits, Reporter: alice, SenderNTP: 3_998_000_000<<32 | 0x80000000, SenderRTP: 160_000,
				SentPackets: 1000, SentOctets: 160_000,
			}},
			RTCPStats{Reports: 1},
		},
		"SR of a sender without a clock": {
			srOf(alice, 0, 0, 7, 8, 9), []voice.Report{{Has: voice.HasReporter | voice.HasSenderCounts, Reporter: alice, SentPackets: 8, SentOctets: 9}}, RTCPStats{Reports: 1},
		},
		"RR":                    {rrOf(alice, blockB), []voice.Report{receiver}, RTCPStats{Reports: 1}},
		"RR, padded":            {padded, []voice.Report{receiver}, RTCPStats{Reports: 1}},
		"RR without blocks":     {rrOf(alice), []voice.Report{{Has: voice.HasReporter, Reporter: alice}}, RTCPStats{Reports: 1}},
		"profile extension":     {func() []byte { b := rrOf(alice, blockB, u32(1, 2)); b[0] = 0x81; return b }(), []voice.Report{receiver}, RTCPStats{Reports: 1}},
		"cumulative loss of -1": {rrOf(alice, rb(bob, 0, -1, 5, 0, 0, 0)), []voice.Report{{Has: voice.HasReporter | blockBits, Reporter: alice, Source: bob, CumulativeLost: -1, HighestSeq: 5}}, RTCPStats{Reports: 1}},
		"smallest and largest loss": {
			rrOf(alice, rb(bob, 0, -1<<23, 5, 0, 0, 0), rb(carol, 255, 1<<23-1, 6, 0, 0, 0)),
			[]voice.Report{
				{Has: voice.HasReporter | blockBits, Reporter: alice, Source: bob, CumulativeLost: -8388608, HighestSeq: 5},
				{Has: voice.HasReporter | blockBits, Reporter: alice, Source: carol, FractionLost: 255, CumulativeLost: 8388607, HighestSeq: 6},
			},
			RTCPStats{Reports: 2},
		},
		"BYE with the SR":      {cat(sr, sub(rtcpBYE, 1, u32(alice))), []voice.Report{fromAlice(voice.HasBye)}, RTCPStats{Reports: 1}},
		"BYE of another":       {cat(rrOf(alice), sub(rtcpBYE, 2, u32(alice, carol))), []voice.Report{{Has: voice.HasReporter | voice.HasBye, Reporter: alice}, {Has: voice.HasReporter | voice.HasBye, Reporter: carol}}, RTCPStats{Reports: 2}},
		"BYE alone":            {sub(rtcpBYE, 1, u32(alice)), []voice.Report{{Has: voice.HasReporter | voice.HasBye, Reporter: alice}}, RTCPStats{Reports: 1, Reduced: true}},
		"BYE cut short":        {sub(rtcpBYE, 3, u32(alice)), []voice.Report{{Has: voice.HasReporter | voice.HasBye, Reporter: alice}}, RTCPStats{Reports: 1, Reduced: true, Broken: 1}},
		"VoIP metrics":         {cat(sr, sdes, xr), []voice.Report{with(named, func(r *voice.Report) { r.Has |= voice.HasVoIP; r.VoIP = wantVoIP })}, RTCPStats{Reports: 1}},
		"XR before SR":         {cat(xr, sr), []voice.Report{with(fromAlice(voice.HasVoIP), func(r *voice.Report) { r.VoIP = wantVoIP })}, RTCPStats{Reports: 1, Reduced: true}},
		"XR alone":             {xr, []voice.Report{{Has: voice.HasReporter | voice.HasSource | voice.HasVoIP, Reporter: alice, Source: bob, VoIP: wantVoIP}}, RTCPStats{Reports: 1, Reduced: true}},
		"XR about nobody":      {cat(rrOf(alice), sub(rtcpXR, 0, u32(alice), voip(0))), []voice.Report{{Has: voice.HasReporter, Reporter: alice}, {Has: voice.HasReporter | voice.HasSource | voice.HasVoIP, Reporter: alice, VoIP: wantVoIP}}, RTCPStats{Reports: 2}},
		"summary":              {cat(rrOf(alice), sub(rtcpXR, 0, u32(alice), summary)), []voice.Report{{Has: voice.HasReporter, Reporter: alice}, {Has: voice.HasReporter | voice.HasSource | voice.HasSummary, Reporter: alice, Source: bob, Summary: wantSummary}}, RTCPStats{Reports: 2}},
		"receiver time":        {cat(rrOf(alice), sub(rtcpXR, 0, u32(alice), xrBlock(xrReceiverTime, 0, u32(7, 8)))), []voice.Report{{Has: voice.HasReporter | voice.HasReceiverTime, Reporter: alice, ReceiverNTP: 7<<32 | 8}}, RTCPStats{Reports: 1}},
		"receiver time, alone": {sub(rtcpXR, 0, u32(alice), xrBlock(xrReceiverTime, 0, u32(7, 8))), []voice.Report{{Has: voice.HasReporter | voice.HasReceiverTime, Reporter: alice, ReceiverNTP: 7<<32 | 8}}, RTCPStats{Reports: 1, Reduced: true}},
		"DLRR of two": {
			cat(sr, sub(rtcpXR, 0, u32(alice), xrBlock(xrDLRR, 0, u32(bob, 0x1111, 2), u32(carol, 0x3333, 4)))),
			[]voice.Report{
				with(fromAlice(voice.HasDLRR), func(r *voice.Report) { r.LRR, r.DLRR = 0x1111, 2 }),
				{Has: voice.HasReporter | voice.HasSource | voice.HasDLRR, Reporter: alice, Source: carol, LRR: 0x3333, DLRR: 4},
			},
			RTCPStats{Reports: 2},
		},
		"loss RLE skipped":             {cat(sr, sub(rtcpXR, 0, u32(alice), xrBlock(1, 0, u32(bob, 0x00010002, 0x40014002)))), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1, Skipped: 1}},
		"XR block beyond its packet":   {cat(sr, sub(rtcpXR, 0, u32(alice), []byte{7, 0, 0, 8}, u32(bob))), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1, Broken: 1}},
		"VoIP metrics too short":       {cat(sr, sub(rtcpXR, 0, u32(alice), xrBlock(7, 0, u32(bob, 1)))), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1, Broken: 1}},
		"SR without room, then a good": {cat(truncated, rrOf(alice, blockB)), []voice.Report{receiver}, RTCPStats{Reports: 1, Broken: 1}},
		"broken SDES":                  {cat(sr, sub(rtcpSDES, 1, u32(alice), []byte{1, 200, 'a', 'b'})), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1, Broken: 1}},
		"length beyond the datagram":   {cat(sr, sdes, []byte{0x80, 201, 0, 9}, u32(1)), []voice.Report{named}, RTCPStats{Reports: 1, Trailing: 8}},
		"padding too long":             {func() []byte { b := cat(sr, sdes); b[len(sr)] |= 0x20; b[len(b)-1] = 255; return b }(), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1, Broken: 1}},
		"feedback, reduced size":       {cat(sub(206, 1, u32(alice, bob)), rrOf(alice, blockB)), []voice.Report{receiver}, RTCPStats{Reports: 1, Skipped: 1, Reduced: true}},
		"SRTCP":                        {cat(sr, u32(0xdeadbeef, 0x01020304, 0x80000007), make([]byte, 10)), []voice.Report{{Has: voice.HasReporter | voice.Encrypted, Reporter: alice}}, RTCPStats{Reports: 1, Encrypted: true}},
		"SRTCP, index 0 and no more":   {cat(rrOf(alice, blockB), u32(0x80000000), make([]byte, 10)), []voice.Report{{Has: voice.HasReporter | voice.Encrypted, Reporter: alice}}, RTCPStats{Reports: 1, Encrypted: true}},
		"SRTCP with AES-GCM":           {cat(sr, u32(9, 9, 9, 9, 9, 9), u32(0x80000123)), []voice.Report{{Has: voice.HasReporter | voice.Encrypted, Reporter: alice}}, RTCPStats{Reports: 1, Encrypted: true}},
		"SRTCP, only authenticated":    {cat(sr, sdes, u32(0x00000007), make([]byte, 10)), []voice.Report{named}, RTCPStats{Reports: 1, Trailing: 14}},
		"octets that trail":            {cat(sr, []byte{1, 2, 3}), []voice.Report{fromAlice(0)}, RTCPStats{Reports: 1, Trailing: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			var d RTCPDecoder
			var sink recorder
			d.Begin(testSeen, []byte("call"))
			d.report.CNAME, d.report.VoIP.RFactor = 99, 99 // of an earlier packet
			stats, err := d.Decode(tt.data, &sink)
			if err != nil {
				t.Fatal(err)
			}
			if stats != tt.stats {
				t.Errorf("stats %+v, want %+v", stats, tt.stats)
			}
			sameReports(t, sink.reports, tt.want)
			for _, r := range sink.reports {
				if r.Seen != testSeen || string(r.CorrelationID) != "call" {
					t.Errorf("seen %+v, correlation %q", r.Seen, r.CorrelationID)
				}
			}
		})
	}
}

func TestRTCPRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":      {nil, ErrNotRTCP},
		"four octets":  {[]byte{0x80, 200, 0, 0}, ErrNotRTCP},
		"RTP":          {make([]byte, 172), ErrNotRTCP},
		"RTP, PCMU":    {append([]byte{0x80, 0}, make([]byte, 170)...), ErrNotRTCP},
		"STUN":         {append([]byte{0, 1, 0, 0x40}, make([]byte, 20)...), ErrNotRTCP},
		"too long":     {[]byte{0x80, 200, 0, 99, 1, 2, 3, 4}, ErrRTCPEmpty},
		"only padding": {[]byte{0xa0, 201, 0, 1, 1, 2, 3, 9}, ErrRTCPEmpty},
	} {
		var sink recorder
		if stats, err := RTCP(Meta{}, tt.data, &sink); !errors.Is(err, tt.want) || len(sink.reports) != 0 || stats.Reports != 0 {
			t.Errorf("%s: %v, %d reports, want %v", name, err, len(sink.reports), tt.want)
		}
	}
}

// TestRTCPBounds: a packet of nothing but sub-packets, or XR blocks, is read up to the limits, and what is beyond them is counted.
func TestRTCPBounds(t *testing.T) {
	var many, xr [][]byte
	for range 1000 {
		many = append(many, rrOf(alice))
		xr = append(xr, voip(bob))
	}
	var sink recorder
	stats, err := RTCP(Meta{}, cat(many...), &sink)
	if err != nil || stats.Reports != maxRTCPParts || stats.Excess == 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	sink = recorder{}
	stats, err = RTCP(Meta{Correlation: "x", At: testSeen.At}, sub(rtcpXR, 0, u32(alice), cat(xr...)), &sink)
	if err != nil || stats.Reports != 1 || stats.Excess != 1000-maxXRParts {
		t.Errorf("%+v, %v", stats, err)
	}
	if r := sink.reports[0]; string(r.CorrelationID) != "x" || !r.Seen.At.Equal(testSeen.At) || !r.Seen.Arrived.Equal(testSeen.At) {
		t.Errorf("%+v", r)
	}
}

func TestHashName(t *testing.T) {
	for _, name := range []string{"", "a", "alice@192.0.2.1", "\x00\xff"} {
		if got, want := hashName([]byte(name)), voice.HashName([]byte(name)); got != want {
			t.Errorf("%q: %x, want %x", name, got, want)
		}
	}
}
