package web

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/web/api"
)

// muteForm is what a person has typed so far into the form of a silence or maintenance.
type muteForm struct {
	ID     string // of the command: sent twice, it is one
	Kind   string
	On     []string
	Metric string
	Below  bool
	Reason string
	For    string // how long a silence lasts, or "at"
	Until  string // its end, with "at"
	When   string // of a maintenance: once or again
	From   string
	To     string
	Days   []string
	Nth    string
	At     string
	Hours  string
	Mins   string
	Zone   string
	First  string
	Last   string
	Seen   string // what was previewed
}

const (
	formMoment  = "2006-01-02T15:04"
	formDay     = "2006-01-02"
	formAt      = "at"
	whenOnce    = "once"
	whenAgain   = "again"
	mostTyped   = 100 // patterns that one form is read for
	defaultFor  = time.Hour
	leastFields = 3
)

// freshMute is the form as it opens; the address may say kind, objects and an incident.
func (v *visit) freshMute(now time.Time) muteForm {
	hour := now.In(v.zone).Truncate(time.Hour).Add(time.Hour)
	return muteForm{
		ID: rand.Text(), Kind: string(alerting.Silence), For: defaultFor.String(), When: whenOnce, From: hour.Format(formMoment),
		To: hour.Add(2 * time.Hour).Format(formMoment), Until: hour.Add(2 * time.Hour).Format(formMoment), At: "02:00", Hours: "2", Mins: "0",
		Nth: "0", Zone: v.zone.String(),
	}
}

// readMute reads the form.
func (v *visit) readMute() muteForm {
	q := v.r.PostForm
	f := muteForm{
		ID: q.Get("id"), Kind: q.Get("kind"), On: typed(q["on"]), Metric: q.Get("metric"), Below: q.Get("below") != "",
		Reason: strings.TrimSpace(strings.ToValidUTF8(q.Get("reason"), "")), For: q.Get("for"), Until: q.Get("until"), When: q.Get("when"),
		From: q.Get("from"), To: q.Get("to"), Days: q["day"], Nth: q.Get("nth"), At: q.Get("time"), Hours: q.Get("hours"), Mins: q.Get("minutes"),
		Zone: strings.TrimSpace(q.Get("zone")), First: q.Get("first"), Last: q.Get("last"), Seen: q.Get("seen"),
	}
	if f.ID == "" || len(f.ID) > 100 {
		f.ID = rand.Text()
	}
	return f
}

// typed takes apart what was typed into the fields of objects: several may stand in one, between commas or spaces.
func typed(fields []string) []string {
	var list []string
	for _, field := range fields {
		for _, p := range strings.FieldsFunc(strings.ToValidUTF8(field, ""), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
			if !slices.Contains(list, p) && len(list) <= mostTyped {
				list = append(list, p)
			}
		}
	}
	return list
}

// covers is what the form says it is about, for the preview: patterns that are none are left out.
func (f *muteForm) covers() alerting.Mute {
	m := alerting.Mute{Kind: alerting.MuteKind(f.Kind), Metric: collectors.Metric(f.Metric), Below: f.Below}
	for _, p := range f.On {
		if api.IsPattern(p) {
			m.On = append(m.On, inventory.Pattern(p))
		}
	}
	return m
}

// sign names what was looked at before it is saved.
func (f *muteForm) sign() string {
	return url.Values{"on": f.On, "metric": {f.Metric}, "below": {strconv.FormatBool(f.Below)}}.Encode()
}

// mistakes are what is wrong with a form, by the field beside which it is said.
type mistakes map[string]string

// mute makes of the form what the engine is asked for, or says what is wrong with it.
func (v *visit) mute(f *muteForm) (alerting.Mute, mistakes) {
	m, wrong := f.covers(), mistakes{}
	m.Reason = f.Reason
	for _, p := range f.On {
		if !api.IsPattern(p) {
			wrong["on"] = v.t("mute.bad_on", p)
		}
	}
	if len(f.On) == 0 {
		wrong["on"] = v.t("mute.no_on")
	}
	if _, known := collectors.Catalogue[m.Metric]; m.Metric != "" && !known {
		wrong["metric"] = v.t("mute.bad_metric")
	}
	if f.Reason == "" {
		wrong["reason"] = v.t("mute.no_reason")
	} else if utf8.RuneCountInString(f.Reason) > maxNote {
		wrong["reason"] = v.t("ack.note_long", maxNote)
	}
	switch {
	case m.Kind == alerting.Silence:
		v.silenceEnd(f, &m, wrong)
	case m.Kind == alerting.Maintenance && f.When == whenAgain:
		v.recurrence(f, &m, wrong)
	case m.Kind == alerting.Maintenance:
		m.From, m.Until = v.readMoment(f.From, "from", wrong), v.readMoment(f.To, "to", wrong)
	default:
		wrong["kind"] = v.t("mute.bad_kind")
	}
	return m, wrong
}

func (v *visit) silenceEnd(f *muteForm, m *alerting.Mute, wrong mistakes) {
	if f.For == formAt {
		m.Until = v.readMoment(f.Until, "until", wrong)
		return
	}
	span, err := time.ParseDuration(f.For)
	if err != nil || span <= 0 {
		wrong["until"] = v.t("mute.bad_end")
		return
	}
	m.Until = v.now.Add(span).UTC()
}

// readMoment reads a date and time of the reader's zone.
func (v *visit) readMoment(text, field string, wrong mistakes) time.Time {
	at, err := time.ParseInLocation(formMoment, text, v.zone)
	if err != nil {
		wrong[field] = v.t("mute.bad_moment")
		return time.Time{}
	}
	return at.UTC()
}

// recurrence reads when the windows begin. First and last day are days of its own zone.
func (v *visit) recurrence(f *muteForm, m *alerting.Mute, wrong mistakes) {
	r := alerting.Recurrence{At: f.At, Zone: f.Zone}
	zone, err := time.LoadLocation(f.Zone)
	if err != nil || f.Zone == "" || f.Zone == "Local" {
		wrong["zone"] = v.t("mute.bad_zone")
		return
	}
	for _, d := range f.Days {
		if n, err := strconv.Atoi(d); err == nil && n >= 0 && n < 7 && !slices.Contains(r.Days, time.Weekday(n)) {
			r.Days = append(r.Days, time.Weekday(n))
		}
	}
	slices.SortFunc(r.Days, func(a, b time.Weekday) int { return (int(a)+6)%7 - (int(b)+6)%7 })
	hours, errH := strconv.Atoi("0" + f.Hours)
	minutes, errM := strconv.Atoi("0" + f.Mins)
	var errN error
	r.Nth, errN = strconv.Atoi(f.Nth)
	if errH != nil || errM != nil || errN != nil || hours > 24 || minutes > 59 {
		wrong["hours"] = v.t("mute.bad_length")
		return
	}
	r.For = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	m.Recur = &r
	m.From, m.Until = v.readDay(f.First, "first", zone, wrong), v.readDay(f.Last, "last", zone, wrong)
	if !m.Until.IsZero() {
		m.Until = m.Until.In(zone).AddDate(0, 0, 1).UTC()
	}
}

// readDay reads a day that may be missing.
func (v *visit) readDay(text, field string, zone *time.Location, wrong mistakes) time.Time {
	if text == "" {
		return time.Time{}
	}
	at, err := time.ParseInLocation(formDay, text, zone)
	if err != nil {
		wrong[field] = v.t("mute.bad_moment")
		return time.Time{}
	}
	return at.UTC()
}
