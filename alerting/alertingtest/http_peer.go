package alertingtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// Request is what came to an HTTPPeer.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   string
}

// HTTPPeer is a service on loopback that keeps what came and behaves as it is told. A test of a kind says how its service answers.
type HTTPPeer struct {
	URL   string
	Close func() // from now on connections are refused

	reply  func(w http.ResponseWriter, r Request, a Answer)
	gone   chan struct{}
	mu     sync.Mutex
	answer Answer
	came   []Request
}

// StartHTTP starts a service that answers by reply; Hang is none of its answers.
func StartHTTP(t *testing.T, reply func(w http.ResponseWriter, r Request, a Answer)) *HTTPPeer {
	p := &HTTPPeer{reply: reply, gone: make(chan struct{})}
	server := httptest.NewServer(p)
	p.URL, p.Close = server.URL, server.Close
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(p.gone) })
	return p
}

// ServeHTTP keeps a request and answers it.
func (p *HTTPPeer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, _ := io.ReadAll(r.Body) // what could not be read shows in what is compared
	came := Request{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header, Body: string(content)}
	p.mu.Lock()
	answer := p.answer
	p.came = append(p.came, came)
	p.mu.Unlock()
	if answer != Hang {
		p.reply(w, came, answer)
		return
	}
	select {
	case <-r.Context().Done():
	case <-p.gone:
	}
}

// Set says how to answer from now on.
func (p *HTTPPeer) Set(a Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = a
}

// Came is what came, oldest first.
func (p *HTTPPeer) Came() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.came)
}

// Texts lists every string in decoded JSON, keys of objects aside.
func Texts(v any) []string {
	var list []string
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			list = append(list, Texts(one)...)
		}
	case map[string]any:
		for _, one := range v {
			list = append(list, Texts(one)...)
		}
	}
	return list
}
