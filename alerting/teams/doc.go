// Package teams tells a channel or chat of Microsoft Teams: one Adaptive Card for each notification.
//
// # Configuration
//
//	url  the address of a workflow that begins with "When a Teams webhook request is received"; it holds its signature and is never shown
//
// In Teams: Workflows, "Send webhook alerts to a channel" (or to a chat), and copy the address that it shows. The incoming webhooks of the
// old connectors and their MessageCard are not used.
//
// # The card
//
// Badge and title in the severity's colour, why somebody is told, the facts, and a button that opens the incident. A long digest takes several
// messages, since Teams refuses what is larger than 28 KB. Names and words of devices and people stand in RichTextBlocks only, in which Teams
// reads no Markdown, so that no text can make a link or a mention. A workflow can only post: each message is a card of its own, told apart by
// its incident's number.
//
// # What counts
//
// 202 means that the workflow was started, not that the card was posted: its run history in Power Automate shows that. 408, 429 (after
// Retry-After) and 5xx are tried again; every other answer is a permanent refusal. Teams knows no key that drops copies; ours travels in
// Idempotency-Key, where a workflow can read it.
package teams
