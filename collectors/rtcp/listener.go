package rtcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"vigia/collectors/intake"
	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

// Reason says why a datagram, or a part of one, was not used.
type Reason uint8

// The reasons.
const (
	NotAllowed Reason = iota // the source is in none of the allowed networks
	TooFast                  // the source is above its rate
	TableFull                // too many sources at one time
	NotRTCP                  // something else: RTP, STUN, noise
	Empty                    // RTCP by its first octets, but no sub-packet can be read
	Broken                   // sub-packets whose length or content is wrong; the rest of their datagram was used
	Excess                   // parts beyond the limits of the decoder
	Panic                    // the decoder failed; a fault of ours
	reasonCount
)

var reasonNames = [reasonCount]string{"not_allowed", "too_fast", "table_full", "not_rtcp", "empty", "broken", "excess", "panic"}

// String is the reason's name in counters.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "unknown"
}

// Listener is one socket.
type Listener struct {
	udp     *intake.UDP
	sources *intake.Sources
	sink    voice.Sink
	log     *slog.Logger
	decoder wire.RTCPDecoder
	dst     netip.AddrPort
	once    sync.Once

	reports, encrypted, reduced, trailing, skipped atomic.Uint64
	dropped                                        [reasonCount]atomic.Uint64
}

// New opens the socket. Run must follow, or Close.
func New(cfg Config, sink voice.Sink, log *slog.Logger) (*Listener, error) {
	if p := cfg.Validate(); len(p) > 0 {
		return nil, fmt.Errorf("rtcp: %s: %s (%s)", p[0].Key, p[0].Message, p[0].Hint)
	}
	cfg.setDefaults()
	udp, err := intake.OpenUDP(context.Background(), cfg.Listen, cfg.Buffer)
	if err != nil {
		return nil, fmt.Errorf("rtcp: %w", err)
	}
	l := &Listener{udp: udp, sink: sink, log: log}
	l.sources = intake.NewSources(intake.Limits{Allow: cfg.Allow, Rate: float64(cfg.Rate), Sources: cfg.Sources})
	if local := udp.Local(); !local.Addr().IsUnspecified() {
		l.dst = local
	}
	if s := udp.Stats(); s.Short() {
		log.Warn("rtcp: the receive buffer is smaller than wanted; bursts may be lost. Raise net.core.rmem_max or give CAP_NET_ADMIN",
			"wanted", s.Wanted, "granted", s.BufferBytes)
	}
	return l, nil
}

// Local is the address that is listened on.
func (l *Listener) Local() netip.AddrPort { return l.udp.Local() }

// Close closes the socket of a Listener that is not run.
func (l *Listener) Close() { l.udp.Close() }

// Run receives until ctx ends, and then returns nil. It is called once.
func (l *Listener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, l.udp.Close)
	defer stop()
	defer l.udp.Close()
	for {
		batch, err := l.udp.Read()
		switch {
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("rtcp: receive on %s: %w", l.Local(), err)
		}
		now := time.Now()
		for i := range batch {
			l.datagram(&batch[i], now)
		}
	}
}

// datagram takes one datagram. Nothing that it holds can end the collector.
func (l *Listener) datagram(d *intake.Datagram, now time.Time) {
	defer l.recovered()
	switch l.sources.Admit(d.From.Addr(), now) {
	case intake.Admitted:
	case intake.NotAllowed:
		l.drop(NotAllowed, 1)
		return
	case intake.TooFast:
		l.drop(TooFast, 1)
		return
	case intake.TableFull:
		l.drop(TableFull, 1)
		return
	}
	l.decoder.Begin(voice.Seen{
		Observer: voice.Observer{Via: voice.ViaRTCP}, At: d.At, Arrived: now, Src: d.From, Dst: l.dst,
	}, nil)
	stats, err := l.decoder.Decode(d.Data, l.sink)
	l.count(stats, err)
}

func (l *Listener) count(stats wire.RTCPStats, err error) {
	switch {
	case errors.Is(err, wire.ErrNotRTCP):
		l.drop(NotRTCP, 1)
		return
	case err != nil:
		l.drop(Empty, 1)
	}
	l.reports.Add(uint64(stats.Reports))
	if stats.Encrypted {
		l.encrypted.Add(1)
	}
	if stats.Reduced {
		l.reduced.Add(1)
	}
	l.trailing.Add(uint64(stats.Trailing))
	l.skipped.Add(uint64(stats.Skipped))
	l.drop(Broken, stats.Broken)
	l.drop(Excess, stats.Excess)
}

func (l *Listener) drop(r Reason, n int) {
	if n > 0 {
		l.dropped[r].Add(uint64(n))
	}
}

// recovered is the recover boundary of one datagram. The first failure is logged with its place; all are counted.
func (l *Listener) recovered() {
	if p := recover(); p != nil {
		l.drop(Panic, 1)
		l.once.Do(func() {
			l.log.Error("rtcp: a datagram made the decoder fail; please report this", "panic", p, "stack", string(debug.Stack()))
		})
	}
}

// Stats is a snapshot of what a Listener has done since it was made.
type Stats struct {
	Socket    intake.UDPStats
	Sources   intake.SourceStats
	Reports   uint64 // facts handed to the sink
	Encrypted uint64 // SRTCP datagrams: a sign of life without figures
	Reduced   uint64 // reduced-size datagrams
	Trailing  uint64 // octets after the last sub-packet
	Skipped   uint64 // sub-packets and XR blocks that say nothing about quality
	Dropped   map[string]uint64
}

// Stats is for any goroutine.
func (l *Listener) Stats() Stats {
	s := Stats{
		Socket: l.udp.Stats(), Sources: l.sources.Stats(), Reports: l.reports.Load(), Encrypted: l.encrypted.Load(), Reduced: l.reduced.Load(),
		Trailing: l.trailing.Load(), Skipped: l.skipped.Load(), Dropped: make(map[string]uint64, reasonCount),
	}
	for r := range reasonCount {
		s.Dropped[r.String()] = l.dropped[r].Load()
	}
	return s
}
