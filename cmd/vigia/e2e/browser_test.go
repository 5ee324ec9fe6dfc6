package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserConfig is an operator of one site in which everything listens on a gate of the test: links, servers, a trunk. Levels are in seconds.
const browserConfig = `listen: %[1]s
store: sqlite:%[2]s/vigia.db
brand: {name: Example Telecom}
sites: [{name: san-jose, timezone: America/Costa_Rica}, {name: miami, timezone: America/New_York}]
links:
  - {name: sjo-mia, site: san-jose, peer: miami, capacity: 1Gbps, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
  - {name: sjo-gua, site: san-jose, peer: Guatemala, checks: [{kind: tcp, address: "%[4]s", every: 1s, timeout: 500ms}]}
servers:
  - {name: sbc-1, site: san-jose, checks: [{kind: tcp, address: "%[5]s", every: 1s, timeout: 500ms}]}
  - {name: sbc-2, site: san-jose, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
services:
  - {name: sbc, servers: [sbc-1, sbc-2], at_least: 2}
trunks:
  - {name: carrier-a, site: miami, via: [link/sjo-mia], checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
thresholds:
  - {metric: up, on: "link/*", tiers: [{severity: critical, raise: 0, clear: 1, for: 1s, clear_for: 1s}], policy: noc}
  - {metric: up, on: "server/*", tiers: [{severity: major, raise: 0, clear: 1, for: 1s, clear_for: 1s}], policy: noc}
policies:
  - name: noc
    levels:
      - {name: NOC L1, after: 0s, notify: [chat], repeat: 60m}
      - {name: NOC L2, after: 10m, notify: [chat]}
receivers:
  - {name: chat, kind: webhook, url: "%[6]s/chat"}
`

// operator is a running vigia with the gates that it probes.
type operator struct {
	*process
	listen, file         string
	well, guatemala, sbc *gate
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{listen: freeAddress(t), well: newGate(t), guatemala: newGate(t), sbc: newGate(t)}
	dir := t.TempDir()
	o.file = filepath.Join(dir, "vigia.yaml")
	text := fmt.Appendf(nil, browserConfig, o.listen, dir, o.well.addr, o.guatemala.addr, o.sbc.addr, newHook(t).url)
	if err := os.WriteFile(o.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	o.process = start(t, o.listen, "run", "-c", o.file)
	measured := func() bool {
		var latest struct{ Values []any }
		return o.getJSON("/api/v1/latest?ref=link/sjo-mia", &latest) == nil && len(latest.Values) > 0
	}
	if !eventually(20*time.Second, measured) {
		t.Fatalf("nothing was measured\n%s", o.output)
	}
	return o
}

// live is how many incidents people have to work on.
func (o *operator) live(state string) int {
	var list struct {
		Incidents []incidentView `json:"incidents"`
	}
	if err := o.getJSON("/api/v1/incidents?state="+state, &list); err != nil {
		return -1
	}
	return len(list.Incidents)
}

func (o *operator) wantLive(state string, n int) {
	o.t.Helper()
	if !eventually(20*time.Second, func() bool { return o.live(state) == n }) {
		o.t.Fatalf("%d incidents %s, want %d\n%s", o.live(state), state, n, o.output)
	}
}

// tab is one page of a real browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu     sync.Mutex
	errors []string
}

// browser finds Chromium; without it the test is skipped, or fails when everything is enabled.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("VIGIA_CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	needs(t, false, "Chromium", "install it (Debian: apt-get install chromium), or name it in VIGIA_CHROMIUM")
	return ""
}

// openTab starts a browser of its own and listens to what its console says.
func openTab(t *testing.T, base string, width, height int64) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter"), chromedp.WSURLReadTimeout(time.Minute))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	b := &tab{t: t, ctx: ctx, base: base}
	t.Cleanup(func() { closeTab(); stop() })
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil { // the browser lives as long as the context of its first step
		t.Fatalf("start the browser: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.IsException() {
				b.mu.Lock()
				b.errors = append(b.errors, m.String())
				b.mu.Unlock()
			}
		}
	}()
	return b
}

// complaints are the errors of the console since the last call; violations of the content security policy are among them.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.errors
	b.errors = nil
	return out
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// eval runs JavaScript and decodes what it yields; a promise is awaited.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("Promise.resolve("+script+").then((v) => JSON.stringify(v ?? null))", chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		b.t.Fatalf("%s yields %s: %v", script, text, err)
	}
	return v
}

// until waits for a condition in the page.
func (b *tab) until(within time.Duration, condition string) {
	b.t.Helper()
	if !eventually(within, func() bool { return eval[bool](b, "Boolean("+condition+")") }) {
		page := eval[string](b, "document.querySelector('main')?.innerText ?? document.body.innerText")
		b.t.Fatalf("within %s it did not come true: %s\nthe page says:\n%s\nthe console says: %s", within, condition, page, strings.Join(b.complaints(), "\n"))
	}
}

// keys presses one key after the other.
func (b *tab) keys(text string, modifiers ...chromedp.Modifier) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text, chromedp.KeyModifiers(modifiers...)))
}

// cookies sets what the settings page would, in a page of ours.
func (b *tab) cookies(pairs ...string) {
	b.t.Helper()
	for _, p := range pairs {
		eval[string](b, fmt.Sprintf("(document.cookie = %q)", p+"; path=/"))
	}
}

// center is the middle of an element in the window.
func (b *tab) center(selector string) (x, y float64) {
	b.t.Helper()
	at := eval[[]float64](b, fmt.Sprintf("(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()", selector))
	return at[0], at[1]
}
