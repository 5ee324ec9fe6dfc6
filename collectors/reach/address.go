package reach

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"vigia/collectors"
)

// Family is the version of IP that a check uses.
type Family string

// The families. The empty Family is Auto.
const (
	Auto Family = "auto"
	IPv4 Family = "4"
	IPv6 Family = "6"
)

// UnmarshalText reads auto, 4 or 6.
func (f *Family) UnmarshalText(text []byte) error {
	switch v := Family(text); v {
	case Auto, IPv4, IPv6:
		*f = v
		return nil
	}
	return fmt.Errorf("%q is no family: 4, 6 or auto", text)
}

// MarshalText writes what UnmarshalText reads.
func (f Family) MarshalText() ([]byte, error) {
	if f == "" {
		f = Auto
	}
	return []byte(f), nil
}

// network is the resolver's word for the family.
func (f Family) network() string {
	switch f {
	case IPv4:
		return "ip4"
	case IPv6:
		return "ip6"
	}
	return "ip"
}

func (f Family) has(ip netip.Addr) bool {
	switch f {
	case IPv4:
		return ip.Is4()
	case IPv6:
		return ip.Is6()
	}
	return true
}

// metadata are the addresses of clouds' metadata services that are not link-local, and limited broadcast.
var metadata = [...]netip.Addr{
	netip.AddrFrom4([4]byte{100, 100, 100, 200}),
	netip.AddrFrom4([4]byte{192, 0, 0, 192}),
	netip.AddrFrom4([4]byte{255, 255, 255, 255}),
	netip.AddrFrom16([16]byte{0: 0xfd, 2: 0x0e, 3: 0xc2, 14: 0x02, 15: 0x54}), // fd00:ec2::254
}

// Forbidden reports whether a check must not send anything to ip.
func Forbidden(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip.IsLinkLocalUnicast() {
		return true
	}
	for _, m := range metadata {
		if ip == m {
			return true
		}
	}
	return false
}

// HostProblems checks a host: a name or an IP address, without a port.
func HostProblems(key, host string) []collectors.Problem {
	problem := func(message, hint string) []collectors.Problem {
		return []collectors.Problem{{Key: key, Message: message, Hint: hint}}
	}
	if host == "" {
		return problem(key+" is missing", "give a name or an IP address")
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		if Forbidden(ip) {
			return problem(fmt.Sprintf("%s is a link-local, multicast, broadcast or metadata address", host), "checks do not go there")
		}
		return nil
	}
	if !validName(host) {
		return problem(fmt.Sprintf("%q is neither a host name nor an IP address", host), "write only the host, without scheme, port or path")
	}
	return nil
}

// validName accepts the host names of RFC 1123 and the underscore that many networks use besides.
func validName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return !allDigits(host)
}

// allDigits catches a mistyped IPv4 address, such as 192.0.2.300.
func allDigits(host string) bool {
	return strings.Trim(host, "0123456789.") == ""
}

// SplitAddress takes host:port apart and checks both.
func SplitAddress(key, address string) (host string, port int, problems []collectors.Problem) {
	h, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, []collectors.Problem{{Key: key, Message: fmt.Sprintf("%q is not host:port", address), Hint: "such as 192.0.2.10:5061 or [2001:db8::10]:5061"}}
	}
	problems = HostProblems(key, h)
	n, err := strconv.Atoi(p)
	if err != nil {
		n = -1
	}
	problems = append(problems, PortProblems(key, n)...)
	return h, n, problems
}

// PortProblems checks a port number.
func PortProblems(key string, port int) []collectors.Problem {
	if port >= 1 && port <= 65535 {
		return nil
	}
	return []collectors.Problem{{Key: key, Message: "the port is not a number from 1 to 65535"}}
}
