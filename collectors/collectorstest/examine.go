package collectorstest

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vigia/collectors"
)

// languages are those that everything must be said in.
func languages() []collectors.Lang { return []collectors.Lang{collectors.English, collectors.Spanish} }

// itself examines what the kind says about itself.
func (s Suite) itself(t *testing.T) {
	k := s.Kind
	if k.Name == "" || strings.ToLower(k.Name) != k.Name {
		t.Errorf("the kind's name is %q, want a lower-case word", k.Name)
	}
	if k.Every <= 0 || k.Timeout <= 0 || k.Timeout > k.Every {
		t.Errorf("default timeout %v and period %v: want 0 < timeout <= period", k.Timeout, k.Every)
	}
	for _, m := range k.Metrics {
		if _, ok := collectors.Catalogue[m]; !ok {
			t.Errorf("metric %q is not in collectors.Catalogue", m)
		}
	}
	a, b := k.New(), k.New()
	if a == nil || a == b {
		t.Fatal("New must return a fresh configuration each time")
	}
	for _, p := range a.Validate() { // a required key may be missing; what matters is that it says so
		if p.Message == "" || strings.HasSuffix(p.Message, ".") {
			t.Errorf("problem of key %q: %q, want one clause without a full stop", p.Key, p.Message)
		}
	}
	Words(t, k.Name, k.Words)
}

// Words examines a catalogue: every code begins with prefix and a dot, has both languages, and the same placeholders in both.
func Words(t *testing.T, prefix string, words collectors.Words) {
	t.Helper()
	if len(words) == 0 {
		t.Error("no words at all: a result could not say why")
	}
	for code, text := range words {
		if !strings.HasPrefix(code, prefix+".") {
			t.Errorf("code %q does not begin with %q", code, prefix+".")
		}
		if text.EN == "" || text.ES == "" {
			t.Errorf("%s lacks a language: %+v", code, text)
		}
		if en, es := placeholders(text.EN), placeholders(text.ES); !slices.Equal(en, es) {
			t.Errorf("%s has the placeholders %v in English and %v in Spanish", code, en, es)
		}
	}
}

var placeholder = regexp.MustCompile(`\{(\d+)(?::\d+)?\}`)

// placeholders lists the numbers of a text's placeholders, sorted, each once.
func placeholders(text string) []int {
	var numbers []int
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// examine looks at one result: reasons in words, values announced, finite and told once, no secret anywhere.
func (s Suite) examine(t *testing.T, r collectors.Result) {
	t.Helper()
	if r.Why.IsZero() {
		t.Error("the result does not say why")
	}
	s.reason(t, "Why", r.Why)
	for _, step := range r.Steps {
		s.reason(t, "Steps", step)
	}
	type series struct {
		metric collectors.Metric
		part   string
	}
	seen := map[series]bool{}
	for _, v := range r.Values {
		if key := (series{v.Metric, v.Part}); seen[key] {
			t.Errorf("%s %q is there twice", v.Metric, v.Part)
		} else {
			seen[key] = true
		}
		s.value(t, v)
	}
}

func (s Suite) value(t *testing.T, v collectors.Value) {
	t.Helper()
	info, known := collectors.Catalogue[v.Metric]
	if !known || !slices.Contains(s.Kind.Metrics, v.Metric) {
		t.Errorf("metric %q is not announced in Kind.Metrics and the catalogue", v.Metric)
	}
	if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
		t.Errorf("%s is %v", v.Metric, v.Value)
	}
	switch {
	case info.Unit == collectors.UnitBool && v.Value != 0 && v.Value != 1:
		t.Errorf("%s is %v, want 0 or 1", v.Metric, v.Value)
	case info.Unit == collectors.UnitMS && v.Value < 0, info.Unit == collectors.UnitPercent && (v.Value < 0 || v.Value > 100):
		t.Errorf("%s is %v %s", v.Metric, v.Value, info.Unit)
	}
	s.noSecret(t, "Detail", v.Detail)
	s.noSecret(t, "Part", v.Part)
	if v.Detail != "" && !json.Valid([]byte(v.Detail)) {
		t.Errorf("%s %q: its detail is no JSON: %s", v.Metric, v.Part, v.Detail)
	}
	s.reason(t, "Value.Why", v.Why)
}

// reason says it in both languages and looks for a missing code, a placeholder left open, an argument of a wrong type, and secrets.
func (s Suite) reason(t *testing.T, where string, r collectors.Reason) {
	t.Helper()
	if r.IsZero() {
		return
	}
	text, ok := s.Kind.Words[r.Code]
	if !ok {
		t.Errorf("%s has the code %q, which Kind.Words lacks", where, r.Code)
	}
	for _, n := range placeholders(text.EN) {
		if n >= len(r.Args) {
			t.Errorf("%s %s wants {%d}, but has %d arguments", where, r.Code, n, len(r.Args))
		}
	}
	for i, a := range r.Args {
		switch v := a.(type) {
		case string, bool, int:
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s %s: argument %d is %v", where, r.Code, i, v)
			}
		default:
			t.Errorf("%s %s: argument %d is a %T, want string, bool, int or float64", where, r.Code, i, a)
		}
	}
	for _, lang := range languages() {
		s.noSecret(t, where, s.Kind.Words.Say(lang, r))
	}
	s.noSecret(t, where, fmt.Sprint(r.Args...))
}

func (s Suite) noSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range s.Secrets {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("%s shows a secret: %s", where, strings.ReplaceAll(text, secret, "<the secret>"))
		}
	}
}
