// Package api is Vigía's REST API, version 1: what other programs may ask and decide over HTTP, under /api/v1.
//
// It is described by an OpenAPI 3.1 document at /api/v1/openapi.json, a copy of which is committed as docs/openapi.json; a test compares
// the two. Errors are problem details (RFC 9457, application/problem+json).
//
// What it promises:
//
//   - Field names are snake_case and stay. Times are RFC 3339 in UTC. Durations are seconds in fields that end in _s (and "for", in
//     seconds too). States and severities are words. An object is named kind/name, such as link/sjo-mia.
//   - What was not measured is null or absent, never 0. A point of a series exists only where there were samples; what lies between is
//     listed under gaps.
//   - A query parameter that the operation does not know is refused with 422, so that a misspelt filter never returns everything.
//   - Sentences are said in English, or in Spanish when Accept-Language prefers it, and come with their code and arguments.
//   - A decision (acknowledge, unacknowledge, comment, escalate) is a command: it is written down, the engine plans it, and the answer is
//     the engine's own, for which the request waits two seconds at most (202 when it takes longer). With an Idempotency-Key the same
//     decision twice is one; the answer is then that of the first.
//
// Every operation stands in one table (operations.go) with its policy, role × scope, and passes one wrapper, which finds out who asks
// before anything of the request is read. An operation without a policy lets nobody in. Until there are users, whoever asks over the
// loopback interface is the built-in operator, and nobody else is let in.
//
// Chart serves the same data in the compact form that the pages' charts draw: /data/chart. It is no part of the API and may change.
package api
