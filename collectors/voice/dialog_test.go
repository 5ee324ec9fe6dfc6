package voice

import (
	"encoding/json"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/mos"
)

func TestHowCallsEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		story  func(s *story)
		status int
		why    string
		q850   int
	}{
		{"busy", func(s *story) {
			s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
			m := s.sip(2, MethodInvite, 486)
			m.Q850Cause = 17
			s.tr.Signal(m)
		}, 486, "failed", 17},
		{"cancelled", func(s *story) {
			s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
			s.tr.Signal(s.sip(1, MethodInvite, 180))
			s.tr.Signal(s.sip(8, MethodCancel, 0))
			s.tr.Signal(s.sip(8, MethodInvite, 487))
		}, 487, "failed", 0},
		{"answered elsewhere", func(s *story) {
			s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
			m := s.sip(8, MethodCancel, 0)
			m.SIPCause = 200
			s.tr.Signal(m)
		}, 200, "failed", 0},
		{"nobody answers the INVITE", func(s *story) {
			s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
			for sec := 10.0; sec < 400; sec += 10 {
				s.tr.Tick(s.at(sec))
			}
		}, 0, "failed", 0},
		{"asked for credentials, then busy", func(s *story) {
			s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
			s.tr.Signal(s.sip(0.1, MethodInvite, 407))
			again := s.sip(0.2, MethodInvite, 0, audio(s.caller))
			again.CSeq = 2
			s.tr.Signal(again)
			busy := s.sip(3, MethodInvite, 486)
			busy.CSeq = 2
			s.tr.Signal(busy)
		}, 486, "failed", 0},
		{"one branch fails, another answers", func(s *story) {
			s.tr.Signal(s.sip(0, MethodInvite, 0, audio(s.caller)))
			s.tr.Signal(s.sip(1, MethodInvite, 503))
			s.tr.Signal(s.sip(2, MethodInvite, 200, audio(s.callee)))
			s.bye(30)
		}, 200, "hangup", 0},
		{"hung up by the callee", func(s *story) {
			s.up(0)
			m := s.sip(30, MethodBye, 0)
			m.Seen.Src, m.Seen.Dst = s.sipB, s.sipA
			m.FromTag, m.ToTag = []byte("tag-b"), []byte("tag-a")
			m.Q850Cause = 16
			s.tr.Signal(m)
		}, 200, "hangup", 16},
		{"re-INVITE refused", func(s *story) {
			s.up(0)
			again := s.sip(10, MethodInvite, 0, audio(s.caller))
			again.ToTag, again.CSeq = []byte("tag-b"), 2
			s.tr.Signal(again)
			no := s.sip(10.1, MethodInvite, 488)
			no.CSeq = 2
			s.tr.Signal(no)
			s.bye(30)
		}, 200, "hangup", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			c.story(s)
			end := s.settled(400)
			if len(s.calls) != 1 || end.Status != c.status || end.Why != c.why || end.Q850 != c.q850 || end.MOS != nil {
				t.Errorf("%d calls; status %d, why %s, cause %d; want %d, %s, %d", len(s.calls), end.Status, end.Why, end.Q850, c.status, c.why, c.q850)
			}
			if st := s.tr.Stats(); st.Calls != 0 {
				t.Errorf("%d calls are still held", st.Calls)
			}
		})
	}
}

func TestSilenceEndsACall(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 60, 0, 80)
	for sec := 60.0; sec < 380; sec += 10 {
		s.tr.Tick(s.at(sec))
	}
	c := s.last()
	if len(s.calls) != 1 || c.Why != "silent" || c.End.After(s.at(62)) {
		t.Fatalf("%d calls, why %s, end %v", len(s.calls), c.Why, c.End)
	}
	s.bye(390) // it was only quiet
	s.tr.Tick(s.at(391))
	s.tr.Tick(s.at(397))
	if c := s.last(); c.Revision != 2 || c.Why != "hangup" || !c.End.Equal(s.at(390)) {
		t.Errorf("revision %d, why %s, end %v", c.Revision, c.Why, c.End)
	}
}

func TestAnsweredCallWithoutReportsLastsLong(t *testing.T) {
	s := newStory(t)
	s.up(0)
	for sec := 60.0; sec < 3*3600; sec += 60 {
		s.tr.Tick(s.at(sec))
	}
	if len(s.calls) != 0 {
		t.Fatal("a call without reports was given up")
	}
	if c := s.finish(3 * 3600); c.End.Sub(c.Answered) != 3*time.Hour {
		t.Errorf("it lasted %v", c.End.Sub(c.Answered))
	}
}

func TestRestartInTheMiddleOfACall(t *testing.T) {
	s := newStory(t)
	s.bye(0) // of a call that a process before this one knew
	wantDrop(t, s, ReasonUnknownDialog, 1)
	m := s.sip(5, MethodInvite, 0, audio(s.caller))
	m.ToTag = []byte("tag-b") // a re-INVITE: the call goes on
	s.tr.Signal(m)
	s.steady(5, 40, 0, 80)
	c := s.finish(41)
	if c.PDDMS != nil || len(c.Streams) == 0 || c.MOS == nil {
		t.Errorf("%+v", c)
	}
}

func TestCloseKeepsWhatIsMeasured(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 60, 0, 80)
	s.id, s.number = "call-2@pbx", "+50255559999"
	s.caller, s.callee = netip.MustParseAddrPort("198.51.100.11:4000"), netip.MustParseAddrPort("203.0.113.21:4000")
	s.up(50)
	if lost := s.tr.Close(s.at(70)); lost != 1 {
		t.Errorf("%d lost, want the one without reports", lost)
	}
	if len(s.calls) != 1 || s.calls[0].Why != "shutdown" || s.calls[0].MOS == nil || s.calls[0].ID != "call-1@pbx" {
		t.Errorf("%+v", s.calls)
	}
	if st := s.tr.Stats(); st.Calls != 0 || st.Streams != 0 {
		t.Errorf("%+v", st)
	}
}

func TestWhoseCallItIs(t *testing.T) {
	addr := netip.MustParseAddrPort
	for _, c := range []struct {
		name     string
		set      func(s *story)
		customer string
		trunk    Text
		country  Text
	}{
		{"network", func(*story) {}, "acme", "carrier-a", "GT"},
		{"the longer network", func(s *story) { s.caller = addr("198.51.100.200:4000") }, "gamma", "carrier-a", "GT"},
		{"a network before a domain", func(s *story) { s.host = "pbx.beta.example" }, "acme", "carrier-a", "GT"},
		{"domain", func(s *story) {
			s.caller, s.sipA, s.host = addr("100.64.0.1:4000"), addr("100.64.0.1:5060"), "pbx.Beta.example"
		}, "beta", "carrier-a", "GT"},
		{"trunk", func(s *story) { s.caller, s.sipA = addr("198.18.0.9:4000"), addr("198.18.0.9:5060") }, "beta", "carrier-a", "GT"},
		{"only the customer's trunk", func(s *story) {
			s.caller, s.sipA, s.sipB, s.callee = addr("198.18.0.9:4000"), addr("198.18.0.9:5060"), addr("192.0.2.1:5060"), addr("192.0.2.66:8000")
		}, "beta", "acme-pbx", "GT"},
		{"number", func(s *story) { s.caller, s.sipA = addr("100.64.0.1:4000"), addr("100.64.0.1:5060") }, "gamma", "carrier-a", "GT"},
		{"nobody's", func(s *story) {
			s.caller, s.sipA, s.from = addr("100.64.0.1:4000"), addr("100.64.0.1:5060"), "2001"
		}, Unassigned, "carrier-a", "GT"},
		{"a call to the customer", func(s *story) {
			s.caller, s.sipA, s.from, s.number = addr("203.0.113.3:4000"), addr("203.0.113.3:5060"), "+442079460000", "+50699990000"
			s.callee, s.sipB = addr("198.51.100.77:4000"), addr("198.51.100.77:5060")
		}, "acme", "carrier-a", "GB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			c.set(s)
			s.up(0)
			end := s.finish(30)
			if end.Customer != c.customer || end.Trunk != c.trunk || end.Country != c.country {
				t.Errorf("%s over %q to %q; want %s, %q, %q", end.Customer, end.Trunk, end.Country, c.customer, c.trunk, c.country)
			}
		})
	}
}

func TestCountries(t *testing.T) {
	r := Compile(nil, Extra{})
	for number, want := range map[string]string{
		"+50622223333": "CR", "0050222223333": "GT", "01150222223333": "GT", "+13055550000": "US", "+18095550000": "DO", "+16045550000": "CA",
		"+77012345678": "KZ", "+79161234567": "RU", "+441534555555": "JE", "34911234567": "ES", "22223333": "", "2001": "", "alice": "", "+0000000000": "", "": "",
	} {
		if got := r.countryOf(number); got != want {
			t.Errorf("%q is of %q, want %q", number, got, want)
		}
	}
}

func TestFiguresOfTrunksAndDestinations(t *testing.T) {
	s := newStory(t)
	attempt := func(n int, sec float64, status uint16, q850 uint8) {
		s.id = "c" + string(rune('a'+n))
		s.from = "+5062222000" + string(rune('0'+n))
		s.tr.Signal(s.sip(sec, MethodInvite, 0, audio(s.caller)))
		s.tr.Signal(s.sip(sec, MethodInvite, 0, audio(s.caller))) // sent again
		if status != 503 {
			s.tr.Signal(s.sip(sec+2, MethodInvite, 180))
		}
		m := s.sip(sec+4, MethodInvite, status)
		m.Q850Cause = q850
		s.tr.Signal(m)
	}
	s.tr.Tick(s.at(1))
	for n, status := range []uint16{200, 200, 486, 503, 503, 404} {
		q := uint8(0)
		if status == 503 {
			q = 34
		}
		attempt(n, 2, status, q)
	}
	s.id = "ca"
	s.bye(36)
	for sec := 37.0; sec < 61; sec++ {
		s.tr.Tick(s.at(sec))
	}
	got := map[string]float64{}
	for _, x := range s.samples {
		got[x.Series.String()] = x.Value
	}
	want := map[string]float64{
		"attempts{trunk/carrier-a,voice}": 6, "asr_pct{trunk/carrier-a,voice}": 100.0 / 3, "ner_pct{trunk/carrier-a,voice}": 50,
		"acd_s{trunk/carrier-a,voice}": 30, "pdd_ms{trunk/carrier-a,voice}": 2000, "calls{trunk/carrier-a,voice}": 1,
		"failures{trunk/carrier-a,voice:486}": 1, "failures{trunk/carrier-a,voice:503/q850-34}": 2, "failures{trunk/carrier-a,voice:404}": 1,
		"attempts{trunk/carrier-a,voice:GT}": 6, "asr_pct{trunk/carrier-a,voice:GT}": 100.0 / 3, "acd_s{trunk/carrier-a,voice:GT}": 30,
		"attempts{destination/Guatemala,voice}": 6, "asr_pct{destination/Guatemala,voice}": 100.0 / 3, "calls{destination/Guatemala,voice}": 1,
		"attempts{trunk/acme-pbx,voice}": 0, "calls{trunk/acme-pbx,voice}": 0,
	}
	for k, v := range want {
		if g, ok := got[k]; !ok || math.Abs(g-v) > 0.01 {
			t.Errorf("%s = %v, want %v", k, g, v)
		}
	}
	if _, ok := got["asr_pct{trunk/acme-pbx,voice}"]; ok {
		t.Error("a trunk without attempts has an ASR")
	}
	if t.Failed() {
		for _, k := range slices.Sorted(maps.Keys(got)) {
			t.Log(k, got[k])
		}
	}
	before := len(s.samples)
	s.tr.Tick(s.at(121))
	for _, x := range s.samples[before:] {
		if x.Series.Metric == collectors.ASRPct {
			t.Errorf("%v in a minute without attempts", x.Series)
		}
	}
}

func TestRouteAdvanceCountsForTheTrunkThatFailed(t *testing.T) {
	inv, err := inventory.New(inventory.Spec{Trunks: []inventory.Trunk{
		{Name: "one", Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.1/32")}}, {Name: "two", Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.2/32")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := newStory(t, func(c *Config) { c.Rules = Compile(inv, Extra{}) })
	s.tr.Tick(s.at(0))
	for i, status := range []uint16{503, 200} { // one dialog, a proxy that tries one carrier after the other
		s.sipB = netip.AddrPortFrom([]netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")}[i], 5060)
		s.tr.Signal(s.sip(float64(1+i), MethodInvite, 0, audio(s.caller)))
		s.tr.Signal(s.sip(1.5+float64(i), MethodInvite, status))
	}
	s.tr.Tick(s.at(61))
	got := map[string]float64{}
	for _, x := range s.samples {
		if x.Series.Metric == collectors.ASRPct && x.Series.Part() == "" {
			got[x.Series.Ref.Name] = x.Value
		}
	}
	if got["one"] != 0 || got["two"] != 100 || len(got) != 2 {
		t.Errorf("ASR %v", got)
	}
}

func TestShapeOfACall(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.steady(0, 30, 1, 80)
	full := keysOf(t, s.finish(31))
	want := "call_id customer trunk site from to start end codec network country user_agent mos r scale cause coverage_pct streams"
	if got := strings.Join(slices.Sorted(maps.Keys(full)), " "); got != strings.Join(sorted(want), " ") {
		t.Errorf("keys %s", got)
	}
	stream := full["streams"].([]any)[0].(map[string]any)
	want = "leg side direction ssrc reporter packets lost loss_pct late_pct jitter_ms rtt_ms mos r r_perceived worst_r seconds_below_70 seconds_below_60 one_way assumed attribution"
	if got := strings.Join(slices.Sorted(maps.Keys(stream)), " "); got != strings.Join(sorted(want), " ") {
		t.Errorf("keys of a stream %s", got)
	}
	s = newStory(t)
	s.sipA, s.caller = netip.MustParseAddrPort("100.64.0.1:5060"), netip.MustParseAddrPort("100.64.0.1:4000")
	s.from = "2001"
	s.up(0)
	empty := keysOf(t, s.finish(31))
	for _, k := range []string{"mos", "r", "scale", "cause", "network"} {
		if v, ok := empty[k]; !ok || v != nil {
			t.Errorf("%s of a call without reports or customer is %v, want null", k, v)
		}
	}
	if list, ok := empty["streams"].([]any); !ok || len(list) != 0 {
		t.Errorf("streams %v, want an empty list", empty["streams"])
	}
}

func sorted(words string) []string {
	list := strings.Fields(words)
	slices.Sort(list)
	return list
}

func keysOf(t *testing.T, c Call) map[string]any {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPerceived reproduces the example of emodel.md §5.1: a minute of G.711 with five seconds of 20 % loss at the start, in the middle and at the end.
func TestPerceived(t *testing.T) {
	for at, want := range map[int]float64{0: 83.0, 6: 80.8, 11: 74.2} {
		spread := make([]judged, 12)
		for i := range spread {
			spread[i].seconds = 5
		}
		spread[at].ie = 95 * 20 / (20 + 25.1)
		if got := 93.2 - perceivedIe(spread, 0); math.Abs(got-want) > 0.6 {
			t.Errorf("burst in interval %d: R %.1f, want %.1f", at, got, want)
		}
	}
}

func TestWorstStretchAndSecondsBelow(t *testing.T) {
	s := newStory(t)
	s.up(0)
	lost := int32(0)
	for i := 1; i <= 12; i++ {
		if i == 6 || i == 7 {
			lost += 50 // 20 %
		}
		s.tr.Report(s.report(float64(5*i), caller).block(0, lost, uint32(250*i), 80))
	}
	x := s.finish(61).heard(t, caller)
	one, err := mos.Rate(mos.Input{Codec: mos.G711(), LossPct: 20, JitterMs: 10, Known: mos.KnownCodec | mos.KnownLoss | mos.KnownJitter})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "worst ten seconds", x.WorstR, one.R, 0.3)
	near(t, "seconds below 70", x.Below70, 10, 0)
	if *x.R <= *x.WorstR || *x.RPerceived >= *x.R {
		t.Errorf("R %.1f, worst %.1f, perceived %.1f", *x.R, *x.WorstR, *x.RPerceived)
	}
	sum := x.Attribution.Delay + x.Attribution.Loss + x.Attribution.Late + x.Attribution.Codec
	if x.Attribution.Loss < 0.1 || sum < x.Attribution.Loss {
		t.Errorf("attribution %+v", *x.Attribution)
	}
}
