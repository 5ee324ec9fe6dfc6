package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vigia/alerting"
	"vigia/collectors"
)

// waitFor is how long a decision's request waits for the engine's answer.
const waitFor = 2 * time.Second

// Decision is what became of a command.
type Decision struct {
	Command  string    `json:"command" doc:"The command's id."`
	State    string    `json:"state" enum:"done,waiting" doc:"waiting: the engine has not answered within two seconds; it will. Ask for the incident, or send the same again with the same Idempotency-Key."`
	Incident *Incident `json:"incident,omitempty" doc:"The incident as it stands now."`
	Mute     *Mute     `json:"mute,omitempty" doc:"The silence or maintenance as it stands now."`
}

// decided is the answer to a decision: 200 when it is done, 202 while it waits.
type decided struct {
	Status int
	Body   Decision
}

// DecisionInput is what every decision has. It is exported because huma finds parameters only in exported embedded structs.
type DecisionInput struct {
	asked
	ID  int64  `path:"id" minimum:"1" doc:"The incident."`
	Key string `header:"Idempotency-Key" maxLength:"100" doc:"Chosen by you: the same decision on the same incident with the same key is one, however often it is sent."`
}

type noteBody struct {
	Note string `json:"note,omitempty" maxLength:"2000" doc:"For whoever reads the timeline."`
}

type acknowledgeInput struct {
	DecisionInput
	Body struct {
		Note  string    `json:"note,omitempty" maxLength:"2000" doc:"For whoever reads the timeline."`
		Until time.Time `json:"until,omitempty" doc:"When it expires, RFC 3339; not together with for."`
		For   float64   `json:"for,omitempty" exclusiveMinimum:"0" maximum:"31536000" doc:"How long it holds, seconds. Without both: as long as the policy says."`
	}
}

type assignInput struct {
	DecisionInput
	Body struct {
		Assignee string    `json:"assignee" minLength:"1" maxLength:"100" doc:"Who has it from now on."`
		Note     string    `json:"note,omitempty" maxLength:"2000" doc:"For whoever reads the timeline."`
		Until    time.Time `json:"until,omitempty" doc:"When it expires, RFC 3339; not together with for."`
		For      float64   `json:"for,omitempty" exclusiveMinimum:"0" maximum:"31536000" doc:"How long it holds, seconds. Without both: as long as the policy says."`
	}
}

type noteInput struct {
	DecisionInput
	Body noteBody
}

type commentInput struct {
	DecisionInput
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"2000"`
	}
}

func acknowledge(s *server, ctx context.Context, who Caller, in *acknowledgeInput) (*decided, error) {
	until, err := s.end(in.Body.Until, in.Body.For)
	if err != nil {
		return nil, err
	}
	return s.decide(ctx, who, &in.DecisionInput, alerting.Command{Kind: alerting.CommandAcknowledge, Note: in.Body.Note, Until: until})
}

func assign(s *server, ctx context.Context, who Caller, in *assignInput) (*decided, error) {
	until, err := s.end(in.Body.Until, in.Body.For)
	if err != nil {
		return nil, err
	}
	return s.decide(ctx, who, &in.DecisionInput, alerting.Command{
		Kind: alerting.CommandAssign, Assignee: in.Body.Assignee, Note: in.Body.Note, Until: until,
	})
}

func snooze(s *server, ctx context.Context, who Caller, in *acknowledgeInput) (*decided, error) {
	until, err := s.end(in.Body.Until, in.Body.For)
	if err != nil {
		return nil, err
	}
	if until.IsZero() {
		return nil, badBody("until", "say until when: until or for", nil)
	}
	return s.decide(ctx, who, &in.DecisionInput, alerting.Command{Kind: alerting.CommandSnooze, Note: in.Body.Note, Until: until})
}

// end is when a decision expires: at an instant or after some seconds; zero for neither.
func (s *server) end(until time.Time, after float64) (time.Time, error) {
	switch {
	case after > 0 && !until.IsZero():
		return until, badBody("for", "give until or for, not both", after)
	case after > 0:
		return s.Now().Add(time.Duration(after * float64(time.Second))), nil
	case !until.IsZero() && !until.After(s.Now()):
		return until, badBody("until", "until must lie ahead", until.Format(time.RFC3339))
	}
	return until, nil
}

func unacknowledge(s *server, ctx context.Context, who Caller, in *noteInput) (*decided, error) {
	return s.decide(ctx, who, &in.DecisionInput, alerting.Command{Kind: alerting.CommandUnacknowledge, Note: in.Body.Note})
}

func comment(s *server, ctx context.Context, who Caller, in *commentInput) (*decided, error) {
	return s.decide(ctx, who, &in.DecisionInput, alerting.Command{Kind: alerting.CommandComment, Note: in.Body.Note})
}

func escalate(s *server, ctx context.Context, who Caller, in *noteInput) (*decided, error) {
	return s.decide(ctx, who, &in.DecisionInput, alerting.Command{Kind: alerting.CommandEscalate, Note: in.Body.Note})
}

// badBody is a field of the body that cannot be right.
func badBody(field, why string, value any) error {
	return huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Location: "body." + field, Message: why, Value: value})
}

// decide posts a command about an incident that the caller may see and waits for the engine's answer.
func (s *server) decide(ctx context.Context, who Caller, in *DecisionInput, c alerting.Command) (*decided, error) {
	if _, err := s.Store.Incident(ctx, who.Scope, in.ID); err != nil {
		return nil, err
	}
	c.IncidentID = in.ID
	c.ID = commandID(who, in, c.Kind)
	_, done, err := s.order(ctx, who, c)
	if err != nil || !done {
		return waiting(c.ID), err
	}
	now, err := s.Store.Incident(ctx, who.Scope, in.ID)
	if err != nil {
		return nil, err
	}
	shown := s.incident(who.Lang, now)
	return &decided{Status: http.StatusOK, Body: Decision{Command: c.ID, State: "done", Incident: &shown}}, nil
}

// order posts a command and waits for the engine's answer; done is false when that takes longer than waitFor.
func (s *server) order(ctx context.Context, who Caller, c alerting.Command) (result alerting.CommandResult, done bool, err error) {
	c.Actor, c.CreatedAt = who.Name, s.Now().UTC()
	if err := s.Store.PostCommand(ctx, c); err != nil {
		return result, false, err
	}
	wait, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	result, err = s.Store.AwaitCommand(wait, c.ID)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return result, false, nil
	case err != nil:
		return result, false, err
	case !result.OK:
		return result, false, s.refused(who.Lang, result)
	}
	return result, true, nil
}

// waiting is the answer while the engine has not answered yet.
func waiting(command string) *decided {
	return &decided{Status: http.StatusAccepted, Body: Decision{Command: command, State: "waiting"}}
}

// commandID makes the id of a command. With a key it is the same for the same caller, incident and kind of decision.
func commandID(who Caller, in *DecisionInput, kind alerting.CommandKind) string {
	if in.Key == "" {
		return "api/" + rand.Text()
	}
	return fmt.Sprintf("api/%s/%d/%s/%s", who.Name, in.ID, kind, in.Key)
}

// refused is the engine's no, in its own words.
func (s *server) refused(lang collectors.Lang, r alerting.CommandResult) error {
	return huma.Error409Conflict(s.Words.Say(lang, r.Reason), &huma.ErrorDetail{Location: "command", Message: r.Reason.Code, Value: r.ID})
}

func incidentPath(id int64) string { return "/incidents/" + strconv.FormatInt(id, 10) }
