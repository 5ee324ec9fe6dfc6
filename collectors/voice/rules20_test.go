package voice

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestRule20LateReportsAmend(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	s.bye(31)
	s.tr.Report(s.report(33, caller).block(0, 0, 1600, 80)) // on its way when the BYE came
	s.tr.Tick(s.at(37))
	first := s.last()
	if len(s.calls) != 1 || first.Revision != 1 || *first.heard(t, caller).Packets != 1600 {
		t.Fatalf("%d calls, revision %d", len(s.calls), first.Revision)
	}
	phone := s.phone(50, QualitySession)
	s.tr.Quality(phone)
	s.tr.Tick(s.at(52))
	s.tr.Tick(s.at(56))
	second := s.last()
	if len(s.calls) != 2 || second.Revision != 2 || second.ID != first.ID || !second.Start.Equal(first.Start) {
		t.Fatalf("%d calls, revision %d", len(s.calls), second.Revision)
	}
	near(t, "late loss of the amended call", second.heard(t, caller).LatePct, 2, 0.1)
	s.tr.Tick(s.at(300))
	if len(s.calls) != 2 {
		t.Error("the call was handed out again although nothing changed")
	}
}

// phone is the caller's own report (RFC 6035): 1 % lost, 2 % thrown away.
func (s *story) phone(sec float64, kind QualityKind) *Quality {
	q := &Quality{
		Seen: s.look(sec, s.sipA, netip.MustParseAddrPort("10.0.0.1:5063")), Kind: kind, CallID: []byte(s.id),
		LocalUser: []byte("+50622220000"), RemoteUser: []byte(s.number), UserAgent: []byte("Phone/3"),
		Start: s.at(sec - 60), Stop: s.at(sec),
		Local: Side{
			Has:  HasSideSSRC | HasSideLoss | HasSideDiscard | HasSideRoundTrip | HasSideJitter | HasSideBufferNominal | HasSideMOSCQ,
			Addr: s.caller, SSRC: ssrcA, LossPct: 1, DiscardPct: 1.98, RoundTripMS: 60, JitterMS: 4, BufferNominalMS: 40, MOSCQ: 4.1, Codec: []byte("G.711 A-Law"),
		},
		Remote: Side{Has: HasSideSSRC, Addr: s.callee, SSRC: ssrcB},
	}
	q.Seen.Observer = Observer{Via: ViaPublish, Addr: s.sipA.Addr()}
	return q
}

func TestRule21MuxRefusedFallsBack(t *testing.T) {
	s := newStory(t)
	s.corr = false
	offer := audio(s.caller)
	offer.Mux = true
	s.tr.Signal(s.sip(-3, MethodInvite, 0, offer))
	s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee))) // the answer omits it
	for i := uint32(1); i <= 4; i++ {
		s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 250*i, 80)) // port + 1
	}
	if c := s.finish(22); len(c.Streams) != 1 {
		t.Errorf("%d streams", len(c.Streams))
	}
}

func TestRule22ReducedSize(t *testing.T) {
	s := newStory(t)
	s.corr = false
	s.up(0)
	s.steady(0, 20, 0, 80)
	s.tr.Report(&Report{Has: HasReporter | HasBye, Reporter: ssrcA, Seen: s.look(21, rtcp(s.caller), rtcp(s.callee))}) // a BYE on its own
	s.tr.Report(&Report{Has: HasReporter, Reporter: ssrcB, Seen: s.look(21, rtcp(s.callee), rtcp(s.caller))})          // feedback only
	if c := s.finish(22); len(c.Streams) != 2 || c.MOS == nil {
		t.Errorf("%d streams", len(c.Streams))
	}
}

func TestRule23OneBlockInTwoPackets(t *testing.T) {
	s := newStory(t)
	s.up(0)
	for i := uint32(1); i <= 4; i++ {
		r := s.report(float64(5*i), caller).block(2, int32(2*i), 250*i, 80).sent(250 * i)
		s.tr.Report(r)
		s.tr.Report(s.report(float64(5*i), caller).block(2, int32(2*i), 250*i, 80)) // the RR of the same compound
	}
	x := s.finish(22).heard(t, caller)
	wantDrop(t, s, ReasonDuplicate, 4)
	if *x.Packets != 1000 || len(Intervals(x.Packed)) != 4 {
		t.Errorf("%d packets in %d intervals", *x.Packets, len(Intervals(x.Packed)))
	}
}

func TestRule24DuplicatesAndReordering(t *testing.T) {
	s := newStory(t)
	s.up(0)
	reports := []*Report{}
	for i := uint32(1); i <= 6; i++ {
		reports = append(reports, s.report(float64(5*i), caller).block(2, int32(2*i), 250*i, 80).named(7, i))
	}
	for _, i := range []int{0, 1, 1, 3, 2, 4, 5, 5} { // the second and the last twice, the third late
		s.tr.Report(reports[i])
	}
	x := s.finish(31).heard(t, caller)
	wantDrop(t, s, ReasonDuplicate, 2)
	wantDrop(t, s, ReasonReordered, 1)
	if *x.Packets != 1500 || *x.Lost != 12 {
		t.Errorf("%d packets, %d lost; want 1500 and 12: the first by its fraction, the others by counting", *x.Packets, *x.Lost)
	}
}

func TestRule25Forged(t *testing.T) {
	for _, c := range []struct {
		name   string
		forge  func(r *Report)
		reason Reason
	}{
		{"loss of nothing", func(r *Report) { r.HighestSeq, r.FractionLost, r.Source = 0, 200, 0x77 }, ReasonImpossible},
		{"sequence numbers that nobody can send", func(r *Report) { r.HighestSeq += 500_000 }, ReasonImpossible},
		{"jitter of minutes", func(r *Report) { r.JitterTicks = 1 << 30 }, ReasonJitter},
		{"a delay longer than the call", func(r *Report) { r.LSR, r.DLSR = 9, 3600<<16 }, ReasonRoundTrip},
		{"XR out of range", func(r *Report) {
			r.Has |= HasVoIP
			r.VoIP = VoIPMetrics{RFactor: 208, MOSLQ: 217, MOSCQ: 40, ExternalR: Unavailable}
		}, ReasonXR},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.up(0)
			s.steady(0, 20, 0, 80)
			bad := s.report(25, caller).block(0, 0, 1250, 80)
			c.forge(bad)
			s.tr.Report(bad)
			s.tr.Report(s.report(30, caller).block(0, 0, 1500, 80))
			wantDrop(t, s, c.reason, 1)
			if x := s.finish(31).heard(t, caller); x.MOS == nil || *x.MOS < 4.3 || *x.Packets != 1500 {
				t.Errorf("mos %v, %d packets", x.MOS, *x.Packets)
			}
		})
	}
}

func TestRule26ClockSkew(t *testing.T) {
	s := newStory(t)
	skewed := func(m *Signal) {
		m.Seen.At = m.Seen.At.Add(-90 * time.Second)
		s.tr.Signal(m)
	}
	skewed(s.sip(-3, MethodInvite, 0, audio(s.caller)))
	skewed(s.sip(0, MethodInvite, 200, audio(s.callee)))
	for i := uint32(1); i <= 6; i++ {
		r := s.report(float64(5*i), caller).block(0, 0, 250*i, 80)
		r.Seen.At = r.Seen.At.Add(-90 * time.Second)
		s.tr.Report(r)
	}
	skewed(s.sip(30, MethodBye, 0))
	c := s.settled(30)
	if d := c.End.Sub(s.at(30)); d.Abs() > time.Second {
		t.Errorf("the call ends %v off", d)
	}
	near(t, "coverage", c.CoveragePct, 50, 2)
	list := s.tr.Observers()
	if len(list) != 1 || !list[0].Skewed || list[0].Skew.Round(time.Second) != 90*time.Second {
		t.Errorf("observers %+v", list)
	}
	t.Run("no time: arrival", func(t *testing.T) {
		s := newStory(t)
		m := s.sip(-3, MethodInvite, 0)
		m.Seen.At = time.Time{}
		s.tr.Signal(m)
		if c := s.finish(10); !c.Start.Equal(s.at(-3)) {
			t.Errorf("starts %v", c.Start)
		}
	})
}

func TestRule27OwnLoss(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.tr.SetOwnLoss(0.002)
	s.steady(0, 15, 5, 80)
	s.tr.SetOwnLoss(0.0005)
	s.steady(15, 30, 0, 80)
	if x := s.finish(31).heard(t, caller); !slices.Contains(x.Assumed, "collector_loss") {
		t.Errorf("assumed %v: the collector lost datagrams itself", x.Assumed)
	}
	s = newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	if x := s.finish(31).heard(t, caller); slices.Contains(x.Assumed, "collector_loss") {
		t.Errorf("assumed %v", x.Assumed)
	}
}

func TestRule28DTMF(t *testing.T) {
	for _, dtmf := range []bool{true, false} {
		s := newStory(t)
		codecs := pcma
		if !dtmf {
			codecs = pcma[:1]
		}
		s.tr.Signal(s.sip(-3, MethodInvite, 0, audio(s.caller, codecs...)))
		s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee, codecs...)))
		for i, lost := range []int32{0, 0, 30, 27, 27, 27} { // 30 lost, then three that came twice: repeated end packets of a digit
			s.tr.Report(s.report(float64(5*(i+1)), caller).block(0, lost, uint32(250*(i+1)), 80))
		}
		x := s.finish(31).heard(t, caller)
		if dtmf && (*x.Lost != 0 || !slices.Contains(x.Assumed, "dtmf_loss")) || !dtmf && *x.Lost != 30 {
			t.Errorf("with telephone-event %v: %d lost, assumed %v", dtmf, *x.Lost, x.Assumed)
		}
	}
}

func TestRule29Fax(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 20, 0, 80)
	t38 := Media{Kind: MediaImage, Addr: s.caller.Addr(), Port: 4000}
	fax := s.sip(21, MethodInvite, 0, t38)
	fax.ToTag, fax.CSeq = []byte("tag-b"), 2
	s.tr.Signal(fax)
	t38.Addr = s.callee.Addr()
	ok := s.sip(21.5, MethodInvite, 200, t38)
	ok.CSeq = 2
	s.tr.Signal(ok)
	for i := uint32(5); i <= 10; i++ {
		s.tr.Report(s.report(float64(5*i), caller).block(128, 125*int32(i-4), 250*i, 80))
	}
	c := s.finish(51)
	if x := c.heard(t, caller); *x.Lost > 0 || x.OneWay {
		t.Errorf("%d lost: fax was scored as speech", *x.Lost)
	}
}

func TestRule30SeveralSources(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 5, 80) // RTCP says 2 %
	s.tr.Quality(s.phone(30, QualityInterval))
	bad := s.phone(31, QualitySession)
	bad.Vendor, bad.Local.MOSCQ = true, 2.5
	s.tr.Quality(bad)
	x := s.finish(32).heard(t, caller)
	near(t, "loss, from RTCP", x.LossPct, 2, 0.1)
	near(t, "late loss, from the endpoint", x.LatePct, 2, 0.1)
	near(t, "round trip, from the endpoint", x.RTTMS, 60, 0.1)
	near(t, "the vendor's MOS", x.VendorMOS, 2.5, 0)
	if !x.Disagrees || *x.MOS < 3.5 {
		t.Errorf("disagrees %v, mos %.2f: a vendor's MOS is only compared", x.Disagrees, *x.MOS)
	}
	t.Run("the endpoint alone", func(t *testing.T) {
		s := newStory(t)
		s.tr.Quality(s.phone(60, QualitySession))
		for sec := 60.0; sec < 400; sec += 10 {
			s.tr.Tick(s.at(sec))
		}
		c := s.last()
		if c.Signalled || c.ID != s.id || len(c.Streams) != 1 || c.MOS == nil || c.Codec != "PCMA" || c.From != "+50622220000" || c.UserAgent != "Phone/3" || c.Country != "GT" {
			t.Errorf("%+v", c)
		}
		near(t, "loss", c.Streams[0].LossPct, 1, 0.01)
	})
}
