// Package vqrtcpxr takes the voice-quality reports that phones send in SIP requests: PUBLISH, NOTIFY or MESSAGE with a body of
// application/vq-rtcpxr (RFC 6035), over UDP and TCP on one address.
//
// A packet from outside the allowed networks is counted and nothing else: not one octet goes back, and a TCP connection is closed before
// anything is read. Within them every request is answered at once and without state, since a phone that hears nothing retries and then gives
// up silently: 200 for a report, 489 for another event, 415 for another body, 405 for another method, 400 for what cannot be read. An answer goes
// to the address that the request came from, whatever its Via says, to the port of rport (RFC 3581) or Via (RFC 3261 §18.2.2). The same request
// again (source, Call-ID and CSeq within 32 s) gets the same answer and is not handed on a second time.
//
// Phones do not authenticate themselves, and a UDP source can be forged: list only networks from which forged packets cannot come. The
// tracker marks what it cannot join to a known call. Everything is bounded: requests a second per source, connections in all and per source,
// octets of a message, the memory of duplicates. What is dropped is counted by reason, and a packet that makes the decoder panic is one of them.
package vqrtcpxr
