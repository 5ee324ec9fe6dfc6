// Package alerting decides when an alarm is raised, what belongs to one incident, and who is told when.
//
// It decides with values and touches nothing: no clock, no socket, no SQL. The engine is a loop of three steps.
//
//	plan    (State, samples, commands, now) → Change     pure; it makes all ids
//	apply   Journal.Apply(Change)                        one transaction, elsewhere
//	adopt   State + Change → State                       only after apply succeeded
//
// Apply failed: nothing happened, and the same samples are planned again with the next ones.
//
// An alarm is the state of one threshold on one series:
//
//	clear ──level crossed──▶ pending ──held "for"──▶ raised ──under clear──▶ clearing ──held "clear_for"──▶ clear
//	                            │                       ▲                       │
//	                            └──level left──▶ clear  └────level crossed──────┘
//	any ──no data for "nodata.after"──▶ stale (raised with its own severity) ──data──▶ as the data says
//
// Rising severity inside an alarm is a change of the same alarm. No data is not recovery.
//
// An incident is what people work on: a root alarm and its consequences. It carries a frozen copy of its escalation policy, and the
// deadline of its next step as a stored UTC instant. Escalation is a plan on a tick: at most one step per incident and tick.
//
// Only a parent's reachability alarm suppresses, and only its children's reachability alarms, which join its incident; every other alarm
// pages. Several parents are alternatives: all must be down. A Ref is down when all its reachability checks are.
package alerting
