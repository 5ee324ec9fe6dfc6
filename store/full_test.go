package store

import (
	"path/filepath"
	"testing"
	"time"

	"vigia/collectors"
)

// TestFullDisk: while the database takes no writes, that reading goes well does not make it ready; when it takes them again, it is.
func TestFullDisk(t *testing.T) {
	s, err := Open(t.Context(), Config{DSN: "sqlite:" + filepath.Join(t.TempDir(), "vigia.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := func(pages string) {
		t.Helper()
		if _, err := s.db.relaxed.Exec(`PRAGMA max_page_count = ` + pages); err != nil {
			t.Fatal(err)
		}
	}
	put := func() {
		samples := make([]collectors.Sample, 20_000)
		for i := range samples {
			samples[i] = collectors.Sample{Series: counted("a"), At: time.Now().Add(time.Duration(i) * 7919 * time.Microsecond), Value: float64(i*i%7919) / 7}
		}
		s.Put(samples)
	}
	limit("1") // which the database takes for the size that it has
	put()
	s.flush(t.Context())
	if up, _, _ := s.health.state(); up {
		t.Fatal("a flush that does not fit is taken for one that does")
	}
	s.attempt(t.Context(), s.look)
	if _, err := s.Claim(t.Context(), time.Now(), time.Minute, 10, nil); err != nil {
		t.Fatal(err)
	}
	if up, _, last := s.health.state(); up {
		t.Errorf("reading went well, and the database is taken to take writes again: %s", last)
	}
	limit("1000000")
	s.flush(t.Context())
	if up, _, last := s.health.state(); !up {
		t.Errorf("still away: %s", last)
	}
}
