package store_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/collectors"
	"vigia/store"
	"vigia/store/chunk"
	"vigia/store/storetest"
)

// halfPastTwo is when the day before is not folded yet and two hours of the new day are over.
var halfPastTwo = november.Add(150 * time.Minute)

// history is what a store holds: by series and microsecond.
type history map[collectors.Series]map[int64]float64

// filled makes a store with rows in the log, hours and days, and says what it holds: of some series a value in each half hour of so many
// days, the last of them as hours, and of the hour that is not over a row in the log for each of some flushes.
func filled(t testing.TB, dsn string, series, days, flushes int) history {
	t.Helper()
	s := openAt(t, dsn, halfPastTwo)
	h, random := history{}, rand.New(rand.NewPCG(7, 8))
	put := func(at time.Time) {
		for n := range series {
			one := collectors.Sample{Series: counted(fmt.Sprint("link-", n)), At: at, Value: float64(random.IntN(1_000_000)) / 100, Every: time.Minute}
			s.Put([]collectors.Sample{one})
			if h[one.Series] == nil {
				h[one.Series] = map[int64]float64{}
			}
			h[one.Series][at.UnixMicro()] = one.Value
		}
	}
	for at := november.AddDate(0, 0, -days); at.Before(november.Add(2 * time.Hour)); at = at.Add(30 * time.Minute) {
		put(at)
	}
	flush(t, s)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range flushes {
		put(november.Add(2*time.Hour + time.Duration(n)*8*time.Second))
		flush(t, s)
	}
	s.Close()
	return h
}

// garble is one of the ways in which octets go bad: one that has changed, an end that is missing, or too many.
func garble(random *rand.Rand, whole []byte) []byte {
	switch random.IntN(3) {
	case 0:
		damaged := bytes.Clone(whole)
		damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		return damaged
	case 1:
		return bytes.Clone(whole[:random.IntN(len(whole))])
	}
	more := make([]byte, 1+random.IntN(16))
	for i := range more {
		more[i] = byte(random.Uint32())
	}
	return append(bytes.Clone(whole), more...)
}

// key is one row of samples: id of a row of the log, or the time and series of a chunk.
type key struct {
	t0  any // as the driver gives it
	id  int64
	raw []byte
}

func (k key) at() time.Time {
	if at, ok := k.t0.(time.Time); ok {
		return at.UTC()
	}
	us, _ := k.t0.(int64)
	return time.UnixMicro(us).UTC()
}

func keysIn(t testing.TB, db *sql.DB, text string) (list []key) {
	t.Helper()
	rows := got[*sql.Rows](t)(db.Query(text))
	defer rows.Close()
	for rows.Next() {
		var k key
		if err := rows.Scan(&k.t0, &k.id, &k.raw); err != nil {
			t.Fatal(err)
		}
		list = append(list, k)
	}
	return list
}

// TestGarbledRows spoils 200 rows of each table of samples, of hours 200 chunks in their rows: verify names each of them by table, time and series, and nothing else; reading
// leaves out what they held, counts them, and gives every other value as it was.
func TestGarbledRows(t *testing.T) {
	const each = 200
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		h := filled(t, dsn, 10, 22, each+10)
		db, random := raw(t, dsn), rand.New(rand.NewPCG(1, 2))
		names := map[int64]string{}
		for n := range int64(10) {
			names[n+1] = fmt.Sprint("link-", n)
		}
		want := map[string]int{}
		for table, columns := range map[string]string{"sample_log": "t0, id", "sample_hours": "t0, series", "sample_days": "t0, series"} {
			list := keysIn(t, db, `SELECT `+columns+`, payload FROM `+table+` ORDER BY t0, 2`)
			if table == "sample_hours" {
				for _, k := range h.garbleHours(t, db, random, list, each, names) {
					want[verifiedAs(table, k, names[k.id])]++
				}
				continue
			}
			random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			if len(list) < each {
				t.Fatalf("%s has only %d rows", table, len(list))
			}
			for _, k := range list[:each] {
				text := `UPDATE ` + table + ` SET payload = $1 WHERE t0 = $2 AND ` + strings.Split(columns, ", ")[1] + ` = $3`
				if _, err := db.Exec(text, garble(random, k.raw), k.t0, k.id); err != nil {
					t.Fatal(err)
				}
				h.forget(table, k, names[k.id])
				want[verifiedAs(table, k, names[k.id])]++
			}
		}
		differ(t, "what verify names", damages(t, dsn), want)
		checkReading(t, openAt(t, dsn, halfPastTwo), h, 3*each)
	})
}

// garbleHours spoils n chunks in rows of hours, forgets what they held and says which they are.
func (h history) garbleHours(t testing.TB, db *sql.DB, random *rand.Rand, list []key, n int, names map[int64]string) (spoilt []key) {
	t.Helper()
	for _, k := range list {
		parts := got[[]chunk.Part](t)(chunk.Parts(nil, k.id, k.raw))
		for i := range parts {
			if p := &parts[i]; len(spoilt) < n && random.IntN(10) > 0 {
				p.Packed = garble(random, p.Packed)
				spoilt = append(spoilt, key{k.t0, p.Series, nil})
				h.forget("sample_hours", k, names[p.Series])
			}
		}
		if _, err := db.Exec(`UPDATE sample_hours SET payload = $1 WHERE t0 = $2 AND series = $3`, chunk.AppendGroup(nil, parts), k.t0, k.id); err != nil {
			t.Fatal(err)
		}
	}
	if len(spoilt) < n {
		t.Fatalf("the hours have only %d chunks to spoil", len(spoilt))
	}
	return spoilt
}

// TestGarbledIndex: when it cannot be told any more where the chunks of an hour are, that costs the hour of all series of the row, and all
// else becomes a day. The row stays, and gives way to what comes late.
func TestGarbledIndex(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		h := filled(t, dsn, 5, 3, 5)
		db := raw(t, dsn)
		broken := keysIn(t, db, `SELECT t0, series, payload FROM sample_hours ORDER BY t0`)[3]
		broken.raw[4] ^= 1
		if _, err := db.Exec(`UPDATE sample_hours SET payload = $1 WHERE t0 = $2`, broken.raw, broken.t0); err != nil {
			t.Fatal(err)
		}
		for n := range 5 {
			h.forget("sample_hours", broken, fmt.Sprint("link-", n))
		}
		checkReading(t, openAt(t, dsn, halfPastTwo), h, 1)
		next := openAt(t, dsn, halfPastTwo.Add(25*time.Hour))
		for range 2 {
			if err := next.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if left := keysIn(t, db, `SELECT t0, series, payload FROM sample_hours`); len(left) != 1 || !left[0].at().Equal(broken.at()) {
			t.Errorf("%d rows of hours are left", len(left))
		}
		late := collectors.Sample{Series: counted("link-3"), At: broken.at().Add(time.Minute), Value: 77}
		next.Put([]collectors.Sample{late})
		flush(t, next)
		if err := next.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		h[late.Series][late.At.UnixMicro()] = late.Value
		checkReading(t, openAt(t, dsn, halfPastTwo.Add(25*time.Hour)), h, 0)
	})
}

// verifiedAs is how verify names a row whose samples cannot be decoded.
func verifiedAs(table string, k key, name string) string {
	const what = "its samples cannot be decoded: the samples are damaged"
	at := k.at().Format(time.RFC3339)
	if table == "sample_log" {
		return fmt.Sprintf("%s, id %d: %s (it says that they are from %s to %s)", table, k.id, what, at, at)
	}
	return fmt.Sprintf("%s, t0 %s, series %d (loss_pct of link/%s ): %s", table, at, k.id, name, what)
}

// forget takes out what a row held.
func (h history) forget(table string, k key, name string) {
	from := k.at().UnixMicro()
	long := map[string]time.Duration{"sample_log": time.Microsecond, "sample_hours": time.Hour, "sample_days": 24 * time.Hour}[table]
	for series, samples := range h {
		if table == "sample_log" || series.Ref.Name == name {
			maps.DeleteFunc(samples, func(at int64, _ float64) bool { return at >= from && at < from+long.Microseconds() })
		}
	}
}

// damages is what verify names, each once.
func damages(t testing.TB, dsn string) map[string]int {
	t.Helper()
	found := map[string]int{}
	v := got[store.Verified](t)(store.Verify(t.Context(), store.Config{DSN: dsn}, func(d store.Damage) { found[d.Table+", "+d.Row+": "+d.What]++ }))
	if v.Damaged == 0 != (len(found) == 0) {
		t.Errorf("verify counts %d damaged rows and names %d", v.Damaged, len(found))
	}
	return found
}

// checkReading expects exactly what is known, and a number of rows that could not be read.
func checkReading(t testing.TB, s *store.Store, h history, damaged int) {
	t.Helper()
	for series, want := range h {
		have := map[int64]float64{}
		for _, p := range read(t, s, series, november.AddDate(0, 0, -100), halfPastTwo, 0).Points {
			have[p.At.UnixMicro()] = p.Mean
		}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-stored +read):\n%s", series.Ref.Name, diff)
		}
	}
	if n := s.Stats().DamagedRows; n != damaged {
		t.Errorf("%d rows are counted as damaged, want %d", n, damaged)
	}
}

// TestMovedRows puts rows of samples under another key, or changes what stands beside them: verify names them.
func TestMovedRows(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		filled(t, dsn, 3, 5, 20)
		db := raw(t, dsn)
		if found := damages(t, dsn); len(found) > 0 {
			t.Fatalf("a whole store has damage: %v", found)
		}
		hours, days := keysIn(t, db, `SELECT t0, series, payload FROM sample_hours ORDER BY t0, series`), keysIn(t, db, `SELECT t0, series, payload FROM sample_days ORDER BY t0, series`)
		logs := keysIn(t, db, `SELECT t0, id, payload FROM sample_log ORDER BY id`)
		for name, c := range map[string]struct {
			sql  string
			args []any
			says string
		}{
			"an hour to another time":      {`UPDATE sample_hours SET t0 = $1 WHERE t0 = $2 AND series = 0`, []any{days[0].t0, hours[0].t0}, "it holds samples of another time than the 1h0m0s from"},
			"a day to another time":        {`UPDATE sample_days SET t0 = $1 WHERE t0 = $2 AND series = 1`, []any{hours[0].t0, days[0].t0}, "it holds samples of another time than the 24h0m0s from"},
			"a day to another series":      {`UPDATE sample_days SET payload = $1 WHERE t0 = $2 AND series = 2`, []any{days[0].raw, days[0].t0}, "its samples cannot be decoded: the samples are damaged"},
			"an old day to another series": {`UPDATE sample_days SET payload = $1 WHERE t0 = $2 AND series = 2`, []any{ofBefore(days[3].raw), days[3].t0}, "it is not of this series or day"},
			"an hour to a foreign series":  {`UPDATE sample_hours SET series = 96 WHERE t0 = $1 AND series = 0`, []any{hours[1].t0}, "its samples cannot be decoded: they are of other series"},
			"the beginning of a row":       {`UPDATE sample_log SET t0 = $1 WHERE id = $2`, []any{hours[0].t0, logs[0].id}, "its samples are not of the time that it says"},
			"the end of a row":             {`UPDATE sample_log SET t1 = $1 WHERE id = $2`, []any{logs[0].t0, logs[1].id}, "its samples are not of the time that it says"},
			"the count of a row":           {`UPDATE sample_log SET count = 4 WHERE id = $1`, []any{logs[2].id}, "it holds 3 samples and says 4"},
		} {
			before := damages(t, dsn)
			if _, err := db.Exec(c.sql, c.args...); err != nil {
				t.Fatal(err)
			}
			fresh := slices.DeleteFunc(slices.Collect(maps.Keys(damages(t, dsn))), func(what string) bool { return before[what] > 0 })
			other := slices.ContainsFunc(fresh, func(what string) bool { return !strings.Contains(what, c.says) })
			if len(fresh) == 0 || other {
				t.Errorf("%s: verify names %q", name, fresh)
			}
		}
	})
}
