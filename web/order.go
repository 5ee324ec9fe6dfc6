package web

import (
	"context"
	"errors"
	"net/http"

	"vigia/alerting"
)

// command is order for who needs no more than the refusal: why it was refused; nothing when it was done, or will be.
func (s *Server) command(v *visit, c alerting.Command) (refused string, err error) {
	result, err := s.order(v, c)
	if err != nil || result.OK {
		return "", err
	}
	return v.reason(result.Reason), nil
}

// order posts a command and waits for the engine's answer. One that waits longer than a person does is stored and will be planned: it is as
// good as done, and has made nothing yet.
func (s *Server) order(v *visit, c alerting.Command) (alerting.CommandResult, error) {
	c.Actor, c.CreatedAt = v.caller.Name, v.now.UTC()
	if err := s.cfg.Store.PostCommand(v.ctx(), c); err != nil {
		return alerting.CommandResult{}, err
	}
	ctx, cancel := context.WithTimeout(v.ctx(), waitFor)
	defer cancel()
	result, err := s.cfg.Store.AwaitCommand(ctx, c.ID)
	if errors.Is(err, context.DeadlineExceeded) {
		return alerting.CommandResult{ID: c.ID, OK: true}, nil
	}
	return result, err
}

// done says what an act did: to the scripts by a trigger, without them by the page where the result stands.
func (s *Server) done(v *visit, say, undo, page string) error {
	if v.scripted() {
		v.w.Header().Set("HX-Trigger", trigger("vigia:done", say, undo))
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.r, page, http.StatusSeeOther)
	return nil
}

// simple carries out a command that needs no dialog.
func (s *Server) simple(v *visit, kind alerting.CommandKind, say string) error {
	in, err := s.incidentOfPath(v)
	if err != nil {
		return err
	}
	if err := v.readForm(); err != nil {
		return err
	}
	refused, err := s.command(v, alerting.Command{ID: commandID(v.r.PostForm.Get("id"), 0), Kind: kind, IncidentID: in.ID, Note: v.note()})
	if err != nil {
		return err
	}
	if refused != "" {
		return s.refuse(v, refused, incidentURL(in.ID))
	}
	return s.done(v, v.t(say), "", incidentURL(in.ID))
}

// refuse says why an act was not done.
func (s *Server) refuse(v *visit, why, page string) error {
	if v.scripted() {
		v.w.Header().Set("HX-Trigger", trigger("vigia:failed", why, ""))
		http.Error(v.w, why, http.StatusConflict)
		return nil
	}
	f := s.frame(v, "error", "", v.t("refused.head"))
	f.Bare, f.Body = true, errorBody{Head: v.t("done.not"), Why: why, Path: page}
	return s.show(v, http.StatusConflict, f)
}

// errForm is a form that cannot be read: too long, or not one.
type errForm struct{ cause error }

// Error says what is wrong with it.
func (e errForm) Error() string { return "read the form: " + e.cause.Error() }

// status is the answer's: 413 when it is too long, else 400.
func (e errForm) status() int {
	var long *http.MaxBytesError
	if errors.As(e.cause, &long) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// readForm reads a form of bounded size; its error is an errForm.
func (v *visit) readForm() error {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return errForm{err}
	}
	return nil
}
