package api

import (
	"math"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Phrase is a sentence as data and in the caller's language.
type Phrase struct {
	Code string `json:"code" doc:"What is said, as a code that stays the same in every language." example:"ping.lost"`
	Args []any  `json:"args" nullable:"false" doc:"The sentence's arguments, in order."`
	Text string `json:"text" doc:"The sentence in the language that Accept-Language prefers." example:"lost 1 of 5; 61.9 / 64.1 / 71.0 ms"`
}

// phrase says a reason; nil when there is nothing to say.
func (s *server) phrase(lang collectors.Lang, r collectors.Reason) *Phrase {
	if r.IsZero() {
		return nil
	}
	args := r.Args
	if args == nil {
		args = []any{}
	}
	return &Phrase{Code: r.Code, Args: args, Text: s.Words.Say(lang, r)}
}

// seconds writes a duration.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e6) / 1e6 }

// instant is a time as the API writes it: UTC, and nil for none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// figure is a number as the API writes it: nil when it is none.
func figure(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// severity is the word for a severity; "none" for none.
func severity(s alerting.Severity) string { return s.String() }

// names writes Refs as kind/name; never nil, so that JSON has a list.
func names(refs []inventory.Ref) []string {
	out := make([]string, 0, len(refs))
	for _, r := range refs {
		out = append(out, r.String())
	}
	return out
}

// list is never nil, so that JSON has a list.
func list[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

// link is where a page of ours lies; "" without a public address.
func (s *server) link(path string) string {
	if s.PublicURL == "" {
		return ""
	}
	return strings.TrimSuffix(s.PublicURL, "/") + path
}

// SeriesName names a series.
type SeriesName struct {
	Ref      string `json:"ref" doc:"The object, kind/name." example:"link/sjo-mia"`
	Metric   string `json:"metric" doc:"What is measured; the unit is in the name." example:"loss_pct"`
	Instance string `json:"instance" doc:"Which of several: the check's name, by default its kind." example:"ping"`
	Unit     string `json:"unit" enum:",%,ms,s,d,bps,/s,bool" doc:"The unit of the values; empty for a plain number, bool for 1 yes and 0 no."`
}

func seriesName(s collectors.Series) SeriesName {
	return SeriesName{Ref: s.Ref.String(), Metric: string(s.Metric), Instance: s.Instance, Unit: string(collectors.Catalogue[s.Metric].Unit)}
}

// Value is one measured value.
type Value struct {
	SeriesName
	At    time.Time `json:"at" doc:"When it was measured."`
	Value *float64  `json:"value" doc:"The value in the unit of the series; null when it is no number."`
	AgeS  float64   `json:"age_s" doc:"How old the value is, seconds."`
	Why   *Phrase   `json:"why,omitempty" doc:"Why the value is what it is, when the collector knows."`
}

func (s *server) value(lang collectors.Lang, v collectors.Sample) Value {
	return Value{
		SeriesName: seriesName(v.Series), At: v.At.UTC(), Value: figure(v.Value),
		AgeS: seconds(max(0, s.Now().Sub(v.At))), Why: s.phrase(lang, v.Reason),
	}
}
