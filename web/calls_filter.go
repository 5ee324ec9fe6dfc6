package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/store"
)

// callFilter is what a search for calls is asked for; it stands in the URL.
type callFilter struct {
	Number, Customer, Trunk, Place, Cause, Only string
	MaxMOS                                      string
	Since, Until                                string // as the form's fields hold them, in the reader's zone; "" while Range stands
	Range                                       string // key of a preset
	Presets                                     []pageLink
	Folded                                      bool // none of the fields is set that the form folds away
	Chips                                       []chip
	Live                                        bool // its end is now
	filter

	ask    store.CallFilter
	narrow bool // a preset shorter than the longest
}

const (
	usualCallRange = "24h"
	fieldTime      = "2006-01-02T15:04" // of <input type="datetime-local">
)

// readCallFilter reads the address. What makes no sense is left out, but for a page's beginning, which is an error.
func readCallFilter(v *visit) (callFilter, error) {
	q := v.r.URL.Query()
	f := callFilter{
		Number: trimmed(q, "number"), Customer: trimmed(q, "customer"), Trunk: trimmed(q, "trunk"), Place: trimmed(q, "site"),
		Cause: oneOf(q, "cause", callCauses), Only: oneOf(q, "only", callOnlys),
	}
	if after := q.Get("after"); after != "" {
		key, err := store.ParseCallKey(after)
		if err != nil {
			return f, store.ErrNotFound
		}
		f.ask.After = key
	}
	for _, gone := range []string{"part", "format", "after"} {
		q.Del(gone)
	}
	for key, list := range q {
		if strings.Join(list, "") == "" { // an empty field of the form
			q.Del(key)
		}
	}
	f.filter = filter{path: "/calls", values: q}
	f.readTimes(v, q)
	mos, err := strconv.ParseFloat(strings.Replace(trimmed(q, "mos"), ",", ".", 1), 64)
	if err == nil && mos >= 1 && mos <= 5 {
		f.MaxMOS, f.ask.MaxMOS = strconv.FormatFloat(mos, 'f', -1, 64), mos
	}
	f.ask.Number, f.ask.Customer, f.ask.Trunk, f.ask.Site, f.ask.Cause = f.Number, f.Customer, f.Trunk, f.Place, f.Cause
	f.ask.OneWay, f.ask.Unmeasured = f.Only == "one_way", f.Only == "unmeasured"
	f.Folded = f.Place == "" && f.Only == "" && f.Range != ""
	f.addChips(v)
	return f, nil
}

func trimmed(q url.Values, key string) string { return strings.TrimSpace(q.Get(key)) }

// oneOf is a value of the address that is among those there are, else nothing.
func oneOf(q url.Values, key string, values []string) string {
	if value := q.Get(key); slices.Contains(values, value) {
		return value
	}
	return ""
}

// readTimes reads since and until, which win, or else the preset.
func (f *callFilter) readTimes(v *visit, q url.Values) {
	since, errSince := time.ParseInLocation(fieldTime, q.Get("since"), v.zone)
	until, errUntil := time.ParseInLocation(fieldTime, q.Get("until"), v.zone)
	if errSince == nil {
		f.Since, f.ask.Since = q.Get("since"), since
	}
	if errUntil == nil {
		f.Until, f.ask.Until = q.Get("until"), until
	}
	if errSince == nil || errUntil == nil {
		q.Del("range")
		f.Live = errUntil != nil
	} else {
		f.Range, f.Live = usualCallRange, true
	}
	without := filter{path: f.path, values: url.Values{}}
	for key, list := range q {
		if key != "since" && key != "until" {
			without.values[key] = list
		}
	}
	for _, p := range presets {
		if p.key == q.Get("range") && f.Range != "" {
			f.Range = p.key
		}
	}
	for _, p := range presets {
		if p.key == f.Range {
			f.ask.Since, f.narrow = v.now.Add(-p.span), p.key != presets[len(presets)-1].key
		}
		f.Presets = append(f.Presets, pageLink{Label: v.t("range." + p.key), Current: p.key == f.Range, URL: without.with("range", p.key)})
	}
}

// addChips lists what is on, each with the address without it.
func (f *callFilter) addChips(v *visit) {
	add := func(key, value, said string) {
		if value != "" {
			f.Chips = append(f.Chips, chip{v.t("calls.f." + key), said, f.with(key, "")})
		}
	}
	add("since", f.Since, v.brief(f.ask.Since))
	add("until", f.Until, v.brief(f.ask.Until))
	add("number", f.Number, f.Number)
	add("customer", f.Customer, v.customer(f.Customer))
	add("trunk", f.Trunk, f.Trunk)
	add("site", f.Place, f.Place)
	add("mos", f.MaxMOS, f.MaxMOS)
	add("cause", f.Cause, v.said("call.cause.", f.Cause))
	add("only", f.Only, v.said("calls.only.", f.Only))
}

// figuresSay reports whether the hourly figures count what is asked for, and by which dimension: they know one property of a call at a time.
func (f *callFilter) figuresSay() (dimension, value string, ok bool) {
	dimension = store.AllCalls
	for name, v := range map[string]string{store.ByTrunk: f.Trunk, store.BySite: f.Place, store.ByCause: f.Cause} {
		if v == "" {
			continue
		}
		if value != "" {
			return "", "", false
		}
		dimension, value = name, v
	}
	return dimension, value, f.Number == "" && f.MaxMOS == "" && f.Only == "" && !f.ask.Since.IsZero()
}
