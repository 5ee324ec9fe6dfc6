package api

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/humatest"
	"github.com/go-chi/chi/v5"

	"vigia/store"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

const committed = "../../docs/openapi.json"

func TestEveryOperationDeclaresItsPolicy(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range (&server{}).operations() {
		if !op.policy.Declared() {
			t.Errorf("%s %s declares no policy", op.Method, op.Path)
		}
		if op.Method != http.MethodGet && op.policy.Role < Operator {
			t.Errorf("%s %s changes something and lets a viewer in", op.Method, op.Path)
		}
		if seen[op.OperationID] || op.Summary == "" && !op.Hidden {
			t.Errorf("%s %s has no id of its own or no summary", op.Method, op.Path)
		}
		seen[op.OperationID] = true
	}
}

// TestUndeclaredPolicyLetsNobodyIn shows that the wrapper does not depend on the test above.
func TestUndeclaredPolicyLetsNobodyIn(t *testing.T) {
	s := &server{Config: Config{Now: func() time.Time { return noon }}}
	api := s.describe(chi.NewRouter())
	for name, p := range map[string]Policy{"none": {}, "role only": {Role: Viewer}, "reach only": {Reach: Technical}, "admin": {Role: Admin, Reach: Technical}} {
		recorder := httptest.NewRecorder()
		asks := httptest.NewRequest(http.MethodGet, "/", nil)
		asks.RemoteAddr = "127.0.0.1:4000"
		let := false
		admit(api, p)(humatest.NewContext(nil, asks, recorder), func(huma.Context) { let = true })
		if let || recorder.Code != http.StatusForbidden {
			t.Errorf("%s: let in %v, status %d", name, let, recorder.Code)
		}
	}
}

func TestOnlyLoopback(t *testing.T) {
	w := newWorld(t)
	for remote, want := range map[string]int{
		"127.0.0.1:999": 200, "127.8.9.1:1": 200, "[::1]:999": 200, "[::ffff:127.0.0.1]:5": 200,
		"192.0.2.7:999": 403, "[2001:db8::1]:9": 403, "@": 403, "": 403, "localhost:9": 403,
	} {
		request := httptest.NewRequest(http.MethodGet, Prefix+"/thresholds", nil)
		request.RemoteAddr = remote
		recorder := httptest.NewRecorder()
		New(w.cfg).ServeHTTP(recorder, request)
		if recorder.Code != want {
			t.Errorf("from %q: %d, want %d", remote, recorder.Code, want)
		}
		if want == 403 && recorder.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("from %q: %s", remote, recorder.Header().Get("Content-Type"))
		}
	}
}

func TestOpenAPIDocument(t *testing.T) {
	w := newWorld(t)
	r := w.do(http.MethodGet, Prefix+"/openapi.json", "")
	w.want(r, "3.1.0", "openapi")
	if strings.Contains(r.text, "$schema") {
		t.Error("answers carry $schema")
	}
	document := pretty(t, r.text)
	if *update {
		if err := os.WriteFile(committed, document, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	was, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if string(was) != string(document) {
		t.Error("docs/openapi.json is not what the API serves; go test ./web/api -update writes it anew: read the difference first")
	}
}

func TestProblems(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"unknown path", "GET", "/api/v1/nothing", "", 404, "openapi.json"},
		{"unknown method", "DELETE", "/api/v1/alarms", "", 405, "DELETE"},
		{"unknown parameter", "GET", "/api/v1/alarms?activ=true", "", 422, "activ"},
		{"unknown parameter where there is none", "GET", "/api/v1/thresholds?metric=loss_pct", "", 422, "metric"},
		{"bad severity", "GET", "/api/v1/alarms?severity=bad", "", 422, "critical"},
		{"bad limit", "GET", "/api/v1/incidents?limit=0", "", 422, "limit"},
		{"bad time", "GET", "/api/v1/incidents?since=yesterday", "", 422, "since"},
		{"bad ref", "GET", "/api/v1/latest?ref=sjo-mia", "", 422, "link/sjo-mia"},
		{"missing ref", "GET", "/api/v1/latest", "", 422, "ref"},
		{"unknown kind", "GET", "/api/v1/inventory/router", "", 422, "server"},
		{"unknown object", "GET", "/api/v1/inventory/link/none", "", 404, "nothing of that name"},
		{"unknown runs", "GET", "/api/v1/runs?ref=link/none", "", 404, "nothing of that name"},
		{"unknown incident", "GET", "/api/v1/incidents/99", "", 404, "nothing of that name"},
		{"no number", "GET", "/api/v1/incidents/x", "", 422, "integer"},
		{"unknown series", "GET", "/api/v1/samples?ref=link/sjo-mia&metric=mos_mean", "", 404, "nothing of that name"},
		{"two series", "GET", "/api/v1/samples?ref=link/sjo-mia&metric=latency_ms", "", 422, "choose one of far, ping"},
		{"range backwards", "GET", "/api/v1/samples?ref=link/sjo-mia&metric=loss_pct&from=2026-11-23T12:00:00Z&to=2026-11-23T11:00:00Z", "", 422, "before to"},
		{"range too long", "GET", "/api/v1/samples?ref=link/sjo-mia&metric=loss_pct&from=1990-01-01T00:00:00Z", "", 422, "five years"},
		{"both ends", "POST", "/api/v1/incidents/1/acknowledge", `{"for":60,"until":"2026-11-24T00:00:00Z"}`, 422, "not both"},
		{"past end", "POST", "/api/v1/incidents/1/acknowledge", `{"until":"2026-11-22T00:00:00Z"}`, 422, "ahead"},
		{"negative for", "POST", "/api/v1/incidents/1/acknowledge", `{"for":-1}`, 422, "for"},
		{"unknown field", "POST", "/api/v1/incidents/1/acknowledge", `{"who":"me"}`, 422, "who"},
		{"no JSON", "POST", "/api/v1/incidents/1/comment", `note`, 400, ""},
		{"empty comment", "POST", "/api/v1/incidents/1/comment", `{"note":""}`, 422, "note"},
		{"acknowledge nothing", "POST", "/api/v1/incidents/99/acknowledge", `{}`, 404, "nothing of that name"},
		{"too large", "POST", "/api/v1/incidents/1/comment", `{"note":"` + strings.Repeat("x", maxBody) + `"}`, 413, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.do(c.method, c.path, c.body)
			if r.status != c.status || !strings.Contains(r.text, c.says) {
				t.Errorf("%d %s, want %d with %q", r.status, r.text, c.status, c.says)
			}
			if got := r.header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			if r.at("status") != float64(c.status) || r.at("title") == nil {
				t.Errorf("not problem details: %s", r.text)
			}
		})
	}
}

// TestOtherSitesCannotDecide is the browser's side of the matter: a page of another site that posts with the operator's browser.
func TestOtherSitesCannotDecide(t *testing.T) {
	w := newWorld(t)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.api.URL+Prefix+"/incidents/1/acknowledge", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(header[0], header[1])
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", header[0], response.StatusCode)
		}
	}
	commands, err := w.store.PendingCommands(t.Context(), 0)
	if err != nil || len(commands) != 0 {
		t.Errorf("commands %v, error %v", commands, err)
	}
}

func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	r := w.do(http.MethodGet, Prefix+"/incidents", "")
	if r.status != http.StatusServiceUnavailable || strings.Contains(r.text, "sql") {
		t.Errorf("%d %s", r.status, r.text)
	}
}

// TestScope: what is a customer's is for those who may see the customer.
func TestScope(t *testing.T) {
	w := newWorld(t)
	s := &server{Config: w.cfg}
	foreign := Caller{Name: "x", Role: Viewer, Scope: store.Scope{Customers: []string{"other"}}}
	page, err := listObjects(s, t.Context(), foreign, &ObjectsInput{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range page.Objects {
		if o.Kind == "customer" {
			t.Errorf("sees %s", o.Ref)
		}
	}
	if _, err := getObject(s, t.Context(), foreign, &objectInput{Kind: "customer", Name: "acme"}); err == nil {
		t.Error("reads a foreign customer")
	}
}
