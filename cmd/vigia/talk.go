package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
)

// talker is a receiver that does something besides being told: it listens, until ctx ends.
type talker interface {
	Run(ctx context.Context) error
	Listening() (connected, wanted bool)
}

// pressed is a receiver whose buttons may come as signed requests.
type pressed interface {
	Signed(h http.Header, body []byte, now time.Time) bool
	Pressed(ctx context.Context, body []byte, now time.Time) error
}

// talkback runs the receivers that listen, while this process is the active one, and takes signed requests for them at any time.
type talkback struct {
	logger *slog.Logger

	mu      sync.Mutex
	list    []alerting.Notifier // by name
	changed chan struct{}       // closed when list becomes another
	running bool
}

func newTalk(logger *slog.Logger) *talkback {
	return &talkback{logger: logger, changed: make(chan struct{})}
}

// set hands over the receivers that are valid from now on.
func (t *talkback) set(notifiers map[string]alerting.Notifier) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = nil
	for _, name := range slices.Sorted(maps.Keys(notifiers)) {
		t.list = append(t.list, notifiers[name])
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *talkback) now() ([]alerting.Notifier, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list, t.changed
}

// Run lets the receivers listen until ctx ends. After a reload the new ones do.
func (t *talkback) Run(ctx context.Context) error {
	t.setRunning(true)
	defer t.setRunning(false)
	for ctx.Err() == nil {
		list, changed := t.now()
		t.runAll(ctx, list, changed)
	}
	return nil
}

func (t *talkback) setRunning(yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = yes
}

// runAll runs talkers until ctx ends or others take their place.
func (t *talkback) runAll(ctx context.Context, list []alerting.Notifier, changed <-chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	for _, n := range list {
		if one, ok := n.(talker); ok {
			group.Go(func() {
				if err := one.Run(ctx); err != nil && ctx.Err() == nil {
					t.logger.Error("a receiver stopped listening", "err", err)
				}
			})
		}
	}
	select {
	case <-ctx.Done():
	case <-changed:
	}
	cancel()
	group.Wait()
}

// connected and wanted count the receivers that listen, and those that should.
func (t *talkback) connected() int { n, _ := t.count(); return n }
func (t *talkback) wanted() int    { _, n := t.count(); return n }

func (t *talkback) count() (connected, wanted int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.list {
		if one, ok := n.(talker); ok && t.running {
			is, should := one.Listening()
			if connected += int(yes(is)); should {
				wanted++
			}
		}
	}
	return connected, wanted
}

// Bounds of a signed request.
const (
	maxPressed    = 512 << 10 // Slack sends the whole message along
	bodyWithin    = 10 * time.Second
	pressedWithin = 20 * time.Second
)

// ServeHTTP takes a signed request: it is answered at once, since Slack waits three seconds, and then carried out.
func (t *talkback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(bodyWithin)); err != nil {
		t.logger.Debug("a request's body cannot be given a deadline", "err", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPressed))
	if err != nil {
		http.Error(w, "too long, or too slow", http.StatusRequestEntityTooLarge)
		return
	}
	now := time.Now()
	one := t.signer(r.Header, body, now)
	if one == nil {
		http.Error(w, "not signed with the secret of any receiver here, or not lately", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		t.logger.Debug("Slack did not wait for the answer", "err", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pressedWithin)
	defer cancel()
	if err := one.Pressed(ctx, body, now); err != nil {
		t.logger.Warn("a signed request could not be read", "err", err)
	}
}

func (t *talkback) signer(h http.Header, body []byte, now time.Time) pressed {
	list, _ := t.now()
	for _, n := range list {
		if one, ok := n.(pressed); ok && one.Signed(h, body, now) {
			return one
		}
	}
	return nil
}

// receiverParts is what receivers get of us.
func (a *app) receiverParts() ReceiverParts {
	return ReceiverParts{Words: a.words, Logger: a.logger, Decide: a.decide, History: a.readings}
}

// decideWithin is how long somebody who decides at a receiver waits for the engine.
const decideWithin = 2 * time.Second

// decide posts a command and waits for its answer.
func (a *app) decide(ctx context.Context, c alerting.Command) (alerting.CommandResult, error) {
	if err := a.store.PostCommand(ctx, c); err != nil {
		return alerting.CommandResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, decideWithin)
	defer cancel()
	return a.store.AwaitCommand(ctx, c.ID)
}

// pictured is how many points a picture has at most.
const pictured = 500

// readings reads a series for a picture, with something that is no number where nothing was measured.
func (a *app) readings(ctx context.Context, s collectors.Series, from, to time.Time) ([]alerting.Reading, error) {
	result, err := a.store.Range(ctx, store.Everything(), store.RangeQuery{Series: s, From: from, To: to, Points: pictured})
	if err != nil {
		return nil, fmt.Errorf("read a series for a picture: %w", err)
	}
	return withGaps(result), nil
}

// withGaps puts what was measured in order, and breaks the line where a gap is.
func withGaps(r store.RangeResult) []alerting.Reading {
	var out []alerting.Reading
	for _, p := range r.Points {
		out = append(out, alerting.Reading{At: p.At, Value: p.Mean})
	}
	for _, g := range r.Gaps {
		out = append(out, alerting.Reading{At: g.From.Add(g.To.Sub(g.From) / 2), Value: math.NaN()})
	}
	slices.SortStableFunc(out, func(a, b alerting.Reading) int { return a.At.Compare(b.At) })
	return out
}
