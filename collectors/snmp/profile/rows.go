package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"vigia/collectors"
)

// Found is what discovery read from a device. OIDs have a leading dot.
type Found interface {
	Column(oid string) map[string]string // index → text of the value; nil when the device has none
	Scalar(oid string) (string, bool)
}

// Row is one row of a table, as discovery found it.
type Row struct {
	Index string            // numbers with dots between them, no dot in front
	Name  string            // unlike that of every other row of the metric
	Tags  map[string]string // may be nil

	cells  []string          // what to read, in the order of the metric's operands
	octets float64           // the unit, NaN when not known
	metric collectors.Metric // of a sensor
	factor float64           // of a sensor: its value is multiplied by it; 0 when scale or precision make no sense
	limits limits
}

// Rows lists the rows that the device has and the profile wants, in the order of their indexes. Names that several rows have are followed by
// the index, so that a row keeps its name whatever becomes of the others.
func (m *Metric) Rows(found Found) []Row {
	if !m.HasRows() {
		return nil
	}
	read := make(map[string]map[string]string, len(m.find))
	for _, oid := range m.find {
		read[oid] = found.Column(oid)
	}
	var rows []Row
	for _, index := range sortedIndexes(read[m.exists]) {
		if !m.wanted(read, index) {
			continue
		}
		if row, ok := m.row(read, index); ok {
			rows = append(rows, row)
		}
	}
	return distinct(rows)
}

// wanted reports whether a row meets every condition. A cell that is not there is empty text.
func (m *Metric) wanted(read map[string]map[string]string, index string) bool {
	for _, c := range m.only {
		text := index
		if c.column != "" {
			text = plainOID(strings.TrimSpace(read[c.column][index]))
		}
		holds := c.set[text]
		if c.matches != nil {
			holds = c.matches.MatchString(text)
		}
		if holds == c.not {
			return false
		}
	}
	return true
}

// row makes one row; a sensor of a type that is no metric of ours is none.
func (m *Metric) row(read map[string]map[string]string, index string) (Row, bool) {
	row := Row{Index: index, Name: m.name(read, index), octets: m.octets, limits: m.limits}
	if m.Sensor {
		metric, ok := sensorMetric(read[m.kind][index])
		if !ok {
			return row, false
		}
		row.metric, row.limits = metric, limitsOf(metric, nil)
		row.factor = m.sensorFactor(metric, read, index)
	}
	if m.unit.column {
		row.octets = math.NaN()
		if v, ok := ParseNumber(read[m.unit.oid][index]); ok && v > 0 {
			row.octets = v
		}
	}
	row.cells = make([]string, len(m.operands))
	for i, o := range m.operands {
		row.cells[i] = o.oid
		if o.column {
			row.cells[i] += "." + index
		}
	}
	for _, t := range m.tags {
		if text := Clean(read[t.column][index]); text != "" {
			if row.Tags == nil {
				row.Tags = make(map[string]string, len(m.tags))
			}
			row.Tags[t.key] = text
		}
	}
	return row, true
}

// name is what the first way says that says something; else the index.
func (m *Metric) name(read map[string]map[string]string, index string) string {
	for _, w := range m.ways {
		at := index
		if w.via != "" {
			at = bare(read[w.via][index])
		}
		text := read[w.column][at]
		if w.pattern != nil {
			groups := w.pattern.FindStringSubmatch(text)
			if groups == nil {
				continue
			}
			text = groups[1]
		}
		if name := Clean(text); name != "" {
			return name
		}
	}
	return shorten(index, maxName)
}

// distinct gives every row a name of its own: all those that share one get their index behind it. A device may name a row as another would
// be called then; so it is done again, and what still has the name of another after that is called by a hash of its index.
func distinct(rows []Row) []Row {
	for range 2 {
		count := make(map[string]int, len(rows))
		for i := range rows {
			count[rows[i].Name]++
		}
		for i := range rows {
			if count[rows[i].Name] > 1 {
				rows[i].Name = numbered(rows[i].Name, rows[i].Index)
			}
		}
	}
	seen := make(map[string]bool, len(rows))
	for i := range rows {
		if seen[rows[i].Name] {
			sum := sha256.Sum256([]byte(rows[i].Index))
			rows[i].Name = "#" + hex.EncodeToString(sum[:])
		}
		seen[rows[i].Name] = true
	}
	return rows
}

// Distinct does the same to names of other things, in place; the two lists go together.
func Distinct(names, indexes []string) {
	rows := make([]Row, len(names))
	for i := range rows {
		rows[i].Name, rows[i].Index = names[i], indexes[i]
	}
	for i, row := range distinct(rows) {
		names[i] = row.Name
	}
}

// numbered writes name #index in at most 80 characters, at the cost of the name.
func numbered(name, index string) string {
	suffix := " #" + index
	room := maxName - utf8.RuneCountInString(suffix)
	if room < 8 {
		return shorten(name+suffix, maxName)
	}
	return shorten(name, room) + suffix
}

// sensorMetric is what a sensor of a type measures: EntitySensorDataType of RFC 3433, and dBm (14) as CISCO-ENTITY-SENSOR-MIB numbers it.
func sensorMetric(text string) (collectors.Metric, bool) {
	kind, ok := ParseNumber(text)
	if !ok {
		return "", false
	}
	switch kind {
	case 3, 4: // volts, AC and DC
		return collectors.VoltageV, true
	case 5:
		return collectors.CurrentA, true
	case 6:
		return collectors.PowerW, true
	case 8:
		return collectors.TemperatureC, true
	case 9:
		return collectors.HumidityPct, true
	case 10:
		return collectors.FanRPM, true
	case 12: // a truth value
		return collectors.PartOK, true
	case 14:
		return collectors.OpticalDBM, true
	}
	return "", false
}

// sensorFactor is 10^scale / 10^precision. Scales are numbered from 1 (10^-24) in steps of 10^3 to 17 (10^24), 9 is 1; a precision below 0
// says how many digits are accurate, and moves no point (RFC 3433). What a device does not have counts as 1; 0 is returned for nonsense.
func (m *Metric) sensorFactor(metric collectors.Metric, read map[string]map[string]string, index string) float64 {
	if metric == collectors.PartOK {
		return 1
	}
	exponent := 0
	if text, ok := read[m.power][index]; ok && m.power != "" {
		scale, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || scale < 1 || scale > 17 {
			return 0
		}
		exponent = 3 * (scale - 9)
	}
	if text, ok := read[m.precision][index]; ok && m.precision != "" {
		precision, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || precision < -8 || precision > 9 {
			return 0
		}
		exponent -= max(precision, 0)
	}
	return math.Pow10(exponent)
}
