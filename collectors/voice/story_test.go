package voice

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// story drives a tracker with facts as decoders would, on a clock of its own.
type story struct {
	t  testing.TB
	tr *Tracker

	mu      *sync.Mutex
	calls   []Call // as handed out, in order
	samples []collectors.Sample
	start   time.Time
	seen    Observer
	caller  netip.AddrPort // media
	callee  netip.AddrPort
	sipA    netip.AddrPort
	sipB    netip.AddrPort
	corr    bool // reports carry the Call-ID
	id      string
	number  string // that is dialled
	from    string // who dials it
	host    string // of From
}

const (
	ssrcA = 0xaaaa0001 // sent by the caller
	ssrcB = 0xbbbb0001 // sent by the callee
)

func newStory(t testing.TB, change ...func(*Config)) *story {
	s := &story{
		t: t, mu: new(sync.Mutex), start: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		seen:   Observer{Via: ViaHEP, Agent: 7, Addr: netip.MustParseAddr("10.0.0.7")},
		caller: netip.MustParseAddrPort("198.51.100.10:4000"), callee: netip.MustParseAddrPort("203.0.113.20:6000"),
		sipA: netip.MustParseAddrPort("198.51.100.10:5060"), sipB: netip.MustParseAddrPort("203.0.113.5:5060"),
		corr: true, id: "call-1@pbx", number: "+50255550000", from: "+50622220000", host: "pbx.example",
	}
	cfg := Config{Shards: 4, Rules: Compile(testInventory(t), Extra{
		AgentSites: map[uint32]string{7: "san-jose"}, Infer: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, InferPublished: true,
	})}
	for _, f := range change {
		f(&cfg)
	}
	s.tr = New(cfg, s, s)
	return s
}

func (s *story) Call(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
}

func (s *story) Put(list []collectors.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples = append(s.samples, list...)
}

func testInventory(t testing.TB) *inventory.Inventory {
	inv, err := inventory.New(inventory.Spec{
		Sites:   []inventory.Site{{Name: "san-jose"}, {Name: "miami"}},
		Servers: []inventory.Server{{Name: "sbc-1", Site: "san-jose", Media: []netip.Prefix{netip.MustParsePrefix("192.0.2.64/28")}}},
		Trunks: []inventory.Trunk{
			{Name: "carrier-a", Site: "miami", Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/28")}},
			{Name: "acme-pbx", Site: "san-jose", Networks: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24")}},
		},
		Destinations: []inventory.Destination{{Name: "Guatemala", Prefixes: []string{"+502"}, Trunks: []string{"carrier-a"}, AtLeast: 1}},
		Customers: []inventory.Customer{
			{Name: "acme", Match: inventory.Match{Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, SIPDomains: []string{"acme.example"}}},
			{Name: "beta", Match: inventory.Match{Trunks: []string{"acme-pbx"}, SIPDomains: []string{"beta.example"}}},
			{Name: "gamma", Match: inventory.Match{Numbers: []string{"+5062222"}, Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.128/25")}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// at is an instant of the story, in seconds from its start.
func (s *story) at(sec float64) time.Time {
	return s.start.Add(time.Duration(sec * float64(time.Second)))
}

func (s *story) look(sec float64, src, dst netip.AddrPort) Seen {
	return Seen{Observer: s.seen, At: s.at(sec), Arrived: s.at(sec), Src: src, Dst: dst}
}

var pcma = []Codec{{PayloadType: 8, Name: []byte("PCMA"), ClockHz: 8000}, {PayloadType: 101, Name: []byte("telephone-event"), ClockHz: 8000}}

func audio(at netip.AddrPort, codecs ...Codec) Media {
	if codecs == nil {
		codecs = pcma
	}
	return Media{Kind: MediaAudio, Addr: at.Addr(), Port: at.Port(), Codecs: codecs, PtimeMS: 20}
}

// sip makes a message of the call between the two SIP addresses: a request of the caller when status is 0, else the callee's answer to it.
func (s *story) sip(sec float64, method Method, status uint16, media ...Media) *Signal {
	m := &Signal{
		Method: method, Status: status, CallID: []byte(s.id), CSeq: 1, FromTag: []byte("tag-a"), ToTag: []byte("tag-b"),
		FromUser: []byte(s.from), ToUser: []byte(s.number), FromHost: []byte(s.host), ToHost: []byte("sbc.example"),
		RequestUser: []byte(s.number), UserAgent: []byte("PBX/1"), HasSDP: len(media) > 0, Media: media,
	}
	if status == 0 {
		m.Seen = s.look(sec, s.sipA, s.sipB)
	} else {
		m.Seen = s.look(sec, s.sipB, s.sipA)
		m.UserAgent, m.RequestUser = []byte("SBC/2"), nil
	}
	if method == MethodInvite && status == 0 {
		m.ToTag = nil
	}
	return m
}

// up sets the call up: INVITE, 180 a second later, 200 at sec.
func (s *story) up(sec float64) {
	s.tr.Signal(s.sip(sec-3, MethodInvite, 0, audio(s.caller)))
	s.tr.Signal(s.sip(sec-2, MethodInvite, 180))
	s.tr.Signal(s.sip(sec, MethodInvite, 200, audio(s.callee)))
	s.tr.Signal(s.sip(sec, MethodAck, 0))
}

func (s *story) bye(sec float64) { s.tr.Signal(s.sip(sec, MethodBye, 0)) }

func rtcp(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), a.Port()+1) }

// report makes a report of one party: of the caller about what it hears from the callee, or the other way round.
func (s *story) report(sec float64, by whom) *Report {
	r := &Report{Has: HasReporter}
	if by == caller {
		r.Seen, r.Reporter, r.Source = s.look(sec, rtcp(s.caller), rtcp(s.callee)), ssrcA, ssrcB
	} else {
		r.Seen, r.Reporter, r.Source = s.look(sec, rtcp(s.callee), rtcp(s.caller)), ssrcB, ssrcA
	}
	if s.corr {
		r.CorrelationID = []byte(s.id)
	}
	return r
}

// block adds a report block.
func (r *Report) block(fraction uint8, lost int32, seq, jitter uint32) *Report {
	r.Has |= HasSource | HasFraction | HasCumulative | HasSequence | HasJitter | HasLSR
	r.FractionLost, r.CumulativeLost, r.HighestSeq, r.JitterTicks = fraction, lost, seq, jitter
	return r
}

// sent adds the sender's part.
func (r *Report) sent(packets uint32) *Report {
	r.Has |= HasSenderCounts | HasSenderTime
	r.SentPackets, r.SentOctets, r.SenderRTP = packets, packets*160, packets*160
	r.SenderNTP = uint64(3976000000)<<32 + uint64(packets)<<32/50
	return r
}

func (r *Report) named(lsr, dlsr uint32) *Report {
	r.Has |= HasLSR
	r.LSR, r.DLSR = lsr, dlsr
	return r
}

// steady sends reports of both parties every five seconds in (from, to]: 250 packets each, lost of them in every report.
func (s *story) steady(from, to float64, lost int32, jitter uint32) {
	for sec := from + 5; sec <= to; sec += 5 {
		n := uint32(sec / 5)
		for _, by := range [2]whom{caller, callee} {
			r := s.report(sec+float64(by), by).block(uint8(256*int(lost)/250), lost*int32(n), 250*n, jitter).sent(250 * n)
			s.tr.Report(r)
		}
	}
}

// finish ends the call, lets everything settle and returns what was handed out last.
func (s *story) finish(sec float64) Call {
	s.t.Helper()
	s.bye(sec)
	return s.settled(sec)
}

func (s *story) settled(sec float64) Call {
	s.t.Helper()
	for _, after := range []float64{6, 20, 70, 140} {
		s.tr.Tick(s.at(sec + after))
	}
	return s.last()
}

func (s *story) last() Call {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) == 0 {
		s.t.Fatal("no call was handed out")
	}
	return s.calls[len(s.calls)-1]
}

// heard is the stream that a party hears.
func (c Call) heard(t testing.TB, by whom) Stream {
	t.Helper()
	for _, s := range c.Streams {
		if s.Direction == directionOf(by, true) {
			return s
		}
	}
	t.Fatalf("no stream %s in %d streams", directionOf(by, true), len(c.Streams))
	return Stream{}
}

func near(t testing.TB, what string, got *float64, want, tolerance float64) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is not measured, want %.3f", what, want)
		return
	}
	if d := *got - want; d > tolerance || d < -tolerance {
		t.Errorf("%s = %.3f, want %.3f", what, *got, want)
	}
}

func (s *story) dropped(r Reason) uint64 { return s.tr.Stats().Dropped[r] }

func wantDrop(t testing.TB, s *story, r Reason, n uint64) {
	t.Helper()
	if got := s.dropped(r); got != n {
		t.Errorf("%d dropped as %s, want %d", got, r, n)
	}
}

func TestCallFromInviteToBye(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 60, 0, 80)
	c := s.finish(60)
	if c.ID != "call-1@pbx" || c.Customer != "acme" || c.Trunk != "carrier-a" || c.Country != "GT" || c.Network != "198.51.100.10" || c.Codec != "PCMA" || c.Site != "miami" || c.UserAgent != "PBX/1" {
		t.Errorf("the call is %+v", c)
	}
	if c.Revision != 1 || c.Why != "hangup" || c.Status != 200 || !c.End.Equal(s.at(60)) || !c.Start.Equal(s.at(-3)) {
		t.Errorf("revision %d, why %s, status %d, %v to %v", c.Revision, c.Why, c.Status, c.Start, c.End)
	}
	near(t, "pdd", c.PDDMS, 1000, 1)
	near(t, "mos", c.MOS, 4.4, 0.06)
	near(t, "coverage", c.CoveragePct, 100, 4)
	a := c.heard(t, caller)
	near(t, "jitter", a.JitterMS, 10, 0.2)
	near(t, "loss", a.LossPct, 0, 0)
	if *a.Packets != 3000 || a.SSRC != ssrcB || *a.Reporter != ssrcA {
		t.Errorf("stream: packets %d, ssrc %x, reporter %x", *a.Packets, a.SSRC, *a.Reporter)
	}
	if st := s.tr.Stats(); st.Calls != 0 || st.Streams != 0 {
		t.Errorf("after everything %d calls and %d streams are held", st.Calls, st.Streams)
	}
}
