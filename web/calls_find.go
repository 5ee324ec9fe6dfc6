package web

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"vigia/store"
)

const (
	leastCallID  = 8  // characters: nothing shorter is looked for as a Call-ID
	leastDigits  = 4  // of a number
	callsFound   = 8  // shown of a number
	callsFoundIn = 30 // days
)

// findCalls adds the calls of what looks like a telephone number; it returns the address of the call whose Call-ID was written.
func (s *Server) findCalls(v *visit, w *world, body *findBody) (string, error) {
	if len(body.Q) >= leastCallID && !strings.ContainsAny(body.Q, " \t") {
		c, err := s.cfg.Store.Call(v.ctx(), v.scope(), body.Q, time.Time{})
		if err == nil {
			return callURL(&c), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
	}
	if !looksDialled(body.Q) {
		return "", nil
	}
	f := filter{path: "/calls", values: url.Values{"number": {body.Q}}}
	body.CallsURL = f.with("range", "30d")
	found, err := s.cfg.Store.Calls(v.ctx(), v.scope(), store.CallFilter{Number: body.Q, Since: v.now.AddDate(0, 0, -callsFoundIn), Limit: callsFound})
	if err != nil {
		return "", err
	}
	for i := range found {
		body.Calls = append(body.Calls, v.callLine(w.inv, &found[i]))
	}
	return "", nil
}

// looksDialled reports whether a text can be a number, or the beginning or the end of one.
func looksDialled(text string) bool {
	digits := 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+-() *.", r):
			return false
		}
	}
	return digits >= leastDigits && strings.Count(text, ".") < 2 // an address is no number
}
