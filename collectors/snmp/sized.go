package snmp

import (
	"context"
	"maps"
	"slices"

	"vigia/collectors"
	"vigia/collectors/snmp/profile"
)

// hasSize lists the metrics of what has a size. A drive without a medium or a pool that is not built in is a row like any other, with size 0.
var hasSize = []collectors.Metric{collectors.RAMPct, collectors.PoolPct, collectors.SwapPct, collectors.DiskPct}

// there reports whether the device has what a metric is of, and which rows: those of memory and disks that have a size. The next discovery
// asks again for the others.
func (s *session) there(ctx context.Context, on *shelf, m *profile.Metric, rows []profile.Row) ([]profile.Row, bool, error) {
	if m.HasRows() && len(rows) == 0 || !m.HasRows() && !m.Has(on.has) {
		return nil, false, nil
	}
	if !slices.Contains(hasSize, m.Metric) {
		return rows, true, nil
	}
	if err := s.walk(ctx, on, m.Columns()); err != nil {
		return nil, false, err
	}
	r := on.reading(m)
	if !m.HasRows() {
		return nil, sayable(m, nil, r), nil
	}
	rows = slices.DeleteFunc(rows, func(row profile.Row) bool { return !sayable(m, []profile.Row{row}, r) })
	return rows, len(rows) > 0, nil
}

// sayable reports whether rows have a figure, or will have one with the next poll, or have one that cannot be true.
func sayable(m *profile.Metric, rows []profile.Row, r *reading) bool {
	figures, lacks := m.Eval(rows, r)
	return len(figures) > 0 || slices.ContainsFunc(lacks, func(l profile.Lack) bool { return l.Why != profile.WhyMissing })
}

// reading is what discovery read of a metric, as a poll would have read it.
func (s *shelf) reading(m *profile.Metric) *reading {
	now := maps.Clone(s.scalar)
	if now == nil {
		now = map[string]value{}
	}
	for _, oid := range m.Columns() {
		c := s.column(oid)
		for i := range c.cells {
			now[oid+"."+c.cells[i].index] = c.cells[i].value
		}
	}
	return &reading{now: now}
}
