// Package pagerduty tells PagerDuty: one event of the Events API v2 for each notification, one PagerDuty alert for each incident.
//
// # Configuration
//
//	routing_key  the integration key of an Events API v2 integration of the service; never shown
//	api_url      another address than https://events.pagerduty.com, such as https://events.eu.pagerduty.com
//
// # The event
//
//	cause                       event_action
//	opened, escalated, …        trigger
//	acknowledged                acknowledge
//	resolved, merged            resolve
//
// The dedup_key is vigia-HOST-iNUMBER: the host of public_url and the incident's number. It is the same from the first event to the last,
// whichever process sends it, so that PagerDuty keeps one alert and drops copies. Two installations that share a routing key need different
// public_urls; changing it while incidents are open leaves their PagerDuty alerts to be closed by hand.
//
// Severity critical stays critical, major is error, minor and warning are warning, the rest is info. Source is the object (link/sjo-gua),
// group its site, class the metric, component which check or part. The facts are in custom_details, in the receiver's language, with the
// notification's key.
//
// PagerDuty does not call anybody again for an alert that is open: repeats and later levels that lead to the same routing key show in its
// log only. A digest is taken apart into its events, since each belongs to an alert of its own: eight at once, the worst first, those of one
// incident in order; what was taken before an error is not sent again by the same process.
//
// # What counts
//
// 202 means that PagerDuty took the event, not that it called anybody. 400 is a permanent refusal, 429 and 5xx are tried again. A test
// opens an alert of severity info, which somebody closes in PagerDuty: that it rings is what is to be seen.
package pagerduty
