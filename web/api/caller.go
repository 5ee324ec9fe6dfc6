package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"vigia/collectors"
	"vigia/store"
)

// Role is what someone may do. Each role may do what those before it may.
type Role uint8

// The roles. The zero Role is that of an operation that declares none: nobody has it.
const (
	undeclared Role = iota
	Viewer          // may look
	Operator        // may decide: acknowledge, comment, escalate
	Admin           // may change who may do what
	Signed          // nobody who logs in: a request that proves itself by a signature
)

// Reach is which data an operation touches.
type Reach uint8

// The reaches. The zero Reach is undeclared.
const (
	noReach    Reach = iota
	Technical        // no customer's data: the monitor itself, its rules
	ByCustomer       // customers' data among others: answers are limited to the caller's store.Scope
)

// Policy says who may call an operation.
type Policy struct {
	Role  Role
	Reach Reach
}

// Declared reports whether the policy says anything.
func (p Policy) Declared() bool { return p.Role != undeclared && p.Reach != noReach }

// Caller is who asks.
type Caller struct {
	Name  string
	Role  Role
	Scope store.Scope
	Lang  collectors.Lang
}

// builtIn is who asks over the loopback interface until there are users.
const builtIn = "operator"

// callerOf finds out who asks. False: nobody that we know.
func callerOf(remote, acceptLanguage string) (Caller, bool) {
	if !Loopback(remote) {
		return Caller{}, false
	}
	return Caller{Name: builtIn, Role: Operator, Scope: store.Everything(), Lang: language(acceptLanguage)}, true
}

// Loopback reports whether a remote address, host:port, is this machine's own.
func Loopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// language reads Accept-Language (RFC 9110 §12.5.4): the first of our languages that is named wins; English otherwise.
func language(accept string) collectors.Lang {
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		switch base {
		case "es":
			return collectors.Spanish
		case "en":
			return collectors.English
		}
	}
	return collectors.English
}

// request is huma.Context under another name: embedded, it must not hide its own method Context.
type request huma.Context

// admitted is a request whose caller is known.
type admitted struct {
	request
	caller Caller
}

// Unwrap returns the request as it came.
func (c admitted) Unwrap() huma.Context { return c.request }

// asked is the part of every operation's input that carries who asks.
type asked struct{ caller Caller }

// Resolve takes the caller from the wrapper.
func (a *asked) Resolve(ctx huma.Context) []error {
	if c, ok := ctx.(admitted); ok {
		a.caller = c.caller
		return nil
	}
	return []error{huma.Error403Forbidden("who asks is not known")}
}

func (a *asked) who() Caller { return a.caller }

// admit is the one wrapper: it lets a request through when the policy does, and before anything else of it is read.
func admit(api huma.API, p Policy) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		caller, known := callerOf(ctx.RemoteAddr(), ctx.Header("Accept-Language"))
		switch {
		case !known:
			refuse(api, ctx, "Until there are users, Vigía answers only this machine (127.0.0.1, ::1).")
		case !p.Declared(), caller.Role < p.Role:
			refuse(api, ctx, "Your role may not do this.")
		default:
			next(admitted{request: ctx, caller: caller})
		}
	}
}

func refuse(api huma.API, ctx huma.Context, why string) {
	// The answer is on its way either way; a client that has gone is no error of ours.
	_ = huma.WriteErr(api, ctx, http.StatusForbidden, why)
}
