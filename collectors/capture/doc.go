// Package capture reads packets, from a capture file or from a network interface, and hands on what they say about calls.
//
// A Decoder takes one packet after another: link layer (Ethernet, VLAN, QinQ, MPLS, PPPoE, Linux cooked 1 and 2, raw IP, BSD loopback), IP in all
// its wrappings (IPIP, 6in4, GRE, ERSPAN, VXLAN), IPv4 and IPv6 fragments put together, UDP, and the SIP and HEP of TCP streams. What lies in
// them goes by its content, whatever the ports: SIP and RTCP to package wire, HEP to a function that the owner gives. RTP is counted only.
//
// RTCP looks like very little: two bits and a number. A datagram counts as RTCP when its sub-packets end exactly where it ends, or when one of its
// addresses was announced in a session description (which SRTCP needs: its tail is not RTCP).
//
// All tables are bounded, by number, size and age in the capture's own time. The layers are decoded here and not by gopacket, whose layers
// allocate for every packet; its pcapgo reads the file formats.
package capture
