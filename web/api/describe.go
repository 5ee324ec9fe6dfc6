package api

import (
	"context"

	"vigia/collectors"
	"vigia/store"
)

// Describe tells one incident with its timeline exactly as GET /api/v1/incidents/{id} does, for the command line. The error is
// store.ErrNotFound when there is none.
func Describe(ctx context.Context, cfg Config, lang collectors.Lang, id int64) (IncidentDetail, error) {
	s := &server{Config: cfg, started: cfg.Now()}
	who := Caller{Name: builtIn, Role: Operator, Scope: store.Everything(), Lang: lang}
	return getIncident(s, ctx, who, &incidentInput{ID: id})
}
