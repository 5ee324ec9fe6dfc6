package alerting_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// TestWhateverComesTheInvariantsHold lets rapid choose what happens on a small tree, minute by minute, and shrink what breaks an invariant:
// one key for each notification, no page for what is acknowledged, the incident as severe as its worst member, what is stored is the State,
// two plans on one State are the same, and the replay of all Changes is the State again.
func TestWhateverComesTheInvariantsHold(t *testing.T) {
	cfg := simConfig(t)
	cfg.Expected = cfg.Expected[:6]
	policy := cfg.Policies["noc"]
	policy.Levels[0].Notify = []string{"oncall:noc"} // three minutes each: hand-overs fall into what happens
	cfg.Policies = map[string]alerting.Policy{"noc": policy}
	cfg.Schedule = &alerting.Schedule{
		People: map[string]alerting.Person{"ana": {Receivers: []string{"ana"}}, "ben": {Receivers: []string{"ben"}}},
		Rotations: map[string]*alerting.Rotation{"noc": {Name: "noc", Layers: []alerting.Layer{
			{People: []string{"ana", "ben"}, Starts: alertingtest.Start.Add(2 * time.Minute), Length: 3 * time.Minute},
		}}},
	}
	rapid.Check(t, func(r *rapid.T) {
		w := alertingtest.NewWorld(cfg)
		w.Check, w.FailOnce, w.Restarts = alertingtest.Invariants, rapid.Bool().Draw(r, "fails"), rapid.Bool().Draw(r, "restarts")
		var series []collectors.Series
		for _, e := range cfg.Expected {
			loss := e.Series
			loss.Metric = collectors.LossPct
			series = append(series, e.Series, loss)
		}
		for range rapid.IntRange(1, 16).Draw(r, "things") {
			something(r, w, series)
			if err := w.RunTo(w.Now.Add(time.Duration(rapid.IntRange(0, 600).Draw(r, "seconds")) * time.Second)); err != nil {
				r.Fatal(err)
			}
		}
		st := alerting.NewState(alerting.Snapshot{})
		for _, c := range w.Memory.Changes {
			st.Adopt(alerting.Planned{Change: c})
		}
		if w.Restarts { // what went through JSON is the same, and not of the same pointers
			return
		}
		if got, want := st.Snapshot(), w.State.Snapshot(); !reflect.DeepEqual(got.Alarms, want.Alarms) || !reflect.DeepEqual(got.Incidents, want.Incidents) || !reflect.DeepEqual(got.Overrides, want.Overrides) {
			r.Fatalf("the replay of all changes is another state:\n%+v\n%+v", got, want)
		}
	})
}

func something(r *rapid.T, w *alertingtest.World, series []collectors.Series) {
	s := rapid.SampledFrom(series).Draw(r, "series")
	switch rapid.IntRange(0, 11).Draw(r, "what") {
	case 0, 1, 2, 3:
		value := rapid.SampledFrom([]float64{0, 2, 12, 100}).Draw(r, "bad")
		if s.Metric == collectors.Up {
			value = 0
		}
		w.Stream(collectors.Sample{Series: s, Value: value, Every: 30 * time.Second})
	case 4, 5:
		value := 0.0
		if s.Metric == collectors.Up {
			value = 1
		}
		w.Stream(collectors.Sample{Series: s, Value: value, Every: 30 * time.Second})
	case 6:
		w.Stop(s)
	case 7:
		kind := rapid.SampledFrom([]alerting.CommandKind{
			alerting.CommandAcknowledge, alerting.CommandUnacknowledge, alerting.CommandEscalate, alerting.CommandResolve,
		}).Draw(r, "command")
		w.Command(alerting.Command{Kind: kind, IncidentID: int64(rapid.IntRange(1, 5).Draw(r, "incident")), Actor: "ana"})
	case 8:
		w.Jump(time.Duration(rapid.IntRange(-3600, 3600).Draw(r, "jump")) * time.Second)
	case 10:
		from := w.Now.Add(time.Duration(rapid.IntRange(-300, 900).Draw(r, "from")) * time.Second)
		w.Command(alerting.Command{Kind: alerting.CommandOverride, Actor: "ops", OnCall: &alerting.OnCallOrder{
			Rotation: "noc", Person: rapid.SampledFrom([]string{"ana", "ben", "zoe"}).Draw(r, "person"), From: from, To: from.Add(time.Duration(rapid.IntRange(-60, 900).Draw(r, "long")) * time.Second),
		}})
	case 11:
		if s := w.State.Snapshot(); len(s.Overrides) > 0 {
			o := rapid.SampledFrom(s.Overrides).Draw(r, "override")
			w.Command(alerting.Command{Kind: alerting.CommandOverrideCancel, Actor: "ops", OnCall: &alerting.OnCallOrder{Override: o.ID}})
		}
	case 9:
		w.Put(collectors.Sample{Series: s, Value: 0, At: w.Now.Add(time.Duration(rapid.IntRange(-900, 600).Draw(r, "off")) * time.Second)})
	}
}

// TestOneThresholdAgainstAModel judges random values by one tier and compares with the plainest possible model of hold and hysteresis.
func TestOneThresholdAgainstAModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		tier := alerting.Tier{
			Severity: alerting.Major, Raise: 10, Clear: 5,
			For:      time.Duration(rapid.IntRange(0, 4).Draw(r, "for")) * 10 * time.Second,
			ClearFor: time.Duration(rapid.IntRange(0, 4).Draw(r, "clear_for")) * 10 * time.Second,
		}
		if rapid.Bool().Draw(r, "low is bad") {
			tier.Raise, tier.Clear = 5, 10
		}
		cfg := &alerting.Config{Rules: alerting.NewRules([]alerting.Threshold{{Metric: collectors.LatencyMS, On: "*", Tiers: []alerting.Tier{tier}}})}
		w := alertingtest.NewWorld(cfg)
		s := collectors.Series{Metric: collectors.LatencyMS, Ref: inventory.Ref{Kind: "link", Name: "x"}}
		var over, under time.Time
		stands := false
		for range rapid.IntRange(1, 60).Draw(r, "values") {
			v := float64(rapid.IntRange(0, 15).Draw(r, "value"))
			w.Put(collectors.Sample{Series: s, At: w.Now, Value: v, Every: 10 * time.Second})
			if err := w.Plan(); err != nil {
				r.Fatal(err)
			}
			over, under = since(over, tier.Crossed(v), w.Now), since(under, tier.Cleared(v), w.Now)
			switch {
			case !stands && !over.IsZero() && w.Now.Sub(over) >= tier.For:
				stands = true
			case stands && !under.IsZero() && w.Now.Sub(under) >= tier.ClearFor:
				stands = false
			}
			a, _ := w.Alarm(s)
			if a.State.Active() != stands {
				r.Fatalf("after %v at %s the alarm is %s, the model says %v", v, w.Now.Sub(alertingtest.Start), a.State, stands)
			}
			if err := w.RunTo(w.Now.Add(10 * time.Second)); err != nil {
				r.Fatal(err)
			}
		}
	})
}

func since(from time.Time, holds bool, now time.Time) time.Time {
	switch {
	case !holds:
		return time.Time{}
	case from.IsZero():
		return now
	}
	return from
}
