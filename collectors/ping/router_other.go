//go:build !linux

package ping

import (
	"context"
	"net/netip"

	"vigia/collectors"
)

// askRouter knows nothing where the system has no queue of ICMP errors.
func askRouter(context.Context, netip.Addr, netip.Addr, bool) collectors.Reason {
	return collectors.Reason{}
}
