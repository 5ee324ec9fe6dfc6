package alertingtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// expect checks one line.
func (s *story) expect(w []string) error {
	switch w[0] {
	case "told":
		return s.expectTold(w[1:])
	case "quiet":
		if list := s.unexpected(); len(list) > 0 {
			return fmt.Errorf("%d notifications nobody expected, the first is %s", len(list), list[0].Key)
		}
		return nil
	case "shadow", "own":
		series, err := seriesOf(w[1:])
		if err != nil {
			return err
		}
		return check(w[0], map[bool]string{true: "shadow", false: "own"}[s.alarm(series).Shadow])
	case "incident":
		return s.expectIncident(w[1:])
	case "incidents":
		_, _, n := s.world.State.Counts()
		return check(w[1], n)
	case "event":
		return s.expectEvent(w[1:])
	case "says":
		return s.expectSays(w[1:])
	case "accepted", "refused":
		return s.expectResult(w)
	case "superseded":
		return check(w[1], s.world.Memory.Superseded)
	case "untold":
		return check(w[1], s.world.State.Untold(s.world.Now))
	case "sample":
		return s.expectSample(w[1:])
	}
	return s.expectAlarm(w)
}

func check(want string, got any) error {
	if fmt.Sprint(got) != want {
		return fmt.Errorf("it is %v", got)
	}
	return nil
}

func (s *story) alarm(series collectors.Series) alerting.Alarm {
	a, _ := s.world.Alarm(series)
	return a
}

// expectAlarm reads: STATE [SEVERITY] REF METRIC [by INSTANCE].
func (s *story) expectAlarm(w []string) error {
	want := w[0]
	rest := w[1:]
	if _, err := alerting.ParseSeverity(rest[0]); err == nil {
		want += " " + rest[0]
		rest = rest[1:]
	}
	series, err := seriesOf(rest)
	if err != nil {
		return err
	}
	a := s.alarm(series)
	got := a.State.String()
	if strings.Contains(want, " ") {
		got += " " + a.Severity.String()
	}
	return check(want, got)
}

// stepTime is how long ago "now" may have been: two steps of one incident are never planned at once.
const stepTime = time.Second

// expectTold reads: RECEIVER CAUSE [incident N] [level N] [late D], now.
func (s *story) expectTold(w []string) error {
	var seen []string
	for _, n := range s.unexpected() {
		seen = append(seen, n.Key)
		if n.Receiver != w[0] || string(n.Cause) != w[1] || s.world.Now.Sub(n.CreatedAt) > stepTime {
			continue
		}
		if matches(n, w[2:]) {
			s.expected[n.Key] = true
			return nil
		}
	}
	return fmt.Errorf("not told now; not expected so far: %v", seen)
}

func matches(n alerting.Notification, w []string) bool {
	for i := 0; i+1 < len(w); i += 2 {
		var got string
		switch w[i] {
		case "incident":
			got = strconv.FormatInt(n.IncidentID, 10)
		case "level":
			got = strconv.Itoa(n.Level)
		case "late":
			got = n.Message.Late.String()
			if d, err := time.ParseDuration(w[i+1]); err == nil && d == n.Message.Late {
				got = w[i+1]
			}
		case "severity":
			got = n.Severity.String()
		case "into":
			got = strconv.FormatInt(n.Message.MergedInto, 10)
		}
		if got != w[i+1] {
			return false
		}
	}
	return true
}

// expectIncident reads: N STATE [SEVERITY], or N members K | next LEVEL at T | policy NAME | title WORDS.
func (s *story) expectIncident(w []string) error {
	id, err := strconv.ParseInt(w[0], 10, 64)
	if err != nil {
		return err
	}
	in, ok := s.world.Memory.Incidents[id]
	if !ok {
		return fmt.Errorf("there is no incident %d", id)
	}
	switch w[1] {
	case "members":
		n := 0
		for _, a := range s.world.Memory.Alarms {
			if a.IncidentID == id && a.State.Active() {
				n++
			}
		}
		return check(w[2], n)
	case "policy":
		return check(w[2], in.Policy.Name)
	case "title":
		return check(strings.Join(w[2:], " "), alerting.EngineWords.Say(collectors.English, in.Title))
	case "next":
		level, at, _, ok := in.Upcoming()
		if !ok {
			return check(strings.Join(w[2:], " "), "nothing")
		}
		return check(strings.Join(w[2:], " "), in.Policy.Levels[level].Name+" at "+s.passed(at).String())
	}
	got := in.State.String()
	if len(w) > 2 {
		got += " " + in.Severity.String()
	}
	return check(strings.Join(w[1:], " "), got)
}

func (s *story) expectEvent(w []string) error {
	for _, e := range s.world.Memory.Events {
		if string(e.Kind) == w[0] && (len(w) < 3 || strconv.FormatInt(e.IncidentID, 10) == w[2]) {
			return nil
		}
	}
	return fmt.Errorf("there is none")
}

func (s *story) expectResult(w []string) error {
	i := slices.IndexFunc(s.world.Memory.Results, func(r alerting.CommandResult) bool { return r.ID == s.last })
	if i < 0 {
		return fmt.Errorf("the command was not carried out")
	}
	r := s.world.Memory.Results[i]
	if r.OK {
		return check(strings.Join(w, " "), "accepted")
	}
	return check(strings.Join(w, " "), "refused "+strings.TrimPrefix(r.Reason.Code, "engine."))
}

func (s *story) expectSample(w []string) error {
	for _, m := range slices.Backward(s.world.Own()) {
		if string(m.Series.Metric) == w[0] {
			return check(w[1], m.Value)
		}
	}
	return fmt.Errorf("the engine said nothing about it")
}

// Log writes what happened, for a story that failed.
func (w *World) Log() string {
	var b strings.Builder
	for _, e := range w.Memory.Events {
		fmt.Fprintf(&b, "%10s  incident %d  %-12s %s\n", e.At.Sub(w.At(0)), e.IncidentID, e.Kind, alerting.EngineWords.Say(collectors.English, e.Text))
		for _, key := range e.Keys {
			fmt.Fprintf(&b, "%24s %s\n", "", key)
		}
	}
	return b.String()
}
