package web

import (
	"unicode/utf8"

	"vigia/alerting"
)

// strip is two weeks of a rotation on a line, in units of a drawing that is stripWidth wide.
type strip struct {
	Width int
	Days  []stripDay
	Bars  []stripBar
	Now   string
	Say   string // in a sentence, for who does not see it
}

// stripDay is the beginning of a day.
type stripDay struct {
	X, TextX string
	Label    string
	Weekend  bool
	W        string
}

// stripBar is a stretch of time with one person on call, or nobody.
type stripBar struct {
	X, W, TextX string
	Class       string // a, b or c for a person, over or gap
	Name        string // empty where there is no room
	Title       string
}

const (
	stripWidth  = 1120
	nameLetter  = 6.2 // how wide a letter is, about
	namePadding = 8.0
)

func (v *visit) strip(r *alerting.Rotation, shifts []alerting.Shift) strip {
	begin, end := v.midnight(0), v.midnight(onCallDays)
	whole := end.Sub(begin).Seconds()
	x := func(s float64) float64 { return stripWidth * s / whole }
	out := strip{Width: stripWidth, Now: short(x(v.now.Sub(begin).Seconds()))}
	for day := range onCallDays {
		at, next := v.midnight(day), v.midnight(day+1)
		from := x(at.Sub(begin).Seconds())
		weekday := at.Weekday()
		out.Days = append(out.Days, stripDay{
			X: short(from), TextX: short(from + 4), W: short(x(next.Sub(at).Seconds())), Label: v.t("oncall.day", v.weekdayShort(at), at.Day()), Weekend: weekday == 0 || weekday == 6,
		})
	}
	tones := map[string]string{}
	for _, s := range shifts {
		from, to := x(s.From.Sub(begin).Seconds()), x(s.To.Sub(begin).Seconds())
		name := v.personWords(s.Person)
		bar := stripBar{X: short(from), W: short(max(to-from-1, 1)), TextX: short(from + namePadding/2), Title: v.t("oncall.stretch", name, v.weekdayClock(s.From), v.weekdayClock(s.To))}
		switch {
		case s.Person == "":
			bar.Class = "gap"
		case s.Override != "":
			bar.Class = "over"
		default:
			bar.Class = tone(tones, s.Person)
		}
		if bar.Name = fitting(name, to-from); s.Person == "" && bar.Name != name {
			bar.Name = "" // the dashes say enough
		}
		out.Bars = append(out.Bars, bar)
	}
	out.Say = v.t("oncall.strip", r.Name)
	return out
}

// tone is the shade of a person: three take turns in the order in which people appear, and names say who it is.
func tone(tones map[string]string, person string) string {
	if tones[person] == "" {
		tones[person] = [...]string{"a", "b", "c"}[len(tones)%3]
	}
	return tones[person]
}

// fitting is a name as far as there is room for it, or nothing.
func fitting(name string, width float64) string {
	room := int((width - namePadding) / nameLetter)
	if utf8.RuneCountInString(name) <= room {
		return name
	}
	if room < 4 {
		return ""
	}
	return string([]rune(name)[:room-2]) + "…"
}
