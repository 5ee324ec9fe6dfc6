package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"vigia/collectors/collectorstest/callsim"
	"vigia/collectors/hep"
	"vigia/collectors/voice"
)

// callRig is what is measured: the collector and the tracker as the product runs them, and the calls that are told to it by the thread that made
// the rig. CPU is that of the process less that of this thread.
type callRig struct {
	tracker  *voice.Tracker
	listener *hep.Listener
	load     *callLoad
	stop     context.CancelFunc
	parts    sync.WaitGroup
}

// callSpell is a stretch of a measurement.
type callSpell struct {
	Seconds   float64 `json:"seconds"`
	Packets   uint64  `json:"packets"`         // sent
	Taken     uint64  `json:"taken"`           // of them, not dropped by the kernel
	CPU       float64 `json:"cpu_s"`           // without the generator
	Generator float64 `json:"generator_cpu_s"` // of its thread, sending included
}

func (s *callSpell) perMillion() float64 { return 1e6 * s.CPU / float64(max(s.Taken, 1)) }
func (s *callSpell) cores() float64      { return s.CPU / s.Seconds }

// newCallRig tells the tracker of everything that came before, opens the sockets and starts. The caller must be locked to its thread.
func newCallRig(ctx context.Context, load *callLoad, out voice.Output, buffer int, logger *slog.Logger) (*callRig, error) {
	r := &callRig{load: load, tracker: voice.New(voice.Config{MaxCalls: max(150_000, 3*len(load.slots)/2)}, out, noSamples{})}
	here := netip.MustParseAddr("127.0.0.1")
	if err := load.past(ctx, hep.NewDecoder(r.tracker, logger), here, time.Now()); err != nil {
		return nil, err
	}
	var err error
	r.listener, err = hep.New(hep.Config{UDP: "127.0.0.1:0", Allow: []netip.Prefix{netip.PrefixFrom(here, 32)}, Rate: 1_000_000, Buffer: buffer}, r.tracker, logger)
	if err != nil {
		return nil, err
	}
	runtime.GC() // what the past has left behind is not the measurement's
	running, stop := context.WithCancel(ctx)
	r.stop = stop
	r.parts.Go(func() { r.listener.Run(running) }) //nolint:errcheck // ends when it is told to
	r.parts.Go(func() { tickTracker(running, r.tracker) })
	return r, nil
}

// close ends the rig; afterwards its figures stand still.
func (r *callRig) close() {
	r.stop()
	r.parts.Wait()
	r.tracker.Close(time.Now())
}

func tickTracker(ctx context.Context, t *voice.Tracker) {
	every := time.NewTicker(tickCalls)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-every.C:
			t.Tick(now)
		}
	}
}

// spell measures what happens until do returns and everything that was sent has been taken.
func (r *callRig) spell(ctx context.Context, do func() error) (s callSpell, err error) {
	r.drain(ctx)
	began, sent, taken := time.Now(), r.load.count.reports+r.load.count.sip, r.listener.Stats().Socket.Datagrams
	process, thread, err := r.clocks()
	if err != nil {
		return s, err
	}
	if err := do(); err != nil {
		return s, err
	}
	s.Seconds = time.Since(began).Seconds() // what is left in the socket is a matter of milliseconds
	r.drain(ctx)
	processAfter, threadAfter, err := r.clocks()
	if err != nil {
		return s, err
	}
	s.Packets, s.Taken = r.load.count.reports+r.load.count.sip-sent, r.listener.Stats().Socket.Datagrams-taken
	s.Generator = (threadAfter - thread).Seconds()
	s.CPU = (processAfter - process).Seconds() - s.Generator
	return s, nil
}

func (r *callRig) clocks() (process, thread time.Duration, err error) {
	if process, err = cpuUsed(); err == nil {
		thread, err = threadCPU()
	}
	return process, thread, err
}

// drain waits until nothing more is taken from the socket.
func (r *callRig) drain(ctx context.Context) {
	for last := uint64(0); ctx.Err() == nil; {
		now := r.listener.Stats().Socket.Datagrams
		if now == last {
			return
		}
		last = now
		wait(ctx, 20*time.Millisecond)
	}
}

// handedOut waits until every call that was hung up has come out, but no longer than a minute: the tracker waits 5 s for reports that are on their
// way, and a busy machine takes its time.
func (r *callRig) handedOut(ctx context.Context) error {
	v := &r.load.verdict
	for range 600 {
		if v.scored.Load()+v.unscored.Load() >= r.load.count.ended {
			break
		}
		wait(ctx, 100*time.Millisecond)
	}
	return context.Cause(ctx)
}

// callTotals is what became of everything that was sent.
type callTotals struct {
	Sent      uint64  `json:"packets_sent"`
	Received  uint64  `json:"packets_received"`
	Kernel    uint64  `json:"kernel_drops"`
	Refused   uint64  `json:"refused_and_counted"`
	Uncounted int64   `json:"uncounted"`
	Buffer    int     `json:"receive_buffer_octets"`
	Wanted    int     `json:"receive_buffer_wanted_octets"`
	Ended     uint64  `json:"calls_ended"`
	Scored    uint64  `json:"calls_scored"`
	Unscored  uint64  `json:"calls_without_score"`
	Wrong     uint64  `json:"calls_wrong"`
	WorstMOS  float64 `json:"worst_mos_error"`
	Resident  uint64  `json:"resident_octets"`
}

// totals sums up. junk is what was sent to the listener besides the load. First comes one more message, for the kernel to say with it what it has
// dropped until then.
func (r *callRig) totals(ctx context.Context, t *callTotals, junk uint64) error {
	r.drain(ctx)
	if err := r.load.signal(&r.load.slots[0], time.Now(), callsim.ByeAck); err != nil {
		return err
	}
	r.drain(ctx)
	sent := r.load.count.reports + r.load.count.sip + junk
	s, v := r.listener.Stats(), &r.load.verdict
	t.Sent, t.Received, t.Kernel = sent, s.Messages, s.Socket.KernelDrops
	for _, reason := range refusedBefore {
		t.Refused += s.Dropped[reason.String()]
	}
	t.Uncounted = int64(t.Sent) - int64(t.Received+t.Kernel+t.Refused)
	t.Buffer, t.Wanted = s.Socket.BufferBytes/2, s.Socket.Wanted // the kernel says twice what it gives
	t.Ended, t.Scored, t.Unscored, t.Wrong = r.load.count.ended, v.scored.Load(), v.unscored.Load(), v.wrong.Load()
	t.WorstMOS = r.load.worst()
	return context.Cause(ctx)
}

func (t *callTotals) print(w io.Writer) {
	fmt.Fprintf(w, "%-52s %d sent, %d received, %d dropped by the kernel, %d refused, %d not accounted for\n", "packets", t.Sent, t.Received, t.Kernel, t.Refused, t.Uncounted)
	fmt.Fprintf(w, "%-52s %.0f MiB of %.0f wanted\n", "receive buffer", mebi(uint64(t.Buffer)), mebi(uint64(t.Wanted)))
	fmt.Fprintf(w, "%-52s %d ended, %d scored, %d without a score, %d with a MOS more than 0.1 from the truth, worst %.3f\n", "calls", t.Ended, t.Scored, t.Unscored, t.Wrong, t.WorstMOS)
	fmt.Fprintf(w, "%-52s %.0f MiB\n", "resident, the generator's calls included", mebi(t.Resident))
}

func mebi(octets uint64) float64 { return float64(octets) / (1 << 20) }
