package alertingtest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Play runs a story as it stands, with every change failing at first, and (unless memory matters) with a restart after every change.
func Play(t *testing.T, script string) {
	t.Helper()
	modes := []struct {
		name               string
		failOnce, restarts bool
	}{{"plain", false, false}, {"every change fails at first", true, false}, {"restarts after every change", false, true}}
	for _, mode := range modes {
		s, err := read(script)
		if err != nil {
			t.Fatal(err)
		}
		if mode.restarts && s.setup.Memory {
			continue // the story is about what a restart forgets
		}
		t.Run(mode.name, func(t *testing.T) {
			s.failOnce, s.restarts = mode.failOnce, mode.restarts
			for _, problem := range s.play() {
				t.Error(problem)
			}
			if t.Failed() {
				t.Log("what happened:\n" + s.world.Log())
			}
		})
	}
}

// story is a script that was read, and how far it has come.
type story struct {
	setup              Setup
	steps              []step
	failOnce, restarts bool

	world    *World
	expected map[string]bool // keys of notifications that a line has expected
	last     string          // id of the last command
	override string          // id of the last override
	problems []string
}

// step is one "at" line.
type step struct {
	line  int
	text  string
	at    time.Duration
	words []string
	rest  string // the text after "at T"
}

func read(script string) (*story, error) {
	s := &story{expected: map[string]bool{}}
	for i, text := range strings.Split(script, "\n") {
		text, _, _ = strings.Cut(text, "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if words[0] == "at" && len(words) > 2 {
			at, err := time.ParseDuration(words[1])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "at")), words[1]))
			s.steps = append(s.steps, step{line: i + 1, text: strings.TrimSpace(text), at: at, words: words[2:], rest: rest})
			continue
		}
		ok, err := s.setup.line(words, text)
		if err == nil && !ok {
			err = fmt.Errorf("nobody understands %q", strings.TrimSpace(text))
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return s, nil
}

// play runs the story and returns what went wrong.
func (s *story) play() []string {
	cfg, err := s.setup.Config()
	if err != nil {
		return []string{err.Error()}
	}
	s.world = NewWorld(cfg)
	s.world.ByHand, s.world.FailOnce, s.world.Restarts = s.setup.ByHand, s.failOnce, s.restarts
	s.world.Check = Invariants
	var last time.Duration
	for i, st := range s.steps {
		if st.at < last {
			return append(s.problems, fmt.Sprintf("line %d: time runs backwards", st.line))
		}
		last = st.at
		err := s.world.RunTo(s.world.At(st.at))
		if err == nil && st.words[0] == "expect" && (i == 0 || s.steps[i-1].at < st.at || s.steps[i-1].words[0] != "expect") {
			err = s.world.Plan()
		}
		if err == nil {
			err = s.step(st)
		}
		if err == nil && i+1 == len(s.steps) {
			err = s.world.Plan()
		}
		if err != nil {
			s.problems = append(s.problems, fmt.Sprintf("line %d: %s: %v", st.line, st.text, err))
		}
	}
	for _, n := range s.unexpected() {
		s.problems = append(s.problems, fmt.Sprintf("nobody expected that %s is told %s at %s (%s)", n.Receiver, n.Cause, s.passed(n.CreatedAt), n.Key))
	}
	return s.problems
}

func (s *story) passed(at time.Time) time.Duration { return at.Sub(s.world.At(0)) }

// unexpected lists the notifications that no line has expected.
func (s *story) unexpected() []alerting.Notification {
	var list []alerting.Notification
	for _, key := range s.world.Memory.Order {
		if !s.expected[key] {
			list = append(list, s.world.Memory.Notifications[key])
		}
	}
	return list
}

func (s *story) step(st step) error {
	w := st.words
	switch w[0] {
	case "expect":
		return s.expect(w[1:])
	case "ack", "unack", "comment", "escalate", "close", "assign", "snooze":
		return s.command(st)
	case "silence", "maintenance", "unmute":
		return s.mute(st)
	case "override", "cancel", "handover":
		return s.decideOnCall(st)
	case "restart":
		return s.world.Restart()
	case "dead":
		d, err := time.ParseDuration(w[2])
		if err != nil {
			return err
		}
		return s.world.Dead(d)
	case "reload":
		return s.reload()
	case "store":
		s.world.Memory.Failing = w[1] == "fails"
		return nil
	case "clock":
		by, err := time.ParseDuration(w[2])
		s.world.Jump(by)
		return err
	case "sent", "given":
		return s.settle(st)
	case "remove":
		if err := s.setup.remove(w[1:]); err != nil {
			return err
		}
		return s.reload()
	}
	if ok, err := s.setup.line(w, st.rest); ok || err != nil {
		if err != nil {
			return err
		}
		return s.reload()
	}
	return s.value(w)
}

func (s *story) reload() error {
	cfg, err := s.setup.Config()
	if err == nil {
		s.world.Reload(cfg)
	}
	return err
}

// value reads: REF METRIC VALUE [every D] [by INSTANCE] [stamped D ago|ahead] [because CODE], or REF METRIC stops [by INSTANCE].
func (s *story) value(w []string) error {
	series, err := seriesOf(w)
	if err != nil {
		return err
	}
	if w[2] == "stops" {
		s.world.Stop(series)
		return nil
	}
	m := collectors.Sample{Series: series}
	if m.Value, err = strconv.ParseFloat(w[2], 64); err != nil {
		return err
	}
	for i := 3; i+1 < len(w); i += 2 {
		switch w[i] {
		case "every":
			m.Every, err = time.ParseDuration(w[i+1])
		case "because":
			m.Reason = collectors.Because(w[i+1])
		case "stamped":
			d, err := time.ParseDuration(w[i+1])
			if w[i+2] == "ago" {
				d = -d
			}
			m.At = s.world.Now.Add(d)
			s.world.Put(m)
			return err
		}
	}
	s.world.Stream(m)
	return err
}

// seriesOf reads: REF METRIC ... [by INSTANCE].
func seriesOf(w []string) (collectors.Series, error) {
	if len(w) < 2 {
		return collectors.Series{}, fmt.Errorf("REF METRIC is missing")
	}
	ref, err := inventory.ParseRef(w[0])
	if err != nil {
		return collectors.Series{}, err
	}
	series := collectors.Series{Metric: collectors.Metric(w[1]), Ref: ref, Instance: "ping"}
	for i := 2; i+1 < len(w); i++ {
		if w[i] == "by" {
			series.Instance = w[i+1]
		}
	}
	return series, nil
}

// command reads: VERB incident N by WHO [to WHOM] [for D] ["NOTE"] [twice].
func (s *story) command(st step) error {
	w := st.words
	kinds := map[string]alerting.CommandKind{
		"ack": alerting.CommandAcknowledge, "unack": alerting.CommandUnacknowledge, "comment": alerting.CommandComment,
		"escalate": alerting.CommandEscalate, "close": alerting.CommandResolve, "assign": alerting.CommandAssign, "snooze": alerting.CommandSnooze,
	}
	id, err := strconv.ParseInt(w[2], 10, 64)
	if err != nil {
		return err
	}
	c := alerting.Command{Kind: kinds[w[0]], IncidentID: id, Actor: w[4]}
	if _, after, ok := strings.Cut(st.text, `"`); ok {
		c.Note, _, _ = strings.Cut(after, `"`)
	}
	if len(w) > 6 && w[5] == "to" {
		c.Assignee = w[6]
	}
	for i := 5; i+1 < len(w); i++ {
		if w[i] == "for" {
			d, err := time.ParseDuration(w[i+1])
			if err != nil {
				return err
			}
			c.Until = s.world.Now.Add(d)
			break
		}
	}
	c = s.world.Command(c)
	s.last = c.ID
	if w[len(w)-1] == "twice" {
		s.world.Command(c)
	}
	return nil
}

// settle reads: sent RECEIVER | given up RECEIVER "WHY".
func (s *story) settle(st step) error {
	state, receiver := alerting.NotificationSent, st.words[1]
	if st.words[0] == "given" {
		state, receiver = alerting.NotificationGivenUp, st.words[2]
	}
	why := "accepted"
	if _, after, ok := strings.Cut(st.text, `"`); ok {
		why, _, _ = strings.Cut(after, `"`)
	}
	n := 0
	for _, key := range s.world.Memory.Pending() {
		if s.world.Memory.Notifications[key].Receiver == receiver {
			s.world.Settle(key, state, why)
			n++
		}
	}
	if n == 0 {
		return fmt.Errorf("nothing waits for %s", receiver)
	}
	return nil
}
