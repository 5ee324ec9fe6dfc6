// Package intake is how the voice collectors take what strangers send: UDP in batches with a receive buffer of known size, and one table of
// sources with limits.
//
// Nothing here ever sends: a listener answers no one. What is refused is counted by its reason (not allowed, too fast, table full), and so is
// what the kernel dropped before we could read it, because a drop there loses reports of everybody and must not look like bad calls.
package intake
