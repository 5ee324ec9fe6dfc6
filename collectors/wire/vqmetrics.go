package wire

import (
	"bytes"
	"iter"
	"math"
	"time"

	"vigia/collectors/voice"
)

// pairs are the KEY=value pairs of a line. A key is the letters before a =, so it needs no blank before it; a value runs to the next key, so it
// may hold blanks. Quotes around a value are taken off, and a = within them is none.
func pairs(line []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for k := nextKey(line, 0); k.found(); {
			next := nextKey(line, afterQuotes(line, k.equals+1))
			end := len(line)
			if next.found() {
				end = next.start
			}
			if !yield(line[k.start:k.end], unquote(trim(line[k.equals+1:end]))) {
				return
			}
			k = next
		}
	}
}

// key is where a key lies in its line, and its =.
type key struct{ start, end, equals int }

func (k key) found() bool { return k.end > k.start }

// nextKey finds the next key from a place on.
func nextKey(line []byte, from int) key {
	for i := from; i < len(line); i++ {
		if line[i] != '=' {
			continue
		}
		k := key{end: i, equals: i}
		for k.end > from && blank(line[k.end-1]) {
			k.end--
		}
		for k.start = k.end; k.start > from && letter(line[k.start-1]); {
			k.start--
		}
		if k.found() {
			return k
		}
	}
	return key{}
}

// afterQuotes skips a quoted value.
func afterQuotes(line []byte, from int) int {
	i := from
	for i < len(line) && blank(line[i]) {
		i++
	}
	if i < len(line) && line[i] == '"' {
		if end := unquotedEnd(line[i:]); end > 0 {
			return i + end
		}
	}
	return from
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// figure reads the decimal number that a value starts with; a unit or junk behind it is left alone. Numbers beyond ±10^9 are none.
func figure(value []byte) (float64, bool) {
	sign, digits, i := 1.0, 0, 0
	if len(value) > 0 && (value[0] == '-' || value[0] == '+') {
		if value[0] == '-' {
			sign = -1
		}
		i = 1
	}
	n := 0.0
	for ; i < len(value) && value[i] >= '0' && value[i] <= '9'; i++ {
		n = n*10 + float64(value[i]-'0')
		digits++
	}
	if i < len(value) && (value[i] == '.' || value[i] == ',') {
		scale := 1.0
		for i++; i < len(value) && value[i] >= '0' && value[i] <= '9'; i++ {
			scale /= 10
			n += float64(value[i]-'0') * scale
			digits++
		}
	}
	return sign * n, digits > 0 && n <= 1e9
}

// measure takes a line of figures.
func (v *vq) measure(line []byte) {
	var burst, gap [2]bool // density, duration
	s := v.side
	for key, value := range pairs(line) {
		n, ok := figure(value)
		if !ok {
			continue
		}
		v.note(key, n)
		switch { // these come in pairs
		case is(key, "bld"):
			s.BurstPct, burst[0] = float32(n), true
		case is(key, "bd"):
			s.BurstMS, burst[1] = milliseconds(n), true
		case is(key, "gld"):
			s.GapPct, gap[0] = float32(n), true
		case is(key, "gd"):
			s.GapMS, gap[1] = milliseconds(n), true
		case !takeBuffer(s, key, n):
			takeFigure(s, key, n)
		}
	}
	if burst == [2]bool{true, true} {
		s.Has |= voice.HasSideBurst
	}
	if gap == [2]bool{true, true} {
		s.Has |= voice.HasSideGap
	}
}

// note remembers whether the side has a figure that is not 0, which its settings (jitter buffer, gap threshold, levels) are not.
func (v *vq) note(key []byte, n float64) {
	f := &v.figures[0]
	if v.side == &v.q.Remote {
		f = &v.figures[1]
	}
	switch {
	case len(key) >= 2 && is(key[:2], "jb"), is(key, "gmin"), is(key, "sl"), is(key, "nl"), is(key, "rerl"):
	case n == voice.Unavailable && (has(key, "mos") || has(key, "r") || has(key, "ext")):
	case n != 0:
		f.any = true
	case has(key, "mos"), is(key, "rlq"), is(key, "rcq"):
		f.zeroMOS = true
	}
}

func has(key []byte, prefix string) bool { return begins(key, prefix) }

// milliseconds is a duration of bursts and gaps, bounded.
func milliseconds(n float64) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

// short is a length of the jitter buffer, bounded.
func short(n float64) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

// takeFigure takes one figure. Values that mean "not measured" leave no bit: 127 for levels, R and MOS, and 0 for MOS, R and delays, since
// neither a round trip nor a jitter buffer of no time at all is possible.
func takeFigure(s *voice.Side, key []byte, n float64) {
	known, positive := n != voice.Unavailable, n > 0
	f := float32(n)
	set := func(ok bool, bit voice.SideFields, to *float32) {
		if ok {
			*to, s.Has = f, s.Has|bit
		}
	}
	switch {
	case is(key, "nlr"):
		set(true, voice.HasSideLoss, &s.LossPct)
	case is(key, "jdr"):
		set(true, voice.HasSideDiscard, &s.DiscardPct)
	case is(key, "rtd"):
		set(positive, voice.HasSideRoundTrip, &s.RoundTripMS)
	case is(key, "esd"):
		set(positive, voice.HasSideEndSystem, &s.EndSystemMS)
	case is(key, "owd"), is(key, "sowd") && !s.Has.Has(voice.HasSideOneWay):
		set(positive, voice.HasSideOneWay, &s.OneWayMS)
	case is(key, "iaj"):
		set(true, voice.HasSideJitter, &s.JitterMS)
	case is(key, "sl"):
		set(known, voice.HasSideSignal, &s.SignalDBm0)
	case is(key, "nl"):
		set(known, voice.HasSideNoise, &s.NoiseDBm0)
	case is(key, "rerl"):
		set(known, voice.HasSideRERL, &s.RERLDB)
	case is(key, "rlq"):
		set(known && positive, voice.HasSideRLQ, &s.RLQ)
	case is(key, "rcq"):
		set(known && positive, voice.HasSideRCQ, &s.RCQ)
	case is(key, "moslq"):
		set(known && positive, voice.HasSideMOSLQ, &s.MOSLQ)
	case is(key, "moscq"):
		set(known && positive, voice.HasSideMOSCQ, &s.MOSCQ)
	}
}

// takeBuffer takes one setting of the jitter buffer; false: the key is none of them.
func takeBuffer(s *voice.Side, key []byte, n float64) bool {
	switch {
	case is(key, "jba"):
		if n == 0 || n == 2 || n == 3 {
			s.BufferMode, s.Has = uint8(n), s.Has|voice.HasSideBufferMode
		}
	case is(key, "jbn"):
		s.BufferNominalMS, s.Has = short(n), s.Has|voice.HasSideBufferNominal
	case is(key, "jbm"):
		s.BufferMaxMS, s.Has = short(n), s.Has|voice.HasSideBufferMax
	case is(key, "jbx"):
		s.BufferAbsMaxMS, s.Has = short(n), s.Has|voice.HasSideBufferAbsMax
	default:
		return false
	}
	return true
}

// session takes SessionDesc.
func (v *vq) session(line []byte) {
	s := v.side
	frame, frames, rate, pt := 0.0, 0.0, 0.0, -1.0
	for key, value := range pairs(line) {
		n, ok := figure(value)
		switch {
		case is(key, "pd"):
			s.Codec = v.d.text.tidy(value, maxText)
		case !ok:
		case is(key, "pt"):
			pt = n
		case is(key, "sr"):
			if n >= 1000 && n <= 192000 {
				s.ClockHz, s.Has = uint32(n), s.Has|voice.HasSideClock
			}
		case is(key, "fd"):
			frame = n
		case is(key, "fpp"):
			frames = n
		case is(key, "pps"):
			rate = n
		case is(key, "plc"):
			if n >= 0 && n <= 3 {
				s.PLC, s.Has = uint8(n), s.Has|voice.HasSidePLC
			}
		}
	}
	if pt >= 0 && pt <= 127 && !(pt < 96 && dynamicOnly(s.Codec)) {
		s.PayloadType, s.Has = uint8(pt), s.Has|voice.HasSidePayloadType
	}
	if p := ptime(frame, frames, rate); p > 0 {
		s.PtimeMicros, s.Has = p, s.Has|voice.HasSidePtime
	}
}

// dynamicOnly reports whether a codec has no static payload type, so that a low one is a filler (RingCentral: PT=0 PD=opus).
func dynamicOnly(name []byte) bool {
	for _, word := range [...]string{"opus", "evs", "ilbc", "silk", "speex", "amr"} {
		if begins(name, word) {
			return true
		}
	}
	return false
}

// ptime is the audio in one packet, microseconds: frame duration times frames per packet, else the packets per second. A frame alone does not tell
// (Grandstream: FD=10 and no FPP). 0 when it is not known or is not between 1 and 200 ms.
func ptime(frameMS, frames, perSecond float64) uint32 {
	micros := 0.0
	switch {
	case frameMS > 0 && frames > 0:
		micros = frameMS * frames * 1000
	case perSecond > 0:
		micros = 1e6 / perSecond
	}
	if micros < 1000 || micros > 200_000 {
		return 0
	}
	return uint32(math.Round(micros))
}

// times takes Timestamps; those of the first metrics count.
func (v *vq) times(line []byte) {
	for key, value := range pairs(line) {
		switch {
		case is(key, "start") && v.q.Start.IsZero():
			v.q.Start = timestamp(value)
		case is(key, "stop") && v.q.Stop.IsZero():
			v.q.Stop = timestamp(value)
		}
	}
}

// timestamp reads RFC 3339 with or without fraction and zone (then UTC), the compact form, and Unix seconds or milliseconds. The zero Time for 0
// and for anything else.
func timestamp(value []byte) time.Time {
	if len(value) == 0 || len(value) > 40 {
		return time.Time{}
	}
	text := string(bytes.ToUpper(value))
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "20060102T150405Z", "20060102T150405", "20060102150405"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	n, rest, ok := number(value, 1<<42)
	switch {
	case !ok || n < 1e9 || len(rest) > 0 && rest[0] != '.':
		return time.Time{}
	case n >= 1e12:
		return time.UnixMilli(int64(n)).UTC()
	}
	return time.Unix(int64(n), 0).UTC()
}
