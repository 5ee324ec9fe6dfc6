package inventory

import (
	"testing"
	"time"
)

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
