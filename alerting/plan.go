package alerting

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// planner is one plan in work: an overlay over a State that is thrown away or adopted.
type planner struct {
	st  *State
	cfg *Config
	in  *Input
	now time.Time
	n   uint64

	future, past time.Time // samples beyond the one are refused, before the other looked at twice

	out Planned
	ids ids

	works     []*work // alarms in work
	raising   []*work // alarms that are due to be raised, parents first
	fresh     map[collectors.Series]*track
	freshRefs map[inventory.Ref][]*track
	gone      map[*track]bool
	incidents map[int64]*workIncident
	depths    map[inventory.Ref]int
	moved     []inventory.Ref // objects whose reachability may have changed
	settled   map[string]bool // duties that this plan ends
	ended     map[int64]int   // alarms that this plan ends: where their rows are
	groups    map[groupKey][]int64
	canaries  []Notification
	muting    *[]*Mute // those that are on; nil: not asked yet
}

// work is one alarm in work.
type work struct {
	t     *track
	rule  *Threshold
	alarm Alarm
	dirty bool
	asked bool // immediate probes were asked for
	due   int  // the tier that is due to be raised, dueStale or dueNothing
}

const (
	dueNothing = -1
	dueStale   = -2
)

// workIncident is one incident in work.
type workIncident struct {
	Incident
	members map[*track]bool
	was     Severity // None when it is new
	fresh   bool     // opened by this plan
	dirty   bool
	stepped bool // a level was told in this plan
	notes   []Notification
}

// Plan decides what follows from the input at now. It changes nothing: the same State and input give the same Planned, ids included, so that
// a Change that could not be stored is planned again together with what came since. At most one step of an incident's escalation fires.
func Plan(st *State, cfg *Config, in Input, now time.Time) Planned {
	st.plan++
	p := planner{
		st: st, cfg: cfg, in: &in, now: now, n: st.plan, ids: st.ids, future: now.Add(FutureLimit), past: now.Add(-PastLimit),
	}
	p.out = Planned{input: in, cfg: cfg, now: now, seen: st.seen[:0]}
	if in.Jump != 0 {
		p.jump()
	}
	if in.Reloaded {
		p.reload()
	}
	if in.Reloaded || in.Jump != 0 {
		p.turnAll()
	}
	for i := range in.Settled {
		p.settle(&in.Settled[i])
	}
	for i := range in.Commands {
		p.command(&in.Commands[i])
	}
	for i := range in.Samples {
		p.sample(i)
	}
	p.visitDue()
	p.raiseDue()
	p.finish()
	p.build()
	return p.out
}

// sample judges one sample. The common case, a known series that is clear and calm, ends here: no memory, about a hundred nanoseconds.
func (p *planner) sample(i int) {
	m := &p.in.Samples[i]
	t := p.st.tracks[m.Series]
	if t == nil {
		if t = p.freshTrack(m); t == nil {
			return
		}
	}
	if !p.acceptable(t, m) {
		return
	}
	if t.plan != p.n {
		t.plan, t.work, t.sample = p.n, nil, -1
	}
	if t.sample < 0 {
		p.out.seen = append(p.out.seen, t)
	}
	t.sample = i
	if m.Series.Ref.Kind == inventory.KindVigia && m.Series.Metric == collectors.VigiaCanaryS {
		p.canary(m)
	}
	rule := t.rule
	if t.rules != p.cfg.Rules {
		rule = p.cfg.Rules.Match(t.series)
	}
	if rule == nil {
		return
	}
	if t.work == nil && (t.alarm == nil && rule.calm(m.Value) || t.alarm != nil && rule.asBefore(t.alarm, m.Value, p.now)) {
		return
	}
	p.judge(t, rule, m)
}

// calm reports whether v crosses no level.
func (t *Threshold) calm(v float64) bool {
	for i := range t.Tiers {
		if t.Tiers[i].Crossed(v) {
			return false
		}
	}
	return true
}

// acceptable refuses what cannot be judged: no number, a stamp far ahead, a sample older than one that was judged, or one too old to page for.
func (p *planner) acceptable(t *track, m *collectors.Sample) bool {
	if m.Value-m.Value != 0 || m.At.After(p.future) {
		p.out.Refused++
		return false
	}
	last := t.at
	if t.plan == p.n && t.sample >= 0 {
		last = p.in.Samples[t.sample].At
	}
	// A last sample that lies ahead of the clock says nothing: the clock went back.
	if !m.At.After(last) && !last.After(p.now) {
		p.out.Late++
		return false
	}
	if m.At.Before(p.past) && p.now.Sub(m.At) > 3*max(t.every, m.Every) {
		p.out.Late++
		return false
	}
	return true
}

// freshTrack starts to watch a series that was never seen, unless its object or its check has been removed.
func (p *planner) freshTrack(m *collectors.Sample) *track {
	if t := p.fresh[m.Series]; t != nil {
		return t
	}
	if !p.cfg.knows(m.Series.Ref) || p.st.removed(m.Series) {
		return nil
	}
	return p.addTrack(m.Series, m.Every)
}

func (p *planner) addTrack(series collectors.Series, every time.Duration) *track {
	if p.fresh == nil {
		p.fresh, p.freshRefs = map[collectors.Series]*track{}, map[inventory.Ref][]*track{}
	}
	t := &track{series: series, every: every, sample: -1}
	t.bind(p.cfg.Rules)
	p.fresh[t.series] = t
	p.freshRefs[t.series.Ref] = append(p.freshRefs[t.series.Ref], t)
	p.out.fresh = append(p.out.fresh, t)
	return t
}

// latest is the newest sample of a series, this plan's included.
func (p *planner) latest(t *track) collectors.Sample {
	if t.plan == p.n && t.sample >= 0 {
		return p.in.Samples[t.sample]
	}
	return collectors.Sample{Series: t.series, At: t.at, Value: t.value, Reason: t.reason, Detail: t.detail, Every: t.every}
}

// edit takes a series' alarm into work.
func (p *planner) edit(t *track) *work {
	if t.plan != p.n {
		t.plan, t.work, t.sample = p.n, nil, -1
	}
	if t.work != nil {
		return t.work
	}
	rule := t.rule
	if t.rules != p.cfg.Rules {
		rule = p.cfg.Rules.Match(t.series)
	}
	w := &work{t: t, rule: rule, due: dueNothing}
	if t.alarm != nil {
		w.alarm = *t.alarm
		w.alarm.Holds = slices.Clone(t.alarm.Holds)
		w.alarm.Changes = slices.Clone(t.alarm.Changes)
	} else {
		w.alarm = Alarm{Series: t.series, Changes: slices.Clone(t.changes)}
	}
	t.work = w
	p.works = append(p.works, w)
	return w
}

// alarm is a series' alarm as this plan sees it, to be read only; nil when clear.
func (p *planner) alarm(t *track) *Alarm {
	if t.plan == p.n && t.work != nil {
		if t.work.alarm.State == Clear {
			return nil
		}
		return &t.work.alarm
	}
	return t.alarm
}

// start gives an alarm its identity when it stops being clear.
func (p *planner) start(w *work, state AlarmState) {
	if w.alarm.State == Clear && w.alarm.ID == 0 {
		w.alarm.ID = p.ids.alarm
		p.ids.alarm++
	}
	w.alarm.State = state
	w.dirty = true
}

// visitDue looks at every deadline that has come.
func (p *planner) visitDue() {
	var tracks []*track
	p.st.timers.due(p.now, func(e timer) {
		switch {
		case e.mute != 0:
			if m := p.mute(e.mute); m != nil {
				p.turn(m)
			}
		case e.track == nil:
			p.incident(e.incident)
		case p.st.tracks[e.track.series] == e.track && !p.gone[e.track]:
			tracks = append(tracks, e.track)
		}
	})
	slices.SortFunc(tracks, bySeries)
	for i, t := range tracks {
		if i == 0 || tracks[i-1] != t {
			p.tick(t)
		}
	}
}

// bySeries orders series, so that what is decided does not depend on chance.
func bySeries(a, b *track) int {
	switch {
	case a == b:
		return 0
	case a.series.Less(b.series):
		return -1
	}
	return 1
}

// tick does what a series' deadlines ask for.
func (p *planner) tick(t *track) {
	if p.silent(t) {
		p.stale(t)
		return
	}
	if p.alarm(t) == nil {
		return
	}
	w := p.edit(t)
	p.assess(w)
	if w.alarm.State.Active() {
		p.place(w)
	}
}

// tracksOf lists the series of an object, those of this plan included.
func (p *planner) tracksOf(ref inventory.Ref, visit func(*track)) {
	for _, t := range p.st.byRef[ref] {
		if !p.gone[t] {
			visit(t)
		}
	}
	for _, t := range p.freshRefs[ref] {
		visit(t)
	}
}

// incident takes a live incident into work; nil when there is none.
func (p *planner) incident(id int64) *workIncident {
	if w := p.incidents[id]; w != nil {
		return w
	}
	base := p.st.incidents[id]
	if base == nil {
		return nil
	}
	w := &workIncident{Incident: base.Incident, members: maps.Clone(base.members), was: base.Severity}
	w.Told = slices.Clone(base.Told)
	w.Escalation.Repeat = slices.Clone(base.Escalation.Repeat)
	p.keep(w)
	return w
}

func (p *planner) keep(w *workIncident) {
	if p.incidents == nil {
		p.incidents = map[int64]*workIncident{}
	}
	p.incidents[w.ID] = w
}

// touched lists the incidents in work in the order of their ids.
func (p *planner) touched() []*workIncident {
	list := make([]*workIncident, 0, len(p.incidents))
	for _, w := range p.incidents {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b *workIncident) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// event adds a line to an incident's timeline and returns its place in the Change.
func (p *planner) event(e Event) int {
	e.ID, e.At = p.ids.event, p.now
	p.ids.event++
	p.out.Change.Events = append(p.out.Change.Events, e)
	return len(p.out.Change.Events) - 1
}

// build collects the rows that changed.
func (p *planner) build() {
	c := &p.out.Change
	c.At = p.now
	for _, w := range p.works {
		if w.dirty && w.alarm.ID != 0 {
			c.Alarms = append(c.Alarms, w.alarm)
		}
	}
	for _, w := range p.touched() {
		if w.dirty {
			c.Incidents = append(c.Incidents, w.Incident)
		}
		c.Notifications = append(c.Notifications, w.notes...)
	}
	c.Notifications = append(c.Notifications, p.canaries...)
}
