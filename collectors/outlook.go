package collectors

import (
	"slices"
	"time"
)

// Moment is a value at a time; of several samples their mean.
type Moment struct {
	At    time.Time
	Value float64
}

// Outlook is where a disk's fullness is going.
type Outlook int

// The outlooks.
const (
	TooLittle Outlook = iota // less history than a forecast needs
	Steady                   // it does not grow, or nobody can tell, or it has more than a year
	Filling                  // it is full at a known time if it goes on like this
)

// Forecast is what the last days of a disk say about the next ones.
type Forecast struct {
	Outlook Outlook
	Full    time.Time // when it is filling
}

// What a forecast is made of: the last ForecastSpan, drawn together to ForecastPoints or a few times as many.
const (
	ForecastSpan   = 7 * 24 * time.Hour
	ForecastPoints = 200
	forecastLeast  = 6 * time.Hour // of history
	forecastFewest = 12            // points
	forecastMost   = 365 * 24 * time.Hour
	cleanup        = 2.0 // percentage points that vanish at once: somebody, or a rotation, has tidied up
)

// Foresee fits a line through fullness in percent, robustly (Theil–Sen: the median of the slopes of all pairs of points), and follows it to
// one hundred from the newest point. When the middle 80 % of the slopes lie on both sides of zero nothing is growing for certain: a wave, a
// single step, a rotation. One clean-up within the time begins the history anew; several are a rotation and belong to the picture.
func Foresee(points []Moment) Forecast {
	points = sinceCleanup(points)
	if len(points) < forecastFewest || points[len(points)-1].At.Sub(points[0].At) < forecastLeast {
		return Forecast{Outlook: TooLittle}
	}
	low, middle, high := slopes(thinned(points, ForecastPoints))
	if low <= 0 && high >= 0 || middle <= 0 {
		return Forecast{Outlook: Steady}
	}
	last := points[len(points)-1]
	left := max(100-last.Value, 0) / middle // hours
	if left > forecastMost.Hours() {
		return Forecast{Outlook: Steady}
	}
	return Forecast{Outlook: Filling, Full: last.At.Add(time.Duration(left * float64(time.Hour)))}
}

// sinceCleanup is what came after the only clean-up; all points when there was none or more than one.
func sinceCleanup(points []Moment) []Moment {
	begin, found := 0, 0
	falling := false
	for i := 1; i < len(points); i++ {
		falls := points[i].Value <= points[i-1].Value-cleanup
		if falls && !falling {
			found++
		}
		if falls {
			begin = i
		}
		falling = falls
	}
	if found == 1 {
		return points[begin:]
	}
	return points
}

// slopes are the 10th, 50th and 90th percentile of the slopes between all pairs of points, per hour.
func slopes(points []Moment) (low, middle, high float64) {
	list := make([]float64, 0, len(points)*(len(points)-1)/2)
	for i, a := range points {
		for _, b := range points[i+1:] {
			if hours := b.At.Sub(a.At).Hours(); hours > 0 {
				list = append(list, (b.Value-a.Value)/hours)
			}
		}
	}
	if len(list) == 0 {
		return 0, 0, 0
	}
	slices.Sort(list)
	at := func(share float64) float64 { return list[int(share*float64(len(list)-1))] }
	return at(0.1), at(0.5), at(0.9)
}

// thinned leaves out points evenly until there are at most n.
func thinned(points []Moment, n int) []Moment {
	if len(points) <= n {
		return points
	}
	kept := make([]Moment, n)
	for i := range kept {
		kept[i] = points[i*(len(points)-1)/(n-1)]
	}
	return kept
}
