package collectors

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Names and figures in the words of people, for pages, messages and reports alike.

// MetricName is what a metric is called in a sentence: "packet loss". A metric without words keeps its own name.
func MetricName(lang Lang, m Metric) string {
	text, ok := MetricWords["metric."+string(m)]
	if !ok {
		return string(m)
	}
	return text.Say(lang)
}

// FormatValue writes a metric's value with its unit: 11.2 %, 64.1 ms, 1.2 Gb/s, 3 h 21 m; a yes or no in the metric's own words. A value
// that is not finite is an en dash.
func FormatValue(lang Lang, m Metric, v float64) string {
	unit := Catalogue[m].Unit
	if unit != UnitBool {
		return FormatUnit(lang, unit, v)
	}
	answer := "no"
	if v != 0 {
		answer = "yes"
	}
	if text, ok := MetricWords["metric."+string(m)+"."+answer]; ok {
		return text.Say(lang)
	}
	return MetricWords["metric."+answer].Say(lang)
}

// FormatUnit writes a figure with a unit.
func FormatUnit(lang Lang, unit Unit, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	switch unit {
	case UnitNone, UnitBool:
		return Number(lang, v, Decimals(v))
	case UnitPercent:
		return Number(lang, v, percentDecimals(v)) + " %"
	case UnitMS:
		return Number(lang, v, msDecimals(v)) + " ms"
	case UnitBps:
		return formatBps(lang, v)
	case UnitSeconds:
		return formatSeconds(lang, v)
	case UnitDays:
		return Number(lang, v, msDecimals(v)) + " d"
	case UnitPps:
		return Number(lang, v, Decimals(v)) + "/s"
	}
	return Number(lang, v, Decimals(v)) + " " + string(unit)
}

// percentDecimals keeps one decimal, and two for what is small.
func percentDecimals(v float64) int {
	switch a := math.Abs(v); {
	case a == math.Trunc(a):
		return 0
	case a < 0.1:
		return 2
	}
	return 1
}

// msDecimals keeps one decimal under a hundred.
func msDecimals(v float64) int {
	switch a := math.Abs(v); {
	case a == math.Trunc(a), a >= 100:
		return 0
	case a < 1:
		return 2
	}
	return 1
}

var bpsUnits = [...]struct {
	size float64
	name string
}{{1e12, " Tb/s"}, {1e9, " Gb/s"}, {1e6, " Mb/s"}, {1e3, " kb/s"}}

func formatBps(lang Lang, v float64) string {
	for _, u := range bpsUnits {
		if math.Abs(v) >= u.size {
			return Number(lang, v/u.size, msDecimals(v/u.size)) + u.name
		}
	}
	return Number(lang, v, 0) + " b/s"
}

// longestSeconds is where a figure in seconds becomes a span in two parts; beyond ten thousand days a span says nothing.
const longestSeconds = 120

func formatSeconds(lang Lang, v float64) string {
	const tenThousandDays = 10_000 * 86400
	if math.Abs(v) < longestSeconds || math.Abs(v) > tenThousandDays {
		return Number(lang, v, msDecimals(v)) + " s"
	}
	return FormatSpan(lang, time.Duration(v*float64(time.Second)))
}

// FormatSpan writes how long something took, in two parts at most: 3 h 21 m, 2 d 4 h, 45 s, 350 ms.
func FormatSpan(lang Lang, d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	switch {
	case d == 0:
		return "0 s"
	case d < time.Second:
		return sign + Number(lang, float64(d)/1e6, 0) + " ms"
	case d < 10*time.Second && d%time.Second != 0:
		return sign + Number(lang, d.Seconds(), 1) + " s"
	case d < time.Minute:
		return sign + Number(lang, float64(d/time.Second), 0) + " s"
	case d < time.Hour:
		return sign + twoParts(lang, d, time.Minute, " m", time.Second, " s")
	case d < 24*time.Hour:
		return sign + twoParts(lang, d, time.Hour, " h", time.Minute, " m")
	}
	return sign + twoParts(lang, d, 24*time.Hour, " d", time.Hour, " h")
}

func twoParts(lang Lang, d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	s := Number(lang, float64(d/big), 0) + bigName
	if rest := d % big / small; rest > 0 {
		s += " " + Number(lang, float64(rest), 0) + smallName
	}
	return s
}

// monthNames are the months' short names; a day is written 24 Nov or 24 nov.
var monthNames = map[Lang][12]string{
	English: {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	Spanish: {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"},
}

// FormatDay writes a date without ambiguity: 24 Nov, and 24 Nov 2025 when it is not the year of now. Both are taken as they stand, in their zone.
func FormatDay(lang Lang, t, now time.Time) string {
	months, ok := monthNames[lang]
	if !ok {
		months = monthNames[English]
	}
	s := t.Format("2 ") + months[t.Month()-1]
	if t.Year() != now.In(t.Location()).Year() {
		s += t.Format(" 2006")
	}
	return s
}

// FormatMoment writes an instant in a zone as people of it say it: 10:41:53 today, else 24 Nov 10:41:53. Nil is UTC.
func FormatMoment(lang Lang, t, now time.Time, zone *time.Location) string {
	t, now = inZone(t, zone), inZone(now, zone)
	clock := t.Format("15:04:05")
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return clock
	}
	return FormatDay(lang, t, now) + " " + clock
}

// FormatZone writes a zone's distance from UTC at an instant: UTC−6, UTC+5:30, UTC. Letters such as CST mean several things and are not used.
func FormatZone(t time.Time, zone *time.Location) string {
	_, offset := inZone(t, zone).Zone()
	if offset == 0 {
		return "UTC"
	}
	sign := "+"
	if offset < 0 {
		sign, offset = "−", -offset
	}
	hours, minutes := offset/3600, offset%3600/60
	if minutes == 0 {
		return fmt.Sprintf("UTC%s%d", sign, hours)
	}
	return fmt.Sprintf("UTC%s%d:%02d", sign, hours, minutes)
}

func inZone(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		return t.UTC()
	}
	return t.In(zone)
}

// Capitalise writes the first letter of a phrase as a capital.
func Capitalise(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

// octetUnits are decimal, as makers of disks and links count.
var octetUnits = [...]struct {
	size float64
	name string
}{{1e15, " PB"}, {1e12, " TB"}, {1e9, " GB"}, {1e6, " MB"}, {1e3, " kB"}, {1, " B"}}

// FormatOctets writes a size: 60 GB, 24.6 GB, 512 MB. Units are decimal: 1 GB is 10⁹ octets.
func FormatOctets(lang Lang, octets float64) string {
	return FormatOctetsOf(lang, octets, octets) + octetUnit(octets)
}

// FormatOctetsOf writes a size without its unit, in the unit that a whole of that many octets is written in: the 24.6 of "24.6 of 60 GB".
func FormatOctetsOf(lang Lang, octets, whole float64) string {
	for _, u := range octetUnits {
		if math.Abs(whole) >= u.size {
			v := math.Round(octets/u.size*10) / 10
			if v == math.Trunc(v) {
				return Number(lang, v, 0)
			}
			return Number(lang, v, 1)
		}
	}
	return Number(lang, octets, 0)
}

func octetUnit(octets float64) string {
	for _, u := range octetUnits {
		if math.Abs(octets) >= u.size {
			return u.name
		}
	}
	return " B"
}
