package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/alecthomas/kong"
)

// BenchHepCmd is `vigia bench hep`: what RTCP as JSON over HEP costs, from the socket to the scored call. Calls are in progress already, with the mix of
// ages that calls of that mean have; then come reports alone; then calls are hung up and others set up, which tells the cost of SIP and of a score.
type BenchHepCmd struct {
	Rate   int           `help:"Reports a second." default:"30000"`
	Every  time.Duration `help:"Between two reports of a party. More than 100,000 calls would be needed: they report more often." default:"5s"`
	Mean   time.Duration `help:"How long a call lasts." default:"180s"`
	For    time.Duration `help:"How long reports are measured." default:"20s"`
	Buffer int           `help:"Receive buffer, MiB." default:"32"`
	Store  string        `help:"Store the calls, and count the database's CPU: sqlite:FILE or postgres://USER@HOST/DATABASE, which must hold none." placeholder:"DSN"`
}

const (
	mostBenchCalls = 100_000
	turnover       = 10_000 // calls that are hung up and set up to measure what that costs
)

// hepFigures are what was measured.
type hepFigures struct {
	Calls       int       `json:"calls"`
	EveryS      float64   `json:"every_s"`
	Reports     callSpell `json:"reports"`
	PerMillion  float64   `json:"cpu_s_per_million_reports"`
	SIP         callSpell `json:"sip"`
	SIPMillion  float64   `json:"cpu_s_per_million_sip"`
	Scores      callSpell `json:"scores"`
	PerScore    float64   `json:"cpu_us_per_score"`
	PerCall     float64   `json:"reports_per_call"`
	WithScores  float64   `json:"cpu_s_per_million_reports_with_scores"`
	Stored      uint64    `json:"calls_stored"`
	PerStored   float64   `json:"cpu_us_per_call_stored_elsewhere"` // of the database's server, and of adding up the hourly figures; the rest is in the score
	Cores       float64   `json:"cores"`
	RatePlanned int       `json:"reports_per_second_asked"`
	RateReal    float64   `json:"reports_per_second"`
	callTotals
}

// Run measures and prints.
func (c *BenchHepCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context, logger *slog.Logger) error {
	if c.Rate < 100 || c.Rate > 1_000_000 || c.Every < 100*time.Millisecond || c.For < c.Every || c.Mean < shortCall || c.Buffer < 1 {
		return fmt.Errorf("the rate is 100 to 1,000,000, every at least 0.1 s, for at least as long as every, mean at least %v, buffer at least 1", shortCall)
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

func (c *BenchHepCmd) measure(ctx context.Context, seed uint64, logger *slog.Logger) (*hepFigures, error) {
	calls := min(max(int(float64(c.Rate)*c.Every.Seconds()/2), 1), mostBenchCalls)
	every := time.Duration(2 * float64(calls) / float64(c.Rate) * float64(time.Second))
	load, err := newCallLoad(calls, every, c.Mean, seed)
	if err != nil {
		return nil, err
	}
	stored, err := openHEPStore(ctx, c.Store, logger)
	if err != nil {
		return nil, err
	}
	defer stored.close()
	rig, err := newCallRig(ctx, load, stored.output(load), c.Buffer<<20, logger)
	if err != nil {
		return nil, err
	}
	defer rig.close()
	conn, err := load.through(rig.listener.Addresses()[0])
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	f := &hepFigures{Calls: calls, EveryS: every.Seconds(), RatePlanned: c.Rate, PerCall: 2 * c.Mean.Seconds() / max(c.Every.Seconds(), 5)}
	before, err := stored.cpu()
	if err != nil {
		return nil, err
	}
	if err := c.spells(ctx, f, rig, stored); err != nil {
		return nil, err
	}
	f.Resident = resident()
	if err := c.endAll(ctx, f, rig); err != nil {
		return nil, err
	}
	return f, f.addStored(ctx, stored, before)
}

// addStored adds what storing costs that is not in the cost of a score: the database's server, and adding up the hourly figures later.
func (f *hepFigures) addStored(ctx context.Context, stored *hepStore, before storeCPU) error {
	own, err := stored.cpu()
	if err != nil {
		return err
	}
	if f.Stored, err = stored.finish(ctx); err != nil || f.Stored == 0 {
		return err
	}
	after, err := stored.cpu()
	if err != nil {
		return err
	}
	f.PerStored = 1e6 * (after.Own - own.Own + after.Server - before.Server) / float64(f.Stored)
	f.WithScores += f.PerStored / f.PerCall
	return nil
}

// spells measures the three stretches, after one period to warm up.
func (c *BenchHepCmd) spells(ctx context.Context, f *hepFigures, rig *callRig, stored *hepStore) (err error) {
	load := rig.load
	if err := load.play(ctx, 2, false); err != nil {
		return err
	}
	rounds := int((2*c.For + load.every - 1) / load.every)
	if f.Reports, err = rig.spell(ctx, func() error { return load.play(ctx, rounds, false) }); err != nil {
		return err
	}
	part := load.slots[:min(len(load.slots), turnover)]
	if f.SIP, err = rig.spell(ctx, func() error { return load.paced(ctx, part, c.Rate/4, load.turnOver) }); err != nil {
		return err
	}
	// The tracker waits 5 s for reports that are on their way before it scores a call.
	if f.Scores, err = rig.spell(ctx, func() error { return errors.Join(rig.handedOut(ctx), stored.written(ctx)) }); err != nil {
		return err
	}
	f.Scores.Packets = load.verdict.scored.Load() + load.verdict.unscored.Load()
	f.Scores.Taken = f.Scores.Packets
	f.PerMillion, f.SIPMillion = f.Reports.perMillion(), f.SIP.perMillion()
	f.PerScore = f.Scores.perMillion() // a million times so many seconds, for each
	f.WithScores = f.PerMillion + f.PerScore/f.PerCall
	f.Cores, f.RateReal = f.Reports.cores(), float64(f.Reports.Packets)/f.Reports.Seconds
	return nil
}

// turnOver ends a call and begins another in its place.
func (l *callLoad) turnOver(s *callSlot, at time.Time) error {
	if err := l.hangUp(s, at); err != nil {
		return err
	}
	return l.setUp(s, at)
}

// endAll hangs up what is left, so that every call is compared with the truth, and sums up.
func (c *BenchHepCmd) endAll(ctx context.Context, f *hepFigures, rig *callRig) error {
	load := rig.load
	if err := load.paced(ctx, load.slots[min(len(load.slots), turnover):], 10_000, load.hangUp); err != nil {
		return err
	}
	if err := rig.handedOut(ctx); err != nil {
		return err
	}
	return rig.totals(ctx, &f.callTotals, 0)
}

func (f *hepFigures) print(w io.Writer) {
	line := func(what, unit string, value float64) { fmt.Fprintf(w, "%-52s %10.2f %s\n", what, value, unit) }
	fmt.Fprintf(w, "%-52s %d, each party reports every %.3g s\n", "calls in progress", f.Calls, f.EveryS)
	line("reports", "a second", f.RateReal)
	line("CPU a million reports, without scores", "s", f.PerMillion)
	line("CPU of a call's end and score", "us", f.PerScore)
	line(fmt.Sprintf("CPU a million reports, scores of calls of %.0f reports", f.PerCall), "s", f.WithScores)
	if f.Stored > 0 {
		fmt.Fprintf(w, "%-52s %10d\n", "calls stored", f.Stored)
		line("CPU of a call in the database, elsewhere", "us", f.PerStored)
	}
	line("CPU a million SIP messages", "s", f.SIPMillion)
	line("CPU while reports come", "cores", f.Cores)
	line("CPU of the generator, which is in none of these", "cores", f.Reports.Generator/f.Reports.Seconds)
	f.callTotals.print(w)
}
