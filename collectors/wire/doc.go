// Package wire turns the octets of one packet into facts about calls: SIP with its session descriptions (RFC 3261, RFC 8866), the reports of
// phones (RFC 6035, vq-rtcpxr), RTCP (RFC 3550, RFC 3611), and RTCP as JSON in the dialect of each of its senders. Several collectors see the
// same protocols (HEP agents, phones, a mirror port, capture files); what they share lies here. There are no sockets and no clocks, and nothing
// of one packet is kept for the next.
//
// Every function takes octets from strangers: none of them panics, allocates more than a small multiple of the packet, or reads beyond it.
// Captures are often cut short (a snap length, a HEP agent with a small buffer), so a message that ends early gives what can be known from its
// whole lines, and an error only when that is not enough to tell the call.
//
// # RTCP
//
// Sub-packets are told apart by their lengths and read one by one; a broken one costs only itself, and what SDES, BYE and XR say goes into the
// reports of the same datagram. SRTCP is recognised by its E bit and index and never scored. pion/rtcp is the reference that fuzzing compares
// with: it drops the whole datagram for one broken part, and costs several times as much.
//
// The JSON of capture agents is read in one pass without building anything. JSONDecoder.Decode finds the sender's dialect, because the same key
// means different things: seconds since 1900 or 1970, fractions or microseconds, totals or differences, signed or not.
//
// # SIP
//
// The scanner is our own: sipgo's parser wants whole messages with CRLF ends, and builds every header as an object (58 allocations for an INVITE,
// BenchmarkSIPGo, where this one has next to none, BenchmarkSIP); a mirror port of a busy proxy carries 40,000 messages a second. Lines may end with CRLF or LF and may be
// folded; of a header that must be there once the first counts. Text that will be stored (numbers, hosts, user agents, Call-IDs) comes out as
// valid UTF-8 without control characters and bounded in length.
//
// # RFC 6035
//
// Phones write the same report in a dozen ways; the rules that read them all are in vqreport.go. A key that is missing has no bit, and neither has
// a value that means "not measured": 127 for levels, R and MOS, 0 for MOS, R, round trip and end system delay, and any figure of a side that is
// nothing but zeros.
package wire
