package store_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
	"vigia/store/storetest"
)

// TestSlowPagesDoNotHoldUpApply: more pages than there are connections wait for a table, and a change of the engine is written meanwhile.
func TestSlowPagesDoNotHoldUpApply(t *testing.T) {
	dsn := storetest.Postgres(t)
	filled(t, dsn, 1, 2, 1)
	s := openAt(t, dsn, halfPastTwo)
	db := raw(t, dsn)
	lock := got[*sql.Tx](t)(db.BeginTx(t.Context(), nil))
	defer lock.Rollback()
	if _, err := lock.Exec(`LOCK TABLE sample_days IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var pages sync.WaitGroup
	defer pages.Wait()
	defer cancel()
	for range 30 {
		pages.Go(func() {
			q := store.RangeQuery{Series: counted("link-0"), From: november.AddDate(0, 0, -2), To: november}
			s.Range(ctx, store.Everything(), q) // it does not end before the test does
		})
	}
	eventually(t, "pages wait for the table", func() bool {
		var n int
		err := lock.QueryRow(`SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'sample_days'::regclass`).Scan(&n)
		return err == nil && n > 1
	})
	soon, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	for n := range int64(20) {
		if err := s.Apply(soon, outage(n+1, link, alerting.Major, halfPastTwo)); err != nil {
			t.Fatal(err)
		}
	}
}
