package hep

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"vigia/collectors/voice"
)

var errReport = errors.New("the report is no JSON object with figures")

// figures are the members of a type 34 or 38 report, by upper-case key. These reports come once a call or once a minute, so that they are read
// without haste.
type figures map[string]any

func readFigures(payload []byte) (figures, error) {
	var raw map[string]any
	if err := json.Unmarshal(payload, &raw); err != nil {
		return nil, errReport
	}
	f := make(figures, len(raw))
	for k, v := range raw {
		f[strings.ToUpper(k)] = v
	}
	return f, nil
}

// number reads a JSON number or a number in quotes.
func (f figures) number(key string) (float64, bool) {
	switch v := f[key].(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

func (f figures) text(key string) []byte {
	s, _ := f[key].(string)
	return []byte(s)
}

// normalMOS brings the scales in use (4.25, 42.5, 425) to 1..5.
func normalMOS(v float64) (float32, bool) {
	switch {
	case v > 100:
		v /= 100
	case v >= 10:
		v /= 10
	}
	return float32(v), v >= 1 && v <= 5
}

// fullReport reads a type 34 report: figures of one stream of RTP that the agent counted. Their sender is a vendor: what hepipe.js calls
// loss adds both directions, and its jitter is a variance, so the tracker only compares them.
func fullReport(payload []byte, q *voice.Quality) error {
	f, err := readFigures(payload)
	if err != nil {
		return err
	}
	q.Vendor = true
	q.CallID = f.text("RTP_SIP_CALL_ID")
	if len(q.CallID) == 0 {
		q.CallID = f.text("CORRELATION_ID")
	}
	s := &q.Local
	s.Addr, q.Remote.Addr = q.Seen.Dst, q.Seen.Src
	f.mos(s, "MEAN_MOS", "MOS")
	f.packets(s, "TOTAL_PK", "PACKET_LOSS")
	s.Codec = f.text("CODEC_NAME")
	if pt, ok := f.number("CODEC_PT"); ok && pt >= 0 && pt < 128 {
		s.PayloadType = uint8(pt)
		s.Has |= voice.HasSidePayloadType
	}
	if ms, ok := f.number("PTIME"); ok && ms >= 2.5 && ms <= 200 {
		s.PtimeMicros = uint32(ms * 1000)
		s.Has |= voice.HasSidePtime
	}
	if s.Has == 0 {
		return errReport
	}
	return nil
}

// mos takes the first of the keys that is there.
func (f figures) mos(s *voice.Side, keys ...string) {
	for _, key := range keys {
		v, ok := f.number(key)
		if !ok {
			continue
		}
		if m, ok := normalMOS(v); ok {
			s.MOSCQ = m
			s.Has |= voice.HasSideMOSCQ
			return
		}
	}
}

func (f figures) packets(s *voice.Side, packets, lost string) {
	p, ok := f.number(packets)
	l, ok2 := f.number(lost)
	if ok && ok2 && p >= 0 && l >= 0 && p <= math.MaxUint32 && l <= math.MaxUint32 {
		s.Packets, s.Lost = uint32(p), uint32(l)
		s.Has |= voice.HasSidePackets
	}
}

// ipfixReport reads a type 38 report (Oracle by way of horaclifix): both legs of a call at the SBC; MOS and R are x100. INC is the leg that
// came in, OUT the one that went out; each is what the SBC received there. Jitter is left out: its unit is not certain (voice.md §5).
func ipfixReport(payload []byte, send func(*voice.Quality), q *voice.Quality) error {
	f, err := readFigures(payload)
	if err != nil {
		return err
	}
	q.Vendor, q.Kind = true, voice.QualitySession
	seen := q.Seen
	sent := false
	for _, leg := range [2]string{"INC_", "OUT_"} {
		q.Local = voice.Side{}
		f.mos(&q.Local, leg+"MOS")
		f.packets(&q.Local, leg+"RTP_PK", leg+"RTP_PK_LOSS")
		if r, ok := f.number(leg + "RVAL"); ok && r > 0 && r <= 12000 {
			q.Local.RCQ = float32(r / 100)
			q.Local.Has |= voice.HasSideRCQ
		}
		q.CallID = f.text(leg + "CALL_ID")
		q.Seen = seen
		if q.Local.Has != 0 {
			send(q)
			sent = true
		}
	}
	if !sent {
		return errReport
	}
	return nil
}
