package reach_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigia/collectors/reach"
	"vigia/collectors/reach/reachtest"
)

func listen(t *testing.T, address string) (*net.TCPListener, int) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener), l.Addr().(*net.TCPAddr).Port
}

// connect runs one Connect under a second's deadline.
func connect(t *testing.T, d reach.Dialer, host string, port int) (reach.Path, error) {
	t.Helper()
	d.Within = time.Second
	ctx, cancel := context.WithTimeout(t.Context(), d.Within)
	defer cancel()
	path, err := d.Connect(ctx, host, port)
	if err == nil {
		path.Conn.Close()
	}
	return path, err
}

func TestConnectTriesAddressesInTurn(t *testing.T) {
	_, port := listen(t, "127.0.0.3:0")
	d := reach.Dialer{Family: reach.IPv4, Resolver: reachtest.Resolver(t, map[string][]string{"sbc.example.": {"127.0.0.1", "127.0.0.2", "127.0.0.3"}})}
	path, err := connect(t, d, "sbc.example", port)
	if err != nil {
		t.Fatal(err)
	}
	if path.Peer.Addr() != netip.MustParseAddr("127.0.0.3") || !path.Resolved || path.DNS <= 0 || path.Connect <= 0 {
		t.Errorf("path: %+v", path)
	}
	if len(path.InVain) != 2 || path.InVain[0].Code != "refused" {
		t.Errorf("in vain: %v", path.InVain)
	}
}

func TestConnectFamilies(t *testing.T) {
	_, port := listen(t, "[::1]:0")
	names := reachtest.Resolver(t, map[string][]string{"both.example.": {"127.0.0.1", "::1"}, "four.example.": {"127.0.0.1"}})
	if path, err := connect(t, reach.Dialer{Family: reach.IPv6, Resolver: names}, "both.example", port); err != nil || !path.Peer.Addr().Is6() {
		t.Errorf("IPv6 of a host with both: %v %v", path.Peer, err)
	}
	if path, err := connect(t, reach.Dialer{Resolver: names}, "::1", port); err != nil || path.Resolved {
		t.Errorf("an address: %+v %v", path, err)
	}
	for host, code := range map[string]string{"four.example": "no_", "127.0.0.1": "no_family"} {
		_, err := connect(t, reach.Dialer{Family: reach.IPv6, Resolver: names}, host, port)
		if f := asFailure(t, err); !strings.HasPrefix(f.Code, code) {
			t.Errorf("IPv6 of %s: %s", host, f.Code)
		}
	}
}

func asFailure(t *testing.T, err error) *reach.Failure {
	t.Helper()
	var f *reach.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v (%T) is no Failure", err, err)
	}
	return f
}

func TestConnectFailures(t *testing.T) {
	l, refused := listen(t, "127.0.0.1:0")
	l.Close()
	names := reachtest.Resolver(t, map[string][]string{"metadata.example.": {"169.254.169.254"}, "cast.example.": {"224.0.0.1"}})
	for _, c := range []struct {
		host string
		d    reach.Dialer
		want string
	}{
		{"127.0.0.1", reach.Dialer{}, "connection refused by 127.0.0.1:"},
		{"gone.example", reach.Dialer{Resolver: names}, "gone.example does not resolve: there is no such name"},
		{"gone.example", reach.Dialer{Resolver: reachtest.SilentResolver(t)}, "gone.example is not resolved within 1 s (dns)"},
		{"metadata.example", reach.Dialer{Resolver: names}, "169.254.169.254:"}, // by a name, which the configuration cannot see
		{"cast.example", reach.Dialer{Resolver: names}, "224.0.0.1:"},
		{"127.0.0.1", reach.Dialer{Local: netip.MustParseAddr("203.0.113.77")}, "203.0.113.77 cannot be used as the source address"},
	} {
		_, err := connect(t, c.d, c.host, refused)
		if f := asFailure(t, err); !strings.HasPrefix(f.Error(), c.want) {
			t.Errorf("%s: %q, want %q", c.host, f.Error(), c.want)
		}
	}
}

func TestConnectFromLocal(t *testing.T) {
	l, port := listen(t, "127.0.0.1:0")
	from := make(chan string, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			from <- c.RemoteAddr().String()
			c.Close()
		}
	}()
	if _, err := connect(t, reach.Dialer{Local: netip.MustParseAddr("127.0.0.9")}, "127.0.0.1", port); err != nil {
		t.Fatal(err)
	}
	if got := <-from; !strings.HasPrefix(got, "127.0.0.9:") {
		t.Errorf("came from %s", got)
	}
}

func TestConnectStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := reach.Dialer{Within: time.Second}
	_, err := d.Connect(ctx, "127.0.0.1", 1)
	if f := asFailure(t, err); f.Code != "stopped" {
		t.Errorf("got %s", f.Code)
	}
}

// full is a port that lets connections hang: its queue of unaccepted ones holds one, and that place is taken.
func full(t *testing.T, ip [4]byte) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: ip}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	taken, err := net.Dial("tcp", netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(port)).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	return port
}

// TestSilentAddressLeavesTimeForTheNext: the first of two gets half of the time.
func TestSilentAddressLeavesTimeForTheNext(t *testing.T) {
	port := full(t, [4]byte{127, 0, 0, 1})
	listen(t, net.JoinHostPort("127.0.0.2", strconv.Itoa(port)))
	names := reachtest.Resolver(t, map[string][]string{"sbc.example.": {"127.0.0.1", "127.0.0.2"}})
	path, err := connect(t, reach.Dialer{Family: reach.IPv4, Resolver: names}, "sbc.example", port)
	if err != nil || len(path.InVain) != 1 || path.InVain[0].Code != "late_connect" {
		t.Fatalf("%v; in vain: %v", err, path.InVain)
	}
	if path.Connect > 300*time.Millisecond {
		t.Errorf("connect took %v: the silent address is counted", path.Connect)
	}
	_, err = connect(t, reach.Dialer{}, "127.0.0.1", port)
	if f := asFailure(t, err); f.Error() != fmt.Sprintf("no answer from 127.0.0.1:%d within 1 s (connect)", port) {
		t.Error(f.Error())
	}
}
