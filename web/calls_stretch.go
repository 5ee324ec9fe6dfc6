package web

import (
	"math"
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/voice"
)

// stretch is one or several intervals on the axis of time.
type stretch struct {
	from, to       float64 // seconds from the stream's first report
	r, jitter, rtt float64 // NaN: not known
	expected, lost float64
	judged         bool
	dead           bool
}

// niceTop is the end of an axis whose half is a round number too.
func niceTop(most float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, times := range []float64{1, 2, 4, 5, 8, 10} {
		if top := times * step; top >= most {
			return top
		}
	}
	return 10 * step
}

// lossPct is how much of a stretch was lost; 0 where nothing was expected.
func (x *stretch) lossPct() float64 {
	if x.expected <= 0 {
		return 0
	}
	return 100 * x.lost / x.expected
}

// stretchesOf lays intervals along time, at most so many: of several that become one the worst figures stand.
func stretchesOf(list []voice.Interval, most int) []stretch {
	each := max((len(list)+most-1)/most, 1)
	var out []stretch
	at := 0.0
	for i, one := range list {
		if i%each == 0 {
			out = append(out, stretch{from: at, r: math.NaN(), jitter: math.NaN(), rtt: math.NaN()})
		}
		at += one.Seconds
		out[len(out)-1].take(one, at)
	}
	return out
}

func (x *stretch) take(one voice.Interval, to float64) {
	x.to = to
	x.expected += float64(one.Expected)
	x.lost += float64(one.Lost)
	x.judged, x.dead = x.judged || one.Judged, x.dead || one.Dead
	if one.R != nil && !(x.r <= *one.R) {
		x.r = *one.R
	}
	if one.JitterMS != nil && !(x.jitter >= *one.JitterMS) {
		x.jitter = *one.JitterMS
	}
	if one.RTTMS != nil && !(x.rtt >= *one.RTTMS) {
		x.rtt = *one.RTTMS
	}
}

// ticks are five times along the axis, from the first report on.
func (s *laneScale) ticks() []tick {
	var list []tick
	for i := range 5 {
		t := tick{X: strconv.Itoa(25 * i), Anchor: "middle", Text: elapsed(s.length * float64(i) / 4)}
		switch i {
		case 0:
			t.Anchor = "start"
		case 4:
			t.Anchor = "end"
		}
		list = append(list, t)
	}
	return list
}

// elapsed writes seconds as 1:05, or 1:02:05.
func elapsed(seconds float64) string {
	d := time.Duration(math.Round(seconds)) * time.Second
	h, m, sec := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	if h > 0 {
		return strconv.Itoa(h) + ":" + two(m) + ":" + two(sec)
	}
	return strconv.Itoa(m) + ":" + two(sec)
}

// table is the charts' figures, in so few lines that they can be read.
func (s *laneScale) table(intervals []voice.Interval) []laneRow {
	number := func(v float64, decimals int) string { return collectors.Number(s.v.lang, v, decimals) }
	var rows []laneRow
	for _, x := range stretchesOf(intervals, tableMost) {
		r := laneRow{
			At: elapsed(x.from) + " – " + elapsed(x.to), R: number(x.r, 1), Jitter: number(x.jitter, 0), RTT: number(x.rtt, 0),
			Lost: s.v.t("stream.lost_of", s.v.number(x.lost), s.v.number(x.expected)),
		}
		switch {
		case x.dead:
			r.Note = s.v.t("lane.dead")
		case !x.judged:
			r.Note = s.v.t("lane.unjudged")
		}
		rows = append(rows, r)
	}
	return rows
}

// callLegend says which marks the charts of a page have.
type callLegend struct{ Any, Dead, Held, Grown bool }

func (l *callLegend) add(p *streamPanel) {
	if p.Lanes != nil {
		l.Any, l.Dead, l.Held, l.Grown = true, l.Dead || p.Lanes.Dead, l.Held || p.Lanes.Held, l.Grown || p.Lanes.Grown
	}
}

// intervalRows are a call's intervals for a file.
func intervalRows(c *voice.Call) [][]string {
	rows := [][]string{{"leg", "direction", "ssrc", "from_s", "seconds", "expected", "lost", "jitter_ms", "rtt_ms", "r", "judged", "dead"}}
	for i := range c.Streams {
		s := &c.Streams[i]
		at := 0.0
		for _, x := range voice.Intervals(s.Packed) {
			rows = append(rows, []string{
				strconv.Itoa(s.Leg), s.Direction, strconv.FormatUint(uint64(s.SSRC), 10), plain(at), plain(x.Seconds), strconv.FormatUint(uint64(x.Expected), 10),
				strconv.FormatUint(uint64(x.Lost), 10), plainOf(x.JitterMS), plainOf(x.RTTMS), plainOf(x.R), strconv.FormatBool(x.Judged), strconv.FormatBool(x.Dead),
			})
			at += x.Seconds
		}
	}
	return rows
}
