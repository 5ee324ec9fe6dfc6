package voice

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestRule07SSRCChangeOpensAStream(t *testing.T) {
	s := newStory(t)
	s.up(0)
	for i := uint32(1); i <= 4; i++ {
		s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 250*i, 80))
	}
	for i := uint32(5); i <= 8; i++ { // hold music, whose numbers go on where the other's ended: 10,000 are not lost
		r := s.report(float64(5*i), caller).block(0, 0, 10000+250*i, 80)
		r.Source = 0xcccc0001
		s.tr.Report(r)
	}
	c := s.finish(41)
	if len(c.Streams) != 2 {
		t.Fatalf("%d streams, want 2", len(c.Streams))
	}
	old, young := c.Streams[0], c.Streams[1]
	if old.SSRC != ssrcB || !old.Closed || young.SSRC != 0xcccc0001 || young.Closed || old.Direction != young.Direction || *young.Packets != 1000 || *young.Lost != 0 {
		t.Errorf("streams %+v and %+v", old, young)
	}
}

func TestRule07TwoCallsShareAnSSRC(t *testing.T) {
	s := newStory(t)
	s.corr = false
	s.up(0)
	s.id, s.caller, s.sipA = "call-2@pbx", netip.MustParseAddrPort("198.51.100.11:4000"), netip.MustParseAddrPort("198.51.100.11:5060")
	b := s.callee
	s.number = "+50255550001"
	s.callee = netip.MustParseAddrPort("203.0.113.20:6010")
	s.up(1)
	for i := uint32(1); i <= 4; i++ {
		s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 250*i, 80))
	}
	s.bye(30)
	s.id, s.caller, s.callee, s.sipA = "call-1@pbx", netip.MustParseAddrPort("198.51.100.10:4000"), b, netip.MustParseAddrPort("198.51.100.10:5060")
	for i := uint32(1); i <= 4; i++ {
		s.tr.Report(s.report(float64(5*i)+0.5, caller).block(0, 0, 7000+250*i, 80))
	}
	s.bye(31)
	s.settled(31)
	if len(s.calls) != 2 {
		t.Fatalf("%d calls, want 2", len(s.calls))
	}
	for _, c := range s.calls { // 750 in three intervals, and the first 5.5 or 4 seconds
		if want := map[string]uint32{"call-1@pbx": 1025, "call-2@pbx": 950}[c.ID]; len(c.Streams) != 1 || *c.Streams[0].Packets != want {
			t.Errorf("%s has streams %+v", c.ID, c.Streams)
		}
	}
}

func TestRule07SourceZero(t *testing.T) {
	s := newStory(t)
	s.up(0)
	zero := s.report(5, caller).block(255, 9999, 1, 80)
	zero.Source = 0
	s.tr.Report(zero)
	s.tr.Report(s.report(10, caller).block(0, 0, 250, 80))
	s.tr.Report(s.report(15, caller).block(0, 0, 500, 80))
	xr := s.report(16, caller)
	xr.Has |= HasSource | HasVoIP
	xr.Source, xr.VoIP = 0, VoIPMetrics{DiscardRate: 26, RFactor: Unavailable, ExternalR: Unavailable, MOSLQ: 41, MOSCQ: 40}
	s.tr.Report(xr)
	x := s.finish(20).heard(t, caller)
	wantDrop(t, s, ReasonNoSource, 1)
	if *x.Lost != 0 {
		t.Errorf("%d lost: numbers about SSRC 0 were used", *x.Lost)
	}
	near(t, "late loss of the XR block about SSRC 0", x.LatePct, 10.16, 0.1)
}

func TestRule08JitterUnits(t *testing.T) {
	for _, c := range []struct {
		name  string
		codec Codec
		ticks uint32
		ms    float64
	}{
		{"PCMA", Codec{PayloadType: 8, Name: []byte("PCMA"), ClockHz: 8000}, 160, 20},
		{"G.722 counts 8000 though it samples 16 kHz", Codec{PayloadType: 9, Name: []byte("G722"), ClockHz: 16000}, 160, 20},
		{"AMR-WB", Codec{PayloadType: 96, Name: []byte("AMR-WB"), ClockHz: 16000}, 320, 20},
		{"Opus", Codec{PayloadType: 111, Name: []byte("opus"), ClockHz: 48000}, 960, 20},
		{"Speex, by its rtpmap", Codec{PayloadType: 97, Name: []byte("speex"), ClockHz: 32000}, 640, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.tr.Signal(s.sip(-3, MethodInvite, 0, audio(s.caller, c.codec)))
			s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee, c.codec)))
			s.steady(0, 30, 0, c.ticks)
			near(t, "jitter", s.finish(30).heard(t, caller).JitterMS, c.ms, 0.4)
		})
	}
	t.Run("unknown clock: from two sender reports", func(t *testing.T) {
		s := newStory(t)
		s.tr.Signal(s.sip(-3, MethodInvite, 0))
		s.tr.Signal(s.sip(0, MethodInvite, 200))
		for i := uint32(1); i <= 6; i++ {
			r := s.report(float64(5*i), callee).sent(250 * i)
			r.SenderRTP = 250 * i * 961 // 48,050 Hz by the sender's clock
			s.tr.Report(r)
			s.tr.Report(s.report(float64(5*i)+1, caller).block(0, 0, 250*i, 960))
		}
		near(t, "jitter", s.finish(32).Streams[0].JitterMS, 20, 0.4)
	})
	t.Run("unknown clock, nothing to measure", func(t *testing.T) {
		s := newStory(t)
		s.tr.Signal(s.sip(-3, MethodInvite, 0))
		s.tr.Signal(s.sip(0, MethodInvite, 200))
		for i := uint32(1); i <= 6; i++ {
			s.tr.Report(s.report(float64(5*i)+1, caller).block(0, 0, 250*i, 960))
		}
		if j := s.finish(32).Streams[0].JitterMS; j != nil {
			t.Errorf("jitter %v ms of a stream whose clock nobody knows", *j)
		}
	})
	t.Run("over a second, and the first, are not used", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for i, ticks := range []uint32{4000, 80, 80, 400000, 80} {
			s.tr.Report(s.report(float64(5*(i+1)), caller).block(0, 0, uint32(250*(i+1)), ticks))
		}
		near(t, "jitter", s.finish(30).heard(t, caller).JitterMS, 10, 0.2)
		wantDrop(t, s, ReasonJitter, 1)
	})
}

func TestRule09CodecWithoutSDP(t *testing.T) {
	for _, c := range []struct {
		name   string
		octets uint32
		ticks  uint32
		codec  string
	}{
		{"160 octets in 20 ms", 160, 160, "PCMA"},
		{"X-Lite counts the header", 172, 160, "PCMA"},
		{"20 octets in 20 ms", 20, 160, "G729"},
		{"24 octets in 30 ms", 24, 240, "G723"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.tr.Signal(s.sip(-3, MethodInvite, 0))
			s.tr.Signal(s.sip(0, MethodInvite, 200))
			for i := uint32(1); i <= 6; i++ {
				n := 250 * i
				r := s.report(float64(5*i), callee).sent(n)
				r.SentOctets, r.SenderRTP = n*c.octets, n*c.ticks
				r.SenderNTP = uint64(3976000000)<<32 + uint64(n*c.ticks)<<32/8000
				s.tr.Report(r)
				s.tr.Report(s.report(float64(5*i)+1, caller).block(0, 0, n, 80))
			}
			x := s.finish(32).Streams[0]
			if x.Codec != c.codec || !slices.Contains(x.Assumed, "codec") || x.MOS == nil {
				t.Errorf("codec %q, assumed %v, mos %v", x.Codec, x.Assumed, x.MOS)
			}
		})
	}
}

// TestRule09UnratedCallHasACodec: what was agreed, or what the packets betray, is said of a call whose quality nobody told of.
func TestRule09UnratedCallHasACodec(t *testing.T) {
	s := newStory(t)
	s.tr.Signal(s.sip(-3, MethodInvite, 0))
	s.tr.Signal(s.sip(0, MethodInvite, 200))
	for i := uint32(1); i <= 6; i++ { // sender reports alone: nothing to rate
		n := 250 * i
		r := s.report(float64(5*i), callee).sent(n)
		r.SentOctets, r.SenderRTP = n*20, n*160
		r.SenderNTP = uint64(3976000000)<<32 + uint64(n*160)<<32/8000
		s.tr.Report(r)
	}
	c := s.finish(32)
	if c.MOS != nil || c.Codec != "G729" || len(c.Streams) != 1 || !slices.Contains(c.Streams[0].Assumed, "codec") {
		t.Errorf("guessed: codec %q, MOS %v, streams %+v", c.Codec, c.MOS, c.Streams)
	}
	s = newStory(t)
	s.tr.Signal(s.sip(-3, MethodInvite, 0, audio(s.caller)))
	s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee)))
	s.tr.Report(s.report(5, callee).sent(250))
	c = s.finish(8)
	if c.MOS != nil || c.Codec != "PCMA" || len(c.Streams) != 1 || slices.Contains(c.Streams[0].Assumed, "codec") {
		t.Errorf("agreed: codec %q, MOS %v, streams %+v", c.Codec, c.MOS, c.Streams)
	}
}

// exchange sends one sender report each way and the blocks that name them: 30 ms to the caller and back, 50 ms to the callee and back.
func (s *story) exchange(sec float64, n uint32, skew time.Duration) {
	shift := func(r *Report) *Report {
		r.Seen.At = r.Seen.At.Add(skew)
		return r
	}
	a := s.report(sec, caller).sent(250 * n)
	b := s.report(sec+0.1, callee).sent(250 * n)
	a.SenderNTP, b.SenderNTP = uint64(100+n)<<32, uint64(5000+n)<<32 // clocks that show anything
	s.tr.Report(shift(a))
	s.tr.Report(shift(b))
	backA := s.report(sec+2.03+0.1, caller).block(0, 0, 250*n, 80).named(uint32(b.SenderNTP>>16), 2<<16)
	backB := s.report(sec+2.05, callee).block(0, 0, 250*n, 80).named(uint32(a.SenderNTP>>16), 2<<16)
	s.tr.Report(shift(backB))
	s.tr.Report(shift(backA))
}

func TestRule10RoundTripAtATap(t *testing.T) {
	for _, skew := range []time.Duration{0, -27 * time.Second, time.Hour} {
		s := newStory(t)
		s.up(0)
		for n := uint32(1); n <= 6; n++ {
			s.exchange(float64(5*n), n, skew)
		}
		c := s.finish(33)
		near(t, "round trip", c.heard(t, caller).RTTMS, 80, 1)
		near(t, "round trip", c.heard(t, callee).RTTMS, 80, 1)
		if slices.Contains(c.Streams[0].Assumed, "rtt_one_side") {
			t.Error("both sides are known and one is said to be assumed")
		}
	}
	t.Run("never across agents", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for n := uint32(1); n <= 6; n++ {
			sr := s.report(float64(5*n), callee).sent(250 * n)
			s.tr.Report(sr)
			rr := s.report(float64(5*n)+2.03, caller).block(0, 0, 250*n, 80).named(uint32(sr.SenderNTP>>16), 2<<16)
			rr.Seen.Observer.Agent = 8
			s.tr.Report(rr)
		}
		if rtt := s.finish(33).heard(t, caller).RTTMS; rtt != nil {
			t.Errorf("round trip %v from two agents' clocks", *rtt)
		}
	})
	t.Run("no LSR, no DLSR, out of range", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for n := uint32(1); n <= 6; n++ {
			sr := s.report(float64(5*n), callee).sent(250 * n)
			s.tr.Report(sr)
			mid := uint32(sr.SenderNTP >> 16)
			lsr, dlsr := [...]uint32{0, mid, mid}[n%3], [...]uint32{5, 0, 4 << 16}[n%3] // the last lay longer than it was away
			s.tr.Report(s.report(float64(5*n)+2, caller).block(0, 0, 250*n, 80).named(lsr, dlsr))
		}
		if rtt := s.finish(33).heard(t, caller).RTTMS; rtt != nil {
			t.Errorf("round trip %v", *rtt)
		}
		wantDrop(t, s, ReasonRoundTrip, 2)
	})
	t.Run("Asterisk's rounded clock", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for n := uint32(1); n <= 3; n++ {
			sr := s.report(float64(5*n), callee).sent(250 * n)
			sr.Has |= RoundedTime
			s.tr.Report(sr)
			rr := s.report(float64(5*n)+2.03, caller).block(0, 0, 250*n, 80).named(uint32(sr.SenderNTP>>16)+40, 2<<16)
			rr.Has |= RoundedTime
			s.tr.Report(rr)
		}
		near(t, "round trip", s.finish(33).heard(t, caller).RTTMS, 30, 1)
	})
	t.Run("a receiver that sends nothing, by DLRR", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for n := uint32(1); n <= 3; n++ {
			rr := s.report(float64(5*n), callee).block(0, 0, 250*n, 80)
			rr.Has |= HasReceiverTime
			rr.ReceiverNTP = uint64(77+n) << 32
			s.tr.Report(rr)
			dl := s.report(float64(5*n)+1.04, caller)
			dl.Has |= HasSource | HasDLRR
			dl.LRR, dl.DLRR = uint32(rr.ReceiverNTP>>16), 1<<16
			s.tr.Report(dl)
		}
		near(t, "round trip", s.finish(33).heard(t, callee).RTTMS, 40, 1)
	})
}
