// Package http asks a web server for one page and says how long each part took.
//
// A run opens a fresh connection (no keep-alive, no proxy from the environment, HTTP/1.1), so that the split into name resolution, connect,
// TLS handshake and first octet is true of this run. first_byte_ms runs from the request written to the first octet of the answer, so the
// parts add up; response_ms is the whole run, the body included. When the server redirects, the parts are summed over all hops.
//
// The target is up when the final answer has a wanted status, its body can be read to its end or to 1 MiB, and the body matches and lacks
// what was asked. Only the first MiB of the body, unpacked, is ever read, so neither a large nor a packed body costs more.
//
// Redirects are followed on the same host only, at most five, to the same port or from http to https; a redirect elsewhere makes the run
// fail and says where it would have led. A redirect status that is itself wanted is the final answer. Link-local, multicast and metadata
// addresses are refused when they are dialled (package reach).
//
// tls_expiry_d is measured also when the certificate does not hold: then up is 0 and the reason says what is wrong with it.
//
// Headers, user and password are secrets: what a server echoes of them never shows in a reason.
package http
