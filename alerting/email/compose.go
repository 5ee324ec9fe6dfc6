package email

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"vigia/alerting"
)

// compose writes the message: headers, text and HTML, and the picture that the HTML shows.
func (n *notifier) compose(m alerting.Message, png []byte, now time.Time) (*gomail.Msg, error) {
	said := n.wording.Say(m)
	page, err := page(n.wording.Lang, said, len(png) > 0)
	if err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	msg.FromMailAddress(&mail.Address{Name: n.sender(said), Address: n.from.Address})
	msg.ToMailAddress(n.to...)
	msg.CcMailAddress(n.cc...)
	msg.Subject(headerText(said.Subject))
	msg.SetDateWithValue(now)
	n.thread(msg, m)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("X-Vigia-Key", idPart(m.Key))
	if !said.Calm && said.Severity >= alerting.Major {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	msg.SetBodyString(gomail.TypeTextPlain, strings.ReplaceAll(said.Plain(), "\n", "\r\n"))
	msg.AddAlternativeString(gomail.TypeTextHTML, string(bytes.ReplaceAll(page, []byte("\n"), []byte("\r\n"))))
	if len(png) > 0 {
		if err := msg.EmbedReader("chart.png", bytes.NewReader(png), gomail.WithFileContentID("<"+chartID+">"), gomail.WithFileContentType("image/png")); err != nil {
			return nil, fmt.Errorf("attach the picture: %w", err)
		}
	}
	return msg, nil
}

// chartID names the picture within its message (RFC 2392).
const chartID = "chart@vigia"

// sender is the sender's name with what changes before it: Critical · NOC.
func (n *notifier) sender(said alerting.Said) string {
	return headerText(said.Badge + " · " + cmp.Or(n.from.Name, n.wording.Brand, "Vigía"))
}

// thread gives the message its id, and what it belongs to.
func (n *notifier) thread(msg *gomail.Msg, m alerting.Message) {
	_, domain, _ := strings.Cut(n.from.Address, "@")
	msg.SetMessageIDWithValue(idPart(m.Key) + "@" + domain)
	if m.Incident == 0 {
		return
	}
	id := fmt.Sprint(m.Incident)
	msg.SetGenHeader("X-Vigia-Incident", id)
	thread := "<incident-" + id + "." + idPart(n.wording.Receiver) + "@" + domain + ">"
	msg.SetGenHeader(gomail.HeaderReferences, thread)
	if m.Cause != alerting.CauseOpened {
		msg.SetGenHeader(gomail.HeaderInReplyTo, thread)
	}
}

// headerText is a text for a header. go-mail encodes what is not ASCII; what looks like an encoded word already is taken apart, so that a
// reader sees what was written.
func headerText(s string) string { return strings.ReplaceAll(s, "=?", "= ?") }

const maxIDPart = 120

// idPart writes a key as part of a Message-ID (dot-atom, RFC 5322 §3.2.3): other characters become _XX, and what is too long a digest.
func idPart(key string) string {
	var b strings.Builder
	last := byte('.')
	for i := range len(key) {
		c := key[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.' && last != '.' && i < len(key)-1:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02X", c)
		}
		last = c
	}
	if b.Len() <= maxIDPart && b.Len() > 0 {
		return b.String()
	}
	sum := sha256.Sum256([]byte(key))
	return "k-" + hex.EncodeToString(sum[:16])
}
