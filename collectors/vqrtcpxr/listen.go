package vqrtcpxr

import (
	"bytes"
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

// Listener takes reports on one address. Make it with New, then Run it once.
type Listener struct {
	cfg    Config
	sink   voice.Sink
	logger *slog.Logger
	udp    *intake.UDP
	tcp    *net.TCPListener
	memory *memory
	count  counts
	open   atomic.Int64

	mu    sync.Mutex
	conns map[*net.TCPConn]netip.Addr
}

// New opens the sockets, so that an address in use is an error here and not later. Run or Close gives them back.
func New(cfg Config, sink voice.Sink, logger *slog.Logger) (*Listener, error) {
	if len(cfg.Allow) == 0 {
		return nil, errNobody
	}
	address, err := net.ResolveTCPAddr("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("vqrtcpxr: address %s: %w", cfg.Listen, err)
	}
	tcp, err := net.ListenTCP("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("vqrtcpxr: listen: %w (another program may have the port; change voice.vqrtcpxr.listen)", err)
	}
	at := tcp.Addr().(*net.TCPAddr)
	own := net.UDPAddr{IP: address.IP, Port: at.Port, Zone: address.Zone}
	udp, err := intake.OpenUDP(context.Background(), own.String(), receiveBuffer)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("vqrtcpxr: %w (or change voice.vqrtcpxr.listen)", err), tcp.Close())
	}
	return &Listener{cfg: cfg, sink: sink, logger: logger, udp: udp, tcp: tcp, memory: newMemory(), conns: map[*net.TCPConn]netip.Addr{}}, nil
}

// Addr is the address in use; UDP and TCP have the same.
func (l *Listener) Addr() netip.AddrPort { return l.udp.Local() }

// Close gives the sockets back; Run returns then. It may be called more than once.
func (l *Listener) Close() {
	l.udp.Close()
	_ = l.tcp.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Close()
	}
}

// Run takes reports until ctx is done, and returns nil then. An error means that a socket broke.
func (l *Listener) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	all.Go(func() { stop(l.serveUDP()) })
	all.Go(func() { stop(l.serveTCP(&all)) })
	<-ctx.Done()
	l.Close()
	all.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("vqrtcpxr: %w", err)
	}
	return nil
}

// serveUDP takes datagrams. A datagram that fails is dropped; only a socket that is gone ends it.
func (l *Listener) serveUDP() error {
	out := make([]byte, 0, 4096)
	for {
		batch, err := l.udp.Read()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		now := time.Now()
		for i := range batch { // none after an ICMP error of an answer that was sent before
			from := batch[i].From
			reply, port := l.packet(batch[i].Data, from, out[:0], now)
			if len(reply) == 0 {
				continue
			}
			if err := l.udp.Send(reply, netip.AddrPortFrom(from.Addr(), port)); err != nil {
				l.count[SendFailed].Add(1)
			}
		}
	}
}

// packet takes one message and returns the answer and the port that it goes to; nothing when there is none.
func (l *Listener) packet(data []byte, from netip.AddrPort, out []byte, now time.Time) (reply []byte, port uint16) {
	reason := Panicked
	defer func() {
		l.count[reason].Add(1)
		if p := recover(); p != nil {
			l.logger.Error("a SIP packet made the decoder panic; it was dropped", "from", from, "panic", p, "stack", string(debug.Stack()))
			reply = nil
		}
	}()
	switch {
	case !l.cfg.allows(from.Addr()):
		reason = NotAllowed
	case l.memory.tooMany(from.Addr(), now):
		reason = TooMany
	case len(bytes.Trim(data, "\r\n\x00 ")) == 0:
		reason = KeepAlive
	default:
		reply, port, reason = l.message(data, from, out, now)
	}
	return reply, port
}

// message takes one message of an allowed source.
func (l *Listener) message(data []byte, from netip.AddrPort, out []byte, now time.Time) ([]byte, uint16, Reason) {
	m, err := wire.ReadMessage(data)
	switch {
	case err != nil:
		return nil, 0, NotSIP
	case m.Status != 0 || bytes.Equal(m.Method, []byte("ACK")):
		return nil, 0, Response
	}
	r, ok := readRequest(m)
	if !ok {
		return nil, 0, Malformed
	}
	key := l.memory.hash(from.Addr(), r.call, r.cseq)
	a, reason := l.judge(&r, key, from, now)
	return r.write(out, a, from, key), r.port(from), reason
}

// judge decides what a request is answered, and hands its report on.
func (l *Listener) judge(r *request, key uint64, from netip.AddrPort, now time.Time) (answer, Reason) {
	ok := fine
	switch string(r.message.Method) {
	case "PUBLISH":
		ok = r.published(key)
	case "NOTIFY", "MESSAGE":
	default:
		return badMethod, WrongMethod
	}
	event, _, _ := bytes.Cut(r.event, []byte(";"))
	event = bytes.TrimSpace(event)
	if !bytes.EqualFold(event, eventName) && (len(event) > 0 || ok.extra != "") { // a MESSAGE has none, and some phones' NOTIFY neither
		return badEvent, WrongEvent
	}
	switch {
	case r.message.Cut:
		return badRequest, Unreadable
	case len(bytes.TrimSpace(r.message.Body)) == 0 && ok.extra != "":
		return ok, Refreshed
	case !wire.CarriesVQ(&r.message):
		return badType, WrongType
	case l.memory.repeated(key, now):
		return ok, Repeated
	}
	seen := voice.Seen{Observer: voice.Observer{Via: voice.ViaPublish, Addr: from.Addr()}, At: now, Arrived: now, Src: from, Dst: l.Addr()}
	if err := wire.DecodeReport(seen, &r.message, l.sink); err != nil {
		return badRequest, Unreadable
	}
	return ok, Taken
}
