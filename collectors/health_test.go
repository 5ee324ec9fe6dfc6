package collectors

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/collectors/inventory"
)

// gathered is a Sink that remembers.
type gathered struct {
	mu      sync.Mutex
	samples []Sample
}

func (g *gathered) Put(samples []Sample) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.samples = append(g.samples, samples...)
}

// take returns what has come of one metric since the last take, and forgets everything.
func (g *gathered) take(m Metric) []Sample {
	g.mu.Lock()
	defer g.mu.Unlock()
	var of []Sample
	for _, s := range g.samples {
		if s.Series.Metric == m {
			of = append(of, s)
		}
	}
	g.samples = nil
	return of
}

func values(samples []Sample) []float64 {
	list := []float64{}
	for _, s := range samples {
		list = append(list, s.Value)
	}
	return list
}

func twoServers(t *testing.T, names ...string) *inventory.Inventory {
	t.Helper()
	spec := inventory.Spec{Services: []inventory.Service{{Name: "sbc", Servers: names, AtLeast: 2}}}
	for _, n := range append(names, "alone") {
		spec.Servers = append(spec.Servers, inventory.Server{Name: n})
	}
	inv, err := inventory.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func upChecks(ids ...CheckID) []Check {
	var checks []Check
	for _, id := range ids {
		checks = append(checks, Check{ID: id, Every: 10 * time.Second})
	}
	return checks
}

func upSample(id CheckID, up float64) []Sample {
	return []Sample{{Series: Series{Metric: Up, Ref: id.Ref, Instance: id.Instance}, Value: up, Every: 10 * time.Second}}
}

func TestServiceHealth(t *testing.T) {
	ping1, web1 := checkID("server/s1", "ping"), checkID("server/s1", "web")
	ping2 := checkID("server/s2", "ping")
	type step struct {
		wait time.Duration
		say  []Sample
		want []float64 // of healthy_servers, told by now
	}
	steps := []step{
		{say: upSample(ping1, 1), want: []float64{}},                                               // s2 may still be heard of
		{say: upSample(ping2, 1), want: []float64{2}},                                              // now all are
		{say: upSample(checkID("server/alone", "ping"), 0), want: []float64{}},                     // of no service
		{wait: 2 * time.Second, say: upSample(web1, 0), want: []float64{}},                         // ping still answers
		{wait: 2 * time.Second, say: upSample(ping1, 0), want: []float64{1}},                       // all of s1's checks are down
		{wait: 200 * time.Millisecond, say: upSample(ping1, 1), want: []float64{}},                 // too soon
		{wait: time.Second, want: []float64{2}},                                                    // told now
		{wait: 2 * time.Second, say: append(upSample(ping1, 1), upSample(ping2, 1)...), want: nil}, // no change
		{wait: 29 * time.Second, say: append(upSample(ping1, 1), upSample(ping2, 1)...), want: []float64{2}},
		{wait: 25 * time.Second, say: upSample(ping1, 1), want: []float64{}},
		{wait: 7 * time.Second, want: []float64{2, 1}}, // repeated, and then s2 has been silent for more than three periods
	}
	synctest.Test(t, func(t *testing.T) {
		sink := &gathered{}
		h := NewServiceHealth(sink, twoServers(t, "s1", "s2"), upChecks(ping1, web1, ping2), nil)
		ctx, cancel := context.WithCancel(t.Context())
		go h.Run(ctx)
		for i, s := range steps {
			time.Sleep(s.wait) // the bubble's clock: takes no time
			if s.say != nil {
				h.Put(s.say)
			}
			synctest.Wait()
			got := values(sink.take(HealthyServers))
			if s.want == nil {
				s.want = []float64{}
			}
			if diff := cmp.Diff(s.want, got); diff != "" {
				t.Errorf("step %d (-want +got):\n%s", i, diff)
			}
		}
		cancel()
		synctest.Wait()
	})
}

func TestServiceHealthAfterARestart(t *testing.T) {
	ping1, ping2 := checkID("server/s1", "ping"), checkID("server/s2", "ping")
	synctest.Test(t, func(t *testing.T) {
		sink := &gathered{}
		h := NewServiceHealth(sink, twoServers(t, "s1", "s2"), upChecks(ping1, ping2), nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go h.Run(ctx)
		for range 3 {
			time.Sleep(9900 * time.Millisecond)
			h.Put(upSample(ping1, 1))
		}
		if got := sink.take(HealthyServers); len(got) != 0 {
			t.Errorf("told %v while s2 could still come", values(got))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got := sink.take(HealthyServers)
		if !cmp.Equal(values(got), []float64{1}) {
			t.Fatalf("after three periods without s2: %v", values(got))
		}
		if why := HealthWords.Say(English, got[0].Reason); why != "1 of 2 servers healthy; not healthy: s2" {
			t.Errorf("why: %s", why)
		}
	})
}

func TestServiceHealthSwap(t *testing.T) {
	ping1, ping2, ping3 := checkID("server/s1", "ping"), checkID("server/s2", "ping"), checkID("server/s3", "ping")
	synctest.Test(t, func(t *testing.T) {
		sink := &gathered{}
		h := NewServiceHealth(sink, twoServers(t, "s1", "s2"), upChecks(ping1, ping2), nil)
		h.Put(append(upSample(ping1, 1), upSample(ping2, 0)...))
		if got := values(sink.take(HealthyServers)); !cmp.Equal(got, []float64{1}) {
			t.Fatalf("before: %v", got)
		}
		h.Swap(twoServers(t, "s1", "s3"), upChecks(ping1, ping3))
		time.Sleep(2 * time.Second)
		h.Put(upSample(ping2, 1)) // no longer of the service
		if got := values(sink.take(HealthyServers)); len(got) != 0 {
			t.Errorf("told %v before s3 was heard of", got)
		}
		h.Put(upSample(ping3, 1)) // s1 is remembered
		if got := values(sink.take(HealthyServers)); !cmp.Equal(got, []float64{2}) {
			t.Errorf("after: %v", got)
		}
	})
}

// TestDestinationHealth: a destination counts its trunks like a service its servers; what nothing checks counts as working, and a destination of which
// nothing is checked is not told.
func TestDestinationHealth(t *testing.T) {
	inv, err := inventory.New(inventory.Spec{
		Sites:  []inventory.Site{{Name: "here"}},
		Trunks: []inventory.Trunk{{Name: "a", Site: "here"}, {Name: "b", Site: "here"}, {Name: "blind", Site: "here"}},
		Destinations: []inventory.Destination{
			{Name: "Guatemala", Prefixes: []string{"+502"}, Trunks: []string{"a", "b", "blind"}, AtLeast: 2},
			{Name: "Panama", Prefixes: []string{"+507"}, Trunks: []string{"blind"}, AtLeast: 1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, b := checkID("trunk/a", "sip"), checkID("trunk/b", "sip")
	sink := &gathered{}
	now := time.Unix(1_700_000_000, 0)
	h := NewServiceHealth(sink, inv, upChecks(a, b), func() time.Time { return now })
	for i, step := range []struct {
		say  []Sample
		want []float64
		why  string
	}{
		{upSample(a, 1), []float64{}, ""}, // b may still come
		{upSample(b, 1), []float64{3}, "all 3 trunks work"},
		{upSample(b, 0), []float64{2}, "2 of 3 trunks work; these do not: b"},
		{upSample(a, 0), []float64{1}, "1 of 3 trunks work; these do not: a, b"},
	} {
		now = now.Add(2 * time.Second)
		h.Put(step.say)
		got := sink.take(WorkingTrunks)
		if diff := cmp.Diff(step.want, values(got)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
			continue
		}
		for _, s := range got {
			if s.Series.Ref.String() != "destination/Guatemala" || HealthWords.Say(English, s.Reason) != step.why {
				t.Errorf("step %d: %s: %s, want %s", i, s.Series.Ref, HealthWords.Say(English, s.Reason), step.why)
			}
		}
	}
}
