package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// testWorld is a small operator on a real store with the real engine, and the server that shows it.
type testWorld struct {
	t      testing.TB
	store  *store.Store
	engine *alerting.Engine
	runs   *collectors.Runs
	inv    *inventory.Inventory
	checks []collectors.Check
	rules  *alerting.Rules
	server *Server
	config Config
	asked  []inventory.Ref
}

func ref(kind inventory.Kind, name string) inventory.Ref {
	return inventory.Ref{Kind: kind, Name: name}
}

// testSpec has two sites, a link that everything in Guatemala depends on, names that try to break out of HTML, and a service.
func testSpec(t testing.TB) inventory.Spec {
	t.Helper()
	zone, err := time.LoadLocation("America/Costa_Rica")
	if err != nil {
		t.Fatal(err)
	}
	link := []inventory.Ref{ref(inventory.KindLink, "sjo-gua")}
	return inventory.Spec{
		Sites: []inventory.Site{{Name: "san-jose", Timezone: zone}, {Name: "guatemala", Timezone: zone}},
		Links: []inventory.Link{
			{Name: "sjo-gua", Site: "san-jose", Peer: "guatemala", Capacity: 200e6},
			{Name: "sjo-mia", Site: "san-jose", Peer: "Miami"},
			{Name: `<b onmouseover="x">`, Site: "san-jose"},
		},
		Servers: []inventory.Server{{Name: "sbc-1", Site: "san-jose"}, {Name: "sbc-2", Site: "guatemala", Parents: link}, {Name: "idle", Site: "guatemala"}},
		Services: []inventory.Service{
			{Name: "sbc", Servers: []string{"sbc-1", "sbc-2"}, AtLeast: 2},
		},
		Trunks:    []inventory.Trunk{{Name: "guatel", Site: "guatemala", Via: link}},
		Customers: []inventory.Customer{{Name: "clinica"}},
	}
}

func testRules() *alerting.Rules {
	return alerting.NewRules([]alerting.Threshold{
		{Metric: collectors.LossPct, On: "link/*", Policy: "noc", Source: "vigia.yaml:1", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 1, Clear: 0.5}, {Severity: alerting.Critical, Raise: 10, Clear: 5},
		}},
		{Metric: collectors.ResponseMS, On: "server/*", Policy: "noc", Source: "vigia.yaml:2", Tiers: []alerting.Tier{{Severity: alerting.Major, Raise: 300, Clear: 200}}},
		{Metric: collectors.LatencyMS, On: "trunk/*", Policy: "nobody", Source: "vigia.yaml:3", Tiers: []alerting.Tier{{Severity: alerting.Minor, Raise: 100, Clear: 90}}},
	})
}

// testPolicies: noc tells two levels; nobody has no level.
func testPolicies() map[string]alerting.Policy {
	return map[string]alerting.Policy{
		"noc": {Name: "noc", AckTimeout: time.Hour, Fallback: "managers", Levels: []alerting.Level{
			{Name: "NOC L1", MinSeverity: alerting.Warning, Notify: []string{"noc-hook"}, Repeat: 15 * time.Minute},
			{Name: "NOC L2", After: 15 * time.Minute, MinSeverity: alerting.Major, Notify: []string{"noc-hook", "l2-mail"}},
		}},
		"nobody": {Name: "nobody"},
	}
}

func newTestWorld(t testing.TB, change ...func(*Config)) *testWorld {
	t.Helper()
	inv, err := inventory.New(testSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	return startWorld(t, inv, change...)
}

func startWorld(t testing.TB, inv *inventory.Inventory, change ...func(*Config)) *testWorld {
	t.Helper()
	w := &testWorld{t: t, inv: inv, runs: collectors.NewRuns(0, 0), rules: testRules()}
	w.store = storetest.Open(t)
	for _, r := range inv.Refs() {
		if r.Kind != inventory.KindSite && r.Kind != inventory.KindService && r.Name != "idle" {
			w.checks = append(w.checks, collectors.Check{ID: collectors.CheckID{Ref: r, Instance: "ping"}, Kind: "ping", Target: "192.0.2.1", Every: 10 * time.Second})
		}
	}
	w.run()
	w.config = Config{
		Store: w.store, Inventory: func() *inventory.Inventory { return w.inv }, Checks: func() []collectors.Check { return w.checks }, Runs: w.runs,
		Rules: func() *alerting.Rules { return w.rules }, Policies: testPolicies, Words: testWords(), Brand: "Istmo Voz", Version: "test",
		Receivers: func() []alerting.Receiver {
			return []alerting.Receiver{{Name: "noc-hook", Kind: "webhook", Language: "en"}}
		},
		Health: func() Health {
			return Health{Started: time.Now().Add(-time.Hour), Engine: w.engine.Stats(), Scheduler: collectors.SchedulerStats{Checks: 5, PerMinute: 30}}
		},
		CheckNow: func(r inventory.Ref) bool {
			w.asked = append(w.asked, r)
			return r.Name != "idle"
		},
		PublicURL: "https://noc.example.com/",
	}
	for _, c := range change {
		c(&w.config)
	}
	server, err := New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	return w
}

// testWords is the catalogue as cmd joins it, without the kinds' own words.
func testWords() collectors.Words {
	all := collectors.Words{}
	for _, part := range []collectors.Words{collectors.MetricWords, collectors.HealthWords, alerting.EngineWords, Words} {
		for code, text := range part {
			all[code] = text
		}
	}
	return all
}

// run starts the engine on the store until the test ends.
func (w *testWorld) run() {
	ctx, cancel := context.WithCancel(context.Background())
	w.engine = alerting.NewEngine(alerting.EngineConfig{
		Journal: w.store, Commands: w.store, Config: &alerting.Config{Inventory: w.inv, Rules: w.rules, Policies: testPolicies(), DefaultPolicy: "noc", Schedule: testSchedule()},
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.engine.Run(ctx); err != nil && ctx.Err() == nil {
			w.t.Error(err)
		}
	})
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.store.CommandsPosted():
				w.engine.CommandsPosted()
			}
		}
	})
	w.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// put measures something now, in store and engine.
func (w *testWorld) put(metric collectors.Metric, r inventory.Ref, value float64) {
	sample := collectors.Sample{
		Series: collectors.Series{Metric: metric, Ref: r, Instance: "ping"}, At: time.Now().UTC(), Value: value, Every: 10 * time.Second,
		Reason: collectors.Because("service.healthy", value),
	}
	w.store.Put([]collectors.Sample{sample})
	w.engine.Put([]collectors.Sample{sample})
}

// await waits for the store to hold what is asked for.
func (w *testWorld) await(what string, holds func() bool) {
	w.t.Helper()
	ticks, stop := w.store.Subscribe()
	defer stop()
	deadline := time.After(10 * time.Second)
	for !holds() {
		select {
		case <-ticks:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			w.t.Fatalf("waited for %s in vain", what)
		}
	}
}

func (w *testWorld) live() []alerting.Incident {
	w.t.Helper()
	yes := true
	list, err := w.store.Incidents(w.t.Context(), store.Everything(), store.IncidentFilter{Live: &yes})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// trouble makes the link lose packets, badly; it returns the incident.
func (w *testWorld) trouble() alerting.Incident {
	w.t.Helper()
	for _, r := range []string{"sjo-mia"} {
		w.put(collectors.LossPct, ref(inventory.KindLink, r), 0)
		w.put(collectors.LatencyMS, ref(inventory.KindLink, r), 48.2)
	}
	w.put(collectors.ResponseMS, ref(inventory.KindServer, "sbc-1"), 31)
	w.put(collectors.LossPct, ref(inventory.KindLink, "sjo-gua"), 11.2)
	w.await("an incident", func() bool { return len(w.live()) == 1 })
	return w.live()[0]
}

// answer is a page as a browser would get it.
type answer struct {
	*http.Response
	body string
	doc  *html.Node
}

// ask sends a request as the built-in operator; change may alter it.
func (w *testWorld) ask(method, path string, form url.Values, change ...func(*http.Request)) answer {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "http://127.0.0.1:8080"+path, body)
	r.RemoteAddr = "127.0.0.1:50000"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(rec, r)
	a := answer{Response: rec.Result(), body: rec.Body.String()}
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		w.t.Fatal(err)
	}
	a.doc = doc
	return a
}

func (w *testWorld) get(path string, change ...func(*http.Request)) answer {
	w.t.Helper()
	return w.ask("GET", path, nil, change...)
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

var spanish = header("Accept-Language", "es-CR,es;q=0.9")

// find returns the first element for which all attributes match; "tag" is its name and a value that ends in * is a prefix.
func (a answer) find(attrs ...string) *html.Node {
	var found *html.Node
	walk(a.doc, func(n *html.Node) {
		if found == nil && matches(n, attrs) {
			found = n
		}
	})
	return found
}

func matches(n *html.Node, attrs []string) bool {
	if n.Type != html.ElementNode {
		return false
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		have, ok := attr(n, attrs[i])
		if attrs[i] == "tag" {
			have, ok = n.Data, true
		}
		want, prefix := strings.CutSuffix(attrs[i+1], "*")
		if !ok || prefix && !strings.HasPrefix(have, want) || !prefix && have != want {
			return false
		}
	}
	return true
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func walk(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

// text is the words of an element, with single spaces.
func text(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	walk(n, func(c *html.Node) {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

func at(format string, args ...any) string { return fmt.Sprintf(format, args...) }
