package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors/vqrtcpxr"
)

// BenchFloodCmd is `vigia bench flood`: junk of every kind beside the reports of calls that go on. Every packet must be counted, memory must stay as it
// is, the calls must come out with the right MOS, and who is not allowed must get no answer.
type BenchFloodCmd struct {
	Junk   int           `help:"Packets of junk a second." default:"100000"`
	Rate   int           `help:"Reports of calls a second." default:"5000"`
	Every  time.Duration `help:"Between two reports of a party." default:"5s"`
	For    time.Duration `help:"How long." default:"60s"`
	Buffer int           `help:"Receive buffer of HEP, MiB." default:"32"`
}

// floodFigures are what was measured.
type floodFigures struct {
	Whole    callSpell   `json:"whole"`
	Cores    float64     `json:"cores"`
	Junk     []floodKind `json:"junk"`
	JunkSent uint64      `json:"junk_sent"`
	PerS     float64     `json:"junk_per_second"`
	Before   uint64      `json:"resident_before_octets"`
	After    uint64      `json:"resident_after_octets"`
	Heap     [2]uint64   `json:"heap_octets_before_after"`
	Answers  uint64      `json:"answers_to_strangers"`

	PhonesSent      uint64 `json:"phones_port_sent"`
	PhonesCounted   uint64 `json:"phones_port_counted"`
	PhonesKernel    uint64 `json:"phones_port_kernel_drops"`
	PhonesUncounted int64  `json:"phones_port_uncounted"`
	NotDecoded      uint64 `json:"hep_not_decoded"`
	callTotals
}

// Run measures and prints.
func (c *BenchFloodCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context, logger *slog.Logger) error {
	if c.Junk < 100 || c.Junk > 1_000_000 || c.Rate < 100 || c.Rate > 100_000 || c.Every < 100*time.Millisecond || c.For < c.Every || c.Buffer < 1 {
		return errors.New("junk is 100 to 1,000,000, the rate 100 to 100,000, every at least 0.1 s, for at least as long as every, buffer at least 1")
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

func (c *BenchFloodCmd) measure(ctx context.Context, seed uint64, logger *slog.Logger) (*floodFigures, error) {
	load, err := newCallLoad(max(int(float64(c.Rate)*c.Every.Seconds()/2), 1), c.Every, 3*time.Minute, seed)
	if err != nil {
		return nil, err
	}
	rig, err := newCallRig(ctx, load, load, c.Buffer<<20, logger)
	if err != nil {
		return nil, err
	}
	defer rig.close()
	phones, err := vqrtcpxr.New(vqrtcpxr.Config{Listen: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, rig.tracker, logger)
	if err != nil {
		return nil, err
	}
	var serving sync.WaitGroup
	serve, stop := context.WithCancel(ctx)
	serving.Go(func() { phones.Run(serve) }) //nolint:errcheck // ends when it is told to
	defer serving.Wait()
	defer stop()
	conn, err := load.through(rig.listener.Addresses()[0])
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := load.play(ctx, 2, false); err != nil {
		return nil, err
	}
	return c.flood(ctx, rig, phones, seed)
}

// flood sends the junk while the calls go on, and sums up.
func (c *BenchFloodCmd) flood(ctx context.Context, rig *callRig, phones *vqrtcpxr.Listener, seed uint64) (*floodFigures, error) {
	junk, err := newFloodJunk(c.Junk, rig.listener.Addresses()[0], phones.Addr(), seed)
	if err != nil {
		return nil, err
	}
	f := &floodFigures{Heap: [2]uint64{heapAfterGC()}, Before: resident()}
	before := rig.load.count
	var took float64
	f.Whole, err = rig.spell(ctx, func() error { // the junk begins and ends within: a spell waits before and after for the socket to be empty
		var throwing sync.WaitGroup
		throw, enough := context.WithCancel(ctx)
		throwing.Go(func() { junk.run(throw) })
		began := time.Now()
		err := rig.load.play(ctx, int((2*c.For+c.Every-1)/c.Every), false)
		enough()
		throwing.Wait()
		took = time.Since(began).Seconds()
		return err
	})
	f.After, f.Heap[1] = resident(), heapAfterGC()
	if err := errors.Join(err, junk.close()); err != nil {
		return nil, err
	}
	f.Whole.CPU -= junk.cpu.Seconds()
	f.Whole.Packets = rig.load.count.reports - before.reports + junk.sum()
	f.Cores, f.Junk, f.JunkSent, f.PerS, f.Answers = f.Whole.cores(), junk.kinds, junk.sum(), float64(junk.sum())/took, junk.answers.Load()
	return f, c.endAll(ctx, f, rig, phones, junk)
}

// endAll hangs up all calls. Their messages also tell how many the kernel has dropped before: it says so with the next one that it does not drop.
func (c *BenchFloodCmd) endAll(ctx context.Context, f *floodFigures, rig *callRig, phones *vqrtcpxr.Listener, junk *floodJunk) error {
	if err := junk.last(phones.Addr()); err != nil {
		return err
	}
	if err := rig.load.paced(ctx, rig.load.slots, 5_000, rig.load.hangUp); err != nil {
		return err
	}
	if err := rig.handedOut(ctx); err != nil {
		return err
	}
	if err := rig.totals(ctx, &f.callTotals, junk.sentTo(false)); err != nil {
		return err
	}
	s := phones.Stats()
	for reason, n := range s.By {
		if reason != vqrtcpxr.SendFailed { // counted beside the packet's own reason
			f.PhonesCounted += n
		}
	}
	f.PhonesSent, f.PhonesKernel = junk.sentTo(true), s.Socket.KernelDrops
	f.PhonesUncounted = int64(f.PhonesSent) - int64(f.PhonesCounted+f.PhonesKernel)
	f.NotDecoded, f.Resident = rig.listener.Stats().Dropped["not_decoded"], resident()
	return nil
}

func (f *floodFigures) print(w io.Writer) {
	fmt.Fprintf(w, "%-52s %d, %.0f a second\n", "junk", f.JunkSent, f.PerS)
	for _, k := range f.Junk {
		fmt.Fprintf(w, "  %-50s %d\n", k.Name, k.Sent)
	}
	fmt.Fprintf(w, "%-52s %10.2f cores\n", "CPU of collectors and tracker", f.Cores)
	fmt.Fprintf(w, "%-52s %.1f MiB before, %.1f MiB after\n", "resident", mebi(f.Before), mebi(f.After))
	fmt.Fprintf(w, "%-52s %.1f MiB before, %.1f MiB after\n", "heap", mebi(f.Heap[0]), mebi(f.Heap[1]))
	fmt.Fprintf(w, "%-52s %d\n", "octets sent to strangers", f.Answers)
	fmt.Fprintf(w, "%-52s %d sent, %d counted, %d dropped by the kernel, %d not accounted for\n", "vq-rtcpxr port", f.PhonesSent, f.PhonesCounted, f.PhonesKernel, f.PhonesUncounted)
	fmt.Fprintf(w, "%-52s %d\n", "HEP whose JSON cannot be read", f.NotDecoded)
	f.callTotals.print(w)
}
