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
	mostEvents    = 500                    // events looked at for one change
	mostIncidents = 50                     // incidents named in one change
)

// Counts are the problems that stand: live incidents, and alarms that joined none, by severity.
type Counts struct {
	Critical      int `json:"critical"`
	Major         int `json:"major"`
	Minor         int `json:"minor"`
	Warning       int `json:"warning"`
	Indeterminate int `json:"indeterminate"`
	Stale         int `json:"stale"`   // standing alarms that have no data; they are counted by severity too
	Unowned       int `json:"unowned"` // live incidents that nobody has, and that nothing keeps quiet
	Muted         int `json:"muted"`   // live incidents that a silence or maintenance keeps quiet: counted here and not by severity
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
func (c Counts) Total() int {
	return c.Critical + c.Major + c.Minor + c.Warning + c.Indeterminate + c.Muted
}

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

// unowned is an incident that nobody has: what a page sounds for.
type unowned struct {
	ID       int64  `json:"id"`
	Severity string `json:"severity"`
}

// problems are the counts and, worst first, the first incidents that nobody has.
type problems struct {
	counts Counts
	open   []unowned
}

func readProblems(ctx context.Context, st *store.Store, scope store.Scope) (problems, error) {
	p := problems{open: []unowned{}}
	live := true
	incidents, err := st.Incidents(ctx, scope, store.IncidentFilter{Live: &live, Limit: mostLive})
	if err != nil {
		return p, err
	}
	alarms, err := st.Alarms(ctx, scope, store.AlarmFilter{Active: true, Limit: mostAlarms})
	if err != nil {
		return p, err
	}
	p.counts = countStanding(incidents, alarms)
	for _, i := range incidents {
		if shouts(&i) && len(p.open) < mostIncidents {
			p.open = append(p.open, unowned{ID: i.ID, Severity: i.Severity.String()})
		}
	}
	return p, nil
}

// Events is the live stream of the pages, /events (HTML Standard §9.2, server-sent events). It carries ids and counters only; pages fetch
// what changed over ordinary HTTP.
//
//	event: change   id: the newest event   data: {"last", "now", "counts", "unowned", "incidents", "many"}
//	event: tick                            data: {"last", "now"}; every five seconds, so that a page knows that it is not stale
//
// now is the server's clock in milliseconds since 1970. The first message is a change at once: of a client that names the last event it
// has seen (Last-Event-ID, or ?last=) it names what was missed, of others nothing. Changes are coalesced to two a second for each client; a client that does not read is dropped.
type Events struct {
	store  *store.Store
	now    func() time.Time
	logger *slog.Logger

	open  atomic.Int64
	close sync.Once
	done  chan struct{}

	mu    sync.Mutex // guards what clients share
	stand problems
	began time.Time // when that was read
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
	missed := false
	c.last = newest
	if seen, ok := lastSeen(r); ok && seen < newest {
		c.last, missed = max(seen, 0), true
	}
	if err := c.change(ctx, missed); err != nil {
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
			err = c.change(ctx, true)
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
	Last      int64     `json:"last"`
	Now       int64     `json:"now"`
	Counts    Counts    `json:"counts"`
	Unowned   []unowned `json:"unowned"`   // incidents that nobody has, worst first, not more than mostIncidents
	Incidents []int64   `json:"incidents"` // those that the new events are about
	Many      bool      `json:"many"`      // more may have changed than is named: deliveries, or too much to name
}

type tickData struct {
	Last int64 `json:"last"`
	Now  int64 `json:"now"`
}

// change tells how things stand and, when something is new, what happened since the client's last event.
func (c *client) change(ctx context.Context, something bool) error {
	data := changeData{Incidents: []int64{}}
	if something {
		events, err := c.events.store.Events(ctx, c.scope, store.EventFilter{AfterID: c.last, Newest: true, Limit: mostEvents})
		if err != nil {
			return err
		}
		data.name(events)
		for _, e := range events {
			c.last = max(c.last, e.ID)
		}
	}
	now, err := c.events.problems(ctx, c.scope)
	if err != nil {
		return err
	}
	data.Counts, data.Unowned = now.counts, now.open
	data.Last, data.Now = c.last, c.events.now().UnixMilli()
	return c.send("change", data, true)
}

// name lists the incidents that events are about.
func (d *changeData) name(events []alerting.Event) {
	d.Many = len(events) == 0 || len(events) == mostEvents
	for _, e := range events {
		switch {
		case e.IncidentID == 0 || slices.Contains(d.Incidents, e.IncidentID):
		case len(d.Incidents) == mostIncidents:
			d.Many = true
			return
		default:
			d.Incidents = append(d.Incidents, e.IncidentID)
		}
	}
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

// problems says how things stand. Clients that ask while somebody reads share the next reading, which began after they asked.
func (e *Events) problems(ctx context.Context, scope store.Scope) (problems, error) {
	asked := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began.After(asked) {
		return e.stand, nil
	}
	began := time.Now()
	p, err := readProblems(ctx, e.store, scope)
	if err != nil {
		return p, err
	}
	e.stand, e.began = p, began
	return p, nil
}
