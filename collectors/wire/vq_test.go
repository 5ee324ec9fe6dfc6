package wire

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"vigia/collectors/voice"
)

// publish wraps a report as a phone does.
func publish(body string) string {
	return withBody("PUBLISH sip:collector@192.0.2.50:5063 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.139;branch=z9hG4bKp\nFrom: <sip:201@pbx.example>;tag=1\n"+
		"To: <sip:collector@192.0.2.50>\nCall-ID: publish-1\nCSeq: 1 PUBLISH\nEvent: vq-rtcpxr\nUser-Agent: Phone/1.0\nContent-Type: application/vq-rtcpxr\n", body)
}

// The reports below are written from the descriptions of what phones send; none was recorded.
var (
	standard = `VQSessionReport: CallTerm
CallID: 6dg37f1890463@10.0.0.5
LocalID: Alice <sip:alice@example.org>
RemoteID: "Bill" <sip:bill@example.net;user=phone>
OrigID: Alice <sip:alice@example.org>
LocalGroup: example-phone-55671
LocalAddr: IP=10.10.1.100 PORT=5000 SSRC=0x1a3b5c7d
RemoteAddr: IP=[2001:db8::7] PORT=5002 SSRC=0x2468ace0
LocalMAC: 00:11:22:33:44:55
LocalMetrics:
Timestamps:START=2026-10-10T18:23:43Z STOP=2026-10-01T18:26:02.250+01:00
SessionDesc:PT=18 PD=G729 SR=8000 FD=20 FO=20 FPP=2 PPS=25 FMTP="annexb=no; x=y" PLC=3 SSUP=on
JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120
PacketLoss:NLR=5.0 JDR=2.5
BurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16
Delay:RTD=200 ESD=140 SOWD=200 IAJ=2 MAJ=10
Signal:SL=-18 NL=-50 RERL=55
QualityEst:RLQ=90 RCQ=85 EXTRI=90 MOSLQ=4.2 MOSCQ=4.1
 QoEEstAlg=P.564
RemoteMetrics:
JitterBuffer:JBA=3 JBN=10
PacketLoss:NLR=1.0 JDR=0
QualityEst:RLQ=127 MOSLQ=3.9
DialogID: 38419823470834;to-tag=8472761;from-tag=9123dh311
`
	polycom = publish(`VQSessionReport
LocalMetrics:
CallID:call-1
FromID:"202" <sip:202@pbx.example>
ToID:<sip:201@pbx.example>
LocalAddr:IP= 10.0.0.139 PORT= 2226 SSRC= 305419896
RemoteAddr:IP= PORT=0 SSRC=0
TimeStamps:START=2026-11-01T10:00:00Z STOP=2026-11-01T10:01:00Z
SessionDesc:PT=8 PD=G.711 A-Law SR=8000 FD=20 FPP=1 PPS=50 SSUP=off
JitterBuffer:JBA=3 JBR=0 JBN=220 JBM=230 JBX=160
PacketLoss:NLR=0.1 JDR=0.0
Delay:RTD=0 ESD=60 OWD=0 IAJ=1
Signal:RERL=127
QualityEst:MOSLQ=4.1 MOSCQ=0
DialogID:dialog-9;to-tag=t;from-tag=f
`)
)

func qualityOf(t *testing.T, text string) voice.Quality {
	t.Helper()
	var k keeper
	if err := VQ(testMeta, []byte(text), &k); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(k.qualities) != 1 || len(k.signals) != 0 {
		t.Fatalf("%d qualities, %d signals", len(k.qualities), len(k.signals))
	}
	return k.qualities[0]
}

func TestVQStandard(t *testing.T) {
	for name, text := range map[string]string{"LF": standard, "CRLF": crlf(standard), "no last line end": strings.TrimSpace(standard), "published": publish(standard)} {
		q := qualityOf(t, text)
		got := fmt.Sprintf("%d %s %s/%s %s@%s %s@%s %s %s|%s %s", q.Kind, q.CallID, q.FromTag, q.ToTag, q.LocalUser, q.LocalHost, q.RemoteUser, q.RemoteHost,
			q.Start.Format(time.RFC3339), q.Stop.Format(time.RFC3339Nano), q.Local.Addr, q.Remote.Addr)
		want := "1 6dg37f1890463@10.0.0.5 9123dh311/8472761 alice@example.org bill@example.net 2026-10-10T18:23:43Z 2026-10-01T17:26:02.25Z|10.10.1.100:5000 [2001:db8::7]:5002"
		if got != want {
			t.Errorf("%s: got\n%s, want\n%s", name, got, want)
		}
		local := q.Local
		local.Addr, local.Codec = testMeta.From, nil
		if want := (voice.Side{
			Has: voice.HasSidePackets - 1, Addr: testMeta.From, SSRC: 0x1a3b5c7d, PayloadType: 18, ClockHz: 8000, PtimeMicros: 40000, PLC: 3,
			BufferMode: 3, BufferNominalMS: 40, BufferMaxMS: 80, BufferAbsMaxMS: 120, LossPct: 5, DiscardPct: 2.5, GapPct: 2, GapMS: 500,
			RoundTripMS: 200, EndSystemMS: 140, OneWayMS: 200, JitterMS: 2, SignalDBm0: -18, NoiseDBm0: -50, RERLDB: 55, RLQ: 90, RCQ: 85, MOSLQ: 4.2, MOSCQ: 4.1,
		}); fmt.Sprintf("%+v", local) != fmt.Sprintf("%+v", want) || string(q.Local.Codec) != "G729" {
			t.Errorf("%s: local, codec %q:\n%+v, want\n%+v", name, q.Local.Codec, local, want)
		}
		wantHas := voice.HasSideSSRC | voice.HasSideBufferMode | voice.HasSideBufferNominal | voice.HasSideLoss | voice.HasSideDiscard | voice.HasSideMOSLQ
		if r := q.Remote; r.Has != wantHas || r.LossPct != 1 || r.BufferNominalMS != 10 || r.MOSLQ != 3.9 || r.SSRC != 0x2468ace0 {
			t.Errorf("%s: remote %+v", name, r)
		}
	}
}

func TestVQPolycom(t *testing.T) {
	q := qualityOf(t, polycom)
	got := fmt.Sprintf("%s %s %s %s %s|%s %d %t %s|%d %d %d", q.CallID, q.LocalUser, q.RemoteUser, q.FromTag, q.UserAgent, q.Local.Addr, q.Local.SSRC, q.Remote.Addr.IsValid(),
		q.Local.Codec, q.Local.BufferNominalMS, q.Local.BufferAbsMaxMS, q.Local.PtimeMicros)
	if want := "call-1 201 202 f Phone/1.0|10.0.0.139:2226 305419896 false G.711 A-Law|220 160 20000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if missing := voice.HasSideRoundTrip | voice.HasSideOneWay | voice.HasSideRERL | voice.HasSideMOSCQ | voice.HasSideSignal; q.Local.Has&missing != 0 {
		t.Errorf("has %b, of it wrongly %b", q.Local.Has, q.Local.Has&missing)
	}
	if !q.Local.Has.Has(voice.HasSideEndSystem|voice.HasSideJitter|voice.HasSideMOSLQ|voice.HasSideLoss) || q.Remote.Has != 0 {
		t.Errorf("local %b, remote %b", q.Local.Has, q.Remote.Has)
	}
}

// TestVQQuirks: what each maker does differently.
func TestVQQuirks(t *testing.T) {
	const start = "VQSessionReport: CallTerm\n"
	type get func(*voice.Quality) any
	local := func(f func(*voice.Side) any) get { return func(q *voice.Quality) any { return f(&q.Local) } }
	has := func(bits voice.SideFields) get { return func(q *voice.Quality) any { return q.Local.Has & bits } }
	codec := local(func(s *voice.Side) any { return string(s.Codec) })
	callID := get(func(q *voice.Quality) any { return string(q.CallID) })
	for name, c := range map[string]struct {
		text string
		of   get
		want any
	}{
		"Polycom alert, kind":             {"VQAlertReport:\nType=OWD Severity=Critical Dir=local\nMetrics:\nDelay:OWD=900\n", func(q *voice.Quality) any { return q.Kind }, voice.QualityAlert},
		"Polycom alert, figures":          {"VQAlertReport:\nType=OWD Severity=Critical Dir=local\nMetrics:\nDelay:OWD=900\n", local(func(s *voice.Side) any { return s.OneWayMS }), float32(900)},
		"alert about the remote side":     {"VQAlertReport: Type=NLR Severity=Warning Dir=remote\nMetrics:\nPacketLoss:NLR=7\n", func(q *voice.Quality) any { return q.Remote.LossPct }, float32(7)},
		"Yealink, kind":                   {"VQIntervalReport: CallTerm\nLocalMetrics:\nCallID:in@metrics\n", func(q *voice.Quality) any { return q.Kind }, voice.QualityInterval},
		"Yealink, CallID in LocalMetrics": {"VQIntervalReport: CallTerm\nLocalMetrics:\nCallID:in@metrics\n", callID, "in@metrics"},
		"Yealink, SSRC of nobody":         {start + "RemoteAddr:IP=192.0.2.7 PORT=4000 SSRC=0x00000000\n", func(q *voice.Quality) any { return q.Remote.Has }, voice.SideFields(0)},
		"Yealink, SL=127":                 {start + "Signal:SL=127 NL=127 RERL=127\n", has(voice.HasSideSignal | voice.HasSideNoise | voice.HasSideRERL), voice.SideFields(0)},
		"Snom, no blank":                  {start + "JitterBuffer:JBA=2 JBN=10 JBM=20JBX=240\n", local(func(s *voice.Side) any { return [2]uint16{s.BufferMaxMS, s.BufferAbsMaxMS} }), [2]uint16{20, 240}},
		"Snom, FromID":                    {start + "FromID:<sip:snom@pbx>\nToID:<sip:other@pbx>\n", func(q *voice.Quality) any { return string(q.LocalUser) + ">" + string(q.RemoteUser) }, "snom>other"},
		"Snom, x-UserAgent":               {start + "x-UserAgent:snom320\nx-SIPterm:SDC=OK SDT=21 SDR=AN\n", func(q *voice.Quality) any { return string(q.UserAgent) }, "snom320"},
		"Snom, empty IP":                  {start + "LocalAddr:IP= PORT=4000 SSRC=0x11\n", local(func(s *voice.Side) any { return fmt.Sprint(s.Addr.IsValid(), s.SSRC) }), "false 17"},
		"Snom, remote all zero": {
			start + "RemoteMetrics:\nJitterBuffer:JBN=10\nPacketLoss:NLR=0.0 JDR=0.0\nDelay:RTD=0 IAJ=0\nQualityEst:MOSLQ=0.0\n",
			func(q *voice.Quality) any { return q.Remote.Has }, voice.HasSideBufferNominal,
		},
		"Snom, clock of 2000": {start + "Timestamps:START=2000-01-01T00:00:10Z STOP=2000-01-01T00:01:10Z\n", func(q *voice.Quality) any { return q.Stop.Sub(q.Start) }, time.Minute},
		"AudioCodes, CallID=": {"VQSessionReport\nCallID=abc=d@10.0.0.1:5060\n", callID, "abc=d@10.0.0.1:5060"},
		"AudioCodes, Port=":   {start + "LocalAddr:IP=192.0.2.1 Port=4000 SSRC=0xABCDEF01\n", local(func(s *voice.Side) any { return s.Addr.Port() }), uint16(4000)},
		"Grandstream, FD without FPP": {
			start + "SessionDesc:PT=0 PD=PCMU SR=8000 FD=10\n", has(voice.HasSidePtime | voice.HasSidePayloadType),
			voice.HasSidePayloadType,
		},
		"Grandstream, MOS of three digits":       {start + "QualityEst:MOSLQ=4.400 MOSCQ=4,35\n", local(func(s *voice.Side) any { return [2]float32{s.MOSLQ, s.MOSCQ} }), [2]float32{4.4, 4.35}},
		"Cisco, only two figures":                {start + "QualityEst:MOSLQ=3.6 RLQ=71\n", func(q *voice.Quality) any { return q.Local.Has }, voice.HasSideMOSLQ | voice.HasSideRLQ},
		"ShoreTel, keys of its own":              {start + "PacketLoss:NLR=1.5 WNLR=9 JDR=0 WJDR=9 PayloadEncryptionType=0\n", local(func(s *voice.Side) any { return [2]float32{s.LossPct, s.DiscardPct} }), [2]float32{1.5, 0}},
		"ShoreTel, RTD and WRTD":                 {start + "Delay:WRTD=900 RTD=30 WIAJ=99 IAJ=3\n", local(func(s *voice.Side) any { return [2]float32{s.RoundTripMS, s.JitterMS} }), [2]float32{30, 3}},
		"RingCentral, no times":                  {start + "Timestamps:START=0 STOP=0\n", func(q *voice.Quality) any { return q.Start.IsZero() && q.Stop.IsZero() }, true},
		"RingCentral, PT=0 of opus":              {start + "SessionDesc:PT=0 PD=opus SR=48000\n", has(voice.HasSidePayloadType), voice.SideFields(0)},
		"RingCentral, nothing measured":          {start + "PacketLoss:NLR=0 JDR=0\nDelay:RTD=0 ESD=0 IAJ=0\nQualityEst:MOSLQ=0.0 MOSCQ=0.0\n", func(q *voice.Quality) any { return q.Local.Has }, voice.SideFields(0)},
		"a perfect call is not nothing":          {start + "PacketLoss:NLR=0 JDR=0\nDelay:IAJ=0\nQualityEst:MOSLQ=4.4\n", has(voice.HasSideLoss | voice.HasSideJitter), voice.HasSideLoss | voice.HasSideJitter},
		"reaper, colons":                         {start + "LocalAddr:IP:192.168.1.55 PORT:30539 SSRC:0x30286739\n", local(func(s *voice.Side) any { return fmt.Sprint(s.Addr, s.SSRC) }), "192.168.1.55:30539 807954233"},
		"reaper, fraction":                       {start + "Timestamps:START=2026-11-01T10:00:00.5Z\n", func(q *voice.Quality) any { return q.Start.Nanosecond() }, 500_000_000},
		"compact time":                           {start + "Timestamps:START=20261101T100000Z\n", func(q *voice.Quality) any { return q.Start.Format(time.RFC3339) }, "2026-11-01T10:00:00Z"},
		"Linphone, decimal SSRC":                 {start + "LocalAddr:IP=192.0.2.1 PORT=7078 SSRC=2863311530\n", local(func(s *voice.Side) any { return s.SSRC }), uint32(2863311530)},
		"SSRC in letters":                        {start + "LocalAddr:IP=192.0.2.1 PORT=7078 SSRC=1a2b3c4d\n", local(func(s *voice.Side) any { return s.SSRC }), uint32(0x1a2b3c4d)},
		"SSRC too long":                          {start + "LocalAddr:IP=192.0.2.1 PORT=7078 SSRC=0x1a2b3c4d5\n", has(voice.HasSideSSRC), voice.SideFields(0)},
		"Linphone, FMTP quoted":                  {start + "SessionDesc:PT=96 PD=opus SR=48000 FMTP=\"useinbandfec=1; PD=no\" PLC=3\n", codec, "opus"},
		"quoted PD":                              {start + "SessionDesc:PD=\"G.711 u\" PT=0\n", codec, "G.711 u"},
		"CallID only in DialogID":                {start + "DialogID:only@here;to-tag=a;from-tag=b\n", callID, "only@here"},
		"blanks around the equals sign":          {start + "PacketLoss : NLR = 3.5 JDR =1\n", local(func(s *voice.Side) any { return [2]float32{s.LossPct, s.DiscardPct} }), [2]float32{3.5, 1}},
		"units":                                  {start + "Delay:RTD=35ms IAJ=4 ms\n", local(func(s *voice.Side) any { return [2]float32{s.RoundTripMS, s.JitterMS} }), [2]float32{35, 4}},
		"no number":                              {start + "PacketLoss:NLR=nan JDR=\n", has(voice.HasSideLoss | voice.HasSideDiscard), voice.SideFields(0)},
		"a burst needs both figures":             {start + "BurstGapLoss:BLD=3 GLD=1 GD=65535\n", has(voice.HasSideBurst | voice.HasSideGap), voice.HasSideGap},
		"section names in any case, with blanks": {start + "LOCAL METRICS:\nPacket Loss:NLR=2\n", local(func(s *voice.Side) any { return s.LossPct }), float32(2)},
		"folded":                                 {start + "PacketLoss:NLR=2\n JDR=3\n", local(func(s *voice.Side) any { return s.DiscardPct }), float32(3)},
		"number without scheme":                  {start + "LocalID:5550@pbx\n", func(q *voice.Quality) any { return string(q.LocalUser) }, "5550"},
		"control octets":                         {start + "CallID:a\x1b\x00b\n", callID, "a??b"},
		"jitter buffer beyond 16 bits":           {start + "JitterBuffer:JBA=1 JBX=99999 JBN=-1\n", local(func(s *voice.Side) any { return fmt.Sprint(s.BufferAbsMaxMS, s.BufferNominalMS, s.Has) }), fmt.Sprint(65535, 0, voice.HasSideBufferAbsMax|voice.HasSideBufferNominal)},
	} {
		q := qualityOf(t, c.text)
		if got := c.of(&q); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestVQSeveralReports(t *testing.T) {
	var k keeper
	text := "VQIntervalReport\nCallID:a\nPacketLoss:NLR=1\nVQIntervalReport\nCallID:b\nPacketLoss:NLR=0\nQualityEst:MOSLQ=4\n"
	if err := VQ(testMeta, []byte(text), &k); err != nil || len(k.qualities) != 2 {
		t.Fatalf("%v, %d reports", err, len(k.qualities))
	}
	if a, b := k.qualities[0], k.qualities[1]; string(a.CallID)+string(b.CallID) != "ab" || a.Local.LossPct != 1 || b.Local.LossPct != 0 || a.Local.Has.Has(voice.HasSideMOSLQ) {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func TestVQRefused(t *testing.T) {
	for text, want := range map[string]error{
		"": ErrNotVQ, "PacketLoss:NLR=1\n": ErrNotVQ, "\x80\xc9\x00\x07": ErrNotVQ, publish("Hello: World\n"): ErrNotVQ, "VQ\n": ErrNotVQ,
		"PUBLISH sip:x SIP/2.0\r\n\r\n": ErrNoCall,
	} {
		var k keeper
		if err := VQ(testMeta, []byte(text), &k); !errors.Is(err, want) || len(k.qualities) > 0 {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

func FuzzVQ(f *testing.F) {
	f.Add([]byte(standard))
	f.Add([]byte(polycom))
	f.Add([]byte("VQAlertReport: Type=X Dir=remote\nMetrics:\nLocalAddr:IP:1.2.3.4 PORT:5\nDelay:RTD=1JBX=2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var k keeper
		if err := VQ(testMeta, data, &k); err != nil {
			return
		}
		for _, q := range k.qualities {
			for _, text := range [][]byte{q.CallID, q.LocalUser, q.LocalHost, q.RemoteUser, q.RemoteHost, q.UserAgent, q.Local.Codec, q.Remote.Codec, q.FromTag, q.ToTag} {
				if !utf8.Valid(text) || strings.ContainsAny(string(text), "\r\n\x00\x1b") || len(text) > maxID {
					t.Errorf("text is not tidy: %q", text)
				}
			}
			for _, s := range []voice.Side{q.Local, q.Remote} {
				for _, n := range []float32{s.LossPct, s.DiscardPct, s.BurstPct, s.GapPct, s.RoundTripMS, s.EndSystemMS, s.OneWayMS, s.JitterMS, s.RLQ, s.MOSLQ, s.MOSCQ} {
					if n := float64(n); math.IsNaN(n) || math.Abs(n) > 1e9 {
						t.Errorf("figure %g", n)
					}
				}
				if s.Has.Has(voice.HasSidePtime) && (s.PtimeMicros < 1000 || s.PtimeMicros > 200_000) {
					t.Errorf("ptime %d", s.PtimeMicros)
				}
			}
		}
	})
}

func BenchmarkVQ(b *testing.B) {
	for name, text := range map[string]string{"body": crlf(standard), "publish": publish(standard)} {
		b.Run(name, func(b *testing.B) {
			data := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				if err := VQ(testMeta, data, nobody{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
