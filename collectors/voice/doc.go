// Package voice turns reports and signalling into calls.
//
// Decoders (collectors/rtcp, collectors/hep, collectors/vqrtcpxr, capture files) hand facts to a Sink: a Report for what one RTCP reporter said about one
// source, a Signal for one SIP message, a Quality for what an endpoint or another system has worked out itself. A fact has explicit presence for
// everything that may be missing, units in its names, and is only lent: the callee copies what it keeps.
//
// The Tracker is the Sink that makes calls of them:
//
//	Report, Signal, Quality ──▶ locate ──▶ call ─┬─ leg (one SIP dialog) ── two parties: addresses, codec, hold
//	                             │               └─ stream (one SSRC, one direction of a leg, one receiver) ── intervals
//	                             └─ nothing fits: parked, and a call of its own when no signalling comes
//
//	trying ─▶ answered ─▶ over ─(5 s)─▶ handed out, Revision 1 ─(until 60 s)─▶ late reports: handed out again, next Revision ─▶ forgotten
//
// It starts no goroutine, opens no socket and reads no clock: the facts and Tick drive it. Its methods may be called from many goroutines. Calls
// lie in shards, each under one lock; what leads to a call (Call-ID, correlation id, addresses, SSRCs, CNAMEs) lies in indexes with locks of
// their own, which are only taken inside a shard's lock or alone. Two shards are locked together in the order of their numbers only.
//
// What it promises:
//   - Memory is bounded by Config.MaxCalls and by limits for each call. A full shard evicts the call that was idle for longest, hands out what is known
//     of it and counts it. Everything that is not used is counted under a Reason.
//   - A finished call is handed out once, and again whole when late reports change it: same ID and Start, next Revision. Consumers keep the
//     highest Revision. A process that is started again loses the calls in progress, and counts what it hears of them under unknown_dialog; Close
//     hands out those that have something to show, with the reason shutdown.
//   - What is not measured is nil, never 0; what a score rests on that nobody measured is in Stream.Assumed: the words of mos.Assumed, and
//     rtt_one_side (only one half of the way is known), dtmf_loss (loss that was not believed), collector_loss (our own socket lost datagrams).
//   - R and MOS of a call are those of its worse direction, over all legs; all streams of a call are rated on one scale, the widest of their codecs.
//
// The thirty edge rules, by the numbers that comments and tests use, and what is done:
//
//  1. No RTCP: no MOS, coverage 0.
//  2. Reports of one direction only: that one is rated; sender reports alone show life and codec.
//  3. Total loss looks perfect: no new packet in two reports while ten or more were sent each time is 100 % loss and one-way audio; so is a party that
//     reports on nothing. When the sender is quiet too, it is silence or hold.
//  4. Cumulative loss is signed; less than before means packets that came twice, and no loss.
//  5. Loss of an interval is the difference of the counters; the first report, and one after the receiver started again, count by their fraction.
//  6. Sequence numbers modulo 2^32; receivers that never count cycles; a fall by less is a restart.
//  7. A new SSRC closes the stream before it; SSRC 0 says nothing but XR; calls may share an SSRC.
//  8. Jitter by the RTP clock of the codec, or the one measured from two sender reports; not above a second, not from the first report.
//  9. Codec by the size of packets when no SDP says it: assumed.
//  10. Round trip from when the observer saw the report that is named: never from the senders' clocks, never across observers.
//  11. A report on fewer than ten packets is joined to the next.
//  12. What is on hold, or was within the interval, is not judged.
//  13. Media before the answer are not charged to the call.
//  14. A new codec begins a segment; each is rated with its own.
//  15. Legs of a B2BUA are joined by a common id; else by the same numbers, within two seconds after, from where the first INVITE went or from an
//     address of its own, or with the same address for media. Each leg is sent on once, so that calls at one time between the same numbers stay apart.
//  16. The same report on another leg counts once.
//  17. Association: correlation id, SDP address (RTP port, the next, a=rtcp, behind a NAT the signalling's address), SSRC, CNAME; else parked.
//  18. One SDP in two dialogs: both ends and known SSRCs decide, then time.
//  19. Addresses lead to a call only for as long as it lasts.
//  20. Late reports amend for a minute; later ones are counted and make no second call.
//  21. rtcp-mux, and port + 1 when it is refused.
//  22. Reduced-size packets: any Report stands alone.
//  23. One block in two packets of a compound counts once.
//  24. Duplicates within ten seconds, older reports after newer ones: dropped.
//  25. What cannot be is refused and counted; observers without leave make no calls; bounds for an observer and for a call.
//  26. Times of an observer whose clock is more than two seconds off are corrected; Observers says so.
//  27. SetOwnLoss marks the calls whose figures the collector itself spoilt.
//  28. Loss next to packets that came twice, where digits may be sent, is doubted and not counted.
//  29. T.38 is not judged as speech. Fax over G.711 cannot be told from speech by reports and is not recognised.
//  30. Endpoint's figures for discards and delay, RTCP for loss, a vendor's MOS beside ours with a mark when they are more than 0.5 apart.
//
// Figures of trunks and destinations by the minute (attempts, ASR, NER, ACD, PDD, failures by code and cause, calls in progress) are samples of the
// trunk and of the destination; the instance of one country of a trunk is voice:GT. An attempt is counted in the minute of its outcome, talking
// time in that of the end.
package voice
