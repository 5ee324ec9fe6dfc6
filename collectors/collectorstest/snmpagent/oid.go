package snmpagent

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// An OID is kept as the octets of its BER encoding (X.690 §8.19), which an answer needs anyway: the first two arcs in one number, then
// an arc each, seven bits an octet, all octets of a number but its last with the high bit set.

const (
	longestOID  = 128       // arcs, RFC 2578 §3.5
	largestArc  = 1<<32 - 1 // RFC 2578 §3.5
	arcOctets   = 5         // that the largest arc takes
	arcContinue = 0x80      // more octets of the same arc follow
)

// encodeOID reads dotted text, with or without a dot in front, and appends its octets.
func encodeOID(b []byte, text string) ([]byte, error) {
	rest := strings.TrimPrefix(text, ".")
	var first uint64
	for i := 0; ; i++ {
		word, more, found := strings.Cut(rest, ".")
		arc, err := strconv.ParseUint(word, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("OID %.200q: arc %d is no number from 0 to 4294967295", text, i+1)
		}
		switch {
		case i == longestOID:
			return nil, fmt.Errorf("OID %.200q: more than %d arcs", text, longestOID)
		case i == 0:
			first = arc
		case i == 1:
			if first > 2 || first < 2 && arc > 39 {
				return nil, fmt.Errorf("OID %.200q: does not begin with 0.0 to 0.39, 1.0 to 1.39 or 2", text)
			}
			b = appendArc(b, first*40+arc)
		default:
			b = appendArc(b, arc)
		}
		if !found {
			if i == 0 {
				return nil, fmt.Errorf("OID %.200q: fewer than two arcs", text)
			}
			return b, nil
		}
		rest = more
	}
}

func appendArc(b []byte, arc uint64) []byte {
	shift := 0
	for arc>>shift >= arcContinue {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		b = append(b, arcContinue|byte(arc>>shift))
	}
	return append(b, byte(arc)&0x7f)
}

// validOID reports whether octets that came from outside are an OID with every arc in its shortest form.
func validOID(oid []byte) bool {
	if len(oid) == 0 || oid[len(oid)-1]&arcContinue != 0 {
		return false
	}
	arcs := 1 // the first number is two
	for len(oid) > 0 {
		arc, size := firstArc(oid)
		limit := uint64(largestArc)
		if arcs == 1 {
			limit += 80
		}
		if oid[0] == arcContinue || size > arcOctets || arc > limit {
			return false
		}
		arcs++
		oid = oid[size:]
	}
	return arcs <= longestOID
}

// firstArc reads the number at the front and says how many octets it takes. A number too large for its range is cut, and seen by its size.
func firstArc(oid []byte) (arc uint64, size int) {
	for i, o := range oid {
		arc = arc<<7 | uint64(o&0x7f)
		if o&arcContinue == 0 {
			return arc, i + 1
		}
	}
	return arc, len(oid)
}

// formatOID writes octets as dotted text.
func formatOID(oid []byte) string {
	if len(oid) == 0 {
		return ""
	}
	arc, size := firstArc(oid)
	top := min(arc/40, 2)
	text := strconv.AppendUint(nil, top, 10)
	text = strconv.AppendUint(append(text, '.'), arc-top*40, 10)
	for oid = oid[size:]; len(oid) > 0; oid = oid[size:] {
		arc, size = firstArc(oid)
		text = strconv.AppendUint(append(text, '.'), arc, 10)
	}
	return string(text)
}

// compareOID orders two OIDs as SNMP does: arc by arc as numbers, a prefix before what it begins. Where the octets differ, the longer
// arc is the larger number, because both are in their shortest form; of two that are as long, the octets decide.
func compareOID(a, b []byte) int {
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	if at == len(a) || at == len(b) {
		return len(a) - len(b)
	}
	if c := arcEnd(a, at) - arcEnd(b, at); c != 0 {
		return c
	}
	return int(a[at]) - int(b[at])
}

// arcEnd is where the arc ends that the octet at stands in.
func arcEnd(oid []byte, at int) int {
	for at < len(oid) && oid[at]&arcContinue != 0 {
		at++
	}
	return at
}

// parentOf is the OID without its last arc.
func parentOf(oid []byte) []byte {
	end := max(len(oid)-1, 0)
	for end > 0 && oid[end-1]&arcContinue != 0 {
		end--
	}
	return oid[:end]
}

// isUnder reports whether oid begins with all arcs of prefix.
func isUnder(oid, prefix []byte) bool { return bytes.HasPrefix(oid, prefix) }
