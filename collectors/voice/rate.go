package voice

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"vigia/mos"
)

// The least that is scored: below it a call is "not rated" (emodel.md §5.1).
const (
	leastReports = 2
	leastPackets = 250
	leastSeconds = 10.0
)

// summary is what was measured of a stream over some of its intervals.
type summary struct {
	intervals      int
	seconds        float64
	expected, lost uint64
	jitterMS       float64 // NaN: not measured
	jitterWeight   float64
}

func (m *summary) add(p passage) {
	m.intervals++
	m.seconds += p.seconds
	m.expected += uint64(p.expected)
	m.lost += uint64(p.lost)
	if !math.IsNaN(p.jitterMS) {
		w := float64(p.expected)
		m.jitterMS = weighted(m.jitterMS, m.jitterWeight, p.jitterMS, w)
		m.jitterWeight += w
	}
}

func (m *summary) lossPct() float64 {
	if m.expected == 0 {
		return math.NaN()
	}
	return 100 * float64(m.lost) / float64(m.expected)
}

// enough reports whether there is enough to score.
func (m *summary) enough() bool {
	return m.intervals >= leastReports && (m.expected >= leastPackets || m.seconds >= leastSeconds)
}

// part is a run of a stream's intervals with one codec.
type part struct {
	from, to int
	codec    *codec
	ptime    uint32
	known    bool // ptime
}

// parts cuts a stream where its codec changed (rule 14).
func (s *stream) parts(l *leg) []part {
	ptime, known := s.ptime(l)
	var out []part
	from := 0
	for _, g := range s.segments {
		out = append(out, part{from: from, to: min(int(g.upTo), len(s.intervals)), codec: g.codec, ptime: g.ptimeMicros, known: true})
		from = min(int(g.upTo), len(s.intervals))
	}
	return append(out, part{from: from, to: len(s.intervals), codec: s.spoken(l, ptime), ptime: ptime, known: known})
}

// spoken is the codec of the stream: as agreed by SDP, as an observer or the endpoint says, or guessed from the size of packets (rule 9).
func (s *stream) spoken(l *leg, ptime uint32) *codec {
	if s.codec != nil {
		return s.codec
	}
	if l.codec != nil {
		return l.codec
	}
	if s.payloadType >= 0 {
		if name, hz := StaticCodec(uint8(s.payloadType)); name != "" {
			return &codec{name: strings.ToLower(name), shown: name, clockHz: hz}
		}
	}
	if s.side != nil {
		if name := nameOf(s.side.pd); name != "" {
			return &codec{name: strings.ToLower(name), shown: name, clockHz: ownClock(strings.ToLower(name))}
		}
	}
	switch hz := max(s.clockHz, s.send.clockHz); hz {
	case 0, 8000:
		return guessCodec(s.send.octetsPer, ptime)
	case 48000:
		return guessOpus
	}
	return nil
}

// nameOf reads the codec's name out of what a phone writes: "G.711 A-Law", "PCMU", "opus".
func nameOf(description string) string {
	text := strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(description, ".", ""), " ", ""))
	switch {
	case strings.HasPrefix(text, "g711a") || strings.HasPrefix(text, "pcma"):
		return "PCMA"
	case strings.HasPrefix(text, "g711") || strings.HasPrefix(text, "pcmu"):
		return "PCMU"
	case strings.HasPrefix(text, "g729"):
		return "G729"
	case strings.HasPrefix(text, "g722") && !strings.HasPrefix(text, "g7221") && !strings.HasPrefix(text, "g7222"):
		return "G722"
	}
	return strings.TrimSpace(description)
}

// rated is a codec as the E-model knows it.
type rated struct {
	codec mos.Codec
	known bool
	err   error
}

// model finds the E-model's figures of a codec. The bit rate comes from fmtp, or from the size of the packets; when neither says, a usual one stands
// in and the codec counts as assumed. A nil codec is taken as G.711 with concealment.
func (c *codec) model(octets uint16, ptimeMicros uint32) rated {
	if c == nil {
		return rated{codec: mos.G711()}
	}
	if strings.HasPrefix(c.name, "pcm") {
		return rated{codec: mos.G711(), known: !c.assumed}
	}
	kbps, sure := c.rate(octets, ptimeMicros)
	found, err := mos.FindCodec(c.name, 0)
	if errors.Is(err, mos.ErrWhichRate) || err == nil && kbps > 0 && sure {
		found, err = mos.NearestRate(c.name, kbps)
		return rated{codec: found, known: sure && !c.assumed, err: err}
	}
	return rated{codec: found, known: !c.assumed, err: err}
}

// rate is the bit rate in kbit/s, and whether it was signalled or measured.
func (c *codec) rate(octets uint16, ptimeMicros uint32) (kbps float64, sure bool) {
	if mode, ok := c.mode(); ok {
		return mode, true
	}
	if octets > 0 && ptimeMicros > 0 {
		return float64(octets) * 8000 / float64(ptimeMicros), true
	}
	switch c.name {
	case "amr":
		return 12.2, false
	case "amr-wb":
		return 12.65, false
	case "evs":
		return 13.2, false
	case "opus":
		return 28, false
	case "g723":
		return 6.3, false
	case "ilbc":
		return 13.33, false
	}
	return 32, false
}

var (
	amrModes   = [...]float64{4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2}
	amrWBModes = [...]float64{6.6, 8.85, 12.65, 14.25, 15.85, 18.25, 19.85, 23.05, 23.85}
)

// mode is the bit rate of a mode-set with one entry (RFC 4867 §8.1).
func (c *codec) mode() (kbps float64, ok bool) {
	modes := amrModes[:]
	if c.name == "amr-wb" {
		modes = amrWBModes[:]
	} else if c.name != "amr" {
		return 0, false
	}
	for field := range strings.SplitSeq(c.fmtp, ";") {
		value, ok := strings.CutPrefix(strings.TrimSpace(field), "mode-set=")
		n, err := strconv.Atoi(value)
		if ok && err == nil && n >= 0 && n < len(modes) {
			return modes[n], true
		}
	}
	return 0, false
}

// clockFactor turns jitter at 8000 Hz, as intervals keep it, into real ms.
func (s *stream) clockFactor(c *codec) float64 {
	hz := s.clock(c)
	if hz == 0 {
		return math.NaN() // in units of an unknown length it is no jitter
	}
	return 8000 / float64(hz)
}

// trip is the mean round trip between observer and receiver in ms, NaN when not measured.
func (s *stream) trip() float64 {
	if s.rttCount == 0 {
		return math.NaN()
	}
	return float64(s.rttSum) / float64(s.rttCount) / 1000
}
