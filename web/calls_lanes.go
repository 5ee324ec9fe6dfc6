package web

import (
	"math"
	"strconv"
	"strings"

	"vigia/collectors"
	"vigia/collectors/voice"
	"vigia/mos"
)

// lanes are the charts of one stream over one axis of time. The streams of a call share the axis and each lane's scale.
type lanes struct {
	Strip []block // quality, stretch by stretch
	List  []lane
	Ticks []tick
	Table []laneRow
	Dead  bool // nothing arrived in some of it
	Held  bool // some of it is not judged
	Grown bool // several reports are one stretch: the call is long
}

// lane is one chart: a line or bars.
type lane struct {
	Unit   string // and what it is, above the axis
	Label  string // what it shows, as a sentence
	Height int
	Inside int // the height between the largest value and nothing
	Lines  []gridLine
	Path   string
	Over   []overPath // the part of the line that is beyond a level
	Bars   []block
	Ground []block // what is not judged, or where nothing arrived
}

// block is a rectangle; X and Width in per cent, Y and Height in pixels.
type block struct {
	Class, X, Width string
	Y, Height       string
}

// gridLine is a line across a lane with its value. Class is a severity for a level.
type gridLine struct {
	Y, TextY, Text, Class string
}

type overPath struct{ Class, Path string }

// tick is a time under the lanes.
type tick struct{ X, Anchor, Text string }

// laneRow is one line of the table of a stream.
type laneRow struct{ At, R, Lost, Jitter, RTT, Note string }

const (
	tallLane  = 104
	shortLane = 64
	laneHead  = 20  // above the largest value: the unit stands there
	laneFoot  = 4   // below nothing
	mostSteps = 360 // stretches in a chart
	tableMost = 40  // lines of a table
	wideLane  = 1000.0
	barShare  = 0.82 // of a bar's stretch that it fills
	mostBars  = 120  // that can be told apart
)

// laneScale is what the streams of a call have in common.
type laneScale struct {
	v                  *visit
	scale              mos.Scale
	length             float64
	loss, jitter, rtt  float64 // the tops of the axes
	stretches          [][]stretch
	grown              []bool
	everJitter, everRT bool
}

// laneScale finds the scales of all streams' charts.
func (v *visit) laneScale(c *voice.Call, all [][]voice.Interval) *laneScale {
	s := &laneScale{v: v, scale: scaleOf(c.Scale), length: 1, loss: 1, jitter: 10, rtt: 50}
	for _, one := range all {
		list := stretchesOf(one, mostSteps)
		s.stretches, s.grown = append(s.stretches, list), append(s.grown, len(list) < len(one))
		for _, x := range list {
			s.length = max(s.length, x.to)
			if !math.IsNaN(x.jitter) {
				s.jitter, s.everJitter = max(s.jitter, x.jitter), true
			}
			if !math.IsNaN(x.rtt) {
				s.rtt, s.everRT = max(s.rtt, x.rtt), true
			}
			s.loss = max(s.loss, x.lossPct())
		}
	}
	s.loss, s.jitter, s.rtt = niceTop(s.loss), niceTop(s.jitter), niceTop(s.rtt)
	return s
}

// draw makes the charts of one stream; nil when it has no intervals.
func (s *laneScale) draw(i int, intervals []voice.Interval) *lanes {
	list := s.stretches[i]
	if len(list) == 0 {
		return nil
	}
	out := &lanes{Ticks: s.ticks(), Table: s.table(intervals), Grown: s.grown[i]}
	ground := s.ground(list, out)
	out.Strip = s.strip(list)
	out.List = append(out.List, s.rLane(list, ground), s.lossLane(list, ground))
	if s.everJitter {
		out.List = append(out.List, s.lineLane("jitter", list, ground, s.jitter, func(x *stretch) float64 { return x.jitter }))
	}
	if s.everRT {
		out.List = append(out.List, s.lineLane("rtt", list, ground, s.rtt, func(x *stretch) float64 { return x.rtt }))
	}
	return out
}

// strip is the quality of each stretch; neighbours of one band are one block.
func (s *laneScale) strip(list []stretch) []block {
	var blocks []block
	from := list[0].from
	for i, x := range list {
		if class := s.class(x); i+1 == len(list) || s.class(list[i+1]) != class {
			blocks = append(blocks, block{Class: class, X: s.percent(from), Width: s.percent(x.to - from)})
			from = x.to
		}
	}
	return blocks
}

func (s *laneScale) percent(seconds float64) string {
	return strconv.FormatFloat(100*seconds/s.length, 'f', 2, 64)
}

func (s *laneScale) block(x stretch) block {
	return block{X: s.percent(x.from), Width: s.percent(x.to - x.from)}
}

// class is the class of a stretch's band; qn when it is not rated.
func (s *laneScale) class(x stretch) string {
	switch {
	case x.dead:
		return "q0"
	case math.IsNaN(x.r):
		return "qn"
	}
	return bandClasses[mos.BandOf(s.scale, x.r)]
}

// ground marks what is not judged and where nothing arrived; neighbours are one block.
func (s *laneScale) ground(list []stretch, out *lanes) []block {
	var blocks []block
	kind, from := "", 0.0
	end := func(to float64) {
		if kind != "" {
			blocks = append(blocks, block{Class: kind, X: s.percent(from), Width: s.percent(to - from)})
		}
	}
	for _, x := range list {
		next := ""
		switch {
		case x.dead:
			next, out.Dead = "alarm", true
		case !x.judged:
			next, out.Held = "gapz", true
		}
		if next != kind {
			end(x.from)
			kind, from = next, x.from
		}
	}
	end(list[len(list)-1].to)
	return blocks
}

// y is where a value stands in a lane.
func y(value, top float64, height int) float64 {
	return float64(height-laneFoot) - min(max(value/top, 0), 1)*float64(height-laneFoot-laneHead)
}

func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func (s *laneScale) grid(l *lane, top float64, values []float64, text func(float64) string, class func(float64) string) {
	for _, value := range values {
		at := y(value, top, l.Height)
		l.Lines = append(l.Lines, gridLine{Y: pixels(at), TextY: pixels(at + 4), Text: text(value), Class: class(value)})
	}
}

func plainLine(float64) string { return "" }

// rLane is R over time. Its levels are those of 70 and 50 on the narrowband scale, brought to the call's.
func (s *laneScale) rLane(list []stretch, ground []block) lane {
	l := lane{Unit: s.v.t("lane.r"), Height: tallLane, Inside: tallLane - laneHead - laneFoot, Ground: ground}
	wide := func(narrow float64) float64 { return narrow * maxR(s.scale) / 100 }
	top := maxR(s.scale)
	value := func(x *stretch) float64 { return x.r }
	s.grid(&l, top, []float64{0, wide(50), wide(70), top}, func(r float64) string { return collectors.Number(s.v.lang, r, 0) }, func(r float64) string {
		switch r {
		case wide(70):
			return "is-minor"
		case wide(50):
			return "is-critical"
		}
		return ""
	})
	l.Path = s.path(list, top, tallLane, value, math.Inf(1))
	l.Over = []overPath{{"is-minor", s.path(list, top, tallLane, value, wide(70))}, {"is-critical", s.path(list, top, tallLane, value, wide(50))}}
	low, high, ok := extremes(list, value)
	l.Label = s.v.t("lane.r.none")
	if ok {
		l.Label = s.v.t("lane.r.label", s.v.points(low), s.v.points(high))
	}
	return l
}

// maxR is the largest R of a scale.
func maxR(s mos.Scale) float64 {
	switch s {
	case mos.WB:
		return 129
	case mos.FB:
		return 148
	}
	return 100
}

func (s *laneScale) lossLane(list []stretch, ground []block) lane {
	l := lane{Unit: s.v.t("lane.loss"), Height: shortLane, Inside: shortLane - laneHead - laneFoot, Ground: ground}
	s.grid(&l, s.loss, []float64{0, s.loss / 2, s.loss}, s.v.number, plainLine)
	most, share := 0.0, barShare
	if len(list) > mostBars {
		share = 1
	}
	for _, x := range list {
		pct := x.lossPct()
		most = max(most, pct)
		if pct == 0 {
			continue
		}
		b := s.block(x)
		b.Width = s.percent(share * (x.to - x.from))
		at := y(pct, s.loss, shortLane)
		b.Class, b.Y, b.Height = s.class(x), pixels(at), pixels(max(float64(shortLane-laneFoot)-at, 1))
		if b.Class == "qn" {
			b.Class = "q70"
		}
		l.Bars = append(l.Bars, b)
	}
	l.Label = s.v.t("lane.loss.label", collectors.FormatUnit(s.v.lang, collectors.UnitPercent, most))
	return l
}

func (s *laneScale) lineLane(name string, list []stretch, ground []block, top float64, value func(*stretch) float64) lane {
	l := lane{Unit: s.v.t("lane." + name), Height: shortLane, Inside: shortLane - laneHead - laneFoot, Ground: ground, Label: s.v.t("lane." + name + ".none")}
	s.grid(&l, top, []float64{0, top / 2, top}, s.v.number, plainLine)
	l.Path = s.path(list, top, shortLane, value, math.Inf(1))
	if low, high, ok := extremes(list, value); ok {
		l.Label = s.v.t("lane."+name+".label", s.v.number(math.Round(low)), s.v.number(math.Round(high)))
	}
	return l
}

func extremes(list []stretch, value func(*stretch) float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for i := range list {
		if v := value(&list[i]); !math.IsNaN(v) {
			low, high, ok = min(low, v), max(high, v), true
		}
	}
	return low, high, ok
}

// path draws what is below a level, in steps: each stretch at its value, joined where neighbours are both known. What is not known is a gap.
func (s *laneScale) path(list []stretch, top float64, height int, value func(*stretch) float64, below float64) string {
	var b strings.Builder
	drawn := false
	for i := range list {
		x := &list[i]
		v := value(x)
		if math.IsNaN(v) || v >= below {
			drawn = false
			continue
		}
		at := pixels(y(v, top, height))
		if drawn {
			b.WriteString("V" + at)
		} else {
			b.WriteString("M" + short(wideLane*x.from/s.length) + " " + at)
		}
		b.WriteString("H" + short(wideLane*x.to/s.length))
		drawn = true
	}
	return b.String()
}
