package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/voice"
	"vigia/store"
)

// callBody is the page of one call.
type callBody struct {
	From, To string
	ID       string
	MOS      figure
	Scale    string // the scale of MOS and R in words
	R, Worst string // R of the call, and of the worst ten seconds; "" when there is none
	Band     bandMark
	Class    string // is-critical …: how the MOS is written
	Talked   string
	Facts    []callFact
	Say      string // what went wrong, as a sentence
	Beside   string // what there is to add to it
	Cost     *costBar
	Streams  []streamPanel
	Gone     bool // it has streams, but their intervals are not kept any more
	Ladder   callLadder
	Legend   callLegend
	Alike    string // address of calls like this one
	JSON     string // "" without the API
	CSV      string
}

// callFact is a name and what is known of it. URL leads to more.
type callFact struct{ Label, Value, URL string }

// call answers with the page of a call, or with its intervals as a file.
func (s *Server) call(v *visit) error {
	var start time.Time
	if text := v.r.URL.Query().Get("start"); text != "" {
		micros, err := strconv.ParseInt(text, 10, 64)
		if err != nil || micros <= 0 {
			return store.ErrNotFound
		}
		start = time.UnixMicro(micros)
	}
	c, err := s.cfg.Store.Call(v.ctx(), v.scope(), v.r.PathValue("id"), start)
	if err != nil {
		return err
	}
	if v.r.URL.Query().Get("format") == "csv" {
		return writeCSV(v, "call", intervalRows(&c))
	}
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	f := s.framed(v, w, "call", "calls", v.t("call.title", v.clock(c.Start)))
	f.Body = s.callBody(v, w.inv, &c)
	return s.show(v, 200, f)
}

func (s *Server) callBody(v *visit, inv *inventory.Inventory, c *voice.Call) callBody {
	b := callBody{
		From: dash(string(c.From)), To: dash(string(c.To)), ID: c.ID, MOS: v.callMOS(c), Band: v.bandMark(c), Talked: "–",
		Facts: v.callFacts(inv, c), Ladder: v.callLadder(c),
	}
	b.Class = b.Band.severityOf()
	if talk := talkOf(c); talk > 0 {
		b.Talked = v.span(talk)
	}
	if c.Scale != "" {
		b.Scale = v.t("scale." + scaleOf(c.Scale).String() + ".long")
	}
	worst := worstStream(c)
	if c.R != nil {
		b.R = v.points(*c.R)
		if worst != nil && worst.WorstR != nil {
			b.Worst = v.points(*worst.WorstR)
		}
	}
	blamed := costliest(c, worst)
	b.Say, b.Beside = v.callSentence(c, blamed), v.otherWay(c, worst)
	if blamed != nil {
		b.Cost = v.costBar(c, blamed)
	}
	b.Streams, b.Gone = v.streamPanels(c)
	for i := range b.Streams {
		b.Legend.add(&b.Streams[i])
	}
	base := "/calls/" + url.PathEscape(c.ID)
	at := strconv.FormatInt(c.Start.UnixMicro(), 10)
	b.CSV = base + "?start=" + at + "&format=csv"
	if s.cfg.API != nil {
		b.JSON = "/api/v1" + base + "?start=" + url.QueryEscape(c.Start.UTC().Format(time.RFC3339Nano))
	}
	b.Alike = alike(c)
	return b
}

// alike is the address of the calls of the same customer, trunk and cause of thirty days.
func alike(c *voice.Call) string {
	f := filter{path: "/calls", values: url.Values{"range": {"30d"}, "customer": {c.Customer}}}
	for key, value := range map[string]voice.Text{"trunk": c.Trunk, "cause": c.Cause} {
		if value != "" {
			f.values.Set(key, string(value))
		}
	}
	return f.with("", "")
}

// worstStream is the stream with the lowest R, or else one in which nothing was heard; nil when there is neither.
func worstStream(c *voice.Call) *voice.Stream {
	var worst *voice.Stream
	for i := range c.Streams {
		one := &c.Streams[i]
		switch {
		case one.OneWay && c.Cause == "one_way":
			return one
		case one.R != nil && (worst == nil || *one.R < *worst.R):
			worst = one
		}
	}
	return worst
}

// costliest is the stream in the worst one's direction that the call's cause cost most: through several legs that need not be the worst one.
func costliest(c *voice.Call, worst *voice.Stream) *voice.Stream {
	if worst == nil || worst.Attribution == nil {
		return worst
	}
	for i := range c.Streams {
		one := &c.Streams[i]
		if one.Direction != worst.Direction || one.Attribution == nil {
			continue
		}
		have, _ := costOf(one.Attribution, string(c.Cause))
		if most, _ := costOf(worst.Attribution, string(c.Cause)); have > most {
			worst = one
		}
	}
	return worst
}

// costOf is what one cause took from the MOS; known is false for what is no cause.
func costOf(a *voice.Attribution, cause string) (amount float64, known bool) {
	switch cause {
	case "loss":
		return a.Loss, true
	case "late":
		return a.Late, true
	case "delay":
		return a.Delay, true
	case "codec":
		return a.Codec, true
	}
	return 0, false
}

// points writes an R.
func (s *speaker) points(r float64) string { return collectors.Number(s.lang, r, 1) }

// score writes a MOS.
func (s *speaker) score(mos float64) string { return collectors.Number(s.lang, mos, 2) }

func (v *visit) callFacts(inv *inventory.Inventory, c *voice.Call) []callFact {
	list := []callFact{{v.t("call.customer"), v.customer(c.Customer), "/calls?" + url.Values{"customer": {c.Customer}}.Encode()}}
	add := func(key, value, link string) {
		if value != "" {
			list = append(list, callFact{v.t("call." + key), value, link})
		}
	}
	trunk := ""
	if inv.Trunk(string(c.Trunk)) != nil {
		trunk = pageOf(inventory.Ref{Kind: inventory.KindTrunk, Name: string(c.Trunk)})
	}
	add("trunk", string(c.Trunk), trunk)
	if inv.Site(string(c.Site)) != nil {
		add("site", string(c.Site), pageOf(inventory.Ref{Kind: inventory.KindSite, Name: string(c.Site)}))
	} else {
		add("site", string(c.Site), "")
	}
	add("codec", string(c.Codec), "")
	if c.CoveragePct != nil {
		add("covered", v.percent(*c.CoveragePct), "")
	}
	return list
}

// callSentence says what went wrong, or why nobody knows.
func (v *visit) callSentence(c *voice.Call, worst *voice.Stream) string {
	switch {
	case !spoken(c):
		return v.t("call.say.unanswered", v.callEnd(c))
	case c.Cause == "one_way" && worst != nil:
		return v.t("call.say.one_way." + worst.Direction)
	case c.Cause == "one_way":
		return v.t("call.say.one_way." + voice.UnknownDirection)
	case c.R == nil && slices.ContainsFunc(c.Streams, func(s voice.Stream) bool { return s.Encrypted }):
		return v.t("call.say.encrypted")
	case c.R == nil && len(c.Streams) > 0:
		return v.t("call.say.little")
	case c.R == nil:
		return v.t("call.say.silent")
	case c.Cause == "" || worst == nil || worst.Attribution == nil:
		return v.t("call.say.well", v.bandMark(c).Word)
	}
	amount, known := costOf(worst.Attribution, string(c.Cause))
	if !known {
		return v.t("call.say.other", string(c.Cause))
	}
	code := "call.say." + string(c.Cause)
	if c.Cause == "loss" || c.Cause == "late" {
		code += "." + worst.Direction
	}
	return v.t(code, v.score(amount))
}

// otherWay says how the best stream of the other direction was.
func (v *visit) otherWay(c *voice.Call, worst *voice.Stream) string {
	if worst == nil || c.Cause == "" || worst.Direction == voice.UnknownDirection {
		return ""
	}
	var other *voice.Stream
	for i := range c.Streams {
		one := &c.Streams[i]
		if one.Direction != worst.Direction && one.R != nil && (other == nil || *one.R < *other.R) {
			other = one
		}
	}
	if other == nil {
		return ""
	}
	return v.t("call.say.other_way", v.points(*other.R), v.bandOf(c.Scale, *other.R).Word)
}

// costBar is what each cause took from the MOS.
type costBar struct {
	Parts []costPart
	Lost  string // of what a call without fault has
}

// costPart is one cause. X and Width are in per cent of what was lost.
type costPart struct{ Class, Word, Value, X, Width string }

// costBar draws what a stream's MOS was lost to; nil when that is nothing.
func (v *visit) costBar(c *voice.Call, s *voice.Stream) *costBar {
	a := s.Attribution
	if a == nil || s.MOS == nil {
		return nil
	}
	shares := []struct {
		class string
		cost  float64
	}{{"late", a.Late}, {"loss", a.Loss}, {"delay", a.Delay}, {"codec", a.Codec}}
	all, at := 0.0, 0.0
	for _, x := range shares {
		all += max(x.cost, 0)
	}
	if all < 0.005 {
		return nil
	}
	bar := &costBar{}
	sum := a.Late + a.Loss + a.Delay + a.Codec
	bar.Lost = v.t("call.lost_of", v.score(sum), v.score(*s.MOS+sum), v.t("scale."+scaleOf(c.Scale).String()+".long"))
	for _, x := range shares {
		width := 100 * max(x.cost, 0) / all
		bar.Parts = append(bar.Parts, costPart{"a-" + x.class, v.t("call.cost." + x.class), v.score(x.cost), short(at), short(width)})
		at += width
	}
	return bar
}

// callEnd says how a call ended: the status and the cause of it, or what else is known.
func (s *speaker) callEnd(c *voice.Call) string {
	text := ""
	if c.Status >= 300 || c.Status >= 200 && c.Answered.IsZero() {
		text = s.sipStatus(c.Status)
	}
	if c.Q850 != 0 && c.Q850 != 16 {
		text = joinSaid(text, s.q850(c.Q850))
	}
	return cmp.Or(text, s.said("call.end.", c.Why))
}

// codeWord is a code with its words: 486, busy. Codes of which there are none stand for their class, or alone.
func (s *speaker) codeWord(prefix string, code, class int) string {
	number := strconv.Itoa(code)
	for _, key := range []string{number, strconv.Itoa(class) + "xx"} {
		if text, ok := s.words["web."+prefix+key]; ok {
			return number + " " + text.Say(s.lang)
		}
	}
	return number
}

func (s *speaker) sipStatus(code int) string { return s.codeWord("sip.", code, code/100) }

// q850 is a cause of ITU-T Q.850; its classes are its numbers by sixteen.
func (s *speaker) q850(code int) string { return s.t("q850.is", s.codeWord("q850.", code, code/16)) }
