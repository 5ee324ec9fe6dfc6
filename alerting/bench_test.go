package alerting

import (
	"fmt"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

func benchConfig() *Config {
	return &Config{
		Rules: NewRules([]Threshold{
			{Metric: collectors.LossPct, On: "link/*", Source: "bench", Tiers: []Tier{
				{Severity: Warning, Raise: 1, Clear: 0.5, For: 2 * time.Minute}, {Severity: Critical, Raise: 10, Clear: 5, For: 30 * time.Second},
			}, NoData: &NoData{After: 2 * time.Minute, Severity: Major}},
		}),
		Policies: map[string]Policy{"default": {Name: "default", Levels: []Level{{Name: "L1", Notify: []string{"a"}, MinSeverity: Warning}}}},
	}
}

func benchSamples(n int, at time.Time) []collectors.Sample {
	samples := make([]collectors.Sample, n)
	for i := range samples {
		samples[i] = collectors.Sample{At: at, Value: 0.1, Every: 10 * time.Second, Series: collectors.Series{
			Metric: collectors.LossPct, Ref: inventory.Ref{Kind: inventory.KindLink, Name: fmt.Sprintf("link-%05d", i)}, Instance: "ping",
		}}
	}
	return samples
}

var benchStart = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// BenchmarkCheck is one threshold check of one known, calm series as Plan makes it: look up, order, two tiers.
func BenchmarkCheck(b *testing.B) {
	cfg := benchConfig()
	st := NewState(Snapshot{})
	in := Input{Samples: benchSamples(1000, benchStart), Reloaded: true}
	st.Adopt(Plan(st, cfg, in, benchStart))
	now := benchStart.Add(10 * time.Second)
	in = Input{Samples: benchSamples(1000, now)}
	st.plan++
	p := planner{st: st, cfg: cfg, in: &in, now: now, n: st.plan, future: now.Add(FutureLimit), past: now.Add(-PastLimit)}
	p.out.seen = make([]*track, 0, 1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%1000 == 0 {
			st.plan++
			p.n, p.out.seen = st.plan, p.out.seen[:0]
		}
		p.sample(i % 1000)
	}
	if len(p.works) > 0 {
		b.Fatal("a calm sample made work")
	}
}

// BenchmarkPlan10k is a whole round, plan and adopt, of 10,000 calm samples; the figure per sample is ns/op over 10,000.
func BenchmarkPlan10k(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("of %d series", n), func(b *testing.B) {
			cfg := benchConfig()
			st := NewState(Snapshot{})
			now := benchStart
			all := benchSamples(n, now)
			st.Adopt(Plan(st, cfg, Input{Samples: all, Reloaded: true}, now))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				from := i * 10_000 % n
				now = now.Add(10 * time.Second * 10_000 / time.Duration(n))
				batch := all[from : from+10_000]
				for j := range batch {
					batch[j].At = now
				}
				p := Plan(st, cfg, Input{Samples: batch}, now)
				if !p.Change.Empty() {
					b.Fatal("calm samples made a change")
				}
				st.Adopt(p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/sample")
		})
	}
}

// BenchmarkStorm is a plan that raises 10,000 alarms at once, each with its incident and its page.
func BenchmarkStorm(b *testing.B) {
	cfg := benchConfig()
	cfg.Rules = NewRules([]Threshold{{Metric: collectors.LossPct, On: "*", Tiers: []Tier{{Severity: Critical, Raise: 10, Clear: 5}}}})
	samples := benchSamples(10_000, benchStart)
	for i := range samples {
		samples[i].Value = 50
	}
	for b.Loop() {
		st := NewState(Snapshot{})
		p := Plan(st, cfg, Input{Samples: samples, Reloaded: true}, benchStart)
		if len(p.Change.Notifications) != 10_000 {
			b.Fatal(len(p.Change.Notifications))
		}
		st.Adopt(p)
	}
}

// BenchmarkTick is a tick with 10,000 live incidents of which none is due.
func BenchmarkTick(b *testing.B) {
	cfg := benchConfig()
	cfg.Rules = NewRules([]Threshold{{Metric: collectors.LossPct, On: "*", Tiers: []Tier{{Severity: Critical, Raise: 10, Clear: 5}}}})
	samples := benchSamples(10_000, benchStart)
	for i := range samples {
		samples[i].Value = 50
	}
	st := NewState(Snapshot{})
	st.Adopt(Plan(st, cfg, Input{Samples: samples, Reloaded: true}, benchStart))
	b.ReportAllocs()
	for b.Loop() {
		st.Adopt(Plan(st, cfg, Input{}, benchStart.Add(time.Second)))
	}
}

func TestCalmSampleAllocatesNothing(t *testing.T) {
	cfg := benchConfig()
	st := NewState(Snapshot{})
	now := benchStart
	samples := benchSamples(1000, now)
	st.Adopt(Plan(st, cfg, Input{Samples: samples, Reloaded: true}, now))
	got := testing.AllocsPerRun(20, func() {
		now = now.Add(10 * time.Second)
		for i := range samples {
			samples[i].At = now
		}
		st.Adopt(Plan(st, cfg, Input{Samples: samples}, now))
	})
	if got > 20 { // a few for the plan itself, none for a sample
		t.Errorf("a plan of 1,000 calm samples allocates %.0f times", got)
	}
}
