package mos

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Grade says how well a figure is known.
type Grade uint8

// The grades, from the best to none at all.
const (
	Given       Grade = iota // the caller's own
	Verified                 // an ITU figure, and independent public transcriptions agree
	Secondary                // an ITU figure from one transcription
	Provisional              // published, but not by the ITU, or for another way of listening
	Recalled                 // no source could be read
	Proxy                    // a relative's figure, or the Recommendation's default, because nobody has published one
	Unknown                  // nobody has published one, and nothing may stand for it
)

// String is the grade in one word.
func (g Grade) String() string {
	return [...]string{"given", "verified", "secondary", "provisional", "recalled", "proxy", "unknown"}[min(g, Unknown)]
}

// Weak says that a score which rests on such a figure must say so.
func (g Grade) Weak() bool { return g >= Provisional }

// Figure is a number of a codec and how well it is known.
type Figure struct {
	Value  float64
	Grade  Grade
	Source string
}

// Codec is a codec at one bit rate: what it costs, how it stands loss, and what delay it adds.
type Codec struct {
	Name  string  // of the family, such as AMR-WB
	Kbps  float64 // 0: the family has one rate only
	Scale Scale   // that Ie and Bpl belong to
	Ie    Figure  // equipment impairment without loss, in R of Scale
	Bpl   Figure  // packet-loss robustness

	FrameMs, LookAheadMs float64
	PLCMs                float64 // delay of its concealment
	ClockHz              uint32  // of its RTP timestamps, which may differ from its sampling rate
}

// Label is the name with the rate, as ParseCodec reads it: AMR-WB@12.65.
func (c *Codec) Label() string {
	if c.Kbps == 0 {
		return c.Name
	}
	return c.Name + "@" + strconv.FormatFloat(c.Kbps, 'f', -1, 64)
}

// Own is a codec of the caller's own figures on a scale.
func Own(s Scale, ie, bpl float64) Codec {
	return Codec{Name: "given", Scale: s.known(), Ie: Figure{Value: ie}, Bpl: Figure{Value: bpl}}
}

// Reasons why a codec has no figures. Match with errors.Is.
var (
	// ErrUnknownCodec: no codec of this name is in the table.
	ErrUnknownCodec = errors.New("unknown codec")
	// ErrWhichRate: the codec's figures depend on a bit rate that is not known.
	ErrWhichRate = errors.New("the figures depend on the bit rate")
	// ErrNoFigures: nobody has published an Ie for this codec.
	ErrNoFigures = errors.New("nobody has published figures")
	// ErrNarrower: the codec's band is wider than the scale; its Ie has no meaning there.
	ErrNarrower = errors.New("a codec of a wider band cannot be rated on a narrower scale")
)

// ParseCodec reads NAME or NAME@KBPS, where a name is one of Codecs or an RTP encoding name, in any case and with or without dots and hyphens.
func ParseCodec(text string) (Codec, error) {
	name, rate, given := strings.Cut(text, "@")
	kbps := 0.0
	if given {
		v, err := strconv.ParseFloat(rate, 64)
		if err != nil || !(v > 0) || math.IsInf(v, 0) {
			return Codec{}, fmt.Errorf("%w: %q is no bit rate; write kbit/s, such as AMR-WB@12.65", ErrWhichRate, rate)
		}
		kbps = v
	}
	return FindCodec(name, kbps)
}

// FindCodec is the codec of this name and bit rate (kbit/s; 0: unknown). The name may be an RTP encoding name.
func FindCodec(name string, kbps float64) (Codec, error) {
	rows, err := family(name)
	if err != nil {
		return Codec{}, err
	}
	if rows[0].Kbps == 0 || len(rows) == 1 && kbps == 0 {
		return refuseUnknown(rows[0])
	}
	if kbps == 0 {
		kbps = soleRate(rows[0].Name)
	}
	for _, c := range rows {
		if math.Abs(c.Kbps-kbps) <= c.Kbps/100 {
			return refuseUnknown(c)
		}
	}
	return Codec{}, fmt.Errorf("%w of %s: known are %s", ErrWhichRate, rows[0].Name, rates(rows))
}

// soleRate is the rate (kbit/s) of a codec that RTP carries at one rate only (RFC 3551), though it has more; 0 for others.
func soleRate(name string) float64 {
	switch name {
	case "G.722":
		return 64
	case "G.728":
		return 16
	}
	return 0
}

// NearestRate is the codec of this name whose bit rate is nearest to a measured one (kbit/s), for a stream whose signalling does not say its mode.
func NearestRate(name string, kbps float64) (Codec, error) {
	rows, err := family(name)
	if err != nil {
		return Codec{}, err
	}
	if !(kbps > 0) || math.IsInf(kbps, 0) {
		return FindCodec(name, 0)
	}
	best := rows[0]
	for _, c := range rows[1:] {
		if math.Abs(c.Kbps-kbps) < math.Abs(best.Kbps-kbps) {
			best = c
		}
	}
	return refuseUnknown(best)
}

func refuseUnknown(c Codec) (Codec, error) {
	if c.Ie.Grade == Unknown {
		return Codec{}, fmt.Errorf("%w for %s", ErrNoFigures, c.Label())
	}
	return c, nil
}

// family are all rows of a codec.
func family(name string) ([]Codec, error) {
	want := plain(name)
	if alias, ok := strings.CutPrefix(want, "G721"); ok {
		want = "G72632" + alias
	}
	var rows []Codec
	for _, c := range Codecs() {
		if plain(c.Name) == want || isAlias(c.Name, want) {
			rows = append(rows, c)
		}
	}
	if want == "" || len(rows) == 0 {
		return nil, fmt.Errorf("%w %q", ErrUnknownCodec, name)
	}
	return rows, nil
}

// plain takes everything but letters and digits away.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// isAlias says whether a plain word is another name of a codec: RTP encoding names (RFC 3551 and later), short forms.
func isAlias(name, want string) bool {
	var also string
	switch name {
	case "G.711":
		also = "PCMU PCMA G711U G711A G711PLC PCM"
	case "G.711-noplc":
		also = "PCMUNOPLC PCMANOPLC"
	case "G.723.1":
		also = "G723"
	case "G.729B":
		also = "G729AB"
	case "G.726-40":
		also = "G72740 AAL2G72640"
	case "G.726-32":
		also = "G72732 AAL2G72632"
	case "G.726-24":
		also = "G72724 AAL2G72624"
	case "G.726-16":
		also = "G72716 AAL2G72616"
	case "GSM-FR":
		also = "GSM GSM0610"
	case "GSM-HR":
		also = "GSMHR08"
	case "AMR":
		also = "AMRNB"
	case "AMR-WB":
		also = "G7222"
	}
	for word := range strings.FieldsSeq(also) {
		if word == want {
			return true
		}
	}
	return false
}

func rates(rows []Codec) string {
	labels := make([]string, len(rows))
	for i := range rows {
		labels[i] = rows[i].Label()
	}
	return strings.Join(labels, ", ")
}

// What the scales lie apart: the band that a narrower codec lacks costs this much on a wider scale (129 - 93.2; G.113 for wideband on fullband).
const (
	narrowOnWide = 35.8
	wideOnFull   = 19
)

// on is the codec's Ie on a scale. It is false when the codec's band is wider than the scale.
func (c *Codec) on(s Scale) (ie float64, ok bool) {
	if c.Scale > s {
		return 0, false
	}
	ie = c.Ie.Value
	if c.Scale == NB && s >= WB {
		ie += narrowOnWide
	}
	if c.Scale <= WB && s == FB {
		ie += wideOnFull
	}
	return ie, true
}
