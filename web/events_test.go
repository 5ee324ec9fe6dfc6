package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
	"vigia/web"
)

// listener is a page that reads the stream.
type listener struct {
	t    *testing.T
	body io.ReadCloser
	text *bufio.Scanner
}

// message is one message of the stream.
type message struct {
	id, event string
	data      map[string]any
}

func stream(t *testing.T) (*store.Store, *web.Events, *httptest.Server) {
	t.Helper()
	st := storetest.Open(t)
	events := web.NewEvents(st, time.Now, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(events)
	t.Cleanup(func() { events.Close(); server.Close() })
	return st, events, server
}

func listen(t *testing.T, url string, headers ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("%s %s", response.Status, response.Header.Get("Content-Type"))
	}
	return &listener{t: t, body: response.Body, text: bufio.NewScanner(response.Body)}
}

// next reads one message; false when the stream has ended.
func (l *listener) next() (message, bool) {
	l.t.Helper()
	var m message
	for l.text.Scan() {
		field, value, _ := strings.Cut(l.text.Text(), ": ")
		switch field {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			if err := json.Unmarshal([]byte(value), &m.data); err != nil {
				l.t.Fatalf("%q: %v", value, err)
			}
		case "":
			return m, true
		}
	}
	return m, false
}

func (l *listener) want(event, id string) message {
	l.t.Helper()
	m, ok := l.next()
	if !ok || m.event != event || m.id != id {
		l.t.Fatalf("message %+v (open: %v), want %s with id %q", m, ok, event, id)
	}
	return m
}

// wantNothingNew: the first message names nothing that was missed, but how things stand.
func (l *listener) wantNothingNew() {
	l.t.Helper()
	m := l.want("change", "3")
	if ids := m.data["incidents"].([]any); len(ids) != 0 || m.data["many"] != false || len(m.data["unowned"].([]any)) != 3 {
		l.t.Errorf("%+v", m)
	}
}

// opened is an incident that somebody ought to have.
func opened(id int64, s alerting.Severity) alerting.Change {
	at := time.Now().UTC()
	ref := inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}
	return alerting.Change{
		At: at,
		Incidents: []alerting.Incident{{
			ID: id, State: alerting.Open, Severity: s, Worst: s, Ref: ref, Root: id, OpenedAt: at,
		}},
		Alarms: []alerting.Alarm{
			{ID: 2 * id, Series: collectors.Series{Metric: collectors.Up, Ref: ref}, State: alerting.Stale, Severity: s, IncidentID: id, RaisedAt: at},
			{ID: 2*id + 1, Series: collectors.Series{Metric: collectors.LatencyMS, Ref: ref}, State: alerting.Raised, Severity: alerting.Minor, RaisedAt: at},
		},
		Events: []alerting.Event{{ID: id, IncidentID: id, At: at, Kind: alerting.EventOpened}},
	}
}

func apply(t *testing.T, st *store.Store, changes ...alerting.Change) {
	t.Helper()
	for _, c := range changes {
		if err := st.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventsTellChanges(t *testing.T) {
	st, _, server := stream(t)
	page := listen(t, server.URL)
	first := page.want("change", "0")
	if now := first.data["now"].(float64); time.Since(time.UnixMilli(int64(now))).Abs() > 5*time.Second {
		t.Errorf("the server's time is %v", now)
	}
	apply(t, st, opened(1, alerting.Critical))
	m := page.want("change", "1")
	counts := m.data["counts"].(map[string]any)
	for name, want := range map[string]float64{"critical": 1, "minor": 1, "major": 0, "stale": 1, "unowned": 1} {
		if counts[name] != want {
			t.Errorf("%s is %v, want %v", name, counts[name], want)
		}
	}
	if open := m.data["unowned"].([]any); len(open) != 1 || open[0].(map[string]any)["severity"] != "critical" {
		t.Errorf("unowned: %v", open)
	}
	if ids := m.data["incidents"].([]any); len(ids) != 1 || ids[0] != 1.0 || m.data["many"] != false {
		t.Errorf("incidents %v, many %v", ids, m.data["many"])
	}
}

func TestEventsReplay(t *testing.T) {
	st, _, server := stream(t)
	apply(t, st, opened(1, alerting.Major), opened(2, alerting.Major), opened(3, alerting.Critical))
	for name, page := range map[string]*listener{
		"header": listen(t, server.URL, "Last-Event-ID", "1"),
		"query":  listen(t, server.URL+"?last=1"),
	} {
		m := page.want("change", "3")
		if ids := m.data["incidents"].([]any); len(ids) != 2 {
			t.Errorf("%s: missed incidents are %v, want two in one change", name, ids)
		}
	}
	listen(t, server.URL, "Last-Event-ID", "3").wantNothingNew()
	listen(t, server.URL, "Last-Event-ID", "nonsense").wantNothingNew()
	listen(t, server.URL, "Last-Event-ID", "999").wantNothingNew()
}

// TestEventsAreCoalesced: fifty changes at once are few messages, and the last one knows all of them.
func TestEventsAreCoalesced(t *testing.T) {
	st, _, server := stream(t)
	page := listen(t, server.URL)
	page.want("change", "0")
	began := time.Now()
	for id := int64(1); id <= 50; id++ {
		apply(t, st, opened(id, alerting.Major))
	}
	messages, last, seen := 0, "", 0
	for last != "50" {
		m, ok := page.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if m.event == "change" {
			messages, last, seen = messages+1, m.id, seen+len(m.data["incidents"].([]any))
		}
	}
	if most := int(time.Since(began)/(500*time.Millisecond)) + 2; messages > most {
		t.Errorf("%d changes within %s", messages, time.Since(began))
	}
	if seen != 50 {
		t.Errorf("%d incidents named, want 50", seen)
	}
}

func TestEventsEnd(t *testing.T) {
	for name, end := range map[string]func(*store.Store, *web.Events){
		"server": func(_ *store.Store, e *web.Events) { e.Close(); e.Close() },
		"store":  func(st *store.Store, _ *web.Events) { st.Close() },
	} {
		st, events, server := stream(t)
		page := listen(t, server.URL)
		page.want("change", "0")
		end(st, events)
		if m, ok := page.next(); ok {
			t.Errorf("%s: after the end came %+v", name, m)
		}
	}
}

// TestEventsDropWhoDoesNotRead: a client that never reads costs nothing for ever.
func TestEventsDropWhoDoesNotRead(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a deadline of five seconds")
	}
	st := storetest.Open(t)
	events := web.NewEvents(st, time.Now, slog.New(slog.DiscardHandler))
	ended := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events.ServeHTTP(full{w}, r)
		close(ended)
	}))
	server.Start()
	t.Cleanup(func() { events.Close(); server.Close() })
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the stream of a client that does not read still stands")
	}
}

// full is a connection whose buffers the other side does not empty: every message is padded until they are full.
type full struct{ http.ResponseWriter }

func (f full) Unwrap() http.ResponseWriter { return f.ResponseWriter }

func (f full) Write(b []byte) (int, error) {
	padding := []byte(":" + strings.Repeat("x", 16<<20) + "\n")
	if _, err := f.ResponseWriter.Write(padding); err != nil {
		return 0, err
	}
	return f.ResponseWriter.Write(b)
}
