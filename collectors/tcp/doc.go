// Package tcp opens a TCP connection and says how long that took; with TLS, and with a greeting to send and to expect, when asked.
//
// The host's addresses are tried in the resolver's order, one after the other, within the run's deadline (package reach); the reason and
// the steps say which address was measured. connect_ms is the connect to that address alone. response_ms is the whole run: resolution,
// addresses in vain, connect, TLS handshake and the awaited answer.
//
// The target is up when the connection stands, the TLS handshake holds, and the awaited answer came. An answer is awaited only when expect
// is given; it is looked for in what the peer has sent so far, of which the first 4 KiB count.
//
// The connection is closed at the end of each run, and link-local, multicast and metadata addresses are refused.
package tcp
