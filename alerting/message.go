package alerting

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Wording says messages in a receiver's language. It is what all kinds of receivers share: each puts the same facts into its own form.
type Wording struct {
	Words     collectors.Words // the whole catalogue, MessageWords included
	Lang      collectors.Lang
	PublicURL string // without a trailing slash; empty: no links
	Brand     string
	Receiver  string
}

// Wording is the wording of the receiver that is set up.
func (s ReceiverSetup) Wording() Wording {
	lang := cmp.Or(s.Receiver.Language, collectors.English)
	return Wording{Words: s.Words, Lang: lang, PublicURL: strings.TrimRight(s.PublicURL, "/"), Brand: s.Brand, Receiver: s.Receiver.Name}
}

// Said is a message in words. Every string is one line without control characters, and still hostile: it holds configured names, words of
// devices and notes of people, which each kind encodes for where it puts them.
type Said struct {
	Severity Severity
	Calm     bool   // nothing is asked of anybody: resolved, acknowledged, a test
	Badge    string // the severity's word, or Resolved, or Test
	Shape    string // a character that says the same without colour
	Cause    string // why somebody is told: "New incident"
	Title    string // what: "Link sjo-gua loses 11.2 % of packets"
	Subject  string // one per incident whatever happens to it, so that mail programs keep the thread
	Incident string // "Incident 2418"; empty when it is about none
	Facts    []Fact // what else is known, the most important first
	URL      string // where to act on it; empty without a public URL
	Action   string // the words on the link
	Footer   string
	Items    []Said // of a digest, worst first
}

// Fact is one line about an incident.
type Fact struct{ Label, Value string }

// Headline is what a reader must see when there is room for one line: [Critical] Link sjo-gua loses 11.2 % of packets.
func (s Said) Headline() string { return "[" + s.Badge + "] " + s.Title }

// Say puts a message into words.
func (w Wording) Say(m Message) Said {
	s := Said{
		Severity: m.Severity, Badge: w.badge(m), Shape: shape(m), Calm: calm(m),
		Cause: w.cause(m), Title: w.Title(m), Subject: w.subject(m), Facts: w.facts(m),
		Footer: w.say("message.footer", cmp.Or(w.Brand, "Vigía"), w.Receiver),
	}
	if m.Incident != 0 {
		id := fmt.Sprint(m.Incident)
		s.Incident = w.say("message.incident", id)
		if w.PublicURL != "" {
			s.URL, s.Action = w.PublicURL+"/incidents/"+id, w.say("message.open", id)
		}
	}
	items := slices.Clone(m.Digest)
	slices.SortStableFunc(items, func(a, b Message) int { return -cmp.Compare(urgency(a), urgency(b)) })
	for _, item := range items {
		item.Digest = nil
		said := w.Say(item)
		if m.Cause == CauseMissed {
			said.Cause += ", " + collectors.FormatMoment(w.Lang, item.At, m.At, Zone(item.Zone))
		}
		s.Items = append(s.Items, said)
	}
	return s
}

// urgency orders a digest: what asks for somebody by severity, then what does not.
func urgency(m Message) int {
	if calm(m) {
		return int(m.Severity)
	}
	return int(m.Severity) + 100
}

func calm(m Message) bool {
	switch m.Cause {
	case CauseResolved, CauseAcknowledged, CauseTest, CauseMerged:
		return true
	}
	return m.State == Resolved
}

var shapes = [...]string{None: "✓", Indeterminate: "▣", Warning: "○", Minor: "◆", Major: "▲", Critical: "⬣"}

func shape(m Message) string {
	if m.State == Resolved || m.Cause == CauseResolved || m.Cause == CauseTest || int(m.Severity) >= len(shapes) {
		return shapes[None]
	}
	return shapes[m.Severity]
}

func (w Wording) badge(m Message) string {
	switch {
	case m.Cause == CauseTest:
		return w.say("message.test")
	case m.State == Resolved || m.Cause == CauseResolved:
		return w.say("message.resolved")
	}
	return w.Severity(m.Severity)
}

// Severity is the severity's word.
func (w Wording) Severity(s Severity) string { return w.say("message.severity." + s.String()) }

// Object names an object with its kind: "Link sjo-gua".
func (w Wording) Object(ref inventory.Ref) string {
	switch {
	case ref.IsZero():
		return ""
	case ref.Kind == inventory.KindVigia:
		return "Vigía"
	}
	return Clean(w.say("message.kind."+string(ref.Kind))+" "+ref.Name, maxText)
}

func (w Wording) cause(m Message) string {
	code := "message.cause." + string(m.Cause)
	switch m.Cause {
	case CauseEscalated:
		return w.say(code, cmp.Or(m.LevelName, fmt.Sprint(m.Level)))
	case CauseSeverity:
		return w.say(code, w.Severity(m.Severity))
	case CauseAcknowledged:
		return w.say(code, m.AckBy)
	case CauseResolved:
		return w.say(code, w.span(m.OpenedAt, cmp.Or(m.ResolvedAt, m.At)))
	case CauseMerged:
		return w.say(code, fmt.Sprint(m.MergedInto))
	case CauseFallback:
		receiver, _, _ := strings.Cut(m.Undelivered, ": ")
		return w.say(code, receiver)
	case CauseDigest, CauseMissed:
		return w.say(code, len(m.Digest))
	}
	return w.say(code)
}

// Title is what happened, or what the message is.
func (w Wording) Title(m Message) string {
	switch m.Cause {
	case CauseTest:
		return w.say("message.title.test")
	case CauseDigest:
		return w.digestTitle(m)
	case CauseMissed:
		return w.say("message.title.missed", len(m.Digest))
	}
	if m.Title.IsZero() {
		return w.say("message.title.none", w.Object(m.Ref))
	}
	return collectors.Capitalise(Clean(w.Words.Say(w.Lang, m.Title), maxText))
}

// subject names the object, the metric and the incident, and nothing that changes while the incident lives.
func (w Wording) subject(m Message) string {
	switch {
	case m.Cause == CauseTest:
		return w.say("message.subject.test", cmp.Or(w.Brand, "Vigía"))
	case m.Series.Metric == "":
		return w.Title(m)
	}
	return w.say("message.subject", w.Object(m.Ref), collectors.MetricName(w.Lang, m.Series.Metric), fmt.Sprint(m.Incident))
}

// digestTitle says how many there are, and the worst of them.
func (w Wording) digestTitle(m Message) string {
	if len(m.Digest) == 0 {
		return w.say("message.cause.digest", 0)
	}
	worst := slices.MaxFunc(m.Digest, func(a, b Message) int { return cmp.Compare(urgency(a), urgency(b)) })
	return w.say("message.title.digest", len(m.Digest), w.Title(worst))
}

// say is one text of the catalogue, cleaned. MessageWords are there even when the catalogue that was handed in lacks them.
func (w Wording) say(code string, args ...any) string {
	text, ok := w.Words[code]
	if !ok {
		text = MessageWords[code]
	}
	return Clean(text.Say(w.Lang, args...), maxText)
}

func (w Wording) span(from, to time.Time) string {
	return collectors.FormatSpan(w.Lang, max(to.Sub(from), 0).Round(time.Second))
}

// maxText is how long one line of a message may be, in characters; what is longer was not written for a reader.
const maxText = 400

// Clean makes one harmless line of a text: control characters, line breaks and marks that turn the direction of writing become spaces,
// broken UTF-8 a question mark, and what is longer than limit characters is cut.
func Clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', unicode.Is(unicode.Bidi_Control, r):
			return ' '
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > limit {
		text = string([]rune(text)[:limit-1]) + "…"
	}
	return text
}

// Outcome makes an outcome or an error of what a receiver's side said: one short line in which no secret is left.
func Outcome(text string, secrets ...inventory.Secret) string {
	for _, s := range secrets {
		if value := s.Reveal(); value != "" {
			text = strings.ReplaceAll(text, value, s.String())
		}
	}
	return Clean(text, maxOutcome)
}

const maxOutcome = 200
