package collectors

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// instant is a collector that costs nothing, so that the benchmark shows the scheduler.
type instant struct{ result Result }

func (i *instant) Probe(context.Context) Result { return i.result }

// One run of a scheduler with 10,000 checks that are always due, from the heap to the sink: what each run costs besides its probe.
func BenchmarkSchedulerRun(b *testing.B) {
	const checks = 10000
	var put atomic.Int64
	s := NewScheduler(SchedulerConfig{Sink: SinkFunc(func(samples []Sample) { put.Add(int64(len(samples))) }), Runs: NewRuns(0, 0), AtOnce: 512})
	probe := &instant{Result{OK: true, Why: Because("ping.all", 5, 61.9, 64.1, 71.0), Values: []Value{{Metric: Up, Value: 1}, {Metric: LatencyMS, Value: 64.1}}}}
	list := make([]Check, checks)
	for i := range list {
		list[i] = every(fmt.Sprintf("link/l%d", i), 10*time.Second, probe)
	}
	s.SetChecks(list)
	ctx := context.Background()
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		s.mu.Lock()
		now := time.Now()
		n := min(512, b.N-done)
		for range n { // make the next ones due, wherever their phase lies
			j := s.due[len(s.due)-1-done%checks/2]
			j.slot = now
			s.due.place(j)
			done++
		}
		s.mu.Unlock()
		s.dispatch(ctx)
		s.working.Wait()
	}
	b.StopTimer()
	if got := put.Load(); got < int64(b.N) {
		b.Fatalf("%d samples of %d runs", got, b.N)
	}
	runtime.KeepAlive(list)
}
