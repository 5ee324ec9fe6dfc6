package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
)

// The timers of RFC 3261 §17.1.1.1 and table 4.
const (
	timerT1 = 500 * time.Millisecond
	timerT2 = 4 * time.Second
	timerF  = 64 * timerT1
)

// prober asks one peer. It keeps nothing between runs.
type prober struct {
	config Config
	port   int
	dialer reach.Dialer
	tls    *tls.Config
	reader *reader
	within time.Duration
}

// run is what one run has found so far.
type run struct {
	*prober
	request request
	peer    string
	result  collectors.Result

	begun     time.Time // the first transmission
	sent      int       // transmissions
	waiting   string    // the last provisional answer
	ignored   int       // SIP packets that answer something else
	garbled   int       // packets that are not SIP
	complaint string    // about the last of these
}

// Probe asks once.
func (p *prober) Probe(ctx context.Context) collectors.Result {
	ctx, cancel := context.WithTimeout(ctx, timerF)
	defer cancel()
	r := &run{prober: p}
	a, err := r.ask(ctx)
	if r.ignored > 0 {
		r.step("step_ignored", r.ignored)
	}
	if r.garbled > 0 {
		r.step("step_garbled", r.garbled, r.complaint)
	}
	if err != nil {
		r.result.Why = r.why(ctx, err)
		r.value(collectors.Up, 0)
		return r.result
	}
	r.judge(a, time.Since(r.begun))
	return r.result
}

func because(code string, args ...any) collectors.Reason {
	return collectors.Because(name+"."+code, args...)
}

func (r *run) step(code string, args ...any) {
	r.result.Steps = append(r.result.Steps, because(code, args...))
}

func (r *run) value(metric collectors.Metric, value float64) {
	r.result.Values = append(r.result.Values, collectors.Value{Metric: metric, Value: value})
}

// judge turns the final answer into the result.
func (r *run) judge(a answer, took time.Duration) {
	ms := reach.MS(took)
	if r.sent > 1 {
		r.step("step_again", r.sent)
	}
	expect := r.config.Expect
	anything := len(expect) == 0 || slices.Contains(expect, reach.Any)
	r.result.OK = anything || expect.Want(a.status)
	up := 1.0
	switch {
	case !r.result.OK:
		up = 0
		r.result.Why = because("unwanted", a.text, ms, expect.String())
	case anything && a.status >= 300:
		r.result.Why = because("alive", a.text, ms)
	default:
		r.result.Why = because("ok", a.text, ms)
	}
	r.value(collectors.Up, up)
	r.value(collectors.LatencyMS, ms)
	r.value(collectors.StatusCode, float64(a.status))
}

// why says why there is no final answer.
func (r *run) why(ctx context.Context, err error) collectors.Reason {
	var failure *reach.Failure
	switch {
	case errors.As(err, &failure):
		return failure.Reason(name)
	case errors.Is(err, errGarbled):
		return because("not_sip", r.complaint)
	case ctx.Err() == nil && !reach.TimedOut(err):
		return reach.Broken(err, r.peer).Reason(name)
	case r.waiting != "":
		return reach.Ended(ctx, r.within, "provisional", r.waiting).Reason(name)
	case r.ignored > 0:
		return reach.Ended(ctx, r.within, "foreign", r.peer).Reason(name)
	case r.garbled > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return because("not_sip", r.complaint)
	case r.sent > 1:
		return reach.Ended(ctx, r.within, "late", r.peer, r.sent).Reason(name)
	}
	return reach.Ended(ctx, r.within, "late_once", r.peer).Reason(name)
}

var errGarbled = errors.New("not SIP")

// ask sends OPTIONS and waits for its final answer.
func (r *run) ask(ctx context.Context) (answer, error) {
	if r.config.Transport == overUDP {
		return r.askUDP(ctx)
	}
	return r.askStream(ctx)
}

// askUDP tries the addresses in order: the next one when an address cannot be reached, which ICMP tells.
func (r *run) askUDP(ctx context.Context) (answer, error) {
	start := time.Now()
	ips, resolved, err := r.dialer.Resolve(ctx, r.config.Host)
	if err != nil {
		return answer{}, err
	}
	path := reach.Path{Resolved: resolved, DNS: time.Since(start)}
	for i, ip := range ips {
		path.Peer = netip.AddrPortFrom(ip, uint16(r.port))
		r.peer = path.Peer.String()
		if i == 0 {
			r.result.Steps = append(r.result.Steps, path.Steps(name, r.config.Host, false)...)
		}
		var a answer
		a, err = r.askAddress(ctx, path.Peer)
		if err == nil || ctx.Err() != nil || reach.TimedOut(err) || i == len(ips)-1 {
			return a, err
		}
		r.result.Steps = append(r.result.Steps, reach.Broken(err, r.peer).Reason(name))
	}
	return answer{}, err
}

func (r *run) askAddress(ctx context.Context, peer netip.AddrPort) (answer, error) {
	conn, err := r.dialer.Dial(ctx, "udp", peer)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	r.compose(conn)
	return r.exchange(ctx, conn)
}

// compose writes the request for a connection.
func (r *run) compose(conn net.Conn) {
	r.request = r.config.newRequest(conn.LocalAddr())
	r.sent = 0
	r.step("step_sent", r.request.uri, r.peer, strings.ToUpper(r.config.Transport))
}

func (r *run) send(conn net.Conn) error {
	if r.sent == 0 {
		r.begun = time.Now()
	}
	r.sent++
	_, err := conn.Write(r.request.bytes)
	return err
}

// exchange is the client transaction over UDP (RFC 3261 §17.1.2.2): Timer E sends again, the context is Timer F.
func (r *run) exchange(ctx context.Context, conn net.Conn) (answer, error) {
	buf := make([]byte, mostMessage)
	interval := timerT1
	for {
		if err := r.send(conn); err != nil {
			return answer{}, err
		}
		again := time.Now().Add(interval)
		for {
			conn.SetReadDeadline(again)
			if err := ctx.Err(); err != nil {
				return answer{}, err
			}
			n, err := conn.Read(buf)
			if reach.TimedOut(err) && ctx.Err() == nil {
				break
			}
			if err != nil {
				return answer{}, err
			}
			if a := r.reader.datagram(buf[:n], &r.request); r.note(a) {
				return a, nil
			}
		}
		interval = min(2*interval, timerT2)
		if r.waiting != "" {
			interval = timerT2
		}
	}
}

// note takes a packet into account; it reports whether it is the final answer.
func (r *run) note(a answer) bool {
	switch a.verdict {
	case provisional:
		if r.waiting == "" {
			r.step("step_provisional", a.text, reach.MS(time.Since(r.begun)))
		}
		r.waiting = a.text
	case foreign:
		r.ignored++
	case garbled:
		r.garbled++
		r.complaint = a.text
	}
	return a.verdict == final
}

// askStream asks over TCP or TLS.
func (r *run) askStream(ctx context.Context) (answer, error) {
	path, err := r.dialer.Connect(ctx, r.config.Host, r.port)
	r.peer = path.Peer.String()
	r.result.Steps = append(r.result.Steps, path.Steps(name, r.config.Host, err == nil)...)
	if err != nil {
		return answer{}, err
	}
	defer path.Conn.Close()
	defer context.AfterFunc(ctx, func() { path.Conn.SetDeadline(time.Unix(1, 0)) })()
	conn := path.Conn
	if r.tls != nil {
		secured, err := reach.Handshake(ctx, path.Conn, r.tls, path.Peer, r.within)
		r.result.Steps = append(r.result.Steps, secured.Steps(name, err == nil)...)
		if secured.HasChain {
			r.value(collectors.TLSExpiryD, secured.ExpiryD)
		}
		if err != nil {
			return answer{}, err
		}
		conn = secured.Conn
	}
	r.compose(conn)
	if err := r.send(conn); err != nil {
		return answer{}, err
	}
	return r.readStream(conn)
}

// readStream reads messages until one is the final answer. A stream with something else than SIP in it cannot be read on.
func (r *run) readStream(conn net.Conn) (answer, error) {
	const chunk = 4 << 10
	var got []byte
	for {
		for len(got) > 0 {
			a, used := r.reader.stream(got, &r.request)
			if used == 0 {
				break
			}
			if got = got[used:]; r.note(a) {
				return a, nil
			}
			if a.verdict == garbled {
				return answer{}, errGarbled
			}
		}
		got = slices.Grow(got, chunk)
		n, err := conn.Read(got[len(got):cap(got)])
		got = got[:len(got)+n]
		if n == 0 && err != nil {
			return answer{}, err
		}
	}
}
