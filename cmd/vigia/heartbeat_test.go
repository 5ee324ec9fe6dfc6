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

func TestHeartbeatOnlyWhileAlive(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	var sick atomic.Bool
	h := newHeartbeat(inventory.NewSecret(server.URL+"/token-123"), time.Second, func() error {
		if sick.Load() {
			return errors.New("the store takes no writes")
		}
		return nil
	}, slog.New(slog.DiscardHandler))
	if err := h.beat(t.Context()); err != nil || calls.Load() != 1 {
		t.Fatalf("alive: %v, %d calls", err, calls.Load())
	}
	sick.Store(true)
	if err := h.beat(t.Context()); err == nil || calls.Load() != 1 {
		t.Errorf("not alive: %v, %d calls; want an error and no further call", err, calls.Load())
	}
}

func TestHeartbeatKeepsItsURLSecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL + "/token-123"
	h := newHeartbeat(inventory.NewSecret(url), time.Second, func() error { return nil }, slog.New(slog.DiscardHandler))
	for name, prepare := range map[string]func(){"refused": func() {}, "gone": server.Close} {
		prepare()
		if err := h.beat(context.Background()); err == nil || strings.Contains(err.Error(), "token-123") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
