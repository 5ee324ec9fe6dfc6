package capture

import (
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"vigia/collectors/voice"
)

// lockedKeeper is a keeper for two goroutines.
type lockedKeeper struct {
	mu sync.Mutex
	keeper
}

func (k *lockedKeeper) Report(r *voice.Report) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keeper.Report(r)
}

func (k *lockedKeeper) Signal(m *voice.Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keeper.Signal(m)
}

func (k *lockedKeeper) count(part string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, f := range k.facts {
		if strings.Contains(f, part) {
			n++
		}
	}
	return n
}

// TestLive captures on the loopback interface what this test sends over it: each packet once, RTP not at all.
func TestLive(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("capturing needs root (CAP_NET_RAW)")
	}
	k := &lockedKeeper{}
	l, err := NewLive(LiveConfig{Interface: "lo"}, k, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Skipf("this machine does not let us capture: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	sink, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	c, err := net.Dial("udp", sink.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, payload := range [][]byte{report(4711, 4712, 0, 9), join([]byte{0x80, 0}, make([]byte, 170)), sip("INVITE", description)} {
		if _, err := c.Write(payload); err != nil {
			t.Fatal(err)
		}
	}
	for until := time.Now().Add(10 * time.Second); k.count(" 1 c1 1") == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the SIP message was not captured: %+v", l.Stats())
		}
	}
	if n := k.count(" 4711/4712 "); n != 1 { // it was sent before the SIP message
		t.Errorf("the report came %d times", n)
	}
}

func TestLiveRefuses(t *testing.T) {
	if _, err := NewLive(LiveConfig{Interface: "no-such-0"}, &keeper{}, nil, nil); err == nil || !strings.Contains(err.Error(), "capture on no-such-0") {
		t.Errorf("%v", err)
	}
}

// TestRTPFilter runs the filter in a machine of our own: RTP alone is dropped.
func TestRTPFilter(t *testing.T) {
	vm, err := bpf.NewVM(rtpFilter())
	if err != nil {
		t.Fatal(err)
	}
	rtp := udp(4000, 5000, join([]byte{0x80, 0}, make([]byte, 170)))
	marked := udp(4000, 5000, join([]byte{0x80, 0x80 | 101}, make([]byte, 20)))
	for name, c := range map[string]struct {
		packet []byte
		want   bool
	}{
		"RTP":           {ethernet(0x0800, ip4(ana, bob, 17, rtp)), false},
		"RTP, marked":   {ethernet(0x0800, ip4(ana, bob, 17, marked)), false},
		"RTP over IPv6": {ethernet(0x86dd, ip6(ana6, bob6, 17, rtp)), false},
		"RTP in a VLAN": {ethernet(0x8100, join(u16(5), u16(0x0800), ip4(ana, bob, 17, rtp))), true},
		"a fragment":    {ethernet(0x0800, ip4part(ana, bob, 17, 1, 1<<13, rtp)), true},
		"RTCP":          {ethernet(0x0800, ip4(ana, bob, 17, udp(1, 2, report(1, 2, 0, 1)))), true},
		"RTCP, IPv6":    {ethernet(0x86dd, ip6(ana6, bob6, 17, udp(1, 2, report(1, 2, 0, 1)))), true},
		"SIP":           {ethernet(0x0800, ip4(ana, bob, 17, udp(1, 2, sip("BYE", "")))), true},
		"TCP":           {ethernet(0x0800, ip4(ana, bob, 6, tcp(1, 2, 3, 0, sip("BYE", "")))), true},
		"ARP":           {ethernet(0x0806, make([]byte, 28)), true},
	} {
		n, err := vm.Run(c.packet)
		if err != nil || n > 0 != c.want {
			t.Errorf("%s: %d, %v, want passed %t", name, n, err, c.want)
		}
	}
}
