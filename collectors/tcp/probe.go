package tcp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"regexp"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
)

const (
	mostRead  = 4 << 10 // octets of the answer that count
	mostShown = 60      // runes of it in a reason
)

// prober opens one port. It keeps nothing between runs.
type prober struct {
	dialer reach.Dialer
	host   string
	port   int
	tls    *tls.Config // nil: plain
	send   string
	expect *regexp.Regexp // nil: nothing is awaited
	within time.Duration
}

// Probe connects once.
func (p *prober) Probe(ctx context.Context) collectors.Result {
	start := time.Now()
	path, err := p.dialer.Connect(ctx, p.host, p.port)
	r := collectors.Result{Steps: path.Steps(name, p.host, err == nil)}
	if err != nil {
		return ended(r, p.why(ctx, err, path.Peer.String()))
	}
	defer path.Conn.Close()
	defer context.AfterFunc(ctx, func() { path.Conn.SetDeadline(time.Unix(1, 0)) })()
	r.Values = append(r.Values, collectors.Value{Metric: collectors.ConnectMS, Value: reach.MS(path.Connect)})

	conn := path.Conn
	well := because("ok", path.Peer.String(), reach.MS(path.Connect))
	if p.tls != nil {
		secured, err := p.secure(ctx, path, &r)
		if err != nil {
			return ended(r, p.why(ctx, err, path.Peer.String()))
		}
		conn = secured.Conn
		well = because("ok_tls", path.Peer.String(), reach.MS(path.Connect), reach.MS(secured.Took))
	}
	answer, why := p.talk(ctx, conn, path.Peer.String(), &r)
	if !why.IsZero() {
		return ended(r, why)
	}
	took := reach.MS(time.Since(start))
	if p.expect != nil {
		well = because("ok_answer", path.Peer.String(), reach.Clean(string(answer), mostShown), took)
	}
	r.OK = true
	r.Values = append(r.Values, collectors.Value{Metric: collectors.ResponseMS, Value: took})
	return ended(r, well)
}

func because(code string, args ...any) collectors.Reason {
	return collectors.Because(name+"."+code, args...)
}

// ended closes a result with its reason and up.
func ended(r collectors.Result, why collectors.Reason) collectors.Result {
	up := 0.0
	if r.OK {
		up = 1
	}
	r.Why = why
	r.Values = append(r.Values, collectors.Value{Metric: collectors.Up, Value: up})
	return r
}

func (p *prober) why(ctx context.Context, err error, peer string) collectors.Reason {
	var failure *reach.Failure
	if !errors.As(err, &failure) && (ctx.Err() != nil || reach.TimedOut(err)) {
		return reach.Ended(ctx, p.within, "late", peer).Reason(name)
	}
	return reach.Broken(err, peer).Reason(name)
}

// secure shakes hands; what it learns of the certificate goes into r also when that does not hold.
func (p *prober) secure(ctx context.Context, path reach.Path, r *collectors.Result) (reach.Secured, error) {
	secured, err := reach.Handshake(ctx, path.Conn, p.tls, path.Peer, p.within)
	r.Steps = append(r.Steps, secured.Steps(name, err == nil)...)
	if secured.HasChain {
		r.Values = append(r.Values, collectors.Value{Metric: collectors.TLSExpiryD, Value: secured.ExpiryD})
	}
	return secured, err
}

// talk sends what is to be sent and waits for what is awaited; its reason is zero when all is well.
func (p *prober) talk(ctx context.Context, conn net.Conn, peer string, r *collectors.Result) (answer []byte, why collectors.Reason) {
	if p.send != "" {
		if _, err := io.WriteString(conn, p.send); err != nil {
			return nil, p.why(ctx, err, peer)
		}
		r.Steps = append(r.Steps, because("step_sent", len(p.send)))
	}
	if p.expect == nil {
		return nil, collectors.Reason{}
	}
	answer, err := p.await(conn)
	shown := reach.Clean(string(answer), mostShown)
	if len(answer) > 0 {
		r.Steps = append(r.Steps, because("step_got", len(answer), shown))
	}
	wanted := reach.Cut(p.expect.String(), mostShown)
	switch late := ctx.Err() != nil || reach.TimedOut(err); {
	case err == nil:
		return answer, collectors.Reason{}
	case late && len(answer) > 0:
		return answer, reach.Ended(ctx, p.within, "late_other", peer, shown, wanted).Reason(name)
	case !late && len(answer) > 0:
		return answer, because("other", peer, shown, wanted)
	case errors.Is(err, io.EOF):
		return answer, because("mute", peer, wanted)
	}
	return answer, p.why(ctx, err, peer)
}

var errFull = errors.New("4 KiB without a match")

// await reads until what has come holds what is awaited. The error is nil then.
func (p *prober) await(conn net.Conn) ([]byte, error) {
	buf := make([]byte, 0, mostRead)
	for {
		n, err := conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case p.expect.Match(buf):
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			return buf, errFull
		}
	}
}
