//go:build !linux

package capture

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"vigia/collectors/voice"
)

// Live captures the packets of one network interface; only Linux has what it needs.
type Live struct{}

// NewLive always fails here.
func NewLive(LiveConfig, voice.Sink, func([]byte, netip.Addr, time.Time), *slog.Logger) (*Live, error) {
	return nil, errors.New("capture: only Linux can capture from an interface; use vigia replay on a file")
}

// Run does nothing.
func (*Live) Run(context.Context) error { return nil }

// Close does nothing.
func (*Live) Close() {}

// Stats counts nothing.
func (*Live) Stats() LiveStats { return LiveStats{} }
