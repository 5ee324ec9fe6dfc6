package store

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// Band is where the R of a call lies, by the categories of ITU-T G.107, each named after what it begins at. R of wider scales is brought to
// that of narrowband by who rates the call.
type Band int

// The bands, the best one first.
const (
	VerySatisfied         Band = iota // R is 90 or more
	Satisfied                         // 80
	SomeDissatisfied                  // 70
	ManyDissatisfied                  // 60
	NearlyAllDissatisfied             // 50
	NotRecommended                    // less
	NotRated                          // no R: nothing was measured, or too little. That is not good, and is counted apart
)

// Bands counts calls by their Band.
type Bands [NotRated + 1]int64

// Calls is how many there are in all bands.
func (b Bands) Calls() (n int64) {
	for _, count := range b {
		n += count
	}
	return n
}

// Dimension is one property of a call by which figures are kept, such as {"trunk", "carrier-a"}.
type Dimension struct{ Name, Value string }

// AllCalls is the name of the dimension that holds every call, under an empty value. It is added by itself.
const AllCalls = "all"

// Figure is one measured value, or that there is none.
type Figure struct {
	Value float64
	Known bool
}

// Known is a figure that was measured.
func Known(v float64) Figure { return Figure{v, true} }

// CallFigures is what one call adds to the hourly figures of its customer. Whoever keeps calls keeps these with each, as they are: to amend a
// call takes the old ones back and adds the new ones.
type CallFigures struct {
	Customer   string
	At         time.Time   // when it began; it counts in that hour, UTC
	Dimensions []Dimension // besides AllCalls; who names them bounds how many values there are
	Band       Band
	Scale      string // of R and MOS: nb, wb or fb; empty when it is not rated
	OneWay     bool   // heard in one direction only
	Talk       time.Duration
	Covered    time.Duration // of Talk, what measurements cover
	R, MOS     Figure        // both known, or neither, and then the band is NotRated
	LossPct    Figure        // can be negative (duplicates)
	JitterMs   Figure
	RTTMs      Figure
}

// Contribution is a call that is added to the figures, or taken back.
type Contribution struct {
	Call CallFigures
	Back bool
}

// ErrFigures says that a call cannot have such figures.
var ErrFigures = errors.New("no call has such figures")

// Check reports, as an error that is ErrFigures, why the figures cannot be those of a call.
func (c *CallFigures) Check() error {
	why := ""
	switch {
	case c.Customer == "":
		why = "no customer"
	case c.At.Unix() <= 0:
		why = "no time"
	case c.Band < 0 || c.Band > NotRated:
		why = fmt.Sprintf("the band %d", c.Band)
	case c.R.Known != (c.Band != NotRated) || c.MOS.Known != c.R.Known || (c.Scale == "") == c.R.Known:
		why = "R, MOS and their scale not together with a band"
	case c.Talk < 0 || c.Covered < 0 || c.Talk > 366*dayLong || c.Covered > 366*dayLong:
		why = fmt.Sprintf("a duration of %s, of which %s are covered", c.Talk, c.Covered)
	}
	for _, d := range c.Dimensions {
		if d.Name == "" || d.Name == AllCalls {
			why = fmt.Sprintf("a dimension %q", d.Name)
		}
	}
	for _, f := range []struct {
		name      string
		f         Figure
		low, high float64
	}{{"R", c.R, -200, 200}, {"MOS", c.MOS, 0, 5}, {"loss", c.LossPct, -1e6, 100}, {"jitter", c.JitterMs, 0, 1e7}, {"rtt", c.RTTMs, 0, 1e7}} {
		if f.f.Known && (math.IsNaN(f.f.Value) || f.f.Value < f.low || f.f.Value > f.high) {
			why = fmt.Sprintf("%s %v", f.name, f.f.Value)
		}
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w: %s (customer %q, %s)", ErrFigures, why, c.Customer, c.At.UTC().Format(time.RFC3339))
}

// The places of what is added up, in the order of marginalColumns. The bands come first.
const (
	atOneWay = int(NotRated) + 1 + iota
	atTalk
	atCovered
	atR
	atR2
	atMOS
	atMOS2
	atLossCalls
	atLoss
	atJitterCalls
	atJitter
	atRTTCalls
	atRTT
	marginalWidth
)

// marginalColumns are the columns of call_hours that add up, but for calls, which is the sum of the first seven.
var marginalColumns = [marginalWidth]string{
	"r90", "r80", "r70", "r60", "r50", "r0", "unrated", "one_way", "talk_ms", "covered_ms", "r_sum", "r_squares", "mos_sum", "mos_squares",
	"loss_calls", "loss_sum", "jitter_calls", "jitter_sum", "rtt_calls", "rtt_sum",
}

// sums are what a row of call_hours adds up, in whole numbers: adding and taking back in any order leaves exactly what is left.
type sums [marginalWidth]int64

// Units of sums: how many make one.
const (
	unitR    = 1_000
	unitMOS  = 10_000
	unitLoss = 10_000 // of a per cent: millionths
	unitMs   = 1_000  // of a millisecond
)

func (s *sums) calls() int64 { return s.bands().Calls() }

func (s *sums) bands() (b Bands) {
	copy(b[:], s[:])
	return b
}

// add adds what another has, so many times.
func (s *sums) add(other *sums, times int64) {
	for i, v := range other {
		s[i] += times * v
	}
}

// onlyGrows reports whether there are more calls and no count is lower.
func (s *sums) onlyGrows() bool {
	for i, v := range s {
		if v < 0 && (i <= atCovered || i == atLossCalls || i == atJitterCalls || i == atRTTCalls) {
			return false
		}
	}
	return s.calls() > 0
}

// figure is a value in whole units.
func figure(f Figure, unit float64) int64 {
	if !f.Known {
		return 0
	}
	return int64(math.Round(f.Value * unit))
}

// sums is what the call adds.
func (c *CallFigures) sums() (s sums) {
	s[c.Band] = 1
	s[atOneWay] = counts(c.OneWay)
	s[atTalk], s[atCovered] = c.Talk.Milliseconds(), c.Covered.Milliseconds()
	s[atR], s[atMOS] = figure(c.R, unitR), figure(c.MOS, unitMOS)
	s[atR2], s[atMOS2] = s[atR]*s[atR], s[atMOS]*s[atMOS]
	s[atLossCalls], s[atLoss] = counts(c.LossPct.Known), figure(c.LossPct, unitLoss)
	s[atJitterCalls], s[atJitter] = counts(c.JitterMs.Known), figure(c.JitterMs, unitMs)
	s[atRTTCalls], s[atRTT] = counts(c.RTTMs.Known), figure(c.RTTMs, unitMs)
	return s
}

func counts(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// longestValue is how many octets of a value, a dimension or a customer are kept: an index takes no more than some thousand.
const longestValue = 200

// shortText cuts a text that came from the wire, always in the same place.
func shortText(s string) string { return cutText(cleanText(s), longestValue) }

// cutText is the beginning of a text, not longer than so many octets.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
