package web

import (
	"slices"
	"time"
)

// outlook is where a disk's fullness is going.
type outlook int

const (
	tooLittle outlook = iota // less history than a forecast needs
	steady                   // it does not grow, or nobody can tell, or it has more than a year
	filling                  // it is full at a known time if it goes on like this
)

// forecast is what the last days of a disk say about the next ones.
type forecast struct {
	Outlook outlook
	Full    time.Time // when it is filling
}

// What a forecast is made of.
const (
	forecastSpan   = 7 * 24 * time.Hour
	forecastPoints = 200
	forecastLeast  = 6 * time.Hour // of history
	forecastFewest = 12            // points
	forecastMost   = 365 * 24 * time.Hour
	cleanup        = 2.0 // percentage points that vanish at once: somebody, or a rotation, has tidied up
)

// foresee fits a line through fullness in percent, robustly (Theil–Sen: the median of the slopes of all pairs of points), and follows it to
// one hundred from the newest point. When the middle 80 % of the slopes lie on both sides of zero nothing is growing for certain: a wave, a
// single step, a rotation. One clean-up within the time begins the history anew; several are a rotation and belong to the picture.
func foresee(points []point) forecast {
	points = sinceCleanup(points)
	if len(points) < forecastFewest || points[len(points)-1].At.Sub(points[0].At) < forecastLeast {
		return forecast{Outlook: tooLittle}
	}
	low, middle, high := slopes(thinned(points, forecastPoints))
	if low <= 0 && high >= 0 || middle <= 0 {
		return forecast{Outlook: steady}
	}
	last := points[len(points)-1]
	left := max(100-last.Mean, 0) / middle // hours
	if left > forecastMost.Hours() {
		return forecast{Outlook: steady}
	}
	return forecast{Outlook: filling, Full: last.At.Add(time.Duration(left * float64(time.Hour)))}
}

// sinceCleanup is what came after the only clean-up; all points when there was none or more than one.
func sinceCleanup(points []point) []point {
	begin, found := 0, 0
	falling := false
	for i := 1; i < len(points); i++ {
		falls := points[i].Mean <= points[i-1].Mean-cleanup
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
func slopes(points []point) (low, middle, high float64) {
	list := make([]float64, 0, len(points)*(len(points)-1)/2)
	for i, a := range points {
		for _, b := range points[i+1:] {
			if hours := b.At.Sub(a.At).Hours(); hours > 0 {
				list = append(list, (b.Mean-a.Mean)/hours)
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
func thinned(points []point, n int) []point {
	if len(points) <= n {
		return points
	}
	kept := make([]point, n)
	for i := range kept {
		kept[i] = points[i*(len(points)-1)/(n-1)]
	}
	return kept
}
