package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors"
	"vigia/collectors/collectorstest/snmpagent"
	"vigia/collectors/inventory"
	"vigia/collectors/snmp"
)

// BenchSnmpCmd is `vigia bench snmp`: the scheduler with the collectors of the snmp kind, as the product runs them, against simulated
// switches, and a sink that counts. With --targets the switches are somewhere else, such as in a second process with --serve, so that their
// CPU is not counted; without, they are in this process, and CPU time is theirs too.
type BenchSnmpCmd struct {
	Devices int           `help:"Switches that answer." default:"1000"`
	Ports   int           `help:"Ports of each." default:"48"`
	Dead    float64       `help:"Devices that never answer, besides those that do, in percent of them." default:"5"`
	Every   time.Duration `help:"How often each device is polled." default:"20s"`
	Rounds  int           `help:"Periods that are measured, after two for discovery and the first rates." default:"3"`
	Targets string        `help:"File with addresses of switches, one host:port a line; they answer to the community public." placeholder:"FILE"`
	Serve   bool          `help:"Only be the switches: print their addresses, one a line, and answer until interrupted."`
}

// Run measures and prints.
func (c *BenchSnmpCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context) error {
	if c.Devices < 1 || c.Ports < 1 || c.Rounds < 1 || c.Every <= 0 || c.Dead < 0 {
		return errors.New("devices, ports, rounds and every are more than 0, dead is not less")
	}
	if c.Serve {
		return c.serve(ctx, k.Stdout)
	}
	addrs, included, closeAll, err := c.switches()
	if err != nil {
		return err
	}
	defer closeAll()
	f, err := c.measure(ctx, addrs)
	if err != nil {
		return err
	}
	if f.Included = included; included {
		f.Ports = c.Ports
	}
	if bench.JSON {
		return printJSON(k.Stdout, f)
	}
	f.print(k.Stdout)
	return nil
}

// farm starts the switches.
func (c *BenchSnmpCmd) farm() (*snmpagent.Farm, error) {
	addrs := make([]string, c.Devices)
	for i := range addrs {
		addrs[i] = "127.0.0.1:0"
	}
	r := benchSwitch(c.Ports)
	return snmpagent.ListenAll(addrs, func(int) snmpagent.Config {
		return snmpagent.Config{Recording: r, Communities: []string{benchCommunity}, Grow: true}
	})
}

const benchCommunity = "public"

// serve is the switches alone.
func (c *BenchSnmpCmd) serve(ctx context.Context, w io.Writer) error {
	farm, err := c.farm()
	if err != nil {
		return err
	}
	var all strings.Builder
	for _, a := range farm.Agents {
		fmt.Fprintln(&all, a.Addr())
	}
	if _, err := io.WriteString(w, all.String()); err != nil {
		return errors.Join(err, farm.Close())
	}
	<-ctx.Done()
	return farm.Close()
}

// switches are the devices that answer, and whether they are in this process.
func (c *BenchSnmpCmd) switches() (addrs []netip.AddrPort, included bool, closeAll func(), err error) {
	if c.Targets != "" {
		addrs, err = readTargets(c.Targets)
		return addrs, false, func() {}, err
	}
	farm, err := c.farm()
	if err != nil {
		return nil, true, nil, err
	}
	for _, a := range farm.Agents {
		addrs = append(addrs, a.Addr())
	}
	return addrs, true, func() { farm.Close() }, nil //nolint:errcheck // it goes with the process
}

func readTargets(file string) ([]netip.AddrPort, error) {
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("targets: %w", err)
	}
	defer f.Close()
	var out []netip.AddrPort
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		a, err := netip.ParseAddrPort(line)
		if err != nil {
			return nil, fmt.Errorf("targets: %s, line %d: %q is not an address and port", file, n, line)
		}
		out = append(out, a)
	}
	if len(out) == 0 && lines.Err() == nil {
		return nil, fmt.Errorf("targets: %s is empty", file)
	}
	return out, lines.Err()
}

// silentSockets are addresses where nobody answers and nothing is refused: sockets that are never read.
func silentSockets(n int) (addrs []netip.AddrPort, closeAll func(), err error) {
	var open []net.PacketConn
	closeAll = func() {
		for _, s := range open {
			s.Close()
		}
	}
	for range n {
		s, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			closeAll()
			return nil, nil, fmt.Errorf("a device that is dead: %w", err)
		}
		open = append(open, s)
		if a, ok := s.LocalAddr().(*net.UDPAddr); ok {
			addrs = append(addrs, a.AddrPort())
		}
	}
	return addrs, closeAll, nil
}

// snmpBench is one measurement on its way.
type snmpBench struct {
	cmd        *BenchSnmpCmd
	live, dead []collectors.Check
	runs       *collectors.Runs
	scheduler  *collectors.Scheduler
	polls      atomic.Int64 // of devices that answered
	values     atomic.Int64 // from these
	heap, rss  uint64       // before
}

// measure polls the devices at these addresses, and dead ones.
func (c *BenchSnmpCmd) measure(ctx context.Context, addrs []netip.AddrPort) (*snmpFigures, error) {
	silent, closeSilent, err := silentSockets(int(float64(len(addrs)) * c.Dead / 100))
	if err != nil {
		return nil, err
	}
	defer closeSilent()
	b := &snmpBench{cmd: c, runs: collectors.NewRuns(0, 0)}
	if err := b.open(addrs, silent); err != nil {
		return nil, err
	}
	b.scheduler = collectors.NewScheduler(collectors.SchedulerConfig{Sink: collectors.SinkFunc(b.put), Runs: b.runs})
	b.scheduler.SetChecks(append(append([]collectors.Check(nil), b.live...), b.dead...))
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.scheduler.Run(running) }()
	f, err := b.follow(ctx)
	stop()
	return f, errors.Join(err, <-ended)
}

func (b *snmpBench) put(samples []collectors.Sample) {
	if len(samples) > 1 && samples[0].Series.Ref != inventory.Self { // a dead one says up = 0 and no more
		b.polls.Add(1)
		b.values.Add(int64(len(samples)))
	}
}

// open makes the collectors, and notes how much memory there was before the first. The profiles, which all share, are loaded before that.
func (b *snmpBench) open(live, dead []netip.AddrPort) error {
	kind := snmp.Kind()
	first, err := b.check(kind, "first", live[0])
	if err != nil {
		return err
	}
	defer closeCollector(first.Collector)
	b.heap, b.rss = heapInUse(), resident()
	for _, sort := range []struct {
		name string
		at   []netip.AddrPort
		into *[]collectors.Check
	}{{"switch", live, &b.live}, {"dead", dead, &b.dead}} {
		for i, addr := range sort.at {
			check, err := b.check(kind, fmt.Sprintf("%s-%05d", sort.name, i), addr)
			if err != nil {
				return err
			}
			*sort.into = append(*sort.into, check)
		}
	}
	return nil
}

func closeCollector(c collectors.Collector) {
	if closer, ok := c.(collectors.Closer); ok {
		closer.Close() //nolint:errcheck // it holds nothing outside the process
	}
}

// check is one device as a server of the configuration with an snmp check.
func (b *snmpBench) check(kind collectors.Kind, name string, addr netip.AddrPort) (collectors.Check, error) {
	cfg, ok := kind.New().(*snmp.Config)
	if !ok {
		return collectors.Check{}, fmt.Errorf("the kind %s has another configuration", kind.Name)
	}
	cfg.Host, cfg.Port, cfg.Community = addr.Addr().String(), int(addr.Port()), inventory.NewSecret(benchCommunity)
	id := collectors.CheckID{Ref: inventory.Ref{Kind: inventory.KindServer, Name: name}, Instance: kind.Name}
	timeout := min(kind.Timeout, b.cmd.Every)
	collector, err := cfg.Open(collectors.Setup{ID: id, Every: b.cmd.Every, Timeout: timeout})
	if err != nil {
		return collectors.Check{}, fmt.Errorf("open %s: %w", name, err)
	}
	return collectors.Check{ID: id, Kind: kind.Name, Target: cfg.Target(), Every: b.cmd.Every, Timeout: timeout, Collector: collector}, nil
}

// heapInUse is how many octets are reachable.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what has a finaliser goes the second time
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// warmUp is how many periods go by before it is measured: each device is discovered in the first, and in the second its rates begin.
const warmUp = 2

// follow waits for the discovery of everything and then measures period by period.
func (b *snmpBench) follow(ctx context.Context) (*snmpFigures, error) {
	c := b.cmd
	f := &snmpFigures{Devices: len(b.live), Dead: len(b.dead), EveryS: c.Every.Seconds()}
	start, err := cpuUsed()
	if err != nil {
		return nil, err
	}
	wait(ctx, warmUp*c.Every)
	used, err := cpuUsed()
	if err != nil {
		return nil, err
	}
	f.DiscoverS = (used - start).Seconds()
	from := time.Now()
	b.values.Store(0)
	b.polls.Store(0)
	for range c.Rounds {
		wait(ctx, c.Every)
		now, err := cpuUsed()
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		f.CPUMS = append(f.CPUMS, (now-used).Seconds()*1000/float64(len(b.live))) // each was polled once
		used = now
	}
	f.TotalCPUS = used.Seconds()
	b.fill(f, from)
	return f, nil
}

// fill adds what can be read when the last period has ended.
func (b *snmpBench) fill(f *snmpFigures, from time.Time) {
	values, polls := b.values.Load(), b.polls.Load()
	f.HeapKB = perDevice(heapInUse(), b.heap, f)
	f.RSSKB = perDevice(resident(), b.rss, f)
	requests := 0
	f.Live, requests = b.punctual(b.live, from)
	f.DeadRuns, _ = b.punctual(b.dead, from)
	if f.Live.Runs > 0 {
		f.Requests = float64(requests) / float64(f.Live.Runs)
	}
	if polls > 0 {
		f.Values = float64(values) / float64(polls)
	}
}

func perDevice(now, before uint64, f *snmpFigures) float64 {
	if now < before {
		return 0
	}
	return float64(now-before) / 1000 / float64(f.Devices)
}

// punctual looks at the runs that began after a moment.
func (b *snmpBench) punctual(checks []collectors.Check, from time.Time) (p punctual, requests int) {
	for _, check := range checks {
		if stats, ok := b.scheduler.Check(check.ID); ok {
			p.Skipped += stats.Skipped
		}
		for _, run := range b.runs.Last(check.ID, b.cmd.Rounds) {
			if run.At.Before(from) {
				continue
			}
			p.add(run, b.cmd.Every)
			requests += requestsOf(run)
		}
	}
	p.Start, p.Took = delaysOf(p.slots), delaysOf(p.lengths)
	return p, requests
}
