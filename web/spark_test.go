package web

import (
	"strings"
	"testing"
	"time"

	"vigia/alerting"
)

func sparkOf(gap time.Duration, tier *alerting.Tier, values ...float64) spark {
	from := time.Unix(0, 0)
	var points []point
	for i, v := range values {
		if v >= 0 {
			points = append(points, point{At: from.Add(time.Duration(i) * time.Minute), Mean: v, Min: v, Max: v, Count: 1})
		}
	}
	return drawSpark(points, from, from.Add(time.Hour), gap, tier)
}

func TestSpark(t *testing.T) {
	if s := sparkOf(time.Minute, nil, 1); !s.Empty() {
		t.Errorf("one point is no line: %+v", s)
	}
	s := sparkOf(time.Minute, nil, 1, 2, 3)
	if strings.Count(s.Line, "M") != 1 || s.Over != "" || !strings.HasSuffix(s.Fill, "z") {
		t.Errorf("a plain line: %+v", s)
	}
	if s := sparkOf(time.Minute, nil, 1, 2, -1, -1, -1, -1, -1, 3, 4); strings.Count(s.Line, "M") != 2 {
		t.Errorf("the gap is bridged: %s", s.Line)
	}
}

// TestSparkBeyond: only the part beyond the level is coloured, cut where the line crosses it.
func TestSparkBeyond(t *testing.T) {
	high := &alerting.Tier{Severity: alerting.Critical, Raise: 10, Clear: 5}
	s := sparkOf(time.Minute, high, 0, 20, 20, 0)
	if s.Class != "is-critical" || strings.Count(s.Over, "M") != 3 || !strings.HasPrefix(s.Over, "M0.8 12") {
		t.Errorf("over a level: %+v", s)
	}
	if s := sparkOf(time.Minute, high, 1, 2, 3); s.Over != "" || s.Class != "" {
		t.Errorf("under the level: %+v", s)
	}
	low := &alerting.Tier{Severity: alerting.Major, Raise: 1, Clear: 2}
	if s := sparkOf(time.Minute, low, 2, 2, 1, 1); s.Class != "is-major" || s.Over == "" {
		t.Errorf("where low is bad: %+v", s)
	}
}
