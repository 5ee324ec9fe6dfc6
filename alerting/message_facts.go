package alerting

import (
	"fmt"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// facts lists what is known: how bad, where, since when, who has it, what comes next.
func (w Wording) facts(m Message) []Fact {
	if m.Cause == CauseTest || len(m.Digest) > 0 {
		return nil
	}
	f := factList{w: w}
	f.add("undelivered", Clean(m.Undelivered, maxText))
	f.add("late", w.late(m.Late))
	f.addAs(collectors.Capitalise(collectors.MetricName(w.Lang, m.Series.Metric)), w.value(m))
	if why := Clean(w.Words.Say(w.Lang, m.Reason), maxText); m.State != Resolved && !strings.EqualFold(why, w.Title(m)) {
		f.add("why", why)
	}
	f.add("where", w.where(m))
	w.times(&f, m)
	w.duty(&f, m)
	if m.State == Resolved {
		return f.facts // what it took along is over too
	}
	if m.Members > 1 {
		f.add("members", w.say("message.members", m.Members))
	}
	f.add("affected", w.affected(m.Affected))
	return f.facts
}

type factList struct {
	w     Wording
	facts []Fact
}

func (f *factList) add(label, value string) { f.addAs(f.w.say("message.label."+label), value) }

func (f *factList) addAs(label, value string) {
	if value != "" {
		f.facts = append(f.facts, Fact{Label: label, Value: value})
	}
}

// value is the figure against its threshold: 11.2 %, over 10 % for 30 s. Without a tier (no data) there is none.
func (w Wording) value(m Message) string {
	if m.Series.Metric == "" || m.Tier.Severity == None {
		return ""
	}
	value := collectors.FormatValue(w.Lang, m.Series.Metric, m.Value)
	hold := collectors.FormatSpan(w.Lang, m.Tier.For)
	if collectors.Catalogue[m.Series.Metric].Unit == collectors.UnitBool {
		if m.Tier.For == 0 {
			return value
		}
		return w.say("message.for", value, hold)
	}
	code := "message.over"
	switch {
	case m.Value == m.Tier.Raise:
		code = "message.at"
	case m.Tier.Below():
		code = "message.under"
	}
	raise := collectors.FormatValue(w.Lang, m.Series.Metric, m.Tier.Raise)
	if !m.Tier.Crossed(m.Value) {
		return value // it is about a recovery: the threshold says nothing any more
	}
	if m.Tier.For == 0 {
		return w.say(code, value, raise)
	}
	return w.say(code+"_for", value, raise, hold)
}

func (w Wording) where(m Message) string {
	object := w.Object(m.Ref)
	if object == "" || m.Site == "" {
		return object
	}
	return w.say("message.where", object, m.Site)
}

func (w Wording) times(f *factList, m Message) {
	zone := Zone(m.Zone)
	if !m.OpenedAt.IsZero() {
		at := m.OpenedAt.In(zone)
		f.add("since", collectors.FormatDay(w.Lang, at, m.At)+" "+at.Format("15:04:05")+" ("+collectors.FormatZone(at, zone)+")")
	}
	if !m.ResolvedAt.IsZero() {
		f.add("until", w.say("message.until", w.moment(m, m.ResolvedAt), w.span(m.OpenedAt, m.ResolvedAt)))
	}
}

// duty says who has it and what comes next.
func (w Wording) duty(f *factList, m Message) {
	switch m.State {
	case Acknowledged:
		owner := w.say("message.owner", m.AckBy)
		if !m.AckUntil.IsZero() {
			owner = w.say("message.owner_until", m.AckBy, w.moment(m, m.AckUntil))
		}
		f.add("owner", owner)
		f.add("note", Clean(m.AckNote, maxText))
		f.add("next", w.say("message.next_owned"))
	case Open:
		f.add("owner", w.say("message.nobody"))
		f.add("next", w.next(m))
	}
}

func (w Wording) next(m Message) string {
	if m.NextAt.IsZero() {
		return w.say("message.next_none")
	}
	at, in := w.moment(m, m.NextAt), w.span(m.At, m.NextAt)
	if m.NextLevel == "" {
		return w.say("message.next_again", at, in)
	}
	return w.say("message.next", m.NextLevel, at, in)
}

func (w Wording) late(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return w.say("message.late", collectors.FormatSpan(w.Lang, d.Round(time.Second)))
}

// affectedNames is how many names stand in a message; the page has them all.
const affectedNames = 6

func (w Wording) affected(names []string) string {
	shown := make([]string, 0, affectedNames)
	for _, name := range names[:min(len(names), affectedNames)] {
		if ref, err := inventory.ParseRef(name); err == nil {
			name = w.Object(ref)
		}
		shown = append(shown, name)
	}
	if len(names) <= affectedNames {
		return Clean(strings.Join(shown, ", "), maxText)
	}
	return w.say("message.affected_more", strings.Join(shown, ", "), len(names)-affectedNames)
}

// moment is an instant in the message's zone, with its date when that is not the day of the message.
func (w Wording) moment(m Message, t time.Time) string {
	return collectors.FormatMoment(w.Lang, t, m.At, Zone(m.Zone))
}

// Zone finds a time zone by its IANA name; UTC when there is none of that name.
func Zone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Plain is the message as plain text: headline, facts in two columns, link; a digest names and links each of its items.
func (s Said) Plain() string {
	var b strings.Builder
	b.WriteString(s.Headline() + "\n" + joinNonEmpty(" · ", s.Cause, s.Incident) + "\n")
	width := 0
	for _, f := range s.Facts {
		width = max(width, len([]rune(f.Label)))
	}
	if len(s.Facts) > 0 {
		b.WriteByte('\n')
	}
	for _, f := range s.Facts {
		fmt.Fprintf(&b, "%-*s  %s\n", width, f.Label, f.Value)
	}
	for _, item := range s.Items {
		fmt.Fprintf(&b, "\n%s %s\n", item.Shape, item.Headline())
		b.WriteString("  " + joinNonEmpty(" · ", item.Cause, item.Incident, item.Brief()) + "\n")
		if item.URL != "" {
			b.WriteString("  " + item.URL + "\n")
		}
	}
	if s.URL != "" {
		b.WriteString("\n" + s.URL + "\n")
	}
	b.WriteString("\n-- \n" + s.Footer + "\n")
	return b.String()
}

// Brief is the first of the facts in a few words, for a digest's line.
func (s Said) Brief() string {
	if len(s.Facts) == 0 {
		return ""
	}
	return s.Facts[0].Value
}

func joinNonEmpty(separator string, parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, separator)
}
