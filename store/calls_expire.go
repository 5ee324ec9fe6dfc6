package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"vigia/collectors/voice"
)

const (
	oldCallsSQL     = `SELECT start_at, hash FROM calls WHERE start_at < $1 ORDER BY start_at, hash LIMIT $2`
	oldIntervalsSQL = `SELECT start_at, hash FROM call_intervals WHERE start_at < $1 ORDER BY start_at, hash LIMIT $2`
	// A range of the key: what is in it at that instant is older than is kept.
	expireCallsSQL     = `DELETE FROM calls WHERE start_at <= $1 AND (start_at, hash) <= ($1, $2)`
	expireIntervalsSQL = `DELETE FROM call_intervals WHERE start_at <= $1 AND (start_at, hash) <= ($1, $2)`

	maskedToSQL   = `SELECT MAX(masked_to) FROM call_masking`
	forgetMarkSQL = `DELETE FROM call_masking`
	markMaskSQL   = `INSERT INTO call_masking (masked_to) VALUES ($1)`
	unmaskedSQL   = `SELECT start_at, hash, from_number, to_number FROM calls WHERE start_at >= $1 AND start_at < $2 AND NOT masked ORDER BY start_at, hash LIMIT $3`
	maskSQL       = `UPDATE calls SET from_number = $3, to_number = $4, from_end = $5, to_end = $6, masked = TRUE WHERE start_at = $1 AND hash = $2`
)

// sweepCalls adds to the hourly figures what waits for it, deletes calls and intervals that are older than they are kept, and masks numbers that are old enough, slice by slice.
func (s *Store) sweepCalls(ctx context.Context, now time.Time) error {
	l := s.calls
	if err := l.fold(ctx, now); err != nil {
		return fmt.Errorf("add up the hourly figures of calls: %w", err)
	}
	if err := l.expireOld(ctx, oldIntervalsSQL, expireIntervalsSQL, now.Add(-time.Duration(l.keepIntervals.Load()))); err != nil {
		return fmt.Errorf("delete old intervals of calls: %w", err)
	}
	if err := l.expireOld(ctx, oldIntervalsSQL, expireIntervalsSQL, now.Add(-time.Duration(l.keep.Load()))); err != nil {
		return fmt.Errorf("delete intervals of old calls: %w", err)
	}
	if err := l.expireOld(ctx, oldCallsSQL, expireCallsSQL, now.Add(-time.Duration(l.keep.Load()))); err != nil {
		return fmt.Errorf("delete old calls: %w", err)
	}
	if err := l.maskOld(ctx, now); err != nil {
		return fmt.Errorf("mask the numbers of calls: %w", err)
	}
	return nil
}

// slice runs one short transaction, if this process is still the active one, and lets its pace learn how much it did.
func (l *callLog) slice(ctx context.Context, p *pace, n int, work func(*transaction) error) error {
	var start time.Time
	err := l.db.within(ctx, l.db.relaxed, func(t *transaction) error {
		start = time.Now()
		if err := l.fence(ctx, t); err != nil {
			return err
		}
		return work(t)
	})
	if err == nil {
		p.took(n, time.Since(start))
	}
	return err
}

func (l *callLog) expireOld(ctx context.Context, findSQL, removeSQL string, before time.Time) error {
	for {
		var to CallKey
		n := 0
		err := each(ctx, l.db.read, findSQL, []any{stamp(before), int64(l.expire.size())}, func(rows *sql.Rows) error {
			n++
			return rows.Scan(instant{&to.Start}, &to.hash)
		})
		if err != nil || n == 0 {
			return err
		}
		err = l.slice(ctx, &l.expire, n, func(t *transaction) error {
			_, err := t.tx.ExecContext(ctx, removeSQL, stamp(to.Start), to.hash)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// maskOld masks the numbers of calls that began before what the configuration says. A mark says up to when that is done; while numbers are kept
// there is none, so that all are looked at when they are to be masked again.
func (l *callLog) maskOld(ctx context.Context, now time.Time) error {
	numbers := l.numbers.Load()
	var from time.Time
	if err := l.db.read.QueryRowContext(ctx, maskedToSQL).Scan(instant{&from}); err != nil {
		return err
	}
	if !numbers.Masked {
		if from.IsZero() {
			return nil
		}
		return l.mark(ctx, time.Time{})
	}
	before := now.Add(-numbers.MaskAfter).Truncate(time.Second)
	if !before.After(from) {
		return nil
	}
	if from.IsZero() {
		from = time.Unix(0, 0)
	}
	for {
		list, err := l.unmasked(ctx, from, before, l.masking.size())
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return l.mark(ctx, before)
		}
		if err := l.slice(ctx, &l.masking, len(list), func(t *transaction) error { return t.run(ctx, maskStatements(list)) }); err != nil {
			return err
		}
		from = list[len(list)-1].key.Start
	}
}

func (l *callLog) mark(ctx context.Context, to time.Time) error {
	return l.slice(ctx, &pace{}, 0, func(t *transaction) error {
		if _, err := t.tx.ExecContext(ctx, forgetMarkSQL); err != nil || to.IsZero() {
			return err
		}
		_, err := t.tx.ExecContext(ctx, markMaskSQL, stamp(to))
		return err
	})
}

func (l *callLog) unmasked(ctx context.Context, from, before time.Time, most int) ([]*callRow, error) {
	var list []*callRow
	err := each(ctx, l.db.read, unmaskedSQL, []any{stamp(from), stamp(before), int64(most)}, func(rows *sql.Rows) error {
		r := &callRow{}
		list = append(list, r)
		return rows.Scan(instant{&r.key.Start}, &r.key.hash, &r.call.From, &r.call.To)
	})
	return list, err
}

func maskStatements(list []*callRow) (run statements) {
	for _, r := range list {
		from, to := maskNumber(string(r.call.From)), maskNumber(string(r.call.To))
		run.add(maskSQL, r.key.Start, r.key.hash, from, to, endOf(from), endOf(to))
	}
	return run
}

// stats adds what is known of calls.
func (l *callLog) stats(to *Stats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts
	to.CallsTaken, to.CallsWritten, to.CallsAmended, to.CallsRefused = c.taken, c.written, c.amended, c.refused
	to.CallsDropped, to.CallsUncounted, to.CallsPending = c.dropped, c.uncounted, len(l.pending)
}

// verifyCall reports why a row of calls or their intervals cannot be right.
func verifyCall(table string, r record) error {
	k := CallKey{}
	k.Start, _ = r["start_at"].(time.Time)
	k.hash, _ = r["hash"].(int64)
	if table == intervalsTable {
		blob, _ := r["intervals"].([]byte)
		reader, err := k.checked(blob)
		if err == nil && reader.count() == 0 {
			err = errDamagedCall
		}
		return err
	}
	id, _ := r["call_id"].(string)
	if day, _ := r["day"].(int64); day != k.day() || k.hash != hashOf(id) {
		return errors.New("its day or hash is not that of its start and Call-ID")
	}
	blob, _ := r["streams"].([]byte)
	return unpackStreams(k, blob, &voice.Call{})
}

// callKeyOf names a row of calls for people.
func callKeyOf(r record) string {
	start, _ := r["start_at"].(time.Time)
	return fmt.Sprintf("call_id %q, hash %v, start %s", r["call_id"], r["hash"], start.UTC().Format(time.RFC3339Nano))
}
