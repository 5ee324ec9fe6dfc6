package email

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"vigia/alerting/alertingtest"
	"vigia/collectors/inventory"
)

const (
	user     = "noc-user"
	password = "pass-word-987"
)

// peer is a real mail server that keeps what it is given and behaves as it is told.
type peer struct {
	server   *smtp.Server
	listener net.Listener
	ca       string // PEM
	gone     chan struct{}
	once     sync.Once

	mu     sync.Mutex
	answer alertingtest.Answer
	rcpt   func(address string) error
	mails  []received
	tls    bool
	helo   string
	auths  []string
}

type received struct {
	raw []byte
	to  []string
}

type options struct {
	auth, startTLS, implicit bool
}

func startPeer(t *testing.T, o options) *peer {
	t.Helper()
	p := &peer{gone: make(chan struct{})}
	p.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s := &session{p: p, conn: c}
		if o.auth {
			return authSession{s}, nil
		}
		return s, nil
	}))
	p.server.Domain, p.server.AllowInsecureAuth = "peer.example", true
	p.server.ErrorLog = quiet{}
	config, ca := certificate(t)
	p.ca = ca
	if o.startTLS {
		p.server.TLSConfig = config
	}
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	listener := p.listener
	if o.implicit {
		listener = tls.NewListener(listener, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.server.Serve(listener)
	}()
	t.Cleanup(func() {
		p.close()
		<-done
	})
	return p
}

type quiet struct{}

// Printf says nothing.
func (quiet) Printf(string, ...any) {}

// Println says nothing.
func (quiet) Println(...any) {}

func (p *peer) close() {
	p.once.Do(func() {
		close(p.gone)
		_ = p.server.Close()
		_ = p.listener.Close() // Close knows of it only once Serve has begun
	})
}

func (p *peer) set(a alertingtest.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = a
}

func (p *peer) config(scheme string) *Config {
	return &Config{
		SMTP: inventory.NewSecret(scheme + "://" + p.listener.Addr().String()), CA: inventory.NewSecret(p.ca),
		From: "NOC <noc@istmovoz.example>", To: []string{"l2@istmovoz.example"},
	}
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, string(text)
}

type session struct {
	p    *peer
	conn *smtp.Conn
	to   []string
}

// Mail takes any sender, and remembers how the client came.
func (s *session) Mail(string, *smtp.MailOptions) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	_, s.p.tls = s.conn.TLSConnectionState()
	s.p.helo = s.conn.Hostname()
	return nil
}

// Rcpt takes a recipient, or refuses as it was told.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.p.mu.Lock()
	decide := s.p.rcpt
	s.p.mu.Unlock()
	if decide != nil {
		if err := decide(to); err != nil {
			return err
		}
	}
	s.to = append(s.to, to)
	return nil
}

// Data keeps the mail and answers.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.p.mu.Lock()
	s.p.mails = append(s.p.mails, received{raw, s.to})
	answer := s.p.answer
	s.p.mu.Unlock()
	switch answer {
	case alertingtest.Hang:
		<-s.p.gone
	case alertingtest.RefuseNow:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come back later"}
	case alertingtest.RefuseForGood:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not wanted here"}
	case alertingtest.Echo:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "you said " + user + " " + password}
	}
	return nil
}

// Reset forgets the recipients.
func (s *session) Reset() { s.to = nil }

// Logout ends the conversation.
func (s *session) Logout() error { return nil }

type authSession struct{ *session }

// AuthMechanisms lists PLAIN.
func (authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

// Auth checks the password.
func (s authSession) Auth(mechanism string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, secret string) error {
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		s.p.auths = append(s.p.auths, mechanism)
		if name != user || secret != password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no: " + name + " " + secret}
		}
		return nil
	}), nil
}

// letter is a mail taken apart.
type letter struct {
	header     mail.Header
	text, html string
}

func parse(raw []byte) (letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return letter{}, err
	}
	l := letter{header: m.Header}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return l, fmt.Errorf("content type %q: %w", kind, err)
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return l, nil
		} else if err != nil {
			return l, err
		}
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return l, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.html = string(content)
		} else {
			l.text = string(content)
		}
	}
}

// decoded is a header as a person reads it.
func (l letter) decoded(name string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(l.header.Get(name))
	if err != nil {
		return err.Error()
	}
	return text
}

func (p *peer) copies() []alertingtest.Copy {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []alertingtest.Copy
	for _, m := range p.mails {
		l, err := parse(m.raw)
		if err != nil {
			l.text = "not a mail: " + err.Error()
		}
		list = append(list, alertingtest.Copy{Key: l.header.Get("Message-Id"), Text: l.decoded("Subject") + "\n" + l.text, Raw: string(m.raw)})
	}
	return list
}

func (p *peer) last(t *testing.T) (letter, []string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) == 0 {
		t.Fatal("no mail came")
	}
	m := p.mails[len(p.mails)-1]
	l, err := parse(m.raw)
	if err != nil {
		t.Fatal(err)
	}
	return l, slices.Clone(m.to)
}
