package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// everyPage is the address of each page of the small operator.
func everyPage(incident int64) []string {
	return []string{
		"/", "/alarms", "/alarms?view=flat", "/links", "/servers", "/trunks", "/services", "/sites", "/links/sjo-gua", "/servers/sbc-1", "/servers/idle",
		"/trunks/guatel", "/services/sbc", "/sites/guatemala", at("/incidents/%d", incident), at("/incidents/%d/acknowledge", incident),
		at("/incidents/%d/comment", incident), "/health", "/settings", "/keys", "/wallboard", "/find?q=sb", "/find", "/nothing",
		"/links/%3Cb%20onmouseover=%22x%22%3E", "/calls", "/calls?only=unmeasured&range=7d", "/calls?number=nobody", "/find?q=22220000", "/oncall", onCallPreview,
	}
}

// TestEveryPage: in both languages every page is whole: one main, one heading, no code of the catalogue left unsaid, no element that would
// need another policy, no id twice.
func TestEveryPage(t *testing.T) {
	w := newTestWorld(t, withSchedule)
	in := w.trouble()
	w.put(collectors.LatencyMS, ref(inventory.KindTrunk, "guatel"), 130)
	for _, lang := range []string{"en", "es"} {
		for _, page := range everyPage(in.ID) {
			a := w.get(page, header("Accept-Language", lang))
			want := http.StatusOK
			if page == "/nothing" {
				want = http.StatusNotFound
			}
			if a.StatusCode != want {
				t.Errorf("%s %s: status %d", lang, page, a.StatusCode)
				continue
			}
			examine(t, lang+" "+page, lang, a)
		}
	}
}

func examine(t *testing.T, name, lang string, a answer) {
	t.Helper()
	if root := a.find("tag", "html"); root == nil || !matches(root, []string{"lang", lang}) {
		t.Errorf("%s: not in its language", name)
	}
	if strings.Contains(a.body, "web.") {
		i := strings.Index(a.body, "web.")
		t.Errorf("%s: a text is missing: …%s…", name, a.body[max(i-30, 0):min(i+60, len(a.body))])
	}
	if strings.Contains(a.body, "{0}") && strings.Contains(text(a.find("tag", "main")), "{0}") {
		t.Errorf("%s: a placeholder is left", name)
	}
	ids, mains, headings := map[string]bool{}, 0, 0
	walk(a.doc, func(n *html.Node) {
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("%s: id %q twice", name, id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "main":
			mains++
		case "h1":
			headings++
		}
		for _, at := range n.Attr {
			if at.Key == "style" || strings.HasPrefix(at.Key, "on") {
				t.Errorf("%s: inline %s on <%s>", name, at.Key, n.Data)
			}
		}
		if n.Data == "script" {
			if src, _ := attr(n, "src"); !strings.HasPrefix(src, "/static/") {
				t.Errorf("%s: a script in the page", name)
			}
		}
	})
	if mains != 1 || headings > 1 {
		t.Errorf("%s: %d main, %d h1", name, mains, headings)
	}
}

func TestOverview(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	a := w.get("/")
	if got := text(a.find("tag", "title")); got != "(1) Overview · Vigía" {
		t.Errorf("title %q", got)
	}
	row := a.find("data-key", at("incident/%d", in.ID))
	for _, want := range []string{"Link sjo-gua loses 11.2 % of packets", "nobody has it", "NOC L2 in 14:5", "Acknowledge"} {
		if !strings.Contains(text(row), want) {
			t.Errorf("the incident says %q, without %q", text(row), want)
		}
	}
	if class, _ := attr(row, "class"); !strings.Contains(class, "is-critical") || !strings.Contains(class, "open") {
		t.Errorf("class %q", class)
	}
	if got := text(a.find("data-count", "critical")); got != "1" {
		t.Errorf("counter %q", got)
	}
	if got := text(a.find("id", "tiles")); !strings.Contains(got, "Worst loss 11.2 % Link sjo-gua") || !strings.Contains(got, "30 /min") {
		t.Errorf("tiles %q", got)
	}
	es := w.get("/", spanish)
	if got := text(es.find("data-key", at("incident/%d", in.ID))); !strings.Contains(got, "pierde 11,2 % de los paquetes") || !strings.Contains(got, "nadie lo tiene") {
		t.Errorf("Spanish row %q", got)
	}
}

// TestNotMeasuredIsNotZero: what has no sample is a dash with its reason.
func TestNotMeasuredIsNotZero(t *testing.T) {
	w := newTestWorld(t)
	w.trouble()
	row := w.get("/servers").find("data-key", "server/sbc-2")
	if got := text(row); !strings.Contains(got, "–") || strings.Contains(got, " 0") || !strings.Contains(got, "nothing measured yet") {
		t.Errorf("sbc-2 reads %q", got)
	}
	if got := text(w.get("/servers").find("data-key", "server/idle")); !strings.Contains(got, "no check is configured") {
		t.Errorf("idle reads %q", got)
	}
	if got := text(w.get("/trunks/guatel").find("id", "notice")); !strings.Contains(got, "Not measured") {
		t.Errorf("guatel's page reads %q", got)
	}
}

func TestParts(t *testing.T) {
	w := newTestWorld(t)
	w.trouble()
	script := header("HX-Request", "true")
	a := w.get("/?part=tiles,incidents,nowhere", script)
	if a.find("id", "tiles") == nil || a.find("id", "incidents") == nil || a.find("id", "everything") != nil || strings.Contains(a.body, "<!doctype") {
		t.Error("not the parts that were asked for")
	}
	if a := w.get("/?part=nowhere", script); a.StatusCode != http.StatusNotFound {
		t.Errorf("a part that is not there: status %d", a.StatusCode)
	}
	if a := w.get("/links?state=problem&part=rows,counts,nav", script); strings.Contains(text(a.find("id", "rows")), "sjo-mia") || a.find("id", "counts") == nil {
		t.Error("a part must follow the filter of its page")
	}
}

func TestLists(t *testing.T) {
	w := newTestWorld(t)
	w.trouble()
	cases := []struct {
		path      string
		has, lack string
	}{
		{"/links", "sjo-mia", ""},
		{"/links?state=problem", "sjo-gua", "sjo-mia"},
		{"/links?state=well", "sjo-mia", "sjo-gua"},
		{"/links?q=MIA", "sjo-mia", "sjo-gua"},
		{"/servers?site=guatemala", "sbc-2", "sbc-1"},
		{"/links?q=none-such", "Nothing matches", "sjo-gua"},
	}
	for _, c := range cases {
		got := text(w.get(c.path).find("id", "rows"))
		if !strings.Contains(got, c.has) || c.lack != "" && strings.Contains(got, c.lack) {
			t.Errorf("%s: %q", c.path, got)
		}
	}
	if got := text(w.get("/links").find("id", "rows")); strings.Index(got, "sjo-gua") > strings.Index(got, "sjo-mia") {
		t.Errorf("not worst first: %q", got)
	}
	if got := text(w.get("/links?sort=name").find("id", "rows")); strings.Index(got, "<b") > strings.Index(got, "sjo-gua") {
		t.Errorf("not by name: %q", got)
	}
	a := w.get("/links?state=problem&format=csv")
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "sjo-gua" || rows[1][5] != "11.2" {
		t.Errorf("CSV %v: %v", err, rows)
	}
}

func TestDefuse(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "-3.5": "-3.5", "@x": "'@x", "sbc": "sbc", "": "", "-x": "'-x"} {
		if got := defuse(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestConsole(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	w.put(collectors.LatencyMS, ref(inventory.KindTrunk, "guatel"), 130)
	w.await("the trunk's alarm", func() bool {
		list, err := w.store.Alarms(t.Context(), store.Everything(), store.AlarmFilter{Active: true})
		return err == nil && len(list) == 2
	})
	got := text(w.get("/alarms").find("id", "console"))
	for _, want := range []string{"Nobody has it", "Link sjo-gua", "Loss 11.2 %, limit 10 %", "NOC L2 in"} {
		if !strings.Contains(got, want) {
			t.Errorf("the console lacks %q: %q", want, got)
		}
	}
	if got := text(w.get("/alarms?severity=critical").find("id", "console")); !strings.Contains(got, "sjo-gua") || strings.Contains(got, "guatel") {
		t.Errorf("by severity: %q", got)
	}
	if got := text(w.get("/alarms?kind=trunk").find("id", "console")); strings.Contains(got, "sjo-gua") || !strings.Contains(got, "guatel") {
		t.Errorf("by kind: %q", got)
	}
	if got := text(w.get("/alarms?q=zzz").find("id", "console")); !strings.Contains(got, "No problem matches the filter") {
		t.Errorf("nothing found: %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(w.get("/alarms?format=csv").body)).ReadAll()
	if err != nil || len(rows) < 3 || rows[1][1] != at("%d", in.ID) {
		t.Errorf("CSV %v: %v", err, rows)
	}
}

func TestIncidentPage(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	w.runs.Add(collectors.Run{
		Check: collectors.CheckID{Ref: in.Ref, Instance: "ping"}, Kind: "ping", At: time.Now(),
		Result: collectors.Result{Why: collectors.Because("service.unhealthy", 1.0, 2.0, "hop 5"), Steps: []collectors.Reason{collectors.Because("service.healthy", 3.0)}},
	})
	a := w.get(at("/incidents/%d", in.ID))
	timeline := text(a.find("id", "timeline"))
	for _, want := range []string{"NOC L2 would be told: noc-hook, l2-mail", "Now. Nobody has it.", "NOC L1 told", "waits to be sent", "Incident opened"} {
		if !strings.Contains(timeline, want) {
			t.Errorf("the timeline lacks %q: %q", want, timeline)
		}
	}
	if strings.Index(timeline, "would be told") > strings.Index(timeline, "Now.") || strings.Index(timeline, "Now.") > strings.Index(timeline, "Incident opened") {
		t.Errorf("not newest first: %q", timeline)
	}
	if got := text(a.find("id", "ladder")); !strings.Contains(got, "NOC L2 in 14:5") || !strings.Contains(got, "1 NOC L1") {
		t.Errorf("ladder %q", got)
	}
	if got := text(a.find("id", "known")); !strings.Contains(got, "All 11.2 servers are healthy") || !strings.Contains(got, "all 3 servers") {
		t.Errorf("what the probe saw: %q", got)
	}
	if got := text(w.get(at("/incidents/%d?show=people", in.ID)).find("id", "timeline")); strings.Contains(got, "told") && strings.Contains(got, "NOC L1") {
		t.Errorf("people only: %q", got)
	}
	if chart := a.find("data-metric", "loss_pct"); chart == nil {
		t.Error("no chart")
	}
	for _, bad := range []string{"/incidents/99999", "/incidents/x"} {
		if a := w.get(bad); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", bad, a.StatusCode)
		}
	}
}

// TestDelivery: sent is not delivered, and each state says what is known.
func TestDelivery(t *testing.T) {
	v := testVisit()
	now := time.Now()
	cases := []struct {
		state alerting.NotificationState
		tries []alerting.Delivery
		want  string
		class string
	}{
		{alerting.NotificationSent, []alerting.Delivery{{At: now, Took: 700 * time.Millisecond, OK: true, Outcome: "accepted: 202"}}, "accepted: 202", "ok"},
		{alerting.NotificationSent, []alerting.Delivery{{Outcome: "HTTP 503"}, {At: now, OK: true, Outcome: "accepted: 202"}}, "try 2: accepted: 202; first: HTTP 503", "ok"},
		{alerting.NotificationGivenUp, []alerting.Delivery{{Outcome: "refused"}}, "given up after 1 tries: refused", "bad"},
		{alerting.NotificationPending, nil, "waits to be sent", "waits"},
		{alerting.NotificationPending, []alerting.Delivery{{Outcome: "HTTP 503"}}, "1 tries, HTTP 503; next at", "bad"},
		{alerting.NotificationSuperseded, nil, "not sent", "waits"},
	}
	for _, c := range cases {
		got := v.delivery(&store.NotificationView{Notification: alerting.Notification{State: c.state, CreatedAt: now, NextAt: now}, Deliveries: c.tries})
		if !strings.HasPrefix(got.Known, c.want) || got.Class != c.class {
			t.Errorf("%s: %q (%s), want %q (%s)", c.state, got.Known, got.Class, c.want, c.class)
		}
	}
}

func testVisit() *visit {
	return &visit{speaker: &speaker{words: testWords(), lang: collectors.English, now: time.Now(), zone: time.UTC}}
}

func TestFind(t *testing.T) {
	w := newTestWorld(t)
	in := w.trouble()
	for q, want := range map[string]string{"sbc-1": "/servers/sbc-1", "SJO-MIA": "/links/sjo-mia", at("%d", in.ID): at("/incidents/%d", in.ID)} {
		if a := w.get("/find?q=" + url.QueryEscape(q)); a.Header.Get("Location") != want {
			t.Errorf("%s leads to %q", q, a.Header.Get("Location"))
		}
	}
	if got := text(w.get("/find?q=192.0.2").find("tag", "main")); !strings.Contains(got, "sjo-mia") {
		t.Errorf("by address: %q", got)
	}
	if got := text(w.get("/find?q=zzz").find("tag", "main")); !strings.Contains(got, "Nothing has that name") {
		t.Errorf("nothing found: %q", got)
	}
}

func TestSettings(t *testing.T) {
	w := newTestWorld(t)
	a := w.ask("POST", "/settings", url.Values{"lang": {"es"}, "theme": {"dark"}, "density": {"<x>"}, "zone": {"Europe/Madrid"}, "contrast": {""}})
	got := map[string]string{}
	for _, c := range a.Cookies() {
		if c.MaxAge > 0 {
			got[c.Name] = c.Value
		}
	}
	if a.StatusCode != http.StatusSeeOther || got["lang"] != "es" || got["theme"] != "dark" || got["zone"] != "Europe/Madrid" || got["density"] != "" {
		t.Errorf("status %d, cookies %v", a.StatusCode, got)
	}
	page := w.get("/", header("Cookie", "lang=es; theme=dark; density=compact; contrast=more; zone=Europe/Madrid"))
	if page.find("tag", "html", "lang", "es", "data-theme", "dark", "data-density", "compact", "data-contrast", "more") == nil {
		t.Error("the choices are not on <html>")
	}
	if page.find("tag", "body", "data-zone", "Europe/Madrid") == nil {
		t.Error("the zone is not used")
	}
	hostile := w.get("/", header("Cookie", `lang=<script>; theme=x"y; zone=../../etc/passwd`))
	if hostile.find("tag", "html", "data-theme", "*") != nil || strings.Contains(hostile.body, "passwd") {
		t.Error("a cookie's word came through")
	}
}

func TestFirstRun(t *testing.T) {
	inv, err := inventory.New(inventory.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	w := startWorld(t, inv)
	got := text(w.get("/").find("tag", "main"))
	if !strings.Contains(got, "Nothing is watched yet") || !strings.Contains(got, "vigia check -c vigia.yaml") {
		t.Errorf("%q", got)
	}
	if got := text(w.get("/links").find("tag", "main")); !strings.Contains(got, "No link is looked after yet") {
		t.Errorf("%q", got)
	}
}

func TestHealthPage(t *testing.T) {
	w := newTestWorld(t, func(c *Config) {
		health := c.Health
		c.Health = func() Health {
			h := health()
			h.Config = ConfigHealth{
				File: "/etc/vigia.yaml", LoadedAt: time.Now().Add(-time.Hour), RefusedSince: time.Now(), Errors: []string{"vigia.yaml:7: unknown key <chek> (checks?)"},
			}
			return h
		}
	})
	w.trouble()
	got := text(w.get("/health").find("tag", "main"))
	for _, want := range []string{"is refused since", "vigia.yaml:7: unknown key <chek> (checks?)", "noc-hook webhook English", "NOC L1 after 0 s: noc-hook", "waits to be sent"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q: %q", want, got)
		}
	}
}

func TestSeriesTable(t *testing.T) {
	w := newTestWorld(t)
	w.trouble()
	q := "/data/table?" + url.Values{"ref": {"link/sjo-gua"}, "metric": {"loss_pct"}, "instance": {"ping"}}.Encode()
	a := w.get(q+"&part=table", header("HX-Request", "true"))
	if got := text(a.doc); !strings.Contains(got, "11.2 %") {
		t.Errorf("table %q", got)
	}
	rows, err := csv.NewReader(strings.NewReader(w.get(q + "&format=csv").body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != "11.2" {
		t.Errorf("CSV %v: %v", err, rows)
	}
	for _, bad := range []string{"/data/table?ref=x", "/data/table?ref=link/none&metric=loss_pct"} {
		if a := w.get(bad); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", bad, a.StatusCode)
		}
	}
}

func TestChartData(t *testing.T) {
	w := newTestWorld(t)
	w.trouble()
	chart := w.get("/links/sjo-gua").find("data-metric", "loss_pct")
	address, _ := attr(chart, "data-chart")
	var data struct{ T []float64 }
	if a := w.get(address); json.Unmarshal([]byte(a.body), &data) != nil || len(data.T) == 0 {
		t.Errorf("%s answers %s", address, a.body)
	}
	if label, _ := attr(chart, "aria-label"); !strings.HasPrefix(label, "Loss 11.2 %, Critical since") {
		t.Errorf("the chart's sentence: %q", label)
	}
}
