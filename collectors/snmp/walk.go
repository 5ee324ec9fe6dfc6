package snmp

import (
	"context"
	"strings"
)

// Bounds of what one device may make us read and keep.
const (
	mostRows  = 20_000  // of one column
	mostCells = 400_000 // of one discovery
	mostText  = 512     // octets of one text
)

// cell is one value of a column, by the index of its row.
type cell struct {
	index string
	value
}

// column is what a walk has brought of one column so far. A walk that was interrupted goes on where it was.
type column struct {
	oid   string // with its leading dot
	last  string // index of the last cell
	cells []cell
	done  bool
}

// shelf holds the columns of one discovery.
type shelf struct {
	columns map[string]*column
	scalar  map[string]value
	cells   int
	notes   []verdict // what the device did wrong
}

func newShelf() *shelf { return &shelf{columns: map[string]*column{}, scalar: map[string]value{}} }

func (s *shelf) column(oid string) *column {
	c := s.columns[oid]
	if c == nil {
		c = &column{oid: oid}
		s.columns[oid] = c
	}
	return c
}

// walk brings these columns whole onto the shelf, those that are not there yet, several in one request.
func (s *session) walk(ctx context.Context, on *shelf, oids []string) error {
	for {
		var open []*column
		for _, oid := range oids {
			if c := on.column(oid); !c.done && len(open) < mostAtOnce {
				open = append(open, c)
			}
		}
		if len(open) == 0 {
			return nil
		}
		if err := s.walkOn(ctx, on, open); err != nil {
			return err
		}
	}
}

// mostAtOnce is how many columns one request walks.
const mostAtOnce = 12

// walkOn is one request for what comes next in each column.
func (s *session) walkOn(ctx context.Context, on *shelf, open []*column) error {
	size := s.tuned.size()
	open = open[:min(len(open), size)]
	names := make([]string, len(open))
	for i, c := range open {
		names[i] = c.next()
	}
	repeat := max(size/len(open), 1)
	vars, _, err := s.bulk(ctx, names, repeat)
	if err != nil {
		if s.smaller(ctx, err, repeat*len(open)) {
			return nil
		}
		return err
	}
	s.tuned.well(repeat * len(open))
	if len(vars) == 0 {
		return &trouble{code: "empty", args: []any{s.to}, err: errLies}
	}
	for i := range vars {
		on.take(open[i%len(open)], &vars[i])
	}
	if len(vars) < len(open) { // cut in the first row: those columns had no turn
		s.tuned.halve(errTooBig, repeat*len(open))
	}
	return nil
}

func (c *column) next() string {
	if c.last == "" {
		return c.oid
	}
	return c.oid + "." + c.last
}

// take puts a variable at the end of its column, or ends the column: what lies beyond it, what does not increase, and what is too much.
func (s *shelf) take(c *column, v *variable) {
	if c.done {
		return
	}
	index, inside := indexIn(c.oid, v.oid)
	switch {
	case !inside || v.kind == absent && index == c.last:
		c.done = true
	case c.last != "" && compareIndex(index, c.last) <= 0:
		c.done = true
		s.notes = append(s.notes, verdict{"note_order", []any{c.oid[1:]}})
	case len(c.cells) >= mostRows || s.cells >= mostCells:
		c.done = true
		s.notes = append(s.notes, verdict{"note_endless", []any{c.oid[1:], len(c.cells)}})
	default:
		c.last = index
		if v.kind == absent {
			return
		}
		if len(v.text) > mostText {
			v.text = v.text[:mostText]
		}
		c.cells = append(c.cells, cell{index, v.value})
		s.cells++
	}
}

// indexIn is the part of an OID behind a column.
func indexIn(column, oid string) (string, bool) {
	if len(oid) <= len(column)+1 || oid[len(column)] != '.' || !strings.HasPrefix(oid, column) {
		return "", false
	}
	return oid[len(column)+1:], true
}

// compareIndex orders indexes as SNMP does: arc by arc, as numbers.
func compareIndex(a, b string) int {
	for {
		i, j := strings.IndexByte(a, '.'), strings.IndexByte(b, '.')
		x, y := a, b
		if i >= 0 {
			x = a[:i]
		}
		if j >= 0 {
			y = b[:j]
		}
		if len(x) != len(y) { // arcs are written without leading zeros
			return len(x) - len(y)
		}
		if x != y {
			return strings.Compare(x, y)
		}
		switch {
		case i < 0 && j < 0:
			return 0
		case i < 0:
			return -1
		case j < 0:
			return 1
		}
		a, b = a[i+1:], b[j+1:]
	}
}
