package ping

import "vigia/collectors"

// said4 puts an ICMP error into words (RFC 792, RFC 1812 §5.2.7.1).
func said4(router string, kind, code int) collectors.Reason {
	const unreachable, timeExceeded = 3, 11
	switch {
	case kind == timeExceeded:
		return collectors.Because("ping.ttl", router)
	case kind != unreachable:
		return collectors.Because("ping.unreachable", router, kind, code)
	}
	switch code {
	case 0, 6, 11:
		return collectors.Because("ping.net_unreachable", router)
	case 1, 7, 12:
		return collectors.Because("ping.host_unreachable", router)
	case 9, 10, 13:
		return collectors.Because("ping.prohibited", router)
	}
	return collectors.Because("ping.unreachable", router, kind, code)
}

// said6 puts an ICMPv6 error into words (RFC 4443 §3).
func said6(router string, kind, code int) collectors.Reason {
	const unreachable, timeExceeded = 1, 3
	switch {
	case kind == timeExceeded:
		return collectors.Because("ping.ttl", router)
	case kind != unreachable:
		return collectors.Because("ping.unreachable", router, kind, code)
	}
	switch code {
	case 0:
		return collectors.Because("ping.net_unreachable", router)
	case 3:
		return collectors.Because("ping.host_unreachable", router)
	case 1, 5, 6:
		return collectors.Because("ping.prohibited", router)
	}
	return collectors.Because("ping.unreachable", router, kind, code)
}
