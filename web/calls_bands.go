package web

import (
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/voice"
	"vigia/mos"
	"vigia/store"
)

// bandMark is a band of quality as three things at once: how many steps stand, the band's words, its colour.
type bandMark struct {
	Class string // q60; "" for a call without R
	Steps int    // 1 for the worst band to 6 for the best
	Word  string
}

// bandClasses are the classes of the bands of package mos, the worst first.
var bandClasses = [...]string{"q0", "q50", "q60", "q70", "q80", "q90"}

// bandOf is the mark of an R.
func (s *speaker) bandOf(scale voice.Text, r float64) bandMark {
	band := int(mos.BandOf(scaleOf(scale), r))
	return bandMark{Class: bandClasses[band], Steps: band + 1, Word: s.t("band." + bandClasses[band])}
}

func (s *speaker) bandMark(c *voice.Call) bandMark {
	if c.R == nil {
		return bandMark{Word: s.callMOS(c).Why}
	}
	return s.bandOf(c.Scale, *c.R)
}

// severityOf is the class in which a band is written large: colour begins where people are not content.
func (m bandMark) severityOf() string {
	switch m.Class {
	case "q60":
		return "is-minor"
	case "q50":
		return "is-major"
	case "q0":
		return "is-critical"
	}
	return ""
}

// bandBar is how many calls fell into each band, as a bar and in figures.
type bandBar struct {
	Parts []bandPart // that have calls, the best first, those without R last
	Calls int64
	Text  string // how many, of which time
	URL   string // of these calls; "" where they stand already
	Bad   string // address of those that people would not put up with
}

// bandPart is one band of a bar. X and Width are in per cent.
type bandPart struct {
	bandMark
	X, Width string
	Calls    string
	Share    string
}

// longestUnowned is over how long hourly figures of all customers together are added up while somebody waits.
const longestUnowned = 8 * 24 * time.Hour

// callBands is what the hourly figures say about a search; nil when they cannot.
func (s *Server) callBands(v *visit, inv *inventory.Inventory, f callFilter) (*bandBar, error) {
	dimension, value, ok := f.figuresSay()
	to := f.ask.Until
	if to.IsZero() || to.After(v.now) {
		to = v.now
	}
	if !ok || !f.ask.After.IsZero() || f.Customer == "" && to.Sub(f.ask.Since) > longestUnowned {
		return nil, nil
	}
	ask := store.MarginalFilter{Customer: f.Customer, From: f.ask.Since.Truncate(time.Hour), To: to, Dimension: dimension}
	if value != "" {
		ask.Values = []string{value}
	}
	bar, err := s.bandBar(v, ask)
	if err != nil || bar.Calls == 0 {
		return nil, err
	}
	bar.Text = v.counted("calls.bands", bar.Calls, v.brief(ask.From))
	return &bar, nil
}

// bandBar adds up hourly figures, also those of customers that are no longer configured.
func (s *Server) bandBar(v *visit, ask store.MarginalFilter) (bandBar, error) {
	ask.Together = true
	found, err := s.cfg.Store.Marginals(v.ctx(), v.scope(), ask)
	if err != nil {
		return bandBar{}, err
	}
	var bands store.Bands
	for _, m := range found {
		for i, n := range m.Bands {
			bands[i] += n
		}
	}
	return v.drawBands(bands), nil
}

// drawBands makes the bar.
func (v *visit) drawBands(bands store.Bands) bandBar {
	bar := bandBar{Calls: bands.Calls()}
	at := 0.0
	for i, n := range bands {
		if n == 0 {
			continue
		}
		p := bandPart{bandMark: bandMark{Class: "qn", Word: v.t("call.unmeasured")}, Calls: collectors.Number(v.lang, float64(n), 0)}
		if band := len(bandClasses) - 1 - i; band >= 0 {
			p.bandMark = bandMark{Class: bandClasses[band], Steps: band + 1, Word: v.t("band." + bandClasses[band])}
		}
		width := 100 * float64(n) / float64(bar.Calls)
		p.X, p.Width, p.Share = short(at), strconv.FormatFloat(width, 'f', 2, 64), v.percent(width)
		at += width
		bar.Parts = append(bar.Parts, p)
	}
	return bar
}

// counted is count with a number that is grouped: argument 0.
func (s *speaker) counted(code string, n int64, args ...any) string {
	form := ".many"
	if n == 1 {
		form = ".one"
	}
	return s.t(code+form, append([]any{collectors.Number(s.lang, float64(n), 0)}, args...)...)
}

// trunkCalls is today's calls of a trunk, by band; nil for what is no trunk.
func (s *Server) trunkCalls(v *visit, inv *inventory.Inventory, ref inventory.Ref) (*bandBar, error) {
	if ref.Kind != inventory.KindTrunk {
		return nil, nil
	}
	year, month, day := v.now.In(v.zone).Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, v.zone)
	bar, err := s.bandBar(v, store.MarginalFilter{From: midnight, To: v.now, Dimension: store.ByTrunk, Values: []string{ref.Name}})
	if err != nil {
		return nil, err
	}
	f := filter{path: "/calls", values: map[string][]string{"trunk": {ref.Name}, "since": {midnight.Format(fieldTime)}}}
	bar.URL = f.with("", "")
	bar.Bad = f.with("mos", "3.1")
	bar.Text = v.t("calls.none_today")
	if bar.Calls > 0 {
		bar.Text = v.counted("calls.today", bar.Calls)
	}
	return &bar, nil
}
