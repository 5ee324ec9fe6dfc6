package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretCannotPrintItself(t *testing.T) {
	type holder struct {
		Open   Secret
		closed Secret // fmt calls no method of a value in an unexported field
		more   map[string]Secret
		list   []Secret
	}
	s := NewSecret("hunter2")
	h := holder{s, s, map[string]Secret{"a": s}, []Secret{s}}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, s), fmt.Sprintf(verb, h), fmt.Sprintf(verb, &h))
	}
	encoded, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "holder", h)
	for _, text := range append(shown, string(encoded), log.String()) {
		if strings.Contains(text, "hunter2") || strings.Contains(text, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("shown: %s", text)
		}
	}
	if h.closed.Reveal() != "hunter2" || h.more["a"].IsZero() || h.list[0].String() != "secret" {
		t.Error("Reveal, IsZero or String is wrong")
	}
	if (Secret{}).Reveal() != "" || !(Secret{}).IsZero() || !NewSecret("").IsZero() || (Secret{}).String() != "" {
		t.Error("the zero Secret is not empty")
	}
}
