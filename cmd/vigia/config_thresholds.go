package main

import (
	"cmp"
	"slices"
	"strings"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// thresholds looks at what single values of a threshold cannot show: what it selects, how its tiers stand to each other, ties.
func (l *loader) thresholds(cfg *Config, o *objects) {
	taken, checks := map[rank][]*ThresholdSpec{}, cfg.checkSpecs()
	for i := range cfg.Thresholds {
		t := &cfg.Thresholds[i]
		n := l.at[t]
		if n == nil {
			continue
		}
		t.line = n.Line
		if len(t.Tiers) == 0 && t.NoData == nil {
			l.problem(n, "threshold-empty", "give tiers:, nodata: or both", "the threshold asks for nothing")
		}
		l.derived(t)
		l.tiers(t)
		if t.NoData != nil {
			l.severity(&t.NoData.Severity)
		}
		if selected := l.selected(t, o); len(selected) > 0 {
			l.silence(t, checks)
			l.instance(t, checks)
			l.told(cfg, t, selected)
			l.ties(t, selected, taken)
		}
	}
}

// derived looks at a threshold on a metric that is worked out from another one: its instance says which.
func (l *loader) derived(t *ThresholdSpec) {
	if !collectors.Catalogue[collectors.Metric(t.Metric)].Derived {
		return
	}
	info, known := collectors.Catalogue[collectors.Metric(t.Instance)]
	if t.Instance == "" || !known || info.Derived {
		l.problem(l.where(&t.Instance, t), "derived-without-metric", "instance: calls, for example", "%s is worked out from another metric; instance: must name it", t.Metric)
	}
}

// carries reports whether objects of a kind have a metric.
func carries(metric collectors.Metric, kind inventory.Kind) bool {
	info, ok := collectors.Catalogue[metric]
	if ok && info.Kinds == nil {
		return kind == inventory.KindVigia
	}
	return slices.Contains(info.Kinds, kind)
}

// selected lists the objects that a threshold is about, and notes when there are none.
func (l *loader) selected(t *ThresholdSpec, o *objects) []inventory.Ref {
	if _, known := collectors.Catalogue[collectors.Metric(t.Metric)]; !known || t.On == "" {
		return nil
	}
	var out []inventory.Ref
	for _, r := range o.refs {
		if carries(collectors.Metric(t.Metric), r.Kind) && t.On.Matches(r) {
			out = append(out, r)
		}
	}
	if len(out) > 0 {
		return out
	}
	kind, glob, _ := strings.Cut(string(t.On), "/")
	if message, _ := patternForm(string(t.On)); message != "" {
		return nil
	}
	if kind != "*" && !carries(collectors.Metric(t.Metric), inventory.Kind(kind)) {
		l.problem(l.at[&t.On], "metric-not-of-kind", "it is measured of "+kindsWith(t.Metric), "a %s has no %s", kind, t.Metric)
		return nil
	}
	hint := meant(glob, o.names(inventory.Kind(kind)))
	if hint == "" {
		hint = t.Metric + " is measured of " + kindsWith(t.Metric)
	}
	l.problem(l.at[&t.On], "matches-nothing", hint, "on: %s selects nothing", t.On)
	return nil
}

func kindsWith(metric string) string {
	info := collectors.Catalogue[collectors.Metric(metric)]
	if info.Kinds == nil {
		return "vigia/self"
	}
	words := make([]string, len(info.Kinds))
	for i, k := range info.Kinds {
		words[i] = string(k) + "/*"
	}
	return strings.Join(words, ", ")
}

// bothWays are the metrics of which too much and too little can both be bad.
var bothWays = map[collectors.Metric]bool{
	collectors.InBps: true, collectors.OutBps: true, collectors.InUtilPct: true, collectors.OutUtilPct: true, collectors.Calls: true,
	collectors.ACDS: true, collectors.ASRPct: true, collectors.NERPct: true, collectors.UptimeS: true, collectors.BusyHourPct: true,
	collectors.StatusCode: true, collectors.RTCPCoveragePct: true, collectors.Unusual: true, collectors.TimesUsual: true, collectors.Change1H: true,
}

// tiers checks the tiers of one threshold: their direction, their order, their range.
func (l *loader) tiers(t *ThresholdSpec) {
	metric := collectors.Metric(t.Metric)
	info, known := collectors.Catalogue[metric]
	for i := range t.Tiers {
		tier := &t.Tiers[i]
		l.severity(&tier.Severity)
		if known {
			l.levelRange("raise", &tier.Raise, info)
			l.levelRange("clear", &tier.Clear, info)
		}
		if l.at[&tier.Raise] == nil || l.at[&tier.Clear] == nil || !known {
			continue
		}
		below := tier.Raise < tier.Clear
		switch {
		case !bothWays[metric] && info.LowerIsWorse && !below:
			l.problem(l.at[&tier.Clear], "clear-wrong-side", "give a clear above raise", "low %s is bad, so clear (%v) must be above raise (%v)", t.Metric, tier.Clear, tier.Raise)
		case !bothWays[metric] && !info.LowerIsWorse && below:
			l.problem(l.at[&tier.Clear], "clear-wrong-side", "give a clear below raise", "high %s is bad, so clear (%v) must not be above raise (%v)", t.Metric, tier.Clear, tier.Raise)
		case below != (t.Tiers[0].Raise < t.Tiers[0].Clear):
			l.problem(l.at[&tier.Clear], "mixed-directions", "write two thresholds", "one tier looks up and another looks down")
		}
	}
	l.tierOrder(t)
}

func (l *loader) severity(s *alerting.Severity) {
	if n := l.at[s]; n != nil && *s == alerting.None && n.Value == alerting.None.String() {
		l.problem(n, "bad-severity", "critical, major, minor, warning or indeterminate", "severity: an alarm cannot have the severity none")
	}
}

// levelRange notes a level that the metric can never reach.
func (l *loader) levelRange(key string, level *float64, info collectors.MetricInfo) {
	n := l.at[level]
	switch {
	case n == nil:
	case info.Unit == collectors.UnitPercent && (*level < 0 || *level > 100):
		l.problem(n, "level-out-of-range", "", "%s: %s %% can never be reached, a share is 0 to 100", key, n.Value)
	case info.Unit == collectors.UnitBool && *level != 0 && *level != 1:
		l.problem(n, "level-out-of-range", "", "%s: %s can never be reached, the value is 0 or 1", key, n.Value)
	}
}

// tierOrder compares each tier with the next milder one.
func (l *loader) tierOrder(t *ThresholdSpec) {
	order := make([]*TierSpec, 0, len(t.Tiers))
	for i := range t.Tiers {
		if tier := &t.Tiers[i]; tier.Severity != alerting.None && l.at[&tier.Raise] != nil && l.at[&tier.Clear] != nil {
			order = append(order, tier)
		}
	}
	slices.SortStableFunc(order, func(a, b *TierSpec) int { return cmp.Compare(a.Severity, b.Severity) })
	for i := 1; i < len(order); i++ {
		mild, bad := order[i-1], order[i]
		sign := 1.0
		if bad.Raise < bad.Clear {
			sign = -1
		}
		switch worse := sign * (bad.Raise - mild.Raise); {
		case bad.Severity == mild.Severity:
			l.problem(l.at[&bad.Severity], "tier-twice", "keep one of them", "two tiers are %s", bad.Severity)
		case worse < 0:
			l.problem(l.at[&bad.Raise], "tier-order", "the worse the severity, the worse the level",
				"%s is raised at %v, before %s at %v", bad.Severity, bad.Raise, mild.Severity, mild.Raise)
		case worse == 0 && bad.For <= mild.For:
			l.problem(l.at[&bad.Raise], "tier-order", "give it a worse level or a longer for:",
				"%s and %s are raised at the same level and time, so %s never shows", bad.Severity, mild.Severity, mild.Severity)
		case sign*(bad.Clear-mild.Clear) < 0:
			l.problem(l.at[&bad.Clear], "tier-clear-order", "the worse the severity, the sooner it clears",
				"%s clears at %v, after %s at %v", bad.Severity, bad.Clear, mild.Severity, mild.Clear)
		}
	}
}

// silence notes a "no data" that would be raised between two runs of a check.
func (l *loader) silence(t *ThresholdSpec, checks []placedCheck) {
	if t.NoData == nil || t.NoData.After == 0 {
		return
	}
	for _, c := range checks {
		if c.spec.kind == nil || !t.On.Matches(c.ref) || !slices.Contains(c.spec.kind.Metrics, collectors.Metric(t.Metric)) ||
			t.Instance != "" && t.Instance != c.spec.instance() || t.NoData.After > c.spec.Every {
			continue
		}
		l.problem(l.where(&t.NoData.After, t), "nodata-too-short", "three periods are a good figure",
			"nodata after %s is not longer than the period of %s:%s (%s)", t.NoData.After, c.ref, c.spec.instance(), c.spec.Every)
		return
	}
}

// instance gives a notice when a threshold is about an instance that no check of its objects has. What a check finds by itself, such as
// interfaces, is not known here, so nothing is said where the metric may come from one that is not run yet.
func (l *loader) instance(t *ThresholdSpec, checks []placedCheck) {
	yields := false
	for _, c := range checks {
		if !t.On.Matches(c.ref) {
			continue
		}
		if c.spec.kind == nil || c.spec.instance() == t.Instance {
			return
		}
		yields = yields || slices.Contains(c.spec.kind.Metrics, collectors.Metric(t.Metric))
	}
	if t.Instance != "" && yields {
		l.notice(l.at[&t.Instance], "unknown-instance", "no check of %s is called %s", t.On, t.Instance)
	}
}

// told notes a threshold whose alarms would tell nobody by accident.
func (l *loader) told(cfg *Config, t *ThresholdSpec, selected []inventory.Ref) {
	if t.Policy != "" {
		l.policyExists(cfg, &t.Policy)
		return
	}
	if cfg.defaultPolicy() != "" || len(cfg.PolicySpecs) == 0 {
		return
	}
	for _, r := range selected {
		if cfg.policyOf(r) == "" {
			l.problem(l.at[t], "threshold-without-policy", "name one here, or call one of them default",
				"the threshold names no policy, and there are %d to choose from", len(cfg.PolicySpecs))
			return
		}
	}
}

// rank is where thresholds compete: one object's metric, at one weight.
type rank struct {
	metric string
	ref    inventory.Ref
	weight int
}

// ties notes a threshold that is as specific as an earlier one for an object that both select.
func (l *loader) ties(t *ThresholdSpec, selected []inventory.Ref, taken map[rank][]*ThresholdSpec) {
	said := false
	for _, r := range selected {
		place := rank{t.Metric, r, t.weight()}
		// At one weight both name an instance, or neither does.
		other := slices.IndexFunc(taken[place], func(o *ThresholdSpec) bool { return o.Instance == t.Instance })
		if other < 0 {
			taken[place] = append(taken[place], t)
			continue
		}
		if !said {
			l.problem(l.at[t], "threshold-tie", "make one of them more specific",
				"this threshold and the one in line %d are equally specific, and both select %s", taken[place][other].line, r)
		}
		said = true
	}
}

// weight is how specific a threshold is; the engine counts alike (alerting.NewRules).
func (t *ThresholdSpec) weight() int {
	w := t.On.Weight() * 2
	if t.Instance != "" {
		w++
	}
	return w
}
