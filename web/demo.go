package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
)

// demoBody is what the demo's mail server and webhook received.
type demoBody struct {
	Messages []demoRow
	Mails    int
	Hooks    int
}

// demoRow is one message.
type demoRow struct {
	ID      string
	At      string
	To      string
	Mail    bool
	Subject string
	Frame   string // address of the mail's HTML, for the sandboxed frame
	Text    string
	JSON    string
	Headers []fact
}

// mostDemo is how many messages the page shows.
const mostDemo = 40

func (s *Server) demo(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	var body demoBody
	for _, m := range s.cfg.Demo() {
		row := demoRow{ID: demoID(m), At: v.clock(m.At), To: m.To, Mail: m.Kind == "mail"}
		if row.Mail {
			body.Mails++
		} else {
			body.Hooks++
		}
		if len(body.Messages) == mostDemo {
			continue
		}
		row.fill(m)
		body.Messages = append(body.Messages, row)
	}
	f := s.framed(v, w, "demo", "demo", v.t("nav.demo"))
	f.Body = body
	v.w.Header().Set("Content-Security-Policy", contentPolicy+"; frame-src 'self'")
	return s.show(v, 200, f)
}

// demoID names a message while it is kept.
func demoID(m DemoMessage) string {
	h := fnv.New64a()
	fmt.Fprint(h, m.At.UnixNano(), m.To)
	h.Write(m.Raw)
	return fmt.Sprintf("%016x", h.Sum64())
}

func (r *demoRow) fill(m DemoMessage) {
	if !r.Mail {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, m.Raw, "", "  "); err != nil {
			pretty.Reset()
			pretty.Write(m.Raw)
		}
		r.JSON = pretty.String()
		var said struct {
			Title string `json:"title"`
			Text  string `json:"text"`
		}
		if json.Unmarshal(m.Raw, &said) == nil {
			r.Subject = said.Title
			if r.Subject == "" {
				r.Subject = said.Text
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
			r.Headers = append(r.Headers, fact{Label: name, Value: m.Headers[name]})
		}
		return
	}
	letter := readMail(m.Raw)
	r.Subject, r.Text = letter.subject, letter.text
	if letter.html != "" {
		r.Frame = "/demo/mail/" + r.ID
	}
	r.Headers = letter.headers
}

// demoMail answers with a mail's HTML as its receiver would see it: in a sandbox, without scripts, with no address but its own styles.
func (s *Server) demoMail(v *visit) error {
	for _, m := range s.cfg.Demo() {
		if m.Kind != "mail" || demoID(m) != v.r.PathValue("id") {
			continue
		}
		h := v.w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'")
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		_, err := io.WriteString(v.w, readMail(m.Raw).whole())
		return gone(err)
	}
	http.Error(v.w, "gone", http.StatusNotFound)
	return errRefused
}

// letter is a mail taken apart.
type letter struct {
	subject, text, html string
	headers             []fact
	pictures            map[string]string // PNGs as base64, by Content-ID
}

// whole is the page with the pictures that travel with it.
func (l letter) whole() string {
	page := l.html
	for id, data := range l.pictures {
		page = strings.ReplaceAll(page, `src="cid:`+id+`"`, `src="data:image/png;base64,`+data+`"`)
	}
	return page
}

// shownHeaders are the headers that say how a mail is threaded.
var shownHeaders = []string{"From", "To", "Message-Id", "In-Reply-To", "References", "Auto-Submitted", "X-Vigia-Incident"}

// readMail takes a mail apart (RFC 5322, RFC 2045). What cannot be read is shown as it came.
func readMail(raw []byte) letter {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return letter{text: string(raw)}
	}
	var l letter
	words := new(mime.WordDecoder)
	if l.subject, err = words.DecodeHeader(m.Header.Get("Subject")); err != nil {
		l.subject = m.Header.Get("Subject")
	}
	for _, name := range shownHeaders {
		if value := m.Header.Get(name); value != "" {
			l.headers = append(l.headers, fact{Label: name, Value: value})
		}
	}
	l.part(textproto.MIMEHeader(m.Header), m.Body, 0)
	return l
}

// mostNested is how deep parts within parts are followed.
const mostNested = 4

func (l *letter) part(h textproto.MIMEHeader, body io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") && depth < mostNested {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err != nil {
				return
			}
			l.part(p.Header, p, depth+1)
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(io.LimitReader(body, 1<<20))
	if err != nil && len(text) == 0 {
		return
	}
	switch id := strings.Trim(h.Get("Content-Id"), "<>"); {
	case kind == "image/png" && id != "":
		if l.pictures == nil {
			l.pictures = map[string]string{}
		}
		l.pictures[id] = base64.StdEncoding.EncodeToString(text)
	case kind == "text/html" && l.html == "":
		l.html = string(text)
	case kind == "text/plain" && l.text == "":
		l.text = string(text)
	}
}
