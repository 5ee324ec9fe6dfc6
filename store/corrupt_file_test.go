package store_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

// fileUnderTest is a SQLite file of a vigia that has ended, and what it holds.
type fileUnderTest struct {
	path    string
	whole   []byte
	holds   history
	samples int
}

func newFileUnderTest(t *testing.T) *fileUnderTest {
	t.Helper()
	dsn := storetest.SQLite(t)
	world(t, openAt(t, dsn, halfPastTwo))
	f := &fileUnderTest{holds: filled(t, dsn, 4, 8, 40), path: filepath.Join(t.TempDir(), "damaged.db")}
	if _, err := store.Compact(t.Context(), store.Config{DSN: dsn, Now: standing}); err != nil { // moves the log of writes into the file
		t.Fatal(err)
	}
	f.whole = got[[]byte](t)(os.ReadFile(strings.TrimPrefix(dsn, "sqlite:")))
	for _, samples := range f.holds {
		f.samples += len(samples)
	}
	return f
}

func standing() time.Time { return halfPastTwo }

// with puts a file there, with nothing beside it but a log of writes.
func (f *fileUnderTest) with(t *testing.T, content, log []byte) {
	t.Helper()
	for _, end := range []string{"-wal", "-shm", ".lock"} {
		if err := os.Remove(f.path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(f.path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if log != nil {
		if err := os.WriteFile(f.path+"-wal", log, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// outcome is what an operator sees of a damaged file.
type outcome struct {
	refused string   // why it cannot be opened, verified or read
	named   []string // what verify names
	right   int      // samples that are as they were
	wrong   []string // those that are not, by an object that is known
	strange int      // those of an object that is not
}

// look opens the file, verifies it and reads all of it, as far as it lets itself.
func (f *fileUnderTest) look(t *testing.T) (o outcome) {
	t.Helper()
	cfg := store.Config{DSN: "sqlite:" + f.path, Now: standing, MustExist: true}
	_, err := store.Verify(t.Context(), cfg, func(d store.Damage) { o.named = append(o.named, d.Table+", "+d.Row+": "+d.What) })
	o.refuse(err)
	s, err := store.Open(t.Context(), cfg)
	if o.refuse(err); err != nil {
		return o
	}
	defer s.Close()
	for _, series := range s.AllSeries(store.Everything()) {
		result, err := s.Range(t.Context(), store.Everything(), store.RangeQuery{Series: series, From: november.AddDate(0, 0, -100), To: halfPastTwo})
		o.refuse(err)
		known := f.holds[series]
		for _, p := range result.Points {
			switch want, ok := known[p.At.UnixMicro()]; {
			case known == nil:
				o.strange++
			case !ok || want != p.Mean:
				o.wrong = append(o.wrong, series.Ref.Name+" at "+p.At.String())
			default:
				o.right++
			}
		}
	}
	return o
}

func (o *outcome) refuse(err error) {
	if err != nil && o.refused == "" {
		o.refused = err.Error()
	}
}

// detected reports whether an operator is told.
func (o *outcome) detected() bool { return o.refused != "" || len(o.named) > 0 }

// TestDamagedFile changes single octets of a SQLite file and cuts its end off: verify or opening says so, or every sample is right. A sample
// is never wrong. What the file holds besides samples has no checksum of its own: there a letter may become another one.
func TestDamagedFile(t *testing.T) {
	f := newFileUnderTest(t)
	f.with(t, f.whole, nil)
	if o := f.look(t); o.detected() || o.right != f.samples || len(o.wrong) > 0 {
		t.Fatalf("a whole file: %+v, want %d samples", o, f.samples)
	}
	random := rand.New(rand.NewPCG(11, 12))
	told := 0
	for n := range 300 {
		damaged, what := append([]byte{}, f.whole...), ""
		switch place := random.IntN(len(damaged)); {
		case n < 100: // the header, octet by octet
			damaged[n] ^= byte(1 + random.IntN(255))
			what = "the header"
		case n%4 == 0:
			damaged, what = damaged[:1+place], "the end"
		case n%4 == 1: // the beginning of a page, which says how it is laid out
			damaged[place-place%8192+random.IntN(16)] ^= byte(1 + random.IntN(255))
			what = "a page's header"
		default:
			damaged[place] ^= byte(1 + random.IntN(255))
			what = "an octet"
		}
		f.with(t, damaged, nil)
		o := f.look(t)
		if o.detected() {
			told++
		}
		f.judge(t, n, what, &o)
	}
	t.Logf("%d of 300 were told; of the others every sample is right", told)
	if told < 100 {
		t.Errorf("only %d of 300 were told", told)
	}
}

// judge fails the test when something is wrong and nobody is told, when a sample is wrong, or when the message says nothing.
func (f *fileUnderTest) judge(t *testing.T, n int, what string, o *outcome) {
	t.Helper()
	if len(o.wrong) > 0 {
		t.Errorf("damage %d of %s: %d samples are wrong, such as %s", n, what, len(o.wrong), o.wrong[0])
	}
	if !o.detected() && o.right != f.samples {
		t.Errorf("damage %d of %s: nobody is told, and %d of %d samples are right, %d of an object that is not known", n, what, o.right, f.samples, o.strange)
	}
	if o.refused != "" && !strings.Contains(o.refused, f.path) {
		t.Errorf("damage %d of %s is refused without the file's name: %s", n, what, o.refused)
	}
}

// TestDamagedLogOfWrites does the same to SQLite's log of writes, as a killed process leaves it. SQLite takes its first frame that is not
// right for the end of what was written, so the file goes back to a whole earlier state, which nobody can tell from a power cut a little
// earlier: samples may be missing, and none is wrong.
func TestDamagedLogOfWrites(t *testing.T) {
	f := newFileUnderTest(t)
	f.with(t, f.whole, nil)
	s := openAt(t, "sqlite:"+f.path, halfPastTwo)
	late := line(counted("link-0"), november.Add(2*time.Hour+time.Second), 8*time.Second, 30)
	for _, one := range late {
		s.Put([]collectors.Sample{one})
		flush(t, s)
		f.holds[one.Series][one.At.UnixMicro()] = one.Value
	}
	log := got[[]byte](t)(os.ReadFile(f.path + "-wal"))
	s.Close()
	f.with(t, f.whole, log)
	if o := f.look(t); o.detected() || o.right != f.samples+len(late) {
		t.Fatalf("a whole log: %+v, want %d samples", o, f.samples+len(late))
	}
	random, lost := rand.New(rand.NewPCG(13, 14)), 0
	for n := range 60 {
		damaged := append([]byte{}, log...)
		if place := random.IntN(len(log)); n%2 == 0 {
			damaged[place] ^= byte(1 + random.IntN(255))
		} else {
			damaged = damaged[:place]
		}
		f.with(t, f.whole, damaged)
		o := f.look(t)
		if len(o.wrong) > 0 || o.strange > 0 || len(o.named) > 0 || o.refused == "" && o.right < f.samples {
			t.Errorf("damage %d: %+v, want %d samples at least", n, o, f.samples)
		}
		if o.right < f.samples+len(late) {
			lost++
		}
	}
	if lost < 30 {
		t.Errorf("only %d of 60 have lost anything: this test damages nothing that counts", lost)
	}
}
