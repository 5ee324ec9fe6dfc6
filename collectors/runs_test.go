package collectors

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vigia/collectors/inventory"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func checkID(ref, instance string) CheckID {
	r, err := inventory.ParseRef(ref)
	if err != nil {
		panic(err)
	}
	return CheckID{Ref: r, Instance: instance}
}

func runAt(id CheckID, seconds int, ok bool) Run {
	return Run{Check: id, Kind: "ping", At: noon.Add(time.Duration(seconds) * time.Second), Result: Result{OK: ok, Why: Because("t.why", seconds)}}
}

func seconds(runs []Run) []int {
	list := []int{}
	for _, r := range runs {
		list = append(list, int(r.At.Sub(noon)/time.Second))
	}
	return list
}

func TestRunsKeepFailuresLonger(t *testing.T) {
	runs := NewRuns(3, 5)
	id := checkID("link/a", "ping")
	for i := range 8 { // an evening of failures
		runs.Add(runAt(id, i, false))
	}
	for i := 8; i < 100; i++ { // and a night of successes
		runs.Add(runAt(id, i, true))
	}
	if diff := cmp.Diff([]int{99, 98, 97, 7, 6, 5, 4, 3}, seconds(runs.Last(id, 0))); diff != "" {
		t.Errorf("last runs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{99, 98}, seconds(runs.Last(id, 2))); diff != "" {
		t.Errorf("last two (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{7, 6, 5, 4}, seconds(runs.LastFailures(id, 4))); diff != "" {
		t.Errorf("last failures (-want +got):\n%s", diff)
	}
	if last, ok := runs.LastRun(id); !ok || last.At != noon.Add(99*time.Second) {
		t.Errorf("LastRun = %v, %v", last.At, ok)
	}
	runs.Add(runAt(id, 100, false))
	if last, _ := runs.LastRun(id); last.Result.OK {
		t.Error("LastRun is not the failure that came last")
	}
}

func TestRunsOfAnObject(t *testing.T) {
	runs := NewRuns(0, 0)
	ping, web, other := checkID("server/a", "ping"), checkID("server/a", "web"), checkID("server/b", "ping")
	runs.Add(runAt(web, 1, true))
	runs.Add(runAt(ping, 2, false))
	runs.Add(runAt(other, 3, true))
	runs.Add(runAt(web, 4, true))
	if diff := cmp.Diff([]int{4, 2, 1}, seconds(runs.Of(ping.Ref, 0))); diff != "" {
		t.Errorf("runs of server/a (-want +got):\n%s", diff)
	}
	if got := runs.Of(ping.Ref, 1); len(got) != 1 || got[0].Check != web {
		t.Errorf("newest of server/a = %v", got)
	}
	runs.Keep([]Check{{ID: web}})
	if got := seconds(runs.Of(ping.Ref, 0)); !cmp.Equal(got, []int{4, 1}) {
		t.Errorf("after ping was forgotten: %v", got)
	}
	if _, ok := runs.LastRun(other); ok {
		t.Error("server/b is still known")
	}
	if got := runs.Last(other, 3); len(got) != 0 {
		t.Errorf("runs of an unknown check: %v", got)
	}
}

// Whatever is put in comes out, in its order, as long as the limits allow.
func TestRunsGiveBackWhatTheyTook(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		runs := NewRuns(4, 6)
		id := checkID("trunk/x", "sip")
		var good, bad []Run
		for i := range rapid.IntRange(1, 40).Draw(rt, "runs") {
			run := drawRun(rt, id, i)
			runs.Add(run)
			if run.Result.OK {
				good = append(good, run)
			} else {
				bad = append(bad, run)
			}
		}
		good, bad = good[max(0, len(good)-4):], bad[max(0, len(bad)-6):]
		want := newest(append(append([]Run{}, good...), bad...), 0)
		if diff := cmp.Diff(want, runs.Last(id, 0)); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func drawRun(t *rapid.T, id CheckID, i int) Run {
	arg := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }), rapid.Map(rapid.Int(), func(n int) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }), rapid.Map(rapid.Float64(), func(f float64) any { return f }))
	reason := rapid.Custom(func(t *rapid.T) Reason {
		r := Reason{Code: rapid.SampledFrom([]string{"", "a.b", "a.c"}).Draw(t, "code")}
		if args := rapid.SliceOfN(arg, 0, 3).Draw(t, "args"); len(args) > 0 {
			r.Args = args
		}
		return r
	})
	run := Run{
		Check: id, Kind: "sip", At: noon.Add(time.Duration(i) * time.Second),
		Took:    time.Duration(rapid.Int64().Draw(t, "took")),
		Late:    time.Duration(rapid.Int64().Draw(t, "late")),
		Confirm: rapid.Bool().Draw(t, "confirm"),
		Result:  Result{OK: rapid.Bool().Draw(t, "ok"), Why: reason.Draw(t, "why")},
	}
	if steps := rapid.SliceOfN(reason, 0, 3).Draw(t, "steps"); len(steps) > 0 {
		run.Result.Steps = steps
	}
	for range rapid.IntRange(0, 3).Draw(t, "values") {
		run.Result.Values = append(run.Result.Values, Value{
			Metric: rapid.SampledFrom([]Metric{Up, LatencyMS}).Draw(t, "metric"),
			Value:  rapid.Float64().Draw(t, "value"),
		})
	}
	return run
}

func TestRunsBoundAHostileText(t *testing.T) {
	runs := NewRuns(0, 0)
	id := checkID("server/a", "http")
	run := runAt(id, 0, false)
	run.Result.Why.Args = []any{strings.Repeat("ñ", 1<<20)}
	runs.Add(run)
	last, _ := runs.LastRun(id)
	if got := last.Result.Why.Args[0].(string); len(got) > 1100 || !strings.HasPrefix(got, "ñññ") || !strings.HasSuffix(got, "ñ…") {
		t.Errorf("kept %d octets ending in %q", len(got), got[len(got)-8:])
	}
}

func TestRunsFromManyGoroutines(t *testing.T) {
	runs := NewRuns(5, 5)
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 300 {
				id := checkID("server/"+string(rune('a'+i%7)), fmt.Sprint(w))
				runs.Add(runAt(id, i, i%3 == 0))
				runs.Of(id.Ref, 3)
				runs.LastRun(id)
			}
		})
	}
	group.Wait()
	if got := len(runs.Last(checkID("server/a", "3"), 0)); got != 10 {
		t.Errorf("kept %d runs, want 5 of each sort", got)
	}
}

// typical is a run as a ping of five makes it.
func typical(id CheckID, i int) Run {
	return Run{
		Check: id, Kind: "ping", At: noon.Add(time.Duration(i) * 10 * time.Second), Took: 862 * time.Millisecond, Late: 300 * time.Microsecond,
		Result: Result{
			OK: true, Why: Because("ping.all", 5, 61.9, 64.1, 71.0),
			Values: []Value{{Metric: Up, Value: 1}, {Metric: LossPct}, {Metric: LatencyMS, Value: 64.1}, {Metric: JitterMS, Value: 2.2}},
		},
	}
}

// A hundred thousand checks must fit: this measures what one check with all its successes takes.
func TestRunsAreSmall(t *testing.T) {
	const checks = 2000
	before := heapNow()
	runs := NewRuns(0, 0)
	ids := make([]CheckID, checks)
	for i := range ids {
		ids[i] = checkID("link/l", fmt.Sprint(i))
	}
	for n := range 3 * DefaultSuccesses {
		for _, id := range ids {
			runs.Add(typical(id, n))
		}
	}
	each := float64(heapNow()-before) / checks
	t.Logf("%.0f octets for a check with %d successes: %.0f MB for 100,000", each, DefaultSuccesses, each/10)
	if each > 6000 || math.IsNaN(each) {
		t.Errorf("one check takes %.0f octets", each)
	}
	runtime.KeepAlive(runs)
	runtime.KeepAlive(ids)
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkRunsAdd(b *testing.B) {
	runs := NewRuns(0, 0)
	const checks = 10000
	all := make([]Run, checks)
	for i := range all {
		all[i] = typical(checkID("link/l"+fmt.Sprint(i/4), fmt.Sprint(i%4)), i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		runs.Add(all[i%checks])
	}
}

func BenchmarkRunsLastRun(b *testing.B) {
	runs := NewRuns(0, 0)
	id := checkID("link/l", "ping")
	for i := range 50 {
		runs.Add(typical(id, i))
	}
	b.ReportAllocs()
	for b.Loop() {
		runs.LastRun(id)
	}
}
