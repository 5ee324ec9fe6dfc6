package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"vigia/alerting"
	"vigia/store"
)

// The stream's times and bounds.
const (
	tickEvery     = 5 * time.Second        // how often the server's time is sent; the page is stale after ten
	leastGap      = 500 * time.Millisecond // between two changes sent to one client
	writeWithin   = 5 * time.Second        // a client that takes longer to read is dropped
	mostClients   = 512                    // streams at a time, all clients together
	mostIncidents = 50                     // touched incidents named in one change
)

// Counts are the problems that stand: live incidents, and alarms that joined none, by severity.
type Counts struct {
	Critical      int `json:"critical"`
	Major         int `json:"major"`
	Minor         int `json:"minor"`
	Warning       int `json:"warning"`
	Indeterminate int `json:"indeterminate"`
	Stale         int `json:"stale"`   // standing alarms that have no data; they are counted by severity too
	Unowned       int `json:"unowned"` // live incidents that nobody has
}

// Worst is the worst severity that has a problem.
func (c Counts) Worst() alerting.Severity {
	for i, n := range [...]int{c.Critical, c.Major, c.Minor, c.Warning, c.Indeterminate} {
		if n > 0 {
			return alerting.Severities[i]
		}
	}
	return alerting.None
}

// Total is how many problems there are.
func (c Counts) Total() int { return c.Critical + c.Major + c.Minor + c.Warning + c.Indeterminate }

func (c *Counts) add(s alerting.Severity) {
	switch s {
	case alerting.Critical:
		c.Critical++
	case alerting.Major:
		c.Major++
	case alerting.Minor:
		c.Minor++
	case alerting.Warning:
		c.Warning++
	case alerting.Indeterminate:
		c.Indeterminate++
	}
}

// CountProblems counts what stands and may be seen.
func CountProblems(ctx context.Context, st *store.Store, scope store.Scope) (Counts, error) {
	var c Counts
	live := true
	incidents, err := st.Incidents(ctx, scope, store.IncidentFilter{Live: &live, Limit: 10_000})
	if err != nil {
		return c, err
	}
	for _, i := range incidents {
		c.add(i.Severity)
		if i.State == alerting.Open {
			c.Unowned++
		}
	}
	alarms, err := st.Alarms(ctx, scope, store.AlarmFilter{Active: true, Limit: 20_000})
	if err != nil {
		return c, err
	}
	for _, a := range alarms {
		if a.IncidentID == 0 {
			c.add(a.Severity)
		}
		if a.State == alerting.Stale {
			c.Stale++
		}
	}
	return c, nil
}

// Events is the live stream of the pages, /events (HTML Standard §9.2, server-sent events). It carries ids and counters only; pages fetch
// what changed over ordinary HTTP.
//
//	event: change   id: the newest event   data: {"last", "now", "counts", "incidents", "many"}
//	event: tick                            data: {"last", "now"}; every five seconds, so that a page knows that it is not stale
//
// now is the server's clock in milliseconds since 1970. A client that names the last event it has seen (Last-Event-ID, or ?last=) gets
// what it missed as one change. Changes are coalesced to two a second for each client; a client that does not read is dropped.
type Events struct {
	store  *store.Store
	now    func() time.Time
	logger *slog.Logger

	open  atomic.Int64
	close sync.Once
	done  chan struct{}

	mu     sync.Mutex // guards the counts that clients share
	counts Counts
	began  time.Time // when that count began
}

// NewEvents makes the stream.
func NewEvents(st *store.Store, now func() time.Time, logger *slog.Logger) *Events {
	return &Events{store: st, now: now, logger: logger, done: make(chan struct{})}
}

// Close ends every stream, so that a server can shut down. It may be called twice.
func (e *Events) Close() { e.close.Do(func() { close(e.done) }) }

// ServeHTTP serves one client until it goes, stops reading, or the server ends. The caller has let it in; it sees what the built-in
// operator sees.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.open.Add(1) > mostClients {
		e.open.Add(-1)
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many open pages", http.StatusServiceUnavailable)
		return
	}
	defer e.open.Add(-1)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy in between must not hold messages back
	c := &client{events: e, w: w, control: http.NewResponseController(w), scope: store.Everything()}
	err := c.serve(r)
	if err != nil && r.Context().Err() == nil && !errors.Is(err, errStreamEnds) {
		e.logger.Debug("a page's stream was dropped", "remote", r.RemoteAddr, "error", err)
	}
}

// errStreamEnds ends a stream in good order.
var errStreamEnds = errors.New("the stream ends")

// client is one open stream.
type client struct {
	events  *Events
	w       http.ResponseWriter
	control *http.ResponseController
	scope   store.Scope
	last    int64 // the newest event that the client knows of
}

func (c *client) serve(r *http.Request) error {
	ctx := r.Context()
	ticks, stop := c.events.store.Subscribe() // before the newest event is read, so that nothing falls in between
	defer stop()
	newest, err := c.events.store.LastEventID(ctx)
	if err != nil {
		return err
	}
	c.last = newest
	if seen, ok := lastSeen(r); ok && seen < newest {
		c.last = max(seen, 0)
		err = c.change(ctx)
	} else {
		err = c.tick()
	}
	if err != nil {
		return err
	}
	return c.follow(ctx, ticks)
}

// follow sends a change for what happens, at most one each leastGap, and a tick when nothing does.
func (c *client) follow(ctx context.Context, ticks <-chan store.Tick) error {
	heartbeat := time.NewTicker(tickEvery)
	defer heartbeat.Stop()
	listen := ticks
	var rest <-chan time.Time // after a change, the next one waits; ticks are coalesced meanwhile
	for {
		var err error
		select {
		case <-ctx.Done():
			return errStreamEnds
		case <-c.events.done:
			return errStreamEnds
		case <-rest:
			listen, rest = ticks, nil
		case <-heartbeat.C:
			err = c.tick()
		case _, open := <-listen:
			if !open {
				return errStreamEnds
			}
			err = c.change(ctx)
			listen, rest = nil, time.After(leastGap)
		}
		if err != nil {
			return err
		}
	}
}

// lastSeen is the newest event that a client says it knows of.
func lastSeen(r *http.Request) (int64, bool) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("last")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}

// changeData is what a change says.
type changeData struct {
	Last      int64   `json:"last"`
	Now       int64   `json:"now"`
	Counts    Counts  `json:"counts"`
	Incidents []int64 `json:"incidents"` // those that the new events are about
	Many      bool    `json:"many"`      // more may have changed than is named: deliveries, or too much to name
}

type tickData struct {
	Last int64 `json:"last"`
	Now  int64 `json:"now"`
}

// change tells what happened since the client's last event.
func (c *client) change(ctx context.Context) error {
	data := changeData{Incidents: []int64{}}
	events, err := c.events.store.Events(ctx, c.scope, store.EventFilter{AfterID: c.last, Newest: true, Limit: 500})
	if err != nil {
		return err
	}
	data.Many = len(events) == 0 || len(events) == 500
	for _, e := range events {
		c.last = max(c.last, e.ID)
		if e.IncidentID == 0 || slices.Contains(data.Incidents, e.IncidentID) {
			continue
		}
		if len(data.Incidents) == mostIncidents {
			data.Many = true
			break
		}
		data.Incidents = append(data.Incidents, e.IncidentID)
	}
	if data.Counts, err = c.events.problems(ctx, c.scope); err != nil {
		return err
	}
	data.Last, data.Now = c.last, c.events.now().UnixMilli()
	return c.send("change", data, true)
}

// tick tells the time.
func (c *client) tick() error {
	return c.send("tick", tickData{Last: c.last, Now: c.events.now().UnixMilli()}, false)
}

// send writes one message and waits until it is on its way; a client that does not read within writeWithin is given up.
func (c *client) send(event string, data any, numbered bool) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("event: %s\ndata: %s\n\n", event, body)
	if numbered {
		text = fmt.Sprintf("id: %d\n%s", c.last, text)
	}
	if err := c.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := c.w.Write([]byte(text)); err != nil {
		return err
	}
	return c.control.Flush()
}

// problems counts what stands. Clients that ask while somebody counts share the next count, which began after they asked.
func (e *Events) problems(ctx context.Context, scope store.Scope) (Counts, error) {
	asked := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began.After(asked) {
		return e.counts, nil
	}
	began := time.Now()
	c, err := CountProblems(ctx, e.store, scope)
	if err != nil {
		return c, err
	}
	e.counts, e.began = c, began
	return c, nil
}
