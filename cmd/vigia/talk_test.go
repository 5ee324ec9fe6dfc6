package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/store"
)

// listening is a receiver that listens and takes what is signed with its secret.
type listening struct {
	running atomic.Int32
	ran     atomic.Int32
	secret  string
	pressed atomic.Int32
}

func (l *listening) Notify(context.Context, alerting.Message) (alerting.Receipt, error) {
	return alerting.Receipt{}, nil
}

func (l *listening) Run(ctx context.Context) error {
	l.ran.Add(1)
	l.running.Add(1)
	defer l.running.Add(-1)
	<-ctx.Done()
	return errors.New("ended")
}

func (l *listening) Listening() (connected, wanted bool) { return l.running.Load() > 0, true }

func (l *listening) Signed(h http.Header, _ []byte, _ time.Time) bool {
	return h.Get("X-Secret") == l.secret
}

func (l *listening) Pressed(context.Context, []byte, time.Time) error {
	l.pressed.Add(1)
	return errors.New("unreadable")
}

func TestTalkback(t *testing.T) {
	talk := newTalk(slog.New(slog.DiscardHandler))
	first, second := &listening{}, &listening{}
	talk.set(map[string]alerting.Notifier{"a": first})
	if talk.wanted() != 0 {
		t.Error("a standby wants connections")
	}
	for range 2 { // active, standby, active
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- talk.Run(ctx) }()
		talk.set(map[string]alerting.Notifier{"a": first})
		alertingtest.Soon(t, "the first listens", func() bool { return talk.connected() == 1 && first.running.Load() == 1 })
		talk.set(map[string]alerting.Notifier{"a": second, "b": nil})
		alertingtest.Soon(t, "the second listens instead", func() bool {
			return second.running.Load() == 1 && first.running.Load() == 0 && talk.connected() == 1 && talk.wanted() == 1
		})
		cancel()
		if err := <-done; err != nil || second.running.Load() != 0 || talk.wanted() != 0 {
			t.Errorf("after the end: %v, %d listen, %d wanted", err, second.running.Load(), talk.wanted())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := talk.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestTalkbackTakesSignedRequests(t *testing.T) {
	talk := newTalk(slog.New(slog.DiscardHandler))
	one, other := &listening{secret: "1"}, &listening{secret: "2"}
	talk.set(map[string]alerting.Notifier{"a": one, "b": other})
	server := httptest.NewServer(talk)
	defer server.Close()
	tests := []struct {
		secret, body string
		status       int
	}{{"2", "x", 200}, {"3", "x", 401}, {"2", strings.Repeat("x", maxPressed+1), 413}}
	for _, tt := range tests {
		r, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Secret", tt.secret)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%q with %d octets: %d, want %d", tt.secret, len(tt.body), res.StatusCode, tt.status)
		}
	}
	alertingtest.Soon(t, "the press is carried out", func() bool { return other.pressed.Load() == 1 })
	if one.pressed.Load() != 0 {
		t.Error("somebody else's press was carried out")
	}
}

func TestWithGaps(t *testing.T) {
	at := time.Unix(1795365713, 0)
	list := withGaps(store.RangeResult{
		Points: []store.Point{{At: at, Mean: 1}, {At: at.Add(time.Hour), Mean: 2}},
		Gaps:   []store.Gap{{From: at, To: at.Add(time.Hour)}},
	})
	if len(list) != 3 || list[0].Value != 1 || !math.IsNaN(list[1].Value) || list[2].Value != 2 || !list[1].At.Before(list[2].At) {
		t.Errorf("got %v", list)
	}
}
