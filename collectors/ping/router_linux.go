package ping

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"vigia/collectors"
)

// askRouter sends one more echo request, on a connected socket that asks for ICMP errors, and waits with ctx for one. It returns which router
// said what, or nothing when none did; whatever goes wrong here is not worth a word.
func askRouter(ctx context.Context, addr, source netip.Addr, raw bool) collectors.Reason {
	conn, err := dialEcho(ctx, addr, source, raw)
	if err != nil {
		return collectors.Reason{}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })()
	if _, err = conn.Write(echoRequest(addr)); err != nil {
		return collectors.Reason{}
	}
	var errno syscall.Errno
	for range 100 { // answers, and on a raw socket other processes' packets, are not what we wait for
		if _, err = conn.Read(make([]byte, 256)); err != nil {
			break
		}
	}
	if !errors.As(err, &errno) {
		return collectors.Reason{}
	}
	return readQueue(conn, addr)
}

func echoRequest(addr netip.Addr) []byte {
	m := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: os.Getpid() & 0xffff, Seq: 1, Data: make([]byte, minSize)}}
	if addr.Is6() {
		m.Type = ipv6.ICMPTypeEchoRequest
	}
	packet, err := m.Marshal(nil)
	if err != nil {
		return nil
	}
	return packet
}

// dialEcho opens the socket: raw, or the ping socket that the system gives to ordinary processes.
func dialEcho(ctx context.Context, addr, source netip.Addr, raw bool) (net.Conn, error) {
	if raw {
		return dialRaw(ctx, addr, source)
	}
	family, protocol := syscall.AF_INET, syscall.IPPROTO_ICMP
	if addr.Is6() {
		family, protocol = syscall.AF_INET6, syscall.IPPROTO_ICMPV6
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "icmp echo")
	defer file.Close() // net.FileConn takes a copy
	if err = askForErrors(fd, addr.Is6()); err != nil {
		return nil, err
	}
	if source.IsValid() {
		if err = syscall.Bind(fd, sockaddr(source)); err != nil {
			return nil, os.NewSyscallError("bind", err)
		}
	}
	if err = syscall.Connect(fd, sockaddr(addr)); err != nil {
		return nil, os.NewSyscallError("connect", err)
	}
	return net.FileConn(file)
}

func dialRaw(ctx context.Context, addr, source netip.Addr) (net.Conn, error) {
	network := "ip4:icmp"
	if addr.Is6() {
		network = "ip6:ipv6-icmp"
	}
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		if err := c.Control(func(fd uintptr) { set = askForErrors(int(fd), addr.Is6()) }); err != nil {
			return err
		}
		return set
	}}
	if source.IsValid() {
		dialer.LocalAddr = &net.IPAddr{IP: source.AsSlice()}
	}
	return dialer.DialContext(ctx, network, addr.String())
}

// askForErrors makes the system hand ICMP errors to the socket (ip(7), IP_RECVERR).
func askForErrors(fd int, six bool) error {
	if six {
		return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_RECVERR, 1))
	}
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_RECVERR, 1))
}

func sockaddr(a netip.Addr) syscall.Sockaddr {
	if a.Is4() {
		return &syscall.SockaddrInet4{Addr: a.As4()}
	}
	sa := &syscall.SockaddrInet6{Addr: a.As16()}
	if dev, err := net.InterfaceByName(a.Zone()); err == nil {
		sa.ZoneId = uint32(dev.Index)
	}
	return sa
}

// readQueue reads the ICMP error from the socket's error queue.
func readQueue(conn net.Conn, addr netip.Addr) collectors.Reason {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return collectors.Reason{}
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return collectors.Reason{}
	}
	var why collectors.Reason
	rc.Control(func(fd uintptr) {
		control := make([]byte, 512)
		_, n, _, _, err := syscall.Recvmsg(int(fd), make([]byte, 256), control, syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
		if err != nil {
			return
		}
		messages, err := syscall.ParseSocketControlMessage(control[:n])
		if err != nil {
			return
		}
		for _, m := range messages {
			if found := decodeError(m.Data); !found.IsZero() {
				why = found
			}
		}
	})
	return why
}

// decodeError reads struct sock_extended_err (linux/errqueue.h): errno 4 octets, origin, type, code, padding, info 4, data 4, and after it
// the address of who sent the ICMP error.
func decodeError(b []byte) collectors.Reason {
	const size, originICMP, originICMP6 = 16, 2, 3
	if len(b) < size || b[4] != originICMP && b[4] != originICMP6 {
		return collectors.Reason{}
	}
	router := "?"
	sa := b[size:]
	switch {
	case len(sa) >= 8 && binary.NativeEndian.Uint16(sa) == syscall.AF_INET:
		router = netip.AddrFrom4([4]byte(sa[4:8])).String()
	case len(sa) >= 24 && binary.NativeEndian.Uint16(sa) == syscall.AF_INET6:
		router = netip.AddrFrom16([16]byte(sa[8:24])).String()
	}
	if b[4] == originICMP {
		return said4(router, int(b[5]), int(b[6]))
	}
	return said6(router, int(b[5]), int(b[6]))
}
