package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/voice"
	"vigia/mos"
	"vigia/store"
)

// callsBody is the search for calls.
type callsBody struct {
	Query     callFilter
	Rows      []callLine
	Bands     *bandBar // nil when the hourly figures do not say what is asked
	Older     string   // address of the next page; "" on the last
	Newest    string   // address of the first page; "" on it
	CSV       string
	Wider     string // address of the same search over thirty days; "" when it is as wide
	Live      bool
	Customers []string
	Trunks    []string
	Sites     []string
	Causes    []string
	Onlys     []string
}

// callLine is one call of a list.
type callLine struct {
	Key      string
	URL      string
	Start    string
	Took     string
	Customer string
	From, To string
	Trunk    string
	TrunkURL string
	Codec    string
	MOS      figure
	Scale    string
	Band     bandMark
	What     string // what cost most, or how it ended
	Covered  figure
}

const (
	callsPerPage = 100
	mostCallsCSV = 10_000
)

// The causes of a call, and what else a search can be narrowed to.
var (
	callCauses = []string{"loss", "late", "delay", "codec", "one_way"}
	callOnlys  = []string{"one_way", "unmeasured"}
)

// calls answers with one page of a search: one query in the order of time, which begins where the page before ended.
func (s *Server) calls(v *visit) error {
	f, err := readCallFilter(v)
	if err != nil {
		return err
	}
	if v.r.URL.Query().Get("format") == "csv" {
		return s.callsCSV(v, f)
	}
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	body := callsBody{
		Query: f, CSV: f.with("format", "csv"), Live: f.Live && f.ask.After.IsZero(), Causes: callCauses, Onlys: callOnlys,
		Customers: customerNames(w.inv, v.scope()), Sites: siteNames(w),
	}
	for _, t := range w.inv.Trunks {
		body.Trunks = append(body.Trunks, t.Name)
	}
	if f.narrow {
		body.Wider = f.with("range", "30d")
	}
	if !f.ask.After.IsZero() {
		body.Newest = f.with("after", "")
	}
	f.ask.Limit = callsPerPage + 1
	found, err := s.cfg.Store.Calls(v.ctx(), v.scope(), f.ask)
	if err != nil {
		return err
	}
	if len(found) > callsPerPage {
		found = found[:callsPerPage]
		body.Older = f.with("after", store.CallKeyOf(&found[callsPerPage-1]).String())
	}
	for i := range found {
		body.Rows = append(body.Rows, v.callLine(w.inv, &found[i]))
	}
	if body.Bands, err = s.callBands(v, w.inv, f); err != nil {
		return err
	}
	fr := s.framed(v, w, "calls", "calls", v.t("nav.calls"))
	fr.Body = body
	return s.show(v, 200, fr)
}

// customerNames are the customers that a reader may choose among.
func customerNames(inv *inventory.Inventory, scope store.Scope) []string {
	var names []string
	for _, c := range inv.Customers {
		names = append(names, c.Name)
	}
	if !slices.Contains(names, voice.Unassigned) {
		names = append(names, voice.Unassigned)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !scope.Sees(inventory.Ref{Kind: inventory.KindCustomer, Name: name}) })
}

// callURL is the address of a call's page. Calls of one Call-ID are told apart by when they began.
func callURL(c *voice.Call) string {
	return "/calls/" + url.PathEscape(c.ID) + "?start=" + strconv.FormatInt(c.Start.UnixMicro(), 10)
}

func (v *visit) callLine(inv *inventory.Inventory, c *voice.Call) callLine {
	l := callLine{
		Key: store.CallKeyOf(c).String(), URL: callURL(c), Start: v.clock(c.Start), Customer: v.customer(c.Customer), From: dash(string(c.From)), To: dash(string(c.To)),
		Trunk: string(c.Trunk), Codec: string(c.Codec), Band: v.bandMark(c), What: v.callWhat(c), Took: "–",
	}
	if talk := talkOf(c); talk > 0 {
		l.Took = v.span(talk)
	}
	if inv.Trunk(l.Trunk) != nil {
		l.TrunkURL = pageOf(inventory.Ref{Kind: inventory.KindTrunk, Name: l.Trunk})
	}
	l.MOS, l.Scale = v.callMOS(c), v.scale(c.Scale)
	l.Covered = nothing(v.t("call.unanswered"))
	if c.CoveragePct != nil {
		l.Covered = figure{Text: collectors.Number(v.lang, *c.CoveragePct, 0), Unit: "%"}
	}
	return l
}

func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// customer is a customer's name, or that nobody knows whose the call is.
func (s *speaker) customer(name string) string {
	if name == voice.Unassigned || name == "" {
		return s.t("call.unassigned")
	}
	return name
}

// callMOS is a call's MOS, or why there is none.
func (s *speaker) callMOS(c *voice.Call) figure {
	switch {
	case c.MOS != nil:
		return figure{Text: collectors.Number(s.lang, *c.MOS, 2)}
	case !spoken(c):
		return nothing(s.t("call.unanswered"))
	}
	return nothing(s.t("call.unmeasured"))
}

// scale is the short name of a scale: NB.
func (s *speaker) scale(scale voice.Text) string {
	if scale == "" {
		return ""
	}
	return s.t("scale." + scaleOf(scale).String())
}

// scaleOf is the scale of a call's word for it.
func scaleOf(word voice.Text) mos.Scale {
	for _, s := range []mos.Scale{mos.WB, mos.FB} {
		if string(word) == s.String() {
			return s
		}
	}
	return mos.NB
}

// spoken reports whether a call was answered, or was inferred from speech itself.
func spoken(c *voice.Call) bool { return !c.Answered.IsZero() || !c.Signalled }

// talkOf is how long was spoken; 0 for a call that was never answered.
func talkOf(c *voice.Call) time.Duration {
	from := c.Answered
	if from.IsZero() {
		from = c.Start
	}
	if !spoken(c) {
		return 0
	}
	return max(c.End.Sub(from), 0)
}

// callWhat is what cost a call most, in a word or two; of one that was never answered how it ended.
func (s *speaker) callWhat(c *voice.Call) string {
	switch {
	case c.Cause != "":
		return s.said("call.cause.", string(c.Cause))
	case !spoken(c):
		return s.callEnd(c)
	}
	return ""
}

// said says a word of a closed list; one of a later version stands as it is.
func (s *speaker) said(prefix, word string) string {
	if text, ok := s.words["web."+prefix+word]; ok {
		return text.Say(s.lang)
	}
	return word
}

// callsCSV sends what a search finds, the newest first, page by page.
func (s *Server) callsCSV(v *visit, f callFilter) error {
	out := [][]string{{"start", "answered", "end", "customer", "from", "to", "trunk", "site", "country", "codec", "mos", "scale", "r", "cause", "coverage_pct", "sip_status", "q850", "call_id"}}
	f.ask.Limit = 1000
	for len(out) <= mostCallsCSV {
		found, err := s.cfg.Store.Calls(v.ctx(), v.scope(), f.ask)
		if err != nil {
			return err
		}
		for i := range found {
			out = append(out, callCSV(&found[i]))
		}
		if len(found) < f.ask.Limit {
			break
		}
		f.ask.After = store.CallKeyOf(&found[len(found)-1])
	}
	return writeCSV(v, "calls", out)
}

func callCSV(c *voice.Call) []string {
	code := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return []string{
		c.Start.UTC().Format(time.RFC3339Nano), stamp(c.Answered), stamp(c.End), c.Customer, string(c.From), string(c.To), string(c.Trunk), string(c.Site),
		string(c.Country), string(c.Codec), plainOf(c.MOS), string(c.Scale), plainOf(c.R), string(c.Cause), plainOf(c.CoveragePct), code(c.Status), code(c.Q850), c.ID,
	}
}

// plainOf writes a figure for machines: nothing for what was not measured.
func plainOf(v *float64) string {
	if v == nil {
		return ""
	}
	return plain(*v)
}
