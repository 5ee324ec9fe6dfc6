package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const smallRoom = 64 << 10

func mustOpen(t testing.TB, path string) (*localJournal, []entry) {
	t.Helper()
	j, held, damage, err := openLocal(path, smallRoom)
	if err != nil || len(damage) > 0 {
		t.Fatalf("open: %v, damage %q", err, damage)
	}
	t.Cleanup(j.close)
	return j, held
}

func payload(i int) []byte {
	return fmt.Appendf(nil, `{"n":%d,"text":%q}`, i, strings.Repeat("x", i*37%400))
}

// filled is a journal's file with n records, of its second generation.
func filled(t testing.TB, n int) (path string, data []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal")
	j, _ := mustOpen(t, path)
	for i := range 3 * n { // an older generation lies behind the records
		if err := j.append(recordSettle, payload(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.empty(journalHeader{Owner: journalOwner{7, "noc-1, process 12"}}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := j.append(recordChange, payload(i)); err != nil {
			t.Fatal(err)
		}
	}
	j.close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

func expectEntries(t *testing.T, what string, held []entry, n int) {
	t.Helper()
	if len(held) != n {
		t.Errorf("%s: %d entries, want %d", what, len(held), n)
	}
	for i, e := range held {
		if e.kind != recordChange || !bytes.Equal(e.payload, payload(i)) {
			t.Errorf("%s: entry %d is %d %s", what, i, e.kind, e.payload)
		}
	}
}

func TestLocalJournal(t *testing.T) {
	path, data := filled(t, 20)
	if len(data) != smallRoom {
		t.Errorf("it takes %d octets, want its room in advance, %d", len(data), smallRoom)
	}
	j, held := mustOpen(t, path)
	expectEntries(t, "opened", held, 20)
	if want := (journalOwner{7, "noc-1, process 12"}); j.header.Owner != want {
		t.Errorf("owner %+v, want %+v", j.header.Owner, want)
	}
	if _, _, _, err := openLocal(path, smallRoom); !errors.Is(err, errJournalBusy) {
		t.Errorf("opened twice: %v", err)
	}
	some, next, err := j.read(recordsAt, 1000)
	if err != nil || len(some) == 0 || len(some) == 20 {
		t.Errorf("read %d entries of about 1000 octets: %v", len(some), err)
	}
	rest, _, err := j.read(next, 1<<20)
	if err != nil {
		t.Error(err)
	}
	expectEntries(t, "in two parts", append(some, rest...), 20)
}

// TestLocalJournalBound: it grows beyond its room, up to a limit, and gives back what it took.
func TestLocalJournalBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, _ := mustOpen(t, path)
	large := bytes.Repeat([]byte("x"), 10<<10)
	n := 0
	var err error
	for ; err == nil; n++ {
		err = j.append(recordChange, large)
	}
	if !errors.Is(err, errJournalFull) || n < 90 || n > 110 {
		t.Errorf("after %d records: %v", n, err)
	}
	if _, end := j.size(); end > growthLimit*smallRoom {
		t.Errorf("it took %d octets", end)
	}
	if err := j.empty(journalHeader{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != smallRoom {
		t.Errorf("emptied it takes %d octets: %v", info.Size(), err)
	}
}

// TestLocalJournalClaim: it is known for its own whenever the process was killed, and never for that of another.
func TestLocalJournalClaim(t *testing.T) {
	a, b, c, stranger := journalOwner{7, "a"}, journalOwner{8, "b"}, journalOwner{9, "c"}, journalOwner{8, "other"}
	path := filepath.Join(t.TempDir(), "journal")
	j, _ := mustOpen(t, path)
	if err := j.empty(journalHeader{Owner: a}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name      string
		prev, who journalOwner
		mine      bool
	}{
		{"after a", a, b, true},
		{"killed before it took the lease", a, b, true},
		{"killed after it", b, c, true},
		{"another was faster", stranger, c, false},
		{"and again", b, c, true},
		{"nobody ever", journalOwner{}, a, false},
	} {
		if mine, err := j.claim(step.prev, step.who); err != nil || mine != step.mine {
			t.Errorf("%s: mine %v, want %v (%v)", step.name, mine, step.mine, err)
		}
	}
}

// spoilt calls try with 200 copies in which one octet has changed, and 200 that are cut.
func spoilt(data []byte, live int64, try func(what string, data []byte, at int64)) {
	chance := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		at := chance.Int64N(live)
		other := bytes.Clone(data)
		other[at] ^= byte(1 + chance.IntN(255))
		try(fmt.Sprintf("octet %d changed", at), other, at)
		cut := 1 + chance.Int64N(live-1)
		try(fmt.Sprintf("cut after %d octets", cut), bytes.Clone(data[:cut]), cut)
	}
}

// TestLocalJournalDamage: whatever octet of it changes and wherever it is cut, it is told, and what is read is what was written.
func TestLocalJournalDamage(t *testing.T) {
	const n = 20
	_, data := filled(t, n)
	_, held, end, damage := readJournal(data)
	expectEntries(t, "whole", held, n)
	if len(damage) > 0 {
		t.Errorf("whole: %q", damage)
	}
	spoilt(data, end+recordHead+recordSum, func(what string, data []byte, at int64) {
		_, held, _, damage := readJournal(data)
		if len(damage) == 0 {
			t.Errorf("%s: nobody is told", what)
		}
		whole := 0
		for _, e := range held {
			i := int(e.number) - 1
			if i < 0 || i >= n || !bytes.Equal(e.payload, payload(i)) {
				t.Errorf("%s: a wrong entry: %d %s", what, e.number, e.payload)
			}
			whole++
		}
		if strings.Contains(what, "changed") && at >= recordsAt && whole < n-1 {
			t.Errorf("%s: %d of %d entries are left", what, whole, n)
		}
	})
	_, behind, _, damage := readJournal(append(bytes.Clone(data[:end+recordHead+recordSum]), bytes.Repeat([]byte{0xff}, 5000)...))
	expectEntries(t, "rubbish behind the end", behind, n)
	if len(damage) > 0 {
		t.Errorf("rubbish behind the end: %q", damage)
	}
}

// TestLocalJournalTorn: a write that was cut off by a power failure costs only itself.
func TestLocalJournalTorn(t *testing.T) {
	_, data := filled(t, 5)
	_, _, end, _ := readJournal(data)
	next := encodeRecord(nil, 2, entry{6, recordChange, payload(5)})
	next = encodeRecord(next, 2, entry{number: 6, kind: recordEnd})
	for n := range next {
		torn := append(bytes.Clone(data[:end]), next[:n]...)
		torn = append(torn, data[min(end+int64(n), int64(len(data))):]...)
		_, held, _, damage := readJournal(torn)
		want := 5
		if n >= len(next)-recordHead-recordSum {
			want = 6
		}
		expectEntries(t, fmt.Sprintf("torn after %d octets", n), held, want)
		if n > 11 && len(damage) == 0 {
			t.Errorf("torn after %d octets: nobody is told", n)
		}
	}
}

// FuzzLocalJournal: no file makes reading panic, and what is read can be written and read again.
func FuzzLocalJournal(f *testing.F) {
	_, data := filled(f, 3)
	f.Add(data[:4000])
	f.Add([]byte(headerMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, held, _, _ := readJournal(data)
		for _, e := range held {
			if again, n := decodeRecord(encodeRecord(nil, h.Generation, e), h.Generation); n == 0 || !bytes.Equal(again.payload, e.payload) {
				t.Errorf("%+v does not come back", e)
			}
			entryStatements(e)
		}
	})
}
