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
	if code := s.reported(); code != "" && code != "window" && code != "engine" {
		return &trouble{code: code, args: []any{s.to, s.creds.user}, err: err}
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

// silence is the trouble of no answer; over v1 and v2c a wrong community looks the same. A v3 engine that has said who it is and then keeps
// silent could not read what we asked.
func (s *session) silence(err error) *trouble {
	t := &trouble{code: "silent", args: []any{s.to, s.sent}, err: errors.Join(errSilent, err)}
	if s.creds.version != 3 || s.g == nil {
		return t
	}
	t.code = "silent3"
	if p, ok := s.g.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok && !s.heard && s.introduced(p) {
		t.code, t.args = "mute", []any{s.to, s.creds.user}
	}
	return t
}

// introduced reports whether the engine has said in this session who it is.
func (s *session) introduced(p *gosnmp.UsmSecurityParameters) bool {
	return p.AuthoritativeEngineID != "" && s.knew != p.AuthoritativeEngineID
}

// status is the trouble of an error-status (RFC 3416 §3); nil for none.
func (s *session) status(e gosnmp.SNMPError) *trouble {
	switch e {
	case gosnmp.NoError:
		return nil
	case gosnmp.TooBig:
		return &trouble{code: "too_big", args: []any{s.to}, err: errTooBig}
	case gosnmp.AuthorizationError, gosnmp.NoAccess:
		if s.creds.version == 3 && s.creds.priv.IsZero() {
			return troubled("access_level", s.to)
		}
		return troubled("access", s.to)
	}
	return troubled("status", s.to, e.String())
}

// blame finds out which of two causes made a v3 engine fall silent: it is asked once more without the context. One that then answers does
// not know the context; else it is the priv key.
func (s *session) blame(ctx context.Context, err error) error {
	var t *trouble
	if !errors.As(err, &t) || t.code != "mute" || s.creds.context == "" || ctx.Err() != nil {
		return err
	}
	s.g.ContextName, s.g.Retries = "", 0
	if _, _, err := s.getOnce(ctx, nil); err != nil {
		return t
	}
	return &trouble{code: "context", args: t.args, err: t.err}
}
