package snmp

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"vigia/collectors/snmp/profile"
)

// IF-MIB (RFC 2863): ifTable and ifXTable.
const (
	ifDescr       = ".1.3.6.1.2.1.2.2.1.2"
	ifType        = ".1.3.6.1.2.1.2.2.1.3"
	ifSpeed       = ".1.3.6.1.2.1.2.2.1.5"
	ifAdminStatus = ".1.3.6.1.2.1.2.2.1.7"
	ifOperStatus  = ".1.3.6.1.2.1.2.2.1.8"
	ifInOctets    = ".1.3.6.1.2.1.2.2.1.10"
	ifInDiscards  = ".1.3.6.1.2.1.2.2.1.13"
	ifInErrors    = ".1.3.6.1.2.1.2.2.1.14"
	ifOutOctets   = ".1.3.6.1.2.1.2.2.1.16"
	ifOutDiscards = ".1.3.6.1.2.1.2.2.1.19"
	ifOutErrors   = ".1.3.6.1.2.1.2.2.1.20"

	ifName          = ".1.3.6.1.2.1.31.1.1.1.1"
	ifHCInOctets    = ".1.3.6.1.2.1.31.1.1.1.6"
	ifHCOutOctets   = ".1.3.6.1.2.1.31.1.1.1.10"
	ifHighSpeed     = ".1.3.6.1.2.1.31.1.1.1.15"
	ifAlias         = ".1.3.6.1.2.1.31.1.1.1.18"
	ifDiscontinuity = ".1.3.6.1.2.1.31.1.1.1.19"
)

// States of ifAdminStatus and ifOperStatus.
const (
	stateUp      = 1
	stateDown    = 2
	stateTesting = 3
	stateUnknown = 4
)

var operStates = map[int8]string{1: "up", 2: "down", 3: "testing", 4: "unknown", 5: "dormant", 6: "notPresent", 7: "lowerLayerDown"}

// stateCodes are the codes of words of the same states, whole: they are wanted for every port at every poll.
var stateCodes = func() (codes [8]string) {
	for state, word := range operStates {
		codes[state] = name + ".state_" + word
	}
	return codes
}()

// port is one interface as a discovery found it.
type port struct {
	index string
	name  string // what it is called here: plain, with its index when others are called so too; unique on the device
	plain string // ifName, else ifDescr, else its index
	descr string
	alias string
	speed float64 // bit/s; 0 unknown
	kind  int     // ifType (IANAifType-MIB)
	admin int8
	oper  int8
	wide  bool // it has 64-bit counters
}

// findInterfaces walks what tells interfaces apart. Whether one has 64-bit counters is seen from one of them.
func (f *found) findInterfaces(ctx context.Context, s *session, on *shelf) error {
	columns := []string{
		ifDescr, ifType, ifSpeed, ifAdminStatus, ifOperStatus, ifName, ifHighSpeed, ifAlias, ifHCInOctets, ifDiscontinuity,
	}
	if s.creds.version == 1 {
		columns = []string{ifDescr, ifType, ifSpeed, ifAdminStatus, ifOperStatus, ifName, ifHighSpeed, ifAlias}
	}
	if err := s.walk(ctx, on, columns); err != nil {
		return err
	}
	at := map[string]*port{}
	for _, base := range []string{ifDescr, ifType, ifOperStatus} { // any of them makes a row
		for i := range on.column(base).cells {
			index := on.column(base).cells[i].index
			if at[index] == nil && !strings.Contains(index, ".") {
				at[index] = &port{index: strings.Clone(index)} // the cell's is the end of a whole OID, which need not be kept
			}
		}
	}
	for _, oid := range columns {
		cells := on.column(oid).cells
		for i := range cells {
			if p := at[cells[i].index]; p != nil {
				p.set(oid, cells[i].value)
			}
		}
	}
	f.marked = len(on.column(ifDiscontinuity).cells) > 0
	f.interfaces = make([]port, 0, len(at))
	for _, p := range at {
		p.mendSpeed()
		f.interfaces = append(f.interfaces, *p)
	}
	slices.SortFunc(f.interfaces, func(a, b port) int { return compareIndex(a.index, b.index) })
	f.nameInterfaces()
	return nil
}

func (p *port) set(oid string, v value) {
	switch oid {
	case ifDescr:
		p.descr = profile.Clean(v.text)
	case ifName:
		p.name = profile.Clean(v.text)
	case ifAlias:
		p.alias = profile.Clean(v.text)
	case ifType:
		p.kind = int(v.number) // a small enumeration; anything else is shown as it is
	case ifSpeed:
		p.setSpeed(float64(v.number), 1<<32-1)
	case ifHighSpeed:
		if v.number > 0 {
			p.setSpeed(float64(v.number)*1e6, 0)
		}
	case ifAdminStatus:
		p.admin = state(v)
	case ifOperStatus:
		p.oper = state(v)
	case ifHCInOctets:
		p.wide = v.kind == counter64
	}
}

// mostSpeed is 100 Tbit/s: beyond it a speed is nonsense.
const mostSpeed = 1e14

// setSpeed takes a speed that makes sense; one that equals full means "larger than this can say".
func (p *port) setSpeed(speed, full float64) {
	if speed > 0 && speed <= mostSpeed && (full == 0 || speed < full) {
		p.speed = speed
	}
}

func state(v value) int8 {
	if v.kind == absent || v.number > 7 {
		return 0
	}
	return int8(v.number) // at most 7
}

// nameInterfaces gives each its name and makes them unique.
func (f *found) nameInterfaces() {
	f.indexes = make([]string, len(f.interfaces))
	names := make([]string, len(f.interfaces))
	for i := range f.interfaces {
		p := &f.interfaces[i]
		f.indexes[i] = p.index
		p.plain = cmp.Or(p.name, p.descr, "if"+p.index)
		names[i] = p.plain
	}
	profile.Distinct(names, f.indexes)
	for i := range f.interfaces {
		f.interfaces[i].name = names[i]
	}
}

// The interface types (IANAifType-MIB) that say nothing about a line.
const (
	typeLoopback = 24
	typeTunnel   = 131
	typeVirtual  = 53
	typeVLAN     = 135
	typeVLANIP   = 136
	typeBridge   = 209
	typeOther    = 1
	typePPP      = 23
)

// nominal reports whether the interface's speed is a word and not a line's: nothing is discarded for being above it.
func (p *port) nominal() bool {
	switch p.kind {
	case typeLoopback, typeTunnel, typeVirtual, typeVLANIP, typeBridge, typeOther, typePPP:
		return true
	}
	return false
}

// lineSpeed is what a rate may not exceed: of what is no line, the sum of all lines of the device.
func (f *found) lineSpeed(p *port) float64 {
	if !p.nominal() {
		return p.speed
	}
	sum := 0.0
	for i := range f.interfaces {
		if q := &f.interfaces[i]; !q.nominal() && q.kind != typeVLAN {
			sum += q.speed
		}
	}
	return sum
}

// mostWatched bounds the interfaces that are watched on one device when nobody chose.
const mostWatched = 1000

// choose lists the positions of the interfaces that a server's check watches: those that the patterns name, by default all that are
// administratively up and no loopback.
func (f *found) choose(patterns []string, all bool) []int {
	var out []int
	for i := range f.interfaces {
		p := &f.interfaces[i]
		if all && p.admin != stateDown && p.kind != typeLoopback && len(out) < mostWatched || !all && p.matches(patterns) {
			out = append(out, i)
		}
	}
	return out
}

func (p *port) matches(patterns []string) bool {
	for _, pattern := range patterns {
		for _, word := range []string{p.name, p.descr, p.alias} {
			// A slash is part of many names and no border of a path here.
			ok, err := path.Match(noSlash.Replace(pattern), noSlash.Replace(word))
			if word != "" && err == nil && ok {
				return true
			}
		}
	}
	return false
}

var noSlash = strings.NewReplacer("/", "\x01")

// seek finds the one interface that a link's check names: by ifName, ifAlias, ifDescr or index, in this order; then without regard to case.
func (f *found) seek(wanted string) (int, *trouble) {
	words := []func(*port) string{
		func(p *port) string { return p.name }, func(p *port) string { return p.alias }, func(p *port) string { return p.descr },
		func(p *port) string { return p.index }, func(p *port) string { return "#" + p.index },
	}
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, word := range words {
			var hits []int
			for i := range f.interfaces {
				if same(word(&f.interfaces[i]), wanted) {
					hits = append(hits, i)
				}
			}
			switch {
			case len(hits) == 1:
				return hits[0], nil
			case len(hits) > 1:
				return 0, troubled("ambiguous", wanted, len(hits), f.interfaces[hits[0]].name, f.interfaces[hits[1]].name)
			}
		}
	}
	return 0, troubled("no_interface", wanted, f.someNames(), len(f.interfaces))
}

// someNames lists a few interfaces, so that a mistyped name can be mended.
func (f *found) someNames() string {
	var names []string
	for i := range f.interfaces {
		if len(names) == 8 {
			return strings.Join(names, ", ") + ", …"
		}
		names = append(names, f.interfaces[i].name)
	}
	return strings.Join(names, ", ")
}

// portDetail is the JSON about an interface.
type portDetail struct {
	Name     string  `json:"name"`
	Alias    string  `json:"alias,omitempty"`
	Descr    string  `json:"descr,omitempty"`
	Type     int     `json:"type,omitempty"`
	Speed    float64 `json:"speed_bps,omitempty"`
	Capacity float64 `json:"capacity_bps,omitempty"`
	Admin    string  `json:"admin,omitempty"`
	Oper     string  `json:"oper,omitempty"`
	Index    string  `json:"index"`
}

func (p *port) detail(capacity float64, oper int8) string {
	d := portDetail{
		Name: p.name, Alias: p.alias, Type: p.kind, Speed: p.speed, Capacity: capacity, Admin: operStates[p.admin], Oper: operStates[oper], Index: p.index,
	}
	if p.descr != p.name {
		d.Descr = p.descr
	}
	return toJSON(d)
}

// typeName is the interface type in words, for discover.
func typeName(kind int) string {
	names := map[int]string{
		6: "ethernet", typeLoopback: "loopback", typeTunnel: "tunnel", typeVirtual: "virtual", typeVLAN: "VLAN", typeVLANIP: "VLAN", typeBridge: "bridge",
		typeOther: "other", 161: "aggregate", typePPP: "PPP", 71: "Wi-Fi", 56: "fibre channel", 117: "ethernet", 62: "ethernet",
	}
	if n, ok := names[kind]; ok {
		return n
	}
	return fmt.Sprintf("type %s", strconv.Itoa(kind))
}
