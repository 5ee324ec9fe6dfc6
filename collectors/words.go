package collectors

import (
	"math"
	"strconv"
	"strings"
)

// Lang is a language of pages, messages and reports.
type Lang string

// The two languages that Vigía speaks.
const (
	English Lang = "en"
	Spanish Lang = "es"
)

// Text is one message in both languages. {0}, {1} … stand for its arguments; {0:1} writes a number with one decimal. Numbers follow the
// language: 11.2 in English, 11,2 in Spanish.
type Text struct{ EN, ES string }

// Words is a catalogue: code to text. Each package that speaks to people has one; cmd joins them.
type Words map[string]Text

// Reason is a message as data: a code of the catalogue and its arguments (string, bool, int or float64), so that it can be stored and said
// later in the reader's language.
type Reason struct {
	Code string `json:"code,omitempty"`
	Args []any  `json:"args,omitempty"`
}

// Because makes a Reason.
func Because(code string, args ...any) Reason { return Reason{Code: code, Args: args} }

// IsZero reports whether there is nothing to say.
func (r Reason) IsZero() bool { return r.Code == "" }

// Say writes the reason in a language. A code that the catalogue lacks is written as it stands with its arguments: never nothing.
func (w Words) Say(lang Lang, r Reason) string {
	if r.Code == "" {
		return ""
	}
	text, ok := w[r.Code]
	if !ok {
		parts := []string{r.Code}
		for _, a := range r.Args {
			parts = append(parts, sayArg(lang, a, -1))
		}
		return strings.Join(parts, " ")
	}
	return text.Say(lang, r.Args...)
}

// Say fills the text's placeholders in a language.
func (t Text) Say(lang Lang, args ...any) string {
	pattern := t.EN
	if lang == Spanish {
		pattern = t.ES
	}
	if !strings.Contains(pattern, "{") {
		return pattern
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(pattern, '{')
		if i < 0 {
			b.WriteString(pattern)
			return b.String()
		}
		j := strings.IndexByte(pattern[i:], '}')
		if j < 0 {
			b.WriteString(pattern)
			return b.String()
		}
		b.WriteString(pattern[:i])
		b.WriteString(sayPlaceholder(lang, pattern[i+1:i+j], args))
		pattern = pattern[i+j+1:]
	}
}

// metricArg is the metric that a placeholder such as {2:m} stands for: its name is said in the reader's language.
func metricArg(args []any, n int, form string) (Metric, bool) {
	if form != "m" || n < 0 || n >= len(args) {
		return "", false
	}
	switch name := args[n].(type) {
	case string:
		return Metric(name), true
	case Metric:
		return name, true
	}
	return "", false
}

func sayPlaceholder(lang Lang, inner string, args []any) string {
	number, decimals, hasDecimals := strings.Cut(inner, ":")
	n, err := strconv.Atoi(number)
	if name, ok := metricArg(args, n, decimals); err == nil && ok {
		return MetricName(lang, name)
	}
	if err != nil || n < 0 || n >= len(args) {
		return "{" + inner + "}"
	}
	d := -1
	if hasDecimals {
		if v, err := strconv.Atoi(decimals); err == nil {
			d = v
		}
	}
	return sayArg(lang, args[n], d)
}

func sayArg(lang Lang, arg any, decimals int) string {
	switch v := arg.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return Number(lang, float64(v), max(decimals, 0))
	case int64:
		return Number(lang, float64(v), max(decimals, 0))
	case float64:
		if decimals < 0 {
			return Number(lang, v, Decimals(v))
		}
		return Number(lang, v, decimals)
	case Reason:
		return v.Code
	}
	return "?"
}

// Decimals is how many decimals a figure of v's size deserves: three significant digits, at most two decimals.
func Decimals(v float64) int {
	a := math.Abs(v)
	switch {
	case a == math.Trunc(a), a >= 100:
		return 0
	case a >= 10:
		return 1
	}
	return 2
}

// Number writes v with that many decimals: 52,418.5 in English, 52 418,5 in Spanish (the group mark is a narrow no-break space). Not a number is an en dash.
func Number(lang Lang, v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	group, point := ",", "."
	if lang == Spanish {
		group, point = "\u202f", ","
	}
	limit := 3
	if lang == Spanish {
		limit = 4 // four digits stand together in Spanish
	}
	var b strings.Builder
	if v < 0 && strings.Trim(s, "0.") != "" {
		b.WriteString("−")
	}
	if len(whole) > limit {
		lead := len(whole) % 3
		b.WriteString(whole[:lead])
		for i := lead; i < len(whole); i += 3 {
			if b.Len() > 0 && i > 0 {
				b.WriteString(group)
			}
			b.WriteString(whole[i : i+3])
		}
	} else {
		b.WriteString(whole)
	}
	if fraction != "" {
		b.WriteString(point + fraction)
	}
	return b.String()
}
