// Package telegram tells a chat, group or channel of Telegram by a bot: one message for each notification, those of one incident as replies
// to its first one.
//
// # Configuration
//
//	token    the bot's token from BotFather (123456:ABC…); it is part of the address that is posted to, and never shown
//	chat_id  where to post: a number (of a group: negative), or the @name of a public channel
//	api_url  another address than https://api.telegram.org, for a Bot API server of one's own
//
// # The message
//
// A line with severity, title and link, why somebody is told, then the facts, in Telegram's HTML with everything encoded. Telegram also
// makes mentions and links of plain text by itself: an invisible character (U+2060) after each @ and before each // keeps names of devices and notes of
// people from mentioning anybody or leading anywhere. What asks nothing of anybody comes without a sound. A long digest takes several
// messages.
//
// The number of an incident's first message is kept in memory: after a restart the next one begins anew. A group that becomes a supergroup
// gets another chat_id, which Telegram tells: the message follows it there at once, and the log asks for the new one to be configured.
//
// # What counts
//
// Posted means that Telegram took it, not that anybody read it. 429 is tried again when Telegram says (retry_after), 5xx soon; everything
// else it refuses (wrong token, chat not found, bot blocked) is refused for good. Telegram knows no key that drops copies; ours travels in
// Idempotency-Key, for a server or proxy of one's own.
package telegram
