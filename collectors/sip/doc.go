// Package sip asks a SIP peer whether it is alive, with OPTIONS (RFC 3261 §11), over UDP, TCP or TLS.
//
// Each run is one transaction on a socket of its own: a fresh branch, Call-ID, From tag and CSeq, with rport (RFC 3581). An answer counts
// when it has exactly one Via with our branch, our Call-ID and our CSeq (§8.1.3.3, §17.1.3); everything else that arrives is ignored and
// counted. A provisional answer (1xx) is noted and the wait goes on; a peer that never gets beyond it is not alive. Any well-formed final
// answer means alive, whatever its status, unless expect lists the wanted ones.
//
// Over UDP the request is sent again by the timers of §17.1.2.2: T1 = 500 ms, doubled up to T2 = 4 s, every T2 once a provisional answer
// came; the run ends at its deadline, at the latest after Timer F, 32 s. An ICMP error ends the attempt on that address at once and the next
// address is tried. The socket is connected, so only the peer's own address and port can answer.
//
// latency_ms runs from the first transmission to the final answer. All transmissions of a request are alike (they must be), so an answer
// after a retransmission cannot be told from a late answer to the first; the first is what a caller would have waited for, and a step of
// the run says how often it was sent. Over TCP and TLS it runs from the request written; connect and handshake are told in steps.
//
// Over a stream the answer is framed by its Content-Length (§18.3), which must be there, after any number of empty lines (§7.5). A
// datagram is one message; what follows its Content-Length is ignored, and one that ends before it is dropped. Wherever the parser may
// stumble over a stranger's octets there is a recover: a packet that makes it panic is counted as one that is not SIP.
//
// sipgo's parser reads the packets; its transports are not used, because they keep state for every source. Only the headers that a client
// needs to recognise its answer are parsed (Via, Call-ID, CSeq, Content-Length): a peer with a broken Contact is alive all the same.
package sip
