// Package email tells by mail: text and HTML in one message, one thread per incident and receiver.
//
// # Configuration
//
//	smtp      smtp://mail.example:587 (STARTTLS when it is offered) or smtps://mail.example (TLS from the first octet, port 465);
//	          a user and a password may stand in it, and it is never shown
//	user, password   the same, apart from the address; they win over those in it
//	starttls  offered (default), required (default as soon as there is a password and the server is not on loopback) or never
//	ca        certificates in PEM that the server's is checked against instead of the system's: ${file:/etc/ssl/noc.pem}
//	from      noc@example.com or NOC <noc@example.com>
//	to, cc    lists of addresses
//
// # The message
//
// Its Message-ID follows from the notification's key, so that a copy after a crash is known by it. Every message about an incident refers to
// one thread id that follows from the incident and the receiver, and the subject names the object, the metric and the incident and never
// changes: clients that thread by References (RFC 5256) and those that want the same subject as well (Gmail) keep one conversation,
// whichever message came first. What does change, the severity or "Resolved", stands before the sender's name, where a list shows it.
// Nothing to fetch: the chart of the last three hours, with the threshold as a dashed line, travels in the message (multipart/related, cid:),
// and a message whose chart cannot be drawn within two seconds goes without. Colours follow the reader's light or dark theme; severity is a word and a shape before it is a colour.
//
// Auto-Submitted: auto-generated (RFC 3834 §5) keeps away automatic answers. Critical and major ones are marked important.
//
// # What counts
//
// Accepted means that the server took it for at least one address. Addresses refused for good (5xx) beside it are named in the outcome;
// those refused for the moment (4xx) alone are tried again, as far as this process remembers, the others are not told twice.
// A refusal of everything is permanent when it is 5xx. Everything else (4xx, the network, TLS) is tried again.
package email
