package store

import (
	"net/netip"
	"time"

	"vigia/collectors/voice"
	"vigia/mos"
)

// The dimensions by which calls are counted, besides AllCalls. What is not known of a call is not counted under it: it is what is left of all.
const (
	ByTrunk     = "trunk"
	ByCodec     = "codec"
	ByDirection = "direction" // of the stream that is worse: caller_to_callee or callee_to_caller
	ByNetwork   = "network"   // the customer's, cut to /24 or /48
	BySite      = "site"
	ByCountry   = "country"
	ByUserAgent = "user_agent"
	ByCause     = "cause"
)

// countsInFigures reports whether a call is counted in the hourly figures. One that was never answered is not: nobody spoke, and among calls
// "not measured" it would hide how many of those that were spoken in are. How many calls fail is said by the figures of trunks.
func countsInFigures(c *voice.Call) bool {
	return !c.Answered.IsZero() || !c.Signalled || c.R != nil
}

// figuresOf is what a call adds to the hourly figures. It must be the same for a call and for what is read back of it, by any later version too:
// an amendment takes back what it says of the row. So it changes only under a new value of the column counted.
func figuresOf(c *voice.Call) CallFigures {
	f := CallFigures{Customer: c.Customer, At: c.Start, Band: NotRated, OneWay: oneWay(c), Talk: talkOf(c)}
	if c.CoveragePct != nil {
		f.Covered = time.Duration(float64(f.Talk) * min(max(*c.CoveragePct, 0), 100) / 100)
	}
	if c.R != nil && c.MOS != nil && c.Scale != "" {
		f.Scale, f.R, f.MOS = string(c.Scale), Known(*c.R), Known(*c.MOS)
		f.Band = NotRecommended - Band(mos.BandOf(scaleOf(c.Scale), *c.R))
	}
	worst := worstStream(c.Streams)
	f.LossPct = figureOf(c.Streams, worst, func(s *voice.Stream) *float64 { return s.LossPct })
	f.JitterMs = figureOf(c.Streams, worst, func(s *voice.Stream) *float64 { return s.JitterMS })
	f.RTTMs = figureOf(c.Streams, worst, func(s *voice.Stream) *float64 { return s.RTTMS })
	direction := ""
	if worst >= 0 && c.Streams[worst].Direction != voice.UnknownDirection {
		direction = c.Streams[worst].Direction
	}
	for _, d := range []Dimension{
		{ByTrunk, string(c.Trunk)},
		{ByCodec, string(c.Codec)},
		{ByDirection, direction},
		{ByNetwork, networkOf(string(c.Network))},
		{BySite, string(c.Site)},
		{ByCountry, string(c.Country)},
		{ByUserAgent, string(c.UserAgent)},
		{ByCause, string(c.Cause)},
	} {
		if d.Value != "" {
			f.Dimensions = append(f.Dimensions, d)
		}
	}
	return f
}

// talkOf is how long was spoken.
func talkOf(c *voice.Call) time.Duration {
	from := c.Answered
	if from.IsZero() {
		if c.Signalled {
			return 0
		}
		from = c.Start
	}
	return min(max(c.End.Sub(from), 0), 366*dayLong)
}

// worstStream is the stream with the lowest R; -1 when none is rated.
func worstStream(streams []voice.Stream) int {
	worst := -1
	for i := range streams {
		if r := streams[i].R; r != nil && (worst < 0 || *r < *streams[worst].R) {
			worst = i
		}
	}
	return worst
}

// figureOf is a figure of the worst stream, or the largest one of the others where that one has none.
func figureOf(streams []voice.Stream, worst int, of func(*voice.Stream) *float64) (f Figure) {
	if worst >= 0 {
		if v := of(&streams[worst]); v != nil {
			return Known(*v)
		}
	}
	for i := range streams {
		if v := of(&streams[i]); v != nil && (!f.Known || *v > f.Value) {
			f = Known(*v)
		}
	}
	return f
}

// networkOf is the network of a media address: few enough values to count by.
func networkOf(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	bits := 48
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	return netip.PrefixFrom(addr.WithZone(""), bits).Masked().String()
}
