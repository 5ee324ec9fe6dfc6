// Package alertingtest tests what alerts: a story language for the engine, and one suite that every notifier passes.
//
// A story is a text that reads like the incident itself. It sets up a small network, lets values come, and says what must follow:
//
//	link sjo-mia
//	threshold loss_pct on link/* | warning 1 clear 0.5 for 2m | critical 10 clear 5 for 30s | policy noc
//	policy noc | NOC L1 after 0s min warning notify noc-slack repeat 15m | NOC L2 after 15m min major notify l2-mail | ack 60m
//
//	at 0s   link/sjo-mia loss_pct 12 every 10s
//	at 30s  expect raised critical link/sjo-mia loss_pct
//	at 30s  expect told noc-slack opened
//	at 1m   ack incident 1 by ana for 60m "ticket 7"
//	at 1m   expect told noc-slack acknowledged
//	at 2h   expect quiet
//
// Play runs it in virtual time against the pure engine: a plan whenever a value comes or a deadline of the engine is due, and at no other
// time, so that a deadline that the engine forgets shows. Every notification must be expected: one too many fails the story. Play runs each
// story again with the store failing at every change once, and again with the engine rebuilt from what was stored after every change.
//
// # Setup
//
//	site NAME | link NAME [at SITE] [behind REF...] | server NAME [at SITE] [behind REF...] | trunk NAME [via REF...] | customer NAME
//	check REF NAME every DURATION               the series up of REF by the check NAME is expected
//	threshold METRIC on PATTERN | TIERS and settings, each after a bar:
//	    SEVERITY RAISE [clear LEVEL] [for DURATION] [clear_for DURATION]
//	    nodata [DURATION] SEVERITY | confirm PROBES DURATION | flapping CHANGES DURATION | policy NAME | only INSTANCE
//	policy NAME | LEVEL NAME after DURATION [min SEVERITY] notify RECEIVER... [after_hours RECEIVER...] [repeat DURATION] | ack DURATION | fallback RECEIVER
//	person NAME RECEIVER... | business FROM TO  since midnight, Monday to Friday, UTC
//	rotation NAME | LAYER PERSON... every DURATION [hours FROM TO] | otherwise RECEIVER...
//	manager REF RECEIVER...                     who stands for account_manager
//	deliveries by hand                          notifications stay unsent until the story says so; otherwise they are sent at once
//	memory matters                              the story is about what a restart forgets; it is not run with restarts
//
// # What happens
//
//	at T REF METRIC VALUE [every D] [by INSTANCE] [because CODE]     one value, or one again and again until another one is given
//	at T REF METRIC stops [by INSTANCE]
//	at T REF METRIC VALUE stamped D ago|ahead                        a value with another time
//	at T ack incident N by WHO [for D] ["NOTE"] [twice]              also: unack, comment, escalate, close
//	at T override ROTATION PERSON from T to T by WHO | cancel override by WHO | handover ROTATION by WHO "NOTE"
//	at T restart | reload | store fails | store works | clock jumps D | clock jumps -D
//	at T dead for D                                                  the process ends and starts again after D; what came meanwhile is missed
//	at T sent RECEIVER | given up RECEIVER "WHY"
//	at T SETUP LINE                                                  changes the configuration and reloads it
//	at T remove check REF NAME | remove threshold METRIC | remove object REF
//
// # What must follow
//
//	at T expect raised|pending|clearing|stale|clear [SEVERITY] REF METRIC [by INSTANCE]
//	at T expect shadow|own REF METRIC                                its alarm stands in a parent's shadow; or pages on its own
//	at T expect told RECEIVER CAUSE [incident N] [level N] [late D] [severity S] [into N]
//	                                                                 now, and once; into: the incident that it was merged into
//	at T expect quiet                                                nobody was told anything that is not expected yet
//	at T expect incident N open|acknowledged|resolved|merged [SEVERITY]
//	at T expect incident N members K | next LEVEL at T | policy NAME | title WORDS
//	at T expect incidents K                                          so many are live
//	at T expect event KIND [incident N]
//	at T expect says WORDS                                           a line of now on a timeline
//	at T expect accepted | refused CODE                              the last command
//	at T expect superseded K                                         so many notifications were withdrawn before they were sent
//	at T expect sample METRIC VALUE                                  the engine said so about itself
//	at T expect untold K
package alertingtest
