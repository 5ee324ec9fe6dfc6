package hep

import (
	"log/slog"
	"net/netip"
	"time"

	"vigia/collectors/voice"
)

// Decoder reads HEP messages that were captured on their way, without a socket. It asks for no key and knows no allowed networks: whoever captured
// them may read them. It is for one goroutine.
type Decoder struct{ h *handler }

// NewDecoder makes a Decoder that hands what it finds to sink.
func NewDecoder(sink voice.Sink, log *slog.Logger) *Decoder {
	return &Decoder{h: newHandler(closed(Config{}, joined(), sink, log))}
}

// Stats is a snapshot.
func (d *Decoder) Stats() Stats { return d.h.l.Stats() }

// Message reads one message that from sent, captured at that time. What cannot be read is dropped.
func (d *Decoder) Message(data []byte, from netip.Addr, at time.Time) { d.h.message(data, from, at) }
