package api

import (
	"context"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
)

// Incident is what people work on.
type Incident struct {
	ID         int64       `json:"id"`
	State      string      `json:"state" enum:"open,acknowledged,resolved,merged"`
	Severity   string      `json:"severity" enum:"none,indeterminate,warning,minor,major,critical" doc:"The worst of its alarms now; the worst there was once it is over."`
	Worst      string      `json:"worst_severity" enum:"none,indeterminate,warning,minor,major,critical"`
	Ref        string      `json:"ref" doc:"What it is about." example:"link/sjo-mia"`
	Site       string      `json:"site"`
	Series     SeriesName  `json:"series" doc:"The series of its root alarm."`
	Title      *Phrase     `json:"title,omitempty" doc:"What happened."`
	OpenedAt   *time.Time  `json:"opened_at"`
	ResolvedAt *time.Time  `json:"resolved_at" doc:"null while it lives."`
	MergedInto *int64      `json:"merged_into" doc:"The incident that it joined; null otherwise."`
	Owner      *Owner      `json:"acknowledgement,omitempty" doc:"Who has it; absent while nobody does."`
	Escalation *Escalation `json:"escalation,omitempty" doc:"What comes next; absent when nothing does."`
	Muted      *Muted      `json:"muted,omitempty" doc:"Why nobody is told for now; absent when nothing keeps it quiet."`
	Policy     string      `json:"policy"`
	Told       []string    `json:"told" nullable:"false" doc:"Receivers that were told."`
	URL        string      `json:"url,omitempty" doc:"Its page, when Vigía has a public address."`
}

// Owner is who has an incident.
type Owner struct {
	By    string     `json:"by"`
	Note  string     `json:"note"`
	At    *time.Time `json:"at"`
	Until *time.Time `json:"until" doc:"When it expires; null: when the incident is resolved."`
	From  string     `json:"assigned_by,omitempty" doc:"Who gave it to them; absent when they took it."`
	Off   bool       `json:"snoozed,omitempty" doc:"They have only put it off until then."`
}

// Muted is what keeps an incident from paging.
type Muted struct {
	Mute   int64      `json:"mute" doc:"The silence or maintenance."`
	Kind   string     `json:"kind" enum:"silence,maintenance"`
	By     string     `json:"by"`
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until"`
}

// Escalation is what comes next, and when.
type Escalation struct {
	Level  int        `json:"level" doc:"The level that is told next, 1 for the first."`
	Name   string     `json:"name" example:"NOC L2"`
	At     *time.Time `json:"at"`
	InS    float64    `json:"in_s" doc:"Seconds from now; negative when it is overdue."`
	Notify []string   `json:"notify" nullable:"false" doc:"The receivers of that level; oncall:ROTATION and person:NAME stand for those of people."`
	Again  bool       `json:"again" doc:"The level has been told before: this is its repeat."`
}

// Event is one line of the timeline.
type Event struct {
	ID       int64      `json:"id" doc:"Grows over all incidents."`
	At       *time.Time `json:"at"`
	Kind     string     `json:"kind" example:"acknowledged"`
	Actor    string     `json:"actor" doc:"The person; empty when Vigía itself did it."`
	Alarm    *int64     `json:"alarm"`
	Severity string     `json:"severity"`
	Text     *Phrase    `json:"text,omitempty"`
	Note     string     `json:"note" doc:"The person's own words."`
	Keys     []string   `json:"notifications" nullable:"false" doc:"Keys of the notifications that it caused."`
}

// Notification is the duty to tell one receiver one thing once.
type Notification struct {
	Key        string     `json:"key" doc:"Stable; it travels out (Message-ID, Idempotency-Key)."`
	Receiver   string     `json:"receiver"`
	Level      int        `json:"level" doc:"0 when it is none of the policy's levels."`
	Cause      string     `json:"cause" example:"escalated"`
	Severity   string     `json:"severity"`
	State      string     `json:"state" enum:"pending,leased,sent,given_up,superseded" doc:"Sent means that the receiver's side accepted it: not that it was read."`
	CreatedAt  *time.Time `json:"created_at"`
	SettledAt  *time.Time `json:"settled_at"`
	NextAt     *time.Time `json:"next_attempt_at" doc:"When it is tried (again); null when it is not."`
	Deliveries []Delivery `json:"deliveries" nullable:"false"`
}

// Delivery is one attempt.
type Delivery struct {
	Attempt int        `json:"attempt"`
	At      *time.Time `json:"at"`
	TookS   float64    `json:"took_s"`
	OK      bool       `json:"ok"`
	Outcome string     `json:"outcome" doc:"What is known, in the receiver's own words."`
}

// IncidentDetail is an incident with all that happened.
type IncidentDetail struct {
	Incident
	Alarms        []Alarm        `json:"alarms" nullable:"false"`
	Events        []Event        `json:"events" nullable:"false" doc:"Oldest first."`
	Notifications []Notification `json:"notifications" nullable:"false" doc:"Who was told, oldest first."`
}

// IncidentPage is a page of incidents, newest first.
type IncidentPage struct {
	Incidents []Incident `json:"incidents" nullable:"false"`
	Next      *int64     `json:"next" doc:"Pass it as before to get the next page; null on the last."`
}

type incidentsInput struct {
	asked
	State  string    `query:"state" enum:"live,over,open,acknowledged,resolved,merged" doc:"live: open or acknowledged; over: resolved or merged."`
	Ref    string    `query:"ref" doc:"Only incidents about this object, or with an alarm of it."`
	Since  time.Time `query:"since" doc:"RFC 3339: opened since."`
	Until  time.Time `query:"until" doc:"RFC 3339: opened before."`
	Before int64     `query:"before" minimum:"1" doc:"Only incidents with a smaller id: the next of the page before."`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type incidentInput struct {
	asked
	ID int64 `path:"id" minimum:"1"`
}

func listIncidents(s *server, ctx context.Context, who Caller, in *incidentsInput) (IncidentPage, error) {
	f := store.IncidentFilter{Since: in.Since, Until: in.Until, BeforeID: in.Before, States: statesOf(in.State), Limit: in.Limit + 1}
	if in.Ref != "" {
		ref, err := parseRef("ref", in.Ref)
		if err != nil {
			return IncidentPage{}, err
		}
		f.Ref = ref
	}
	found, err := s.Store.Incidents(ctx, who.Scope, f)
	if err != nil {
		return IncidentPage{}, err
	}
	page := IncidentPage{Incidents: []Incident{}}
	for _, i := range found[:min(len(found), in.Limit)] {
		page.Incidents = append(page.Incidents, s.incident(who.Lang, i))
	}
	if len(found) > in.Limit {
		page.Next = &found[in.Limit-1].ID
	}
	return page, nil
}

// statesOf is what a word of the state filter means; nil: all.
func statesOf(word string) []alerting.IncidentState {
	switch word {
	case "live":
		return []alerting.IncidentState{alerting.Open, alerting.Acknowledged}
	case "over":
		return []alerting.IncidentState{alerting.Resolved, alerting.Merged}
	case "":
		return nil
	}
	var state alerting.IncidentState
	if state.UnmarshalText([]byte(word)) != nil {
		return nil // the enum of the parameter lets no other word through
	}
	return []alerting.IncidentState{state}
}

func getIncident(s *server, ctx context.Context, who Caller, in *incidentInput) (IncidentDetail, error) {
	found, err := s.Store.Incident(ctx, who.Scope, in.ID)
	if err != nil {
		return IncidentDetail{}, err
	}
	out := IncidentDetail{Incident: s.incident(who.Lang, found), Alarms: []Alarm{}, Events: []Event{}, Notifications: []Notification{}}
	alarms, err := s.Store.Alarms(ctx, who.Scope, store.AlarmFilter{Incident: in.ID})
	if err != nil {
		return IncidentDetail{}, err
	}
	for _, a := range alarms {
		out.Alarms = append(out.Alarms, s.alarm(who.Lang, a))
	}
	events, err := s.Store.Events(ctx, who.Scope, store.EventFilter{Incident: in.ID, Limit: 5000})
	if err != nil {
		return IncidentDetail{}, err
	}
	for _, e := range events {
		out.Events = append(out.Events, s.event(who.Lang, e))
	}
	told, err := s.Store.Notifications(ctx, who.Scope, in.ID)
	if err != nil {
		return IncidentDetail{}, err
	}
	for _, n := range told {
		out.Notifications = append(out.Notifications, notificationOf(n))
	}
	return out, nil
}

func (s *server) incident(lang collectors.Lang, i alerting.Incident) Incident {
	out := Incident{
		ID: i.ID, State: i.State.String(), Severity: severity(i.Severity), Worst: severity(i.Worst), Ref: i.Ref.String(),
		Site: s.Inventory().SiteOf(i.Ref), Series: seriesName(i.Series), Title: s.phrase(lang, i.Title),
		OpenedAt: instant(i.OpenedAt), ResolvedAt: instant(i.ResolvedAt), Policy: i.Policy.Name, Told: list(i.Told),
		Escalation: nextStep(i, s.Now()), URL: s.link(incidentPath(i.ID)),
	}
	if i.MergedInto != 0 {
		out.MergedInto = &i.MergedInto
	}
	if i.Ack != nil && i.State == alerting.Acknowledged {
		out.Owner = &Owner{By: i.Ack.By, Note: i.Ack.Note, At: instant(i.Ack.At), Until: instant(i.Ack.Until), From: i.Ack.From, Off: i.Ack.Snoozed}
	}
	if m := i.Muted; m != nil && i.State.Live() {
		out.Muted = &Muted{Mute: m.Mute, Kind: string(m.Kind), By: m.By, Reason: m.Reason, Until: instant(m.Until)}
	}
	return out
}

// nextStep is the earlier of the next level and the next repeat; nil when an incident waits for neither.
func nextStep(i alerting.Incident, now time.Time) *Escalation {
	if i.State != alerting.Open || i.Muted != nil {
		return nil
	}
	level, at, again := i.Escalation.Next, i.Escalation.NextAt, false
	for _, r := range i.Escalation.Repeat {
		if !r.At.IsZero() && (at.IsZero() || r.At.Before(at) || level >= len(i.Policy.Levels)) {
			level, at, again = r.Level, r.At, true
		}
	}
	if at.IsZero() || level < 0 || level >= len(i.Policy.Levels) {
		return nil
	}
	l := i.Policy.Levels[level]
	return &Escalation{Level: level + 1, Name: l.Name, At: instant(at), InS: seconds(at.Sub(now)), Notify: list(l.Notify), Again: again}
}

func (s *server) event(lang collectors.Lang, e alerting.Event) Event {
	out := Event{
		ID: e.ID, At: instant(e.At), Kind: string(e.Kind), Actor: e.Actor, Severity: severity(e.Severity),
		Text: s.phrase(lang, e.Text), Note: e.Note, Keys: list(e.Keys),
	}
	if e.AlarmID != 0 {
		out.Alarm = &e.AlarmID
	}
	return out
}

func notificationOf(n store.NotificationView) Notification {
	out := Notification{
		Key: n.Key, Receiver: n.Receiver, Level: n.Level, Cause: string(n.Cause), Severity: severity(n.Severity), State: string(n.State),
		CreatedAt: instant(n.CreatedAt), SettledAt: instant(n.SettledAt), NextAt: instant(n.NextAt), Deliveries: []Delivery{},
	}
	for _, d := range n.Deliveries {
		out.Deliveries = append(out.Deliveries, Delivery{Attempt: d.Attempt, At: instant(d.At), TookS: seconds(d.Took), OK: d.OK, Outcome: d.Outcome})
	}
	return out
}
