// Package slack tells a Slack channel: one message for each notification, those of one incident in one thread.
//
// # Configuration
//
//	token      the bot's token (xoxb-…), with the scope chat:write; never shown
//	app_token  the app's token (xapp-…) for acknowledging from Slack; accepted, and not used by this version
//	channel    where to post: an id such as C0123456789
//	api_url    another address than https://slack.com/api/, for a proxy or a test
//
// # The message
//
// A line with severity, title and link; what else is known as fields; a button that opens the incident. Names and words of devices and people
// are escaped (&, <, >) and never linked or expanded by Slack, so that no text can mention a channel or hide a link. The notification's key
// travels as metadata (event type vigia_notification), since Slack drops no copies by itself.
//
// The first message about an incident begins its thread. What follows is posted into it, and shown in the channel as well when it asks for
// somebody. Which message began a thread is kept in memory: after a restart the next one begins another thread.
//
// # What counts
//
// Posted means that Slack took it, not that anybody read it. Slack's Retry-After is honoured. What the bot may not do (invalid_auth,
// channel_not_found, missing_scope …) is a permanent refusal; everything else is tried again. A long digest takes several messages.
package slack
