// Package alerting decides when an alarm is raised, what belongs to one incident, and who is told when.
//
// It decides with values and touches nothing: no clock, no socket, no SQL. The engine is a loop of three steps.
//
//	plan    (State, samples, commands, now) → Change     pure; it makes all ids
//	apply   Journal.Apply(Change)                        one transaction, elsewhere
//	adopt   State + Change → State                       only after apply succeeded
//
// Apply failed: nothing happened, and the same samples are planned again with the next ones. The State is what its Changes say, so that a
// Snapshot of the stored rows, or the replay of all Changes, is the same State; only the last sample of each series is not stored.
//
// # Alarms
//
// An alarm is the state of one threshold on one series:
//
//	clear ──level crossed──▶ pending ──held "for"──▶ raised ──under clear──▶ clearing ──held "clear_for"──▶ clear
//	                            │                       ▲                       │
//	                            └──level left──▶ clear  └────level crossed──────┘
//	any ──no data for "nodata.after"──▶ stale (raised with its own severity) ──data──▶ as the data says
//
// Rising severity inside an alarm is a change of the same alarm; falling severity too, and nobody is paged for it. Every tier has its own
// hold; holds run from the first breach, are stored, and go on after a restart. A level that holds is raised when "for" is over even when no
// sample comes at that moment, provided that the last one breached and is not older than three periods.
//
// With "confirm", Probes immediate probes that agree raise a level at once, instead of its "for"; one that disagrees starts anew. If the
// probes do not come, "for" raises it, or, where there is none, the time that they would have taken and ConfirmSlack.
//
// No data is not recovery: a stale alarm keeps the severity that stood when that is worse than its own. It counts from the last sample, but
// never from before the start or a jump of the clock. When data comes again that crosses a level, that level stands at once.
//
// Samples that are no number, are stamped more than FutureLimit ahead, are older than one of their series that was judged, or are older than
// PastLimit and three periods, are not judged.
//
// # Shadows
//
// Only a parent's reachability alarm suppresses, and only its children's reachability alarms, which join its incident; every other alarm
// pages. Reachability alarms are those of "up", of total loss, and of no data. Several parents are alternatives: all must be down. A Ref is
// down when all its reachability checks are: each "up", or the total loss measured by the same check; where there is no "up", total loss.
// A Ref without checks of its own is down when all that it depends on is.
//
//   - Parents are raised before their children, whatever the order of the samples in a plan.
//   - A child that is due while its parents breach and are pending waits for their verdict, ParentWait at most.
//   - A child that rose before its parent, within the time that the parent's outage took to be noticed, is merged: its incident joins the
//     parent's, whoever was told of it gets one notice, and pages that were not sent are withdrawn. An older one is a fault of its own.
//   - When the parent comes back, a child that is still bad pages on its own after ParentGrace, or two of its periods. A parent that fails
//     again while its shadow is in that grace goes on with the same incident.
//   - Reachability alarms of one Ref share an incident; every other alarm opens its own.
//
// # Incidents
//
// An incident is what people work on: a root alarm and its consequences. It carries a frozen copy of its escalation policy, and the deadline
// of its next step as a stored UTC instant. Its severity is that of its worst standing member, and it is resolved when none stands.
//
// Escalation is a plan on a tick: at most one step per incident and plan. A level above the incident's severity is passed over. A rise of
// severity pages again from level 1 and ends an acknowledgement that was given for less. When an acknowledgement ends, the level that was
// told last is told again and the later ones keep their distance from it; the same holds after a step that fires late, which says by how
// much. A repeat to a receiver whose former page is not sent yet is left out. Everyone who was told hears of acknowledgement, merge and
// resolution, once; pages that were not sent by then are superseded.
//
// A notification that was given up is told to the policy's fallback instead, and raises vigia_receiver_failing. More than Flapping.Changes
// raises and clears within its window become one notice; then it is quiet until the series has been well, or bad, for the whole window.
// What is counted for flapping is forgotten by a restart.
//
// # Quiet, groups, and again
//
// A mute (silence or maintenance, mute.go and muting.go) keeps an incident from paging while it covers every alarm of it that would page; what
// is still bad at its end is told then. A person's own step goes through. A policy may group alarms into one incident by site, link, trunk or
// object (group.go), and open an incident again that was resolved a short while ago. Who is on call is decided when a level is told
// (rotation.go). A canary (canary.go) becomes a notification that belongs to no incident.
//
// What is derived from history (the usual, a forecast) is no business of this package: it comes as samples like any other.
//
// A Change that a store refuses for good blocks the engine until it is accepted: the input is kept, shown, and tried again.
package alerting
