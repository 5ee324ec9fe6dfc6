package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors/collectorstest/callsim"
	"vigia/collectors/hep"
	"vigia/collectors/voice"
)

// BenchHepCmd is `vigia bench hep`: calls that are told of over HEP, from the socket to the scored call, compared with the truth. The sender runs
// in this process; what it costs alone is measured first, into a socket that nobody reads, and subtracted.
type BenchHepCmd struct {
	Calls int           `help:"Calls at the same time." default:"5000"`
	Every time.Duration `help:"Between two reports of a party." default:"1s"`
	For   time.Duration `help:"How long they talk." default:"20s"`
	Junk  int           `help:"Packets that are no HEP, a second, from the same address." default:"0"`
	Store string        `help:"Store the calls, and count the database's CPU: sqlite:FILE or postgres://USER@HOST/DATABASE, which must hold none." placeholder:"DSN"`
}

// hepFigures are what was measured.
type hepFigures struct {
	Sent       uint64  `json:"packets_sent"`
	Received   uint64  `json:"packets_received"`
	Kernel     uint64  `json:"kernel_drops"`
	Junk       uint64  `json:"junk_sent"`
	Refused    uint64  `json:"junk_counted"`
	Uncounted  int64   `json:"uncounted"`
	PerSecond  float64 `json:"packets_per_second"`
	CPU        float64 `json:"cpu_s"`
	Sending    float64 `json:"sending_cpu_s"`
	PerMillion float64 `json:"cpu_s_per_million"`
	Cores      float64 `json:"cores"`
	Calls      int     `json:"calls"`
	Scored     int     `json:"calls_scored"`
	Wrong      int     `json:"calls_wrong"`
	WorstMOS   float64 `json:"worst_mos_error"`
	Resident   uint64  `json:"resident_octets"`
	Stored     uint64  `json:"calls_stored"`
	Server     float64 `json:"server_cpu_s"` // of CPU, what the database's processes took
}

// Run measures and prints.
func (c *BenchHepCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context, logger *slog.Logger) error {
	if c.Calls < 1 || c.Calls > 200_000 || c.Every <= 0 || c.For < 2*c.Every || c.Junk < 0 {
		return errors.New("calls are 1 to 200,000, every is more than 0, for at least twice that, junk not less than 0")
	}
	sending, err := c.sendingAlone(ctx, bench.Seed)
	if err != nil {
		return err
	}
	f, err := c.measure(ctx, bench.Seed, logger)
	if err != nil {
		return err
	}
	f.Sending = sending.Seconds()
	f.CPU -= f.Sending
	f.PerMillion, f.Cores = 1e6*f.CPU/float64(f.Sent+f.Junk), f.CPU/c.For.Seconds()
	if bench.JSON {
		return printJSON(k.Stdout, f)
	}
	f.print(k.Stdout)
	return nil
}

func (f *hepFigures) print(w io.Writer) {
	fmt.Fprintf(w, "packets sent      %d (%.0f/s), junk besides %d\n", f.Sent, f.PerSecond, f.Junk)
	fmt.Fprintf(w, "received          %d, dropped by the kernel %d, junk refused and counted %d, not accounted for %d\n", f.Received, f.Kernel, f.Refused, f.Uncounted)
	fmt.Fprintf(w, "CPU               %.2f s = %.2f s a million packets, %.2f cores (sending, %.2f s, is not in it)\n", f.CPU, f.PerMillion, f.Cores, f.Sending)
	fmt.Fprintf(w, "calls             %d of %d scored, %d with a MOS more than 0.1 from the truth, worst %.3f\n", f.Scored, f.Calls, f.Wrong, f.WorstMOS)
	if f.Stored > 0 {
		fmt.Fprintf(w, "stored            %d calls and amendments, hourly figures added up; %.2f s of the CPU is of the database's processes\n", f.Stored, f.Server)
	}
	fmt.Fprintf(w, "resident          %.0f MiB\n", float64(f.Resident)/(1<<20))
}

// sendingAlone is the CPU time of the sender.
func (c *BenchHepCmd) sendingAlone(ctx context.Context, seed uint64) (time.Duration, error) {
	void, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer void.Close()
	before, err := cpuUsed()
	if err != nil {
		return 0, err
	}
	if _, err := newHEPLoad(c, seed).play(ctx, void.LocalAddr().String()); err != nil {
		return 0, err
	}
	after, err := cpuUsed()
	return after - before, err
}

// measure lets the calls happen.
func (c *BenchHepCmd) measure(ctx context.Context, seed uint64, logger *slog.Logger) (*hepFigures, error) {
	load := newHEPLoad(c, seed)
	stored, err := openHEPStore(ctx, c.Store, logger)
	if err != nil {
		return nil, err
	}
	defer stored.close()
	tracker := voice.New(voice.Config{}, stored.output(load), noSamples{})
	l, err := hep.New(hep.Config{UDP: "127.0.0.1:0", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Rate: 1_000_000}, tracker, logger)
	if err != nil {
		return nil, err
	}
	before, err := stored.cpu()
	if err != nil {
		l.Close()
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	var parts sync.WaitGroup
	parts.Go(func() { l.Run(running) }) //nolint:errcheck // ends when it is told to
	parts.Go(func() { tickTracker(running, tracker) })
	f, err := load.play(ctx, l.Addresses()[0].String())
	if err == nil {
		wait(ctx, 8*time.Second) // the tracker waits 5 s for what is on its way
	}
	written, storeErr := stored.finish(ctx)
	after, useErr := stored.cpu()
	stop()
	parts.Wait()
	if err := errors.Join(err, storeErr, useErr); err != nil {
		return nil, err
	}
	f.Resident = resident()
	tracker.Close(time.Now())
	s := l.Stats()
	used := after.minus(before)
	f.CPU, f.Server, f.Stored = used.sum(), used.Server, written
	f.Kernel, f.Received, f.Refused = s.Socket.KernelDrops, s.Messages, s.Dropped[hep.NotHEP.String()]
	f.Uncounted = int64(f.Sent+f.Junk) - int64(f.Received+f.Refused+f.Kernel+s.Dropped[hep.TooFast.String()])
	load.verdict(f)
	return f, nil
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

// hepLoad is the calls, and what became of them.
type hepLoad struct {
	cmd   *BenchHepCmd
	calls []callsim.Call
	index map[string]int

	mu     sync.Mutex
	scores map[int]float64
}

func newHEPLoad(c *BenchHepCmd, seed uint64) *hepLoad {
	random := rand.New(rand.NewPCG(seed, 7))
	l := &hepLoad{cmd: c, calls: make([]callsim.Call, c.Calls), index: make(map[string]int, c.Calls), scores: map[int]float64{}}
	for i := range l.calls {
		n, port := uint32(i), uint16(10000+2*(i%20000))
		host := byte(1 + i/20000)
		l.calls[i] = callsim.Call{
			ID: fmt.Sprintf("%08x-bench@sbc", i), Codec: callsim.PCMA(), Every: c.Every,
			Caller: callsim.Party{
				Number: fmt.Sprintf("+5062%07d", i), Host: "pbx.example", Agent: "PBX", SSRC: n<<1 | 1<<30,
				Signalling: netip.AddrPortFrom(at4([3]byte{198, 51, 100}, host), 5060), Media: netip.AddrPortFrom(at4([3]byte{198, 51, 100}, host), port),
				Hears: callsim.Hearing{LossPct: float64(random.IntN(8)), JitterMS: 3, TripMS: 20},
			},
			Callee: callsim.Party{
				Number: fmt.Sprintf("+5025%07d", i), Host: "carrier.example", Agent: "SBC", SSRC: n<<1 | 1<<31,
				Signalling: netip.AddrPortFrom(at4([3]byte{203, 0, 113}, host), 5060), Media: netip.AddrPortFrom(at4([3]byte{203, 0, 113}, host), port),
				Hears: callsim.Hearing{JitterMS: 3, TripMS: 40},
			},
		}
		l.index[l.calls[i].ID] = i
	}
	return l
}

// Call takes the last word about a call.
func (l *hepLoad) Call(c voice.Call) {
	i, known := l.index[c.ID]
	if !known || c.MOS == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scores[i] = *c.MOS
}

// verdict compares what was found with the truth.
func (l *hepLoad) verdict(f *hepFigures) {
	f.Calls, f.Scored = len(l.calls), len(l.scores)
	for i, got := range l.scores {
		_, want, err := l.calls[i].Truth(callsim.Caller, nil)
		if err != nil {
			f.Wrong++
			continue
		}
		off := math.Abs(got - want)
		f.WorstMOS = max(f.WorstMOS, off)
		if off > 0.1 {
			f.Wrong++
		}
	}
}

// play sends everything: the calls are set up one after another within one period, and so are reported on and hung up.
func (l *hepLoad) play(ctx context.Context, address string) (*hepFigures, error) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	p := &hepSender{conn: conn}
	if l.cmd.Junk > 0 {
		junk, stop := context.WithCancel(ctx)
		var sending sync.WaitGroup
		sending.Go(func() { p.sendJunk(junk, l.cmd.Junk) })
		defer sending.Wait()
		defer stop()
	}
	begin := time.Now()
	rounds := int(l.cmd.For / l.cmd.Every)
	for round := 0; round <= 2*rounds+2; round++ {
		half := l.cmd.Every / 2
		for i := range l.calls {
			due := begin.Add(time.Duration(round)*half + half*time.Duration(i)/time.Duration(len(l.calls)))
			if i%64 == 0 && time.Until(due) > time.Millisecond {
				wait(ctx, time.Until(due))
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			p.tell(&l.calls[i], round, 2*rounds+2, due)
		}
	}
	f := &hepFigures{Sent: p.sent.Load(), Junk: p.junk.Load(), PerSecond: float64(p.sent.Load()) / time.Since(begin).Seconds()}
	return f, p.problem
}

// hepSender sends what an agent sees.
type hepSender struct {
	conn          net.Conn
	payload, data []byte
	sent, junk    atomic.Uint64
	problem       error
}

// tell sends what there is to be told of a call in a round: set-up, reports of the callers and callees in turn, and the end.
func (p *hepSender) tell(c *callsim.Call, round, last int, at time.Time) {
	switch {
	case round == 0:
		c.Invited, c.Answered = at, at
		p.sip(c, callsim.Invite, at)
		p.sip(c, callsim.Answer, at)
	case round == last:
		p.sip(c, callsim.Bye, at)
	case round >= 2:
		w := callsim.Who(round % 2)
		p.payload = c.AppendJSON(p.payload[:0], w, at)
		a, b := c.Party(w).Media, c.Party(w.Other()).Media
		p.hep(c, &callsim.Seen{
			Type: callsim.TypeJSON, At: at, Src: netip.AddrPortFrom(a.Addr(), a.Port()+1), Dst: netip.AddrPortFrom(b.Addr(), b.Port()+1),
		})
	}
}

func (p *hepSender) sip(c *callsim.Call, m callsim.Message, at time.Time) {
	p.payload = c.AppendSIP(p.payload[:0], m)
	s := callsim.Seen{Type: callsim.TypeSIP, At: at}
	s.Src, s.Dst = c.Way(m)
	p.hep(c, &s)
}

func (p *hepSender) hep(c *callsim.Call, s *callsim.Seen) {
	s.Correlation, s.Payload = c.ID, p.payload
	p.data = callsim.Agent{ID: demoHEPAgent}.AppendHEP(p.data[:0], s)
	if _, err := p.conn.Write(p.data); err != nil {
		p.problem = err
		return
	}
	p.sent.Add(1)
}

// sendJunk sends packets that are nothing, so many a second.
func (p *hepSender) sendJunk(ctx context.Context, perSecond int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	junk := []byte("this is no HEP at all, but it takes as long to be read")
	for owed := 0.0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for owed += float64(perSecond) / 100; owed >= 1; owed-- {
			if _, err := p.conn.Write(junk); err == nil {
				p.junk.Add(1)
			}
		}
	}
}
