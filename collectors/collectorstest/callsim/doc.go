// Package callsim simulates calls: it writes what the agents and endpoints of a network would send about them, SIP, RTCP and HEP, octet for octet.
// The demo, vigia bench and whole-binary tests send it to the real collectors.
//
// A Call has two parties. What a party hears is given as truth (loss, jitter, the way there and back), and every report is worked out from that
// truth and the time since the answer, so that any two reports agree and nothing is kept in between. Truth rates the same figures by the E-model:
// what a monitor should find.
package callsim
