package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

func pretty(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", " "); err != nil {
		t.Fatal(err)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func TestInventory(t *testing.T) {
	w := newWorld(t)
	all := w.get("/inventory")
	w.want(all, 8.0, "total")
	w.want(all, "site/miami", "objects", 0, "ref")

	bad := w.get("/inventory?state=bad")
	w.want(bad, 2.0, "total")
	w.want(bad, "link/sjo-mia", "objects", 0, "ref")
	w.want(bad, "critical", "objects", 0, "state", "severity")
	w.want(bad, 1.0, "objects", 0, "state", "incidents", 0)
	w.want(bad, 1e9, "objects", 0, "facts", "capacity_bps")
	w.want(bad, "trunk/carrier-a", "objects", 0, "children", 0)
	w.want(bad, "https://noc.example/links/sjo-mia", "objects", 0, "url")
	w.want(bad, true, "objects", 1, "state", "shadow")
	w.want(bad, true, "objects", 1, "state", "stale")

	servers := w.get("/inventory/server?site=san-jose")
	w.want(servers, 2.0, "total")
	w.want(servers, "none", "objects", 0, "state", "severity")

	one := w.get("/inventory/link/sjo-mia")
	w.want(one, "site/san-jose", "parents", 0)
	w.want(one, "ping", "checks", 0, "kind")
	w.want(one, 10.0, "checks", 0, "every_s")
	w.want(one, false, "checks", 0, "last_run", "ok")
	if one.count("latest") != 3 {
		t.Errorf("latest: %s", one.text)
	}
}

func TestInventoryPages(t *testing.T) {
	w := newWorld(t)
	var got []string
	next := ""
	for range 10 {
		r := w.get("/inventory?limit=3&after=" + next)
		for i := range r.count("objects") {
			got = append(got, r.at("objects", i, "ref").(string))
		}
		next, _ = r.at("next").(string)
		if next == "" {
			break
		}
	}
	if len(got) != 8 || got[7] != "customer/acme" {
		t.Errorf("pages hold %v", got)
	}
}

func TestSamples(t *testing.T) {
	w := newWorld(t)
	r := w.get("/samples?ref=link/sjo-mia&metric=loss_pct&points=60")
	w.want(r, "%", "unit")
	w.want(r, 11.25, "points", 0, "mean")
	if n := r.count("points"); n < 40 || n > 60 {
		t.Errorf("%d points, want at most 60", n)
	}
	if r.count("gaps") != 1 {
		t.Fatalf("gaps: %v", r.at("gaps"))
	}
	w.want(r, "2026-11-23T11:30:00Z", "gaps", 0, "from")

	empty := w.get("/samples?ref=link/sjo-mia&metric=loss_pct&from=2026-11-20T00:00:00Z&to=2026-11-20T01:00:00Z")
	if empty.count("points") != 0 || empty.count("gaps") != 1 {
		t.Errorf("what was not measured: %s", empty.text)
	}
	raw := w.get("/samples?ref=link/sjo-mia&metric=latency_ms&instance=ping&from=2026-11-23T11:50:00Z&to=2026-11-23T11:51:00Z")
	w.want(raw, 1.0, "points", 1, "count")
	w.want(raw, 10.0, "points", 1, "min")
	w.want(raw, "2026-11-23T11:50:10Z", "points", 1, "at")
}

func TestSeriesAndLatest(t *testing.T) {
	w := newWorld(t)
	if n := w.get("/series").count("series"); n != 3 {
		t.Errorf("%d series", n)
	}
	two := w.get("/series?ref=link/sjo-mia&metric=latency_ms")
	w.want(two, "far", "series", 0, "instance")
	w.want(two, "ping", "series", 1, "instance")
	latest := w.get("/latest?ref=link/sjo-mia", "Accept-Language", "es-CR,es;q=0.9,en;q=0.8")
	w.want(latest, 11.25, "values", 2, "value")
	w.want(latest, 10.0, "values", 2, "age_s")
	w.want(latest, "pierde 11,2 % de los paquetes", "values", 2, "why", "text")
	if n := w.get("/latest?ref=server/sbc-1").count("values"); n != 0 {
		t.Errorf("a server without samples has %d values", n)
	}
}

func TestRuns(t *testing.T) {
	w := newWorld(t)
	r := w.get("/runs?ref=link/sjo-mia")
	w.want(r, false, "runs", 0, "ok")
	w.want(r, 1.2, "runs", 0, "took_s")
	w.want(r, "loses 11.2 % of packets", "runs", 0, "why", "text")
	if n := w.get("/runs?ref=link/sjo-mia&check=ping&limit=1").count("runs"); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
}

func TestAlarms(t *testing.T) {
	w := newWorld(t)
	all := w.get("/alarms?active=true")
	w.want(all, "critical", "alarms", 0, "severity")
	w.want(all, 11.25, "alarms", 0, "value")
	w.want(all, 30.0, "alarms", 0, "tier", "for_s")
	w.want(all, nil, "alarms", 0, "cleared_at")
	w.want(all, nil, "alarms", 1, "value") // stale: nothing was judged
	w.want(all, nil, "alarms", 1, "tier")
	w.want(all, true, "alarms", 1, "shadow")
	for path, want := range map[string]int{
		"/alarms?severity=critical": 1, "/alarms?severity=minor": 0, "/alarms?ref=trunk/carrier-a": 1, "/alarms?incident=1": 2, "/alarms?incident=2": 0,
	} {
		if got := w.get(path).count("alarms"); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	w.want(w.get("/alarms?limit=1"), true, "more")
}

func TestIncidents(t *testing.T) {
	w := newWorld(t)
	r := w.get("/incidents?state=live")
	w.want(r, "loses 11.2 % of packets", "incidents", 0, "title", "text")
	w.want(r, "san-jose", "incidents", 0, "site")
	w.want(r, nil, "incidents", 0, "resolved_at")
	w.want(r, 2.0, "incidents", 0, "escalation", "level")
	w.want(r, "NOC L2", "incidents", 0, "escalation", "name")
	w.want(r, 300.0, "incidents", 0, "escalation", "in_s")
	w.want(r, "https://noc.example/incidents/1", "incidents", 0, "url")
	for path, want := range map[string]int{
		"/incidents?state=over": 0, "/incidents?state=open": 1, "/incidents?state=acknowledged": 0, "/incidents?ref=trunk/carrier-a": 1,
		"/incidents?ref=server/sbc-1": 0, "/incidents?since=2026-11-23T11:55:00Z": 0, "/incidents?until=2026-11-23T11:55:00Z": 1, "/incidents?before=1": 0,
	} {
		if got := w.get(path).count("incidents"); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	one := w.get("/incidents/1")
	w.want(one, "opened", "events", 0, "kind")
	w.want(one, "i1.l1.noc-slack.opened.1", "notifications", 0, "key")
	w.want(one, "pending", "notifications", 0, "state")
	if one.count("alarms") != 2 || one.count("notifications", 0, "deliveries") != 0 {
		t.Errorf("incident: %s", one.text)
	}
}

func TestIncidentPages(t *testing.T) {
	w := newWorld(t)
	for id := int64(2); id <= 5; id++ {
		i := theIncident().Incidents[0]
		i.ID, i.State, i.ResolvedAt = id, alerting.Resolved, noon
		w.apply(alerting.Change{At: noon, Incidents: []alerting.Incident{i}})
	}
	first := w.get("/incidents?limit=2")
	w.want(first, 5.0, "incidents", 0, "id")
	w.want(first, 4.0, "next")
	last := w.get("/incidents?limit=3&before=4")
	w.want(last, 3.0, "incidents", 0, "id")
	w.want(last, nil, "next")
	w.want(last, nil, "incidents", 0, "escalation") // it is over: nothing comes next
}

func TestAcknowledge(t *testing.T) {
	w := newWorld(t)
	w.plan()
	r := w.do(http.MethodPost, Prefix+"/incidents/1/acknowledge", `{"note":"ticket 7","for":3600}`, "Idempotency-Key", "k1")
	if r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.text)
	}
	w.want(r, "done", "state")
	w.want(r, "acknowledged", "incident", "state")
	w.want(r, "ticket 7", "incident", "acknowledgement", "note")
	w.want(r, builtIn, "incident", "acknowledgement", "by")
	w.want(r, "2026-11-23T13:00:00Z", "incident", "acknowledgement", "until")

	again := w.do(http.MethodPost, Prefix+"/incidents/1/acknowledge", `{"note":"ticket 8"}`, "Idempotency-Key", "k1")
	w.want(again, r.at("command"), "command")
	w.want(again, "ticket 7", "incident", "acknowledgement", "note") // the first one stands
	events := w.get("/incidents/1").count("events")
	if events != 3 {
		t.Errorf("%d events, want 3: the same decision twice is one", events)
	}

	refused := w.do(http.MethodPost, Prefix+"/incidents/1/escalate", `{}`, "Accept-Language", "es")
	if refused.status != http.StatusConflict || refused.at("detail") != "ya terminó" {
		t.Errorf("%d %s", refused.status, refused.text)
	}
}

// TestNobodyPlans: without an engine the decision is kept, and the answer says that it waits.
func TestNobodyPlans(t *testing.T) {
	w := newWorld(t)
	before := time.Now()
	r := w.do(http.MethodPost, Prefix+"/incidents/1/comment", `{"note":"called them"}`)
	if r.status != http.StatusAccepted || r.at("state") != "waiting" {
		t.Errorf("%d %s", r.status, r.text)
	}
	if took := time.Since(before); took < waitFor || took > waitFor+3*time.Second {
		t.Errorf("waited %s", took)
	}
	commands, err := w.store.PendingCommands(t.Context(), 0)
	if err != nil || len(commands) != 1 || commands[0].Note != "called them" {
		t.Errorf("commands %+v, error %v", commands, err)
	}
}

func TestThresholdsAndHealth(t *testing.T) {
	w := newWorld(t)
	r := w.get("/thresholds")
	w.want(r, "link/*", "thresholds", 0, "on")
	w.want(r, 120.0, "thresholds", 0, "tiers", 0, "for_s")
	w.want(r, "major", "thresholds", 0, "nodata", "severity")
	w.want(r, 900.0, "policies", 0, "levels", 0, "repeat_s")
	h := w.get("/health")
	w.want(h, "troubled", "state") // the notification of the incident has been due for ten minutes
	w.want(h, "outbox_late", "troubles", 0)
	w.want(h, 2.0, "alarms")
	w.want(h, 1.0, "unowned")
	w.want(h, true, "store", "up")
	w.apply(alerting.Change{At: noon, Alarms: []alerting.Alarm{{
		ID: 3, Series: collectors.Series{Metric: collectors.VigiaConfigRefused, Ref: inventory.Self}, State: alerting.Raised, Severity: alerting.Major, Value: 1, RaisedAt: noon,
	}}})
	w.want(w.get("/health"), "vigia_config_refused", "troubles", 1)
}
