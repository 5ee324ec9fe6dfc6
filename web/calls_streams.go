package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"vigia/collectors"
	"vigia/collectors/voice"
)

// streamPanel is one direction of one leg.
type streamPanel struct {
	Title   string
	Leg     string // which leg it is and where it runs
	SSRC    string
	MOS     figure
	R       string
	Band    bandMark
	Class   string
	Head    string // the figures of its head
	Rows    []streamRow
	Cost    *costBar
	Vendor  string // what the endpoint or a system in the middle says; "" when nobody says anything
	Differs string
	Odd     bool // that is far from ours
	Marks   []string
	Lanes   *lanes // nil without intervals
	Wide    bool
}

// streamRow is one input or figure: what it is, how it is known.
type streamRow struct {
	Name, Value, How string
	Guess            bool // assumed or modelled, not measured
}

// streamPanels are a call's streams, leg by leg, the worse direction first. Gone: there are streams, and no intervals of any.
func (v *visit) streamPanels(c *voice.Call) (list []streamPanel, gone bool) {
	order := make([]*voice.Stream, len(c.Streams))
	for i := range c.Streams {
		order[i] = &c.Streams[i]
	}
	slices.SortStableFunc(order, func(a, b *voice.Stream) int { return cmp.Or(cmp.Compare(a.Leg, b.Leg), lowest(a.R, b.R)) })
	all := make([][]voice.Interval, len(order))
	for i, s := range order {
		all[i] = voice.Intervals(s.Packed)
	}
	scale := v.laneScale(c, all)
	for i, s := range order {
		p := v.streamPanel(c, s)
		p.Lanes = scale.draw(i, all[i])
		p.Wide = i == len(order)-1 && i%2 == 0
		list = append(list, p)
	}
	return list, len(list) > 0 && !slices.ContainsFunc(all, func(one []voice.Interval) bool { return len(one) > 0 })
}

// lowest orders by value, what has none last.
func lowest(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

func (v *visit) streamPanel(c *voice.Call, s *voice.Stream) streamPanel {
	p := streamPanel{
		Title: v.said("way.", s.Direction), Leg: v.said("side.", string(s.Side)), SSRC: "0x" + strconv.FormatUint(uint64(s.SSRC), 16),
		MOS: nothing(v.t("call.unmeasured")), Band: bandMark{Word: v.t("call.unmeasured")}, Rows: v.streamRows(c, s), Cost: v.costBar(c, s),
	}
	if p.Cost != nil {
		p.Cost.Lost = "" // said once, above
	}
	if c.Legs > 1 {
		p.Leg = v.t("leg.no", s.Leg+1) + ", " + p.Leg
	}
	if s.MOS != nil {
		p.MOS = figure{Text: v.score(*s.MOS), Unit: v.scale(c.Scale)}
	}
	if s.R != nil {
		p.R, p.Band = v.points(*s.R), v.bandOf(c.Scale, *s.R)
		p.Class = p.Band.severityOf()
	}
	for _, mark := range []struct {
		on   bool
		code string
	}{{s.OneWay, "mark.one_way"}, {s.Encrypted, "mark.encrypted"}, {s.Closed, "mark.closed"}} {
		if mark.on {
			p.Marks = append(p.Marks, v.t(mark.code))
		}
	}
	if s.VendorMOS != nil {
		p.Vendor, p.Odd = v.score(*s.VendorMOS), s.Disagrees
		if s.MOS != nil {
			p.Differs = v.vendorDiffers(*s.VendorMOS-*s.MOS, s.Disagrees)
		}
	}
	return p
}

// vendorDiffers says how far the other's score is from ours.
func (v *visit) vendorDiffers(by float64, far bool) string {
	code := "vendor.same"
	switch {
	case by >= 0.005:
		code = "vendor.above"
	case by <= -0.005:
		code = "vendor.below"
	}
	text := v.t(code, v.score(max(by, -by)))
	if far {
		text += ". " + v.t("vendor.far")
	}
	return text
}

// streamRows are a stream's figures with how each is known, then what else the score rests on.
func (v *visit) streamRows(c *voice.Call, s *voice.Stream) []streamRow {
	assumed := func(word string) bool { return slices.Contains(s.Assumed, word) }
	var rows []streamRow
	add := func(name, value, how string, guess bool) {
		rows = append(rows, streamRow{v.t("stream." + name), cmp.Or(value, "–"), v.t("how." + how), guess})
	}
	switch {
	case assumed("codec"):
		add("codec", s.Codec, "assumed", true)
	case s.Codec == "":
		add("codec", "", "unmeasured", false)
	case c.Signalled:
		add("codec", s.Codec, "agreed", false)
	default:
		add("codec", s.Codec, "reported", false)
	}
	if s.Packets != nil && s.Lost != nil {
		add("packets", v.t("stream.lost_of", v.number(float64(*s.Lost)), v.number(float64(*s.Packets))), "measured", false)
	}
	loss := howKnown(s.LossPct, "measured")
	if assumed("loss") {
		loss = "assumed_none"
	}
	add("loss", v.percentOf(s.LossPct), loss, assumed("loss"))
	late := howKnown(s.LatePct, "measured")
	if assumed("late") {
		late = cmp.Or(map[bool]string{true: "modelled"}[s.LatePct != nil], "assumed_none")
	}
	add("late", v.percentOf(s.LatePct), late, assumed("late"))
	add("jitter", v.unitOf(s.JitterMS, collectors.UnitMS), howKnown(s.JitterMS, "measured"), false)
	rtt := howKnown(s.RTTMS, "measured")
	switch {
	case assumed("rtt_one_side"):
		rtt = "one_side"
	case assumed("rtt"):
		rtt = "listening"
	}
	add("rtt", v.unitOf(s.RTTMS, collectors.UnitMS), rtt, assumed("rtt_one_side") || assumed("rtt"))
	if s.R != nil {
		add("worst", v.pointsOf(s.WorstR), "computed", false)
		add("below", v.belowOf(s), "computed", false)
		add("perceived", v.pointsOf(s.RPerceived), "computed", false)
	}
	return append(rows, v.assumptions(s)...)
}

// howKnown is how a figure is known that may not have been measured.
func howKnown(figure *float64, how string) string {
	if figure == nil {
		return "unmeasured"
	}
	return how
}

// saidElsewhere are the assumptions that stand beside the figure that they are about.
var saidElsewhere = []string{"codec", "loss", "late", "rtt", "rtt_one_side"}

// assumptions are the other things that a score rests on and that nobody measured.
func (v *visit) assumptions(s *voice.Stream) []streamRow {
	var rows []streamRow
	for _, word := range s.Assumed {
		if slices.Contains(saidElsewhere, word) {
			continue
		}
		name, value, _ := strings.Cut(v.said("assumed.", word), ": ")
		rows = append(rows, streamRow{Name: name, Value: value, How: v.t("how.assumed"), Guess: true})
	}
	return rows
}

func (v *visit) percentOf(f *float64) string { return v.unitOf(f, collectors.UnitPercent) }

func (v *visit) unitOf(f *float64, unit collectors.Unit) string {
	if f == nil {
		return ""
	}
	return collectors.FormatUnit(v.lang, unit, *f)
}

func (v *visit) pointsOf(f *float64) string {
	if f == nil {
		return ""
	}
	return "R " + v.points(*f)
}

func (v *visit) belowOf(s *voice.Stream) string {
	if s.Below70 == nil || s.Below60 == nil {
		return ""
	}
	return v.number(*s.Below70) + " s / " + v.number(*s.Below60) + " s"
}
