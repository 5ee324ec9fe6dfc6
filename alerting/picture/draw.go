package picture

import (
	"math"
	"time"

	"github.com/go-analyze/charts"

	"vigia/collectors"
)

// Size of a picture: twice what it is shown at, so that it is sharp on any screen.
const (
	Width, Height = 1088, 420
	right, top    = 28, 24
	bottom        = Height - 52
	textSize      = 19
	axisGap       = 14
)

// The colours are those of Vigía's light pages.
var (
	paper  = charts.ColorRGB(255, 255, 255)
	ink    = charts.ColorRGB(94, 104, 115)
	grid   = charts.ColorRGB(226, 230, 233)
	line   = charts.ColorRGB(26, 115, 168)
	wrong  = charts.ColorRGB(200, 16, 46)
	marked = charts.ColorRGB(150, 158, 166)
)

type canvas struct {
	*plot
	*charts.Painter
	left int
	font charts.FontStyle
}

// draw makes the PNG.
func (p *plot) draw() ([]byte, error) {
	c := &canvas{
		plot:    p,
		Painter: charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputPNG, Width: Width, Height: Height}),
		font:    charts.FontStyle{FontSize: textSize, FontColor: ink, Font: charts.GetFont(charts.FontFamilyNotoSans)},
	}
	c.FilledRect(0, 0, Width, Height, paper, paper, 0)
	c.values()
	c.times()
	if c.opened.After(c.from) && c.opened.Before(c.to) {
		x := c.x(c.opened)
		c.DashedLineStroke([]charts.Point{{X: x, Y: top}, {X: x, Y: bottom}}, marked, 2, []float64{4, 6})
	}
	c.series()
	if c.crossed {
		y := c.y(c.threshold)
		c.DashedLineStroke([]charts.Point{{X: c.left, Y: y}, {X: Width - right, Y: y}}, wrong, 3, []float64{12, 8})
		c.limit(y)
	}
	return c.Bytes()
}

// values draws the value axis, and finds out how much room its words need.
func (c *canvas) values() {
	count := int(math.Round((c.high - c.low) / c.step))
	words := make([]string, count+1)
	for i := range words {
		words[i] = collectors.FormatValue(c.lang, c.metric, c.low+float64(i)*c.step)
		c.left = max(c.left, c.MeasureText(words[i], 0, c.font).Width()+2*axisGap)
	}
	for i, text := range words {
		y := c.y(c.low + float64(i)*c.step)
		c.LineStroke([]charts.Point{{X: c.left, Y: y}, {X: Width - right, Y: y}}, grid, 2)
		box := c.MeasureText(text, 0, c.font)
		if i == 0 || i == count || words[i-1] != text { // of yes and no there are only two
			c.Text(text, c.left-axisGap-box.Width(), y+box.Height()/2-2, 0, c.font)
		}
	}
}

// times draws the time axis: the half hours.
func (c *canvas) times() {
	const every = 30 * time.Minute
	first := c.from.In(c.zone).Truncate(every)
	for t := first; !t.After(c.to); t = t.Add(every) {
		if t.Before(c.from) {
			continue
		}
		text := t.Format("15:04")
		x, width := c.x(t), c.MeasureText(text, 0, c.font).Width()
		c.LineStroke([]charts.Point{{X: x, Y: bottom}, {X: x, Y: bottom + 6}}, marked, 2)
		if x-width/2 >= 0 && x+width/2 <= Width {
			c.Text(text, x-width/2, bottom+34, 0, c.font)
		}
	}
}

// series draws the line, piece by piece between gaps.
func (c *canvas) series() {
	var piece []charts.Point
	flush := func() {
		if len(piece) == 1 {
			c.Circle(3, piece[0].X, piece[0].Y, line, line, 1)
		} else if len(piece) > 1 {
			c.LineStroke(piece, line, 4)
		}
		piece = nil
	}
	for _, r := range c.list {
		if math.IsNaN(r.Value) {
			flush()
			continue
		}
		piece = append(piece, charts.Point{X: c.x(r.At), Y: c.y(r.Value)})
	}
	flush()
}

// limit writes the threshold's value on the side of its line where nothing is wrong.
func (c *canvas) limit(y int) {
	text := collectors.FormatValue(c.lang, c.metric, c.threshold)
	font := c.font
	font.FontColor = wrong
	box := c.MeasureText(text, 0, font)
	y += box.Height() + 6
	if c.below || y > bottom-4 {
		y -= box.Height() + 14
	}
	c.Text(text, c.left+10, y, 0, font)
}

func (c *canvas) x(t time.Time) int {
	part := float64(t.Sub(c.from)) / float64(c.to.Sub(c.from))
	return c.left + int(math.Round(min(max(part, 0), 1)*float64(Width-right-c.left)))
}

func (c *canvas) y(v float64) int {
	part := min(max((v-c.low)/(c.high-c.low), 0), 1)
	return bottom - int(math.Round(part*float64(bottom-top)))
}
