package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vigia/alerting"
)

const tagOnCall = "oncall"

// mostDays is how far ahead shifts can be asked for.
const mostDays = 92

// OnCall is who is on call when.
type OnCall struct {
	Rotations []RotationState `json:"rotations" nullable:"false"`
	Overrides []Override      `json:"overrides" nullable:"false" doc:"Those that hold and have not ended."`
}

// RotationState is one rotation: who has it now and what comes.
type RotationState struct {
	Name     string  `json:"name"`
	Timezone string  `json:"timezone" doc:"Of its hand-overs."`
	Person   *string `json:"person" doc:"Who is on call now; null: nobody, and otherwise or the policy's fallback is told."`
	Layer    string  `json:"layer,omitempty"`
	Override string  `json:"override,omitempty" doc:"The override by which that is so."`
	Until    *string `json:"until" format:"date-time" doc:"When somebody else takes over; null: not within sixty days."`
	Next     *string `json:"next" doc:"Who does; null: nobody."`

	Otherwise []string `json:"otherwise" nullable:"false" doc:"Receivers that are told while nobody is on call."`
	Shifts    []Shift  `json:"shifts" nullable:"false" doc:"From now on, one after the other without gaps; person null where nobody is on call."`
}

// Shift is a stretch of time with one person on call, or nobody.
type Shift struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Person   *string   `json:"person"`
	Layer    string    `json:"layer,omitempty"`
	Override string    `json:"override,omitempty"`
}

// Override puts a person in the place of whoever would be on call.
type Override struct {
	ID       string    `json:"id"`
	Rotation string    `json:"rotation"`
	Person   string    `json:"person"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Note     string    `json:"note"`
	By       string    `json:"by"`
	At       time.Time `json:"at" doc:"When it was decided. Of two for the same time, the one decided later wins."`
}

type onCallInput struct {
	asked
	Days int `query:"days" minimum:"1" maximum:"92" default:"14" doc:"How many days of shifts."`
}

type overrideInput struct {
	asked
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"Chosen by you: the same decision with the same key is one, however often it is sent."`
	Body struct {
		Rotation string    `json:"rotation" minLength:"1" maxLength:"63"`
		Person   string    `json:"person" minLength:"1" maxLength:"63"`
		From     time.Time `json:"from"`
		To       time.Time `json:"to"`
		Note     string    `json:"note,omitempty" maxLength:"2000"`
	}
}

type cancelOverrideInput struct {
	asked
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"Chosen by you: the same decision with the same key is one, however often it is sent."`
	Body struct {
		ID string `json:"id" minLength:"1" maxLength:"300" doc:"The override's."`
	}
}

// OnCallDecision is what became of a decision about who is on call.
type OnCallDecision struct {
	Command string `json:"command" doc:"The command's id; of an override that was made, it is the override's too."`
	State   string `json:"state" enum:"done,waiting" doc:"waiting: the engine has not answered within two seconds; it will."`
}

type onCallDecided struct {
	Status int
	Body   OnCallDecision
}

const aboutOverride = "The person is on call from one moment to the other, whatever the rotation's layers say. Cancelling one that is running ends it now."

// onCallOperations are the operations about who is on call.
func onCallOperations(look, work Policy) []operation {
	return []operation{
		reading("get-oncall", "/oncall", tagOnCall, "Who is on call, until when, and what comes", look, getOnCall),
		ordering("override-oncall", "/oncall/overrides", "Put somebody on call", aboutOverride, work, makeOverride),
		ordering("cancel-override", "/oncall/overrides/cancel", "Cancel an override", "", work, cancelOverride),
	}
}

// ordering is an operation that posts a command about who is on call.
func ordering[I any, P input[I]](id, path, summary, about string, p Policy, h func(*server, context.Context, Caller, *I) (*onCallDecided, error)) operation {
	op := huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: Prefix + path, Tags: []string{tagOnCall}, Summary: summary, Description: about,
		MaxBodyBytes: maxBody, DefaultStatus: http.StatusOK,
		Errors: []int{http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	return operation{Operation: op, policy: p, register: func(s *server, api huma.API) {
		op.Middlewares = huma.Middlewares{admit(api, p)}
		huma.Register(api, op, func(ctx context.Context, in *I) (*onCallDecided, error) {
			out, err := h(s, ctx, P(in).who(), in)
			if err != nil {
				return nil, s.problem(ctx, op.OperationID, err)
			}
			return out, nil
		})
	}}
}

func getOnCall(s *server, ctx context.Context, _ Caller, in *onCallInput) (OnCall, error) {
	out := OnCall{Rotations: []RotationState{}, Overrides: []Override{}}
	now := s.Now()
	overrides, err := s.Store.OnCallOverrides(ctx, now)
	if err != nil {
		return out, err
	}
	for _, o := range overrides {
		out.Overrides = append(out.Overrides, Override{o.ID, o.Rotation, o.Person, o.From.UTC(), o.To.UTC(), o.Note, o.By, o.At.UTC()})
	}
	var schedule *alerting.Schedule
	if s.Schedule != nil {
		schedule = s.Schedule()
	}
	for _, name := range schedule.Names() {
		out.Rotations = append(out.Rotations, rotationState(schedule.Rotation(name), overrides, now, min(in.Days, mostDays)))
	}
	return out, nil
}

func rotationState(r *alerting.Rotation, overrides []alerting.Override, now time.Time, days int) RotationState {
	at := r.At(now, overrides)
	zone := time.UTC
	if r.Zone != nil {
		zone = r.Zone
	}
	out := RotationState{
		Name: r.Name, Timezone: zone.String(), Person: named(at.Person), Layer: at.Layer, Override: at.Override, Next: named(at.Next), Otherwise: list(r.Otherwise), Shifts: []Shift{},
	}
	if !at.Until.IsZero() {
		until := at.Until.UTC().Format(time.RFC3339)
		out.Until = &until
	}
	for _, s := range r.Shifts(now, now.AddDate(0, 0, days), overrides) {
		out.Shifts = append(out.Shifts, Shift{s.From.UTC(), s.To.UTC(), named(s.Person), s.Layer, s.Override})
	}
	return out
}

// named is a name, or null when there is none.
func named(name string) *string {
	if name == "" {
		return nil
	}
	return &name
}

func makeOverride(s *server, ctx context.Context, who Caller, in *overrideInput) (*onCallDecided, error) {
	b := &in.Body
	switch {
	case !b.To.After(b.From):
		return nil, badBody("to", "to must come after from", b.To.Format(time.RFC3339))
	case !b.To.After(s.Now()):
		return nil, badBody("to", "to must lie ahead", b.To.Format(time.RFC3339))
	}
	return s.orderOnCall(ctx, who, in.Key, alerting.Command{
		Kind: alerting.CommandOverride, Note: b.Note, OnCall: &alerting.OnCallOrder{Rotation: b.Rotation, Person: b.Person, From: b.From.UTC(), To: b.To.UTC()},
	})
}

func cancelOverride(s *server, ctx context.Context, who Caller, in *cancelOverrideInput) (*onCallDecided, error) {
	return s.orderOnCall(ctx, who, in.Key, alerting.Command{Kind: alerting.CommandOverrideCancel, OnCall: &alerting.OnCallOrder{Override: in.Body.ID}})
}

// orderOnCall posts a command about who is on call and waits for the engine's answer.
func (s *server) orderOnCall(ctx context.Context, who Caller, key string, c alerting.Command) (*onCallDecided, error) {
	c.ID = "api/" + rand.Text()
	if key != "" {
		c.ID = fmt.Sprintf("api/%s/%s/%s", who.Name, c.Kind, key)
	}
	_, done, err := s.order(ctx, who, c)
	if err != nil {
		return nil, err
	}
	if !done {
		return &onCallDecided{Status: http.StatusAccepted, Body: OnCallDecision{Command: c.ID, State: "waiting"}}, nil
	}
	return &onCallDecided{Status: http.StatusOK, Body: OnCallDecision{Command: c.ID, State: "done"}}, nil
}
