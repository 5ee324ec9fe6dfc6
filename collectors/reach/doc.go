// Package reach is what the checks that open a connection (http, tcp, sip) have in common: where a check may go, how it gets there, what a
// certificate is worth, which status codes are wanted, and the words for what goes wrong on the way.
//
// A name is resolved to addresses, which are tried in the resolver's order (RFC 6724), one after the other, within the run's deadline: an
// address that stays silent gets its share of the time that is left, so that the next one has a chance. There is no race between families:
// a check must say which address it measured.
//
// Addresses that a check must never touch are refused where the socket is made, by the address that is really dialled, so that neither a
// name nor a redirect gets around it: link-local ones (169.254/16, fe80::/10), which hold the metadata services of clouds, the metadata
// addresses outside that range, multicast, broadcast and the unspecified address. Loopback and private networks are allowed: they are what
// an operator looks after.
//
// A certificate is judged by the system's roots or a given CA file. The expiry of a chain that verifies is that of the verified chain which
// lasts longest, counted to its first certificate that expires; of a chain that does not verify, or that nobody asked to verify, it is the
// first expiry among all that the peer sent.
//
// What goes wrong is a Failure: a code and arguments, which the kind's own catalogue (Words with the kind's name before the code) can say.
package reach
