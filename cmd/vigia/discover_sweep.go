package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vigia/collectors/snmp"
)

// hostBits bounds a network that is swept: 2^10 addresses.
const hostBits = 10

// helloWait is how long an address of a sweep has to say hello: three requests to the other side of the world.
const helloWait = time.Second

// addresses lists the addresses of a network that a device can have.
func addresses(text string) (netip.Prefix, []string, error) {
	bad := func(format string, args ...any) (netip.Prefix, []string, error) {
		return netip.Prefix{}, nil, fmt.Errorf("--network: "+format, args...)
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return bad("%q is not a network such as 192.0.2.0/24", text)
	case p.Addr().Is4In6():
		return bad("%s is IPv4 written as IPv6; write it as IPv4", p)
	case p.Masked() != p:
		return bad("%s has bits set beyond its length; write %s", p, p.Masked())
	case p.Addr().BitLen()-p.Bits() > hostBits:
		return bad("%s is too large; at most 1024 addresses at a time: /22 of IPv4, /118 of IPv6", p)
	case p.Addr().IsMulticast():
		return bad("%s is multicast; no device has such an address", p)
	}
	var out []string
	for a := p.Addr(); a.IsValid() && p.Contains(a); a = a.Next() {
		out = append(out, a.String())
	}
	if p.Addr().Is4() && p.Bits() <= 30 { // the first is the network, the last its broadcast
		out = out[1 : len(out)-1]
	}
	return p, out, nil
}

// answer is what became of one address.
type answer struct {
	host   string
	survey snmp.Survey
	err    error
	asked  bool // false when the sweep ended before
}

var errInterrupted = errors.New("ended before it was asked")

// sweep asks many, paced and some at once.
type sweep struct {
	ask      func(ctx context.Context, host string) (snmp.Survey, error)
	pace     int // a second; 0 without limit
	atOnce   int
	progress io.Writer // a terminal, or nil
}

// run asks all hosts until ctx ends, and returns when nobody is being asked any more. The answers are in the order of the hosts.
func (s *sweep) run(ctx context.Context, hosts []string) []answer {
	out := make([]answer, len(hosts))
	for i, host := range hosts {
		out[i].host, out[i].err = host, errInterrupted
	}
	shown := progress{w: s.progress, total: len(hosts)}
	var g errgroup.Group
	g.SetLimit(s.atOnce)
	next, stop := s.ticks()
	defer stop()
	for i := range out {
		if !waitFor(ctx, next) {
			break
		}
		g.Go(func() error {
			a := &out[i]
			if ctx.Err() != nil { // it ended while this one waited for its turn
				return nil
			}
			a.survey, a.err = s.ask(ctx, a.host)
			a.asked = a.err == nil || ctx.Err() == nil
			shown.done(a.err == nil)
			return nil
		})
	}
	_ = g.Wait() // none returns an error
	shown.end()
	return out
}

// ticks lets one address pass each time; without a pace it never makes anyone wait.
func (s *sweep) ticks() (<-chan time.Time, func()) {
	if s.pace <= 0 {
		always := make(chan time.Time)
		close(always)
		return always, func() {}
	}
	t := time.NewTicker(time.Second / time.Duration(s.pace))
	return t.C, t.Stop
}

// waitFor waits for the next tick; it reports false when ctx ended.
func waitFor(ctx context.Context, next <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-next:
		return ctx.Err() == nil
	}
}

// progress shows on a terminal how far a sweep is.
type progress struct {
	w     io.Writer // nil: nobody looks
	total int

	mu              sync.Mutex
	asked, answered int
}

func (p *progress) done(answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if answered {
		p.answered++
	}
	if p.w != nil && p.total > 1 {
		_, _ = fmt.Fprintf(p.w, "\r%d of %d asked, %d answered ", p.asked, p.total, p.answered)
	}
}

func (p *progress) end() {
	if p.w != nil && p.total > 1 && p.asked > 0 {
		_, _ = fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", 50))
	}
}

// progressOn returns w when it is a terminal, otherwise nil.
func progressOn(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return f
}

// tally counts what became of the addresses.
type tally struct {
	addresses, asked, answered, silent int

	refused map[string]int // by what was wrong
}

func (r *report) tally() tally {
	t := tally{addresses: len(r.answers), refused: map[string]int{}}
	for _, a := range r.answers {
		switch {
		case !a.asked:
			continue
		case a.err == nil:
			t.answered++
		case snmp.Silent(a.err):
			t.silent++
		default:
			t.refused[r.plan.nobody(a.host, a.err)]++
		}
		t.asked++
	}
	return t
}

// nobody is an error without the address that it is about, so that equal ones can be counted.
func (p *plan) nobody(host string, err error) string {
	at := p.config(host).Target()
	return printable(strings.ReplaceAll(strings.ReplaceAll(err.Error(), at, "it"), host, "it"))
}

// summary is one line about the whole of it.
func (r *report) summary() string {
	t := r.tally()
	text := fmt.Sprintf("%s, %d answered, %d silent", plural(t.addresses, "address", "addresses"), t.answered, t.silent)
	for _, why := range slices.Sorted(maps.Keys(t.refused)) {
		text += fmt.Sprintf("; %d: %s", t.refused[why], why)
	}
	if t.asked < t.addresses {
		text += fmt.Sprintf("; ended early, %d were not asked", t.addresses-t.asked)
	}
	if r.plan.network.IsValid() {
		text = r.plan.network.String() + ": " + text
	}
	return text
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
