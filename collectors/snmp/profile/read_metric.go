package profile

import (
	"regexp"

	"go.yaml.in/yaml/v4"
)

// rawMetric is what a file says of one metric.
type rawMetric struct {
	line  int
	given map[string]int // the keys that are there, and their lines

	metric, value, total, ok, unit, rows word
	used, free, optional                 []word
	good, skip                           []float64
	sensor                               map[string]word
	counters, also                       bool
	scale, offset, low, high             float64
	names                                []rawName
	only                                 []rawCondition
	tags                                 []rawPair
	part                                 string
}

// rawName is one way to find out what a row is called.
type rawName struct {
	column, via word
	pattern     *regexp.Regexp
}

// rawCondition is one condition that a row must meet. Without a column it is about the row's index.
type rawCondition struct {
	column          word
	is, not         []word
	matches, unlike *regexp.Regexp
}

func readMetric(d *document, n *yaml.Node) *rawMetric {
	m := &rawMetric{line: n.Line, scale: 1, sensor: map[string]word{}}
	m.given = d.mapping(n, "metrics", m.keys(d))
	return m
}

func (m *rawMetric) keys(d *document) keys {
	one := func(to *word) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) { *to = d.word(n, key) }
	}
	many := func(to *[]word) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) { *to = d.words(n, key, true) }
	}
	figure := func(to *float64) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) {
			if v, ok := d.number(n, key); ok {
				*to = v
			}
		}
	}
	whole := func(to *[]float64) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) { *to = d.numbers(n, key) }
	}
	yes := func(to *bool) func(string, *yaml.Node) {
		return func(key string, n *yaml.Node) { *to = d.yes(n, key) }
	}
	return keys{
		"metric": one(&m.metric), "value": one(&m.value), "total": one(&m.total), "ok": one(&m.ok), "unit": one(&m.unit), "rows": one(&m.rows),
		"used": many(&m.used), "free": many(&m.free), "optional": many(&m.optional),
		"good": whole(&m.good), "skip": whole(&m.skip),
		"counters": yes(&m.counters), "also": yes(&m.also),
		"scale": figure(&m.scale), "offset": figure(&m.offset), "min": figure(&m.low), "max": figure(&m.high),
		"sensor": func(key string, n *yaml.Node) { m.readSensor(d, n) },
		"name":   func(key string, n *yaml.Node) { m.readNames(d, n) },
		"only":   func(key string, n *yaml.Node) { m.readOnly(d, n) },
		"tags":   func(key string, n *yaml.Node) { m.readTags(d, n) },
		"part": func(key string, n *yaml.Node) {
			text, _ := d.scalar(n, key)
			m.part = Clean(text)
		},
	}
}

func (m *rawMetric) readSensor(d *document, n *yaml.Node) {
	known := keys{}
	for _, role := range []string{"type", "scale", "precision", "value", "status"} {
		known[role] = func(key string, n *yaml.Node) { m.sensor[key] = d.word(n, "sensor."+key) }
	}
	seen := d.mapping(n, "sensor", known)
	for _, role := range []string{"type", "value"} {
		if seen != nil && seen[role] == 0 {
			d.problem(n.Line, "", "sensor: %s is missing", role)
		}
	}
}

func (m *rawMetric) readNames(d *document, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		m.readOneName(d, n)
		return
	}
	for _, entry := range d.list(n, "name") {
		m.readOneName(d, entry)
	}
}

func (m *rawMetric) readOneName(d *document, n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		m.names = append(m.names, rawName{column: d.word(n, "name")})
		return
	}
	var name rawName
	seen := d.mapping(n, "name", keys{
		"column": func(key string, n *yaml.Node) { name.column = d.word(n, "name.column") },
		"via":    func(key string, n *yaml.Node) { name.via = d.word(n, "name.via") },
		"pattern": func(key string, n *yaml.Node) {
			name.pattern = d.pattern(n, "name.pattern")
			if name.pattern != nil && name.pattern.NumSubexp() == 0 {
				d.problem(n.Line, "put brackets around the part that is the name", "name.pattern has no group")
			}
		},
	})
	if seen != nil && seen["column"] == 0 {
		d.problem(n.Line, "", "name: column is missing")
	}
	m.names = append(m.names, name)
}

func (m *rawMetric) readOnly(d *document, n *yaml.Node) {
	for _, entry := range d.list(n, "only") {
		var c rawCondition
		seen := d.mapping(entry, "only", keys{
			"column":  func(key string, n *yaml.Node) { c.column = d.word(n, "only.column") },
			"is":      func(key string, n *yaml.Node) { c.is = d.words(n, "only.is", false) },
			"not":     func(key string, n *yaml.Node) { c.not = d.words(n, "only.not", false) },
			"matches": func(key string, n *yaml.Node) { c.matches = d.pattern(n, "only.matches") },
			"unlike":  func(key string, n *yaml.Node) { c.unlike = d.pattern(n, "only.unlike") },
			"index":   func(key string, n *yaml.Node) { c.matches = d.pattern(n, "only.index") },
		})
		if seen == nil {
			continue
		}
		index, column, tests := seen["index"] > 0, seen["column"] > 0, 0
		for _, test := range []string{"is", "not", "matches", "unlike"} {
			if seen[test] > 0 {
				tests++
			}
		}
		if index == column || index && tests > 0 || column && tests != 1 {
			d.problem(entry.Line, "write column with one of is, not, matches and unlike; or index alone", "only: not a condition")
			continue
		}
		m.only = append(m.only, c)
	}
}

func (m *rawMetric) readTags(d *document, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		d.problem(n.Line, "write KEY: NAME", "tags: want a set of keys, this is %s", kindOf(n))
		return
	}
	d.pairs(n, "tags", func(key string, value *yaml.Node) {
		if !tagName.MatchString(key) {
			d.problem(value.Line, "small letters, digits and _; at most 32", "tags: %q cannot be a key", key)
			return
		}
		if d.usable(value, "tags."+key) {
			m.tags = append(m.tags, rawPair{key, d.word(value, "tags."+key)})
		}
	})
}
