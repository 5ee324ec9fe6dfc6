package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store/chunk"
)

const (
	longestName = 512             // octets of a series' whole name: an index on PostgreSQL takes no more than 2,704
	ahead       = 5 * time.Minute // how far in the future a sample may lie
	mostInRow   = 100_000         // samples in one row of the log
)

// waiting is a sample that has not been written yet.
type waiting struct {
	of *recent
	chunk.Point
}

// sampleLog writes samples as one row for each flush and reads them back.
type sampleLog struct {
	db          *database
	head        *head
	logger      *slog.Logger
	maxPending  int       // samples
	maxPacked   int64     // octets
	replayTo    int64     // the log's last row when it was opened
	groupsSince time.Time // hours of before may have a row for each series
	behind      bool      // another process has written rows that the head may lack; guarded by mu

	mu      sync.Mutex
	pending []waiting
	packed  []piece   // what waits longer, older than pending
	spare   []waiting // of which nothing is used any more: room for pending
	counts  counters
	damaged int            // rows that could not be read back
	spoiled map[place]bool // which ones

	flushing   sync.Mutex // one flush at a time; it guards what follows
	lastSeries int64      // the highest id of a series' row that was read
	byID       map[int64]*recent
	lastRow    int64 // the highest id of a row of the log that the head has
	ownRow     int64 // the highest id of a row that this process wrote
	scratch    scratch
	numbers    numbers
	packer     packer
}

// counters is what Stats tells of samples.
type counters struct {
	taken, dropped, refused, written uint64
	rate                             float64 // samples written a second, over the last flush
	lastFlush                        time.Time
	flushTook                        time.Duration
}

func newSampleLog(db *database, h *head, cfg Config) *sampleLog {
	return &sampleLog{
		db: db, head: h, logger: cfg.Logger, maxPending: cfg.MaxPending, maxPacked: cfg.MaxPacked,
		byID: map[int64]*recent{}, spoiled: map[place]bool{},
	}
}

// Put takes samples for the head and the log; it never waits for the database. It implements collectors.Sink. What cannot be a sample (not
// finite, without a time, more than five minutes in the future, a name that is too long or no UTF-8) is refused and counted. While the
// database is away the oldest samples that wait are dropped and counted. A process that asked for the right to be the active one and does
// not have it keeps none: the one that has it measures the same.
func (s *Store) Put(samples []collectors.Sample) {
	if len(samples) == 0 || s.fenceEpoch() == noEpoch {
		return
	}
	latest := s.cfg.Now().Add(ahead)
	s.head.mu.Lock()
	defer s.head.mu.Unlock()
	rows := s.head.taken[:0]
	for i := range samples {
		sample := &samples[i]
		r := s.head.find(&sample.Series)
		if !storable(sample, latest) || r == nil && !nameable(sample.Series) {
			continue
		}
		if r == nil {
			r = s.head.get(sample.Series, math.MinInt64) // it is in no log yet: the head knows all of it
		}
		at := sample.At.UnixMicro()
		s.head.put(r, sample, at)
		rows = append(rows, waiting{r, chunk.Point{At: at, Value: sample.Value}})
	}
	s.log.take(rows, len(samples)-len(rows))
	s.head.taken = rows[:0]
}

func storable(sample *collectors.Sample, latest time.Time) bool {
	return !math.IsNaN(sample.Value) && !math.IsInf(sample.Value, 0) && sample.At.Unix() > 0 && sample.At.Before(latest)
}

func nameable(s collectors.Series) bool {
	name := string(s.Metric) + string(s.Ref.Kind) + s.Ref.Name + s.Instance
	return len(name) <= longestName && utf8.ValidString(name) && !slices.Contains([]byte(name), 0)
}

// take lets samples wait for the next flush.
func (l *sampleLog) take(rows []waiting, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.taken += uint64(len(rows))
	l.counts.refused += uint64(refused)
	l.pending = append(l.pending, rows...)
	l.bound()
}

// bound drops the oldest samples above the bound, an eighth of it at a time so that it costs little. The caller holds mu.
func (l *sampleLog) bound() {
	if over := len(l.pending) - l.maxPending; over > l.maxPending/8 {
		l.counts.dropped += uint64(over)
		l.pending = slices.Delete(l.pending, 0, over)
	}
}

// Dropped is how many samples were lost because the database was away for too long.
func (s *Store) Dropped() uint64 {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.counts.dropped
}

// Flush writes the samples that wait, now. Run does it by itself. The right of the active process is checked in the same transaction:
// ErrLost says that it is gone, and what waits is then written by the next call, but for what the process that has it measured itself.
func (s *Store) Flush(ctx context.Context) error {
	epoch := s.fenceEpoch()
	if epoch != noEpoch {
		err := s.log.flush(ctx, s.cfg.Now, epoch)
		if errors.Is(err, ErrLost) {
			s.drop(epoch)
		}
		return err
	}
	if ready, err := s.log.giveWay(ctx); err != nil || !ready {
		return err
	}
	return s.log.flush(ctx, s.cfg.Now, 0)
}

// waiting is how many samples wait to be written. The caller holds mu.
func (l *sampleLog) waiting() int {
	n := len(l.pending)
	for i := range l.packed {
		n += l.packed[i].count
	}
	return n
}

// waits reports whether samples wait to be written.
func (l *sampleLog) waits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending)+len(l.packed) > 0
}

func (l *sampleLog) flush(ctx context.Context, now func() time.Time, epoch int64) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	start := now()
	wrote, err := l.writeAll(ctx, epoch)
	if err != nil {
		l.pack()
		return fmt.Errorf("write samples: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if span := start.Sub(l.counts.lastFlush); !l.counts.lastFlush.IsZero() && span > 0 {
		l.counts.rate = float64(wrote) / span.Seconds()
	}
	l.counts.lastFlush, l.counts.flushTook = start, now().Sub(start)
	return nil
}

// writeAll writes what waits. What is packed comes after the first of the rest, which shows that the database takes writes: to unpack costs
// memory. The caller holds flushing.
func (l *sampleLog) writeAll(ctx context.Context, epoch int64) (wrote int, err error) {
	for unpacked := false; ; {
		batch, err := l.writeNext(ctx, epoch)
		if err != nil {
			return wrote, err
		}
		wrote += batch
		if !unpacked {
			unpacked = true
			n, err := l.writePacked(ctx, epoch)
			if wrote += n; err != nil {
				return wrote, err
			}
		}
		if batch == 0 {
			return wrote, nil
		}
	}
}

// writeNext writes one row of what waits unpacked, and returns of how many samples; 0 when there are none.
func (l *sampleLog) writeNext(ctx context.Context, epoch int64) (n int, err error) {
	l.mu.Lock()
	whole := l.pending
	n = min(len(whole), mostInRow)
	batch := whole[:n:n]
	l.pending = whole[n:]
	if len(l.pending) == 0 {
		l.pending, l.spare = l.spare, nil
	}
	l.mu.Unlock()
	if n == 0 {
		return 0, nil
	}
	if err := l.write(ctx, batch, epoch); err != nil {
		l.putBack(whole, n, refusesData(err))
		return 0, err
	}
	l.done(batch)
	return n, nil
}

// done notes what was written, even when what follows it in the same flush is not.
func (l *sampleLog) done(batch []waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.written += uint64(len(batch))
	l.spare = batch[:0]
}

// putBack lets the first n of what had waited wait again, unless the database would refuse them for ever. Mostly the rest still lies behind them.
func (l *sampleLog) putBack(whole []waiting, n int, hopeless bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.pending
	switch {
	case hopeless:
		l.counts.dropped += uint64(n)
		return
	case n < cap(whole) && cap(rest) > 0 && &rest[:1][0] == &whole[:n+1][n]:
		l.pending = whole[:n+len(rest)]
	default:
		l.pending = append(whole[:n:n], rest...)
	}
	l.bound()
}

// write makes one row of the batch. The caller holds flushing.
func (l *sampleLog) write(ctx context.Context, batch []waiting, epoch int64) error {
	if err := l.register(ctx, batch); err != nil {
		return err
	}
	if byID := func(a, b waiting) int { return cmp.Compare(a.of.id, b.of.id) }; !slices.IsSortedFunc(batch, byID) {
		slices.SortStableFunc(batch, byID)
	}
	id, err := l.add(ctx, l.scratch.encode(batch), epoch)
	if err != nil {
		return err
	}
	l.ownRow = id
	if l.lastRow == id-1 {
		l.lastRow = id // nobody else has written in between: nothing to follow
	} else {
		l.setBehind(true)
	}
	return nil
}

const (
	putSeriesSQL = `INSERT INTO series (metric, ref_kind, ref_name, instance, every_us) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (ref_kind, ref_name, metric, instance) DO UPDATE SET every_us = excluded.every_us`
	readSeriesSQL = `SELECT id, metric, ref_kind, ref_name, instance, every_us FROM series WHERE id > $1 ORDER BY id`
)

// register gives every series of the batch a row. The caller holds flushing.
func (l *sampleLog) register(ctx context.Context, batch []waiting) error {
	var list statements
	var fresh map[*recent]time.Duration // nearly always there is none
	l.head.mu.RLock()
	for _, w := range batch {
		r := w.of
		if r.id != 0 && r.saved == r.every {
			continue
		}
		if fresh == nil {
			fresh = map[*recent]time.Duration{}
		}
		if _, ok := fresh[r]; !ok {
			fresh[r] = r.every
			list.add(putSeriesSQL, string(r.series.Metric), string(r.series.Ref.Kind), r.series.Ref.Name, r.series.Instance, r.every.Microseconds())
		}
	}
	l.head.mu.RUnlock()
	if len(list) == 0 {
		return nil
	}
	if err := l.db.within(ctx, l.db.relaxed, func(t *transaction) error { return t.run(ctx, list) }); err != nil {
		return err
	}
	if err := l.readSeries(ctx, l.lastSeries, math.MinInt64); err != nil {
		return err
	}
	return l.confirm(ctx, fresh)
}

// confirm notes what the rows hold now; a series that another process had registered meanwhile is looked for among all of them.
func (l *sampleLog) confirm(ctx context.Context, fresh map[*recent]time.Duration) error {
	for again := range 2 {
		missing := false
		l.head.mu.Lock()
		for r, every := range fresh {
			r.saved = every
			missing = missing || r.id == 0
		}
		l.head.mu.Unlock()
		if !missing {
			return nil
		}
		if again == 0 {
			if err := l.readSeries(ctx, 0, math.MinInt64); err != nil {
				return err
			}
		}
	}
	return errors.New("a series has no row after it was written")
}

// readSeries reads the rows of series above an id into the head. The caller holds flushing, or is alone.
func (l *sampleLog) readSeries(ctx context.Context, after, complete int64) error {
	return each(ctx, l.db.read, readSeriesSQL, []any{after}, func(rows *sql.Rows) error {
		var id, every int64
		var series collectors.Series
		var kind string
		if err := rows.Scan(&id, &series.Metric, &kind, &series.Ref.Name, &series.Instance, &every); err != nil {
			return err
		}
		series.Ref.Kind = inventory.Kind(kind)
		l.head.mu.Lock()
		defer l.head.mu.Unlock()
		r := l.head.get(series, complete)
		r.id, r.saved = id, time.Duration(every)*time.Microsecond
		if r.every == 0 {
			r.every = r.saved
		}
		l.byID[id] = r
		l.lastSeries = max(l.lastSeries, id)
		return nil
	})
}
