package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/web/api"
)

// Policies of the routes. Until there are users, whoever asks from this machine is the built-in operator.
var (
	mayLook   = api.Policy{Role: api.Viewer, Reach: api.ByCustomer}
	mayDecide = api.Policy{Role: api.Operator, Reach: api.ByCustomer}
	technical = api.Policy{Role: api.Viewer, Reach: api.Technical}

	// bySignature is for machines that have no session and come from anywhere: the handler refuses whatever is not signed with a shared secret.
	bySignature = api.Policy{Role: api.Signed, Reach: api.Technical}
)

// builtIn is who acts over the loopback interface until there are users.
const builtIn = "operator"

// visit is one request whose caller has been let in.
type visit struct {
	*speaker
	w      http.ResponseWriter
	r      *http.Request
	caller api.Caller
	prefs  prefs
	now    time.Time
}

func (v *visit) ctx() context.Context { return v.r.Context() }
func (v *visit) scope() store.Scope   { return v.caller.Scope }

// partial reports whether the page's own scripts ask for a part of a page.
func (v *visit) partial() bool { return v.r.URL.Query().Get("part") != "" }

// scripted reports whether a script sent the request and reads the answer.
func (v *visit) scripted() bool { return v.r.Header.Get("HX-Request") == "true" }

// errRefused is an answer that has been written already.
var errRefused = errors.New("refused")

// admit is the one wrapper that every route passes: it finds out who asks, checks the route's policy, and turns errors into pages.
func (s *Server) admit(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		v := s.visit(w, req)
		if why := s.refusal(req, r.policy); why != "" {
			s.errorPage(v, http.StatusForbidden, why)
			return
		}
		v.caller = api.Caller{Name: builtIn, Role: api.Operator, Scope: store.Everything(), Lang: v.lang}
		if r.raw != nil {
			r.raw.ServeHTTP(w, req)
			return
		}
		var done context.CancelFunc
		v.r, done = bounded(v.r)
		defer done()
		s.answer(v, r.page(v))
	})
}

// refusal is the code of why a request is not let in, or nothing.
func (s *Server) refusal(r *http.Request, p api.Policy) string {
	switch {
	case p == bySignature:
		return ""
	case !api.Loopback(r.RemoteAddr):
		return "web.refused.remote"
	case !s.ours(r.Host):
		return "web.refused.host"
	case !p.Declared() || api.Operator < p.Role:
		return "web.refused.role"
	}
	return ""
}

// ours reports whether a Host header names this machine's loopback or the public URL. Another name means that some site's DNS points here
// and its pages would read ours (DNS rebinding).
func (s *Server) ours(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || s.host != "" && name == s.host {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}

// visit reads what a request says about language, looks and zone.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) *visit {
	p := readPrefs(r)
	now := s.cfg.Now()
	return &visit{
		w: w, r: r, prefs: p, now: now,
		speaker: &speaker{words: s.cfg.Words, lang: p.Lang, now: now, zone: s.zone(p.Zone), who: s.teller(r.Context(), now)},
	}
}

// policy of content: nothing but our own files; no script and no style in the page itself.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets the headers that every answer has. A handler may set a stricter or another content policy.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// zone is where displayed times are: what the reader chose, else the zone in which most of what we look after stands, else UTC.
func (s *Server) zone(chosen string) *time.Location {
	if chosen != "" {
		if loc, err := time.LoadLocation(chosen); err == nil {
			return loc
		}
	}
	inv := s.cfg.Inventory()
	count := map[string]int{}
	best := time.UTC
	for _, ref := range inv.Refs() {
		site := inv.Site(inv.SiteOf(ref))
		if site == nil {
			continue
		}
		name := site.Timezone.String()
		if count[name]++; count[name] > count[best.String()] {
			best = site.Timezone
		}
	}
	return best
}

// langOf reads Accept-Language (RFC 9110 §12.5.4): the first of our languages that is named wins.
func langOf(accept string) collectors.Lang {
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch base, _, _ := strings.Cut(strings.ToLower(tag), "-"); base {
		case "es":
			return collectors.Spanish
		case "en":
			return collectors.English
		}
	}
	return collectors.English
}
