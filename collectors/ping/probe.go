package ping

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"vigia/collectors"
)

// pinger is one target. Its fields but last never change.
type pinger struct {
	Config
	fixed  netip.Addr // the host, when it is an address
	source netip.Addr // to send from; may be invalid
	last   netip.Addr // what the name resolved to the last time
}

// Probe sends one burst.
func (p *pinger) Probe(ctx context.Context) collectors.Result {
	addr, steps, why := p.resolve(ctx)
	if !addr.IsValid() {
		if ctx.Err() != nil {
			return collectors.Result{Why: why} // our own time was over: that says nothing of the target
		}
		return down(why)
	}
	steps = append(steps, collectors.Because("ping.to", addr.String()))
	b, why := p.send(ctx, addr)
	if !why.IsZero() {
		return collectors.Result{Why: why, Steps: steps}
	}
	result := b.result(addr)
	result.Steps = append(steps, result.Steps...)
	return result
}

// down is a target that cannot even be tried.
func down(why collectors.Reason) collectors.Result {
	return collectors.Result{Why: why, Values: []collectors.Value{{Metric: collectors.Up, Value: 0}}}
}

// resolve returns the address to ping, or says why there is none.
func (p *pinger) resolve(ctx context.Context) (netip.Addr, []collectors.Reason, collectors.Reason) {
	if p.fixed.IsValid() {
		return p.fixed, nil, collectors.Reason{}
	}
	addrs, err := p.names.LookupNetIP(ctx, "ip", p.Host)
	if err != nil {
		why, broken := p.unresolved(err)
		if broken && p.last.IsValid() && ctx.Err() == nil {
			return p.last, []collectors.Reason{why, collectors.Because("ping.old_address", p.last.String())}, collectors.Reason{}
		}
		return netip.Addr{}, nil, why
	}
	for _, a := range addrs {
		if a = a.Unmap(); p.allows(a) && (!p.source.IsValid() || p.source.Is4() == a.Is4()) {
			p.last = a
			return a, nil, collectors.Reason{}
		}
	}
	family := p.Family
	if p.source.IsValid() {
		family = map[bool]string{true: "4", false: "6"}[p.source.Is4()]
	}
	return netip.Addr{}, nil, collectors.Because("ping.no_family", p.Host, family)
}

// unresolved says why a name did not resolve, and whether it was the name server that failed.
func (p *pinger) unresolved(err error) (why collectors.Reason, broken bool) {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return collectors.Because("ping.no_such_name", p.Host), false
	case errors.As(err, &dns) && dns.IsTimeout, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return collectors.Because("ping.dns_timeout", p.Host), true
	case errors.As(err, &dns):
		return collectors.Because("ping.dns_failed", p.Host, dns.Err), true
	}
	return collectors.Because("ping.dns_failed", p.Host, err.Error()), true
}

// send sends a burst by a datagram socket or else by a raw one. A reason means that nothing could be measured.
func (p *pinger) send(ctx context.Context, addr netip.Addr) (*burst, collectors.Reason) {
	b := newBurst(&p.Config, addr, p.source, false)
	err := b.run(ctx)
	if !b.opened && (errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EPROTONOSUPPORT)) {
		b, err = p.sendRaw(ctx, addr)
		if b == nil {
			return nil, collectors.Because("ping.busy", rawAtOnce)
		}
	}
	switch {
	case !b.opened && err != nil:
		return nil, p.noSocket(err)
	case b.cut && b.received < b.Count:
		return nil, collectors.Because("ping.cut", len(b.sent), b.Count)
	}
	if late, is := b.starved(); is {
		return nil, collectors.Because("ping.starved", late.Seconds())
	}
	return b, collectors.Reason{}
}

// sendRaw waits for one of the places that raw sockets have; no burst when there is none in time.
func (p *pinger) sendRaw(ctx context.Context, addr netip.Addr) (*burst, error) {
	select {
	case p.raw <- struct{}{}:
		defer func() { <-p.raw }()
	default:
		select {
		case p.raw <- struct{}{}:
			defer func() { <-p.raw }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < p.burst()+minWait+lag {
		return nil, context.DeadlineExceeded
	}
	b := newBurst(&p.Config, addr, p.source, true)
	return b, b.run(ctx)
}

// noSocket says why no socket could be had.
func (p *pinger) noSocket(err error) collectors.Reason {
	var errno syscall.Errno
	switch {
	case errors.Is(err, os.ErrPermission):
		return collectors.Because("ping.forbidden")
	case errors.Is(err, syscall.EADDRNOTAVAIL) && p.source.IsValid():
		return collectors.Because("ping.no_source", p.source.String())
	case errors.As(err, &errno):
		return collectors.Because("ping.no_socket", errno.Error())
	}
	return collectors.Because("ping.no_socket", err.Error())
}
