//go:build linux

package ping

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

const thousand = 1000

// thousandConfigs are pings to as many addresses of 127.0.0.0/8, with the shipped defaults but for the host.
func thousandConfigs() []*Config {
	k := Kind()
	list := make([]*Config, thousand)
	for i := range list {
		list[i] = k.New().(*Config)
		list[i].Host = netip.AddrFrom4([4]byte{127, 1, byte(i / 250), byte(1 + i%250)}).String()
	}
	return list
}

// cpu is what this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// icmpCounters are the kernel's of this namespace: echo replies that it received, and requests that it sent.
func icmpCounters(t *testing.T) (replies, requests int) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		t.Fatal(err)
	}
	var names, figures []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); fields[0] == "Icmp:" {
			names, figures = figures, fields
		}
	}
	at := func(name string) int {
		n, err := strconv.Atoi(figures[slices.Index(names, name)])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return at("InEchoReps"), at("OutEchos")
}

// tally counts what the runs of many targets found.
type tally struct {
	mu      sync.Mutex
	runs    int
	cut     int // could not measure for lack of time, and said so
	bad     []string
	lost    float64
	longest float64 // mean round-trip time of a run, ms
}

func (y *tally) add(target string, r collectors.Result) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.runs++
	loss := figure(r, collectors.LossPct)
	if (r.Why.Code == "ping.cut" || r.Why.Code == "ping.starved") && len(r.Values) == 0 {
		y.cut++
	} else if !r.OK || loss != 0 {
		y.bad = append(y.bad, fmt.Sprintf("%s: %s", target, english(r.Why)))
	}
	y.lost += max(loss, 0)
	y.longest = max(y.longest, figure(r, collectors.LatencyMS))
}

func (y *tally) check(t *testing.T, runs int) {
	t.Helper()
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.runs-y.cut < runs {
		t.Errorf("%d runs, of which %d had no time: want at least %d", y.runs, y.cut, runs)
	}
	for i, b := range y.bad {
		if i == 10 {
			t.Errorf("… and %d more", len(y.bad)-i)
			break
		}
		t.Errorf("false loss at %s", b)
	}
}

// A thousand targets that all answer, three bursts of five each, all begun at the same instant: not one answer may be missed.
func TestAThousandAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes five seconds of a core")
	}
	if !inNamespace(t, openPing, 0) {
		return
	}
	for round := range 3 {
		var y tally
		var group sync.WaitGroup
		start, before := time.Now(), cpu()
		for _, c := range thousandConfigs() {
			collector, err := c.Open(collectors.Setup{Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			group.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				y.add(c.Host, collector.Probe(ctx))
			})
		}
		group.Wait()
		t.Logf("round %d: %d targets, %.0f pings lost, %d not measured, %.2f s, %.2f CPU-s, longest mean round trip %.1f ms",
			round+1, thousand, y.lost*5/100, y.cut, time.Since(start).Seconds(), (cpu() - before).Seconds(), y.longest)
		if replies, requests := icmpCounters(t); replies < requests {
			t.Fatalf("the system itself lost pings: %d requests, %d replies", requests, replies)
		}
		y.check(t, thousand*3/4) // on a machine that is short of time some runs say that they could not measure
	}
}

// A thousand checks run by the scheduler as in production, each five pings every four seconds, for four periods. On a machine that is short
// of time slots may be skipped and runs cut off, and are counted; no run may show a loss.
func TestAThousandScheduled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes sixteen seconds")
	}
	if !inNamespace(t, openPing, 0) {
		return
	}
	const every, periods = 4 * time.Second, 4
	var y tally
	runs := collectors.NewRuns(0, 0)
	scheduler := collectors.NewScheduler(collectors.SchedulerConfig{Sink: collectors.SinkFunc(func([]collectors.Sample) {}), Runs: runs})
	var checks []collectors.Check
	for i, c := range thousandConfigs() {
		id := collectors.CheckID{Ref: inventory.Ref{Kind: inventory.KindLink, Name: fmt.Sprint("l", i)}, Instance: "ping"}
		collector, err := c.Open(collectors.Setup{ID: id, Every: every, Timeout: 3 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		checks = append(checks, collectors.Check{ID: id, Kind: "ping", Target: c.Host, Every: every, Timeout: 3 * time.Second, Collector: collector})
	}
	scheduler.SetChecks(checks)
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(periods*every, cancel).Stop()
	before := cpu()
	if err := scheduler.Run(ctx); err != nil {
		t.Fatal(err)
	}
	used := (cpu() - before).Seconds()
	for _, c := range checks {
		for _, r := range runs.Last(c.ID, 0) {
			y.add(c.Target, r.Result)
		}
	}
	stats := scheduler.Stats()
	t.Logf("%d runs of %d targets, %.0f pings lost, %d not measured, %.2f CPU-s in %v (%.1f ms a run), started late by %v (p99), %d slots skipped",
		y.runs, thousand, y.lost*5/100, y.cut, used, periods*every, used*1000/float64(y.runs), stats.LateP99, stats.Skipped)
	y.check(t, thousand*(periods-1)*95/100)
}
