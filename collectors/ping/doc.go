// Package ping is the check that sends a burst of ICMP echo requests (RFC 792, RFC 4443) and measures what comes back.
//
// Each run resolves the host, sends count requests, interval apart, and waits up to wait after the last one. It yields
//
//	up          1 when any request was answered, else 0
//	loss_pct    how many of the requests were not answered; duplicates count once, so it is never negative
//	latency_ms  the mean round-trip time of those answered; absent when none was
//	jitter_ms   the mean of |rtt(i) − rtt(i−1)| over consecutive answers in the order of sending; absent with fewer than two.
//	            This is the plain mean of the D of RFC 3550 §6.4.1 over one burst, without that section's smoothing
//
// A run is OK when every request was answered; the log of runs keeps the others longer.
//
// A run that could not measure (no permission, no free socket, no time left) yields nothing rather than a loss that nobody suffered, and
// says why. A name that does not resolve and a missing route yield up = 0: nothing was sent, but the target cannot be reached. When the
// name server fails, the last address of the name is used again.
//
// Sockets. Datagram ICMP sockets come first: each receives only its own answers, and the system lets ordinary processes use them when
// net.ipv4.ping_group_range (for IPv6 too) holds one of their groups. Where they are not allowed, raw sockets follow, which need
// CAP_NET_RAW; every one of them sees the answers to all others, so that a kind uses at most 64 at one time. Round-trip times are those of
// pro-bing, kept between two readings of the monotonic clock, so that a step of the wall clock cannot distort them.
//
// A request counts as lost only when, after the wait, pro-bing's reader has looked into its socket twice and found nothing, this process
// runs without delay, and the burst left on time; otherwise the run says that this machine is too busy, and measures nothing. Without
// that, a machine short of time lost up to a fifth of the answers of 1,000 targets although the system had received every one of them
// (measured with the race detector at a load of 11 on two cores).
//
// When nothing has come back by the time the last request is out, one more request goes out on a connected socket that asks for ICMP errors
// (on Linux), so that the run can name the router that says "unreachable". It is not counted.
package ping
