package main

import (
	"fmt"
	"io"
	"time"

	"vigia/collectors"
)

// snmpFigures is what it prints.
type snmpFigures struct {
	Devices   int       `json:"devices"`
	Dead      int       `json:"dead"`
	Ports     int       `json:"ports,omitempty"` // 0: of whatever there is at --targets
	EveryS    float64   `json:"every_s"`
	Included  bool      `json:"cpu_includes_devices"` // the switches are in this process
	DiscoverS float64   `json:"discovery_cpu_s"`      // CPU of the two periods before
	CPUMS     []float64 `json:"cpu_ms_per_poll"`      // of each measured period
	TotalCPUS float64   `json:"total_cpu_s"`          // of the process when the last period ended
	Requests  float64   `json:"requests_per_poll"`
	Values    float64   `json:"values_per_poll"`
	HeapKB    float64   `json:"heap_kb_per_device"`
	RSSKB     float64   `json:"rss_kb_per_device"`
	Live      punctual  `json:"live"`
	DeadRuns  punctual  `json:"dead_devices"`
}

// punctual is how well runs kept to their slots.
type punctual struct {
	Runs    int    `json:"runs"`
	Failed  int    `json:"failed"`
	Skipped uint64 `json:"skipped_slots"`
	Late    int    `json:"late"` // began more than a second after their slot, or ended after the next
	Start   delays `json:"start_late_ms"`
	Took    delays `json:"took_ms"`
	slots   []float64
	lengths []float64
}

// delays is a spread in milliseconds.
type delays struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

func delaysOf(values []float64) delays {
	s := spreadOf(values)
	return delays{s.Median, s.P99, s.Max}
}

// lateStart is how much later than its slot a run may begin.
const lateStart = time.Second

func (p *punctual) add(run collectors.Run, every time.Duration) {
	p.Runs++
	if !run.Result.OK {
		p.Failed++
	}
	if run.Late > lateStart || run.Late+run.Took > every {
		p.Late++
	}
	p.slots = append(p.slots, run.Late.Seconds()*1000)
	p.lengths = append(p.lengths, run.Took.Seconds()*1000)
}

// requestsOf is how many requests a run took, which it says in its reason: device, values, requests.
func requestsOf(run collectors.Run) int {
	if len(run.Result.Why.Args) == 3 {
		if n, ok := run.Result.Why.Args[2].(int); ok {
			return n
		}
	}
	return 0
}

func (f *snmpFigures) print(w io.Writer) {
	fmt.Fprintf(w, "%d devices that answer and %d that do not, each polled every %g s\n", f.Devices, f.Dead, f.EveryS)
	whose := "CPU a poll"
	if f.Included {
		whose = "CPU a poll, that of the simulated devices included"
	}
	for i, ms := range f.CPUMS {
		fmt.Fprintf(w, "%-52s %8.3f ms   (period %d)\n", whose, ms, i+1)
	}
	fmt.Fprintf(w, "%-52s %8.3f s\n", "CPU of the discovery and the first rates", f.DiscoverS)
	fmt.Fprintf(w, "%-52s %8.1f\n", "requests a poll", f.Requests)
	fmt.Fprintf(w, "%-52s %8.1f\n", "values a poll", f.Values)
	fmt.Fprintf(w, "%-52s %8.1f KB\n", "heap a device", f.HeapKB)
	fmt.Fprintf(w, "%-52s %8.1f KB\n", "resident memory a device", f.RSSKB)
	f.Live.print(w, "devices that answer")
	if f.Dead > 0 {
		f.DeadRuns.print(w, "devices that do not")
	}
}

func (p *punctual) print(w io.Writer, whose string) {
	fmt.Fprintf(w, "%s: %d runs, %d not well, %d late, %d slots skipped\n", whose, p.Runs, p.Failed, p.Late, p.Skipped)
	fmt.Fprintf(w, "  began after their slot  median %8.1f ms  p99 %8.1f ms  max %8.1f ms\n", p.Start.Median, p.Start.P99, p.Start.Max)
	fmt.Fprintf(w, "  took                    median %8.1f ms  p99 %8.1f ms  max %8.1f ms\n", p.Took.Median, p.Took.P99, p.Took.Max)
}
