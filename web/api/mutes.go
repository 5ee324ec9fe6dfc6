package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// Mute is a silence or a maintenance.
type Mute struct {
	ID          int64       `json:"id"`
	Kind        string      `json:"kind" enum:"silence,maintenance"`
	On          []string    `json:"on" nullable:"false" doc:"Objects and patterns."`
	Metric      string      `json:"metric,omitempty" doc:"Only alarms of this metric; absent: of every one."`
	Below       bool        `json:"below" doc:"It covers what depends on these objects too."`
	Author      string      `json:"author"`
	Reason      string      `json:"reason"`
	From        *time.Time  `json:"from"`
	Until       *time.Time  `json:"until" doc:"null: it comes again and again without an end."`
	Recur       *Recurrence `json:"recur,omitempty"`
	CreatedAt   *time.Time  `json:"created_at"`
	CancelledAt *time.Time  `json:"cancelled_at" doc:"null while nobody has ended it."`
	CancelledBy string      `json:"cancelled_by,omitempty"`
	State       string      `json:"state" enum:"on,coming,over"`
	Next        *time.Time  `json:"next" doc:"When it turns on or off next; null when it does not."`
}

// Recurrence says when the windows of a maintenance begin, by the wall clock of its zone.
type Recurrence struct {
	Days []string `json:"days,omitempty" nullable:"false" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" doc:"Absent: every day."`
	Nth  int      `json:"nth,omitempty" minimum:"-1" maximum:"5" doc:"0: every week; 1 to 5: the nth such day of a month; -1: the last."`
	At   string   `json:"at" pattern:"^[0-2][0-9]:[0-5][0-9]$" example:"02:30"`
	ForS float64  `json:"for_s" exclusiveMinimum:"0" maximum:"86400" doc:"How long a window lasts, seconds."`
	Zone string   `json:"zone" example:"America/Costa_Rica" maxLength:"100"`
}

// MuteList lists silences and maintenance, the newest first.
type MuteList struct {
	Mutes []Mute `json:"mutes" nullable:"false"`
	More  bool   `json:"more" doc:"There are more than limit."`
}

// MuteCover is what a silence or maintenance would cover.
type MuteCover struct {
	Objects   []string `json:"objects" nullable:"false"`
	Of        int      `json:"of" doc:"How many objects there are."`
	Empty     []string `json:"empty" nullable:"false" doc:"Patterns that select nothing."`
	Alarms    []int64  `json:"alarms" nullable:"false" doc:"Standing alarms that it covers."`
	Incidents []int64  `json:"incidents" nullable:"false" doc:"Live incidents that would page nobody."`
	Partly    []int64  `json:"partly" nullable:"false" doc:"Live incidents that page all the same, for an alarm that is not covered."`
}

// muteBody is what somebody asks for.
type muteBody struct {
	Kind   string      `json:"kind" enum:"silence,maintenance"`
	On     []string    `json:"on" nullable:"false" minItems:"1" maxItems:"100" doc:"kind/name, or a pattern in which * stands for any text: link/sjo-*."`
	Metric string      `json:"metric,omitempty" doc:"Only alarms of this metric."`
	Below  bool        `json:"below,omitempty" doc:"And what depends on these objects."`
	Reason string      `json:"reason" minLength:"1" maxLength:"2000"`
	From   time.Time   `json:"from,omitempty" doc:"RFC 3339; absent: now."`
	Until  time.Time   `json:"until,omitempty" doc:"RFC 3339. Without recur, until or for_s is needed."`
	ForS   float64     `json:"for_s,omitempty" exclusiveMinimum:"0" maximum:"31536000" doc:"How long it lasts from its beginning, seconds; not together with until."`
	Recur  *Recurrence `json:"recur,omitempty" doc:"Maintenance only."`
}

type mutesInput struct {
	asked
	Kind  string    `query:"kind" enum:"silence,maintenance"`
	State string    `query:"state" enum:"on,coming,over" doc:"Absent: all."`
	Ref   string    `query:"ref" doc:"Only what covers this object, kind/name."`
	Since time.Time `query:"since" doc:"RFC 3339: only what was not over before."`
	Until time.Time `query:"until" doc:"RFC 3339: only what begins before."`
	Limit int       `query:"limit" minimum:"1" maximum:"1000" default:"500"`
}

type muteInput struct {
	asked
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"Chosen by you: the same key makes one, however often it is sent."`
	Body muteBody
}

type previewInput struct {
	asked
	Body struct {
		On     []string `json:"on" nullable:"false" minItems:"1" maxItems:"100"`
		Metric string   `json:"metric,omitempty"`
		Below  bool     `json:"below,omitempty"`
	}
}

type cancelInput struct {
	asked
	ID int64 `path:"id" minimum:"1"`
}

// mayMute lets in who sees everything: what is quiet names objects and people of the operator.
func mayMute(who Caller) error {
	if who.Scope.All() {
		return nil
	}
	return huma.Error403Forbidden("Silences and maintenance are for those who see every customer.")
}

// mostMutes is how many are looked at when states and objects are picked out.
const mostMutes = 5000

func listMutes(s *server, ctx context.Context, who Caller, in *mutesInput) (MuteList, error) {
	if err := mayMute(who); err != nil {
		return MuteList{}, err
	}
	var ref inventory.Ref
	if in.Ref != "" {
		var err error
		if ref, err = parseRef("ref", in.Ref); err != nil {
			return MuteList{}, err
		}
	}
	found, err := s.Store.Mutes(ctx, who.Scope, store.MuteFilter{Kind: alerting.MuteKind(in.Kind), Since: in.Since, Until: in.Until, Limit: mostMutes})
	if err != nil {
		return MuteList{}, err
	}
	out := MuteList{Mutes: []Mute{}}
	for i := range found {
		m := s.mute(&found[i])
		if in.State != "" && m.State != in.State || in.Ref != "" && !found[i].CoversRef(s.Inventory(), ref) {
			continue
		}
		if len(out.Mutes) == in.Limit {
			out.More = true
			break
		}
		out.Mutes = append(out.Mutes, m)
	}
	return out, nil
}

func (s *server) mute(m *alerting.Mute) Mute {
	out := Mute{
		ID: m.ID, Kind: string(m.Kind), On: []string{}, Metric: string(m.Metric), Below: m.Below, Author: m.Author, Reason: m.Reason, From: instant(m.From),
		Until: instant(m.Until), CreatedAt: instant(m.CreatedAt), CancelledAt: instant(m.CancelledAt), CancelledBy: m.CancelledBy,
		State: "over", Next: instant(m.Next(s.Now())),
	}
	for _, p := range m.On {
		out.On = append(out.On, string(p))
	}
	if r := m.Recur; r != nil {
		out.Recur = &Recurrence{Nth: r.Nth, At: r.At, ForS: seconds(r.For), Zone: r.Zone}
		for _, d := range r.Days {
			out.Recur.Days = append(out.Recur.Days, strings.ToLower(d.String()))
		}
	}
	if _, _, on := m.Window(s.Now()); on {
		out.State = "on"
	} else if out.Next != nil {
		out.State = "coming"
	}
	return out
}

func addMute(s *server, ctx context.Context, who Caller, in *muteInput) (*decided, error) {
	if err := mayMute(who); err != nil {
		return nil, err
	}
	m, err := s.wanted(&in.Body)
	if err != nil {
		return nil, err
	}
	id := "api/" + rand.Text()
	if in.Key != "" {
		id = fmt.Sprintf("api/%s/mute/%s", who.Name, in.Key)
	}
	result, done, err := s.order(ctx, who, alerting.Command{ID: id, Kind: alerting.CommandKind(m.Kind), Mute: &m})
	if err != nil || !done {
		return waiting(id), err
	}
	return s.decidedMute(ctx, who, id, result.Made)
}

func cancelMute(s *server, ctx context.Context, who Caller, in *cancelInput) (*decided, error) {
	if err := mayMute(who); err != nil {
		return nil, err
	}
	list, err := s.Store.Mutes(ctx, who.Scope, store.MuteFilter{ID: in.ID})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, store.ErrNotFound
	}
	id := CancelMuteID(in.ID)
	_, done, err := s.order(ctx, who, alerting.Command{ID: id, Kind: alerting.CommandCancelMute, MuteID: in.ID})
	if err != nil || !done {
		return waiting(id), err
	}
	return s.decidedMute(ctx, who, id, in.ID)
}

// CancelMuteID is the id of the command that ends a mute: one for each mute, whoever sends it and however often.
func CancelMuteID(mute int64) string { return "cancel_mute/" + strconv.FormatInt(mute, 10) }

func (s *server) decidedMute(ctx context.Context, who Caller, command string, id int64) (*decided, error) {
	out := &decided{Status: http.StatusOK, Body: Decision{Command: command, State: "done"}}
	list, err := s.Store.Mutes(ctx, who.Scope, store.MuteFilter{ID: id})
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		shown := s.mute(&list[0])
		out.Body.Mute = &shown
	}
	return out, nil
}

func previewMute(s *server, ctx context.Context, who Caller, in *previewInput) (MuteCover, error) {
	if err := mayMute(who); err != nil {
		return MuteCover{}, err
	}
	m, err := covers(in.Body.On, in.Body.Metric, in.Body.Below)
	if err != nil {
		return MuteCover{}, err
	}
	live := true
	incidents, err := s.Store.Incidents(ctx, who.Scope, store.IncidentFilter{Live: &live, Limit: 10_000})
	if err != nil {
		return MuteCover{}, err
	}
	alarms, err := s.Store.Alarms(ctx, who.Scope, store.AlarmFilter{Active: true, Limit: 20_000})
	if err != nil {
		return MuteCover{}, err
	}
	found := Cover(s.Inventory(), &m, incidents, alarms)
	out := MuteCover{Objects: names(found.Objects), Of: found.Of, Empty: []string{}, Alarms: []int64{}, Incidents: []int64{}, Partly: []int64{}}
	for _, p := range found.Empty {
		out.Empty = append(out.Empty, string(p))
	}
	for _, a := range found.Alarms {
		out.Alarms = append(out.Alarms, a.ID)
	}
	for _, i := range found.Incidents {
		out.Incidents = append(out.Incidents, i.ID)
	}
	for _, i := range found.Partly {
		out.Partly = append(out.Partly, i.ID)
	}
	return out, nil
}

// covers makes the part of a mute that says what it is about.
func covers(on []string, metric string, below bool) (alerting.Mute, error) {
	m := alerting.Mute{Metric: collectors.Metric(metric), Below: below}
	for i, p := range on {
		if !IsPattern(p) {
			return m, badBody("on["+strconv.Itoa(i)+"]", "this is no kind/name such as link/sjo-mia, and no pattern such as link/sjo-*", p)
		}
		m.On = append(m.On, inventory.Pattern(p))
	}
	if _, known := collectors.Catalogue[m.Metric]; metric != "" && !known {
		return m, badBody("metric", "there is no such metric", metric)
	}
	return m, nil
}

// wanted makes of a request what the engine is asked for.
func (s *server) wanted(b *muteBody) (alerting.Mute, error) {
	m, err := covers(b.On, b.Metric, b.Below)
	if err != nil {
		return m, err
	}
	m.Kind, m.Reason, m.From, m.Until = alerting.MuteKind(b.Kind), b.Reason, b.From.UTC(), b.Until.UTC()
	if b.From.IsZero() {
		m.From = time.Time{}
	}
	switch {
	case b.ForS > 0 && !b.Until.IsZero():
		return m, badBody("for_s", "give until or for_s, not both", b.ForS)
	case b.ForS > 0:
		from := m.From
		if from.IsZero() {
			from = s.Now()
		}
		m.Until = from.Add(time.Duration(b.ForS * float64(time.Second))).UTC()
	case b.Until.IsZero() && b.Recur == nil:
		return m, badBody("until", "give until, for_s or recur", nil)
	case b.Until.IsZero():
		m.Until = time.Time{}
	}
	if r := b.Recur; r != nil {
		m.Recur = &alerting.Recurrence{Nth: r.Nth, At: r.At, For: time.Duration(r.ForS * float64(time.Second)), Zone: r.Zone}
		for _, name := range r.Days {
			for d := time.Sunday; d <= time.Saturday; d++ {
				if strings.EqualFold(d.String(), name) {
					m.Recur.Days = append(m.Recur.Days, d)
				}
			}
		}
	}
	return m, nil
}
