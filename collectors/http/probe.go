package http

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	nethttp "net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
)

const (
	mostBody      = 1 << 20  // octets of the unpacked body that are read
	mostHeader    = 64 << 10 // octets of the answer's header
	mostRedirects = 5
	mostShown     = 80 // runes of a stranger's text in a reason
)

// prober asks one URL. It keeps nothing between runs.
type prober struct {
	config          *Config
	url             *url.URL
	tls             *tls.Config
	dialer          reach.Dialer
	wanted          reach.Codes
	match, notMatch *regexp.Regexp
	within          time.Duration
}

// run is what one run has found so far. Durations are summed over the hops.
type run struct {
	*prober
	start  time.Time
	at     *url.URL // the hop that is being asked
	result collectors.Result

	dns, connect, handshake, first time.Duration
	resolved, connected, secured   bool
	answered                       bool     // whether a first octet came, on the last hop
	expiry                         *float64 // days
	status                         int      // of the last hop; 0 when there was none
	total                          time.Duration
}

// Probe asks once.
func (p *prober) Probe(ctx context.Context) collectors.Result {
	r := &run{prober: p, start: time.Now(), at: p.url}
	why := r.ask(ctx)
	if r.result.OK = why.IsZero(); r.result.OK {
		why = r.fine()
	}
	r.result.Why = why
	r.report()
	return r.result
}

func because(code string, args ...any) collectors.Reason {
	return collectors.Because(name+"."+code, args...)
}

func (r *run) step(code string, args ...any) {
	r.result.Steps = append(r.result.Steps, because(code, args...))
}

// ask goes from hop to hop until an answer is final; its reason is zero when all is well.
func (r *run) ask(ctx context.Context) collectors.Reason {
	for range mostRedirects + 1 {
		next, why := r.hop(ctx)
		if next == nil || !why.IsZero() {
			return why
		}
		r.step("step_redirect", r.status, r.shown(next.Redacted()))
		r.at = next
	}
	return because("many_redirects", mostRedirects)
}

// hop asks one URL over a connection of its own. It returns where the answer redirects to, or nil when the answer was final.
func (r *run) hop(ctx context.Context) (next *url.URL, why collectors.Reason) {
	r.answered, r.status = false, 0
	conn, peer, err := r.open(ctx)
	if err != nil {
		return nil, r.broken(ctx, err, r.at.Host)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	answer, err := r.exchange(ctx, conn) //nolint:bodyclose // see exchange
	if err != nil {
		return nil, r.broken(ctx, err, peer)
	}
	r.status = answer.StatusCode
	if !redirects(answer) || r.wanted.Want(answer.StatusCode) {
		return nil, r.judge(ctx, answer, peer)
	}
	return r.redirect(answer)
}

// open makes the connection, with TLS when the URL asks for it, and takes the times.
func (r *run) open(ctx context.Context) (conn net.Conn, peer string, err error) {
	path, err := r.dialer.Connect(ctx, r.at.Hostname(), portOf(r.at))
	r.dns += path.DNS
	r.resolved = r.resolved || path.Resolved
	r.result.Steps = append(r.result.Steps, path.Steps(name, r.at.Hostname(), err == nil)...)
	if err != nil {
		return nil, "", err
	}
	r.connect += path.Connect
	r.connected = true
	if r.at.Scheme != "https" {
		return path.Conn, path.Peer.String(), nil
	}
	secured, err := reach.Handshake(ctx, path.Conn, r.tls, path.Peer, r.within)
	r.result.Steps = append(r.result.Steps, secured.Steps(name, err == nil)...)
	if secured.HasChain {
		r.expiry = &secured.ExpiryD
	}
	if err != nil {
		path.Conn.Close()
		return nil, "", err
	}
	r.handshake += secured.Took
	r.secured = true
	return secured.Conn, path.Peer.String(), nil
}

func portOf(u *url.URL) int {
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}

// exchange writes the request and reads the answer's header. Informational answers (RFC 9110 §15.2) are passed over. The body ends with the
// connection: closing it would read the rest of a body that is too long.
func (r *run) exchange(ctx context.Context, conn net.Conn) (*nethttp.Response, error) {
	request, err := nethttp.NewRequestWithContext(ctx, r.config.Method, r.at.String(), nil)
	if err != nil {
		return nil, err
	}
	r.dress(request)
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	wrote := time.Now()
	limited := &io.LimitedReader{R: conn, N: mostHeader}
	reader := bufio.NewReader(limited)
	if _, err := reader.Peek(1); err != nil {
		return nil, err
	}
	first := time.Since(wrote)
	r.answered = true
	r.first += first
	r.step("step_first", reach.MS(first))
	for {
		answer, err := nethttp.ReadResponse(reader, request)
		if err != nil && limited.N <= 0 {
			return nil, errLongHeader
		}
		if err != nil {
			return nil, err
		}
		if answer.StatusCode >= 200 || answer.StatusCode == nethttp.StatusSwitchingProtocols {
			limited.N = math.MaxInt64
			return answer, nil
		}
	}
}

var errLongHeader = errors.New("too long a header")

// dress gives the request its headers. They go to the configured host only: redirects elsewhere are not followed.
func (r *run) dress(request *nethttp.Request) {
	request.Close = true
	request.Header.Set("User-Agent", "vigia")
	request.Header.Set("Accept", "*/*")
	for key, value := range r.config.Headers {
		request.Header.Set(key, value.Reveal())
	}
	if r.config.User != "" {
		request.SetBasicAuth(r.config.User, r.config.Password.Reveal())
	}
	if r.config.Host != "" {
		request.Host = r.config.Host
	}
}

// broken says why there is no answer.
func (r *run) broken(ctx context.Context, err error, peer string) collectors.Reason {
	var failure *reach.Failure
	var network net.Error
	switch {
	case errors.As(err, &failure):
		return failure.Reason(name)
	case ctx.Err() != nil, reach.TimedOut(err):
		return reach.Ended(ctx, r.within, "late_answer", peer).Reason(name)
	case errors.Is(err, errLongHeader):
		return because("long_header", peer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return reach.Broken(err, peer).Reason(name)
	}
	return because("not_http", peer, r.shown(err.Error()))
}

// shown makes a stranger's text fit for a reason: cleaned, cut, and without any secret that it may echo.
func (r *run) shown(text string) string {
	for _, value := range r.config.secrets() {
		text = strings.ReplaceAll(text, value, "…")
	}
	return reach.Clean(text, mostShown)
}
