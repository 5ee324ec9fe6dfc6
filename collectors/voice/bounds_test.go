package voice

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// check verifies what must hold of a tracker whatever it was fed.
func check(t testing.TB, tr *Tracker) {
	t.Helper()
	total := 0
	for _, s := range tr.shards {
		s.mu.Lock()
		held, streams, inferred := 0, 0, 0
		for kind := range listCount {
			var last *call
			for c := s.lists[kind].first; c != nil; last, c = c, c.next {
				held++
				streams += len(c.streams)
				if c.prev != last || c.in != kind || c.gone || c.shard != s {
					t.Errorf("list %d is broken", kind)
				}
				if kind == listOrphans {
					inferred++
				}
				if len(c.streams) > maxStreams || len(c.legs) > maxLegs || len(c.keys) > 2*maxLegs+2 {
					t.Errorf("a call has %d streams, %d legs, %d keys", len(c.streams), len(c.legs), len(c.keys))
				}
			}
			if s.lists[kind].last != last {
				t.Errorf("list %d ends wrongly", kind)
			}
		}
		sum := 0
		for _, n := range s.inferred {
			sum += n
		}
		if held != s.held || streams != s.streams || sum != inferred {
			t.Errorf("held %d of %d, streams %d of %d, inferred %d of %d", held, s.held, streams, s.streams, inferred, sum)
		}
		total += held
		s.mu.Unlock()
	}
	if total > tr.cfg.MaxCalls+len(tr.shards) {
		t.Errorf("%d calls are held, the bound is %d", total, tr.cfg.MaxCalls)
	}
}

// empty verifies that nothing leads to a call that is gone.
func empty(t testing.TB, tr *Tracker) {
	t.Helper()
	for name, x := range map[string]*index{"ids": tr.ids, "addrs": tr.addrs, "ssrcs": tr.ssrcs} {
		for i := range x.parts {
			if p := &x.parts[i]; p.one.held+len(p.more) > 0 {
				t.Errorf("%s still has %d keys and %d shared ones", name, p.one.held, len(p.more))
				return
			}
		}
	}
}

func TestBoundsHold(t *testing.T) {
	l := newLoad(t, 500, func(c *Config) { c.MaxCalls = 160 })
	var r Report
	for i := range 500 {
		l.setUp(i)
		for n := uint32(1); n <= 3; n++ {
			l.fill(&r, i, n, caller, l.at(5*float64(n)))
			l.tr.Report(&r)
		}
		check(t, l.tr)
	}
	evicted := l.dropped(ReasonEvicted)
	if st := l.tr.Stats(); st.Calls > 160+16 || evicted < 500-160-16 || int(evicted)+st.Calls != 500 {
		t.Errorf("%d held, %d evicted, of 500", st.Calls, evicted)
	}
	for _, c := range l.calls {
		if c.Why != "evicted" || len(c.Streams) != 2 || c.Revision != 1 {
			t.Errorf("an evicted call: %s, %d streams", c.Why, len(c.Streams))
		}
	}
	l.tr.Close(l.at(100))
	empty(t, l.tr)
}

func TestOneObserverCannotFillTheTracker(t *testing.T) {
	s := newStory(t, func(c *Config) { c.MaxCalls, c.MaxInferred = 400, 100 })
	s.corr = false
	for i := range 1000 {
		r := s.report(1, caller).block(0, 0, 100, 80)
		r.Reporter, r.Source = uint32(2*i+1), uint32(2*i+2)
		r.Seen.Src = netip.AddrPortFrom(r.Seen.Src.Addr(), uint16(20000+2*i))
		r.Seen.Dst = netip.AddrPortFrom(r.Seen.Dst.Addr(), uint16(20000+2*i))
		s.tr.Report(r)
	}
	if st := s.tr.Stats(); st.Inferred > 100 || st.Dropped[ReasonObserverFull] != uint64(1000-st.Inferred) {
		t.Errorf("%+v", st)
	}
	check(t, s.tr)
}

func TestOneCallCannotFillTheTracker(t *testing.T) {
	s := newStory(t)
	s.up(0)
	for i := range uint32(200) {
		r := s.report(5, caller).block(0, 0, 250, 80)
		r.Source, r.Reporter = 1000+i, 5000+i
		s.tr.Report(r)
		m := s.sip(5, MethodUpdate, 0, audio(netip.AddrPortFrom(s.caller.Addr(), uint16(1000+i))))
		s.tr.Signal(m)
	}
	check(t, s.tr)
	if s.dropped(ReasonLegs) == 0 {
		t.Error("nothing was refused")
	}
	for i := range 2*maxIntervals + 50 {
		sec := 10 + 5*float64(i)
		r := s.report(sec, caller).block(0, 0, uint32(500+250*i), 80)
		r.Source, r.Reporter = 1000, 5000
		s.tr.Report(r)
	}
	for _, sh := range s.tr.shards {
		for kind := range listCount {
			for c := sh.lists[kind].first; c != nil; c = c.next {
				for _, x := range c.streams {
					if len(x.intervals) > maxIntervals {
						t.Errorf("%d intervals", len(x.intervals))
					}
				}
			}
		}
	}
}

func TestTextsAreBounded(t *testing.T) {
	s := newStory(t)
	long := strings.Repeat("9", 60_000)
	s.from, s.number, s.host = long, long, long
	s.up(0)
	m := s.sip(1, MethodInvite, 200, audio(s.callee, Codec{Name: []byte(long), Fmtp: []byte(long), ClockHz: 8000}))
	m.UserAgent = []byte(long)
	s.tr.Signal(m)
	c := s.finish(30)
	for _, text := range []Text{c.From, c.To, c.UserAgent, c.Codec} {
		if len(text) > maxText {
			t.Errorf("%d octets are kept", len(text))
		}
	}
	s.id = long
	s.up(100)
	if st := s.tr.Stats(); st.Calls != 0 || st.Dropped[ReasonIgnored] == 0 {
		t.Errorf("a Call-ID of %d octets opened a call: %+v", len(long), st)
	}
}

func TestParseMethod(t *testing.T) {
	for name, want := range map[string]Method{
		"INVITE": MethodInvite, "ACK": MethodAck, "BYE": MethodBye, "CANCEL": MethodCancel, "PRACK": MethodPrack, "UPDATE": MethodUpdate,
		"REFER": MethodRefer, "invite": MethodOther, "OPTIONS": MethodOther, "": MethodOther,
	} {
		if got := ParseMethod([]byte(name)); got != want {
			t.Errorf("%q is %d, want %d", name, got, want)
		}
	}
}

// TestOrderDoesNotMatter: reports that come twice, and late by one or two places, change nothing but how finely the call is cut.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(10, 400), 4, 24).Draw(rt, "packets")
		losses := rapid.SliceOfN(rapid.IntRange(0, 100), len(steps), len(steps)).Draw(rt, "lost, of a hundred")
		feed := func(order []int) Stream {
			s := newStory(t)
			s.up(0)
			reports := make([]*Report, len(steps))
			seq, lost := uint32(1000), int32(0)
			for i, n := range steps {
				seq += uint32(n)
				lost += int32(n * losses[i] / 100)
				reports[i] = s.report(float64(10*(i+1)), caller).block(0, lost, seq, 80).named(5, uint32(i))
			}
			for _, i := range order {
				s.tr.Report(reports[i])
			}
			check(t, s.tr)
			return s.finish(400).heard(t, caller)
		}
		var plain, mixed []int
		for i := range steps {
			plain = append(plain, i)
			mixed = append(mixed, i)
		}
		for i := 1; i+2 < len(mixed); i++ { // the first and the last stay in place: they are the ends that are counted between
			switch rapid.IntRange(0, 3).Draw(rt, "what happens") {
			case 0:
				mixed[i], mixed[i+1] = mixed[i+1], mixed[i]
			case 1:
				mixed = append(mixed[:i+1], mixed[i:]...)
			}
		}
		a, b := feed(plain), feed(mixed)
		if *a.Packets != *b.Packets || *a.Lost != *b.Lost {
			rt.Fatalf("in order %d of %d lost, mixed %d of %d (%v)", *a.Lost, *a.Packets, *b.Lost, *b.Packets, mixed)
		}
	})
}

func TestIntervalsPack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := passage{
			seconds: rapid.Float64Range(0, 63.75).Draw(rt, "s"), expected: rapid.Uint32Range(0, 100_000).Draw(rt, "expected"),
			jitterMS: rapid.SampledFrom([]float64{math.NaN(), 0, 0.5, 20, 999, 6000}).Draw(rt, "jitter"),
			rttMS:    rapid.SampledFrom([]float64{math.NaN(), 0.1, 80, 9999}).Draw(rt, "rtt"), flags: uint8(rapid.IntRange(0, 15).Draw(rt, "flags")),
		}
		p.lost = rapid.Uint32Range(0, p.expected).Draw(rt, "lost")
		q := pack(p).unpack()
		same := func(a, b, part, least float64) bool {
			return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= max(least, part*a)
		}
		if math.Abs(p.seconds-q.seconds) > 0.125 || !same(p.jitterMS, q.jitterMS, 0.01, 0.02) || !same(p.rttMS, q.rttMS, 0.011, 0.02) || p.flags != q.flags {
			rt.Fatalf("%+v became %+v", p, q)
		}
		if p.expected <= maxPackets && (p.expected != q.expected || p.lost != q.lost) || q.lost > q.expected {
			rt.Fatalf("%+v became %+v", p, q)
		}
		if p.expected > 0 && math.Abs(float64(p.lost)/float64(p.expected)-float64(q.lost)/float64(q.expected)) > 0.001 {
			rt.Fatalf("loss of %+v became that of %+v", p, q)
		}
		if r, ok := pack(p).withR(88.2).r(); !ok || math.Abs(r-88.2) > 0.3 {
			rt.Fatalf("R %v", r)
		}
	})
}

// TestFromManyGoroutines feeds the same calls from several sides at once, with ticks and reads between, for the race detector and the invariants.
func TestFromManyGoroutines(t *testing.T) {
	l := newLoad(t, 60, func(c *Config) { c.MaxCalls = 48 })
	var wg sync.WaitGroup
	var own [4]story
	for g := range own {
		own[g] = *l.story
	}
	for g := range own {
		wg.Go(func() {
			mine := &load{story: &own[g], ids: l.ids}
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			var r Report
			for range 1500 {
				i := rng.IntN(len(l.ids))
				mine.corr = rng.IntN(2) == 0
				switch rng.IntN(10) {
				case 0:
					mine.setUp(i)
				case 1:
					mine.id = string(l.ids[i])
					mine.bye(20)
				case 2:
					l.tr.Tick(l.at(float64(rng.IntN(200))))
				case 3:
					_ = l.tr.Stats()
					l.tr.SetRules(Compile(nil, Extra{}))
				default:
					l.fill(&r, i, uint32(rng.IntN(20)), whom(rng.IntN(2)), l.at(float64(rng.IntN(100))))
					l.tr.Report(&r)
				}
			}
		})
	}
	wg.Wait()
	check(t, l.tr)
	l.tr.Close(l.at(300))
	empty(t, l.tr)
}

// FuzzEvents turns octets into a sequence of facts, as far from any sense as it gets: nothing may panic, the bounds hold, and at the end nothing is left.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09 INVITE and so on, then reports \xff\xff\xff\xff\x80\x00\x00\x00"))
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 2))
		data := make([]byte, 2000)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStory(t, func(c *Config) { c.MaxCalls, c.MaxInferred = 12, 8 })
		e := events{data: data[:min(len(data), 4096)], s: s}
		for len(e.data) > 0 {
			e.next()
		}
		check(t, s.tr)
		for _, c := range s.calls {
			if (c.MOS != nil) != (c.R != nil) || c.MOS != nil && (*c.MOS < 1 || *c.MOS > 4.5) || c.CoveragePct != nil && (*c.CoveragePct < 0 || *c.CoveragePct > 100) {
				t.Errorf("%+v", c)
			}
			keysOf(&testing.T{}, c)
		}
		s.tr.Close(s.at(1e6))
		check(t, s.tr)
		empty(t, s.tr)
	})
}

// events reads facts from octets.
type events struct {
	data []byte
	s    *story
	now  float64
}

func (e *events) byte() byte {
	if len(e.data) == 0 {
		return 0
	}
	b := e.data[0]
	e.data = e.data[1:]
	return b
}

func (e *events) u32() uint32 {
	return uint32(e.byte())<<24 | uint32(e.byte())<<16 | uint32(e.byte())<<8 | uint32(e.byte())
}

func (e *events) addr() netip.AddrPort {
	b := e.byte()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, b % 8}), 4000+uint16(b%16))
}

func (e *events) look() Seen {
	s := e.s.look(e.now+float64(int8(e.byte())), e.addr(), e.addr())
	s.Observer.Agent = uint32(e.byte() % 3)
	s.Observer.Via = Via(e.byte() % 6)
	return s
}

func (e *events) next() {
	e.now += float64(e.byte() % 16)
	id := fmt.Appendf(nil, "call-%d", e.byte()%20)
	switch e.byte() % 8 {
	case 0, 1, 2:
		m := &Signal{
			Seen: e.look(), Method: Method(e.byte() % 8), Status: [...]uint16{0, 0, 100, 180, 183, 200, 401, 486}[e.byte()%8], CallID: id,
			FromTag: []byte{e.byte() % 3}, ToTag: []byte{e.byte() % 3}[:e.byte()%2], FromUser: id[:e.byte()%5], ToUser: []byte("+50255550000"),
			CSeq: uint32(e.byte() % 4), Joint: id[:5*(e.byte()%2)], HasSDP: e.byte()%2 == 0,
		}
		for range e.byte() % 3 {
			a := e.addr()
			m.Media = append(m.Media, Media{
				Kind: MediaKind(e.byte() % 4), Addr: a.Addr(), Port: a.Port(), Direction: Direction(e.byte() % 4), Codecs: pcma, SSRCs: []uint32{uint32(e.byte() % 8)},
			})
		}
		e.s.tr.Signal(m)
	case 3:
		q := &Quality{Seen: e.look(), Kind: QualityKind(e.byte() % 3), Vendor: e.byte()%4 == 0, CallID: id[:6*(e.byte()%2)]}
		q.Local = Side{Has: SideFields(e.u32()), Addr: e.addr(), SSRC: uint32(e.byte() % 8), LossPct: math.Float32frombits(e.u32()), MOSCQ: math.Float32frombits(e.u32())}
		q.Remote = Side{Has: SideFields(e.u32()), SSRC: uint32(e.byte() % 8), DiscardPct: math.Float32frombits(e.u32())}
		e.s.tr.Quality(q)
	case 4:
		e.now += float64(e.byte())
		e.s.tr.Tick(e.s.at(e.now))
	default:
		r := &Report{
			Seen: e.look(), Has: Fields(e.u32()), CorrelationID: id[:6*(e.byte()%2)], Reporter: uint32(e.byte() % 8), Source: uint32(e.byte() % 8),
			CNAME: uint64(e.byte()%3) + 1, SenderNTP: uint64(e.u32()) << 16, SenderRTP: e.u32(), SentPackets: e.u32(), SentOctets: e.u32(),
			FractionLost: e.byte(), CumulativeLost: int32(e.u32()), HighestSeq: e.u32() >> (e.byte() % 32), JitterTicks: e.u32() >> (e.byte() % 32),
			LSR: e.u32(), DLSR: e.u32() >> 16, LRR: e.u32(), DLRR: e.u32() >> 16, ReceiverNTP: uint64(e.u32()) << 16, ClockHz: e.u32(), PayloadType: e.byte(),
			PtimeMicros: e.u32(), VendorMOS: math.Float32frombits(e.u32()), RTTMicros: e.u32(), LostSince: int32(e.u32()),
		}
		e.s.tr.Report(r)
	}
	check(e.s.t, e.s.tr)
}

// TestRule25SentRTCPMakesACallOnlyFromListedNetworks: what is sent to us has no observer but ourselves; whether it may make a call is the listener's to
// promise.
func TestRule25SentRTCPMakesACallOnlyFromListedNetworks(t *testing.T) {
	for _, listed := range []bool{true, false} {
		s := newStory(t)
		s.seen = Observer{Via: ViaRTCP}
		s.tr.SetRules(Compile(nil, Extra{InferSent: listed}))
		for i := uint32(1); i <= 4; i++ {
			s.tr.Report(s.report(float64(5*i), callee).sent(250 * i))
			s.tr.Report(s.report(float64(5*i)+1, caller).block(0, 0, 250*i, 80))
		}
		for _, sec := range []float64{60, 100, 200, 400} {
			s.tr.Tick(s.at(sec))
		}
		if made := len(s.calls) > 0; made != listed {
			t.Errorf("networks listed: %v; calls %d", listed, len(s.calls))
		}
	}
}
