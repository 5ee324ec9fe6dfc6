package profile

import (
	"fmt"
	"slices"
	"strings"

	"vigia/collectors"
)

// form is how a figure comes about.
type form uint8

const (
	formNone form = iota
	formValue
	formUsedTotal
	formUsedFree
	formFreeTotal
	formOK
	formSensor
)

// formKeys are the keys that make each form.
func formKeys(f form) []string {
	return [...][]string{
		formNone: nil, formValue: {"value"}, formUsedTotal: {"used", "total"}, formUsedFree: {"used", "free"},
		formFreeTotal: {"free", "total"}, formOK: {"ok", "good"}, formSensor: {"sensor"},
	}[f]
}

func (f form) String() string { return strings.Join(formKeys(f), " and ") }

func (f form) ratio() bool { return f == formUsedTotal || f == formUsedFree || f == formFreeTotal }

// allowed are the keys that have a meaning beside those of a form.
func (f form) allowed() []string {
	common := []string{"metric", "also", "name", "only", "tags"}
	switch {
	case f == formSensor:
		return common[1:]
	case f == formOK:
		return append(common, "rows", "part", "skip")
	case f == formValue:
		return append(common, "rows", "part", "counters", "scale", "offset", "min", "max")
	}
	return append(common, "rows", "part", "counters", "optional", "min", "max", "unit")
}

// formOf finds the form of a metric, and notes when there is none or more than one.
func formOf(d *document, raw *rawMetric) form {
	var measured []string
	for _, key := range []string{"value", "used", "free", "total", "ok", "good", "sensor"} {
		if raw.given[key] > 0 {
			measured = append(measured, key)
		}
	}
	for f := formValue; f <= formSensor; f++ {
		want := formKeys(f)
		if len(measured) == len(want) && !slices.ContainsFunc(want, func(k string) bool { return raw.given[k] == 0 }) {
			return f
		}
	}
	const hint = "one of value; used and total; used and free; free and total; ok and good; sensor"
	switch len(measured) {
	case 0:
		d.problem(raw.line, hint, "the metric measures nothing")
	case 1:
		d.problem(raw.line, hint, "%s alone measures nothing", measured[0])
	default:
		d.problem(raw.line, hint, "%s do not go together", strings.Join(measured, ", "))
	}
	return formNone
}

// checkKeys notes keys that have no meaning with the form.
func checkKeys(d *document, raw *rawMetric, f form) {
	good := append(f.allowed(), formKeys(f)...)
	extra := make([]string, 0, len(raw.given))
	for key := range raw.given {
		if !slices.Contains(good, key) && slices.Contains(allKeys(), key) {
			extra = append(extra, key)
		}
	}
	slices.Sort(extra)
	for _, key := range extra {
		d.problem(raw.given[key], "take it out", "%s has no meaning with %s", key, f)
	}
	if raw.given["unit"] > 0 && raw.counters {
		d.problem(raw.given["unit"], "take it out", "unit has no meaning with counters")
	}
	if low, high := raw.given["min"], raw.given["max"]; low > 0 && high > 0 && raw.low >= raw.high {
		d.problem(high, "", "max must be above min")
	}
	if raw.given["scale"] > 0 && raw.scale == 0 {
		d.problem(raw.given["scale"], "", "scale is 0")
	}
	checkSets(d, raw)
}

// checkSets looks at the lists of good, skip and optional.
func checkSets(d *document, raw *rawMetric) {
	for _, v := range raw.skip {
		if slices.Contains(raw.good, v) {
			d.problem(raw.given["skip"], "keep it in one", "%g is in good and in skip", v)
		}
	}
	parts := append(slices.Clone(raw.used), raw.free...)
	has := func(list []word, text string) bool {
		return slices.ContainsFunc(list, func(w word) bool { return w.text == text })
	}
	for _, w := range raw.optional {
		if !has(parts, w.text) {
			d.problem(w.line, "name one of used or free", "optional: %q is neither in used nor in free", w.text)
		}
	}
	needed := func(w word) bool { return !has(raw.optional, w.text) }
	if len(raw.optional) > 0 && !slices.ContainsFunc(parts, needed) {
		d.problem(raw.given["optional"], "keep at least one out of it", "optional: every name is optional")
	}
}

func allKeys() []string {
	out := make([]string, 0, 24)
	for key := range (&rawMetric{}).keys(nil) {
		out = append(out, key)
	}
	return out
}

// checkMetric notes a metric that does not exist, is not of a device, or does not go with the form.
func checkMetric(d *document, raw *rawMetric, f form) {
	if f == formSensor {
		return
	}
	if raw.given["metric"] == 0 {
		d.problem(raw.line, "", "metric is missing")
		return
	}
	name := raw.metric
	if name.text == "" {
		return
	}
	info, known := collectors.Catalogue[collectors.Metric(name.text)]
	switch {
	case !known:
		d.problem(name.line, meant(name.text, deviceMetrics()), "the metric %q does not exist", name.text)
	case !ofDevice(info):
		d.problem(name.line, "", "the metric %q is not one that a profile can give", name.text)
	case f.ratio() && info.Unit != collectors.UnitPercent:
		d.problem(name.line, "use value", "%s is a percentage, which %s is not", f, name.text)
	case f == formOK && info.Unit != collectors.UnitBool:
		d.problem(name.line, "use value, or part_ok", "%s is yes or no, which %s is not", f, name.text)
	case f == formValue && info.Unit == collectors.UnitBool:
		d.problem(name.line, "use ok and good", "%s is yes or no, which value is not", name.text)
	}
}

// ofDevice reports whether a metric is of servers and not how we find out that they can be reached, which is a check's own to say.
func ofDevice(info collectors.MetricInfo) bool {
	return slices.Contains(info.Kinds, "server") && !info.Reachability
}

func deviceMetrics() []string {
	var out []string
	for name, info := range collectors.Catalogue {
		if ofDevice(info) {
			out = append(out, string(name))
		}
	}
	slices.Sort(out)
	return out
}

// foldOf reads the key rows.
func foldOf(d *document, raw *rawMetric) fold {
	names := map[string]fold{"each": foldEach, "mean": foldMean, "max": foldMax, "min": foldMin, "sum": foldSum, "first": foldFirst}
	if raw.given["rows"] == 0 || raw.rows.text == "" {
		return foldEach
	}
	rule, ok := names[raw.rows.text]
	if !ok {
		d.problem(raw.rows.line, "each, mean, max, min, sum or first", "rows: %q is not known", raw.rows.text)
		return foldEach
	}
	for _, key := range []string{"name", "tags"} {
		if line := raw.given[key]; line > 0 && (rule == foldMean || rule == foldSum) {
			d.problem(line, "take it out", "%s has no meaning with rows: %s, which is no row of the table", key, raw.rows.text)
		}
	}
	return rule
}

// where says at which metric of the file something is, for messages.
func (m *rawMetric) where() string {
	if m.metric.text == "" {
		return "sensor"
	}
	return fmt.Sprintf("metric %s", m.metric.text)
}
