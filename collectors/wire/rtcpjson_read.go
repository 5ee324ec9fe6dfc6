package wire

import (
	"bytes"

	"vigia/collectors/voice"
)

// jsonHas says which members of a message were there.
type jsonHas uint16

const (
	jsonNTPSec jsonHas = 1 << iota
	jsonNTPFrac
	jsonRTP
	jsonPackets
	jsonOctets
	jsonSSRC
	jsonType
	jsonCount
	jsonSDES
	jsonXR      // report_blocks_xr, voip_metrics or captagent's block, with something in it
	jsonXRKey   // heplify's report_blocks_xr, whatever it holds
	jsonCNAME   // a CNAME
	jsonChunk   // sdes_chunk_ssrc within sdes_information
	jsonQuoted  // the NTP seconds stand in quotes
	jsonExcess  // more report blocks than RTCP can have
	jsonMetrics // voip_metrics or captagent's block: complete
)

// jsonBlock is one member of report_blocks: its numbers by member, and a bit for each that was there.
type jsonBlock struct {
	value [blockMembers]int64
	has   uint8
}

// all reports whether the members were all there.
func (b *jsonBlock) all(members ...uint8) bool {
	for _, m := range members {
		if b.has>>m&1 == 0 {
			return false
		}
	}
	return true
}

const maxJSONBlocks = 31 // RFC 3550 §6.4.1: the count has five bits

// rtcpJSON is a message as it was written; what it means depends on the dialect.
type rtcpJSON struct {
	has                                  jsonHas
	ntpSec, ntpFrac, rtp, packets, octet int64
	ssrc, kind, count, sdes, chunk       int64
	blocks                               [maxJSONBlocks]jsonBlock
	n                                    int
	xr                                   voice.VoIPMetrics
	xrSource                             uint32
	cname                                []byte

	outer, inner memberValues // of the message, and of the object within it that is being read
	text         []byte       // of the item that is being read

	order [kinds]memberOrder // what was learned of the order of members, kept from message to message
}

// The kinds of objects. Heplify's two blocks of metrics have the same members in another order.
const (
	kindTop = iota
	kindSender
	kindBlock
	kindItem
	kindShort
	kindMetrics
	kinds
)

var kindNames = [kinds]*memberNames{topNames, senderNames, blockNames, itemNames, metricNames, metricNames}

// members reads an object of numbers into v, and by the way what in it is none. It returns false when there was no object.
func (m *rtcpJSON) members(s *jsonScan, v *memberValues, kind uint8) bool {
	v.has, v.odd = 0, 0
	if !s.open('{') {
		return false
	}
	names, order, last := kindNames[kind], &m.order[kind], uint8(0)
	for first := true; s.next('}', first); first = false {
		var atKey bool
		if last, atKey = v.numbers(s, names, order, last); atKey {
			last = s.member(names, order, last)
			m.special(s, kind, last)
		}
	}
	return true
}

// special reads the value of a member that is not foreseen, or no plain number.
func (m *rtcpJSON) special(s *jsonScan, kind, member uint8) {
	switch {
	case member == unknownMember:
		s.skip()
	case kind == kindTop:
		m.value(s, member)
	case kind == kindItem:
		m.itemValue(s, member)
	case kind >= kindShort:
		m.metricValue(s, member)
	default:
		m.number(s, member)
	}
}

// take moves a number that was there to where it belongs.
func (m *rtcpJSON) take(to *int64, from *memberValues, member uint8, bit jsonHas) {
	if from.has>>member&1 != 0 {
		*to = from.value[member]
		m.has |= bit
	}
}

// number reads a number that is written in an unusual way.
func (m *rtcpJSON) number(s *jsonScan, member uint8) {
	switch v, quoted, ok := s.number(); {
	case ok && quoted:
		m.inner.putOdd(member, v)
	case ok:
		m.inner.put(member, v)
	}
}

// read reads a message and returns false when it is not JSON.
func (m *rtcpJSON) read(s *jsonScan) bool {
	m.has, m.n, m.kind = 0, 0, 0
	if !m.members(s, &m.outer, kindTop) {
		return false
	}
	m.take(&m.ssrc, &m.outer, topSSRC, jsonSSRC)
	m.take(&m.kind, &m.outer, topType, jsonType)
	m.take(&m.count, &m.outer, topCount, jsonCount)
	m.take(&m.sdes, &m.outer, topSDES, jsonSDES)
	return !s.bad
}

// value reads what at the top is no plain number.
func (m *rtcpJSON) value(s *jsonScan, member uint8) {
	switch member {
	case topSender:
		m.sender(s)
	case topBlocks:
		m.list(s)
	case topSSRC, topType, topCount, topSDES:
		if v, _, ok := s.number(); ok {
			m.outer.put(member, v)
		}
	case topXR:
		m.has |= jsonXRKey
		m.metrics(s, false)
	case topMetrics, topExtended, topExtendedLower:
		m.metrics(s, true)
	case topSources:
		m.sources(s)
	default:
		s.skip()
	}
}

func (m *rtcpJSON) sender(s *jsonScan) {
	if !m.members(s, &m.inner, kindSender) {
		return
	}
	m.take(&m.ntpSec, &m.inner, senderSec, jsonNTPSec)
	m.take(&m.ntpFrac, &m.inner, senderFrac, jsonNTPFrac)
	m.take(&m.rtp, &m.inner, senderRTP, jsonRTP)
	m.take(&m.packets, &m.inner, senderPackets, jsonPackets)
	m.take(&m.octet, &m.inner, senderOctets, jsonOctets)
	if m.inner.odd>>senderSec&1 != 0 {
		m.has |= jsonQuoted
	}
}

// list reads report_blocks. The key comes twice when a sender saw an SR and an RR in one packet: the blocks add up.
func (m *rtcpJSON) list(s *jsonScan) {
	if !s.open('[') {
		return
	}
	for first := true; s.next(']', first); first = false {
		if m.n == maxJSONBlocks {
			m.has |= jsonExcess
			s.skip()
			continue
		}
		if m.members(s, &m.inner, kindBlock) && m.inner.has != 0 {
			m.blocks[m.n] = jsonBlock{value: [blockMembers]int64(m.inner.value[:]), has: uint8(m.inner.has)}
			m.n++
		}
	}
}

// sources reads sdes_information and keeps the first CNAME (item type 1). A name with escapes is not kept: its octets are not those of the wire.
func (m *rtcpJSON) sources(s *jsonScan) {
	if !s.open('[') {
		return
	}
	for first := true; s.next(']', first); first = false {
		m.source(s)
	}
}

func (m *rtcpJSON) source(s *jsonScan) {
	m.text = nil
	if !m.members(s, &m.inner, kindItem) {
		return
	}
	of := m.inner.has>>itemChunk&1 != 0
	if of {
		m.has |= jsonChunk
	}
	if m.inner.has>>itemType&1 != 0 && m.inner.value[itemType] == 1 && len(m.text) > 0 && m.has&jsonCNAME == 0 {
		m.has |= jsonCNAME
		m.cname, m.chunk = m.text, -1
		if of {
			m.chunk = m.inner.value[itemChunk]
		}
	}
}

// itemValue reads what in an item of sdes_information is no plain number.
func (m *rtcpJSON) itemValue(s *jsonScan, member uint8) {
	if member != itemText || s.peek() != '"' {
		m.number(s, member)
		return
	}
	if m.text = s.text(); bytes.IndexByte(m.text, '\\') >= 0 {
		m.text = nil
	}
}
