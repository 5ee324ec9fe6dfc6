// Package outbox sends what the engine decided to tell, at least once: claim with a lease, send with a stable key, settle.
//
// A crash between sending and settling sends again with the same key, so that the receiver can drop the copy; a crash before sending loses
// nothing, because the row is still due when its lease ends. One worker sends to one receiver at a time, so that a slow receiver never
// delays another. An attempt that failed waits with a growing, jittered delay, or as long as the receiver asked; a permanent refusal, or a
// notification that has failed for too long, is given up, and the engine hears of it.
//
// The package knows neither SQL nor a kind of receiver nor a threshold.
package outbox
