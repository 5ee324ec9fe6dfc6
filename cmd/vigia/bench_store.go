package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors"
	"vigia/store"
)

// BenchStoreCmd is `vigia bench store`: samples through the store as the product writes them, by Put, a flush every two seconds and the
// compaction of every minute. At the fast pace the clock is simulated and nothing is waited for; at the real pace the store's own loop runs,
// and the end of an hour falls into the middle. CPU is that of this process, which makes up the samples too, and of PostgreSQL's processes.
type BenchStoreCmd struct {
	Store    string        `help:"Where it writes: sqlite:FILE or postgres://USER@HOST/DATABASE, which must be empty. Default: a file that goes afterwards." placeholder:"DSN"`
	Series   int           `help:"Series, each with one sample a minute." default:"10000"`
	Hours    int           `help:"Simulated hours of the fast pace; the first day becomes day chunks in its 28th hour." default:"28"`
	Pace     string        `help:"fast or real." enum:"fast,real" default:"fast"`
	Duration time.Duration `help:"How long the real pace takes." default:"3m"`
	Flush    time.Duration `help:"How much of the stream is written at once; a part of a minute." default:"2s"`
	Emit     bool          `help:"Only print the samples of the fast pace, in binary, for a peer to be given the same."`
}

// Run measures and prints.
func (c *BenchStoreCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context) error {
	if c.Series < 1 || c.Hours < 1 || c.Duration <= 0 {
		return errors.New("series, hours and duration are more than 0")
	}
	if c.Flush <= 0 || time.Minute%c.Flush != 0 {
		return fmt.Errorf("flush is %s: it must be one of several equal parts of a minute, such as 2s", c.Flush)
	}
	if c.Emit {
		return newStoreStream(c.Series, bench.Seed).emit(k.Stdout, c.Hours, c.Flush)
	}
	b, err := c.open(ctx, bench.Seed)
	if err != nil {
		return err
	}
	measure := b.fast
	if c.Pace == "real" {
		measure = b.real
	}
	err = errors.Join(measure(ctx), b.close())
	if err != nil {
		return err
	}
	if bench.JSON {
		return printJSON(k.Stdout, b.figures)
	}
	b.figures.print(k.Stdout)
	return nil
}

// storeBench is one measurement on its way.
type storeBench struct {
	cmd     *BenchStoreCmd
	seed    uint64
	dsn     string
	store   *store.Store
	clock   func() time.Time // simulated
	now     atomic.Int64     // of the simulated clock, microseconds
	stream  *storeStream
	list    []collectors.Sample
	server  int           // PostgreSQL's first process; 0 for none
	looked  time.Duration // CPU time of this process that went into looking at the server's
	figures storeFigures
	close   func() error
}

// open opens an empty store whose clock this measurement sets.
func (c *BenchStoreCmd) open(ctx context.Context, seed uint64) (*storeBench, error) {
	b := &storeBench{cmd: c, seed: seed, dsn: c.Store, stream: newStoreStream(c.Series, seed)}
	b.clock = func() time.Time { return time.UnixMicro(b.now.Load()).UTC() }
	b.set(storeFrom)
	undo := []func() error{}
	b.close = func() error {
		var errs []error
		for _, f := range slices.Backward(undo) {
			errs = append(errs, f())
		}
		return errors.Join(errs...)
	}
	if b.dsn == "" {
		dir, err := os.MkdirTemp("", "vigia-bench")
		if err != nil {
			return nil, err
		}
		undo = append(undo, func() error { return os.RemoveAll(dir) })
		b.dsn = "sqlite:" + filepath.Join(dir, "vigia.db")
	}
	s, err := store.Open(ctx, store.Config{DSN: b.dsn, Now: func() time.Time { return b.clock() }, FlushEvery: c.Flush})
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	undo = append(undo, s.Close)
	b.store = s
	if err := b.begin(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// begin makes sure that nobody's data is in the store, and finds the server.
func (b *storeBench) begin(ctx context.Context) error {
	stats := b.store.Stats()
	if stats.Series > 0 {
		return fmt.Errorf("%s is not empty: the measurement needs a database of its own (make one, or leave --store out)", stats.Database)
	}
	child, err := b.store.ServerProcess(ctx)
	if err != nil {
		return err
	}
	if child > 0 {
		if b.server, err = serverOf(child); err != nil {
			return err
		}
	}
	b.figures = storeFigures{Database: stats.Database, Pace: b.cmd.Pace, Series: b.cmd.Series, Seed: b.seed, FlushS: b.cmd.Flush.Seconds(), Entropy: storeEntropy()}
	return nil
}

func (b *storeBench) set(t time.Time) { b.now.Store(t.UnixMicro()) }

// put gives the store what is due before the clock's time.
func (b *storeBench) put() {
	b.list = b.stream.until(b.clock(), b.list[:0])
	b.store.Put(b.list)
}

// pass lets the simulated clock go to an instant, with a flush every two seconds and, when that is wanted, the work of every minute.
func (b *storeBench) pass(ctx context.Context, to time.Time, compact bool) error {
	for now := b.clock(); now.Before(to); {
		now = now.Add(b.cmd.Flush)
		b.set(now)
		b.put()
		if err := b.store.Flush(ctx); err != nil {
			return err
		}
		if compact && now.Truncate(time.Minute).Equal(now) {
			if err := b.compact(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// compact does the work of a minute, and measures that of the minutes in which days and hours become chunks.
func (b *storeBench) compact(ctx context.Context) error {
	if minute := b.clock().Minute(); minute != 0 && minute != 5 {
		return b.store.Compact(ctx)
	}
	before, err := b.cpu()
	if err != nil {
		return err
	}
	if err := b.store.Compact(ctx); err != nil {
		return err
	}
	after, err := b.cpu()
	b.figures.Compaction = b.figures.Compaction.plus(after.minus(before))
	return err
}

// written makes sure that nothing of the stream was lost.
func (b *storeBench) written() error {
	stats := b.store.Stats()
	if stats.Written != uint64(b.stream.sent) || stats.Refused+stats.Dropped > 0 {
		return fmt.Errorf("of %d samples %d were written, %d refused, %d dropped", b.stream.sent, stats.Written, stats.Refused, stats.Dropped)
	}
	return nil
}

// fast measures at the simulated pace.
func (b *storeBench) fast(ctx context.Context) error {
	f := &b.figures
	end := storeFrom.Add(time.Duration(b.cmd.Hours) * time.Hour)
	var err error
	if f.Generator, err = b.generator(end); err != nil {
		return err
	}
	release, err := b.store.Acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	before, err := b.cpu()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := b.pass(ctx, end, true); err != nil {
		return err
	}
	f.Took = time.Since(start).Seconds()
	after, err := b.cpu()
	if err != nil {
		return err
	}
	f.CPU, f.Samples = after.minus(before), b.stream.sent
	if err := errors.Join(b.written(), b.footprint(ctx)); err != nil {
		return err
	}
	return b.rollOver(ctx, end)
}

// generator is what it takes to make up the samples, which is part of what is measured.
func (b *storeBench) generator(end time.Time) (float64, error) {
	s := newStoreStream(b.cmd.Series, b.seed)
	before, err := cpuUsed()
	if err != nil {
		return 0, err
	}
	var list []collectors.Sample
	for now := storeFrom; now.Before(end); {
		now = now.Add(b.cmd.Flush)
		list = s.until(now, list[:0])
	}
	after, err := cpuUsed()
	return (after - before).Seconds(), err
}

// footprint looks at what the samples take.
func (b *storeBench) footprint(ctx context.Context) error {
	sizes, err := store.Stat(ctx, store.Config{DSN: b.dsn})
	if err != nil {
		return err
	}
	b.figures.fill(sizes)
	return nil
}

// real measures while the store's own loop runs. The hour before is there already, and becomes chunks in the middle.
func (b *storeBench) real(ctx context.Context) error {
	rollOver := storeFrom.Add(time.Hour + 5*time.Minute)
	if err := b.pass(ctx, rollOver.Add(-b.cmd.Duration/2).Truncate(b.cmd.Flush), false); err != nil {
		return err
	}
	release, err := b.store.Acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	begin, start, first := b.clock(), time.Now(), b.stream.sent
	b.clock = func() time.Time { return begin.Add(time.Since(start)) }
	before, err := b.cpu()
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.store.Run(running) }()
	b.putOn(ctx, start.Add(b.cmd.Duration))
	after, err := b.cpu()
	b.figures.CPU, b.figures.Samples, b.figures.Took = after.minus(before), b.stream.sent-first, time.Since(start).Seconds()
	stop()
	err = errors.Join(err, <-ended, ctx.Err())
	if err != nil {
		return err
	}
	return errors.Join(b.written(), b.footprint(ctx))
}

// putEvery is how often the real pace gives the store what has become due.
const putEvery = 100 * time.Millisecond

func (b *storeBench) putOn(ctx context.Context, end time.Time) {
	tick := time.NewTicker(putEvery)
	defer tick.Stop()
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.put()
		}
	}
}
