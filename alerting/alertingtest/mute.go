package alertingtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// mute reads: silence|maintenance PATTERN by WHO [from D] [for D] [metric M] [below] [every DAY,... at HH:MM ZONE] ["REASON"], where "from" is
// how far ahead it begins; or: unmute N by WHO.
func (s *story) mute(st step) error {
	w := st.words
	if len(w) < 4 || w[2] != "by" {
		return fmt.Errorf("%s PATTERN by WHO is missing", w[0])
	}
	c := alerting.Command{Kind: alerting.CommandKind(w[0]), Actor: w[3]}
	if w[0] == "unmute" {
		id, err := strconv.ParseInt(w[1], 10, 64)
		if err != nil {
			return err
		}
		c.Kind, c.MuteID = alerting.CommandCancelMute, id
	} else {
		m := alerting.Mute{On: []inventory.Pattern{inventory.Pattern(w[1])}, From: s.world.Now}
		if _, after, ok := strings.Cut(st.text, `"`); ok {
			m.Reason, _, _ = strings.Cut(after, `"`)
		}
		if err := muteParts(&m, w[4:]); err != nil {
			return err
		}
		c.Mute = &m
	}
	s.last = s.world.Command(c).ID
	return nil
}

func muteParts(m *alerting.Mute, w []string) error {
	var span time.Duration
	for i := 0; i < len(w) && !strings.HasPrefix(w[i], `"`); i++ {
		if w[i] == "below" {
			m.Below = true
			continue
		}
		if i+1 >= len(w) {
			return fmt.Errorf("%s needs a word", w[i])
		}
		var err error
		switch w[i] {
		case "from":
			var ahead time.Duration
			ahead, err = time.ParseDuration(w[i+1])
			m.From = m.From.Add(ahead)
		case "for":
			span, err = time.ParseDuration(w[i+1])
		case "metric":
			m.Metric = collectors.Metric(w[i+1])
		case "every":
			if len(w) < i+5 {
				return fmt.Errorf("every DAY,... at HH:MM ZONE is missing")
			}
			m.Recur = &alerting.Recurrence{Days: days(w[i+1]), At: w[i+3], Zone: w[i+4]}
			i += 3
		default:
			err = fmt.Errorf("nobody understands %q", w[i])
		}
		if err != nil {
			return err
		}
		i++
	}
	if m.Recur != nil {
		m.Recur.For = span
		return nil
	}
	m.Until = m.From.Add(span)
	return nil
}

// days reads "Mon,Tue"; "day" is every one.
func days(text string) []time.Weekday {
	var list []time.Weekday
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.Contains(text, d.String()[:3]) {
			list = append(list, d)
		}
	}
	return list
}
