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

	mu    sync.Mutex
	since time.Time // when it went away; zero while it is there
	last  string    // the last error
}

func newHealth(cfg Config, explain func(error) error) *health {
	return &health{logger: cfg.Logger, now: cfg.Now, explain: explain}
}

// note takes the outcome of work on the database and returns it in an operator's words. The end of the caller's own context says nothing about the database.
func (h *health) note(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	err = h.explain(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil && !h.since.IsZero():
		h.logger.Info("the database takes writes again", "away", h.now().Sub(h.since).Round(time.Second))
		h.since = time.Time{}
	case err != nil && h.since.IsZero():
		h.logger.Error("the database refuses work; samples wait in memory", "error", err)
		h.since = h.now()
	}
	if err != nil {
		h.last = err.Error()
	}
	return err
}

func (h *health) state() (up bool, since time.Time, last string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.since.IsZero(), h.since, h.last
}
