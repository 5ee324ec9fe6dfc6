package reach

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"vigia/collectors"
)

// Failure is why a connection did not come about, as a code of Words and its arguments.
type Failure struct {
	Code string
	Args []any
}

// Error says it in English.
func (f *Failure) Error() string { return words[f.Code].Say(collectors.English, f.Args...) }

// Reason is the failure as the kind of that name says it.
func (f *Failure) Reason(kind string) collectors.Reason {
	return collectors.Because(kind+"."+f.Code, f.Args...)
}

func failure(code string, args ...any) *Failure { return &Failure{Code: code, Args: args} }

// Ended says why a run ended before its work was done: it was cancelled, or the time was up. late is the code for the second, whose last
// argument is the time that the run had, in seconds.
func Ended(ctx context.Context, within time.Duration, late string, args ...any) *Failure {
	if errors.Is(ctx.Err(), context.Canceled) {
		return failure("stopped")
	}
	return failure(late, append(args, within.Seconds())...)
}

// TimedOut reports whether err came from a deadline or a cancelled context.
func TimedOut(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// Broken explains an error of an open or an opening connection to peer.
func Broken(err error, peer string) *Failure {
	var known *Failure
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, syscall.ECONNREFUSED):
		return failure("refused", peer)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failure("reset", peer)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return failure("closed", peer)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return failure("no_route", peer)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return failure("no_source", peer)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return failure("no_files")
	}
	return failure("broken", peer, Clean(innermost(err), 120))
}

// innermost is the system's own words, without the addresses that net puts before them.
func innermost(err error) string {
	var op *net.OpError
	for errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		err = sys.Err
	}
	return err.Error()
}

// Clean makes a stranger's text fit for one line: control characters and broken UTF-8 become spaces, and at most that many runes are kept.
func Clean(s string, longest int) string {
	var b strings.Builder
	n := 0
	space := false
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = ' '
		}
		if r == ' ' {
			space = b.Len() > 0
			continue
		}
		if n >= longest {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			n++
			space = false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// Cut keeps at most that many runes of our own text, such as a pattern, as it stands.
func Cut(s string, longest int) string {
	runes := []rune(s)
	if len(runes) <= longest {
		return s
	}
	return string(runes[:longest]) + "…"
}
