package alerting_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// journal is a Memory for several goroutines that also gives commands.
type journal struct {
	mu       sync.Mutex
	memory   *alertingtest.Memory
	commands []alerting.Command
	calls    int
}

func (j *journal) Apply(ctx context.Context, c alerting.Change) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls++
	return j.memory.Apply(ctx, c)
}

func (j *journal) PendingCommands(_ context.Context, after int64) ([]alerting.Command, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []alerting.Command
	for _, c := range j.commands {
		if c.Seq > after {
			list = append(list, c)
		}
	}
	return list, nil
}

func (j *journal) with(f func(m *alertingtest.Memory)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(j.memory)
}

// bench is an engine that runs inside a synctest bubble.
type bench struct {
	*alerting.Engine
	journal  *journal
	confirms []alerting.ConfirmRequest
	changes  int
	own      []collectors.Sample
	cancel   context.CancelFunc
	done     chan error
}

var link = inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}

func upSample(v float64) collectors.Sample {
	return collectors.Sample{Series: collectors.Series{Metric: collectors.Up, Ref: link, Instance: "ping"}, At: time.Now(), Value: v}
}

func engineConfig(wait time.Duration) *alerting.Config {
	return &alerting.Config{
		Rules: alerting.NewRules([]alerting.Threshold{
			{
				Metric: collectors.Up, On: "link/*", Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 0, Clear: 1, For: wait}},
				Confirm: &alerting.Confirm{Probes: 2, Every: time.Second},
			},
			{Metric: collectors.VigiaStoreDown, On: "*", Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 1, Clear: 0}}},
		}),
		Policies: map[string]alerting.Policy{"noc": {Name: "noc", Levels: []alerting.Level{
			{Name: "L1", Notify: []string{"a"}}, {Name: "L2", After: 3 * time.Second, Notify: []string{"b"}},
		}}},
	}
}

func start(t *testing.T, change func(*alerting.EngineConfig)) *bench {
	b := &bench{journal: &journal{memory: alertingtest.NewMemory()}, done: make(chan error, 1)}
	cfg := alerting.EngineConfig{
		Journal: b.journal, Commands: b.journal, Config: engineConfig(10 * time.Second), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Confirm:  func(c alerting.ConfirmRequest) { b.confirms = append(b.confirms, c) },
		OnChange: func(alerting.Change) { b.changes++ },
		Sink:     collectors.SinkFunc(func(s []collectors.Sample) { b.own = append(b.own, s...) }),
	}
	if change != nil {
		change(&cfg)
	}
	b.Engine = alerting.NewEngine(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	b.cancel = cancel
	go func() { b.done <- b.Run(ctx) }()
	return b
}

func (b *bench) stop(t *testing.T) {
	t.Helper()
	b.cancel()
	if err := <-b.done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

func (b *bench) told() []string {
	var keys []string
	b.journal.with(func(m *alertingtest.Memory) { keys = append(keys, m.Order...) })
	return keys
}

func wantTold(t *testing.T, b *bench, want ...string) {
	t.Helper()
	synctest.Wait()
	got := b.told()
	if len(got) != len(want) {
		t.Fatalf("told %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("told %v, want %v", got, want)
		}
	}
}

func TestEngineRaisesConfirmsAndEscalatesOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, nil)
		b.Put([]collectors.Sample{upSample(0)})
		synctest.Wait()
		if len(b.confirms) != 1 || b.confirms[0].Check.Ref != link || b.confirms[0].Probes != 2 {
			t.Fatalf("confirms: %+v", b.confirms)
		}
		time.Sleep(time.Second)
		b.Put([]collectors.Sample{upSample(0)})
		time.Sleep(time.Second)
		wantTold(t, b)
		b.Put([]collectors.Sample{upSample(0)})
		wantTold(t, b, "i1.l1.a.opened.1")
		time.Sleep(3*time.Second - time.Millisecond)
		wantTold(t, b, "i1.l1.a.opened.1")
		time.Sleep(time.Millisecond)
		wantTold(t, b, "i1.l1.a.opened.1", "i1.l2.b.escalated.2")
		if b.changes == 0 {
			t.Error("OnChange was not called")
		}
		b.stop(t)
	})
}

func TestEngineCarriesOutCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(c *alerting.EngineConfig) { c.Config = engineConfig(0); c.Config.Rules = plainUp() })
		b.Put([]collectors.Sample{upSample(0)})
		wantTold(t, b, "i1.l1.a.opened.1")
		ack := alerting.Command{ID: "x", Seq: 1, Kind: alerting.CommandAcknowledge, IncidentID: 1, Actor: "ana"}
		b.journal.mu.Lock()
		b.journal.commands = append(b.journal.commands, ack)
		b.journal.mu.Unlock()
		b.CommandsPosted()
		wantTold(t, b, "i1.l1.a.opened.1", "i1.l0.a.acknowledged.2")
		ack.ID, ack.Seq, ack.Kind = "y", 2, alerting.CommandUnacknowledge
		b.journal.mu.Lock()
		b.journal.commands = append(b.journal.commands, ack) // of another process: nobody wakes the engine
		b.journal.mu.Unlock()
		time.Sleep(time.Second)
		wantTold(t, b, "i1.l1.a.opened.1", "i1.l0.a.acknowledged.2", "i1.l1.a.ack_expired.3")
		b.stop(t)
	})
}

func plainUp() *alerting.Rules {
	return alerting.NewRules([]alerting.Threshold{
		{Metric: collectors.Up, On: "link/*", Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 0, Clear: 1}}},
		{Metric: collectors.VigiaStoreDown, On: "*", Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 1, Clear: 0}}},
	})
}

func TestEngineKeepsTheInputWhileTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(c *alerting.EngineConfig) { c.Config.Rules = plainUp(); c.Buffer = 10 })
		synctest.Wait()
		b.journal.with(func(m *alertingtest.Memory) { m.Failing = true })
		b.Put([]collectors.Sample{upSample(0)})
		for range 300 {
			time.Sleep(100 * time.Millisecond)
			b.Put([]collectors.Sample{upSample(0)})
		}
		wantTold(t, b)
		if s := b.Stats(); s.FailingSince.IsZero() || s.Failure == "" || s.Waiting > 10 {
			t.Errorf("stats while failing: %+v", s)
		}
		b.journal.mu.Lock()
		calls := b.journal.calls
		b.journal.mu.Unlock()
		if calls > 15 {
			t.Errorf("%d tries in 30 s", calls)
		}
		b.journal.with(func(m *alertingtest.Memory) { m.Failing = false })
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if s := b.Stats(); !s.FailingSince.IsZero() {
			t.Errorf("stats after healing: %+v", s)
		}
		down := 0
		for _, m := range b.own {
			if m.Series.Metric == collectors.VigiaStoreDown {
				down++
			}
		}
		if down != 2 { // once that it fails, once that it works
			t.Errorf("%d samples about the store", down)
		}
		if got := b.told(); len(got) == 0 {
			t.Error("nobody was told after the store worked again")
		}
		b.stop(t)
	})
}

func TestEngineDropsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(c *alerting.EngineConfig) { c.Buffer = 3 })
		b.Put([]collectors.Sample{upSample(1), upSample(1), upSample(1), upSample(1), upSample(1)})
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if s := b.Stats(); s.Dropped != 2 {
			t.Errorf("stats: %+v", s)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var said []float64
		for _, m := range b.own {
			if m.Series.Metric == collectors.VigiaDropped {
				said = append(said, m.Value)
			}
		}
		if !slices.Equal(said, []float64{2, 0}) {
			t.Errorf("said of dropped samples: %v", said)
		}
		b.stop(t)
	})
}

func TestEngineSeesTheClockJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var offset time.Duration
		b := start(t, func(c *alerting.EngineConfig) {
			c.Mono = func() time.Duration { return time.Since(began) }
			c.Now = func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return time.Now().Add(offset)
			}
		})
		time.Sleep(5 * time.Second)
		mu.Lock()
		offset = time.Hour
		mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		n := 0
		b.journal.with(func(m *alertingtest.Memory) {
			for _, e := range m.Events {
				if e.Kind == alerting.EventClockJump {
					n++
				}
			}
		})
		if n != 1 {
			t.Errorf("%d events about the jump, want 1", n)
		}
		b.stop(t)
	})
}

func TestEngineReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(c *alerting.EngineConfig) { c.Config.Rules = plainUp() })
		b.Put([]collectors.Sample{upSample(0)})
		wantTold(t, b, "i1.l1.a.opened.1")
		next := engineConfig(0)
		next.Rules = alerting.NewRules(nil)
		b.Reload(next)
		wantTold(t, b, "i1.l1.a.opened.1", "i1.l0.a.resolved.2")
		b.stop(t)
	})
}

func TestEngineStopsEarlyAndTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, nil)
		b.stop(t)
		b.Put([]collectors.Sample{upSample(0)}) // after the end: no block, no panic
		b.cancel()
	})
}

// deposing is the Journal of a process that has lost the right.
type deposing struct{}

func (deposing) Apply(context.Context, alerting.Change) error {
	return fmt.Errorf("apply the change: %w", alerting.ErrDeposed)
}

// TestDeposedEngineEnds: an engine whose process has lost the right plans no more, and says why.
func TestDeposedEngineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, func(c *alerting.EngineConfig) { c.Journal, c.Config = deposing{}, engineConfig(0) })
		b.Put([]collectors.Sample{upSample(0)})
		if err := <-b.done; !errors.Is(err, alerting.ErrDeposed) {
			t.Errorf("Run ended with %v", err)
		}
		if s := b.Stats(); b.changes > 0 || s.Changes > 0 || s.Alarms > 0 {
			t.Errorf("it adopted what was refused: %+v", s)
		}
		b.cancel()
	})
}
