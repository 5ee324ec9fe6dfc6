package main

import (
	"fmt"
	"sync"
	"time"
)

// Reloader reads the configuration file again on request. A bad file changes nothing: the configuration that runs stays, and what is wrong
// with the new one is kept for the pages until a good one comes.
type Reloader struct {
	started *Config // what the program was started with: its listen and store stay
	kinds   Kinds
	now     func() time.Time

	loading sync.Mutex // one reload at a time
	mu      sync.Mutex // guards everything below
	current *Config
	notices []Notice
	since   time.Time // when the file was first refused; zero while it is fine
	refused error
}

// NewReloader starts from a configuration that runs.
func NewReloader(current *Config, notices []Notice, kinds Kinds, now func() time.Time) *Reloader {
	return &Reloader{started: current, kinds: kinds, now: now, current: current, notices: notices}
}

// Reload reads the file and lets open open what it names. It returns the configuration that is to run from now on: the new one, or with an
// error the old one.
func (r *Reloader) Reload(open func(*Config) error) (*Config, error) {
	r.loading.Lock()
	defer r.loading.Unlock()
	cfg, notices, err := Load(r.started.file, r.kinds)
	if err == nil {
		err = open(cfg)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if r.refused == nil {
			r.since = r.now()
		}
		r.refused = err
		return r.current, err
	}
	r.notices = append(notices, fixed(r.started, cfg)...)
	r.current, r.refused, r.since = cfg, nil, time.Time{}
	return cfg, nil
}

// fixed notes what a reload cannot change.
func fixed(old, fresh *Config) []Notice {
	var out []Notice
	note := func(key string) {
		out = append(out, Notice{
			File: fresh.file, Rule: "needs-restart", Message: fmt.Sprintf("%s is another one now; it takes effect at the next start", key),
		})
	}
	for _, fixed := range []struct {
		key     string
		changed bool
	}{
		{"listen", old.Listen != fresh.Listen},
		{"store", old.Store.Reveal() != fresh.Store.Reveal()},
		{"journal", old.Journal != fresh.Journal},
		{"public_url on pages", old.PublicURL != fresh.PublicURL},
		{"brand on pages", old.Brand != fresh.Brand},
		{"where voice receives from", !sameSources(old, fresh)},
	} {
		if fixed.changed {
			note(fixed.key)
		}
	}
	return out
}

// Current is the configuration that runs.
func (r *Reloader) Current() *Config {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// Notices are those of the configuration that runs.
func (r *Reloader) Notices() []Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notices
}

// Refused tells since when the file on disk is refused, and why; a nil error when the configuration that runs is the file's.
func (r *Reloader) Refused() (since time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.since, r.refused
}
