package store_test

import (
	"database/sql"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store/chunk"
	"vigia/store/storetest"
)

// ofBefore makes of a chunk what a Vigía before the fifth migration wrote: its checksum does not say whose it is.
func ofBefore(packed []byte) []byte {
	body := slices.Clone(packed[:len(packed)-4])
	body[0] = 0x81
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

// sinceTallies takes back what the sixth migration and those behind it made.
var sinceTallies = []string{
	`DROP TABLE call_tallies`, `DROP TABLE call_folding`, `DROP INDEX call_hours_value`, `DROP INDEX calls_mos`,
	`DROP TABLE mutes`, `ALTER TABLE commands DROP COLUMN more`, `ALTER TABLE commands DROP COLUMN made`,
	`DROP TABLE oncall_overrides`, `DROP TABLE handover_notes`,
}

// ungroup makes the rows of hours and days what they were before the fifth migration, and forgets that it was applied.
func ungroup(t *testing.T, db *sql.DB) (rows int) {
	t.Helper()
	exec := func(text string, args ...any) {
		if _, err := db.Exec(text, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range keysIn(t, db, `SELECT t0, series, payload FROM sample_hours`) {
		exec(`DELETE FROM sample_hours WHERE t0 = $1 AND series = $2`, k.t0, k.id)
		for _, p := range got[[]chunk.Part](t)(chunk.Parts(nil, k.id, k.raw)) {
			exec(`INSERT INTO sample_hours (t0, series, payload) VALUES ($1, $2, $3)`, k.t0, p.Series, ofBefore(p.Packed))
			rows++
		}
	}
	for _, k := range keysIn(t, db, `SELECT t0, series, payload FROM sample_days`) {
		exec(`UPDATE sample_days SET payload = $3 WHERE t0 = $1 AND series = $2`, k.t0, k.id, ofBefore(k.raw))
	}
	for _, later := range sinceTallies {
		exec(later)
	}
	exec(`DELETE FROM schema_migrations WHERE version > 4`)
	return rows
}

// TestHoursOfBefore: what an older Vigía wrote, a row for each series and hour, is read, takes up what comes late, and becomes days.
func TestHoursOfBefore(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		h := filled(t, dsn, 70, 3, 5)
		db := raw(t, dsn)
		if n := ungroup(t, db); n < 70*20 {
			t.Fatalf("only %d rows", n)
		}
		checkReading(t, openAt(t, dsn, halfPastTwo), h, 0)
		if found := damages(t, dsn); len(found) > 0 {
			t.Fatalf("verify finds %v", found)
		}
		later := openAt(t, dsn, halfPastTwo)
		late := collectors.Sample{Series: counted("link-40"), At: november.Add(-90 * time.Minute), Value: 1234}
		later.Put([]collectors.Sample{late})
		flush(t, later)
		h[late.Series][late.At.UnixMicro()] = late.Value
		if err := later.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		checkReading(t, openAt(t, dsn, halfPastTwo), h, 0)
		next := openAt(t, dsn, halfPastTwo.Add(25*time.Hour))
		if err := next.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, query := range map[string]string{"hours": `SELECT COUNT(*) FROM sample_hours`, "rows of the log": `SELECT COUNT(*) FROM sample_log`} {
			var n int
			if err := db.QueryRow(query).Scan(&n); err != nil || n > 0 {
				t.Errorf("%d %s are left, %v", n, name, err)
			}
		}
		checkReading(t, openAt(t, dsn, halfPastTwo.Add(25*time.Hour)), h, 0)
	})
}

// TestSwappedSeries: two chunks that have each other's series are noticed by reading and by verify, in hours and in days.
func TestSwappedSeries(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		h := filled(t, dsn, 3, 3, 5)
		db := raw(t, dsn)
		hour := keysIn(t, db, `SELECT t0, series, payload FROM sample_hours ORDER BY t0, series`)[0]
		parts := got[[]chunk.Part](t)(chunk.Parts(nil, hour.id, hour.raw))
		parts[0].Packed, parts[1].Packed = parts[1].Packed, parts[0].Packed
		days := keysIn(t, db, `SELECT t0, series, payload FROM sample_days ORDER BY t0, series`)
		for _, k := range []struct {
			table string
			key
		}{
			{"sample_hours", key{hour.t0, hour.id, chunk.AppendGroup(nil, parts)}},
			{"sample_days", key{days[0].t0, days[0].id, days[1].raw}},
			{"sample_days", key{days[1].t0, days[1].id, days[0].raw}},
		} {
			if _, err := db.Exec(`UPDATE `+k.table+` SET payload = $1 WHERE t0 = $2 AND series = $3`, k.raw, k.t0, k.id); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]int{}
		for i, name := range []string{"link-0", "link-1"} {
			id := int64(i + 1)
			h.forget("sample_hours", hour, name)
			h.forget("sample_days", days[i], name)
			want[verifiedAs("sample_hours", key{hour.t0, id, nil}, name)]++
			want[verifiedAs("sample_days", key{days[i].t0, id, nil}, name)]++
		}
		differ(t, "what verify names", damages(t, dsn), want)
		checkReading(t, openAt(t, dsn, halfPastTwo), h, 4)
	})
}
