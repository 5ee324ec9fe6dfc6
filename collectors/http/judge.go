package http

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/url"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/reach"
)

func redirects(answer *nethttp.Response) bool {
	switch answer.StatusCode {
	case nethttp.StatusMovedPermanently, nethttp.StatusFound, nethttp.StatusSeeOther, nethttp.StatusTemporaryRedirect, nethttp.StatusPermanentRedirect:
		return answer.Header.Get("Location") != ""
	}
	return false
}

// redirect says where an answer leads to, when that may be followed.
func (r *run) redirect(answer *nethttp.Response) (*url.URL, collectors.Reason) {
	next, err := r.at.Parse(answer.Header.Get("Location"))
	switch {
	case err != nil, next.Scheme != "http" && next.Scheme != "https", next.Hostname() == "":
		return nil, because("bad_redirect", r.status)
	case !strings.EqualFold(next.Hostname(), r.at.Hostname()):
		return nil, because("other_host", r.status, r.shown(next.Hostname()))
	case r.at.Scheme == "https" && next.Scheme == "http":
		return nil, because("to_plain", r.status)
	case r.at.Scheme == next.Scheme && portOf(next) != portOf(r.at):
		return nil, because("other_port", r.status, portOf(next))
	}
	return next, collectors.Reason{}
}

// judge reads the body and compares the answer with what is wanted; its reason is zero when all is well.
func (r *run) judge(ctx context.Context, answer *nethttp.Response, peer string) collectors.Reason {
	body, err := readBody(answer)
	r.total = time.Since(r.start)
	if !r.wanted.Want(answer.StatusCode) { // what matters most, even when the body breaks off
		r.step("step_status", r.status, len(body), reach.MS(r.total))
		return because("status", r.status, r.wanted.String())
	}
	if err != nil {
		r.total = 0
		return r.brokenBody(ctx, err, peer, len(body))
	}
	r.step("step_status", r.status, len(body), reach.MS(r.total))
	if len(body) > mostBody {
		r.step("step_long")
		body = body[:mostBody]
	}
	switch {
	case r.match != nil && !r.match.Match(body):
		return because("lacks", reach.Cut(r.config.Match, mostShown))
	case r.notMatch != nil && r.notMatch.Match(body):
		return because("holds", reach.Cut(r.config.NotMatch, mostShown))
	}
	return collectors.Reason{}
}

// readBody reads at most one octet more than mostBody, unpacked when the server packed what it was not asked to.
func readBody(answer *nethttp.Response) ([]byte, error) {
	var from io.Reader = answer.Body
	if strings.EqualFold(answer.Header.Get("Content-Encoding"), "gzip") && answer.Body != nethttp.NoBody {
		unpacked, err := gzip.NewReader(answer.Body)
		if err != nil {
			return nil, err
		}
		from = unpacked
	}
	return io.ReadAll(io.LimitReader(from, mostBody+1))
}

func (r *run) brokenBody(ctx context.Context, err error, peer string, got int) collectors.Reason {
	switch {
	case ctx.Err() != nil, reach.TimedOut(err):
		return reach.Ended(ctx, r.within, "late_body", peer).Reason(name)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return because("cut_off", got)
	}
	return because("unreadable", got, r.shown(err.Error()))
}

// fine is the reason of a run that went well.
func (r *run) fine() collectors.Reason {
	code := "ok"
	if r.resolved {
		code += "_dns"
	}
	if r.secured {
		code += "_tls"
	}
	return because(code, r.status, reach.MS(r.total), reach.MS(r.connect), reach.MS(r.first), reach.MS(r.handshake), reach.MS(r.dns))
}

// report turns what was measured into values: what did not happen has none.
func (r *run) report() {
	add := func(happened bool, metric collectors.Metric, value float64) {
		if happened {
			r.result.Values = append(r.result.Values, collectors.Value{Metric: metric, Value: value})
		}
	}
	up := 0.0
	if r.result.OK {
		up = 1
	}
	add(true, collectors.Up, up)
	add(r.total > 0, collectors.ResponseMS, reach.MS(r.total))
	add(r.resolved && r.connected, collectors.DNSMS, reach.MS(r.dns))
	add(r.connected, collectors.ConnectMS, reach.MS(r.connect))
	add(r.secured, collectors.TLSMS, reach.MS(r.handshake))
	add(r.answered, collectors.FirstByteMS, reach.MS(r.first))
	add(r.status > 0, collectors.StatusCode, float64(r.status))
	if r.expiry != nil {
		add(true, collectors.TLSExpiryD, *r.expiry)
	}
}
