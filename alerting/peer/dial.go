package peer

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

var errForbidden = errors.New("messages are never sent to link-local, multicast or unspecified addresses")

const (
	dialTimeout = 5 * time.Second
)

// newClient makes a client that follows no redirect, uses no proxy, and looks at each address that it dials.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: control}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout, ForceAttemptHTTP2: true, DisableCompression: true,
			MaxResponseHeaderBytes: 64 << 10,
			// A connection of its own for each POST: what a peer says unasked on an idle one is logged by net/http itself, and a peer that
			// echoes would put the URL's secret there.
			DisableKeepAlives: true,
		},
	}
}

// control refuses an address after its name was resolved, so that no name can lead there.
func control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errForbidden, address)
	}
	if forbidden(ap.Addr()) {
		return errForbidden
	}
	return nil
}

var (
	metadataIPv6 = netip.MustParseAddr("fd00:ec2::254")  // instance metadata over IPv6
	translated   = netip.MustParsePrefix("64:ff9b::/96") // NAT64, RFC 6052: the last 32 bits are an IPv4 address
	embedded     = netip.MustParsePrefix("2002::/16")    // 6to4, RFC 3056: bits 16 to 47 are one
	compatible   = netip.MustParsePrefix("::/96")        // IPv4-compatible, RFC 4291 §2.5.5.1
	broadcast    = netip.MustParseAddr("255.255.255.255")
)

func forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if inner, ok := inner(ip); ok && forbidden(inner) {
		return true
	}
	return ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip == metadataIPv6 || ip == broadcast
}

// inner is the IPv4 address that an IPv6 address carries for a translator.
func inner(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() || ip.IsLoopback() || ip.IsUnspecified() {
		return netip.Addr{}, false
	}
	b := ip.As16()
	switch {
	case translated.Contains(ip), compatible.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case embedded.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}
