package api

import (
	"context"
	"time"

	"vigia/collectors"
)

// RunLine is one run of a check.
type RunLine struct {
	Check     string    `json:"check" doc:"The check's name." example:"ping"`
	Kind      string    `json:"kind" example:"ping"`
	At        time.Time `json:"at" doc:"When it started."`
	TookS     float64   `json:"took_s"`
	LateS     float64   `json:"late_s" doc:"How long after its slot it started, seconds."`
	OK        bool      `json:"ok" doc:"false: the target is not well, or the run could not be done."`
	Confirm   bool      `json:"confirm" doc:"An immediate probe that the engine asked for, to be sure."`
	Discarded int       `json:"discarded" doc:"How many figures were measured and thrown away because they could not be true; the steps say each and why."`
	Why       *Phrase   `json:"why,omitempty" doc:"What was found, or what went wrong."`
	Steps     []Phrase  `json:"steps" nullable:"false" doc:"What happened on the way, in order."`
}

// RunList lists the last runs of an object's checks.
type RunList struct {
	Runs []RunLine `json:"runs" nullable:"false" doc:"Newest first. Failures, and runs that threw something away, are kept longer than successes."`
}

type runsInput struct {
	asked
	Ref   string `query:"ref" required:"true" doc:"kind/name" example:"link/sjo-mia"`
	Check string `query:"check" doc:"Only this check, by name."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"50"`
}

func listRuns(s *server, _ context.Context, who Caller, in *runsInput) (RunList, error) {
	ref, err := parseRef("ref", in.Ref)
	if err != nil {
		return RunList{}, err
	}
	ref, err = s.refOf(who, string(ref.Kind), ref.Name)
	if err != nil {
		return RunList{}, err
	}
	runs := s.Runs.Of(ref, in.Limit)
	if in.Check != "" {
		runs = s.Runs.Last(collectors.CheckID{Ref: ref, Instance: in.Check}, in.Limit)
	}
	out := RunList{Runs: []RunLine{}}
	for _, r := range runs {
		out.Runs = append(out.Runs, s.runLine(who.Lang, r))
	}
	return out, nil
}

func (s *server) runLine(lang collectors.Lang, r collectors.Run) RunLine {
	out := RunLine{
		Check: r.Check.Instance, Kind: r.Kind, At: r.At.UTC(), TookS: seconds(r.Took), LateS: seconds(r.Late), OK: r.Result.OK,
		Confirm: r.Confirm, Discarded: r.Result.Discarded, Why: s.phrase(lang, r.Result.Why), Steps: []Phrase{},
	}
	for _, step := range r.Result.Steps {
		if p := s.phrase(lang, step); p != nil {
			out.Steps = append(out.Steps, *p)
		}
	}
	return out
}
