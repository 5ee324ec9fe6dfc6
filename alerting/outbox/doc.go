// Package outbox sends what the engine decided to tell, at least once: claim with a lease, send with a stable key, settle.
//
//	pending ── Claim ──▶ leased ── Notify ──▶ sent                      the receiver's side accepted it
//	   ▲                   │ │ └── Notify ──▶ given up                  refused for good, or failing for too long
//	   └── failed, in time ┘ └── crash: due again at the next start, or when the lease ends
//
// A crash between sending and settling sends again with the same key, so that the receiver can drop the copy; a crash before sending loses
// nothing: the row is due again when the next process starts and knows that this one is dead, or else when its lease ends. The lease is longer than a send may take; what could not be begun within it is
// given back. When Run ends, a send that is under way has a few seconds to finish, and the rest is given back.
//
// # One receiver at a time
//
// One worker speaks to one receiver, so that a slow receiver never delays another. A failure that another attempt may mend is the
// receiver's, not the message's: everything that waits for it rests together, a growing, jittered while (1 s, 2 s, 4 s …, at most 5 min), or
// as long as the receiver asked. So a dead receiver costs one attempt a turn, and what piled up meets it as one digest.
//
// # Giving up
//
// A permanent refusal is given up at once. A receiver that has failed at least twice over Config.GiveUpAfter (45 s) is failing: what it
// could not be told is given up, and what comes later gets one attempt each, so that the policy's fallback hears of it in time while the
// escalation's clock runs on. Given up is not forgotten: the newest message of each incident is kept in memory, offered to the receiver
// again and again (at most every 5 min, for a day), and when it takes it, it takes all as one message of cause "missed" and they are
// settled as sent after all. That memory does not survive a restart; the fallback was told.
//
// # Digests
//
// More than Config.DigestOver (5) messages due to one receiver at once, or more than its Pace allows, become one digest. It names and links
// every one, each is settled by its own delivery, and its key is made of theirs.
//
// The package knows neither SQL nor a kind of receiver nor a threshold.
package outbox
