package intake

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
)

func open(t *testing.T, address string, buffer int) *UDP {
	t.Helper()
	u, err := OpenUDP(t.Context(), address, buffer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func dial(t *testing.T, to netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestUDP(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			u := open(t, address, 1<<20)
			c := dial(t, u.Local())
			want := []string{"one", "", "three"}
			before := time.Now().Add(-time.Second)
			for _, s := range want {
				if _, err := c.Write([]byte(s)); err != nil {
					t.Fatal(err)
				}
			}
			for len(want) > 0 {
				batch, err := u.Read()
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range batch {
					if string(d.Data) != want[0] || d.From.String() != c.LocalAddr().String() {
						t.Errorf("%q from %s, want %q from %s", d.Data, d.From, want[0], c.LocalAddr())
					}
					if d.At.Before(before) || d.At.After(time.Now().Add(time.Second)) {
						t.Errorf("kernel's time %s", d.At)
					}
					want = want[1:]
				}
			}
			if s := u.Stats(); s.Datagrams != 3 || s.Octets != 8 || s.Reads == 0 || s.KernelDrops != 0 || s.BufferBytes == 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestUDPLargest: the largest datagram arrives whole.
func TestUDPLargest(t *testing.T) {
	u := open(t, "127.0.0.1:0", 1<<20)
	if _, err := dial(t, u.Local()).Write(make([]byte, 65507)); err != nil {
		t.Fatal(err)
	}
	if batch, err := u.Read(); err != nil || len(batch[0].Data) != 65507 {
		t.Errorf("%d octets, %v", len(batch[0].Data), err)
	}
}

// TestKernelDrops fills a small receive buffer while nobody reads: the kernel's drops are counted once the next datagram comes.
func TestKernelDrops(t *testing.T) {
	u := open(t, "127.0.0.1:0", 4096)
	c := dial(t, u.Local())
	const sent = 400
	for range sent {
		if _, err := c.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	for u.Stats().Datagrams+u.Stats().KernelDrops < sent {
		if _, err := c.Write([]byte("x")); err != nil { // carries the count
			t.Fatal(err)
		}
		if _, err := u.Read(); err != nil {
			t.Fatal(err)
		}
	}
	s := u.Stats()
	if s.KernelDrops == 0 || s.Datagrams == 0 || s.KernelDrops > sent {
		t.Errorf("%+v: no drops, or none read", s)
	}
	if s.Short() {
		t.Errorf("granted %d of %d", s.BufferBytes, s.Wanted)
	}
}

func TestUDPClose(t *testing.T) {
	u := open(t, "127.0.0.1:0", 0)
	done := make(chan error, 1)
	go func() { _, err := u.Read(); done <- err }()
	u.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := u.Read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}

func TestUDPTaken(t *testing.T) {
	u := open(t, "127.0.0.1:0", 0)
	if _, err := OpenUDP(context.Background(), u.Local().String(), 0); err == nil {
		t.Error("the same port twice")
	}
}

func TestSources(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	a, b, c := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	s := NewSources(Limits{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")}, Rate: 10, Burst: 3, Sources: 2})
	for i, step := range []struct {
		after time.Duration
		who   netip.Addr
		want  Verdict
	}{
		{0, netip.MustParseAddr("192.0.2.1"), NotAllowed},
		{0, netip.MustParseAddr("fe80::1%7"), Admitted},
		{0, a, Admitted},
		{0, a, Admitted},
		{0, a, Admitted},
		{0, a, TooFast},
		{0, b, TableFull},
		{50 * time.Millisecond, a, TooFast},
		{50 * time.Millisecond, a, Admitted}, // a token each 100 ms
		{0, a, TooFast},
		{30 * time.Second, a, Admitted},
		{31 * time.Second, b, Admitted}, // the first source has been silent for a minute
		{0, c, TableFull},
		{-time.Hour, b, Admitted}, // the clock was set back; the bucket goes on
		{0, b, Admitted},
		{0, b, TooFast},
		{time.Second, b, Admitted},
	} {
		now = now.Add(step.after)
		if got := s.Admit(step.who, now); got != step.want {
			t.Errorf("step %d: %s: %d, want %d", i, step.who, got, step.want)
		}
	}
	if got, want := s.Stats(), (SourceStats{Known: 2, NotAllowed: 1, TooFast: 4, TableFull: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, k := range s.Known() {
		if k.Addr == a && (k.Packets != 5 || k.Refused != 3) {
			t.Errorf("%+v", k)
		}
	}
}

func BenchmarkAdmit(b *testing.B) {
	s := NewSources(Limits{Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Rate: 1e9})
	a, now := netip.MustParseAddr("10.0.0.1"), time.Unix(1_790_000_000, 0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond)
		if s.Admit(a, now) != Admitted {
			b.Fatal("refused")
		}
	}
}

// BenchmarkUDP sends batches of Batch datagrams over loopback and reads them; the figure is one datagram, sending included.
func BenchmarkUDP(b *testing.B) {
	u, err := OpenUDP(b.Context(), "127.0.0.1:0", 8<<20)
	if err != nil {
		b.Fatal(err)
	}
	defer u.Close()
	c, err := net.Dial("udp", u.Local().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	data := make([]byte, 400)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		for range Batch {
			if _, err := c.Write(data); err != nil {
				b.Fatal(err)
			}
		}
		for got := 0; got < Batch; {
			batch, err := u.Read()
			if err != nil {
				b.Fatal(err)
			}
			got += len(batch)
		}
		done += Batch
	}
}
