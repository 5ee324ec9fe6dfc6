package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"vigia/web"
)

// The demo's sinks: a mail server and a webhook receiver on loopback that keep what they were told, for the page /demo.

const demoKeep = 200 // messages that are kept of each kind

type demoSinks struct {
	mail *smtp.Server
	smtp net.Listener
	hook net.Listener
	web  *http.Server
	now  func() time.Time

	mu       sync.Mutex
	messages []web.DemoMessage // newest last
}

func newDemoSinks(now func() time.Time) (*demoSinks, error) {
	s := &demoSinks{now: now}
	var err error
	if s.smtp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("demo mail server: %w", err)
	}
	if s.hook, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("demo webhook: %w", err)
	}
	s.mail = smtp.NewServer(demoBackend{s})
	s.mail.Domain = "localhost"
	s.mail.AllowInsecureAuth = true
	s.mail.MaxMessageBytes = 1 << 20
	s.web = &http.Server{Handler: s, ReadHeaderTimeout: 5 * time.Second}
	go s.mail.Serve(s.smtp) //nolint:errcheck // ends when it is closed
	go s.web.Serve(s.hook)  //nolint:errcheck // ends when it is closed
	return s, nil
}

func (s *demoSinks) close() {
	// They are going away with the process; what is still being sent to them is not waited for.
	_ = s.mail.Close()
	_ = s.web.Close()
}

func (s *demoSinks) keep(m web.DemoMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.At = s.now()
	s.messages = append(s.messages, m)
	if len(s.messages) > demoKeep {
		s.messages = s.messages[len(s.messages)-demoKeep:]
	}
}

// received lists what came, newest first.
func (s *demoSinks) received() []web.DemoMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]web.DemoMessage, 0, len(s.messages))
	for i := len(s.messages) - 1; i >= 0; i-- {
		out = append(out, s.messages[i])
	}
	return out
}

// ServeHTTP takes a webhook.
func (s *demoSinks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || !json.Valid(body) {
		http.Error(w, "wants JSON", http.StatusBadRequest)
		return
	}
	headers := map[string]string{}
	for _, name := range []string{"Idempotency-Key", "X-Vigia-Signature", "Content-Type"} {
		headers[name] = r.Header.Get(name)
	}
	s.keep(web.DemoMessage{Kind: "webhook", To: r.URL.Path, Raw: body, Headers: headers})
	w.WriteHeader(http.StatusAccepted)
}

type demoBackend struct{ sinks *demoSinks }

// NewSession starts one mail conversation.
func (b demoBackend) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &demoSession{sinks: b.sinks}, nil
}

type demoSession struct {
	sinks *demoSinks
	to    []string
}

// Mail takes any sender.
func (s *demoSession) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes any recipient.
func (s *demoSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data keeps the message.
func (s *demoSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range s.to {
		s.sinks.keep(web.DemoMessage{Kind: "mail", To: to, Raw: raw})
	}
	return nil
}

// Reset forgets the recipients.
func (s *demoSession) Reset() { s.to = nil }

// Logout ends the conversation.
func (s *demoSession) Logout() error { return nil }
