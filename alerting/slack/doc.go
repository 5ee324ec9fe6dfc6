// Package slack tells a Slack channel: one living message for each incident, its timeline in the thread, and buttons to decide.
//
// # Configuration
//
//	token           the bot's token (xoxb-…); never shown
//	app_token       the app's token (xapp-…, connections:write): buttons come by Socket Mode
//	signing_secret  the app's signing secret: buttons come as signed requests to /slack/interactions
//	channel         where to post: an id such as C0123456789
//	api_url         another address than https://slack.com/api/, for a proxy or a test
//
// # The message
//
// The first notification about an incident posts its message (the root): a line with severity, title and link, and beside a bar in the
// severity's colour the facts and the buttons. Every later one replies in the root's thread and then edits the root, so that it always shows
// how things stand. A reply that asks for somebody is shown in the channel as well: an edit alerts nobody. A root never goes back to something
// older than it shows. What is over has no buttons.
//
//	none ──post──▶ root ──reply, edit──▶ root … ──reply, edit──▶ over
//	 ▲               │
//	 └─ removed by somebody (message_not_found): the next notification begins another
//
// Names and words of devices and people are escaped (&, <, >) and never linked or expanded by Slack, so that no text can mention a channel or
// hide a link. A digest is about many incidents and no root's: it is posted as it is, and the roots of its incidents are edited afterwards.
//
// # Finding it again
//
// A root carries metadata: event type vigia_incident, the incident, the key of its first notification, when what it shows was decided, the
// receiver, and the host of the public URL. What was opened before this notifier began, or was attempted without an answer, is looked for once in the channel's
// history from its opening on, and a reply by its key in the thread. So neither is posted twice, whichever process died when. A bot that may
// not read the channel posts all the same, and the log says once what that costs.
//
// # Buttons
//
// A press becomes a command whose id follows from channel, message, button, person and Slack's time of the press: a copy is the same command.
// Its actor is who pressed. The envelope or the request is answered first, within Slack's three seconds; what came of it is told to that person
// alone. Everybody in the channel may press. A press on the message of another Vigía is refused.
//
// # What counts
//
// Posted means that Slack took it, not that anybody read it. Slack's Retry-After is honoured, for edits and replies too. What the bot may not
// do (invalid_auth, channel_not_found, missing_scope …) is a permanent refusal; everything else is tried again. The chart in the thread is an
// extra: it comes after the message, within two seconds or not at all.
package slack
