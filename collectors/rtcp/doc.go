// Package rtcp receives RTCP that is sent to us over UDP (RFC 3550, RFC 3611, RFC 5506): by phones and media servers whose a=rtcp points here,
// or by a switch that mirrors it.
//
// One Listener is one socket, read in batches. Every datagram goes through the table of sources (allowed networks, packets per second and
// source, bounded number of sources) and then through wire.RTCPDecoder; what it finds goes to a voice.Sink. The two addresses of a report are
// the sender's and, where we listen on one address only, ours.
//
// Nothing is ever sent. Everything that is dropped is counted under a reason, the kernel's own drops too: while those grow, whole intervals of
// everybody are missing, and Stats says so. A decoder that panics costs one datagram.
//
//	New → Run (once, until its context ends) → the socket is closed
package rtcp
