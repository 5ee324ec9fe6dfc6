package snmp

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors"
)

// trouble is why a device could not be asked, as data: a code of words and its arguments.
type trouble struct {
	code string
	args []any
	err  error // what the library or the system said; for errors.Is
}

func (t *trouble) Error() string { return words.Say(collectors.English, t.reason()) }

func (t *trouble) Unwrap() error { return t.err }

func (t *trouble) reason() collectors.Reason { return because(t.code, t.args...) }

func because(code string, args ...any) collectors.Reason {
	return collectors.Because(name+"."+code, args...)
}

func troubled(code string, args ...any) *trouble { return &trouble{code: code, args: args} }

// Causes that other code asks for.
var (
	errSilent = errors.New("no answer")
	errTooBig = errors.New("the answer would be too big")
	errLies   = errors.New("the answer breaks the protocol")
)

// usmErrors are what an SNMPv3 engine reports about a message that it does not accept (RFC 3414 §3.2), and how that is said.
var usmErrors = []struct {
	err  error
	code string
}{
	{gosnmp.ErrUnknownUsername, "user"},
	{gosnmp.ErrWrongDigest, "auth"},
	{gosnmp.ErrDecryption, "priv"},
	{gosnmp.ErrUnknownSecurityLevel, "level"},
	{gosnmp.ErrNotInTimeWindow, "window"},
	{gosnmp.ErrUnknownEngineID, "engine"},
	{gosnmp.ErrUnknownPDUHandlers, "context"},
	{gosnmp.ErrUnknownReportPDU, "context"},
	{gosnmp.ErrInvalidMsgs, "invalid"},
	{gosnmp.ErrUnknownSecurityModels, "model"},
}

// explain makes a trouble of what one request ended with.
func (s *session) explain(ctx context.Context, err error) *trouble {
	var known *trouble
	if errors.As(err, &known) {
		return known
	}
	for _, u := range usmErrors {
		if errors.Is(err, u.err) {
			return &trouble{code: u.code, args: []any{s.to, s.creds.user}, err: err}
		}
	}
	var dns *net.DNSError
	switch text := err.Error(); {
	case errors.As(err, &dns):
		return &trouble{code: "name", args: []any{s.host}, err: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &trouble{code: "refused", args: []any{s.to}, err: err}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &trouble{code: "no_route", args: []any{s.to}, err: err}
	case errors.Is(ctx.Err(), context.Canceled):
		return &trouble{code: "ended", err: ctx.Err()}
	case errors.Is(err, gosnmp.ErrMaxRetriesExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		strings.Contains(text, "timeout"):
		return s.silence(err)
	}
	return &trouble{code: "damaged", args: []any{s.to}, err: errors.Join(errLies, err)}
}

// silence is the trouble of no answer; over v1 and v2c a wrong community looks the same.
func (s *session) silence(err error) *trouble {
	code := "silent"
	if s.creds.version == 3 {
		code = "silent3"
	}
	return &trouble{code: code, args: []any{s.to, s.sent}, err: errors.Join(errSilent, err)}
}

// status is the trouble of an error-status (RFC 3416 §3); nil for none.
func (s *session) status(e gosnmp.SNMPError) *trouble {
	switch e {
	case gosnmp.NoError:
		return nil
	case gosnmp.TooBig:
		return &trouble{code: "too_big", args: []any{s.to}, err: errTooBig}
	case gosnmp.AuthorizationError, gosnmp.NoAccess:
		return troubled("access", s.to)
	}
	return troubled("status", s.to, e.String())
}
