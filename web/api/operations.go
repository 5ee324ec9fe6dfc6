package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// The groups of operations.
const (
	tagInventory = "inventory"
	tagSamples   = "samples"
	tagAlarms    = "alarms"
	tagIncidents = "incidents"
	tagMutes     = "mutes"
	tagCalls     = "calls"
	tagSelf      = "vigia"
)

var tags = []*huma.Tag{
	{Name: tagInventory, Description: "What we look after."},
	{Name: tagSamples, Description: "What was measured, and the runs that measured it."},
	{Name: tagAlarms, Description: "What is wrong, series by series."},
	{Name: tagIncidents, Description: "What people work on, and what they decide."},
	{Name: tagOnCall, Description: "Who is on call, and who takes the place of whom."},
	{Name: tagMutes, Description: "Silences and maintenance: what pages nobody for a time. Only for those who see every customer."},
	{Name: tagCalls, Description: "Calls and how they sounded."},
	{Name: tagSelf, Description: "Vigía itself: its rules and its health."},
}

// operations is the table: every operation, its policy, and what answers.
func (s *server) operations() []operation {
	look := Policy{Role: Viewer, Reach: ByCustomer}
	rules := Policy{Role: Viewer, Reach: Technical}
	work := Policy{Role: Operator, Reach: ByCustomer}
	return append([]operation{
		reading("list-inventory", "/inventory", tagInventory, "Everything that we look after, with its state", look, listObjects),
		reading("list-inventory-kind", "/inventory/{kind}", tagInventory, "Everything of one kind", look, listKind),
		reading("get-object", "/inventory/{kind}/{name}", tagInventory, "One object: state, parents, children, checks, latest values", look, getObject),

		reading("list-series", "/series", tagSamples, "Which series there are", look, listSeries),
		reading("get-samples", "/samples", tagSamples, "A series over a time range", look, getSamples),
		reading("get-latest", "/latest", tagSamples, "The newest values of an object", look, getLatest),
		reading("list-runs", "/runs", tagSamples, "The last runs of an object's checks, and why they went as they did", look, listRuns),

		reading("list-alarms", "/alarms", tagAlarms, "Alarms: those that stand, or all", look, listAlarms),

		reading("list-incidents", "/incidents", tagIncidents, "Incidents, newest first", look, listIncidents),
		reading("get-incident", "/incidents/{id}", tagIncidents, "One incident: alarms, timeline, who was told, what comes next", look, getIncident),
		deciding("acknowledge-incident", tagIncidents, "/incidents/{id}/acknowledge", "Take an incident", aboutAcknowledge, work, acknowledge),
		deciding("unacknowledge-incident", tagIncidents, "/incidents/{id}/unacknowledge", "Give an incident back", aboutUnacknowledge, work, unacknowledge),
		deciding("comment-incident", tagIncidents, "/incidents/{id}/comment", "Write into an incident's timeline", "", work, comment),
		deciding("escalate-incident", tagIncidents, "/incidents/{id}/escalate", "Tell the next level now", "", work, escalate),
		deciding("assign-incident", tagIncidents, "/incidents/{id}/assign", "Give an incident to somebody", aboutAssign, work, assign),
		deciding("snooze-incident", tagIncidents, "/incidents/{id}/snooze", "Put an incident off", aboutSnooze, work, snooze),

		reading("list-mutes", "/mutes", tagMutes, "Silences and maintenance, newest first", look, listMutes),
		deciding("add-mute", tagMutes, "/mutes", "Silence objects, or plan maintenance", aboutMute, work, addMute),
		asking("preview-mute", "/mutes/preview", tagMutes, "What a silence or maintenance would cover, and what would be quiet", work, previewMute),
		deciding("cancel-mute", tagMutes, "/mutes/{id}/cancel", "End a silence or maintenance", aboutCancel, work, cancelMute),

		reading("list-calls", "/calls", tagCalls, "Calls, newest first", look, listCalls),
		reading("get-call-figures", "/calls/figures", tagCalls, "How calls sounded by the hour, day or month: counts by band and sums, from which means follow", look, getCallFigures),
		reading("get-call", "/calls/{id}", tagCalls, "One call with the intervals of its streams", look, getCall),

		reading("list-thresholds", "/thresholds", tagSelf, "The rules: thresholds and escalation policies", rules, listThresholds),
		reading("get-health", "/health", tagSelf, "How Vigía itself does", rules, getHealth),
		document("get-openapi", "/openapi.json", rules),
	}, onCallOperations(look, work)...)
}

const (
	aboutAcknowledge   = "A person has it: escalation stops until the acknowledgement expires or the severity rises. Everyone who was told is told of it."
	aboutAssign        = "As an acknowledgement, for somebody else."
	aboutSnooze        = "Nobody has it, and nobody is told before the time is over or the severity rises."
	aboutMute          = "Nobody is paged for what it covers; it is measured, raised and shown all the same. A silence is for once and counts against availability; maintenance is planned, may come again and again, and does not count."
	aboutCancel        = "Sent twice it is one."
	aboutUnacknowledge = "Nobody has it any more: escalation goes on where it stood."
)

// document is the operation that serves the description of all others; it is not in it.
func document(id, path string, p Policy) operation {
	op := huma.Operation{OperationID: id, Method: http.MethodGet, Path: Prefix + path, Hidden: true}
	return operation{Operation: op, policy: p, register: func(_ *server, api huma.API) {
		op.Middlewares = huma.Middlewares{admit(api, p)}
		type text struct {
			ContentType string `header:"Content-Type"`
			Body        []byte
		}
		huma.Register(api, op, func(context.Context, *nothingInput) (*text, error) {
			body, err := api.OpenAPI().MarshalJSON()
			return &text{ContentType: "application/openapi+json", Body: body}, err
		})
	}}
}
