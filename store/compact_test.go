package store_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// month is a store whose clock the test sets.
type month struct {
	*store.Store
	db  *sql.DB
	now time.Time
	dsn string
}

var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func newMonth(t *testing.T, dsn string) *month {
	t.Helper()
	m := &month{now: november, dsn: dsn, db: raw(t, dsn)}
	m.open(t)
	return m
}

func (m *month) open(t *testing.T) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{DSN: m.dsn, Now: func() time.Time { return m.now }, SampleRetention: 100 * time.Hour})
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
	for range hours * 60 {
		value := m.now.Sub(november).Minutes()
		m.Put([]collectors.Sample{
			{Series: counted("a"), At: m.now, Value: value, Every: time.Minute}, {Series: counted("b"), At: m.now, Value: -value, Every: time.Minute},
		})
		flush(t, m.Store)
		m.now = m.now.Add(time.Minute)
	}
}

func (m *month) tidy(t *testing.T) {
	t.Helper()
	if err := m.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// holds expects a number of rows in the log, in the hours (one for both series), in the days, and of daily figures.
func (m *month) holds(t *testing.T, when string, want ...int) {
	t.Helper()
	got := make([]int, 4)
	for i, table := range []string{"sample_log", "sample_hours", "sample_days", "sample_rollup_1d"} {
		got[i] = m.count(t, `SELECT COUNT(*) FROM `+table)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d rows in the log, hours, days and figures, want %d", when, got, want)
	}
}

func (m *month) count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := m.db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// check reads everything by another store, without a head, and expects every minute from an hour on.
func (m *month) check(t *testing.T, firstHour int) {
	t.Helper()
	m.open(t)
	result, err := m.Range(t.Context(), store.Everything(), store.RangeQuery{Series: counted("b"), From: m.now.Add(-1000 * time.Hour), To: m.now})
	if err != nil {
		t.Fatal(err)
	}
	last := result.Points[len(result.Points)-1].Mean
	if want := int(-last) - firstHour*60 + 1; len(result.Points) != want || result.Points[0].Mean != float64(-firstHour*60) {
		t.Fatalf("%d points from %v to %v, want %d from %d on", len(result.Points), result.Points[0].Mean, last, want, -firstHour*60)
	}
}

// eachMonth runs a test on every database there is.
func eachMonth(t *testing.T, test func(t *testing.T, m *month)) {
	t.Helper()
	storetest.EachDSN(t, func(t *testing.T, dsn string) { test(t, newMonth(t, dsn)) })
}

func TestHoursDaysAndRetention(t *testing.T) {
	eachMonth(t, func(t *testing.T, m *month) {
		m.pass(t, 10)
		m.tidy(t)
		m.holds(t, "10:00, of which the last hour may still get late samples", 60, 9, 0, 0)
		m.now = m.now.Add(5 * time.Minute)
		m.tidy(t)
		m.holds(t, "10:05", 0, 10, 0, 0)
		m.check(t, 0)
		m.tidy(t) // this store knows nothing of what was done
		m.now = m.now.Add(-5 * time.Minute)
		m.pass(t, 100) // the clock is at 110:00
		m.tidy(t)
		m.holds(t, "110:00: four days are over, but the first ten hours are no longer kept", 60, 13, 8, 8)
		m.check(t, 0) // a hundred hours are kept, by whole days
		if stats := m.stats(t); !stats.LogBegin.Equal(november) || stats.LogRows != 60 {
			t.Errorf("the oldest sample is of %v, with %d rows in the log", stats.LogBegin, stats.LogRows)
		}
		m.SetSampleRetention(20 * time.Hour) // as a reload does
		m.SetRollupRetention(50 * time.Hour)
		m.tidy(t)
		m.holds(t, "twenty hours are kept of samples, fifty of figures", 60, 13, 2, 4)
		m.check(t, 72)
		if stats := m.stats(t); !stats.LogBegin.Equal(november.Add(72 * time.Hour)) {
			t.Errorf("the oldest sample is of %v", stats.LogBegin)
		}
	})
}

func (m *month) stats(t *testing.T) store.Stats {
	t.Helper()
	if err := m.Measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m.Stats()
}

func TestDailyFigures(t *testing.T) {
	eachMonth(t, func(t *testing.T, m *month) {
		m.pass(t, 30)
		late := collectors.Sample{Series: counted("b"), At: november.Add(time.Second), Value: 7}
		for _, want := range []string{"1440 -1439 0 -1036080", "1441 -1439 7 -1036073"} {
			m.tidy(t)
			var got string
			err := m.db.QueryRow(`SELECT CAST(r.count AS TEXT) || ' ' || CAST(CAST(r.min AS INTEGER) AS TEXT) || ' ' || CAST(CAST(r.max AS INTEGER) AS TEXT)
				|| ' ' || CAST(CAST(r.sum AS INTEGER) AS TEXT) FROM sample_rollup_1d r JOIN series s ON s.id = r.series WHERE s.ref_name = 'b'`).Scan(&got)
			if err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			m.Put([]collectors.Sample{late})
			m.pass(t, 2)
		}
	})
}

// A row or chunk that is damaged stays where it is, is told, and costs only itself.
func TestDamageCostsOnlyItself(t *testing.T) {
	eachMonth(t, func(t *testing.T, m *month) {
		m.pass(t, 5)
		m.spoilRow(t, `sample_log WHERE id = 70`) // 01:09 of the first day
		m.tidy(t)
		m.holds(t, "a row is damaged", 61, 4, 0, 0)
		m.spoilRow(t, `sample_hours WHERE t0 = (SELECT MIN(t0) FROM sample_hours)`)
		m.pass(t, 22)
		m.tidy(t)
		m.holds(t, "an hour is damaged", 61, 1+2, 2, 2)
		m.tidy(t)
		if n := m.Stats().DamagedRows; n != 2 {
			t.Errorf("%d damaged rows, want 2", n)
		}
		for name, want := range map[string]int{"a": 27*60 - 1, "b": 26*60 - 1} {
			if n := m.samples(t, name); n != want {
				t.Errorf("%s has %d samples, want %d", name, n, want)
			}
		}
		m.spoilRow(t, `sample_days WHERE series = 1`)
		m.open(t)
		if n := m.samples(t, "a"); n != 3*60 || m.Stats().DamagedRows != 2 {
			t.Errorf("%d samples are left of a, %d rows are damaged; want 180 and 2", n, m.Stats().DamagedRows)
		}
	})
}

// spoilRow changes one octet near the end of a payload: of an hour that is the last series' part.
func (m *month) spoilRow(t *testing.T, where string) {
	t.Helper()
	var payload []byte
	if err := m.db.QueryRow(`SELECT payload FROM ` + where).Scan(&payload); err != nil {
		t.Fatal(err)
	}
	payload[len(payload)-6] ^= 4
	table, condition, _ := strings.Cut(where, " ")
	if _, err := m.db.Exec(`UPDATE `+table+` SET payload = $1 `+condition, payload); err != nil {
		t.Fatal(err)
	}
}

func (m *month) samples(t *testing.T, name string) int {
	t.Helper()
	result, err := m.Range(t.Context(), store.Everything(), store.RangeQuery{Series: counted(name), From: november, To: m.now})
	if err != nil {
		t.Fatal(err)
	}
	return len(result.Points)
}

// A row of a clock that ran ahead does not hold the others up, and waits in the log for its time.
func TestClockThatRanAhead(t *testing.T) {
	eachMonth(t, func(t *testing.T, m *month) {
		m.pass(t, 1)
		right := m.now
		m.now = right.Add(1000 * time.Hour)
		m.Put([]collectors.Sample{{Series: counted("a"), At: m.now, Value: 1}})
		flush(t, m.Store)
		m.now = right
		m.pass(t, 5)
		m.tidy(t)
		m.holds(t, "06:00", 61, 5, 0, 0)
		m.check(t, 0)
	})
}

// What was pending and never raised is forgotten after a day; what was raised stays, and so does the newest id.
func TestNeverRaisedIsForgotten(t *testing.T) {
	eachMonth(t, func(t *testing.T, m *month) {
		alarm := func(id int64, raisedAt time.Time) alerting.Alarm {
			return alerting.Alarm{ID: id, Series: counted("a"), RaisedAt: raisedAt}
		}
		err := m.Apply(t.Context(), alerting.Change{At: m.now, Alarms: []alerting.Alarm{alarm(1, time.Time{}), alarm(2, m.now), alarm(3, time.Time{})}})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ hours, left int }{{23, 3}, {2, 2}} {
			m.now = m.now.Add(time.Duration(step.hours) * time.Hour)
			m.tidy(t)
			if n := m.count(t, `SELECT COUNT(*) FROM alarms`); n != step.left {
				t.Errorf("%d alarms are left, want %d", n, step.left)
			}
		}
	})
}

// A stale process that was the active one changes no chunk.
func TestStaleCompactor(t *testing.T) {
	eachMonth(t, func(t *testing.T, m *month) {
		m.pass(t, 3)
		m.Deposed()
		if err := m.Sweep(t.Context()); err == nil {
			t.Error("it made chunks")
		}
		m.holds(t, "nothing has changed", 180, 0, 0, 0)
		m.open(t)
		m.tidy(t)
		m.holds(t, "done", 60, 2, 0, 0)
	})
}
