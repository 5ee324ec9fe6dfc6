// Package snmpagent is a small SNMP agent that serves recordings of devices, for tests, for benchmarks and for the demonstration.
//
// A Recording holds the variables of one device. It is read from a file in snmpsim's .snmprec format (Parse, Load), or built in code
// (SetInt, SetString, …), or both: load a device, then change what the test is about. Listen serves it on a UDP socket, ListenAll serves
// many. Agents share what a recording holds, so a thousand agents of one recording cost a thousand sockets and not a thousand tables.
//
// What it is:
//
//   - SNMPv1 (RFC 1157) and SNMPv2c (RFC 3416): GET, GETNEXT, GETBULK, with the exceptions, the errors and the limits on size of each.
//     SET is refused: notWritable, for v1 readOnly.
//   - A device that lives, with Config.Grow: counters count, sysUpTime advances. It can restart, renumber (SetRecording), fall silent
//     or become slow, and Config.Answer may lose, repeat, delay or spoil single answers.
//   - Deterministic: the same recording, clock and requests give the same answers.
//
// What it is not:
//
//   - SNMPv3: such a message, like everything malformed and every wrong community, is met with silence. Use a real agent.
//   - A sender of notifications, a proxy, or something to put on a network that is not yours: it has no access control but a community.
//   - A model of a device. With Grow each counter counts by itself, at about the average of its device since its start; two counters
//     that a device would count together (ifInOctets and ifHCInOctets) drift apart. Give those a function (SetFunc) when it matters.
//     A counter recorded as 0 stays 0: its device never counted it.
//
// The lifetime of an Agent: Listen opens its socket and starts its one goroutine; Close ends both, and whatever answers are still
// delayed, and returns when nothing of it is left. No datagram ends an agent: a panic while one is answered is caught, counted (Faults)
// and met with silence.
package snmpagent
