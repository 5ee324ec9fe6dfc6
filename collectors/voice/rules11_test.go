package voice

import (
	"net/netip"
	"testing"
)

func TestRule11SilenceSuppression(t *testing.T) {
	s := newStory(t)
	s.up(0)
	seq := uint32(250)
	for i, step := range []uint32{0, 250, 5, 4, 3, 250} { // five, four and three packets in three reports, one of them lost: no interval of its own
		seq += step
		lost := int32(0)
		if i >= 2 {
			lost = 1
		}
		s.tr.Report(s.report(float64(5*(i+1)), caller).block(0, lost, seq, 80))
	}
	x := s.finish(40).heard(t, caller)
	wantDrop(t, s, ReasonFewPackets, 2)
	if list := Intervals(x.Packed); len(list) != 4 {
		t.Errorf("%d intervals, want 4: %+v", len(list), list)
	}
	if *x.Packets != 250+250+12+250 || *x.Lost != 1 || x.OneWay {
		t.Errorf("%d packets, %d lost", *x.Packets, *x.Lost)
	}
}

func TestRule12Hold(t *testing.T) {
	for _, c := range []struct {
		name  string
		offer func(m *Media)
		held  whom // whose hearing is not judged
		both  bool
	}{
		{"sendonly", func(m *Media) { m.Direction = SendOnly }, caller, false},
		{"recvonly", func(m *Media) { m.Direction = RecvOnly }, callee, false},
		{"inactive", func(m *Media) { m.Direction = Inactive }, caller, true},
		{"c=0.0.0.0", func(m *Media) { m.Addr = netip.IPv4Unspecified() }, caller, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.up(0)
			s.steady(0, 20, 0, 80)
			offer := audio(s.caller)
			c.offer(&offer)
			hold := s.sip(21.5, MethodInvite, 0, offer)
			hold.ToTag, hold.CSeq = []byte("tag-b"), 2
			s.tr.Signal(hold)
			for sec := 25.0; sec <= 40; sec += 5 { // half of what comes is lost: nobody listens
				n := int32(sec/5) - 4
				s.tr.Report(s.report(sec, caller).block(128, 125*n, uint32(50*sec), 80))
				s.tr.Report(s.report(sec, callee).block(128, 125*n, uint32(50*sec), 80))
			}
			resume := s.sip(41, MethodInvite, 0, audio(s.caller))
			resume.ToTag, resume.CSeq = []byte("tag-b"), 3
			s.tr.Signal(resume)
			for sec := 45.0; sec <= 60; sec += 5 {
				s.tr.Report(s.report(sec, caller).block(0, 500, uint32(50*sec), 80))
				s.tr.Report(s.report(sec, callee).block(0, 500, uint32(50*sec), 80))
			}
			end := s.finish(61)
			if x := end.heard(t, c.held); *x.Lost != 0 {
				t.Errorf("%d packets of a held direction are lost", *x.Lost)
			}
			if x := end.heard(t, c.held.other()); !c.both && *x.Lost != 500 {
				t.Errorf("%d packets of the other direction are lost, want 500", *x.Lost)
			}
		})
	}
}

func TestRule13EarlyMedia(t *testing.T) {
	s := newStory(t)
	s.tr.Signal(s.sip(-30, MethodInvite, 0, audio(s.caller)))
	s.tr.Signal(s.sip(-29, MethodInvite, 183, audio(s.callee)))
	for i := uint32(1); i <= 5; i++ { // ringback, a fifth of it lost
		s.tr.Report(s.report(-29+float64(5*i), caller).block(51, int32(50*i), 250*i, 80))
	}
	s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee)))
	for i := uint32(6); i <= 12; i++ {
		s.tr.Report(s.report(-29+float64(5*i), caller).block(0, 250, 250*i, 80))
	}
	c := s.finish(32)
	x := c.heard(t, caller)
	if *x.Lost != 0 {
		t.Errorf("%d packets of ringback are charged to the answered call", *x.Lost)
	}
	if list := Intervals(x.Packed); len(list) != 12 || list[0].Judged || list[5].Judged || !list[6].Judged {
		t.Errorf("intervals %+v", list)
	}
	near(t, "pdd", c.PDDMS, 1000, 1)
}

func TestRule14CodecChange(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 0, 80)
	opus := Codec{PayloadType: 111, Name: []byte("G729"), ClockHz: 8000}
	again := s.sip(31, MethodInvite, 0, audio(s.caller, opus))
	again.ToTag, again.CSeq = []byte("tag-b"), 2
	s.tr.Signal(again)
	ok := s.sip(31.2, MethodInvite, 200, audio(s.callee, opus))
	ok.CSeq = 2
	s.tr.Signal(ok)
	s.steady(30, 60, 0, 80)
	x := s.finish(61).heard(t, caller)
	list := Intervals(x.Packed)
	first, last := list[1], list[len(list)-1]
	if x.Codec != "G729" || first.R == nil || last.R == nil || *first.R-*last.R < 5 {
		t.Fatalf("codec %s, R %v then %v: each segment has its own codec's", x.Codec, first.R, last.R)
	}
	near(t, "r", x.R, (*first.R+*last.R)/2, 1.5)
}

func TestRule15LegsOfABackToBackAgent(t *testing.T) {
	type joint struct {
		name  string
		joint []byte
		later float64
		legs  int
	}
	for _, c := range []joint{
		{"by a common id", []byte("icid-1"), 10, 2},
		{"by the numbers within two seconds", nil, 1, 2},
		{"not by the numbers later", nil, 3, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			sbcIn, sbcOut := netip.MustParseAddrPort("192.0.2.65:7000"), netip.MustParseAddrPort("192.0.2.66:7002")
			carrier := netip.MustParseAddrPort("203.0.113.5:9000")
			first := s.sip(-20, MethodInvite, 0, audio(s.caller))
			first.Joint = c.joint
			s.tr.Signal(first)
			out := *s
			out.id, out.sipA, out.sipB = "leg-2@sbc", s.sipB, netip.MustParseAddrPort("203.0.113.5:5060")
			second := out.sip(-20+c.later, MethodInvite, 0, audio(sbcOut))
			second.Joint = c.joint
			s.tr.Signal(second)
			s.tr.Signal(out.sip(0, MethodInvite, 200, audio(carrier)))
			s.tr.Signal(s.sip(0.1, MethodInvite, 200, audio(sbcIn)))
			feed := func(st *story, a, b netip.AddrPort, base uint32, lost int32) {
				st.caller, st.callee = a, b
				for i := uint32(1); i <= 6; i++ {
					for _, by := range [2]whom{caller, callee} {
						r := st.report(float64(5*i), by).block(uint8(lost), lost*int32(i), 250*i, 80)
						r.Reporter, r.Source = r.Reporter+base, r.Source+base
						s.tr.Report(r)
					}
				}
			}
			a := s.caller
			feed(s, a, sbcIn, 0, 5)
			feed(&out, sbcOut, carrier, 100, 10)
			s.tr.Signal(s.sip(31, MethodBye, 0))
			s.tr.Signal(out.sip(31, MethodBye, 0))
			end := s.settled(31)
			if c.legs == 1 {
				if len(s.calls) != 2 {
					t.Errorf("%d calls, want two", len(s.calls))
				}
				return
			}
			if len(s.calls) != 1 || end.Legs != 2 || end.ID != "call-1@pbx" || len(end.Streams) != 4 {
				t.Fatalf("%d calls, %d legs, %d streams", len(s.calls), end.Legs, len(end.Streams))
			}
			sides := map[int]LegSide{}
			worst := 200.0
			for _, x := range end.Streams {
				sides[x.Leg] = x.Side
				worst = min(worst, *x.R)
			}
			if sides[0] != Access || sides[1] != Carrier {
				t.Errorf("sides %v", sides)
			}
			if *end.R >= worst {
				t.Errorf("end to end R %.1f is no worse than the worst leg's %.1f", *end.R, worst)
			}
		})
	}
}
