package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"vigia/collectors/inventory"
)

// heartbeat calls the URL of a dead man's switch for as long as Vigía is alive: its engine has planned and applied, its store takes writes,
// and nothing waits in the outbox for longer than it should. When it stops calling, the other side tells people.
type heartbeat struct {
	url    inventory.Secret
	every  time.Duration
	alive  func() error
	client *http.Client
	logger *slog.Logger
}

func newHeartbeat(url inventory.Secret, every time.Duration, alive func() error, logger *slog.Logger) *heartbeat {
	return &heartbeat{
		url: url, every: every, alive: alive, logger: logger,
		client: &http.Client{
			Timeout:       min(every, 10*time.Second),
			Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Run calls until ctx ends. A call that failed is logged once, and once more when it works again.
func (h *heartbeat) Run(ctx context.Context) error {
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	var last string
	for {
		text := ""
		if err := h.beat(ctx); err != nil && ctx.Err() == nil {
			text = err.Error()
		}
		if text != last {
			if text != "" {
				h.logger.Error("heartbeat not sent", "why", text)
			} else {
				h.logger.Info("heartbeat sent again")
			}
			last = text
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (h *heartbeat) beat(ctx context.Context) error {
	if err := h.alive(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url.Reveal(), nil)
	if err != nil {
		return fmt.Errorf("heartbeat URL cannot be used")
	}
	res, err := h.client.Do(req)
	if err != nil {
		return fmt.Errorf("heartbeat to %s: no answer", req.URL.Host) // the error itself holds the URL, which is a secret
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("heartbeat to %s: %s", req.URL.Host, res.Status)
	}
	return nil
}

// with is Run for a group of goroutines.
func (h *heartbeat) with(ctx context.Context) func() error {
	return func() error { return h.Run(ctx) }
}
