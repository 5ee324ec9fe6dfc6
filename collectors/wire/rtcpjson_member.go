package wire

// The members that are read, by object. A sender writes them in the same order every time, so that each table learns which follows which, and
// the next key is one comparison instead of a search.

// memberNames are the keys of one kind of object, with their quotes and the colon. Index 0 is no key: it stands for the start of an object.
type memberNames []string

// maxMembers is more than any kind of object has; the last stands for every key that is not read.
const (
	maxMembers    = 48
	unknownMember = maxMembers - 1
)

// Top level.
const (
	topSender = iota + 1
	topBlocks
	topSSRC
	topType
	topCount
	topXR
	topMetrics
	topExtended
	topExtendedLower
	topSDES
	topSources
	topSourceCount // not used, but everywhere
)

var topNames = memberNames{
	"\x00", `"sender_information":`, `"report_blocks":`, `"ssrc":`, `"type":`, `"report_count":`, `"report_blocks_xr":`, `"voip_metrics":`,
	`"Extended_report_information":`, `"extended_report_information":`, `"sdes_ssrc":`, `"sdes_information":`, `"sdes_report_count":`,
}

// Within sender_information.
const (
	senderSec = iota + 1
	senderFrac
	senderRTP
	senderPackets
	senderOctets
)

var senderNames = memberNames{"\x00", `"ntp_timestamp_sec":`, `"ntp_timestamp_usec":`, `"rtp_timestamp":`, `"packets":`, `"octets":`}

// Within a report block.
const (
	blockSource = iota + 1
	blockFraction
	blockLost
	blockSeq
	blockJitter
	blockLSR
	blockDLSR
	blockMembers
)

var blockNames = memberNames{
	"\x00", `"source_ssrc":`, `"fraction_lost":`, `"packets_lost":`, `"highest_seq_no":`, `"ia_jitter":`, `"lsr":`, `"dlsr":`,
}

// Within an item of sdes_information.
const (
	itemType = iota + 1
	itemChunk
	itemText
)

var itemNames = memberNames{"\x00", `"type":`, `"sdes_chunk_ssrc":`, `"text":`}

// memberOrder is what has been learned: after which member which one came.
type memberOrder [maxMembers]uint8

// member reads a key with its colon and returns which it is. previous is the member before, 0 at the start.
func (s *jsonScan) member(names memberNames, order *memberOrder, previous uint8) uint8 {
	guess := order[previous]
	name := names[guess]
	if end := s.at + len(name); end <= len(s.data) && string(s.data[s.at:end]) == name {
		s.at = end
		return guess
	}
	return s.learn(names, order, previous)
}

func (s *jsonScan) learn(names memberNames, order *memberOrder, previous uint8) uint8 {
	key := s.key()
	for i := 1; i < len(names); i++ {
		if name := names[i]; len(name) == len(key)+3 && name[1:len(name)-2] == string(key) {
			order[previous] = uint8(i)
			return uint8(i)
		}
	}
	return unknownMember
}
