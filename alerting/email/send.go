package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"vigia/alerting"
	"vigia/alerting/picture"
	"vigia/collectors/inventory"
)

type notifier struct {
	server  server
	from    *mail.Address
	to, cc  []*mail.Address
	wording alerting.Wording
	secrets []inventory.Secret // what no outcome may show
	served  *served
	history alerting.History
	logger  *slog.Logger
}

// secretsOf lists what a server could say back to us and must not be shown.
func secretsOf(address inventory.Secret, s server) []inventory.Secret {
	list := []inventory.Secret{address}
	if password := s.password.Reveal(); password != "" {
		list = append(list, s.password,
			inventory.NewSecret(base64.StdEncoding.EncodeToString([]byte("\x00"+s.user+"\x00"+password))),
			inventory.NewSecret(base64.StdEncoding.EncodeToString([]byte(password))))
	}
	return list
}

// Pace keeps a storm readable: mail is read by people.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 10, Every: 5 * time.Second} }

// Notify sends the message.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	msg, err := n.compose(m, n.picture(ctx, m), time.Now())
	if err != nil {
		return alerting.Receipt{}, fmt.Errorf("%w: %w", err, alerting.ErrPermanent)
	}
	said, err := n.deliver(ctx, m.Key, msg)
	if err == nil {
		return alerting.Receipt{Outcome: alerting.Outcome("accepted by "+n.server.host+": "+said, n.secrets...)}, nil
	}
	if ctx.Err() != nil {
		return alerting.Receipt{}, fmt.Errorf("%s did not answer in time: %w", n.server.host, ctx.Err())
	}
	text := alerting.Outcome(n.server.host+": "+err.Error(), n.secrets...)
	if permanent(err) {
		return alerting.Receipt{}, fmt.Errorf("%s: %w", text, alerting.ErrPermanent)
	}
	return alerting.Receipt{}, errors.New(text)
}

// pictureWithin bounds what a picture may cost: the message waits for it.
const pictureWithin = 2 * time.Second

// picture is a chart of what was measured before the message; none when it cannot be had at once.
func (n *notifier) picture(ctx context.Context, m alerting.Message) []byte {
	ctx, cancel := context.WithTimeout(ctx, pictureWithin)
	defer cancel()
	type drawn struct {
		png []byte
		err error
	}
	done := make(chan drawn, 1)
	go func() {
		png, err := picture.Of(ctx, n.history, n.wording.Lang, m)
		done <- drawn{png, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			n.logger.Info("a message has no picture", "incident", m.Incident, "err", d.err)
		}
		return d.png
	case <-ctx.Done():
		return nil // a reader that does not heed its context ends by itself, and nobody waits for it
	}
}

// permanent reports whether another attempt cannot mend it: the server said 5xx, or we cannot prove who we are to it.
func permanent(err error) bool {
	var said *textproto.Error
	return errors.As(err, &said) && said.Code >= 500 && said.Code < 600 || errors.Is(err, errNoAuth)
}

// deliver holds one conversation and returns what the server said when it took the message.
func (n *notifier) deliver(ctx context.Context, key string, msg *gomail.Msg) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", n.server.address())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	client, err := n.greet(conn)
	if err != nil {
		return "", err
	}
	said, err := n.hand(client, key, msg)
	if conn.SetDeadline(time.Now().Add(farewell)) == nil {
		_ = client.Quit() // the message's fate is known; how the server takes leave changes nothing
	}
	return said, err
}

// farewell is how long the server may take to say good-bye.
const farewell = 300 * time.Millisecond

// greet opens the conversation: TLS and who we are.
func (n *notifier) greet(conn net.Conn) (*smtp.Client, error) {
	s := n.server
	if s.implicit {
		conn = tls.Client(conn, s.tls)
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, err
	}
	client.SkipSMTPUTF8(true)
	if err := client.Hello(literal(conn.LocalAddr())); err != nil {
		return nil, err
	}
	if offered, _ := client.Extension("STARTTLS"); !s.implicit && s.startTLS != StartTLSNever && (offered || s.startTLS == StartTLSRequired) {
		if !offered {
			return nil, errNoTLS
		}
		if err := client.StartTLS(s.tls); err != nil {
			return nil, fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if s.password.IsZero() {
		return client, nil
	}
	auth, err := s.auth(client)
	if err != nil {
		return nil, err
	}
	return client, client.Auth(auth)
}

var (
	errNoTLS  = errors.New("the server does not offer STARTTLS, and starttls is required")
	errNoAuth = errors.New("the server offers none of SCRAM-SHA-256, PLAIN, LOGIN and CRAM-MD5")
)

// auth chooses how to prove who we are. The connection is encrypted or on loopback by now.
func (s server) auth(client *smtp.Client) (smtp.Auth, error) {
	_, offered := client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	has := func(m string) bool { return slices.Contains(mechanisms, m) }
	switch password := s.password.Reveal(); {
	case has("SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(s.user, password), nil
	case has("PLAIN"):
		return smtp.PlainAuth("", s.user, password, s.host, true), nil
	case has("LOGIN"):
		return smtp.LoginAuth(s.user, password, s.host, true), nil
	case has("CRAM-MD5"):
		return smtp.CRAMMD5Auth(s.user, password), nil
	}
	return nil, errNoAuth
}

// literal is our own address as a name (RFC 5321 §4.1.3): we know no better one.
func literal(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return "localhost"
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + ip.String() + "]"
}

// hand gives the message to the server for everybody who has not got it yet.
func (n *notifier) hand(client *smtp.Client, key string, msg *gomail.Msg) (string, error) {
	if err := client.Mail("<" + n.from.Address + ">"); err != nil {
		return "", err
	}
	var accepted, refused []string
	var later, last error
	for _, to := range n.served.missing(key, n.addresses()) {
		switch err := client.Rcpt("<" + to + ">"); {
		case err == nil:
			accepted = append(accepted, to)
		default:
			last = err
			if !permanent(err) {
				later = err
			}
			refused = append(refused, fmt.Sprintf("%s refused: %v", to, err))
		}
	}
	if len(accepted) == 0 {
		if later != nil {
			last = later
		}
		return "", last
	}
	said, err := data(client, msg)
	if err != nil {
		return "", err
	}
	if later != nil {
		n.served.note(key, accepted)
		return "", fmt.Errorf("accepted for %d: %s; %s", len(accepted), said, strings.Join(refused, "; "))
	}
	n.served.forget(key)
	return strings.Join(append([]string{said}, refused...), "; "), nil
}

func data(client *smtp.Client, msg *gomail.Msg) (string, error) {
	w, err := client.Data()
	if err != nil {
		return "", err
	}
	if _, err := msg.WriteTo(w); err != nil {
		return "", fmt.Errorf("write the message: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	closer, ok := w.(*smtp.DataCloser)
	if !ok {
		return "250", nil
	}
	return "250 " + closer.ServerResponse(), nil
}

func (n *notifier) addresses() []string {
	var list []string
	for _, a := range append(slices.Clone(n.to), n.cc...) {
		if !slices.Contains(list, a.Address) {
			list = append(list, a.Address)
		}
	}
	return list
}
