package alerting

import "fmt"

// Severity is the perceived severity of ITU-T X.733 §8.1.2.3. Higher is worse; None means cleared.
type Severity uint8

// The severities. Indeterminate is what an alarm has whose effect cannot be known.
const (
	None Severity = iota
	Indeterminate
	Warning
	Minor
	Major
	Critical
)

var severityNames = [...]string{"none", "indeterminate", "warning", "minor", "major", "critical"}

// Severities lists the severities of an alarm, worst first.
var Severities = [...]Severity{Critical, Major, Minor, Warning, Indeterminate}

// String returns the word of X.733 in lower case.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// MarshalText writes the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(text []byte) error {
	v, err := ParseSeverity(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// ParseSeverity reads one of critical, major, minor, warning, indeterminate (and none).
func ParseSeverity(word string) (Severity, error) {
	for i, name := range severityNames {
		if name == word {
			return Severity(i), nil
		}
	}
	return None, fmt.Errorf("%q is not a severity: critical, major, minor, warning or indeterminate", word)
}
