package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// heartbeat calls the URL of a dead man's switch for as long as Vigía is alive: a canary has just come through collecting, judging,
// storing and sending, and nothing waits in the outbox for longer than it should. When it stops calling, the other side tells people.
type heartbeat struct {
	current func() *HeartbeatSpec // what the configuration says now; nil: nothing is called
	alive   func() error
	client  *http.Client
	logger  *slog.Logger
}

func newHeartbeat(current func() *HeartbeatSpec, alive func() error, logger *slog.Logger) *heartbeat {
	return &heartbeat{
		current: current, alive: alive, logger: logger,
		client: &http.Client{
			Transport:     &http.Transport{Proxy: nil, DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// lookAgain is how often it looks whether a call is due, or the configuration is another.
const lookAgain = 500 * time.Millisecond

// Run calls until ctx ends; a reload takes effect at once. A call that failed is logged once, and once more when it works again.
func (h *heartbeat) Run(ctx context.Context) error {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	var last string
	var next time.Time
	var was *HeartbeatSpec
	for {
		now, text := time.Now(), last
		switch c := h.current(); {
		case c == nil:
			next, text = time.Time{}, ""
		case !now.Before(next) || c != was:
			next, was, text = now.Add(c.Every.Std()), c, ""
			if err := h.beat(ctx, c); err != nil && ctx.Err() == nil {
				text = err.Error()
			}
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

func (h *heartbeat) beat(ctx context.Context, c *HeartbeatSpec) error {
	ctx, cancel := context.WithTimeout(ctx, min(c.Every.Std(), 10*time.Second))
	defer cancel()
	if err := h.alive(); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL.Reveal(), nil)
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
