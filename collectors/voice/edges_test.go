package voice

import (
	"net/netip"
	"testing"
)

func TestRule12HoldBetweenTwoReports(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 20, 0, 80)
	for i, sec := range []float64{21, 23} { // held and resumed before the next report
		offer := audio(s.caller)
		offer.Direction = [2]Direction{SendOnly, SendRecv}[i]
		m := s.sip(sec, MethodInvite, 0, offer)
		m.ToTag, m.CSeq = []byte("tag-b"), uint32(2+i)
		s.tr.Signal(m)
	}
	s.tr.Report(s.report(25, caller).block(100, 100, 1250, 80))
	s.tr.Report(s.report(30, caller).block(0, 100, 1500, 80))
	if x := s.finish(31).heard(t, caller); *x.Lost != 0 || *x.Packets != 1250 {
		t.Errorf("%d of %d lost: a stretch with a hold in it is not judged", *x.Lost, *x.Packets)
	}
}

func TestRule13FirstReportTellsOfRingback(t *testing.T) {
	s := newStory(t)
	s.tr.Signal(s.sip(-10, MethodInvite, 0, audio(s.caller)))
	s.tr.Signal(s.sip(-9, MethodInvite, 183, audio(s.callee)))
	s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee)))
	s.tr.Report(s.report(2, caller).block(128, 250, 500, 80))
	s.tr.Report(s.report(7, caller).block(0, 250, 750, 80))
	if x := s.finish(8).heard(t, caller); *x.Lost != 0 || *x.Packets != 250 {
		t.Errorf("%d of %d lost", *x.Lost, *x.Packets)
	}
}

func TestRule14ClockChangesWithTheCodec(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 20, 0, 160)
	opus := Codec{PayloadType: 111, Name: []byte("opus"), ClockHz: 48000}
	m := s.sip(21, MethodInvite, 0, audio(s.caller, opus))
	m.ToTag, m.CSeq = []byte("tag-b"), 2
	s.tr.Signal(m)
	ok := s.sip(21, MethodInvite, 200, audio(s.callee, opus))
	ok.CSeq = 2
	s.tr.Signal(ok)
	s.tr.Report(s.report(25, caller).block(0, 0, 1250, 40000)) // has not settled
	s.tr.Report(s.report(30, caller).block(0, 0, 1500, 960))
	s.tr.Report(s.report(35, caller).block(0, 0, 1750, 960))
	near(t, "jitter", s.finish(36).heard(t, caller).JitterMS, 20, 0.4)
}

func TestRule17OnlyTheOtherEndIsKnown(t *testing.T) {
	s := newStory(t)
	s.corr = false
	s.up(0)
	for i := uint32(1); i <= 3; i++ {
		r := s.report(float64(5*i), caller).block(0, 0, 250*i, 80)
		r.Seen.Src = netip.AddrPort{}
		s.tr.Report(r)
	}
	if c := s.finish(16); len(c.Streams) != 1 || c.Streams[0].Direction != CalleeToCaller {
		t.Errorf("streams %+v", c.Streams)
	}
}

func TestRule17AnAddressOfManyCallsDecidesNothing(t *testing.T) {
	s := newStory(t)
	s.corr = false
	for i, id := range []string{"one", "two"} { // a media server with a single port
		s.id, s.number = id, []string{"+50255551111", "+50255552222"}[i]
		s.caller = netip.AddrPortFrom(netip.MustParseAddr("192.168.1.5"), uint16(4000+100*i))
		s.up(0)
	}
	r := s.report(5, caller).block(0, 0, 250, 80)
	r.Seen.Src = netip.MustParseAddrPort("198.51.100.99:9999")
	s.tr.Report(r)
	if st := s.tr.Stats(); st.Inferred != 1 || st.Calls != 3 {
		t.Errorf("%+v: the report was given to one of two calls by chance", st)
	}
}

func TestRule15TwoCallsOfOnePBX(t *testing.T) {
	s := newStory(t)
	for _, id := range []string{"one", "two"} {
		s.id = id
		s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
	}
	if st := s.tr.Stats(); st.Calls != 2 {
		t.Errorf("%d calls: one caller's two INVITEs are two calls", st.Calls)
	}
}

func TestRule20AmendsOnceThingsAreQuiet(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	s.bye(31)
	s.tr.Tick(s.at(37))
	for sec := 38.0; sec < 42; sec++ {
		s.tr.Report(s.report(sec, caller).block(0, 0, uint32(50*sec), 80).named(1, uint32(sec)))
		s.tr.Tick(s.at(sec))
	}
	if len(s.calls) != 1 {
		t.Errorf("%d times handed out while reports were still coming", len(s.calls))
	}
	s.tr.Tick(s.at(47))
	s.tr.Close(s.at(48))
	if len(s.calls) != 2 || s.calls[1].Revision != 2 {
		t.Errorf("%d times handed out", len(s.calls))
	}
}

func TestOneReportIsNotRated(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.tr.Report(s.report(9, caller).block(0, 0, 450, 80))
	c := s.finish(10)
	if x := c.heard(t, caller); x.MOS != nil || c.MOS != nil || *x.Packets != 450 {
		t.Errorf("mos %v of %d packets in one report", x.MOS, *x.Packets)
	}
}

func TestVendorFiguresAreNotMeasurements(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	q := s.phone(31, QualitySession)
	q.Vendor, q.Local.DiscardPct = true, 50
	s.tr.Quality(q)
	if x := s.finish(32).heard(t, caller); *x.LatePct > 5 {
		t.Errorf("late loss %.1f: a vendor's figure is used", *x.LatePct)
	}
}

func TestXROutOfRange(t *testing.T) {
	good := VoIPMetrics{RFactor: 93, ExternalR: Unavailable, MOSLQ: 41, MOSCQ: Unavailable, RoundTripMS: 100}
	if !good.plausible() {
		t.Fatal("a good block is refused")
	}
	for i, spoil := range []func(v *VoIPMetrics){
		func(v *VoIPMetrics) { v.RFactor = 101 }, func(v *VoIPMetrics) { v.ExternalR = 128 }, func(v *VoIPMetrics) { v.MOSLQ = 9 },
		func(v *VoIPMetrics) { v.MOSCQ = 51 }, func(v *VoIPMetrics) { v.RoundTripMS = 10_001 },
	} {
		v := good
		if spoil(&v); v.plausible() {
			t.Errorf("%d: %+v is taken", i, v)
		}
	}
}

func TestRule26ABacklogIsNoSkew(t *testing.T) {
	s := newStory(t)
	s.up(0)
	for i := uint32(1); i <= 6; i++ { // the agent's connection was away: what it kept comes late, and nothing is wrong with its clock
		r := s.report(float64(5*i), caller).block(0, 0, 250*i, 80)
		r.Seen.Arrived = s.at(31)
		s.tr.Report(r)
	}
	if o := s.tr.Observers()[0]; o.Skewed || o.Facts != 10 {
		t.Errorf("%+v", o)
	}
	if list := Intervals(s.finish(32).heard(t, caller).Packed); len(list) != 6 || list[5].Seconds != 5 {
		t.Errorf("intervals %+v", list)
	}
}

func TestRule30APhoneThatKnowsNoSSRC(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	q := s.phone(31, QualitySession)
	q.Local.SSRC, q.Remote.SSRC = 0, 0
	q.Remote.Has = HasSideLoss | HasSideDiscard | HasSideJitter // all 0: the other end told the phone nothing
	s.tr.Quality(q)
	c := s.finish(32)
	if len(c.Streams) != 2 || c.heard(t, caller).Closed {
		t.Fatalf("%d streams", len(c.Streams))
	}
	near(t, "late loss", c.heard(t, caller).LatePct, 2, 0.1)
	if late := c.heard(t, callee).LatePct; late == nil || *late == 0 {
		t.Errorf("late loss %v of the other direction: zeroes were taken for figures", late)
	}
}

func TestRule20TooLateMakesNoSecondCall(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	s.finish(31)
	s.tr.Quality(s.phone(200, QualitySession))
	s.tr.Report(s.report(200, caller).block(0, 0, 1600, 80))
	wantDrop(t, s, ReasonLate, 2)
	if st := s.tr.Stats(); st.Calls != 0 {
		t.Errorf("%+v", st)
	}
	for sec := 200.0; sec < 1200; sec += 10 {
		s.tr.Tick(s.at(sec))
	}
	s.tr.Report(s.report(1200, caller).block(0, 0, 1600, 80))
	wantDrop(t, s, ReasonLate, 2) // by now it is somebody else's
	s.up(1300)                    // and an INVITE begins a call whatever its id
	if c := s.finish(1330); !c.Start.Equal(s.at(1297)) {
		t.Errorf("starts %v", c.Start)
	}
}
