package voice

import (
	"net/netip"
	"testing"
)

func TestRule16RelayedReportsCountOnce(t *testing.T) {
	s := newStory(t)
	inner, outer := netip.MustParseAddrPort("192.0.2.65:7000"), netip.MustParseAddrPort("192.0.2.65:7002")
	s.tr.Signal(s.sip(-3, MethodInvite, 0, audio(s.caller)))
	s.tr.Signal(s.sip(-2.9, MethodInvite, 0, audio(outer))) // the same INVITE behind the proxy, with the media relay's address
	s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee)))
	s.tr.Signal(s.sip(0.1, MethodInvite, 200, audio(inner)))
	s.corr = false
	for i := uint32(1); i <= 6; i++ {
		r := s.report(float64(5*i), caller).block(0, 0, 250*i, 80).named(9, 9+i)
		r.Seen.Dst = rtcp(inner)
		s.tr.Report(r)
		r.Seen = s.look(float64(5*i)+0.001, rtcp(outer), rtcp(s.callee)) // relayed with the same SSRCs
		s.tr.Report(r)
	}
	c := s.finish(31)
	if len(c.Streams) != 1 || *c.heard(t, caller).Packets != 1500 {
		t.Errorf("%d streams, %+v", len(c.Streams), c.Streams)
	}
	wantDrop(t, s, ReasonDuplicate, 6)
}

func TestRule17Association(t *testing.T) {
	for _, c := range []struct {
		name string
		sdp  func(m *Media)              // of the caller
		wire func(s *story, r *Report)   // changes a report of the caller
		set  func(s *story, sig *Signal) // changes the INVITE
	}{
		{name: "correlation id, although the addresses fit nothing", wire: func(s *story, r *Report) {
			r.CorrelationID = []byte(s.id)
			r.Seen.Src, r.Seen.Dst = netip.MustParseAddrPort("10.9.9.9:1"), netip.MustParseAddrPort("10.9.9.8:1")
		}},
		{name: "SDP address, port + 1"},
		{name: "one end is enough", wire: func(_ *story, r *Report) { r.Seen.Dst = netip.AddrPort{} }},
		{name: "rtcp-mux", sdp: func(m *Media) { m.Mux = true }, wire: func(s *story, r *Report) { r.Seen.Src, r.Seen.Dst = s.caller, s.callee }},
		{name: "odd ports stay odd", sdp: func(m *Media) { m.Port = 4001 }, wire: func(s *story, r *Report) {
			r.Seen.Src, r.Seen.Dst = netip.MustParseAddrPort("198.51.100.10:4002"), netip.AddrPort{}
		}},
		{name: "a=rtcp", sdp: func(m *Media) { m.RTCP = netip.MustParseAddrPort("198.51.100.99:5555") }, wire: func(_ *story, r *Report) {
			r.Seen.Src, r.Seen.Dst = netip.MustParseAddrPort("198.51.100.99:5555"), netip.AddrPort{}
		}},
		{name: "behind a NAT: signalling address and SDP port", sdp: func(m *Media) { m.Addr = netip.MustParseAddr("192.168.1.20") }, wire: func(_ *story, r *Report) {
			r.Seen.Dst = netip.AddrPort{}
		}},
		{name: "a=ssrc", sdp: func(m *Media) { m.SSRCs = []uint32{ssrcA} }, wire: func(_ *story, r *Report) {
			r.Seen.Src, r.Seen.Dst = netip.AddrPort{}, netip.AddrPort{}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.corr = false
			a := audio(s.caller)
			if c.sdp != nil {
				c.sdp(&a)
			}
			s.tr.Signal(s.sip(-3, MethodInvite, 0, a))
			s.tr.Signal(s.sip(0, MethodInvite, 200, audio(s.callee)))
			for i := uint32(1); i <= 6; i++ {
				r := s.report(float64(5*i), caller).block(0, 0, 250*i, 80)
				if c.wire != nil {
					c.wire(s, r)
				}
				s.tr.Report(r)
			}
			end := s.finish(31)
			if len(s.calls) != 1 || len(end.Streams) != 1 || *end.Streams[0].Packets != 1500 {
				t.Fatalf("%d calls, streams %+v", len(s.calls), end.Streams)
			}
			if d := end.Streams[0].Direction; d != CalleeToCaller && c.name != "correlation id, although the addresses fit nothing" {
				t.Errorf("direction %s", d)
			}
		})
	}
}

func TestRule17OtherDirectionAndCNAME(t *testing.T) {
	s := newStory(t)
	s.corr = false
	s.up(0)
	first := s.report(5, caller).block(0, 0, 250, 80)
	first.Has |= HasCNAME
	first.CNAME = HashName([]byte("a@pbx"))
	s.tr.Report(first)
	back := s.report(6, callee).block(0, 0, 250, 80) // no addresses: known by the pair of SSRCs
	back.Seen.Src, back.Seen.Dst = netip.AddrPort{}, netip.AddrPort{}
	s.tr.Report(back)
	again := s.report(10, caller).block(0, 0, 250, 80) // new SSRCs, no addresses: known by the CNAME
	again.Has |= HasCNAME
	again.CNAME, again.Reporter, again.Source = first.CNAME, 1, 2
	again.Seen.Src, again.Seen.Dst = netip.AddrPort{}, netip.AddrPort{}
	s.tr.Report(again)
	c := s.finish(20)
	if len(c.Streams) != 3 {
		t.Fatalf("%d streams, want 3", len(c.Streams))
	}
	for i, want := range []string{CalleeToCaller, CallerToCallee, CalleeToCaller} {
		if c.Streams[i].Direction != want {
			t.Errorf("stream %d is %s, want %s", i, c.Streams[i].Direction, want)
		}
	}
}

func TestRule17ReportsBeforeTheirSignalling(t *testing.T) {
	for _, corr := range []bool{false, true} {
		s := newStory(t)
		s.corr = corr
		for i := uint32(1); i <= 4; i++ {
			s.tr.Report(s.report(float64(5*i)-20, caller).block(0, 0, 250*i, 80))
			s.tr.Tick(s.at(float64(5*i) - 20))
		}
		if st := s.tr.Stats(); st.Calls != 1 || st.Inferred != 1 {
			t.Fatalf("%+v", st)
		}
		s.up(2)
		if st := s.tr.Stats(); st.Calls != 1 || st.Inferred != 0 || st.Adopted != 1 {
			t.Errorf("with correlation id %v: %+v", corr, st)
		}
		for i := uint32(5); i <= 8; i++ {
			s.tr.Report(s.report(float64(5*i)-20, caller).block(0, 0, 250*i, 80))
		}
		c := s.finish(22)
		if len(s.calls) != 1 || c.ID != s.id || len(c.Streams) != 1 || c.Streams[0].Direction != CalleeToCaller {
			t.Errorf("with correlation id %v: %d calls, the last %+v", corr, len(s.calls), c)
		}
	}
}

func TestRule17ReportsAllBeforeTheirSignalling(t *testing.T) {
	for _, corr := range []bool{false, true} {
		s := newStory(t)
		s.corr = corr
		for i := uint32(1); i <= 4; i++ {
			s.tr.Report(s.report(float64(5*i)-20, callee).block(0, 0, 250*i, 80))
			s.tr.Report(s.report(float64(5*i)-19, caller).block(0, 0, 250*i, 80))
		}
		s.up(2)
		c := s.finish(4)
		if len(c.Streams) != 2 {
			t.Fatalf("%d streams", len(c.Streams))
		}
		if a := c.heard(t, caller); a.SSRC != ssrcB || c.heard(t, callee).SSRC != ssrcA {
			t.Errorf("with correlation id %v the caller hears %x", corr, a.SSRC)
		}
	}
}

func TestRule17WithoutSignallingACallIsInferred(t *testing.T) {
	feed := func(s *story) {
		s.corr = false
		s.steady(0, 60, 0, 80)
		for sec := 60.0; sec < 300; sec += 10 {
			s.tr.Tick(s.at(sec))
		}
	}
	s := newStory(t)
	feed(s)
	c := s.last()
	if len(s.calls) != 1 || c.Signalled || len(c.Streams) != 2 || c.MOS == nil || c.Streams[0].Direction != UnknownDirection || c.Customer != "acme" || c.Why != "silent" {
		t.Errorf("%d calls, the last %+v", len(s.calls), c)
	}
	near(t, "coverage", c.CoveragePct, 100, 8)
	other := newStory(t, func(c *Config) { c.Rules = Compile(testInventory(t), Extra{}) })
	feed(other)
	if len(other.calls) != 0 {
		t.Error("an observer that may not made a call")
	}
	wantDrop(t, other, ReasonNotAllowed, 1)
	if st := other.tr.Stats(); st.Calls != 0 || st.Streams != 0 {
		t.Errorf("%+v is still held", st)
	}
}

func TestRule18SameSDPInTwoLegs(t *testing.T) {
	s := newStory(t)
	s.corr = false
	s.up(0)
	first := s.id
	s.id, s.number = "call-2@pbx", "+50255559999" // direct media: the other dialog names the same two addresses
	s.up(3.5)
	for i := uint32(1); i <= 4; i++ {
		s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 250*i, 80))
		s.tr.Report(s.report(float64(5*i)+1, callee).block(0, 0, 250*i, 80))
	}
	s.bye(22)
	s.id = first
	s.bye(22)
	s.settled(22)
	streams := 0
	for _, c := range s.calls {
		if n := len(c.Streams); n != 0 && n != 2 {
			t.Errorf("%s has %d streams: both directions belong together", c.ID, n)
		}
		streams += len(c.Streams)
	}
	if streams != 2 {
		t.Errorf("%d streams in all, want 2: nothing is counted twice", streams)
	}
}

func TestRule19PortsAreUsedAgain(t *testing.T) {
	s := newStory(t)
	s.corr = false
	s.up(0)
	for i := uint32(1); i <= 4; i++ {
		s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 250*i, 80))
	}
	s.bye(21)
	s.id, s.number = "call-2@pbx", "+50255559999"
	s.up(26) // five seconds later, on the same ports
	for i := uint32(1); i <= 4; i++ {
		r := s.report(26+float64(5*i), caller).block(0, 0, 250*i, 80)
		r.Reporter, r.Source = 0x11, 0x22
		s.tr.Report(r)
	}
	late := s.report(28, caller).block(0, 25, 1250, 80) // of the first call
	s.tr.Report(late)
	s.bye(47)
	s.settled(47)
	if len(s.calls) < 2 {
		t.Fatalf("%d calls", len(s.calls))
	}
	for _, c := range s.calls {
		want := map[string]uint32{"call-1@pbx": ssrcB, "call-2@pbx": 0x22}[c.ID]
		if len(c.Streams) != 1 || c.Streams[0].SSRC != want {
			t.Errorf("%s has %+v", c.ID, c.Streams)
		}
	}
}

// TestRule19PhoneTakesItsPortsAgain: two calls of which phones alone tell, one after the other on the same ports, are two; the reports of both ends of one
// call are one, although a B2BUA gave the ends different Call-IDs.
func TestRule19PhoneTakesItsPortsAgain(t *testing.T) {
	report := func(s *story, sec float64, id string, local, remote netip.AddrPort, ours, theirs uint32) *Quality {
		return &Quality{
			Seen: s.look(sec, s.sipA, s.sipB), Kind: QualitySession, CallID: []byte(id), Start: s.at(sec - 30), Stop: s.at(sec),
			Local:  Side{Addr: local, SSRC: ours, Has: HasSideLoss, LossPct: 1},
			Remote: Side{Addr: remote, SSRC: theirs},
		}
	}
	for _, c := range []struct {
		name   string
		second func(s *story) *Quality
		calls  int
	}{
		{"the next call", func(s *story) *Quality { return report(s, 75, "two", s.caller, s.callee, 3, 4) }, 2},
		{"the other end", func(s *story) *Quality { return report(s, 41, "two", s.callee, s.caller, 2, 1) }, 1},
		{"the same once more", func(s *story) *Quality { return report(s, 41, "two", s.caller, s.callee, 1, 2) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.tr.Quality(report(s, 40, "one", s.caller, s.callee, 1, 2))
			s.tr.Quality(c.second(s))
			ids := map[string]bool{}
			for _, sec := range []float64{80, 110, 160, 240, 400} {
				s.tr.Tick(s.at(sec))
			}
			for _, got := range s.calls {
				ids[got.ID] = true
			}
			if len(ids) != c.calls {
				t.Errorf("calls %v, want %d", ids, c.calls)
			}
		})
	}
}
