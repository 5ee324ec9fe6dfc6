package web

import (
	"cmp"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// speaker says things in a reader's language, in the reader's time zone.
type speaker struct {
	words collectors.Words
	lang  collectors.Lang
	now   time.Time
	zone  *time.Location
	who   func(in *alerting.Incident, level int, at time.Time) []string // whom a level tells at an instant; nil: whom it names
}

// t says one of the pages' own texts; code is without the prefix web.
func (s *speaker) t(code string, args ...any) string {
	return s.words.Say(s.lang, collectors.Because("web."+code, args...))
}

// count says a text that has a form for one, under code.one, and one for any other number, under code.many. The number is argument 0.
func (s *speaker) count(code string, n int, args ...any) string {
	form := ".many"
	if n == 1 {
		form = ".one"
	}
	return s.t(code+form, append([]any{n}, args...)...)
}

func (s *speaker) reason(r collectors.Reason) string { return s.words.Say(s.lang, r) }

// clock writes an instant: 10:41:53, with the day when it is another one.
func (s *speaker) clock(at time.Time) string {
	return collectors.FormatMoment(s.lang, at, s.now, s.zone)
}

// brief is clock without seconds.
func (s *speaker) brief(at time.Time) string {
	if at.IsZero() {
		return "–"
	}
	text := s.clock(at)
	return text[:len(text)-3]
}

func (s *speaker) day(at time.Time) string {
	return collectors.FormatDay(s.lang, at.In(s.zone), s.now.In(s.zone))
}

// span writes how long something took or takes, whole seconds and more in two parts.
func (s *speaker) span(d time.Duration) string {
	if d >= time.Second {
		d = d.Truncate(time.Second)
	}
	return collectors.FormatSpan(s.lang, d)
}

// precise writes a short time with its fraction.
func (s *speaker) precise(d time.Duration) string {
	if d < time.Second {
		return collectors.FormatUnit(s.lang, collectors.UnitMS, float64(d)/1e6)
	}
	return collectors.FormatSpan(s.lang, d)
}

func (s *speaker) number(v float64) string {
	return collectors.Number(s.lang, v, collectors.Decimals(v))
}

// severity is the severity's word.
func (s *speaker) severity(sev alerting.Severity) string { return s.t("severity." + sev.String()) }

// metric is a metric's name as it begins a line.
func (s *speaker) metric(m collectors.Metric) string {
	if short, ok := s.words["web.metric."+string(m)]; ok {
		return short.Say(s.lang)
	}
	return collectors.Capitalise(collectors.MetricName(s.lang, m))
}

// kind is the word for a sort of object, as it begins a line.
func (s *speaker) kind(k inventory.Kind) string { return s.t("kind." + string(k)) }

// object is a name with its kind: Link sjo-gua.
func (s *speaker) object(ref inventory.Ref) string {
	if ref == inventory.Self || ref.Kind == inventory.KindVigia {
		return s.t("kind.vigia")
	}
	return s.kind(ref.Kind) + " " + ref.Name
}

// figure is a value and its unit, apart, since the unit is set smaller.
type figure struct {
	Text, Unit string
	Class      string // is-critical … and hot, when it is past a threshold
	Of         string // which of several it is
	Why        string // why it is a dash
	None       bool
}

// figure writes a metric's value.
func (s *speaker) figure(m collectors.Metric, v float64) figure {
	text := collectors.FormatValue(s.lang, m, v)
	unit := collectors.Catalogue[m].Unit
	if unit == collectors.UnitBool || unit == collectors.UnitNone || strings.Count(text, " ") != 1 {
		return figure{Text: text}
	}
	number, unitText, _ := strings.Cut(text, " ")
	return figure{Text: number, Unit: unitText}
}

// nothing is what stands where nothing was measured, and why.
func nothing(why string) figure { return figure{Text: "–", Why: why, None: true} }

// shape is a state as three things at once: shape, word and colour.
type shape struct {
	Class string // is-critical
	Icon  string // s-critical
	Word  string
	Rank  int // higher is worse
}

// shapeOf is the shape of a severity; what stands because there is no data keeps its severity's colour and has the broken ring.
func (s *speaker) shapeOf(sev alerting.Severity, stale bool) shape {
	if sev == alerting.None {
		return shape{Class: "is-ok", Icon: "ok", Word: s.t("severity.ok")}
	}
	sh := shape{Class: "is-" + sev.String(), Icon: sev.String(), Word: s.severity(sev), Rank: 10 * int(sev)}
	if stale {
		sh.Icon, sh.Word = "unknown", s.t("severity.stale")
	}
	return sh
}

// silent is the shape of what has not been measured, without being an alarm.
func (s *speaker) silent() shape {
	return shape{Class: "is-unknown", Icon: "unknown", Word: s.t("severity.unmeasured"), Rank: 1}
}

// moment is an instant in a page: its words, and milliseconds for the scripts.
type moment struct {
	Text string
	MS   int64
}

func (s *speaker) moment(at time.Time) moment {
	if at.IsZero() {
		return moment{Text: "–"}
	}
	return moment{Text: s.clock(at), MS: at.UnixMilli()}
}

// left is a countdown: 04:12, with hours when there are some.
func (s *speaker) left(at time.Time) moment {
	d := max(at.Sub(s.now), 0).Truncate(time.Second)
	h, m, sec := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	text := two(m) + ":" + two(sec)
	if h > 0 {
		text = s.number(float64(h)) + ":" + text
	}
	return moment{Text: text, MS: at.UnixMilli()}
}

// running is how long something has lasted until now.
func (s *speaker) running(since time.Time) moment {
	if since.IsZero() {
		return moment{Text: "–"}
	}
	return moment{Text: s.span(max(s.now.Sub(since), 0)), MS: since.UnixMilli()}
}

func two(n int) string { return string([]byte{byte('0' + n/10%10), byte('0' + n%10)}) }

// instance names a check when its name says more than its kind.
func instance(name, kind string) string { return cmp.Or(name, kind) }
