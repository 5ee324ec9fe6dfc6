package vqrtcpxr

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"vigia/collectors/wire"
)

// serveTCP takes connections; each has a goroutine that all waits for.
func (l *Listener) serveTCP(all *sync.WaitGroup) error {
	for {
		c, err := l.tcp.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // such as too many open files: it passes
			time.Sleep(50 * time.Millisecond)
			continue
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if reason, ok := l.admit(c, from.Addr()); !ok {
			l.count[reason].Add(1)
			_ = c.SetLinger(0) // a reset: nothing is kept for a stranger
			_ = c.Close()
			continue
		}
		all.Go(func() {
			defer l.leave(c)
			l.serveStream(c, from)
		})
	}
}

// admit decides whether a connection may stay, and notes it.
func (l *Listener) admit(c *net.TCPConn, from netip.Addr) (Reason, bool) {
	if !l.cfg.allows(from) {
		return NotAllowed, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	same := 0
	for _, a := range l.conns {
		if a == from {
			same++
		}
	}
	if len(l.conns) >= maxConnections || same >= maxPerSource {
		return TooMany, false
	}
	l.conns[c] = from
	l.open.Add(1)
	return Taken, true
}

func (l *Listener) leave(c *net.TCPConn) {
	_ = c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	l.open.Add(-1)
}

// serveStream takes the messages of one connection until it ends, is idle too long, or cannot be read on.
func (l *Listener) serveStream(c *net.TCPConn, from netip.AddrPort) {
	var got, out []byte
	buffer := make([]byte, 16384)
	for {
		_ = c.SetReadDeadline(time.Now().Add(idleTCP))
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		got = append(got, buffer[:n]...)
		for len(got) > 0 {
			message, used, err := wire.Frame(got)
			if err != nil {
				l.count[NotSIP].Add(1)
				return
			}
			got = got[used:]
			if message == nil {
				break
			}
			reply, _ := l.packet(message, from, out[:0], time.Now())
			if len(reply) == 0 {
				continue
			}
			out = reply
			_ = c.SetWriteDeadline(time.Now().Add(writeTCP))
			if _, err := c.Write(reply); err != nil {
				l.count[SendFailed].Add(1)
				return
			}
		}
	}
}
