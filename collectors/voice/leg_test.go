package voice

import (
	"net/netip"
	"testing"
)

// TestRule15CallsAtOneTime: calls between the same two numbers at the same time stay apart, while the legs of each B2BUA join.
func TestRule15CallsAtOneTime(t *testing.T) {
	const pbx, pbx2, sbc, sbcOut, carrier, carrier2 = "198.51.100.10", "198.51.100.11", "192.0.2.10", "192.0.2.20", "203.0.113.5", "203.0.113.6"
	type invite struct {
		id       string
		sec      float64
		from, to string
		media    string // of the caller; empty: its own
		fails    bool   // it is refused right after
	}
	for name, c := range map[string]struct {
		invites []invite
		legs    map[string]int // by the Call-ID of the first leg
	}{
		"one call through a B2BUA":   {[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: .1, from: sbc, to: carrier}}, map[string]int{"a": 2}},
		"a B2BUA with two addresses": {[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: .1, from: sbcOut, to: carrier}}, map[string]int{"a": 2}},
		"two senders, one SBC":       {[]invite{{id: "a", from: pbx, to: sbc}, {id: "b", sec: .1, from: pbx2, to: sbc}}, map[string]int{"a": 1, "b": 1}},
		"two calls of one sender, each sent on": {
			[]invite{{id: "a", from: pbx, to: sbc}, {id: "b", sec: .05, from: pbx, to: sbc}, {id: "a2", sec: .1, from: sbc, to: carrier}, {id: "b2", sec: .15, from: sbc, to: carrier}},
			map[string]int{"a": 2, "b": 2},
		},
		"two calls of two senders, each sent on from the other side": {
			[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: .05, from: sbcOut, to: carrier}, {id: "b", sec: .1, from: pbx2, to: sbc}, {id: "b2", sec: .15, from: sbcOut, to: carrier}},
			map[string]int{"a": 2, "b": 2},
		},
		"the first is refused and goes another way": {
			[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: .1, from: sbc, to: carrier, fails: true}, {id: "a3", sec: .5, from: sbc, to: carrier}}, map[string]int{"a": 3},
		},
		"two carriers at once":        {[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: .1, from: sbc, to: carrier}, {id: "a3", sec: .1, from: sbc, to: carrier2}}, map[string]int{"a": 3}},
		"through two B2BUAs":          {[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: .1, from: sbc, to: sbcOut}, {id: "a3", sec: .2, from: sbcOut, to: carrier}}, map[string]int{"a": 3}},
		"sent on before it came":      {[]invite{{id: "a", from: pbx, to: sbc}, {id: "b", sec: -1, from: sbc, to: carrier}}, map[string]int{"a": 1, "b": 1}},
		"seen a little too early":     {[]invite{{id: "a", from: pbx, to: sbc}, {id: "a2", sec: -.01, from: sbc, to: carrier}}, map[string]int{"a": 2}},
		"media are left alone":        {[]invite{{id: "a", from: pbx, to: sbc}, {id: "b", sec: .1, from: pbx2, to: sbc}, {id: "b2", sec: .2, from: sbc, to: carrier, media: "b"}}, map[string]int{"a": 1, "b": 2}},
		"the numbers alone, too late": {[]invite{{id: "a", from: pbx, to: sbc}, {id: "b", sec: 2.5, from: sbc, to: carrier}}, map[string]int{"a": 1, "b": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t)
			port := uint16(20000)
			media := map[string]netip.AddrPort{}
			for _, v := range c.invites {
				port += 2
				media[v.id] = netip.AddrPortFrom(netip.MustParseAddr("198.51.100.77"), port)
				if v.media != "" {
					media[v.id] = media[v.media]
				}
				s.id = v.id
				s.sipA, s.sipB = netip.AddrPortFrom(netip.MustParseAddr(v.from), 5060), netip.AddrPortFrom(netip.MustParseAddr(v.to), 5060)
				s.tr.Signal(s.sip(v.sec, MethodInvite, 0, audio(media[v.id])))
				if v.fails {
					s.tr.Signal(s.sip(v.sec+.1, MethodInvite, 503))
				}
			}
			for _, v := range c.invites {
				s.id = v.id
				s.tr.Signal(s.sip(5, MethodInvite, 200))
				s.tr.Signal(s.sip(20, MethodBye, 0))
			}
			s.settled(20)
			got := map[string]int{}
			for _, x := range s.calls {
				got[x.ID] = x.Legs
			}
			if len(got) != len(c.legs) {
				t.Fatalf("calls and their legs: %v, want %v", got, c.legs)
			}
			for id, legs := range c.legs {
				if got[id] != legs {
					t.Errorf("calls and their legs: %v, want %v", got, c.legs)
				}
			}
		})
	}
}
