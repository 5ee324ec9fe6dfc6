package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// health knows whether the database takes what it is given, and logs each turn once.
type health struct {
	logger  *slog.Logger
	now     func() time.Time
	explain func(error) error // in an operator's words

	mu        sync.Mutex
	since     time.Time // when it went away; zero while it is there
	unwritten bool      // what failed was a write: on a full disk everything else goes on well
	last      string    // the last error
}

func newHealth(cfg Config, explain func(error) error) *health {
	return &health{logger: cfg.Logger, now: cfg.Now, explain: explain}
}

// wrote takes the outcome of a write and returns it in an operator's words.
func (h *health) wrote(err error) error { return h.note(err, true) }

// looked takes the outcome of work that may have written nothing. That it went well does not say that the database takes writes.
func (h *health) looked(err error) error { return h.note(err, false) }

// note takes an outcome. The end of the caller's own context says nothing about the database.
func (h *health) note(err error, write bool) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	err = h.explain(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && !h.since.IsZero() && (write || !h.unwritten):
		h.logger.Info("the database takes writes again", "away", h.now().Sub(h.since).Round(time.Second))
		h.since, h.unwritten = time.Time{}, false
	case err != nil && h.since.IsZero():
		h.logger.Error("the database refuses work; samples wait in memory", "error", err)
		h.since = h.now()
	}
	if err != nil {
		h.last, h.unwritten = err.Error(), h.unwritten || write
	}
	return err
}

func (h *health) state() (up bool, since time.Time, last string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.since.IsZero(), h.since, h.last
}
