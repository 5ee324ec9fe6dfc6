package sms

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"vigia/alerting"
	"vigia/collectors"
)

// Words is what a call says around the words that all receivers share.
var Words = collectors.Words{
	"sms.call": {EN: "This is {0}", ES: "Le llama {0}"},
}

// parts are a message's, each as it stands in the text.
type parts struct {
	head  string // Critical:
	title string
	site  string
	cause string
	link  string
}

// partsOf chooses what a text message says.
func partsOf(w alerting.Wording, m alerting.Message) parts {
	said := w.Say(m)
	p := parts{head: said.Badge + ": ", title: said.Title, link: said.URL}
	if !strings.Contains(said.Title, m.Site) {
		p.site = alerting.Clean(m.Site, maxSite)
	}
	if m.Cause != alerting.CauseOpened && m.Cause != alerting.CauseTest && m.Cause != alerting.CauseDigest {
		p.cause = said.Cause
	}
	switch {
	case p.link != "":
	case m.Incident != 0:
		p.link = said.Incident
	default:
		p.link = w.PublicURL
	}
	return p
}

const maxSite = 40

// text joins them.
func (p parts) text() string {
	var b strings.Builder
	b.WriteString(p.head + p.title)
	for _, s := range []string{p.site, p.cause} {
		if s != "" {
			b.WriteString(". " + s)
		}
	}
	if p.link != "" {
		b.WriteString(". " + p.link)
	}
	return b.String()
}

// compose writes the text message.
func compose(w alerting.Wording, m alerting.Message) string {
	p := partsOf(w, m)
	if in, ok := p.inGSM(); ok {
		return in.fit(roomGSM)
	}
	return p.fit(roomUCS2)
}

// inGSM writes each part in the GSM alphabet. A link is never rewritten.
func (p parts) inGSM() (parts, bool) {
	whole := true
	gsm := func(text string) string {
		out, ok := inGSM(text)
		whole = whole && ok
		return out
	}
	out := parts{head: gsm(p.head), title: gsm(p.title), site: gsm(p.site), cause: gsm(p.cause), link: gsm(p.link)}
	if strings.Contains(p.link, "://") {
		whole = whole && out.link == p.link
	}
	return out, whole
}

// fit makes it one segment when leaving out the site is enough for that, else two, and cuts the title when that is not enough.
func (p parts) fit(r room) string {
	short := p
	short.site = ""
	for _, try := range []struct {
		parts parts
		limit int
	}{{p, r.one}, {short, r.one}, {p, r.two}, {short, r.two}} {
		if text := try.parts.text(); r.cost(text) <= try.limit {
			return text
		}
	}
	return short.cut(r)
}

// cut takes away from the end of the title, and then of the cause, until two segments are enough.
func (p parts) cut(r room) string {
	for _, s := range []*string{&p.title, &p.cause} {
		runes := []rune(*s)
		for len(runes) > 0 && r.cost(p.text()) > r.two {
			runes = runes[:len(runes)-1]
			*s = string(runes) + "..."
		}
	}
	return p.text()
}

// call is the TwiML of a call: the message, twice.
func call(w alerting.Wording, m alerting.Message, brand string) (string, error) {
	said := w.Say(m)
	speech := Words["sms.call"].Say(w.Lang, brand)
	for _, sentence := range []string{said.Badge, said.Title, said.Cause, said.Incident} {
		if sentence != "" {
			speech += ". " + sentence
		}
	}
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(alerting.Clean(speech, maxSpeech))); err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	say := `<Say language="` + voices[w.Lang] + `">` + escaped.String() + `</Say>`
	return "<Response>" + say + `<Pause length="1"/>` + say + "</Response>", nil
}

// maxSpeech keeps the TwiML, which says it twice, under the API's 4000 characters.
const maxSpeech = 500

// voices are the languages as the API names them.
var voices = map[collectors.Lang]string{collectors.English: "en-US", collectors.Spanish: "es-MX"}
