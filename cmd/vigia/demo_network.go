package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The demo's network: what the real collectors probe over loopback. Every part can be made unwell and well again.

// demoPart is something that can fail.
type demoPart interface {
	// set makes the part as well as wanted; it takes effect at once.
	set(health demoHealth) error
	// addr is where it listens.
	addr() string
	close() error
}

type demoHealth int

const (
	demoWell   demoHealth = iota
	demoSlow              // answers late
	demoFaulty            // answers that it is not well
	demoSilent            // does not answer
	demoBusy              // is at its limit
)

// demoWeb is a server's health page.
type demoWeb struct {
	listener net.Listener
	server   *http.Server
	health   atomic.Int32
}

func newDemoWeb(ip string) (*demoWeb, error) {
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		return nil, fmt.Errorf("demo server on %s: %w", ip, err)
	}
	w := &demoWeb{listener: l}
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: 5 * time.Second}
	go w.server.Serve(l) //nolint:errcheck // ends when it is closed
	return w, nil
}

// ServeHTTP answers as well as the server is.
func (w *demoWeb) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch demoHealth(w.health.Load()) {
	case demoFaulty:
		http.Error(rw, "no worker left", http.StatusServiceUnavailable)
		return
	case demoSilent:
		<-r.Context().Done()
		return
	case demoSlow:
		wait(r.Context(), 900*time.Millisecond)
	}
	fmt.Fprintln(rw, "ok")
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (w *demoWeb) set(h demoHealth) error { w.health.Store(int32(h)); return nil }
func (w *demoWeb) addr() string           { return w.listener.Addr().String() }
func (w *demoWeb) close() error           { return w.server.Close() }

// demoPort is a router's port that accepts connections, or refuses them when it is down.
type demoPort struct {
	at       string
	mu       sync.Mutex
	listener net.Listener
}

func newDemoPort(ip string) (*demoPort, error) {
	p := &demoPort{at: ip + ":0"}
	if err := p.set(demoWell); err != nil {
		return nil, fmt.Errorf("demo port on %s: %w", ip, err)
	}
	p.at = p.listener.Addr().String()
	return p, nil
}

func (p *demoPort) set(h demoHealth) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h != demoWell {
		if p.listener == nil {
			return nil
		}
		err := p.listener.Close()
		p.listener = nil
		return err
	}
	if p.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.at)
	if err != nil {
		return err
	}
	p.listener = l
	go acceptAndClose(l)
	return nil
}

func acceptAndClose(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Close()
	}
}

func (p *demoPort) addr() string { return p.at }
func (p *demoPort) close() error { return p.set(demoSilent) }

// demoSIP is a carrier's SBC that answers OPTIONS over UDP.
type demoSIP struct {
	conn   net.PacketConn
	health atomic.Int32
}

func newDemoSIP(ip string) (*demoSIP, error) {
	conn, err := net.ListenPacket("udp", ip+":0")
	if err != nil {
		return nil, fmt.Errorf("demo SIP endpoint on %s: %w", ip, err)
	}
	s := &demoSIP{conn: conn}
	go s.serve()
	return s, nil
}

func (s *demoSIP) serve() {
	parser := sip.NewParser()
	buf := make([]byte, 8192)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		msg, err := parser.ParseSIP(bytes.Clone(buf[:n]))
		if err != nil {
			continue
		}
		req, ok := msg.(*sip.Request)
		if !ok || demoHealth(s.health.Load()) == demoSilent {
			continue
		}
		s.answer(req, from)
	}
}

func (s *demoSIP) answer(req *sip.Request, to net.Addr) {
	code, reason := 200, "OK"
	switch demoHealth(s.health.Load()) {
	case demoFaulty:
		code, reason = 503, "Service Unavailable"
	case demoSlow:
		time.AfterFunc(400*time.Millisecond, func() { s.send(req, 200, "OK", to) })
		return
	}
	s.send(req, code, reason, to)
}

func (s *demoSIP) send(req *sip.Request, code int, reason string, to net.Addr) {
	res := sip.NewResponseFromRequest(req, code, reason, nil)
	// A lost answer is what UDP is; the collector asks again.
	_, _ = s.conn.WriteTo([]byte(res.String()), to)
}

func (s *demoSIP) set(h demoHealth) error { s.health.Store(int32(h)); return nil }
func (s *demoSIP) addr() string           { return s.conn.LocalAddr().String() }
func (s *demoSIP) close() error           { return s.conn.Close() }
