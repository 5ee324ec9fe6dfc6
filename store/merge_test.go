package store

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// month is a store whose clock the test sets.
type month struct {
	*Store
	now time.Time
	dsn string
}

func newMonth(t *testing.T) *month {
	t.Helper()
	m := &month{now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), dsn: "sqlite:" + filepath.Join(t.TempDir(), "vigia.db")}
	m.open(t)
	return m
}

func (m *month) open(t *testing.T) {
	t.Helper()
	s, err := Open(t.Context(), Config{DSN: m.dsn, Now: func() time.Time { return m.now }, SampleRetention: 100 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	m.Store = s
}

func counted(name string) collectors.Series {
	return collectors.Series{Metric: collectors.LossPct, Ref: inventory.Ref{Kind: inventory.KindLink, Name: name}}
}

// pass lets hours pass with a flush of two series every minute; the values are the minutes since the beginning.
func (m *month) pass(t *testing.T, hours int) {
	t.Helper()
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for range hours * 60 {
		value := m.now.Sub(begin).Minutes()
		m.Put([]collectors.Sample{
			{Series: counted("a"), At: m.now, Value: value, Every: time.Minute}, {Series: counted("b"), At: m.now, Value: -value, Every: time.Minute},
		})
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.now = m.now.Add(time.Minute)
	}
}

func (m *month) count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := m.db.read.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// check reads everything by another store, without a head, and expects every minute from the first hour on.
func (m *month) check(t *testing.T, firstHour int) {
	t.Helper()
	m.open(t)
	result, err := m.Range(t.Context(), Everything(), RangeQuery{Series: counted("b"), From: m.now.Add(-1000 * time.Hour), To: m.now})
	if err != nil {
		t.Fatal(err)
	}
	last := result.Points[len(result.Points)-1].Mean
	if want := int(-last) - firstHour*60 + 1; len(result.Points) != want || result.Points[0].Mean != float64(-firstHour*60) {
		t.Fatalf("%d points from %v to %v, want %d from %d on", len(result.Points), result.Points[0].Mean, last, want, -firstHour*60)
	}
}

func TestMergeAndRetention(t *testing.T) {
	m := newMonth(t)
	m.pass(t, 10)
	if err := m.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	// 10:00: hours 0 to 7 are over for two hours and more; the last two are left to the head.
	if n := m.count(t, `SELECT COUNT(*) FROM sample_log`); n != 8+120 {
		t.Errorf("%d rows, want 8 merged ones and 120", n)
	}
	if n := m.count(t, `SELECT SUM(count) FROM sample_log`); n != 1200 {
		t.Errorf("%d samples, want 1200", n)
	}
	m.check(t, 0)
	if err := m.sweep(t.Context()); err != nil { // this store knows nothing of what was merged
		t.Fatal(err)
	}
	m.pass(t, 100) // the clock is at 110:00
	if err := m.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := m.count(t, `SELECT COUNT(*) FROM sample_log`); n != 98+120 {
		t.Errorf("%d rows, want 98 merged ones and 120", n)
	}
	m.check(t, 10)                       // a hundred hours are kept, by whole rows
	m.SetSampleRetention(20 * time.Hour) // as a reload does
	if err := m.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.check(t, 90)
}

// A row that is damaged keeps its hour from being merged, and nothing else is lost.
func TestMergeLeavesDamagedHours(t *testing.T) {
	m := newMonth(t)
	m.pass(t, 5)
	if _, err := m.db.durable.Exec(`UPDATE sample_log SET payload = X'0102030405060708' WHERE id = 70`); err != nil {
		t.Fatal(err)
	}
	if err := m.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := m.count(t, `SELECT COUNT(*) FROM sample_log`); n != 1+60+1+120 {
		t.Errorf("%d rows, want that one hour of three is left as it was", n)
	}
}

func TestMergeGroups(t *testing.T) {
	hour := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	rows := func(counts ...int64) (list []logRow) {
		for i, n := range counts {
			list = append(list, logRow{id: int64(i), hour: hour, count: n})
		}
		return list
	}
	later := rows(1, 1, 1, 1)
	later[2].hour, later[3].hour = hour.Add(time.Hour), hour.Add(time.Hour)
	for name, test := range map[string]struct {
		rows []logRow
		want []int
	}{
		"nothing":    {nil, nil},
		"one hour":   {rows(1, 2, 3), []int{3}},
		"two hours":  {later, []int{2, 2}},
		"too many":   {rows(mostMerged-1, 1, 1), []int{2, 1}},
		"large ones": {rows(mostMerged*2, mostMerged*2, 1), []int{1, 1, 1}},
	} {
		var sizes []int
		for _, g := range mergeGroups(test.rows) {
			sizes = append(sizes, len(g))
		}
		if !slices.Equal(sizes, test.want) {
			t.Errorf("%s: groups of %v, want %v", name, sizes, test.want)
		}
	}
}

// What was pending and never raised is forgotten after a day; what was raised stays, and so does the newest id.
func TestNeverRaisedIsForgotten(t *testing.T) {
	m := newMonth(t)
	alarm := func(id int64, raisedAt time.Time) alerting.Alarm {
		return alerting.Alarm{ID: id, Series: counted("a"), RaisedAt: raisedAt}
	}
	err := m.Apply(context.Background(), alerting.Change{At: m.now, Alarms: []alerting.Alarm{alarm(1, time.Time{}), alarm(2, m.now), alarm(3, time.Time{})}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ hours, left int }{{23, 3}, {2, 2}} {
		m.now = m.now.Add(time.Duration(step.hours) * time.Hour)
		if err := m.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := m.count(t, `SELECT COUNT(*) FROM alarms`); n != step.left {
			t.Errorf("%d alarms are left, want %d", n, step.left)
		}
	}
}
