package ping

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	probing "github.com/prometheus-community/pro-bing"

	"vigia/collectors"
)

// burst is one series of requests and what came back. pro-bing calls on* from one goroutine; the rest reads the fields after it has ended.
type burst struct {
	*Config
	addr   netip.Addr
	source netip.Addr // may be invalid
	raw    bool

	opened     bool            // a socket could be had
	cut        bool            // our deadline or our end came before the wait was over
	sent       []time.Time     // by sequence number
	rtts       []time.Duration // likewise; unanswered where there is none
	received   int
	duplicates int
	failed     int   // requests that could not be sent
	sendErr    error // the last reason of these
	router     collectors.Reason
	looked     atomic.Int64 // how often the reader found its socket empty
}

const unanswered time.Duration = -1

func newBurst(c *Config, addr, source netip.Addr, raw bool) *burst {
	return &burst{Config: c, addr: addr, source: source, raw: raw}
}

// run sends the requests and waits for the answers. It ends when all have come, when the wait after the last request is over, or with ctx.
func (b *burst) run(ctx context.Context) error {
	inner, end := context.WithCancel(ctx)
	defer end()
	var helpers sync.WaitGroup
	var waited atomic.Bool
	wait := b.Wait.Std()
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)-b.burst()-lag)
	}
	if wait < minWait {
		b.opened, b.cut = true, true
		return nil
	}
	err := b.pinger(end, func() {
		helpers.Go(func() {
			if b.waitOut(inner, wait) {
				waited.Store(true)
				end()
			}
		})
		if b.received == 0 {
			helpers.Go(func() { b.router = askRouter(inner, b.addr, b.source, b.raw) })
		}
	}).RunWithContext(inner)
	end()
	helpers.Wait()
	b.cut = ctx.Err() != nil && !waited.Load()
	return err
}

// pinger makes pro-bing's part; lastIsOut is called when no further request will be sent. pro-bing's own Timeout counts from the first
// request, so that a machine that is short of time would lose answers that it never waited for; run counts from the last one instead.
func (b *burst) pinger(end, lastIsOut func()) *probing.Pinger {
	p := probing.New("")
	p.SetIPAddr(&net.IPAddr{IP: b.addr.WithZone("").AsSlice(), Zone: b.addr.Zone()})
	p.SetPrivileged(b.raw)
	p.SetLogger(&endless{burst: b, end: end})
	p.Count, p.Interval, p.Size = b.Config.Count, b.Interval.Std(), b.Size
	p.RecordRtts, p.RecordTTLs = false, false
	if b.source.IsValid() {
		p.Source = b.source.String()
	}
	tried := func() {
		if len(b.sent) > 0 && len(b.sent)+b.failed == b.Config.Count {
			p.Count = len(b.sent) // those that could not be sent are not tried again
			lastIsOut()
		}
	}
	p.OnSetup = func() { b.opened = true }
	p.OnSend = func(*probing.Packet) {
		b.onSend()
		tried()
	}
	p.OnSendError = func(_ *probing.Packet, err error) {
		b.failed++
		b.sendErr = err
		tried()
	}
	p.OnRecv = b.onRecv
	p.OnRecvError = func(error) { b.looked.Add(1) }
	p.OnDuplicateRecv = func(*probing.Packet) { b.duplicates++ }
	return p
}

func (b *burst) onSend() {
	b.sent = append(b.sent, time.Now())
	b.rtts = append(b.rtts, unanswered)
}

func (b *burst) onRecv(pkt *probing.Packet) {
	if pkt.Seq < 0 || pkt.Seq >= len(b.sent) || b.rtts[pkt.Seq] != unanswered {
		return
	}
	b.rtts[pkt.Seq] = honest(pkt.Rtt, time.Since(b.sent[pkt.Seq]))
	b.received++
}

// honest returns the round-trip time that pro-bing took from the wall clock, unless the monotonic clock, read just after the request went
// out, contradicts it: then the wall clock was moved, or the machine stood still between the two readings.
func honest(wall, monotonic time.Duration) time.Duration {
	const below, above = time.Millisecond, 20 * time.Millisecond
	if wall < monotonic-below || wall > monotonic+above {
		return max(monotonic, 0)
	}
	return max(wall, 0)
}

// looks is how often pro-bing's reader must have found its socket empty after the wait before a request counts as lost. It looks at random
// distances of 0 to 102 ms.
const looks = 2

// waitOut waits and reports whether it was let. When the time is over it goes on until the reader has found the socket empty and this process
// gets to run without delay: answers may lie in the socket, or between pro-bing's goroutines, that nobody has had the time to count, and
// a machine that is short of time must not see a loss in that.
func (b *burst) waitOut(ctx context.Context, wait time.Duration) bool {
	const nap, oversleep, naps = 5 * time.Millisecond, 15 * time.Millisecond, 4
	if !sleep(ctx, wait) {
		return false
	}
	enough := b.looked.Load() + looks
	for smooth := 0; smooth < naps || b.looked.Load() < enough; smooth++ {
		start := time.Now()
		if !sleep(ctx, nap) {
			return false
		}
		if time.Since(start) > nap+oversleep {
			smooth = -1 // begin again
		}
	}
	return true
}

// tardy is how much later than planned the last request may leave before a loss in the burst is not believed.
const tardy = 200 * time.Millisecond

// starved returns how late the last request left when that was too late: this process did not get to run in time, and may have missed
// answers too.
func (b *burst) starved() (time.Duration, bool) {
	if b.received >= len(b.sent) || len(b.sent) < 2 || b.failed > 0 {
		return 0, false
	}
	late := b.sent[len(b.sent)-1].Sub(b.sent[0]) - time.Duration(len(b.sent)-1)*b.Interval.Std()
	return late, late > tardy
}

// sleep reports whether it was let.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// endless is pro-bing's logger. pro-bing answers EACCES ("a broadcast address, or a route that prohibits") by allowing broadcasts and
// trying again, for ever and without looking at its context; the only sign is a line to its logger before each try. So that line ends the
// goroutine that sends: its deferred calls close everything properly.
type endless struct {
	probing.NoopLogger
	burst *burst
	end   func()
}

// Infof ends the sending goroutine.
func (l *endless) Infof(string, ...any) {
	l.burst.failed++
	l.burst.sendErr = syscall.EACCES
	l.end()
	runtime.Goexit()
}

// result turns a burst that was carried out into figures.
func (b *burst) result(addr netip.Addr) collectors.Result {
	r := collectors.Result{Steps: b.steps()}
	attempts := len(b.sent) + b.failed
	switch {
	case len(b.sent) == 0:
		return b.nothingSent(addr, r)
	case b.received == 0:
		r.Why = b.router
		if r.Why.IsZero() {
			r.Why = collectors.Because("ping.silent", attempts, addr.String())
		}
		r.Values = []collectors.Value{{Metric: collectors.Up, Value: 0}, {Metric: collectors.LossPct, Value: 100}}
		return r
	}
	f := figuresOf(b.rtts)
	lost := attempts - b.received
	r.OK = lost == 0
	r.Why = collectors.Because("ping.answered", attempts, f.shortest, f.mean, f.longest)
	if lost > 0 {
		r.Why = collectors.Because("ping.lost", lost, attempts, f.shortest, f.mean, f.longest)
	}
	r.Values = []collectors.Value{
		{Metric: collectors.Up, Value: 1},
		{Metric: collectors.LossPct, Value: 100 * float64(lost) / float64(attempts)},
		{Metric: collectors.LatencyMS, Value: f.mean},
	}
	if b.received > 1 {
		r.Values = append(r.Values, collectors.Value{Metric: collectors.JitterMS, Value: f.jitter})
	}
	return r
}

// nothingSent says why not one request left. Where the way to the target is closed, the target is down; what is wrong with this machine
// says nothing of it.
func (b *burst) nothingSent(addr netip.Addr, r collectors.Result) collectors.Result {
	var errno syscall.Errno
	errors.As(b.sendErr, &errno)
	r.Values = []collectors.Value{{Metric: collectors.Up, Value: 0}}
	switch {
	case errno == syscall.ENETUNREACH, errno == syscall.EHOSTUNREACH, errno == syscall.EADDRNOTAVAIL:
		r.Why = collectors.Because("ping.no_route", addr.String())
	case errors.Is(b.sendErr, os.ErrPermission):
		r.Why = collectors.Because("ping.barred", addr.String())
	case b.sendErr == nil:
		r.Why, r.Values = collectors.Because("ping.cut", 0, b.Config.Count), nil
	default:
		r.Why, r.Values = collectors.Because("ping.unsent", addr.String(), sayErr(b.sendErr)), nil
	}
	return r
}

// steps is what else there is to say.
func (b *burst) steps() []collectors.Reason {
	var steps []collectors.Reason
	if b.raw {
		steps = append(steps, collectors.Because("ping.raw"))
	}
	var missing []string
	for i, rtt := range b.rtts {
		if rtt == unanswered {
			missing = append(missing, strconv.Itoa(i+1))
		}
	}
	if len(missing) > 0 && b.received > 0 {
		steps = append(steps, collectors.Because("ping.no_answer", strings.Join(missing, ", ")))
	}
	if b.duplicates > 0 {
		steps = append(steps, collectors.Because("ping.duplicates", b.duplicates))
	}
	if b.failed > 0 && len(b.sent) > 0 {
		steps = append(steps, collectors.Because("ping.not_sent", b.failed, sayErr(b.sendErr)))
	}
	return steps
}

// sayErr is the system's word for an error.
func sayErr(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// figures are the round-trip times of a burst, in milliseconds.
type figures struct{ shortest, mean, longest, jitter float64 }

// figuresOf computes them over the answered requests, in the order of sending.
func figuresOf(rtts []time.Duration) figures {
	f := figures{shortest: math.Inf(1)}
	n, before := 0, 0.0
	for _, rtt := range rtts {
		if rtt == unanswered {
			continue
		}
		ms := float64(rtt) / float64(time.Millisecond)
		f.shortest, f.longest = min(f.shortest, ms), max(f.longest, ms)
		f.mean += ms
		if n > 0 {
			f.jitter += math.Abs(ms - before)
		}
		n, before = n+1, ms
	}
	round := func(ms float64) float64 { return math.Round(ms*1000) / 1000 }
	f.mean /= float64(n)
	f.jitter /= float64(max(n-1, 1))
	return figures{round(f.shortest), round(f.mean), round(f.longest), round(f.jitter)}
}
