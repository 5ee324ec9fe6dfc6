package hep

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"vigia/collectors/intake"
	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

// Listener is one UDP socket and the listening sockets of TCP and TLS, as configured.
type Listener struct {
	cfg      Config
	key      []byte
	udp      *intake.UDP
	streams  []net.Listener
	secure   []bool // of streams: TLS
	tls      *tls.Config
	sources  *intake.Sources
	sink     voice.Sink
	log      *slog.Logger
	decoders decoders
	dialects map[uint32]wire.Dialect
	once     sync.Once
	count    counters

	mu   sync.Mutex
	open map[netip.Addr]int // connections by source
}

// New opens the sockets. Run must follow, or Close.
func New(cfg Config, sink voice.Sink, log *slog.Logger) (*Listener, error) {
	if p := cfg.Validate(); len(p) > 0 {
		return nil, fmt.Errorf("hep: %s: %s (%s)", p[0].Key, p[0].Message, p[0].Hint)
	}
	l := closed(cfg, joined(), sink, log)
	if err := l.listen(); err != nil {
		l.Close()
		return nil, fmt.Errorf("hep: %w", err)
	}
	return l, nil
}

// joined are the decoders of package wire.
func joined() decoders { return decoders{sip: wire.SIP, vq: wire.VQ} }

// closed is a Listener without sockets.
func closed(cfg Config, d decoders, sink voice.Sink, log *slog.Logger) *Listener {
	cfg.setDefaults()
	return &Listener{
		cfg: cfg, key: []byte(cfg.Key.Reveal()), sink: sink, log: log, decoders: d, dialects: cfg.Dialects, open: map[netip.Addr]int{},
		sources: intake.NewSources(intake.Limits{Allow: cfg.Allow, Rate: float64(cfg.Rate), Sources: cfg.Sources}),
	}
}

func (l *Listener) listen() (err error) {
	ctx := context.Background()
	if l.cfg.TLS != "" {
		cert, err := tls.LoadX509KeyPair(l.cfg.Cert, l.cfg.CertKey)
		if err != nil {
			return fmt.Errorf("load the certificate %s and its key %s: %w", l.cfg.Cert, l.cfg.CertKey, err)
		}
		l.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	if l.cfg.UDP != "" {
		if l.udp, err = intake.OpenUDP(ctx, l.cfg.UDP, l.cfg.Buffer); err != nil {
			return err
		}
		if s := l.udp.Stats(); s.Short() {
			l.log.Warn("hep: the receive buffer is smaller than wanted; bursts may be lost. Raise net.core.rmem_max or give CAP_NET_ADMIN",
				"wanted", s.Wanted, "granted", s.BufferBytes)
		}
	}
	for _, s := range [...]struct {
		address string
		secure  bool
	}{{l.cfg.TCP, false}, {l.cfg.TLS, true}} {
		if s.address == "" {
			continue
		}
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, "tcp", s.address)
		if err != nil {
			return fmt.Errorf("listen for TCP on %s (is another program using the port, or is the address not this machine's?): %w", s.address, err)
		}
		l.streams, l.secure = append(l.streams, ln), append(l.secure, s.secure)
	}
	return nil
}

// Addresses are what is listened on: UDP, TCP, TLS, as far as configured.
func (l *Listener) Addresses() (out []net.Addr) {
	if l.udp != nil {
		out = append(out, net.UDPAddrFromAddrPort(l.udp.Local()))
	}
	for _, s := range l.streams {
		out = append(out, s.Addr())
	}
	return out
}

// Close closes the listening sockets, of a Listener that is not run, and is harmless after Run.
func (l *Listener) Close() {
	if l.udp != nil {
		l.udp.Close()
	}
	for _, s := range l.streams {
		s.Close()
	}
}

// Run receives until ctx ends, and then returns nil once every connection is closed. It is called once.
func (l *Listener) Run(ctx context.Context) error {
	defer l.Close()
	g, ctx := errgroup.WithContext(ctx)
	stop := context.AfterFunc(ctx, l.Close)
	defer stop()
	if l.udp != nil {
		g.Go(func() error { return l.datagrams(ctx) })
	}
	for i, s := range l.streams {
		g.Go(func() error { return l.accept(ctx, s, l.secure[i]) })
	}
	return g.Wait()
}

func (l *Listener) datagrams(ctx context.Context) error {
	h := newHandler(l)
	for {
		batch, err := l.udp.Read()
		switch {
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("hep: receive on UDP %s: %w", l.udp.Local(), err)
		}
		now := time.Now()
		for i := range batch {
			if from := batch[i].From.Addr(); l.admitted(from, now) {
				h.message(batch[i].Data, from, now)
			}
		}
	}
}
