package web

import (
	"math"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
)

// spark is a sparkline's paths in a box of 100 by 24. Over is the part beyond a threshold, in the class's colour.
type spark struct {
	Line, Fill, Over string
	Class            string
}

// Empty reports whether there is nothing to draw.
func (s spark) Empty() bool { return s.Line == "" }

const (
	sparkWide = 100.0
	sparkTall = 24.0
)

// drawSpark draws points over [from, to]. A distance of more than gap is never bridged. Zero is the floor.
func drawSpark(points []point, from, to time.Time, gap time.Duration, tier *alerting.Tier) spark {
	if len(points) < 2 {
		return spark{}
	}
	top := 0.0
	for _, p := range points {
		top = max(top, p.Mean)
	}
	if tier != nil && !tier.Below() && top > tier.Raise/2 {
		top = max(top, tier.Raise)
	}
	if top <= 0 {
		top = 1
	}
	pen := sparkPen{from: from, wide: sparkWide / to.Sub(from).Seconds(), tall: (sparkTall - 3) / top, tier: tier}
	bucket := to.Sub(from) / sparkPoints
	for i, p := range points {
		if i > 0 && p.At.Sub(points[i-1].At) > max(gap, 3*bucket) {
			pen.lift()
		}
		pen.to(p)
	}
	pen.lift()
	out := spark{Line: pen.line.String(), Fill: pen.fill.String(), Over: pen.over.String()}
	if tier != nil && out.Over != "" {
		out.Class = "is-" + tier.Severity.String()
	}
	return out
}

// sparkPen draws runs of points without a gap.
type sparkPen struct {
	from             time.Time
	wide, tall       float64
	tier             *alerting.Tier
	line, fill, over strings.Builder
	run              []xy
}

type xy struct{ x, y, v float64 }

func (p *sparkPen) to(pt point) {
	p.run = append(p.run, xy{
		x: math.Max(pt.At.Sub(p.from).Seconds()*p.wide, 0), y: sparkTall - 1.5 - math.Max(pt.Mean, 0)*p.tall, v: pt.Mean,
	})
}

// lift ends a run.
func (p *sparkPen) lift() {
	run := p.run
	p.run = p.run[:0]
	if len(run) == 0 {
		return
	}
	if len(run) == 1 { // one point alone is a dash that can be seen
		run = append(run, xy{run[0].x + 0.8, run[0].y, run[0].v})
	}
	writeRun(&p.line, run)
	writeRun(&p.fill, run)
	p.fill.WriteString("V24H" + short(run[0].x) + "z")
	if p.tier == nil {
		return
	}
	for i := 1; i < len(run); i++ {
		p.beyond(run[i-1], run[i])
	}
}

// beyond draws the part of one stretch that has crossed the level.
func (p *sparkPen) beyond(a, b xy) {
	inA, inB := p.tier.Crossed(a.v), p.tier.Crossed(b.v)
	if !inA && !inB {
		return
	}
	if inA != inB && a.v != b.v {
		f := (p.tier.Raise - a.v) / (b.v - a.v)
		cut := xy{a.x + f*(b.x-a.x), a.y + f*(b.y-a.y), p.tier.Raise}
		if inA {
			b = cut
		} else {
			a = cut
		}
	}
	writeRun(&p.over, []xy{a, b})
}

func writeRun(to *strings.Builder, run []xy) {
	for i, q := range run {
		if i == 0 {
			to.WriteByte('M')
		} else {
			to.WriteByte('L')
		}
		to.WriteString(short(q.x))
		to.WriteByte(' ')
		to.WriteString(short(q.y))
	}
}

func short(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(math.Round(v*10)/10, 'f', 1, 64), ".0")
}
