package main

import (
	"fmt"
	"slices"
	"strings"

	"vigia/collectors/inventory"
	"vigia/collectors/snmp"
)

// offer is an interface that may become a link.
type offer struct {
	snmp.Interface

	active bool // a line that counts; otherwise a comment
}

// fewLines is how many lines may be up on a device so that all of them are taken for links.
const fewLines = 4

// offers chooses the interfaces that are written and which of them are active lines, and counts what was left out.
func offers(found []snmp.Interface, all bool) (out []offer, left leftOut) {
	fast, few := uplinkSpeed(found)
	for _, i := range found {
		switch {
		case isUp(i) && (isLine(i) || i.Alias != "" && !i.Loopback):
			out = append(out, offer{i, i.Alias != "" || few || i.Type == "aggregate" || fast > 0 && i.Speed >= fast})
		case all || i.Alias != "" && i.Admin != "down" && isLine(i): // somebody will want to know why it is down
			out = append(out, offer{i, false})
		default:
			left.count(i)
		}
	}
	return out, left
}

func isUp(i snmp.Interface) bool { return i.Oper == "up" && i.Admin != "down" }

// isLine reports whether an interface is one that a cable, a fibre or a radio belongs to.
func isLine(i snmp.Interface) bool {
	known := !strings.HasPrefix(i.Type, "type ")
	return !i.Loopback && !slices.Contains([]string{"tunnel", "virtual", "VLAN", "bridge", "other", "PPP", "loopback"}, i.Type) && (known || i.Speed > 0)
}

// uplinkSpeed is the speed from which an interface looks like an uplink: that of the fastest lines, when they are at most a quarter of all. few
// reports that so few lines are up that each must matter.
func uplinkSpeed(found []snmp.Interface) (fast float64, few bool) {
	lines, top, atTop := 0, 0.0, 0
	for _, i := range found {
		if !isLine(i) || !isUp(i) {
			continue
		}
		lines++
		switch {
		case i.Speed > top:
			top, atTop = i.Speed, 1
		case i.Speed == top:
			atTop++
		}
	}
	if atTop*4 <= lines && slowerThan(found, top) {
		fast = top
	}
	return fast, lines <= fewLines
}

func slowerThan(found []snmp.Interface, top float64) bool {
	return slices.ContainsFunc(found, func(i snmp.Interface) bool { return isLine(i) && isUp(i) && i.Speed > 0 && i.Speed < top })
}

// leftOut counts interfaces that were not written.
type leftOut struct{ shut, down, virtual int }

func (l *leftOut) count(i snmp.Interface) {
	switch {
	case i.Admin == "down":
		l.shut++
	case i.Oper != "up":
		l.down++
	default:
		l.virtual++
	}
}

func (l leftOut) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{l.down, "down"}, {l.shut, "shut down"}, {l.virtual, "virtual or loopback"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// capacity is a line's speed as the configuration writes it, and as people do; both empty when it is unknown or says nothing about a line.
func capacity(i snmp.Interface) (written, said string) {
	if !isLine(i) || i.Speed < 1 {
		return "", ""
	}
	for _, u := range []struct {
		size          float64
		written, said string
	}{{1e12, "Tbps", "Tb/s"}, {1e9, "Gbps", "Gb/s"}, {1e6, "Mbps", "Mb/s"}, {1e3, "kbps", "kb/s"}, {1, "bps", "bit/s"}} {
		if i.Speed < u.size {
			continue
		}
		number := trimFloat(i.Speed / u.size)
		var back inventory.Bandwidth
		if err := back.UnmarshalText([]byte(number + u.written)); err == nil && float64(back) == i.Speed {
			return number + u.written, number + " " + u.said
		}
	}
	return "", ""
}

// trimFloat writes at most three decimals.
func trimFloat(f float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", f), "0"), ".")
}
