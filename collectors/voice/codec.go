package voice

import (
	"strings"
	"sync"
)

// codec is what a payload type stands for. Values are shared and never changed.
type codec struct {
	name    string // lower case
	shown   string // as it was first written
	fmtp    string
	clockHz uint32
	assumed bool // guessed from the size of the packets (rule 9), not agreed by SDP
}

// speech reports whether the codec carries speech, and not digits, comfort noise or redundancy.
func speech(name []byte) bool {
	switch strings.ToLower(string(name)) {
	case "telephone-event", "cn", "red", "t38", "":
		return false
	}
	return true
}

type codecKey struct {
	name, fmtp string
	clockHz    uint32
}

// maxShared bounds the tables of shared values: a hostile sender of ever new names costs no more than this, and then pays by itself.
const maxShared = 4096

// The longest texts that are kept of a message, in octets: nobody's number or name is longer, and memory is bounded (rule 25).
const (
	maxCallID = 512
	maxNumber = 64
	maxText   = 128
)

func clip(b []byte, most int) []byte { return b[:min(len(b), most)] }

// shared keeps one copy of what many calls have in common: codecs, user agents, hosts.
type shared struct {
	mu      sync.RWMutex
	codecs  map[codecKey]*codec
	strings map[string]string
}

func newShared() *shared {
	return &shared{codecs: map[codecKey]*codec{}, strings: map[string]string{}}
}

// text returns b as a string, a shared one when it was seen before.
func (s *shared) text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	b = clip(b, maxText)
	s.mu.RLock()
	v, ok := s.strings[string(b)]
	s.mu.RUnlock()
	if ok {
		return v
	}
	v = string(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.strings) < maxShared {
		s.strings[v] = v
	}
	return v
}

// codec returns the shared value of a codec of an SDP.
func (s *shared) codec(c *Codec) *codec {
	said, fmtp := clip(c.Name, maxNumber), clip(c.Fmtp, maxText)
	s.mu.RLock()
	v := s.codecs[codecKey{string(said), string(fmtp), c.ClockHz}]
	s.mu.RUnlock()
	if v != nil {
		return v
	}
	name := string(said)
	v = &codec{name: strings.ToLower(name), shown: name, fmtp: string(fmtp), clockHz: c.ClockHz}
	if hz := ownClock(v.name); hz != 0 {
		v.clockHz = hz
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := codecKey{name, v.fmtp, c.ClockHz}
	if have := s.codecs[key]; have != nil {
		return have
	}
	if len(s.codecs) < maxShared {
		s.codecs[key] = v
	}
	return v
}

// ownClock is the RTP clock of codecs for which it is fixed, whatever a sloppy SDP says (rule 8).
func ownClock(name string) uint32 {
	switch name {
	case "pcmu", "pcma", "g722", "g729", "g723", "g728", "gsm", "ilbc", "amr":
		return 8000
	case "amr-wb", "evs":
		return 16000
	case "opus":
		return 48000
	}
	return 0
}

// The codecs that the size of packets betrays (rule 9).
var (
	guessG711 = &codec{name: "pcma", shown: "PCMA", clockHz: 8000, assumed: true}
	guessG729 = &codec{name: "g729", shown: "G729", clockHz: 8000, assumed: true}
	guessG723 = &codec{name: "g723", shown: "G723", clockHz: 8000, assumed: true}
	guessOpus = &codec{name: "opus", shown: "opus", clockHz: 48000, assumed: true} // the one codec of telephony with this clock
	guessGSM  = &codec{name: "gsm", shown: "GSM", clockHz: 8000, assumed: true}
)

// guessCodec names the codec by octets a packet and the packet's time, or returns nil. Some senders count the 12 octets of the RTP header.
func guessCodec(octets uint16, ptimeMicros uint32) *codec {
	for _, n := range []int{int(octets), int(octets) - 12} {
		switch {
		case n == 80 || n == 160 || n == 240 || n == 320 || n == 480:
			return guessG711
		case n == 24 || n == 20 && ptimeMicros == 30000:
			return guessG723
		case n == 10 || n == 20 || n == 30 || n == 40:
			return guessG729
		case n == 33:
			return guessGSM
		}
	}
	return nil
}
