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

	// What was learned of the order of members, kept from message to message.
	top, senders, block, item, short, metric memberOrder
}

func (m *rtcpJSON) put(s *jsonScan, to *int64, bit jsonHas) {
	if v, quoted, ok := s.number(); ok {
		*to = v
		m.has |= bit
		if bit == jsonNTPSec && quoted {
			m.has |= jsonQuoted
		}
	}
}

// read reads a message and returns false when it is not JSON.
func (m *rtcpJSON) read(s *jsonScan) bool {
	m.has, m.n = 0, 0
	if !s.open('{') {
		return false
	}
	last := uint8(0)
	for first := true; s.next('}', first); first = false {
		last = s.member(topNames, &m.top, last)
		switch last {
		case topSender:
			m.sender(s)
		case topBlocks:
			m.list(s)
		case topSSRC:
			m.put(s, &m.ssrc, jsonSSRC)
		case topType:
			m.put(s, &m.kind, jsonType)
		case topCount:
			m.put(s, &m.count, jsonCount)
		case topXR:
			m.has |= jsonXRKey
			m.metrics(s, false)
		case topMetrics, topExtended, topExtendedLower:
			m.metrics(s, true)
		case topSDES:
			m.put(s, &m.sdes, jsonSDES)
		case topSources:
			m.sources(s)
		default:
			s.skip()
		}
	}
	return !s.bad
}

func (m *rtcpJSON) sender(s *jsonScan) {
	if !s.open('{') {
		return
	}
	last := uint8(0)
	for first := true; s.next('}', first); first = false {
		last = s.member(senderNames, &m.senders, last)
		switch last {
		case senderSec:
			m.put(s, &m.ntpSec, jsonNTPSec)
		case senderFrac:
			m.put(s, &m.ntpFrac, jsonNTPFrac)
		case senderRTP:
			m.put(s, &m.rtp, jsonRTP)
		case senderPackets:
			m.put(s, &m.packets, jsonPackets)
		case senderOctets:
			m.put(s, &m.octet, jsonOctets)
		default:
			s.skip()
		}
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
		b := &m.blocks[m.n]
		b.has = 0
		if b.read(s, &m.block); b.has != 0 {
			m.n++
		}
	}
}

func (b *jsonBlock) read(s *jsonScan, order *memberOrder) {
	if !s.open('{') {
		return
	}
	last := uint8(0)
	for first := true; s.next('}', first); first = false {
		last = s.member(blockNames, order, last)
		if last >= blockMembers {
			s.skip()
		} else if v, _, ok := s.number(); ok {
			b.value[last] = v
			b.has |= 1 << last
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
	if !s.open('{') {
		return
	}
	var kind, chunk int64
	var text []byte
	var of bool
	last := uint8(0)
	for first := true; s.next('}', first); first = false {
		last = s.member(itemNames, &m.item, last)
		switch {
		case last == itemType:
			kind, _, _ = s.number()
		case last == itemChunk:
			chunk, _, of = s.number()
		case last == itemText && s.peek() == '"':
			if text = s.text(); bytes.IndexByte(text, '\\') >= 0 {
				text = nil
			}
		default:
			s.skip()
		}
	}
	if of {
		m.has |= jsonChunk
	}
	if kind == 1 && len(text) > 0 && m.has&jsonCNAME == 0 {
		m.has |= jsonCNAME
		m.cname, m.chunk = text, -1
		if of {
			m.chunk = chunk
		}
	}
}
