package profile

import (
	"math"
	"slices"
	"strconv"

	"vigia/collectors"
)

// compiler makes metrics of what one file says.
type compiler struct {
	doc     *document
	profile string
	names   scope
	quiet   bool // a file that it extends cannot be read, so that unknown names say nothing
}

// lookup finds a name and notes when there is none.
func (c *compiler) lookup(w word, key string) (target, bool) {
	if w.text == "" {
		return target{}, false
	}
	t, ok := c.names[w.text]
	if !ok && !c.quiet {
		known := make([]string, 0, len(c.names))
		for name := range c.names {
			known = append(known, name)
		}
		c.doc.problem(w.line, meant(w.text, known), "%s: %q is neither an object nor a column", key, w.text)
	}
	return t, ok
}

// column finds a name that must be a column, and returns its OID.
func (c *compiler) column(w word, key string) string {
	t, ok := c.lookup(w, key)
	if ok && !t.column {
		c.doc.problem(w.line, "name one of columns", "%s: %q is an object, not a column", key, w.text)
	}
	return t.oid
}

// metric makes a metric; after mistakes it may be half, and the set is refused.
func (c *compiler) metric(raw *rawMetric) *Metric {
	m := &Metric{Profile: c.profile, Also: raw.also, limits: limits{low: math.Inf(-1), high: math.Inf(1)}}
	if raw.given == nil {
		return m
	}
	m.form = formOf(c.doc, raw)
	if m.form == formNone {
		return m
	}
	checkKeys(c.doc, raw, m.form)
	checkMetric(c.doc, raw, m.form)
	m.Metric, m.Sensor = collectors.Metric(raw.metric.text), m.form == formSensor
	m.counters, m.scale, m.offset, m.good, m.skip = raw.counters, raw.scale, raw.offset, raw.good, raw.skip
	m.fold = foldOf(c.doc, raw)
	if !m.Sensor {
		m.limits = limitsOf(m.Metric, raw)
	}
	c.operands(m, raw)
	c.unit(m, raw)
	c.ways(m, raw)
	c.conditions(m, raw)
	for _, t := range raw.tags {
		m.tags = append(m.tags, tag{t.key, c.column(t.name, "tags."+t.key)})
	}
	c.shape(m, raw)
	m.finish(raw.part)
	return m
}

// operands are what is read at each poll, in the order in which Eval wants them: used, then free, then total; or value; or ok; or value and
// status of a sensor.
func (c *compiler) operands(m *Metric, raw *rawMetric) {
	add := func(w word, key string) {
		if t, ok := c.lookup(w, key); ok {
			optional := slices.ContainsFunc(raw.optional, func(o word) bool { return o.text == w.text })
			m.operands = append(m.operands, operand{target: t, optional: optional})
		}
	}
	switch m.form {
	case formValue:
		add(raw.value, "value")
	case formOK:
		add(raw.ok, "ok")
	case formSensor:
		c.sensor(m, raw)
		return
	}
	for _, w := range raw.used {
		add(w, "used")
	}
	m.used = len(m.operands)
	for _, w := range raw.free {
		add(w, "free")
	}
	m.free = len(m.operands)
	if m.form.ratio() && raw.given["total"] > 0 {
		add(raw.total, "total")
	}
}

func (c *compiler) sensor(m *Metric, raw *rawMetric) {
	column := func(role string) string {
		if raw.sensor[role].text == "" {
			return ""
		}
		return c.column(raw.sensor[role], "sensor."+role)
	}
	m.kind, m.power, m.precision = column("type"), column("scale"), column("precision")
	m.operands = append(m.operands, operand{target: target{column("value"), true}})
	if status := column("status"); status != "" {
		m.operands = append(m.operands, operand{target: target{status, true}, optional: true})
	}
}

// unit is a number of octets or a name.
func (c *compiler) unit(m *Metric, raw *rawMetric) {
	m.octets = math.NaN()
	if raw.unit.text == "" {
		return
	}
	if !isDigit(raw.unit.text[0]) && raw.unit.text[0] != '-' {
		m.unit, _ = c.lookup(raw.unit, "unit")
		return
	}
	octets, err := strconv.ParseInt(raw.unit.text, 10, 64)
	if err != nil || octets <= 0 {
		c.doc.problem(raw.unit.line, "a whole number of octets above 0, or a name", "unit: %q is not a unit", raw.unit.text)
	}
	m.octets = float64(octets)
}

func (c *compiler) ways(m *Metric, raw *rawMetric) {
	for _, n := range raw.names {
		w := way{column: c.column(n.column, "name"), pattern: n.pattern}
		if n.via.text != "" {
			w.via = c.column(n.via, "name.via")
		}
		m.ways = append(m.ways, w)
	}
}

func (c *compiler) conditions(m *Metric, raw *rawMetric) {
	for _, r := range raw.only {
		cond := condition{matches: r.matches, set: map[string]bool{}, not: len(r.not) > 0 || r.unlike != nil}
		if r.unlike != nil {
			cond.matches = r.unlike
		}
		if r.column.text != "" {
			cond.column = c.column(r.column, "only.column")
		}
		for _, w := range append(r.is, r.not...) {
			cond.set[plainOID(w.text)] = true
		}
		m.only = append(m.only, cond)
	}
}

// shape notes keys that need rows in a metric without, and the other way round.
func (c *compiler) shape(m *Metric, raw *rawMetric) {
	if m.HasRows() {
		if line := raw.given["part"]; line > 0 {
			c.doc.problem(line, "use name", "part: %s has rows, which have names of their own", raw.where())
		}
		if !slices.ContainsFunc(m.operands, func(o operand) bool { return o.column && !o.optional }) {
			c.doc.problem(raw.line, "keep one column out of optional", "every column of %s is optional", raw.where())
		}
		return
	}
	if c.quiet || len(m.operands) == 0 {
		return // there were other mistakes
	}
	for _, key := range []string{"rows", "name", "only", "tags"} {
		if line := raw.given[key]; line > 0 {
			c.doc.problem(line, "name a column, or take it out", "%s: %s names no column, so there are no rows", key, raw.where())
		}
	}
	if m.unit.column {
		c.doc.problem(raw.unit.line, "name an object", "unit: %s names no other column, so there are no rows", raw.where())
	}
}
