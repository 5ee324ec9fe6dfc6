package hep

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

const (
	// patience is how long a message that has begun, or a TLS handshake, may take. Between messages a connection may be silent for hours; that the
	// other end is still there is TCP keep-alive's business.
	patience = 30 * time.Second
	// retryAccept is the pause after an accept that failed for want of file descriptors.
	retryAccept = 100 * time.Millisecond
	streamBytes = 1 << 17 // read buffer of a connection: two messages of the greatest length
)

// accept takes connections until the listening socket is closed, and waits for those that it has taken.
func (l *Listener) accept(ctx context.Context, ln net.Listener, secure bool) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil, errors.Is(err, net.ErrClosed):
			if conn != nil {
				conn.Close()
			}
			return nil
		case err != nil && isTemporary(err):
			select {
			case <-ctx.Done():
			case <-time.After(retryAccept):
			}
			continue
		case err != nil:
			return fmt.Errorf("hep: accept on TCP %s: %w", ln.Addr(), err)
		}
		from, ok := l.enter(conn)
		if !ok {
			conn.Close()
			continue
		}
		wg.Go(func() {
			defer l.leave(from)
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			l.connection(ctx, conn, from, secure)
		})
	}
}

// isTemporary: an aborted connection, or no file descriptors left.
func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// enter gives a connection a place, if its source is allowed and has not too many.
func (l *Listener) enter(conn net.Conn) (netip.Addr, bool) {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	from := remote.AddrPort().Addr().Unmap()
	if !l.sources.Allowed(from) {
		l.count.drop(NotAllowed)
		return from, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(l.count.connections.Load()) >= l.cfg.Connections || l.open[from] >= max(l.cfg.Connections/4, 1) {
		l.count.drop(Connections)
		return from, false
	}
	l.open[from]++
	l.count.connections.Add(1)
	return from, true
}

func (l *Listener) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count.connections.Add(-1)
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
}

func (l *Listener) connection(ctx context.Context, conn net.Conn, from netip.Addr, secure bool) {
	if secure {
		server := tls.Server(conn, l.tls)
		limit, cancel := context.WithTimeout(ctx, patience)
		err := server.HandshakeContext(limit)
		cancel()
		if err != nil {
			l.count.drop(Handshake)
			return
		}
		conn = server
	}
	s := stream{l: l, conn: conn, from: from, buf: bufio.NewReaderSize(conn, streamBytes), handler: newHandler(l)}
	for s.next() {
	}
}

// stream cuts the octets of one connection into messages.
type stream struct {
	l       *Listener
	conn    net.Conn
	from    netip.Addr
	buf     *bufio.Reader
	handler *handler
}

// next reads one message and returns false when the connection is of no more use: ended, stalled within a message, or out of step. After a bad
// magic or length nobody knows where the next message begins, so that the sender has to connect again.
func (s *stream) next() bool {
	if s.buf.Buffered() == 0 {
		s.conn.SetReadDeadline(time.Time{})
		if _, err := s.buf.Peek(1); err != nil {
			return false
		}
	}
	head, ok := s.peek(headLen)
	if !ok {
		return false
	}
	total := int(binary.BigEndian.Uint16(head[4:]))
	switch {
	case string(head[:4]) != "HEP3":
		s.l.count.drop(NotHEP)
		return false
	case total < headLen:
		s.l.count.drop(Malformed)
		return false
	}
	data, ok := s.peek(total)
	if !ok {
		return false
	}
	if now := time.Now(); s.l.admitted(s.from, now) {
		s.handler.message(data, s.from, now)
	}
	_, err := s.buf.Discard(total)
	return err == nil
}

// peek waits for so many octets of a message that has begun.
func (s *stream) peek(n int) ([]byte, bool) {
	if s.buf.Buffered() < n {
		s.conn.SetReadDeadline(time.Now().Add(patience))
	}
	data, err := s.buf.Peek(n)
	if err != nil {
		if len(data) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			s.l.count.drop(Stalled)
		}
		return nil, false
	}
	return data, true
}
