package web

import (
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// incidentBody is what an incident's page shows.
type incidentBody struct {
	incidentRow
	State    string
	Live     bool
	Merged   string // address of the incident that it joined
	MergedID int64
	Where    string
	Hurts    string
	Ended    moment
	Lasted   string
	Known    *known
	Chart    *chart
	Object   item
	Show     string // what of the timeline: "", told or people
	ShowURLs [3]string
	Timeline []entry
	Ladder   []rung
	Policy   string
	Given    string // who assigned it
	MayMute  bool
	Standing int
	Joined   []memberRow
	Before   []pastIncident
	CanPush  bool // there is a further level
}

// known is what a probe saw: the cause box, only when there is something to say.
type known struct {
	Say      string
	At       string
	Evidence []string
}

// memberRow is an alarm that belongs to the incident beside its root.
type memberRow struct {
	Shape   shape
	Name    string
	URL     string
	Why     string
	Cleared string
}

func (s *Server) incident(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return store.ErrNotFound
	}
	in, err := s.cfg.Store.Incident(v.ctx(), v.scope(), id)
	if err != nil {
		return err
	}
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	members, err := s.cfg.Store.Alarms(v.ctx(), v.scope(), store.AlarmFilter{Incident: id})
	if err != nil {
		return err
	}
	body := incidentBody{incidentRow: s.incidentRow(v, w, &in), Live: in.State.Live(), Where: v.where(w.inv, in.Ref), Hurts: v.byKind(w.joined(&in)), Policy: in.Policy.Name}
	body.Object = s.item(v, w, in.Ref, s.glance(v, w, in.Ref))
	s.describeState(v, &in, &body)
	s.addMembers(v, &in, members, &body)
	body.Chart = s.incidentChart(v, w, &in)
	if err := s.addTimeline(v, &in, members, &body); err != nil {
		return err
	}
	if body.Before, err = s.before(v, &in); err != nil {
		return err
	}
	f := s.framed(v, w, "incident", "alarms", body.Title)
	f.Chart, f.Body = true, body
	return s.show(v, 200, f)
}

// describeState says where the incident stands, in words.
func (s *Server) describeState(v *visit, in *alerting.Incident, body *incidentBody) {
	switch in.State {
	case alerting.Open:
		body.State = v.t("state.open")
		if body.Quiet != nil {
			body.State = v.t("state.quiet", body.Quiet.What, body.Quiet.Until)
		}
	case alerting.Acknowledged:
		body.State = v.t("state.owned", body.Owner, body.Until)
		if in.Ack != nil && in.Ack.From != "" {
			body.Given = v.t("state.given", in.Ack.From, v.brief(in.Ack.At))
		}
	case alerting.Resolved:
		body.State = v.t("state.resolved")
		body.Shape = v.shapeOf(alerting.None, false)
	case alerting.Merged:
		body.State, body.Merged, body.MergedID = v.t("state.merged", in.MergedInto), incidentURL(in.MergedInto), in.MergedInto
		body.Shape = v.shapeOf(alerting.None, false)
	}
	if !in.ResolvedAt.IsZero() {
		body.Ended, body.Lasted = v.moment(in.ResolvedAt), v.span(in.ResolvedAt.Sub(in.OpenedAt))
	}
	body.MayMute = v.scope().All()
	body.CanPush = in.State.Live() && in.Escalation.Next < len(in.Policy.Levels)
}

// where is the place of an object, with a link's other end.
func (s *speaker) where(inv *inventory.Inventory, ref inventory.Ref) string {
	site := inv.SiteOf(ref)
	if l := inv.Link(ref.Name); ref.Kind == inventory.KindLink && l != nil && l.Peer != "" {
		return strings.Trim(site+" – "+l.Peer, " –")
	}
	return site
}

// addMembers splits the alarms into the root, of which the probe's words are told, and what joined it.
func (s *Server) addMembers(v *visit, in *alerting.Incident, members []alerting.Alarm, body *incidentBody) {
	var standing, cleared []memberRow
	for i := range members {
		a := &members[i]
		if a.ID == in.Root {
			body.Known = s.known(v, a)
			continue
		}
		m := memberRow{Shape: v.shapeOf(a.Severity, a.State == alerting.Stale), Name: v.object(a.Series.Ref), URL: pageOf(a.Series.Ref), Why: s.alarmWhy(v, a)}
		if a.State.Active() {
			standing = append(standing, m)
			continue
		}
		m.Shape, m.Cleared = v.shapeOf(alerting.None, false), v.t("incident.cleared", v.brief(a.ClearedAt))
		cleared = append(cleared, m)
	}
	body.Standing = len(standing)
	body.Joined = append(standing, cleared...)
}

// mostEvidence is how many lines stand under a cause.
const mostEvidence = 3

// known is what the probe saw when the alarm was raised, and the steps of the last failed run.
func (s *Server) known(v *visit, a *alerting.Alarm) *known {
	k := &known{Say: collectors.Capitalise(v.reason(a.Reason)), At: v.clock(a.ValueAt)}
	runs := s.cfg.Runs.LastFailures(a.Series.Check(), 1)
	if len(runs) > 0 && !runs[0].At.Before(a.PendingAt.Add(-time.Minute)) {
		why := v.reason(runs[0].Result.Why)
		if k.Say == "" {
			k.Say, k.At = collectors.Capitalise(why), v.clock(runs[0].At)
		}
		for _, step := range runs[0].Result.Steps {
			if text := v.reason(step); text != why && len(k.Evidence) < mostEvidence {
				k.Evidence = append(k.Evidence, text)
			}
		}
	}
	if k.Say == "" || a.State == alerting.Stale {
		return nil
	}
	return k
}

// incidentChart is the root's series from a while before the incident until now, or until a while after its end.
func (s *Server) incidentChart(v *visit, w *world, in *alerting.Incident) *chart {
	series := s.telling(v, in.Series)
	if series.Metric == "" {
		series = in.Series // it has never answered: yes and no is all there is
	}
	r, ok := s.reading(v, series)
	if !ok {
		return nil
	}
	span := timeRange{From: in.OpenedAt.Add(-30 * time.Minute), To: v.now, Live: in.State.Live()}
	if !in.ResolvedAt.IsZero() {
		span.To = in.ResolvedAt.Add(15 * time.Minute)
		if span.To.After(v.now) {
			span.To = v.now
		}
	}
	if lead := span.To.Sub(in.OpenedAt) / 3; lead > 30*time.Minute {
		span.From = in.OpenedAt.Add(-lead)
	}
	span.From = s.notBefore(span.From, span.To)
	c := s.chart(v, w, r, span, false)
	return &c
}

// before lists incidents of the same series that are over.
func (s *Server) before(v *visit, in *alerting.Incident) ([]pastIncident, error) {
	over := false
	list, err := s.cfg.Store.Incidents(v.ctx(), v.scope(), store.IncidentFilter{Live: &over, Ref: in.Ref, BeforeID: in.ID, Since: v.now.Add(-90 * 24 * time.Hour), Limit: 50})
	if err != nil {
		return nil, err
	}
	var same []alerting.Incident
	for _, one := range list {
		if one.Series.Ref == in.Series.Ref && one.Series.Metric == in.Series.Metric {
			same = append(same, one)
		}
	}
	return v.past(same, 5), nil
}
