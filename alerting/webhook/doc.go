// Package webhook tells a program: one POST of JSON for each notification, signed, with a stable Idempotency-Key.
//
// # Configuration
//
//	url      where to post, http or https; its path and query may hold secrets and are never shown
//	secret   the key of the signature; without it there is none
//	headers  more headers, such as Authorization; their values are never shown
//	format   the body's form: vigia (the default) or alertmanager
//
// # The request
//
//	POST /noc HTTP/1.1
//	Content-Type: application/json
//	Idempotency-Key: i2418.l1.duty-hook.opened.1
//	X-Vigia-Signature: t=1795365713,v1=6f3a…
//
// The key is the same on every attempt and on every copy that a crash may cause: a receiver that remembers keys hears everything once. The
// signature is HMAC-SHA256 (RFC 2104) with the secret over t, a full stop and the body as it came, in hex; a receiver checks it in constant
// time and refuses an old t.
//
// # The body in Vigía's own form
//
// Keys are stable; more may come. What is not known, or does not apply, is null, "" or missing, never 0.
//
//	version      1
//	key          as in Idempotency-Key
//	cause        why: opened, reopened, escalated, repeat, severity, ack_expired, unmuted, snooze_over, acknowledged, resolved, merged, flapping, fallback,
//	             test, digest, missed; unmuted: a silence or maintenance is over and it is still bad; snooze_over: it was put off until now
//	incident     number; 0 for none
//	severity     critical, major, minor, warning, indeterminate, none
//	state        open, acknowledged, resolved, merged
//	ref, site    what it is about, kind/name, and where
//	metric       loss_pct …; instance: which check of the object
//	value        number or null; unit: "%", "ms", "bps" …
//	threshold    {severity, raise, clear, for_s} or null
//	title        what happened, in the receiver's language; title_en: in English
//	reason       why, as the check saw it, in the receiver's language
//	text         the whole as one line, in the receiver's language
//	language     en or es
//	opened_at, at, resolved_at   RFC 3339, UTC; at is when this was decided
//	late_s       how late it is after a restart or a jump of the clock; missing when it is not
//	level        {number, name} of the escalation policy
//	next         {level, at}: who is told next, and when; null for nobody
//	ack          {by, note, until} or null
//	members      how many alarms belong to the incident
//	affected     names of what stands in its shadow
//	merged_into  cause merged: the incident that it is part of now
//	undelivered  cause fallback: which receiver could not be reached, and why
//	url          the incident's page
//	items        causes digest and missed: the messages, each in this form with its own key
//
// # The body in Alertmanager's form
//
// What Alertmanager posts to its webhooks, version 4, so that what understands it understands Vigía: an incident is an alert, a digest is a
// group of several, and what is said in words is in the annotations summary and description, in the receiver's language.
//
//	groupKey     vigia:{incident="2418"}, or vigia:{digest="…"}
//	status       firing or resolved; of a group: firing when one of its alerts is
//	labels       alertname (the metric; VigiaTest for a test), incident, object, kind, instance, site, unit, and severity
//	annotations  summary, description, cause, state, vigia_key, acknowledged_by
//	startsAt     when the incident opened; endsAt: when it ended, or the year 1
//	fingerprint  FNV-1a, 64 bits, over the labels without severity: the same as long as the incident lives
//
// What was merged into another incident is resolved: that one has its own alert. An acknowledgement changes annotations only, since
// Alertmanager knows none.
//
// # What counts
//
// As in package peer: 2xx is accepted; 408, 425, 429, 5xx and everything that goes wrong on the way is tried again; every other answer is a
// permanent refusal, redirects included.
package webhook
