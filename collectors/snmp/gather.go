package snmp

import (
	"context"
	"slices"
)

// request is which cells of a table a poll wants: some rows of some columns.
type request struct {
	columns []string // with leading dots; the first of a row decides about its moment
	all     []string // the indexes of all rows, in order
	wanted  []int    // positions in all, in order
}

// seen is called for each wanted row with its cells, absent ones included, and the moment of the answer that brought them. The cells are
// valid until it returns.
type seen func(position int, cells []value, m moment)

// bulkShare is which share of the rows must be wanted for walking over all of them to be cheaper than asking for each cell: one in three.
const bulkShare = 3

// gather reads the wanted cells: by GETBULK over the columns when more than a third of the rows is wanted, else by exact names. All cells
// of a row come from one answer, as long as one can hold a row.
func (s *session) gather(ctx context.Context, r request, see seen) error {
	wanted := r.wanted
	if s.creds.version >= 2 && len(wanted)*bulkShare > len(r.all) && len(r.columns) <= s.tuned.size() {
		done, err := s.gatherBulk(ctx, r, see)
		if err != nil || done == len(wanted) {
			return err
		}
		wanted = wanted[done:] // one answer does not hold a row of all columns
	}
	return s.gatherExact(ctx, r, wanted, see)
}

func (s *session) gatherExact(ctx context.Context, r request, wanted []int, see seen) error {
	n := len(r.columns)
	names := make([]string, 0, startSize+n)
	cells := make([]value, n)
	for from := 0; from < len(wanted); {
		rows := min(max(s.tuned.size()/n, 1), len(wanted)-from)
		names = names[:0]
		for _, at := range wanted[from : from+rows] {
			for _, c := range r.columns {
				names = append(names, c+"."+r.all[at])
			}
		}
		var first moment
		err := s.get(ctx, names, func(base int, vars []variable, m moment) {
			for i := range vars {
				if k := (base + i) % n; k == 0 {
					first = m
				}
				cells[(base+i)%n] = vars[i].value
				if (base+i)%n == n-1 {
					see(wanted[from+(base+i)/n], cells, first)
				}
			}
		})
		if err != nil {
			return err
		}
		from += rows
	}
	return nil
}

// gatherBulk returns how many of the wanted rows it has brought; fewer than all when an answer does not hold a whole row.
func (s *session) gatherBulk(ctx context.Context, r request, see seen) (done int, err error) {
	n := len(r.columns)
	names := make([]string, n)
	cells := make([]value, n)
	before := ""
	if r.wanted[0] > 0 {
		before = r.all[r.wanted[0]-1]
	}
	for done < len(r.wanted) {
		for i, c := range r.columns {
			names[i] = c
			if before != "" {
				names[i] = c + "." + before
			}
		}
		left := r.wanted[len(r.wanted)-1] - r.wanted[done] + 1
		repeat := min(max(s.tuned.size()/n, 1), left)
		vars, m, err := s.bulk(ctx, names, repeat)
		if err != nil {
			switch again := s.smaller(ctx, err, repeat*n); {
			case again && repeat > 1:
				continue
			case again: // a row is too much for one request
				return done, nil
			}
			return done, err
		}
		s.tuned.well(repeat * n)
		stripes, err := s.stripe(r.columns, vars, before)
		if err != nil {
			return done, err
		}
		got := stripes.rows(r, done, cells, func(position int) { see(position, cells, m) })
		if got == 0 && !stripes.progress() {
			return done, nil
		}
		done += got
		before = stripes.bound
	}
	return done, nil
}

// stripe is what one answer brought of one column.
type stripe struct {
	column string
	at     int  // the next variable to look at
	ended  bool // the column ends in this answer
	last   string
}

// stripes is an answer to a GETBULK over several columns: the variables of column i are the i-th of every n.
type stripes struct {
	list  []stripe
	vars  []variable
	bound string // rows up to this one are whole in this answer
	whole bool   // every column ended: what was not seen is not there
	from  string
}

func (s *session) stripe(columns []string, vars []variable, before string) (*stripes, error) {
	n := len(columns)
	out := &stripes{list: make([]stripe, n), vars: vars, whole: true, from: before}
	for i := range out.list {
		st := &out.list[i]
		st.column, st.at, st.last = columns[i], i, before
		for k := i; k < len(vars); k += n {
			index, inside := indexIn(st.column, vars[k].oid)
			if !inside {
				st.ended = true
				break
			}
			if st.last != "" && compareIndex(index, st.last) <= 0 {
				if vars[k].kind == absent {
					st.ended = true // endOfMibView repeats the name
					break
				}
				return nil, &trouble{code: "order", args: []any{s.to, st.column[1:]}, err: errLies}
			}
			st.last = index
		}
		if st.ended {
			continue
		}
		if out.whole || compareIndex(st.last, out.bound) < 0 {
			out.bound = st.last
		}
		out.whole = false
	}
	return out, nil
}

// progress reports whether the next request can begin further on.
func (s *stripes) progress() bool { return !s.whole && s.bound != s.from }

// rows hands out the wanted rows from the first-th on that are whole in this answer, and counts them.
func (s *stripes) rows(r request, first int, cells []value, see func(position int)) int {
	got := 0
	for _, position := range r.wanted[first:] {
		index := r.all[position]
		if !s.whole && (s.bound == "" || compareIndex(index, s.bound) > 0) {
			return got
		}
		for i := range s.list {
			cells[i] = s.cell(&s.list[i], index)
		}
		see(position)
		got++
	}
	return got
}

// cell finds the value of a row in a stripe; rows are asked for in order.
func (s *stripes) cell(st *stripe, index string) value {
	for ; st.at < len(s.vars); st.at += len(s.list) {
		have, inside := indexIn(st.column, s.vars[st.at].oid)
		if !inside {
			return value{}
		}
		switch c := compareIndex(have, index); {
		case c == 0:
			return s.vars[st.at].value
		case c > 0:
			return value{}
		}
	}
	return value{}
}

// positions finds each index in a sorted list; those that are not there are left out.
func positions(all, some []string) []int {
	var out []int
	for _, one := range some {
		if i, ok := slices.BinarySearchFunc(all, one, compareIndex); ok {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}
