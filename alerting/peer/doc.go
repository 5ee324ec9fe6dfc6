// Package peer is the other side of a receiver that is spoken to over HTTP: how it is dialled, what its answer means, and what of all this
// may be shown. Kinds of receivers share it; it knows none of them.
//
// # What it never does
//
// It follows no redirect, uses no proxy of the environment, and dials no link-local (cloud metadata), multicast or unspecified address,
// whatever name stands for it. No error and no outcome holds a secret that it was given, nor an address that was posted to.
//
// # What an answer means
//
//	2xx                   accepted
//	408, 425, 429, 5xx    to be tried again, after Retry-After (seconds or a date, at most a day) when there is one
//	3xx and the rest      refused for good (alerting.ErrPermanent)
//
// What goes wrong on the way (no connection, no answer in time) is to be tried again, but for an address that is never dialled.
package peer
