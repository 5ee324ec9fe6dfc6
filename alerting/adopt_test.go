package alerting_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

var (
	cutAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	lossy = collectors.Series{Metric: collectors.LossPct, Ref: inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}}
)

// heir is an engine that becomes the active one.
type heir struct {
	t     *testing.T
	state *alerting.State
	cfg   *alerting.Config
	seq   int64
}

func newHeir(t *testing.T) *heir {
	t.Helper()
	rules := alerting.NewRules([]alerting.Threshold{{
		Metric: collectors.LossPct, On: "link/*", Policy: "noc",
		Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 10 * time.Second, ClearFor: 10 * time.Second}},
	}})
	cfg := &alerting.Config{Rules: rules, Policies: map[string]alerting.Policy{"noc": {
		Name: "noc", Levels: []alerting.Level{{Name: "L1", Notify: []string{"slack"}}, {Name: "L2", After: time.Minute, Notify: []string{"mail"}}},
	}}}
	return &heir{t: t, state: alerting.NewState(alerting.Snapshot{NextAlarm: 1001, NextIncident: 1001, NextEvent: 1001}), cfg: cfg}
}

// plan carries out one input, and returns what is told as "receiver cause incident".
func (h *heir) plan(in alerting.Input, at time.Time) (told []string, c alerting.Change) {
	h.t.Helper()
	p := alerting.Plan(h.state, h.cfg, in, at)
	h.state.Adopt(p)
	for _, n := range p.Change.Notifications {
		told = append(told, fmt.Sprint(n.Receiver, " ", n.Cause, " ", n.IncidentID))
	}
	return told, p.Change
}

func (h *heir) measure(loss float64, at time.Time) []string {
	h.t.Helper()
	told, _ := h.plan(alerting.Input{Samples: []collectors.Sample{{Series: lossy, At: at, Value: loss, Every: 10 * time.Second}}}, at)
	return told
}

func (h *heir) adopt(o alerting.Orphan, at time.Time) ([]string, alerting.Change) {
	h.t.Helper()
	h.seq++
	c, err := o.Command(fmt.Sprint("adopt.", h.seq), at)
	if err != nil {
		h.t.Fatal(err)
	}
	c.Seq = h.seq
	return h.plan(alerting.Input{Commands: []alerting.Command{c}}, at)
}

// orphan is an incident that a process opened while it was cut off, and of which it told one receiver.
func orphan() alerting.Orphan {
	noc := newHeir(&testing.T{}).cfg.Policies["noc"]
	return alerting.Orphan{
		Incident: alerting.Incident{
			ID: 7, Severity: alerting.Critical, Worst: alerting.Critical, Ref: lossy.Ref, Root: 9, Series: lossy, OpenedAt: cutAt, Policy: noc,
			Escalation: alerting.Escalation{Next: 1, NextAt: cutAt.Add(time.Minute), Base: cutAt, Round: 1}, Told: []string{"slack"},
		},
		Alarms: []alerting.Alarm{{
			ID: 9, Series: lossy, State: alerting.Raised, Severity: alerting.Critical, Value: 50, ValueAt: cutAt, RaisedAt: cutAt, IncidentID: 7, Policy: "noc",
			Tier:  alerting.Tier{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 10 * time.Second, ClearFor: 10 * time.Second},
			Holds: []alerting.Hold{{Severity: alerting.Critical, Over: cutAt.Add(-10 * time.Second)}},
		}},
		Told: []string{"slack"},
	}
}

func (h *heir) expect(what string, got []string, want ...string) {
	h.t.Helper()
	if !slices.Equal(got, want) {
		h.t.Errorf("%s: told %q, want %q", what, got, want)
	}
}

func seconds(n int) time.Time { return cutAt.Add(time.Duration(n) * time.Second) }

// What only a process knew that was replaced goes on in the one that is active: it is told to be over when it is, once, and to nobody twice
// that it began.
func TestAdopt(t *testing.T) {
	t.Run("it is well again, and was so before", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		h.expect("before", h.measure(0, seconds(20)))
		told, c := h.adopt(orphan(), seconds(60))
		h.expect("taken", told)
		if len(c.Alarms) != 1 || c.Alarms[0].ID != 1001 || len(c.Incidents) != 1 || c.Incidents[0].Root != 1001 || !c.Commands[0].OK {
			t.Errorf("taken: %+v", c)
		}
		h.expect("measured", h.measure(0, seconds(61)))
		h.expect("measured again", h.measure(0, seconds(72)), "slack resolved 7")
		h.expect("and then", h.measure(0, seconds(200)))
	})
	t.Run("it is bad still, and the engine had seen nothing yet", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(40))
		h.adopt(orphan(), seconds(50))
		h.expect("measured", h.measure(60, seconds(60)))
		h.expect("the next level, after a grace", h.measure(60, seconds(81)), "mail escalated 7")
		h.measure(0, seconds(90))
		h.expect("over", h.measure(0, seconds(101)), "slack resolved 7", "mail resolved 7")
	})
	t.Run("it is bad still, and the engine is about to say so itself", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		h.measure(60, seconds(20))
		h.adopt(orphan(), seconds(22))
		h.expect("no second incident", h.measure(60, seconds(40)))
	})
	t.Run("it is bad still, and the engine has said so itself", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		h.measure(60, seconds(20))
		h.expect("its own", h.measure(60, seconds(30)), "slack opened 1001")
		o := orphan()
		o.Told, o.Incident.Told = []string{"slack", "pager"}, []string{"slack", "pager"}
		told, _ := h.adopt(o, seconds(40))
		h.expect("it is the same", told, "slack merged 7", "pager merged 7")
		h.measure(0, seconds(50))
		h.expect("over", h.measure(0, seconds(61)), "slack resolved 1001", "pager resolved 1001")
	})
	t.Run("nothing is expected of it any more", func(t *testing.T) {
		h := newHeir(t)
		h.cfg.Rules = alerting.NewRules(nil)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		told, _ := h.adopt(orphan(), seconds(40))
		h.expect("over at once", told, "slack resolved 7")
	})
	t.Run("a page that was not sent is owed", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		o := orphan()
		o.Told = nil
		o.Owed = []alerting.Notification{{Key: alerting.NotificationKey(7, 1, "slack", alerting.CauseOpened, 1), IncidentID: 7, Level: 1, Receiver: "slack", Cause: alerting.CauseOpened, Round: 1}}
		told, _ := h.adopt(o, seconds(20))
		h.expect("taken", told, "slack opened 7")
	})
	t.Run("handed over twice, or its number is that of another", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		h.adopt(orphan(), seconds(20))
		other := orphan()
		other.Incident.OpenedAt = seconds(1)
		for _, o := range []alerting.Orphan{orphan(), other} {
			if told, c := h.adopt(o, seconds(21)); len(told) != 0 || c.Commands[0].OK {
				t.Errorf("taken again: %q %+v", told, c.Commands)
			}
		}
	})
	t.Run("both know it", func(t *testing.T) {
		h := newHeir(t)
		h.plan(alerting.Input{Reloaded: true}, seconds(10))
		h.adopt(orphan(), seconds(20))
		more := alerting.Orphan{Incident: orphan().Incident, Known: true, Told: []string{"pager"}}
		told, _ := h.adopt(more, seconds(21))
		h.expect("nothing is new", told)
		h.measure(0, seconds(30))
		h.expect("over", h.measure(0, seconds(41)), "slack resolved 7", "pager resolved 7")
		more.Told = []string{"slack", "late"}
		told, c := h.adopt(more, seconds(50))
		h.expect("it is over already", told, "late resolved 7")
		if len(c.Incidents) != 0 {
			t.Errorf("its row changes: %+v", c.Incidents)
		}
	})
}
