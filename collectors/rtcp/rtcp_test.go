package rtcp

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vigia/collectors/voice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a Sink that keeps copies, and fails when told to.
type recorder struct {
	mu      sync.Mutex
	reports []voice.Report
	fail    bool
}

func (r *recorder) Report(p *voice.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		r.fail = false
		panic("a fault in the sink")
	}
	r.reports = append(r.reports, *p)
}
func (*recorder) Signal(*voice.Signal)   {}
func (*recorder) Quality(*voice.Quality) {}

func (r *recorder) all() []voice.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]voice.Report(nil), r.reports...)
}

func start(t *testing.T, cfg Config, sink voice.Sink) (*Listener, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	l, err := New(cfg, sink, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return l, &log
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("no %s within 10 s", what)
		case <-tick.C:
		}
	}
}

// rr is a receiver report of SSRC 1 about SSRC 2: 5 of 256 lost, 3 in all.
func rr() []byte {
	b := []byte{0x81, 201, 0, 7}
	for _, v := range []uint32{1, 2, 5<<24 | 3, 1000, 80, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", l.Local().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, packets ...[]byte) {
	t.Helper()
	for _, p := range packets {
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListener(t *testing.T) {
	var sink recorder
	l, _ := start(t, Config{Listen: "127.0.0.1:0"}, &sink)
	c := dial(t, l)
	send(t, c, rr(), []byte("INVITE sip:x SIP/2.0"), rr()[:8], append(rr(), 0x81, 201, 0, 1, 0, 0, 0, 9), []byte{0x81, 200, 0, 99, 0, 0, 0, 0}, rr())
	until(t, "reports", func() bool { return l.Stats().Socket.Datagrams == 6 && len(sink.all()) == 3 })
	r := sink.all()[0]
	if r.Reporter != 1 || r.Source != 2 || r.FractionLost != 5 || r.CumulativeLost != 3 || r.HighestSeq != 1000 || r.JitterTicks != 80 {
		t.Errorf("%+v", r)
	}
	if s := r.Seen; s.Observer != (voice.Observer{Via: voice.ViaRTCP}) || s.Src.String() != c.LocalAddr().String() || s.Dst != l.Local() || s.At.IsZero() || s.Arrived.IsZero() {
		t.Errorf("%+v", s)
	}
	s := l.Stats()
	for reason, want := range map[string]uint64{"not_rtcp": 1, "empty": 2, "broken": 1, "panic": 0, "too_fast": 0} {
		if s.Dropped[reason] != want {
			t.Errorf("%s: %d, want %d", reason, s.Dropped[reason], want)
		}
	}
	if s.Reports != 3 || s.Sources.Known != 1 || s.Socket.BufferBytes == 0 {
		t.Errorf("%+v", s)
	}
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 100)); err == nil {
		t.Errorf("answered with %d octets", n)
	}
}

// TestFault: a panic costs one datagram and is logged once with its place.
func TestFault(t *testing.T) {
	sink := recorder{fail: true}
	l, log := start(t, Config{Listen: "127.0.0.1:0"}, &sink)
	c := dial(t, l)
	send(t, c, rr(), rr())
	until(t, "report after the panic", func() bool { return len(sink.all()) == 1 })
	if got := l.Stats().Dropped["panic"]; got != 1 || !strings.Contains(log.String(), "a fault in the sink") {
		t.Errorf("%d panics, log %q", got, log.String())
	}
}

func TestLimits(t *testing.T) {
	var sink recorder
	l, _ := start(t, Config{Listen: "127.0.0.1:0", Rate: 1}, &sink) // a burst of two
	send(t, dial(t, l), rr(), rr(), rr(), rr())
	until(t, "refusal", func() bool { s := l.Stats(); return s.Reports == 2 && s.Dropped["too_fast"] == 2 })

	foreign, _ := start(t, Config{Listen: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, &sink)
	send(t, dial(t, foreign), rr())
	until(t, "refusal", func() bool { return foreign.Stats().Dropped["not_allowed"] == 1 })
	if n := foreign.Stats().Sources.Known; n != 0 {
		t.Errorf("%d sources known", n)
	}

	full, _ := start(t, Config{Listen: "[::]:0", Sources: 1}, &sink)
	for i, want := range []uint64{0, 1} {
		c, err := net.Dial("udp", net.JoinHostPort([]string{"127.0.0.1", "::1"}[i], portOf(full)))
		if err != nil {
			t.Fatal(err)
		}
		send(t, c, rr())
		c.Close()
		until(t, "verdict", func() bool {
			return full.Stats().Socket.Datagrams == uint64(i+1) && full.Stats().Dropped["table_full"] == want
		})
	}
	until(t, "report", func() bool { return full.Stats().Reports == 1 })
	if all := sink.all(); all[len(all)-1].Seen.Dst.IsValid() {
		t.Errorf("destination %s of a socket that listens on every address", all[len(all)-1].Seen.Dst)
	}
}

func portOf(l *Listener) string {
	_, port, _ := net.SplitHostPort(l.Local().String())
	return port
}

func TestConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		"":                   {Listen: "0.0.0.0:5005"},
		`"" is not`:          {},
		`the port "x"`:       {Listen: "0.0.0.0:x"},
		"network 1 is none":  {Listen: ":1", Allow: make([]netip.Prefix, 1)},
		"rate is negative":   {Listen: ":1", Rate: -1},
		"buffer is negative": {Listen: ":1", Buffer: -1},
	} {
		got := ""
		for _, p := range cfg.Validate() {
			got += p.Message
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, err := New(Config{}, nil, nil); err == nil || !strings.Contains(err.Error(), "such as 0.0.0.0:5005") {
		t.Errorf("%v", err)
	}
}

// TestStop: Run ends when its context has ended already, and a Listener that is not run can be closed.
func TestStop(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l, err := New(Config{Listen: "127.0.0.1:0"}, &recorder{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(ctx); err != nil {
		t.Error(err)
	}
	again, err := New(Config{Listen: l.Local().String()}, &recorder{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
