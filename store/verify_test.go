package store_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// TestVerifyFindsDamage damages one row of each sort behind the store's back: each is named, and nothing else is.
func TestVerifyFindsDamage(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		world(t, openAt(t, dsn, noon.Add(12*time.Hour)))
		db := raw(t, dsn)
		verify := func() (found []string) {
			v := got[store.Verified](t)(store.Verify(t.Context(), store.Config{DSN: dsn}, func(d store.Damage) {
				found = append(found, d.Table+", "+d.Row+": "+d.What)
			}))
			if v.Damaged != len(found) || v.Rows < 30 || v.Tables < 9 {
				t.Errorf("%+v, and %d are named", v, len(found))
			}
			return found
		}
		if found := verify(); len(found) > 0 {
			t.Fatalf("a whole store has damage: %v", found)
		}
		flipPayloads(t, dsn, func() int { return len(verify()) })
		for _, c := range []struct{ sql, says string }{
			{`UPDATE sample_log SET count = 7 WHERE id = 1`, "sample_log, id 1: it holds 300 samples and says 7"},
			{`UPDATE sample_log SET t0 = t1 WHERE id = 2`, "sample_log, id 2: its samples are not of the time that it says"},
			{`UPDATE incidents SET doc = '{"ID":' WHERE id = 1`, "incidents, id 1: its document cannot be read"},
			{`UPDATE events SET incident_id = 999 WHERE id = 2`, "events, id 2: its incident_id is 999, and incidents has none such"},
			{`DELETE FROM series WHERE ref_name = 'acme'`, "it holds samples of the series 2, which is not there"},
			{`DELETE FROM notifications WHERE state = 'sent'`, "notifications has none such"},
		} {
			before := verify()
			if _, err := db.Exec(c.sql); err != nil {
				t.Fatal(err)
			}
			found := verify()
			if !strings.Contains(strings.Join(found, "\n"), c.says) || len(found) <= len(before) {
				t.Errorf("after %s: %v", c.sql, found)
			}
		}
	})
}

// flipPayloads changes one octet of a row of samples again and again, each time another.
func flipPayloads(t *testing.T, dsn string, verify func() int) {
	t.Helper()
	db := raw(t, dsn)
	var payload []byte
	if err := db.QueryRow(`SELECT payload FROM sample_log WHERE id = 3`).Scan(&payload); err != nil {
		t.Fatal(err)
	}
	put := func(b []byte) {
		if _, err := db.Exec(`UPDATE sample_log SET payload = $1 WHERE id = 3`, b); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		damaged := bytes.Clone(payload)
		damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
		put(damaged)
		if n := verify(); n != 1 {
			t.Errorf("%d rows are named, want 1", n)
		}
	}
	put(payload)
}

func TestStat(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		s := openAt(t, dsn, noon.Add(12*time.Hour))
		world(t, s)
		stat := func() store.Sizes { return got[store.Sizes](t)(store.Stat(t.Context(), store.Config{DSN: dsn})) }
		sizes := stat()
		if sizes.Samples != 900 || sizes.Series != 3 || !sizes.Oldest.Equal(noon) || !sizes.Newest.Equal(noon.Add(2*time.Hour+990*time.Second)) {
			t.Errorf("%+v", sizes)
		}
		var bytes int64
		for _, table := range sizes.Tables {
			if table.Bytes == 0 {
				t.Errorf("%s takes no octets", table.Name)
			}
			bytes += table.Bytes
		}
		if bytes > sizes.Bytes || sizes.Active || len(sizes.Schema) == 0 || !sizes.Since.Equal(noon.Add(12*time.Hour)) {
			t.Errorf("%d octets in tables; %+v", bytes, sizes)
		}
		release := acquire(t, s)
		if now := stat(); !now.Active || now.Holder == "" || now.Epoch != 1 {
			t.Errorf("with an active process: %+v", now)
		}
		release()
		if stat().Active {
			t.Error("it is active after it was given back")
		}
	})
}

// TestRebuild restores into tables that are made anew.
func TestRebuild(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		full := storetest.SQLite(t)
		world(t, openAt(t, full, noon.Add(12*time.Hour)))
		file, _ := backup(t, full)
		apply(t, openAt(t, dsn, noon), outage(77, link, 4, noon))
		epoch := got[int64](t)(store.RebuildOnly(t.Context(), store.Config{DSN: dsn}, file))
		if diff := cmp.Diff(contents(t, full), contents(t, dsn)); diff != "" {
			t.Errorf("rows differ:\n%s", diff)
		}
		goesOn(t, dsn)
		if sizes := got[store.Sizes](t)(store.Stat(t.Context(), store.Config{DSN: dsn})); sizes.Epoch != epoch || sizes.Active {
			t.Errorf("the epoch is %d, want %d; active %v", sizes.Epoch, epoch, sizes.Active)
		}
	})
}

// TestArchiveIsCheckedWithin changes what stands inside of an archive and packs it again, so that neither gzip nor the seal can notice: the
// manifest does.
func TestArchiveIsCheckedWithin(t *testing.T) {
	s := storetest.Open(t, at(noon.Add(12*time.Hour)))
	world(t, s)
	var whole bytes.Buffer
	got[store.Manifest](t)(s.Dump(t.Context(), &whole))
	if err := store.CheckArchive(bytes.NewReader(whole.Bytes())); err != nil {
		t.Fatal(err)
	}
	type member struct {
		name    string
		content []byte
	}
	var members []member
	zip := got[*gzip.Reader](t)(gzip.NewReader(&whole))
	for files := tar.NewReader(zip); ; {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, member{header.Name, got[[]byte](t)(io.ReadAll(files))})
	}
	check := func(what string, list []member) {
		t.Helper()
		var out bytes.Buffer
		zip := gzip.NewWriter(&out)
		files := tar.NewWriter(zip)
		for _, m := range list {
			if err := files.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.content)), Mode: 0o600}); err != nil {
				t.Fatal(err)
			}
			files.Write(m.content)
		}
		files.Close()
		zip.Close()
		if err := store.CheckArchive(&out); err == nil {
			t.Errorf("%s passes", what)
		}
	}
	last := len(members) - 1
	for i := range members {
		without := append(append([]member{}, members[:i]...), members[i+1:]...)
		check("without "+members[i].name, without)
		if i == last {
			break
		}
		check("twice "+members[i].name, append(append([]member{}, members[:i+1]...), members[i:]...))
		for at := range members[i].content {
			changed := append([]member{}, members...)
			changed[i].content = bytes.Clone(members[i].content)
			changed[i].content[at] ^= 0x11
			if at%37 == 0 {
				check("a change in "+members[i].name, changed)
			}
		}
	}
	check("something behind the manifest", append(append([]member{}, members...), member{"tables/x/00000001", nil}))
}

// TestVerifyFindsDamagedChunks: the same of hour and day chunks. A store with chunks is restored whole.
func TestVerifyFindsDamagedChunks(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		first := openAt(t, dsn, noon.Add(time.Minute))
		var samples []collectors.Sample
		for i := range 600 {
			samples = append(samples, collectors.Sample{Series: collectors.Series{Metric: collectors.LossPct, Ref: link, Instance: "ping"}, At: noon.Add(-time.Duration(600-i) * time.Minute), Value: float64(i % 7)})
		}
		first.Put(samples)
		if err := first.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		first.Close()
		later := openAt(t, dsn, noon.Add(90*time.Minute))
		release := got[func()](t)(later.Acquire(t.Context()))
		if err := later.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		release()
		verify := func() (found []string) {
			got[store.Verified](t)(store.Verify(t.Context(), store.Config{DSN: dsn}, func(d store.Damage) { found = append(found, d.Table+": "+d.What) }))
			return found
		}
		db := raw(t, dsn)
		var hours int
		if err := db.QueryRow(`SELECT COUNT(*) FROM sample_hours`).Scan(&hours); err != nil || hours < 1 {
			t.Fatalf("%d hour chunks, %v", hours, err)
		}
		if found := verify(); len(found) > 0 {
			t.Fatalf("a whole store has damage: %v", found)
		}
		file, _ := backup(t, dsn)
		other := storetest.SQLite(t)
		restore(t, other, file, noon.Add(2*time.Hour))
		whole := got[store.RangeResult](t)(openAt(t, other, noon.Add(2*time.Hour)).Range(t.Context(), store.Everything(), store.RangeQuery{Series: samples[0].Series, From: noon.Add(-24 * time.Hour), To: noon}))
		if len(whole.Points) != len(samples) {
			t.Errorf("%d samples after a restore, want %d", len(whole.Points), len(samples))
		}
		for _, c := range []struct {
			sql, says string
			args      []any
		}{
			{`UPDATE sample_hours SET series = 96 WHERE t0 = (SELECT MIN(t0) FROM sample_hours)`, "sample_hours: its samples cannot be decoded: they are of other series", nil},
			{`UPDATE sample_hours SET payload = (SELECT payload FROM sample_hours WHERE t0 = (SELECT MIN(t0) FROM sample_hours)) WHERE t0 = (SELECT MAX(t0) FROM sample_hours)`, "sample_hours: it holds samples of another time than the 1h0m0s from", nil},
			{`UPDATE sample_hours SET payload = $1 WHERE series <> 96`, "sample_hours: its samples cannot be decoded", []any{[]byte("no samples at all")}},
		} {
			if _, err := db.Exec(c.sql, c.args...); err != nil {
				t.Fatal(err)
			}
			if found := verify(); !strings.Contains(strings.Join(found, "\n"), c.says) {
				t.Errorf("after %s: %v", c.sql, found)
			}
		}
	})
}
