package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"
)

// BenchCallsCmd is `vigia bench calls`: so many calls at any time, which begin and end, with their SIP and the reports of both parties over HEP. The
// calls that ended meanwhile, and in the end all others, are compared with the truth.
type BenchCallsCmd struct {
	Calls  int           `help:"Calls at the same time." default:"100000"`
	Every  time.Duration `help:"Between two reports of a party." default:"5s"`
	Mean   time.Duration `help:"How long a call lasts." default:"180s"`
	For    time.Duration `help:"How long it is measured." default:"5m"`
	Swap   float64       `help:"Share of the calls, per cent, that change an SSRC." default:"1"`
	Buffer int           `help:"Receive buffer, MiB." default:"32"`
	Memory int           `help:"What the garbage collector keeps to, MiB; 0: no limit." default:"440"`
}

// callsFigures are what was measured.
type callsFigures struct {
	Calls     int       `json:"calls"`
	Whole     callSpell `json:"whole"`
	Reports   uint64    `json:"reports"`
	SIP       uint64    `json:"sip_messages"`
	Begun     uint64    `json:"calls_begun"`
	Streams   int       `json:"streams"`
	Cores     float64   `json:"cores"`
	Generator float64   `json:"generator_cores"`
	Heap      float64   `json:"heap_octets_per_call"` // after a collection, the generator's part left out as far as it is known
	Most      uint64    `json:"most_resident_octets"` // once a second while it is measured
	callTotals
}

// Run measures and prints.
func (c *BenchCallsCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context, logger *slog.Logger) error {
	if c.Calls < 1 || c.Calls > 1_000_000 || c.Every < 100*time.Millisecond || c.For < c.Every || c.Mean < shortCall || c.Swap < 0 || c.Swap > 100 || c.Buffer < 1 || c.Memory < 0 {
		return fmt.Errorf("calls are 1 to 1,000,000, every at least 0.1 s, for at least as long as every, mean at least %v, swap 0 to 100, buffer at least 1, memory not less than 0", shortCall)
	}
	if c.Memory > 0 {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(int64(c.Memory) << 20))
	}
	runtime.LockOSThread() // the generator's CPU is that of this thread
	defer runtime.UnlockOSThread()
	f, err := c.measure(ctx, bench.Seed, logger)
	if err != nil {
		return err
	}
	if bench.JSON {
		return printJSON(k.Stdout, f)
	}
	f.print(k.Stdout)
	return nil
}

func (c *BenchCallsCmd) measure(ctx context.Context, seed uint64, logger *slog.Logger) (*callsFigures, error) {
	load, err := newCallLoad(c.Calls, c.Every, c.Mean, seed)
	if err != nil {
		return nil, err
	}
	load.swapShare = c.Swap / 100
	before := heapAfterGC()
	rig, err := newCallRig(ctx, load, load, c.Buffer<<20, logger)
	if err != nil {
		return nil, err
	}
	defer rig.close()
	held := heapAfterGC()
	f := &callsFigures{Calls: c.Calls, Heap: float64(held-min(before, held)) / float64(c.Calls), Streams: rig.tracker.Stats().Streams}
	conn, err := load.through(rig.listener.Addresses()[0])
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := load.play(ctx, 2, true); err != nil {
		return nil, err
	}
	sent := load.count
	stop := f.watchMemory(ctx)
	f.Whole, err = rig.spell(ctx, func() error { return load.play(ctx, int((2*c.For+c.Every-1)/c.Every), true) })
	stop()
	if err != nil {
		return nil, err
	}
	f.Reports, f.SIP, f.Begun = load.count.reports-sent.reports, load.count.sip-sent.sip, load.count.begun-sent.begun
	f.Cores, f.Generator, f.Resident = f.Whole.cores(), f.Whole.Generator/f.Whole.Seconds, resident()
	return f, c.endAll(ctx, f, rig)
}

// endAll hangs up the calls that go on, so that each is compared but those that have only just begun, and sums up.
func (c *BenchCallsCmd) endAll(ctx context.Context, f *callsFigures, rig *callRig) error {
	if err := rig.load.paced(ctx, rig.load.slots, 10_000, rig.load.hangUpOld); err != nil {
		return err
	}
	if err := rig.handedOut(ctx); err != nil {
		return err
	}
	return rig.totals(ctx, &f.callTotals, 0)
}

// watchMemory looks once a second how much memory is resident, until it is stopped.
func (f *callsFigures) watchMemory(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var most atomic.Uint64
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			most.Store(max(most.Load(), resident()))
			wait(ctx, time.Second)
		}
	})
	return func() {
		cancel()
		watching.Wait()
		f.Most = most.Load()
	}
}

// heapAfterGC is the octets that are in use once garbage is collected.
func heapAfterGC() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func (f *callsFigures) print(w io.Writer) {
	line := func(what, unit string, value float64) { fmt.Fprintf(w, "%-52s %10.2f %s\n", what, value, unit) }
	fmt.Fprintf(w, "%-52s %d, with %d streams\n", "calls in progress", f.Calls, f.Streams)
	line("reports", "a second", float64(f.Reports)/f.Whole.Seconds)
	line("SIP messages", "a second", float64(f.SIP)/f.Whole.Seconds)
	line("calls that ended and began", "a second", float64(f.Begun)/f.Whole.Seconds)
	line("CPU", "cores", f.Cores)
	line("CPU of the generator, which is not in it", "cores", f.Generator)
	line("heap of a call, with the generator's 0.2 KB", "KB", f.Heap/1024)
	line("resident at most, the generator's calls included", "MiB", mebi(f.Most))
	f.callTotals.print(w)
}
