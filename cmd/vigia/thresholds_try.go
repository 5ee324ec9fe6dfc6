package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// How a trial goes through the time.
const (
	trialTick  = 10 * time.Second // between two plans
	trialSlice = time.Hour        // that is read at once
	trialGap   = 2 * time.Minute  // without a sample of anything: Vigía did not run
)

// trial gives stored samples to the pure engine.
type trial struct {
	store    *store.Store
	engine   alerting.Config
	from, to time.Time
	on       inventory.Pattern
	metric   string
	progress func(at, from, to time.Time)

	state  *alerting.State
	last   time.Time // the newest sample of anything
	found  tried
	counts map[collectors.Series]*objectRow
	opened map[int64]alerting.Incident
}

// run tries the thresholds over the whole time and compares.
func (t *trial) run(ctx context.Context) (*tried, error) {
	t.state, t.counts = alerting.NewState(alerting.Snapshot{}), map[collectors.Series]*objectRow{}
	t.opened = map[int64]alerting.Incident{}
	t.engine.Expected, t.engine.Rules = nil, withoutConfirm(t.engine.Rules)
	t.found.From, t.found.To = t.from, t.to
	var list []collectors.Series
	for _, s := range t.store.AllSeries(store.Everything()) {
		if t.about(s) && t.engine.Rules.Match(s) != nil {
			list = append(list, s)
		}
	}
	t.found.Series = len(list)
	t.plan(alerting.Input{Reloaded: true}, t.from)
	for at := t.from; at.Before(t.to); at = at.Add(trialSlice) {
		if t.progress != nil {
			t.progress(at, t.from, t.to)
		}
		if err := t.slice(ctx, list, at, minTime(at.Add(trialSlice), t.to)); err != nil {
			return nil, err
		}
	}
	if err := t.present(ctx); err != nil {
		return nil, err
	}
	t.sum()
	return &t.found, nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// withoutConfirm are the same rules without immediate probes, which nobody can make in the past.
func withoutConfirm(rules *alerting.Rules) *alerting.Rules {
	var list []alerting.Threshold
	for _, r := range rules.All() {
		one := *r
		one.Confirm = nil
		list = append(list, one)
	}
	return alerting.NewRules(list)
}

func (t *trial) about(s collectors.Series) bool {
	return t.on.Matches(s.Ref) && (t.metric == "" || t.metric == string(s.Metric)) && s.Ref.Kind != inventory.KindVigia
}

// slice reads a part of the time and plans it tick by tick.
func (t *trial) slice(ctx context.Context, list []collectors.Series, from, to time.Time) error {
	lines, err := t.store.Sparklines(ctx, store.Everything(), list, from, to.Add(-time.Microsecond), 0)
	if err != nil {
		return err
	}
	var samples []collectors.Sample
	for _, s := range list {
		for _, p := range lines[s] {
			samples = append(samples, collectors.Sample{Series: s, At: p.At.UTC(), Value: p.Mean})
		}
	}
	slices.SortStableFunc(samples, func(a, b collectors.Sample) int {
		return cmp.Or(a.At.Compare(b.At), lessSeries(a.Series, b.Series))
	})
	t.found.Samples += len(samples)
	for at := from.Add(trialTick); !at.After(to); at = at.Add(trialTick) {
		n, _ := slices.BinarySearchFunc(samples, at, func(m collectors.Sample, at time.Time) int { return m.At.Compare(at) })
		t.tick(samples[:n], at)
		samples = samples[n:]
	}
	return nil
}

func lessSeries(a, b collectors.Series) int {
	switch {
	case a == b:
		return 0
	case a.Less(b):
		return -1
	}
	return 1
}

// tick plans what came until an instant. While nothing at all comes nothing is planned: the first samples after that are like those after a start.
func (t *trial) tick(samples []collectors.Sample, at time.Time) {
	in := alerting.Input{Samples: samples}
	switch {
	case len(samples) > 0:
		if !t.last.IsZero() && at.Sub(t.last) > trialGap {
			in.Reloaded, in.Jump = true, at.Sub(t.last)
			t.found.Gaps++
		}
		t.last = at
	case t.last.IsZero() || at.Sub(t.last) > trialGap:
		return
	}
	t.plan(in, at)
}

func (t *trial) plan(in alerting.Input, at time.Time) {
	planned := alerting.Plan(t.state, &t.engine, in, at)
	for i := range planned.Change.Alarms {
		if a := &planned.Change.Alarms[i]; a.RaisedAt.Equal(at) && a.State.Active() && t.about(a.Series) {
			t.found.New.Alarms++
			t.row(a.Series).New++
		}
	}
	for i := range planned.Change.Incidents {
		t.opened[planned.Change.Incidents[i].ID] = planned.Change.Incidents[i]
	}
	t.state.Adopt(planned)
}

func (t *trial) row(s collectors.Series) *objectRow {
	if t.counts[s] == nil {
		t.counts[s] = &objectRow{Series: s.String()}
	}
	return t.counts[s]
}

// present counts what was raised in fact.
func (t *trial) present(ctx context.Context) error {
	const most = 1 << 20
	alarms, err := t.store.Alarms(ctx, store.Everything(), store.AlarmFilter{Since: t.from, Limit: most})
	if err != nil {
		return err
	}
	for i := range alarms {
		a := &alarms[i]
		if a.RaisedAt.Before(t.from) || a.RaisedAt.After(t.to) || !t.about(a.Series) {
			continue
		}
		t.found.Present.Alarms++
		t.row(a.Series).Present++
	}
	incidents, err := t.store.Incidents(ctx, store.Everything(), store.IncidentFilter{Since: t.from, Until: t.to, Limit: most})
	if err != nil {
		return err
	}
	for i := range incidents {
		if t.about(incidents[i].Series) {
			t.found.Present.add(&incidents[i])
		}
	}
	return nil
}

// sum orders the series: those that would raise most first.
func (t *trial) sum() {
	for id := range t.opened {
		in := t.opened[id]
		t.found.New.add(&in)
	}
	for _, row := range t.counts {
		t.found.BySeries = append(t.found.BySeries, *row)
	}
	slices.SortFunc(t.found.BySeries, func(a, b objectRow) int {
		return cmp.Or(-cmp.Compare(a.New, b.New), -cmp.Compare(a.Present, b.Present), cmp.Compare(a.Series, b.Series))
	})
}
