package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"vigia/store"
)

// operation is one line of the table: what it is, who may call it, and what answers.
type operation struct {
	huma.Operation
	policy   Policy
	register func(*server, huma.API)
}

// input is what an operation gets: a struct that embeds asked.
type input[T any] interface {
	*T
	who() Caller
}

// answer is what an operation returns.
type answer[T any] struct{ Body T }

// reading is an operation that changes nothing.
func reading[I any, P input[I], O any](id, path, tag, summary string, p Policy, h func(*server, context.Context, Caller, *I) (O, error)) operation {
	return answering[I, P, O](id, http.MethodGet, path, tag, summary, p, h)
}

// asking is an operation that changes nothing and whose question is a body.
func asking[I any, P input[I], O any](id, path, tag, summary string, p Policy, h func(*server, context.Context, Caller, *I) (O, error)) operation {
	return answering[I, P, O](id, http.MethodPost, path, tag, summary, p, h)
}

func answering[I any, P input[I], O any](id, method, path, tag, summary string, p Policy, h func(*server, context.Context, Caller, *I) (O, error)) operation {
	op := huma.Operation{
		OperationID: id, Method: method, Path: Prefix + path, Tags: []string{tag}, Summary: summary, MaxBodyBytes: maxBody, DefaultStatus: http.StatusOK,
		Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	return operation{Operation: op, policy: p, register: func(s *server, api huma.API) {
		op.Middlewares = huma.Middlewares{admit(api, p)}
		huma.Register(api, op, func(ctx context.Context, in *I) (*answer[O], error) {
			out, err := h(s, ctx, P(in).who(), in)
			if err != nil {
				return nil, s.problem(ctx, op.OperationID, err)
			}
			return &answer[O]{Body: out}, nil
		})
	}}
}

// deciding is an operation that posts a command.
func deciding[I any, P input[I]](id, tag, path, summary, about string, p Policy, h func(*server, context.Context, Caller, *I) (*decided, error)) operation {
	op := huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: Prefix + path, Tags: []string{tag}, Summary: summary, Description: about,
		MaxBodyBytes:  maxBody,
		DefaultStatus: http.StatusOK,
		Errors:        []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	return operation{Operation: op, policy: p, register: func(s *server, api huma.API) {
		op.Middlewares = huma.Middlewares{admit(api, p)}
		huma.Register(api, op, func(ctx context.Context, in *I) (*decided, error) {
			out, err := h(s, ctx, P(in).who(), in)
			if err != nil {
				return nil, s.problem(ctx, op.OperationID, err)
			}
			return out, nil
		})
	}}
}

// problem turns an error into what the caller is told. What the caller cannot mend is logged here and told without details.
func (s *server) problem(ctx context.Context, operation string, err error) error {
	var told huma.StatusError
	switch {
	case errors.As(err, &told):
		return told
	case errors.Is(err, store.ErrNotFound):
		return huma.Error404NotFound("There is nothing of that name or number.")
	case ctx.Err() != nil:
		return huma.NewError(499, "The request was given up.")
	}
	s.Logger.Error("api", "operation", operation, "error", err)
	return huma.Error503ServiceUnavailable("The store did not answer. What is measured is kept; ask again in a few seconds.")
}

// noSuchPath answers a path that no operation has.
func noSuchPath(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, http.StatusNotFound, "The API has no such path. Its operations are listed at "+Prefix+"/openapi.json.")
}

// noSuchMethod answers a method that a path does not have.
func noSuchMethod(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, http.StatusMethodNotAllowed, "This path does not know the method "+r.Method+".")
}

// writeProblem writes problem details (RFC 9457).
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that has gone is no error of ours.
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}
