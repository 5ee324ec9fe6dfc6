package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors/inventory"
)

func spec(url string) *HeartbeatSpec {
	return &HeartbeatSpec{URL: inventory.NewSecret(url), Every: inventory.Duration(time.Minute)}
}

// TestHeartbeatFollowsTheConfiguration: another URL is called at once, and none when there is no heartbeat any more.
func TestHeartbeatFollowsTheConfiguration(t *testing.T) {
	paths := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	defer server.Close()
	var current atomic.Pointer[HeartbeatSpec]
	h := newHeartbeat(current.Load, func() error { return nil }, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	for _, path := range []string{"/one", "/two"} {
		current.Store(spec(server.URL + path))
		select {
		case got := <-paths:
			if got != path {
				t.Errorf("%s was called, want %s", got, path)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s was not called", path)
		}
	}
	current.Store(nil)
	cancel()
	if err := <-done; err != nil || len(paths) != 0 {
		t.Errorf("%v; %d calls too many", err, len(paths))
	}
}

func TestHeartbeatOnlyWhileAlive(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	var sick atomic.Bool
	c := spec(server.URL + "/token-123")
	h := newHeartbeat(func() *HeartbeatSpec { return c }, func() error {
		if sick.Load() {
			return errors.New("the store takes no writes")
		}
		return nil
	}, slog.New(slog.DiscardHandler))
	if err := h.beat(t.Context(), c); err != nil || calls.Load() != 1 {
		t.Fatalf("alive: %v, %d calls", err, calls.Load())
	}
	sick.Store(true)
	if err := h.beat(t.Context(), c); err == nil || calls.Load() != 1 {
		t.Errorf("not alive: %v, %d calls; want an error and no further call", err, calls.Load())
	}
}

func TestHeartbeatKeepsItsURLSecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL + "/token-123"
	c := spec(url)
	h := newHeartbeat(func() *HeartbeatSpec { return c }, func() error { return nil }, slog.New(slog.DiscardHandler))
	for name, prepare := range map[string]func(){"refused": func() {}, "gone": server.Close} {
		prepare()
		if err := h.beat(context.Background(), c); err == nil || strings.Contains(err.Error(), "token-123") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
