package snmp

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/snmp/profile"
)

// found is what a discovery brought. It never changes; a new discovery makes a new one.
type found struct {
	hello
	at      time.Time
	profile *profile.Profile
	detail  string // JSON about the device, for its page

	interfaces []port
	indexes    []string // of the interfaces, in order
	marked     bool     // it has ifCounterDiscontinuityTime

	health  bool // metrics were looked for
	metrics []chosen
	exact   []string      // what the metrics need, by exact names
	tables  []metricTable // the same, of tables that are large and dense
	cells   int           // in those
	cores   int
	notes   []verdict
}

// chosen is a metric that the device has, with its rows.
type chosen struct {
	*profile.Metric
	rows []profile.Row
}

// metricTable is a table that is read by GETBULK, with the whole name of each wanted cell.
type metricTable struct {
	request
	names []string
}

// look walks what the profile asks for.
func (d *device) look(ctx context.Context, s *session, on *shelf, h hello, health bool) (*found, error) {
	f := &found{hello: h, profile: d.profileOf(h), health: health}
	if f.profile.Interfaces {
		if err := f.findInterfaces(ctx, s, on); err != nil {
			return nil, err
		}
	}
	facts := map[string]string{}
	if health {
		if err := f.findMetrics(ctx, s, on); err != nil {
			return nil, err
		}
		var err error
		if facts, err = f.findFacts(ctx, s, on); err != nil {
			return nil, err
		}
	}
	f.detail = f.describe(facts)
	f.notes = slices.Clone(on.notes)
	f.at = d.now()
	return f, nil
}

func (d *device) profileOf(h hello) *profile.Profile {
	if d.forced != "" {
		if p := d.profiles.Named(d.forced); p != nil {
			return p
		}
	}
	return d.profiles.For(h.objectID, h.descr)
}

// findMetrics chooses of each metric the first definition for which the device has what it needs.
func (f *found) findMetrics(ctx context.Context, s *session, on *shelf) error {
	var scalars []string
	for _, m := range f.profile.Metrics {
		scalars = append(scalars, m.Scalars()...)
	}
	if err := s.scalars(ctx, on, scalars); err != nil {
		return err
	}
	have := map[collectors.Metric]bool{}
	for _, m := range f.profile.Metrics {
		if have[m.Metric] && !m.Also {
			continue
		}
		c := chosen{Metric: m}
		if m.HasRows() {
			if err := s.walk(ctx, on, m.Find()); err != nil {
				return err
			}
			c.rows = m.Rows(on)
			if m.Metric == collectors.CorePct {
				numberCores(c.rows)
			}
		}
		rows, has, err := s.there(ctx, on, m, c.rows)
		if err != nil {
			return err
		}
		if c.rows = rows; !has {
			continue
		}
		have[m.Metric] = !m.Sensor
		f.metrics = append(f.metrics, c)
	}
	f.plan(on)
	return nil
}

// numberCores calls processors without a name 0, 1, 2: their indexes (hrDeviceIndex) say nothing to people.
func numberCores(rows []profile.Row) {
	for i := range rows {
		if rows[i].Name == rows[i].Index {
			rows[i].Name = strconv.Itoa(i)
		}
	}
}

// scalars brings these names onto the shelf.
func (s *session) scalars(ctx context.Context, on *shelf, names []string) error {
	var missing []string
	for _, n := range names {
		if _, ok := on.scalar[n]; !ok && !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
	}
	return s.get(ctx, missing, func(from int, vars []variable, _ moment) {
		for i, v := range vars {
			on.scalar[missing[from+i]] = v.value
		}
	})
}

func (s *shelf) has(oid string) bool { return s.scalar[oid].kind != absent }

// Scalar is the text of a scalar that was found. It implements profile.Found.
func (s *shelf) Scalar(oid string) (string, bool) {
	v := s.scalar[oid]
	return v.String(), v.kind != absent
}

// Column is a column that was walked, as text by index. It implements profile.Found.
func (s *shelf) Column(oid string) map[string]string {
	out := map[string]string{}
	if c := s.columns[oid]; c != nil {
		for i := range c.cells {
			out[c.cells[i].index] = c.cells[i].String()
		}
	}
	return out
}

// String is a value as text: numbers in decimal, OIDs without a leading dot.
func (v value) String() string {
	switch v.kind {
	case absent:
		return ""
	case text, oidText:
		return v.text
	case integer:
		return strconv.FormatInt(int64(v.number), 10) // two's complement
	}
	return strconv.FormatUint(v.number, 10)
}

// float is a value as a number.
func (v value) float() (float64, bool) {
	switch v.kind {
	case absent, oidText:
		return 0, false
	case text:
		return profile.ParseNumber(v.text)
	case integer:
		return float64(int64(v.number)), true // two's complement
	}
	return float64(v.number), true
}

// plan makes requests of what the metrics need: each scalar and each cell once, columns with the same rows together.
func (f *found) plan(on *shelf) {
	scalars := map[string]bool{}
	rows := map[string]map[string]bool{} // by column: indexes
	for _, m := range f.metrics {
		for _, oid := range m.Scalars() {
			scalars[oid] = true
		}
		for _, c := range m.Columns() {
			if rows[c] == nil {
				rows[c] = map[string]bool{}
			}
			for i := range m.rows {
				rows[c][m.rows[i].Index] = true
			}
		}
		if m.Metric.Metric == collectors.CorePct {
			f.cores = max(f.cores, len(m.rows))
		}
	}
	f.exact = slices.Sorted(maps.Keys(scalars))
	var tables []request
	for _, c := range slices.SortedFunc(maps.Keys(rows), compareIndexes) {
		tables = addColumn(tables, c, slices.SortedFunc(maps.Keys(rows[c]), compareIndex), on)
	}
	for _, r := range tables {
		names := make([]string, 0, len(r.wanted)*len(r.columns))
		for _, at := range r.wanted {
			for _, c := range r.columns {
				names = append(names, c+"."+r.all[at])
			}
		}
		if len(names) <= startSize || len(r.wanted)*bulkShare <= len(r.all) {
			f.exact = append(f.exact, names...)
			continue
		}
		f.tables = append(f.tables, metricTable{r, names})
		f.cells += len(names)
	}
}

func compareIndexes(a, b string) int { return compareIndex(a[1:], b[1:]) }

// addColumn puts a column to the request of the same table and rows, or begins one.
func addColumn(tables []request, oid string, want []string, on *shelf) []request {
	all := want
	if c := on.columns[oid]; c != nil && len(c.cells) > 0 {
		all = make([]string, len(c.cells))
		for i := range c.cells {
			all[i] = c.cells[i].index
		}
	}
	wanted := positions(all, want)
	if len(wanted) < len(want) { // a column that was not walked whole
		all, wanted = want, positions(want, want)
	}
	for i := range tables {
		r := &tables[i]
		if len(r.columns) < mostAtOnce && tableOf(r.columns[0]) == tableOf(oid) && slices.Equal(r.all, all) && slices.Equal(r.wanted, wanted) {
			r.columns = append(r.columns, oid)
			return tables
		}
	}
	return append(tables, request{columns: []string{oid}, all: all, wanted: wanted})
}

func tableOf(column string) string {
	for i := len(column) - 1; i > 0; i-- {
		if column[i] == '.' {
			return column[:i]
		}
	}
	return column
}

func (f *found) findFacts(ctx context.Context, s *session, on *shelf) (map[string]string, error) {
	oids := slices.Collect(maps.Values(f.profile.Facts))
	if err := s.scalars(ctx, on, oids); err != nil {
		return nil, err
	}
	facts := map[string]string{}
	for fact, oid := range f.profile.Facts {
		if value := profile.Clean(on.scalar[oid].String()); value != "" {
			facts[fact] = value
		}
	}
	return facts, nil
}

// describe is the JSON about the device.
func (f *found) describe(facts map[string]string) string {
	for key, value := range map[string]string{
		"profile": f.profile.Name, "title": f.profile.Title, "name": f.name, "descr": f.descr, "location": f.location, "contact": f.contact,
		"object_id": f.objectID,
	} {
		if value != "" {
			facts[key] = value
		}
	}
	return toJSON(facts)
}

func toJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil { // maps and structs of text and finite numbers
		return ""
	}
	return string(data)
}

// summary counts what there is, for people.
type summary struct{ Interfaces, Processors, Pools, Disks, Sensors int }

func (f *found) summary() summary {
	n := summary{Interfaces: len(f.interfaces)}
	cpu := 0
	for _, m := range f.metrics {
		switch {
		case m.Metric.Metric == collectors.CorePct:
			n.Processors += len(m.rows)
		case m.Metric.Metric == collectors.CPUPct:
			cpu = max(1, len(m.rows))
		case m.Metric.Metric == collectors.PoolPct:
			n.Pools += len(m.rows)
		case m.Metric.Metric == collectors.DiskPct:
			n.Disks += max(1, len(m.rows))
		case m.Kind() == "sensor" || m.Sensor:
			n.Sensors += max(1, len(m.rows))
		}
	}
	if n.Processors == 0 {
		n.Processors = cpu
	}
	if n.Pools == 0 && slices.ContainsFunc(f.metrics, func(m chosen) bool { return m.Metric.Metric == collectors.RAMPct }) {
		n.Pools = 1
	}
	return n
}

// finite reports whether a figure can be a sample.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
