package email

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
)

// leaf is a part that holds no others.
type leaf struct {
	header textproto.MIMEHeader
	inside string // the kinds of the parts around it
	body   []byte
}

// leaves takes a mail apart.
func leaves(t *testing.T, header textproto.MIMEHeader, body io.Reader, inside string) []leaf {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		switch header.Get("Content-Transfer-Encoding") {
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return []leaf{{header, inside, data}}
	}
	var list []leaf
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, leaves(t, part.Header, part, strings.TrimSpace(inside+" "+kind))...)
	}
}

func line(_ context.Context, _ collectors.Series, from, to time.Time) ([]alerting.Reading, error) {
	return []alerting.Reading{{At: from, Value: 0.2}, {At: to.Add(-time.Minute), Value: 1.4}, {At: to, Value: 11.2}}, nil
}

// mailWith sends the sample message with a history and returns its parts.
func mailWith(t *testing.T, history alerting.History) []leaf {
	t.Helper()
	p := startPeer(t, options{})
	n, err := p.config("smtp").Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "l2-mail", Kind: "email", Language: collectors.Spanish}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com",
		History: history,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(p.mails[len(p.mails)-1].raw))
	if err != nil {
		t.Fatal(err)
	}
	return leaves(t, textproto.MIMEHeader(m.Header), m.Body, "")
}

func TestPicture(t *testing.T) {
	parts := mailWith(t, line)
	if len(parts) != 3 {
		t.Fatalf("%d parts, want text, page and picture", len(parts))
	}
	text, page, chart := parts[0], parts[1], parts[2]
	if !strings.Contains(string(text.body), "El enlace sjo-gua") || !strings.HasSuffix(page.inside, "multipart/alternative") {
		t.Errorf("the text is %q, the page is inside %s", text.body, page.inside)
	}
	if got := strings.Count(string(page.body), `src="cid:chart@vigia"`); got != 1 {
		t.Errorf("the page shows the picture %d times", got)
	}
	if got := chart.header.Get("Content-Id"); got != "<chart@vigia>" || !strings.HasPrefix(chart.header.Get("Content-Disposition"), "inline") || chart.inside != "multipart/related" {
		t.Errorf("the picture is %v inside %s", chart.header, chart.inside)
	}
	if !bytes.HasPrefix(chart.body, []byte("\x89PNG")) {
		t.Errorf("the picture begins with %q", chart.body[:min(len(chart.body), 8)])
	}
}

// TestNoPicture: whatever happens to it, the message comes.
func TestNoPicture(t *testing.T) {
	hung := make(chan struct{})
	defer close(hung)
	tests := map[string]alerting.History{
		"none": nil,
		"fails": func(context.Context, collectors.Series, time.Time, time.Time) ([]alerting.Reading, error) {
			return nil, errors.New("away")
		},
		"hangs and heeds no context": func(context.Context, collectors.Series, time.Time, time.Time) ([]alerting.Reading, error) {
			<-hung
			return nil, nil
		},
	}
	for name, history := range tests {
		t.Run(name, func(t *testing.T) {
			parts := mailWith(t, history)
			if len(parts) != 2 || strings.Contains(string(parts[1].body), "<img") {
				t.Errorf("%d parts, want a text and a page without a picture", len(parts))
			}
		})
	}
}
