package inventory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestSecretCannotPrint tries every verb on a Secret in every position, also where fmt cannot call its methods.
func TestSecretCannotPrint(t *testing.T) {
	s := NewSecret("canary")
	type inside struct {
		Open   Secret
		hidden Secret
		any    any
		list   []Secret
		byName map[string]Secret
	}
	v := inside{s, s, &inside{Open: s, hidden: s}, []Secret{s}, map[string]Secret{"a": s}}
	for _, part := range []any{s, &s, v, &v, []Secret{s}, []*Secret{&s}, map[string]any{"x": v}, struct{ v any }{&v}} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T"} {
			fmt.Fprintf(&out, verb+"\n", part)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("", "part", part)
		data, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
		if text := out.String(); strings.Contains(text, "canary") || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", "canary")) {
			t.Errorf("%T prints the secret:\n%s", part, text)
		}
	}
	if s.Reveal() != "canary" || s.IsZero() || !NewSecret("").IsZero() || !(Secret{}).IsZero() {
		t.Error("a secret does not keep its value")
	}
}

func TestDurationStringReadsBack(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"0s": 0, "30s": 30 * time.Second, "10s": 10 * time.Second, "100ms": 100 * time.Millisecond, "20m": 20 * time.Minute,
		"1m30s": 90 * time.Second, "1h": time.Hour, "1h30m": 90 * time.Minute, "1h0m10s": time.Hour + 10*time.Second,
		"14d": 14 * 24 * time.Hour, "25h": 25 * time.Hour,
	} {
		if got := Duration(d).String(); got != text {
			t.Errorf("%v is written %q, want %q", d, got, text)
		}
		if got, err := ParseDuration(text); err != nil || got != d {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
}
