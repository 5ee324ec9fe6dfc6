// Package sms tells telephones: a text message for each notification, or a call, by an HTTP API as Twilio's.
//
// # Configuration
//
//	account_sid  the account's SID (AC…); part of the address that is posted to
//	token        the account's token; never shown
//	from         who sends: a number (+50640001234), a short code, a sender's name of up to 11 letters, or a messaging service (MG…)
//	to           who is told: numbers with + and country code
//	voice        true: what asks for somebody, and a test, is a call instead; what does not (taken, resolved) stays a text message
//	api_url      another address than https://api.twilio.com, for another provider with the same API
//
// # The text
//
//	Critical: Link sjo-gua loses 11.2 % of packets. san-jose. https://noc.example.com/incidents/2418
//
// How bad, what, where, why somebody is told unless it is new, and where to act. It is one segment of 160 characters of the GSM 7-bit
// alphabet (3GPP TS 23.038) where that is possible without losing what happened, and never more than two (306). Letters that the alphabet
// lacks are written without their accents (á, í, ó, ú; it has é and ñ). A text that cannot be written so, such as a name in Cyrillic letters, goes
// out as UCS-2, with 70 characters in one segment and 134 in two. What is too long loses the end of its title, never its link. A
// digest says how many there are, names the worst and links the overview.
//
// # The call
//
// It says the same in the receiver's language, twice, without the link.
//
// # What counts
//
// Accepted means that the provider queued it, not that a phone rang. Each number is a request of its own: when some are taken, another
// attempt tells only the others; a number that is refused for good is named in the outcome, and when all are, the whole is refused.
// The API knows no key that drops copies; ours travels in Idempotency-Key. 429 and 5xx are tried again.
package sms
