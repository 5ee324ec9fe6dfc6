package inventory

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written with a unit and also knows days, weeks and years: 30s, 5m, 1h30m, 14d, 2w, 5y (365 days).
type Duration time.Duration

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// MarshalText writes d in the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes whole days as 14d, everything else as time.Duration does.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// UnmarshalText reads a number with a unit; several may follow one another (1h30m). A bare number is refused, except 0.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// ParseDuration reads what time.ParseDuration reads, and d, w and y besides. Negative durations are refused.
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration such as 30s, 5m, 2h or 14d", s)
	if s == "0" {
		return 0, nil
	}
	var total time.Duration
	rest := s
	for rest != "" {
		i := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if i <= 0 {
			return 0, bad
		}
		j := i
		for j < len(rest) && (rest[j] < '0' || rest[j] > '9') && rest[j] != '.' {
			j++
		}
		number, unit := rest[:i], rest[i:j]
		rest = rest[j:]
		part, err := durationPart(number, unit)
		if err != nil || total+part < total {
			return 0, bad
		}
		total += part
	}
	if s == "" {
		return 0, bad
	}
	return total, nil
}

func durationPart(number, unit string) (time.Duration, error) {
	const day = 24 * time.Hour
	long := map[string]time.Duration{"d": day, "w": 7 * day, "y": 365 * day}
	if size, ok := long[unit]; ok {
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || f*float64(size) > float64(1<<62) {
			return 0, fmt.Errorf("out of range")
		}
		return time.Duration(f * float64(size)), nil
	}
	return time.ParseDuration(number + unit)
}

// Bandwidth is a capacity in bits a second, written as 1Gbps, 100Mbps, 64kbps or 9600bps (decimal units).
type Bandwidth int64

var bandwidthUnits = []struct {
	name string
	size float64
}{{"Tbps", 1e12}, {"Gbps", 1e9}, {"Mbps", 1e6}, {"kbps", 1e3}, {"bps", 1}}

// UnmarshalText reads a number with one of the units bps, kbps, Mbps, Gbps, Tbps.
func (b *Bandwidth) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, u := range bandwidthUnits {
		if number, ok := strings.CutSuffix(s, u.name); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err != nil || !(f > 0) || f*u.size > 1e18 {
				break
			}
			*b = Bandwidth(f * u.size)
			return nil
		}
	}
	return fmt.Errorf("%q is not a bandwidth such as 1Gbps, 100Mbps or 512kbps", s)
}

// MarshalText writes b in the largest unit that keeps it exact.
func (b Bandwidth) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String writes b in the largest unit that keeps it exact.
func (b Bandwidth) String() string {
	for _, u := range bandwidthUnits {
		if n := int64(u.size); int64(b) >= n && int64(b)%n == 0 {
			return strconv.FormatInt(int64(b)/n, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "bps"
}

// Secret is a value that cannot print itself: every way of formatting, logging or encoding it yields the word "secret" or nothing, also
// when it stands in an unexported field, where fmt does not call its methods and finds only an address.
// Reveal is the only way out; call it where the value meets the wire. Two Secrets are compared by what they reveal, not by ==.
type Secret struct{ value *string }

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

const hidden = "secret"

// String hides the value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// GoString hides the value.
func (s Secret) GoString() string { return hidden }

// Format hides the value whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the value in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value in every text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON hides the value in JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalText takes the value as it stands; references such as ${env:NAME} have been resolved before.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
