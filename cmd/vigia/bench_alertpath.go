package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors"
)

// BenchAlertpathCmd is `vigia bench alertpath`. Its first half is the same work that tools/peers/alertpath gives to Prometheus,
// blackbox_exporter and Alertmanager: TCP targets on loopback that close, and open again, spread evenly over one interval. Its second half
// feeds many series through the scheduler and measures from a probe's result to the POST.
type BenchAlertpathCmd struct {
	Targets  int           `help:"Targets that fail." default:"40"`
	Interval time.Duration `help:"Probe interval of the targets." default:"10s"`
	Series   int           `help:"Series that are fed in the second half; 0 leaves it out." default:"10000"`
	Flips    int           `help:"Failures in the second half." default:"200"`
	Every    time.Duration `help:"Probe interval of the second half." default:"10s"`
}

// alertpathFigures is what it prints.
type alertpathFigures struct {
	Failure      []float64 `json:"failure_s"`
	Recovery     []float64 `json:"recovery_s"`
	FailureSum   spread    `json:"failure"`
	RecoverySum  spread    `json:"recovery"`
	Series       int       `json:"series,omitempty"`
	ResultToPost spread    `json:"result_to_post"`
}

// Run measures and prints.
func (c *BenchAlertpathCmd) Run(ctx context.Context, bench *BenchCmd, k *kong.Context) error {
	var f alertpathFigures
	if err := c.live(ctx, &f); err != nil {
		return err
	}
	if c.Series > 0 {
		if err := c.fed(ctx, &f, bench.Seed); err != nil {
			return err
		}
	}
	if bench.JSON {
		return printJSON(k.Stdout, f)
	}
	f.FailureSum.print(k.Stdout, "failure of a target → webhook")
	f.RecoverySum.print(k.Stdout, "recovery of a target → webhook")
	if c.Series > 0 {
		f.ResultToPost.print(k.Stdout, fmt.Sprintf("probe's result → POST, %d series", f.Series))
	}
	return nil
}

// benchHook is a webhook receiver that notes when it first hears of each object's incident and of its end.
type benchHook struct {
	listener net.Listener
	server   *http.Server
	mu       sync.Mutex
	opened   map[string]time.Time
	resolved map[string]time.Time
}

func newBenchHook() (*benchHook, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &benchHook{listener: l}
	h.forget()
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	go h.server.Serve(l) //nolint:errcheck // ends when it is closed
	return h, nil
}

func (h *benchHook) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opened, h.resolved = map[string]time.Time{}, map[string]time.Time{}
}

// benchPost is what the bench reads of a webhook: one message, or a digest of several.
type benchPost struct {
	Ref    string      `json:"ref"`
	Cause  string      `json:"cause"`
	Digest []benchPost `json:"digest"`
}

// ServeHTTP takes a POST.
func (h *benchHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var p benchPost
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<20)).Decode(&p); err != nil {
		http.Error(w, "wants JSON", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range append(p.Digest, p) {
		switch m.Cause {
		case "opened":
			note(h.opened, m.Ref, now)
		case "resolved":
			note(h.resolved, m.Ref, now)
		}
	}
}

func note(times map[string]time.Time, ref string, at time.Time) {
	if _, known := times[ref]; !known && ref != "" {
		times[ref] = at
	}
}

// delays pairs what happened with when it was heard of.
func (h *benchHook) delays(happened map[string]time.Time, heard func(*benchHook) map[string]time.Time) ([]float64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []float64
	for ref, at := range happened {
		told, ok := heard(h)[ref]
		if !ok {
			return nil, fmt.Errorf("the webhook never heard of %s", ref)
		}
		out = append(out, told.Sub(at).Seconds())
	}
	return out, nil
}

func heardOpened(h *benchHook) map[string]time.Time   { return h.opened }
func heardResolved(h *benchHook) map[string]time.Time { return h.resolved }

// live fails and recovers real targets that the tcp collector probes.
func (c *BenchAlertpathCmd) live(ctx context.Context, f *alertpathFigures) error {
	var links strings.Builder
	ports := map[string]*demoPort{}
	for i := range c.Targets {
		p, err := newDemoPort("127.0.0.1")
		if err != nil {
			return err
		}
		defer p.close() //nolint:errcheck // it goes with the process
		name := fmt.Sprintf("target-%03d", i)
		ports["link/"+name] = p
		fmt.Fprintf(&links, "  - {name: %s, site: here, peer: there, checks: [{kind: tcp, address: \"%s\", every: %s, timeout: %s}]}\n", name, p.addr(), c.Interval, min(c.Interval, 5*time.Second))
	}
	return benchApp(ctx, links.String(), kinds(), func(ctx context.Context, hook *benchHook) error {
		wait(ctx, 2*c.Interval)
		failed := c.each(ctx, ports, demoSilent)
		wait(ctx, c.Interval+3*time.Second)
		recovered := c.each(ctx, ports, demoWell)
		wait(ctx, c.Interval+3*time.Second)
		var err error
		if f.Failure, err = hook.delays(failed, heardOpened); err != nil {
			return err
		}
		if f.Recovery, err = hook.delays(recovered, heardResolved); err != nil {
			return err
		}
		f.FailureSum, f.RecoverySum = spreadOf(f.Failure), spreadOf(f.Recovery)
		return nil
	})
}

// each makes every port silent or well, spread evenly over one interval, and says when.
func (c *BenchAlertpathCmd) each(ctx context.Context, ports map[string]*demoPort, health demoHealth) map[string]time.Time {
	at := map[string]time.Time{}
	for ref, p := range ports {
		at[ref] = time.Now()
		if err := p.set(health); err != nil {
			delete(at, ref)
		}
		wait(ctx, c.Interval/time.Duration(len(ports)))
	}
	return at
}

// fedProbe is a collector that answers from memory and notes when it gave a changed result.
type fedProbe struct {
	ref  string
	feed *feed
}

// feed is what the fed probes answer.
type feed struct {
	mu     sync.Mutex
	down   map[string]bool
	given  map[string]time.Time // when a probe first said that it is down
	random *rand.Rand
}

// Probe answers at once.
func (p *fedProbe) Probe(context.Context) collectors.Result {
	p.feed.mu.Lock()
	defer p.feed.mu.Unlock()
	up := 1.0
	if p.feed.down[p.ref] {
		up = 0
		note(p.feed.given, p.ref, time.Now())
	}
	return collectors.Result{
		OK:     up == 1,
		Values: []collectors.Value{{Metric: collectors.Up, Value: up}, {Metric: collectors.LatencyMS, Value: 10 + p.feed.random.Float64()}},
		Why:    collectors.Because("bench.fed"),
	}
}

// fedConfig is the configuration of the kind of check that the bench feeds.
type fedConfig struct {
	Host string `yaml:"host"`
	feed *feed
}

// Validate finds nothing wrong.
func (c *fedConfig) Validate() []collectors.Problem { return nil }

// Target is the name that was given.
func (c *fedConfig) Target() string { return c.Host }

// Open makes the collector.
func (c *fedConfig) Open(s collectors.Setup) (collectors.Collector, error) {
	return &fedProbe{ref: s.ID.Ref.String(), feed: c.feed}, nil
}

// fed runs many series through the scheduler, makes some fail at random moments, and measures from the probe's result to the POST.
func (c *BenchAlertpathCmd) fed(ctx context.Context, f *alertpathFigures, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 1))
	feed := &feed{down: map[string]bool{}, given: map[string]time.Time{}, random: random}
	own := kinds()
	own.Checks = append(own.Checks, collectors.Kind{
		Name: "fed", New: func() collectors.CheckConfig { return &fedConfig{feed: feed} },
		Metrics: []collectors.Metric{collectors.Up, collectors.LatencyMS}, Every: c.Every, Timeout: time.Second,
	})
	checks := c.Series / 2 // each gives two series
	var links strings.Builder
	for i := range checks {
		fmt.Fprintf(&links, "  - {name: fed-%05d, site: here, peer: there, checks: [{kind: fed, host: x, every: %s}]}\n", i, c.Every)
	}
	f.Series = 2 * checks
	return benchApp(ctx, links.String(), own, func(ctx context.Context, hook *benchHook) error {
		wait(ctx, c.Every+2*time.Second)
		for _, i := range random.Perm(checks)[:min(c.Flips, checks)] {
			feed.mu.Lock()
			feed.down[fmt.Sprintf("link/fed-%05d", i)] = true
			feed.mu.Unlock()
			wait(ctx, time.Duration(random.Int64N(int64(200*time.Millisecond))))
		}
		wait(ctx, c.Every+3*time.Second)
		feed.mu.Lock()
		defer feed.mu.Unlock()
		delays, err := hook.delays(feed.given, heardOpened)
		if err != nil {
			return err
		}
		f.ResultToPost = spreadOf(delays)
		return nil
	})
}

// benchApp runs the whole product in this process on a fresh SQLite store with a webhook of its own, and hands over once it is ready.
func benchApp(ctx context.Context, links string, k Kinds, measure func(context.Context, *benchHook) error) error {
	dir, err := os.MkdirTemp("", "vigia-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary folder harms nobody
	hook, err := newBenchHook()
	if err != nil {
		return err
	}
	defer hook.server.Close() //nolint:errcheck // it goes with the process
	text := fmt.Sprintf(`listen: 127.0.0.1:0
store: sqlite:%s
sites: [{name: here}]
links:
%sthresholds:
  - {metric: up, on: link/*, tiers: [{severity: critical, raise: 0, clear: 1}], policy: bench}
policies:
  - {name: bench, levels: [{name: L1, after: 0s, notify: [hook]}]}
receivers:
  - {name: hook, kind: webhook, url: "http://%s/"}
`, filepath.Join(dir, "vigia.db"), links, hook.listener.Addr())
	file := filepath.Join(dir, "vigia.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	return withApp(ctx, file, k, slog.New(slog.DiscardHandler), func(ctx context.Context) error { return measure(ctx, hook) })
}
