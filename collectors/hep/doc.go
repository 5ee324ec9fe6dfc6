// Package hep receives HEP, the protocol by which capture agents (heplify, captagent, rtpengine, Asterisk, Kamailio, OpenSIPS, hepipe.js) hand
// on what they saw: version 3 over UDP, TCP and TLS, and versions 1 and 2 over UDP.
//
// A message's payload becomes facts for a voice.Sink by its type: 1 SIP, 5 RTCP (as JSON in every sender's dialect, or as it was on the wire),
// 34 and 38 reports of other systems, 35 vq-rtcpxr. Logs (100) and every other type are counted and dropped. Which dialect a sender speaks is
// found from each message; Config.Dialects fixes it for an agent.
//
// # Whom it believes
//
// HEP is neither encrypted nor acknowledged, and its key travels in clear: without TLS it keeps out mistakes, not attackers. Sources are held to
// the allowed networks, a rate, and a bounded table; with a key, every message must carry it (versions 1 and 2 cannot). A datagram shorter than
// its total length is refused; octets after it are counted. A stream with a bad magic is closed, for where the next message begins cannot be
// known. Compressed payloads are unpacked up to 256 KiB. A decoder that panics costs one message.
//
// Nothing is ever sent to anyone, and everything that is dropped is counted under a reason.
//
// # What it does not know
//
// hepipe.js reverses the addresses of RTCP that FreeSWITCH received, but not of what it sent, and its JSON does not say which it was. The
// addresses are passed on as they came; both SSRCs are equal in that dialect, so that the tracker takes the reporter as unknown.
package hep
