package reach

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Dialer opens the connections of one check. It is used by one run at a time or by several; it keeps nothing.
type Dialer struct {
	Resolver *net.Resolver // nil: the system's
	Family   Family
	Local    netip.Addr    // source address; zero: the system chooses
	Within   time.Duration // the time that a run has, for what is said when it is up
}

// Path is a connection and how it came about.
type Path struct {
	Conn     net.Conn
	Peer     netip.AddrPort
	Resolved bool          // whether a name had to be resolved
	DNS      time.Duration // how long that took
	Connect  time.Duration // how long connecting to Peer took; the addresses in vain are not counted
	InVain   []*Failure    // what the addresses before Peer failed with
}

// Connect opens a TCP connection to the first of the host's addresses that accepts one. When none does, the error is the *Failure of the
// last, and Path holds how far it came.
func (d *Dialer) Connect(ctx context.Context, host string, port int) (Path, error) {
	var path Path
	start := time.Now()
	ips, resolved, err := d.Resolve(ctx, host)
	path.Resolved, path.DNS = resolved, time.Since(start)
	if err != nil {
		return path, err
	}
	for i, ip := range ips {
		path.Peer = netip.AddrPortFrom(ip, uint16(port))
		begun := time.Now()
		path.Conn, err = d.dialShare(ctx, path.Peer, len(ips)-i)
		path.Connect = time.Since(begun)
		if err == nil {
			return path, nil
		}
		why := d.explain(ctx, err, path.Peer, path.Connect)
		if i == len(ips)-1 || ctx.Err() != nil {
			return path, why
		}
		path.InVain = append(path.InVain, why)
	}
	return path, failure("no_address", host) // Resolve returns at least one
}

// dialShare gives an address an equal share of the time that is left when others wait behind it.
func (d *Dialer) dialShare(ctx context.Context, to netip.AddrPort, addresses int) (net.Conn, error) {
	deadline, bounded := ctx.Deadline()
	if bounded && addresses > 1 {
		short, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(addresses))
		defer cancel()
		ctx = short
	}
	return d.Dial(ctx, "tcp", to)
}

// Dial opens a socket to one address: network is tcp or udp. The error is not a Failure unless the address is forbidden.
func (d *Dialer) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAlive: -1, ControlContext: guard}
	if d.Local.IsValid() {
		if network == "udp" {
			dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(d.Local, 0))
		} else {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(d.Local, 0))
		}
	}
	return dialer.DialContext(ctx, network, to.String())
}

// guard refuses a forbidden address at the last moment, when the address is what the socket will really be given.
func guard(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || Forbidden(to.Addr()) {
		return failure("forbidden", address)
	}
	return nil
}

func (d *Dialer) explain(ctx context.Context, err error, peer netip.AddrPort, took time.Duration) *Failure {
	switch {
	case ctx.Err() != nil:
		return Ended(ctx, d.Within, "late_connect", peer.String())
	case TimedOut(err):
		return failure("late_connect", peer.String(), took.Round(10*time.Millisecond).Seconds())
	case errors.Is(err, syscall.EADDRNOTAVAIL) && d.Local.IsValid():
		return failure("no_source", d.Local.String())
	}
	return Broken(err, peer.String())
}

// Resolve lists a host's addresses in the order in which to try them, at least one; resolved is false when the host is an address itself.
// The error is a *Failure.
func (d *Dialer) Resolve(ctx context.Context, host string) (ips []netip.Addr, resolved bool, err error) {
	if ip, parseErr := netip.ParseAddr(strings.Trim(host, "[]")); parseErr == nil {
		if !d.Family.has(ip.Unmap()) {
			return nil, false, failure("no_family", host, string(d.Family))
		}
		if ctx.Err() != nil {
			return nil, false, Ended(ctx, d.Within, "late_connect", host)
		}
		return []netip.Addr{ip.Unmap()}, false, nil
	}
	resolver := d.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	ips, err = resolver.LookupNetIP(ctx, d.Family.network(), host)
	if err != nil {
		return nil, true, d.unresolved(ctx, err, host)
	}
	for i := range ips {
		ips[i] = ips[i].Unmap()
	}
	ips = slices.DeleteFunc(ips, func(ip netip.Addr) bool { return !d.Family.has(ip) })
	if len(ips) == 0 {
		return nil, true, failure("no_address", host)
	}
	return ips, true, nil
}

func (d *Dialer) unresolved(ctx context.Context, err error, host string) *Failure {
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return Ended(ctx, d.Within, "late_dns", host)
	case errors.As(err, &dns) && dns.IsNotFound:
		return failure("no_name", host)
	case errors.As(err, &dns) && dns.IsTimeout:
		return failure("dns_silent", host)
	case errors.As(err, &dns):
		return failure("dns_broken", host, Clean(dns.Err, 120))
	}
	return failure("dns_broken", host, Clean(err.Error(), 120))
}
