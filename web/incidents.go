package web

import (
	"fmt"
	"strings"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// incidentRow is an incident as lists show it: what, since when, who has it, what happens next.
type incidentRow struct {
	ID      int64
	URL     string
	AckURL  string
	Shape   shape
	Title   string
	Why     string
	Open    bool   // nobody has it, and nothing keeps it quiet
	Owned   bool   // somebody has it, or put it off
	Snoozed bool   // Owner put it off
	Quiet   *quiet // why nobody is told of it for now
	URLs    incidentURLs
	Since   moment
	For     moment
	Next    *nextStep
	Owner   string
	Until   string
}

// nextStep is what an escalation does next, and when.
type nextStep struct {
	Level  string
	Again  bool
	Left   moment
	At     string
	Told   []string
	FromMS int64 // where the running wait began
}

func incidentURL(id int64) string { return fmt.Sprintf("/incidents/%d", id) }

func (s *Server) incidentRow(v *visit, w *world, i *alerting.Incident) incidentRow {
	root := w.root(i)
	row := incidentRow{
		ID: i.ID, URL: incidentURL(i.ID), AckURL: incidentURL(i.ID) + "/acknowledge", Open: shouts(i), Owned: i.State == alerting.Acknowledged,
		URLs: urlsOf(i), Quiet: v.quiet(i), Snoozed: i.Ack != nil && i.Ack.Snoozed,
		Shape: v.shapeOf(i.Severity, root != nil && root.State == alerting.Stale), Title: v.titleOf(i),
		Since: v.moment(i.OpenedAt), For: v.running(i.OpenedAt), Next: v.nextStep(i),
	}
	row.Owner, row.Until = v.owner(i)
	row.Why = s.incidentWhy(v, w, i, root)
	return row
}

// incidentWhy is the second line of an incident: what joined it, since when, the measure. The end may be cut on a narrow page.
func (s *Server) incidentWhy(v *visit, w *world, i *alerting.Incident, root *alerting.Alarm) string {
	var parts []string
	if text := v.byKind(w.joined(i)); text != "" {
		parts = append(parts, text)
	}
	parts = append(parts, v.t("incident.since", v.brief(i.OpenedAt)))
	if root != nil {
		parts = append(parts, s.alarmWhy(v, root))
	}
	return strings.Join(parts, " · ")
}

// byKind counts what an incident took along: "1 trunk, 2 servers".
func (s *speaker) byKind(alarms []*alerting.Alarm) string {
	refs := map[inventory.Ref]bool{}
	count := map[inventory.Kind]int{}
	for _, a := range alarms {
		if !refs[a.Series.Ref] {
			refs[a.Series.Ref] = true
			count[a.Series.Ref.Kind]++
		}
	}
	var parts []string
	for _, kind := range inventory.Kinds {
		if n := count[kind]; n > 0 {
			parts = append(parts, s.count("n."+string(kind), n))
		}
	}
	return strings.Join(parts, ", ")
}

// owner is who has an incident, and until when.
func (s *speaker) owner(i *alerting.Incident) (name, until string) {
	if i.State != alerting.Acknowledged || i.Ack == nil {
		return "", ""
	}
	switch {
	case i.Ack.Snoozed:
		return i.Ack.By, s.t("incident.put_off_until", s.brief(i.Ack.Until))
	case i.Ack.Until.IsZero():
		return i.Ack.By, s.t("incident.has_it")
	}
	return i.Ack.By, s.t("incident.has_it_until", s.brief(i.Ack.Until))
}

// nextStep is what happens by itself next; nil when nothing is due.
func (s *speaker) nextStep(i *alerting.Incident) *nextStep {
	level, at, again, ok := i.Upcoming()
	if !ok || level >= len(i.Policy.Levels) {
		return nil
	}
	step := &nextStep{Level: i.Policy.Levels[level].Name, Again: again, Left: s.left(at), At: s.clock(at), Told: s.told(i, level, at)}
	from := i.Escalation.Base
	if every := i.Policy.RepeatEvery(level); again && every > 0 {
		from = at.Add(-every)
	} else if level > 0 {
		from = i.Escalation.Base.Add(i.Policy.Levels[level-1].After)
	}
	if from.IsZero() || from.After(s.now) {
		from = i.OpenedAt
	}
	step.FromMS = from.UnixMilli()
	return step
}

// Percent is how much of the wait is left, for the page before its scripts run.
func (n nextStep) Percent(now moment) string {
	whole := float64(n.Left.MS - n.FromMS)
	if whole <= 0 {
		return "0"
	}
	return short(min(max(100*float64(n.Left.MS-now.MS)/whole, 0), 100))
}
