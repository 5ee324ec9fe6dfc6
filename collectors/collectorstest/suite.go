package collectorstest

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Suite is one kind with the targets that it is tried on. Each function is called in a subtest of its own and must register what it
// started with t.Cleanup.
type Suite struct {
	Kind collectors.Kind
	// Healthy starts a target that answers well.
	Healthy func(t *testing.T) collectors.CheckConfig
	// Silent starts a target that takes what it is sent and never answers.
	Silent func(t *testing.T) collectors.CheckConfig
	// Garbage starts a target that answers these bytes. Nil when the kind's answers cannot be chosen.
	Garbage func(t *testing.T, answer []byte) collectors.CheckConfig
	// Answers are the bytes for Garbage.
	Answers [][]byte
	// Secrets are all the secrets that the configurations above hold.
	Secrets []string
	// Deadline is how long one run may take on a silent or a garbled target; default 500 ms.
	Deadline time.Duration
	// Grace is how much longer than its deadline, or after its cancellation, a run may take on a loaded machine; default 400 ms.
	Grace time.Duration
}

const (
	defaultDeadline = 500 * time.Millisecond
	defaultGrace    = 400 * time.Millisecond
	healthyDeadline = 10 * time.Second // generous: a healthy target answers long before
	cancelAfter     = 60 * time.Millisecond
	atOnce          = 8 // collectors that probe together
)

// Run tries the kind. It must not run in parallel with other tests: it counts goroutines.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.Deadline == 0 {
		s.Deadline = defaultDeadline
	}
	if s.Grace == 0 {
		s.Grace = defaultGrace
	}
	s.step(t, "itself", s.itself)
	s.step(t, "healthy", s.healthy)
	s.step(t, "at once", s.together)
	s.step(t, "deadline", s.deadline)
	s.step(t, "already over", s.alreadyOver)
	s.step(t, "cancel", s.cancel)
	if s.Garbage != nil {
		s.step(t, "garbage", s.garbage)
	}
}

// step runs one part and looks for goroutines that it left behind, after its targets have been cleaned up.
func (s Suite) step(t *testing.T, name string, part func(*testing.T)) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Run(name, part)
	if err := goleak.Find(before); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// open checks the configuration, opens its collector, and closes it when the test ends.
func (s Suite) open(t *testing.T, config collectors.CheckConfig, timeout time.Duration) collectors.Collector {
	t.Helper()
	for _, p := range config.Validate() {
		t.Fatalf("the suite's own configuration is refused: %s: %s (%s)", p.Key, p.Message, p.Hint)
	}
	s.noSecret(t, "Target", config.Target())
	if config.Target() == "" {
		t.Error("Target is empty: pages need to say what is probed")
	}
	c, err := config.Open(collectors.Setup{
		ID:      collectors.CheckID{Ref: inventory.Ref{Kind: inventory.KindServer, Name: "suite"}, Instance: s.Kind.Name},
		Every:   max(timeout, s.Kind.Every),
		Timeout: timeout,
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { closeCollector(t, c) })
	return c
}

func closeCollector(t *testing.T, c collectors.Collector) {
	if closer, ok := c.(collectors.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// probe runs once under a deadline, fails the test when the run is too long, and examines the result.
func (s Suite) probe(t *testing.T, c collectors.Collector, deadline time.Duration) collectors.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	result, took := timed(t, ctx, c, deadline+s.Grace)
	if took > deadline+s.Grace {
		t.Errorf("took %v, its deadline was %v", took, deadline)
	}
	s.examine(t, result)
	return result
}

// timed runs one probe and gives up on it after a while, so that a hanging collector fails its test and not the whole run.
func timed(t *testing.T, ctx context.Context, c collectors.Collector, longest time.Duration) (collectors.Result, time.Duration) {
	t.Helper()
	start := time.Now()
	done := make(chan collectors.Result, 1)
	go func() { done <- c.Probe(ctx) }()
	select {
	case r := <-done:
		return r, time.Since(start)
	case <-time.After(longest + 5*time.Second):
		t.Fatalf("still running %v after its start", time.Since(start).Round(time.Millisecond))
		return collectors.Result{}, 0
	}
}

func (s Suite) healthy(t *testing.T) {
	c := s.open(t, s.Healthy(t), healthyDeadline)
	for i := range 2 {
		r := s.probe(t, c, healthyDeadline)
		if !r.OK {
			t.Errorf("run %d of a healthy target is not OK: %s", i+1, s.Kind.Words.Say(collectors.English, r.Why))
		}
		if len(r.Values) == 0 {
			t.Errorf("run %d of a healthy target measured nothing", i+1)
		}
		if r.OK && upOf(r) == 0 {
			t.Errorf("run %d is OK although up is 0", i+1)
		}
	}
}

func upOf(r collectors.Result) float64 {
	i := slices.IndexFunc(r.Values, func(v collectors.Value) bool { return v.Metric == collectors.Up })
	if i < 0 {
		return 1
	}
	return r.Values[i].Value
}

func (s Suite) together(t *testing.T) {
	var group sync.WaitGroup
	config := s.Healthy(t)
	for range atOnce {
		c := s.open(t, config, healthyDeadline)
		group.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), healthyDeadline)
			defer cancel()
			if r := c.Probe(ctx); !r.OK {
				t.Errorf("one of %d at once is not OK: %s", atOnce, s.Kind.Words.Say(collectors.English, r.Why))
			}
		})
	}
	group.Wait()
}

func (s Suite) deadline(t *testing.T) {
	c := s.open(t, s.Silent(t), s.Deadline)
	for range 2 {
		if r := s.probe(t, c, s.Deadline); r.OK {
			t.Error("a target that never answers is OK")
		}
	}
}

// alreadyOver gives a context that has ended before the run: the queue was long.
func (s Suite) alreadyOver(t *testing.T) {
	c := s.open(t, s.Silent(t), s.Deadline)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, took := timed(t, ctx, c, s.Grace)
	if took > s.Grace {
		t.Errorf("took %v although the context had ended before", took)
	}
	if r.OK {
		t.Error("a run that could not begin is OK")
	}
	s.examine(t, r)
}

func (s Suite) cancel(t *testing.T) {
	c := s.open(t, s.Silent(t), healthyDeadline)
	ctx, cancel := context.WithTimeout(t.Context(), healthyDeadline)
	defer cancel()
	timer := time.AfterFunc(cancelAfter, cancel)
	defer timer.Stop()
	r, took := timed(t, ctx, c, healthyDeadline)
	if took > cancelAfter+s.Grace {
		t.Errorf("took %v, was cancelled after %v", took, cancelAfter)
	}
	if r.OK {
		t.Error("a cancelled run is OK")
	}
	s.examine(t, r)
}

func (s Suite) garbage(t *testing.T) {
	if len(s.Answers) == 0 {
		t.Error("Garbage without Answers tries nothing")
	}
	for _, answer := range s.Answers {
		t.Run(printable(answer), func(t *testing.T) {
			c := s.open(t, s.Garbage(t, answer), s.Deadline)
			s.probe(t, c, s.Deadline)
		})
	}
}

// printable is a short name for bytes.
func printable(b []byte) string {
	const longest = 24
	name := make([]byte, 0, longest)
	for _, c := range b[:min(len(b), longest)] {
		if c < '!' || c > '~' || c == '/' {
			c = '.'
		}
		name = append(name, c)
	}
	if len(name) == 0 {
		return "nothing"
	}
	return string(name)
}

// All reports whether everything must be there: VIGIA_TEST_ALL=1. Then a missing peer or capability is a failure, not a skip.
func All() bool { return os.Getenv("VIGIA_TEST_ALL") == "1" }

// Missing skips the test and says what is missing and how to provide it; when everything must be there it fails instead.
func Missing(t testing.TB, what, how string) {
	t.Helper()
	if All() {
		t.Fatalf("%s is missing, and VIGIA_TEST_ALL=1 asks for everything: %s", what, how)
	}
	t.Skipf("%s is missing: %s", what, how)
}

// Outside skips a test of what lies outside the repository for its licence's sake, such as recordings that nobody here made: continuous
// integration takes it where it is, and does not fail where it is not.
func Outside(t testing.TB, what, how string) {
	t.Helper()
	t.Skipf("outside the repository: %s is not here: %s", what, how)
}
