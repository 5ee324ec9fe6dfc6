package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// alarmed waits until the three levels that the small world crosses have their alarms.
func alarmed(w *testWorld) {
	w.await("the alarms", func() bool {
		list, err := w.store.Alarms(w.t.Context(), store.Everything(), store.AlarmFilter{Active: true})
		return err == nil && len(list) >= 3
	})
}

// TestDevicePages: the pages of what SNMP measures are whole in both languages, whatever a device says of itself.
func TestDevicePages(t *testing.T) {
	w := deviceWorld(t)
	alarmed(w)
	odd := "/servers/odd?" + url.Values{"of": {"snmp:" + hostile}}.Encode()
	pages := []string{
		"/links/sjo-gua", "/links/sjo-mia", "/servers/sbc-2", "/servers/sbc-2?forecast=1", "/servers/sw-core", "/servers/odd", odd, "/servers", "/links", "/alarms",
		"/servers/sw-core?of=snmp%3AGigabitEthernet1%2F0%2F3", "/servers/sbc-2?of=snmp%3A%2Fvar", "/servers/sbc-2?of=snmp%3APower+supply+2",
		"/data/months?ref=link/sjo-gua&instance=snmp", "/data/months?" + url.Values{"ref": {"server/odd"}, "instance": {"snmp:" + hostile}}.Encode(),
	}
	for _, lang := range []string{"en", "es"} {
		for _, page := range pages {
			a := w.get(page, header("Accept-Language", lang))
			if a.StatusCode != http.StatusOK {
				t.Errorf("%s %s: status %d", lang, page, a.StatusCode)
				continue
			}
			examine(t, lang+" "+page, lang, a)
			walk(a.doc, func(n *html.Node) {
				if n.Data == "script" && text(n) != "" {
					t.Errorf("%s: what a device says became a script", page)
				}
			})
		}
	}
	for _, bad := range []string{"/servers/sbc-2?of=none", "/servers/sbc-2?of=snmp%3Anone", "/data/months?ref=link/sjo-gua&instance=none", "/data/months?ref=x"} {
		if a := w.get(bad); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", bad, a.StatusCode)
		}
	}
}

// says checks that the element with an id says all of some texts.
func says(t *testing.T, a answer, id string, wants ...string) {
	t.Helper()
	got := text(a.find("id", id))
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("#%s lacks %q: %q", id, want, got)
		}
	}
}

func TestServerPage(t *testing.T) {
	w := deviceWorld(t)
	alarmed(w)
	a := w.get("/servers/sbc-2")
	says(t, a, "tiles", "CPU 41 % 8 cores, mean", "Memory 58 % 9.3 of 16 GB", "Disk, worst 86 % /var, 137.6 of 160 GB")
	says(t, a, "disks", "/var 86 % 137.6 of 160 GB work it out", "/ 41 % 24.6 of 60 GB")
	says(t, a, "memory", "Memory 58 % 9.3 of 16 GB Swap 2.4 % 0.1 of 4 GB Processor 61 % 0.6 of 1 GB")
	says(t, a, "cores", "mean 41 %", "1 m 3.10", "15 m 2.94", "0 41")
	says(t, a, "sensors", "2 parts work Power supply 2 has failed CPU Temperature 51 °C Inlet Temperature 24.5 °C Fan 1 Fan 4,812 rpm 12V Voltage 12.1 V PSU 1 Power 187 W")
	says(t, a, "facts", "Serial number VE-220817", "Location San José, rack 4", "113 d, since", "Linux, net-snmp, net-snmp-linux")
	says(t, a, "main", "san-jose · Linux, net-snmp, AudioCodes Mediant VE")
	if a.find("data-metric", "disk_pct") != nil || a.find("data-metric", "core_pct") != nil || a.find("data-metric", "cpu_pct") == nil {
		t.Error("charts are for what is not of parts")
	}
	if card := a.find("id", "disks"); !matches(card, []string{"hx-trigger", "load", "hx-get", "/servers/sbc-2?forecast=1&part=disks"}) {
		t.Error("the forecast is not asked for when the page is there")
	}
	a = w.get("/servers/sbc-2?forecast=1&part=disks", header("HX-Request", "true"))
	says(t, a, "disks", "/var 86 % 137.6 of 160 GB full in 9 days,", "/var/spool 44 % 220 of 500 GB stable", "/ 41 % 24.6 of 60 GB stable")
	if card := a.find("id", "disks"); matches(card, []string{"hx-trigger", "load"}) {
		t.Error("the forecast is known and asked for again")
	}
	says(t, w.get("/servers/sbc-2"), "tiles", "Disk, worst 86 % /var, full in 9 days Calls")
	says(t, w.get("/servers/sbc-2", spanish), "disks", "lleno en 9 días,")
	says(t, w.get("/servers"), "rows", "86 % /var")
	part := w.get("/servers/sbc-2?of=snmp%3A%2Fvar")
	if part.find("data-metric", "disk_pct") == nil || text(part.find("tag", "h1")) != "Server sbc-2 / /var" {
		t.Errorf("the page of a disk: %q", text(part.find("tag", "h1")))
	}
}

func TestPorts(t *testing.T) {
	w := deviceWorld(t)
	alarmed(w)
	a := w.get("/servers/sw-core")
	rows := text(a.find("id", "ports"))
	if !strings.Contains(rows, "1 with errors") || !strings.Contains(rows, "8 interfaces are down, without an alarm") || !strings.Contains(rows, "switched off") {
		t.Errorf("%q", rows)
	}
	first := a.find("data-key", "port/snmp:GigabitEthernet1/0/3")
	if got := text(first); got != "Gi1/0/3 access 3, floor 2 1 Gb/s 91 % 913 Mb/s 30 % 304 Mb/s 913 Mb/s 304 Mb/s 0.42/s 3.10/s" {
		t.Errorf("the fullest interface reads %q", got)
	}
	if class, _ := attr(first, "class"); !strings.Contains(class, "is-major") || strings.Index(rows, "Gi1/0/3") > strings.Index(rows, "Gi1/0/27") {
		t.Errorf("class %q: not worst first: %q", class, rows)
	}
	if got := w.get("/servers/sw-core?of=snmp%3AGigabitEthernet1%2F0%2F3"); got.find("data-chart2", "*") == nil || got.find("data-metric", "if_up", "data-yes", "up", "data-no", "down") == nil || got.find("id", "months") == nil {
		t.Error("the page of an interface lacks its charts")
	}
	if got := text(w.get("/alarms").find("id", "console")); !strings.Contains(got, "Inbound load GigabitEthernet1/0/3 91.3 %, limit 80 %") {
		t.Errorf("an alarm does not name its part: %q", got)
	}
	says(t, w.get("/servers/odd"), "ports", "bad – 0.3 % 3 Mb/s", "–")
}

// TestSilentPort: an interface that was measured an hour ago has dashes with their reason, and none is called down.
func TestSilentPort(t *testing.T) {
	w := deviceWorld(t)
	r := ref(inventory.KindServer, "sw-core")
	w.poll(r, time.Now().Add(-2*time.Hour).UTC(), portValues("Gone0", fields{"name": "Gone0"}, 1e6, 1e6, 1e9))
	row := w.get("/servers/sw-core").find("data-key", "port/snmp:Gone0")
	if got := text(row); strings.Count(got, "–") < 3 || !strings.Contains(got, "nothing measured since") {
		t.Errorf("%q", got)
	}
	if shape := (answer{doc: row}).find("class", "sev is-unknown"); shape == nil {
		t.Error("it has not the broken ring")
	}
}

func TestLinkPage(t *testing.T) {
	w := deviceWorld(t)
	a := w.get("/links/sjo-gua")
	says(t, a, "tiles", "Loss 0.05 %", "In 590 Mb/s 59 % of 1 Gb/s", "Out 484 Mb/s 48 % of 1 Gb/s")
	if strings.Contains(text(a.find("id", "tiles")), "Inbound") {
		t.Error("the utilisation has a tile of its own")
	}
	traffic := a.find("data-metric", "in_bps")
	levels, _ := attr(traffic, "data-levels")
	second, _ := attr(traffic, "data-chart2")
	if !strings.Contains(levels, `"raise":800000000`) || !strings.Contains(levels, "major 80 %") || !strings.Contains(second, "out_bps") {
		t.Errorf("the traffic's chart: levels %s, second %s", levels, second)
	}
	if a.find("data-metric", "out_bps") != nil || a.find("data-metric", "in_util_pct") != nil {
		t.Error("traffic has more than one chart")
	}
	says(t, a, "thrown", "snmp.discarded_above Gi0/1 1.9 Tb/s", "2 figures")
	says(t, a, "runs", "2 figures thrown away")
	why := collectors.Because("snmp.discarded_fell", "Gi0/1")
	own := runRowOf(&visit{speaker: testVisit().speaker}, shape{}, collectors.Run{Result: collectors.Result{OK: true, Why: why, Discarded: 1}})
	if strings.Contains(own.Why, "thrown away") || own.Shape.Icon != "unknown" {
		t.Errorf("a run whose own line says it says it twice: %q, %s", own.Why, own.Shape.Icon)
	}
	if strings.Contains(text(w.get("/links/sjo-mia").find("tag", "main")), "Thrown away") {
		t.Error("the card is there when nothing was thrown away")
	}
	if ring := (answer{doc: a.find("id", "runs")}).find("class", "sev is-unknown"); ring == nil {
		t.Error("a run that threw something away has not the broken ring")
	}
}

func TestMonths(t *testing.T) {
	w := deviceWorld(t)
	page, ok := attr(w.get("/links/sjo-gua").find("id", "months"), "hx-get")
	if !ok {
		t.Fatal("the page does not ask for the percentiles")
	}
	a := w.get(page, header("HX-Request", "true"))
	says(t, a, "months", "so far", "% of 1 Gb/s", "values,", "of the month so far")
	if strings.Contains(a.body, "<html") {
		t.Error("a whole page as a part of one")
	}
	key := monthsKey{ref(inventory.KindLink, "sjo-gua"), "snmp", "America/Costa_Rica"}
	found, young, _ := w.server.billed.peek(key, time.Now())
	if !young || found.months[0].from.Location().String() != "America/Costa_Rica" {
		t.Errorf("kept: %t, %v", young, found.months[0].from)
	}
	want, err := w.store.Percentile95(t.Context(), store.Everything(), []collectors.Series{{Metric: collectors.InBps, Ref: key.ref, Instance: "snmp"}}, found.months[0].from, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range want {
		if got := found.months[0].in; p.Parts == 0 || got != p {
			t.Errorf("%+v, want %+v", got, p)
		}
	}
	if got := text(w.get(strings.TrimSuffix(page, "&part=months")).find("tag", "main")); !strings.Contains(got, "Back") || !strings.Contains(got, "95th percentile") {
		t.Errorf("without scripts: %q", got)
	}
}

// TestEndedMonth: a month that was over when it was read is not read again; the current one is.
func TestEndedMonth(t *testing.T) {
	w := deviceWorld(t)
	v := &visit{speaker: testVisit().speaker, r: httptest.NewRequest("GET", "/", nil), now: time.Now()}
	v.caller.Scope = store.Everything()
	in := collectors.Series{Metric: collectors.InBps, Ref: ref(inventory.KindLink, "sjo-gua"), Instance: "snmp"}
	first, err := w.server.findMonths(v, in, time.UTC, monthsFound{})
	if err != nil {
		t.Fatal(err)
	}
	kept := first
	kept.months[0].in.Value, kept.months[1].in.Value = 1, 2 // so that one can see which of them comes back
	again, err := w.server.findMonths(v, in, time.UTC, kept)
	if err != nil {
		t.Fatal(err)
	}
	if again.months[0] != first.months[0] && again.months[0].in.Value == 1 {
		t.Errorf("the current month is not read again: %+v", again.months[0])
	}
	over := first.at.Sub(first.months[0].from) > time.Hour // the month before has been over for an hour
	if over && again.months[1].in.Value != 2 {
		t.Errorf("the month that is over is read again: %+v", again.months[1])
	}
}

// TestAfterRestart: without details, which are not kept, the pages have their figures and the parts' own names.
func TestAfterRestart(t *testing.T) {
	w := deviceWorld(t)
	r := ref(inventory.KindServer, "sbc-2")
	w.poll(r, time.Now().UTC().Add(time.Second), []collectors.Value{
		{Metric: collectors.InterfaceUp, Part: "eth0", Value: 1},
		{Metric: collectors.DiskPct, Part: "/var", Value: 86},
		{Metric: collectors.RAMPct, Value: 58},
		{Metric: collectors.CPUPct, Value: 41},
		{Metric: collectors.UptimeS, Value: 1e6},
	})
	a := w.get("/servers/sbc-2")
	says(t, a, "ports", "eth0 – 0.4 %")
	says(t, a, "disks", "/var 86 % –")
	says(t, a, "tiles", "Memory 58 %", "CPU 41 % warning 60 %, major 80 %")
	says(t, a, "facts", "Runs for 11 d 13 h")
}

func TestNatural(t *testing.T) {
	for _, c := range [][2]string{{"Gi0/2", "Gi0/10"}, {"Gi0/10", "Gi1/1"}, {"a", "b"}, {"", "a"}, {"7", "07x"}, {"eth9", "eth10"}, {"99999999999999999999998", "99999999999999999999999"}} {
		if natural(c[0], c[1]) >= 0 || natural(c[1], c[0]) <= 0 {
			t.Errorf("%q does not come before %q", c[0], c[1])
		}
	}
}

// How large and how slow the page of a device with four hundred interfaces may be, all of them up.
const (
	bigPageOctets = 200 << 10
	bigPageTime   = time.Second // 20 ms alone; the race detector and other tests at the same time make it ten times that
)

func TestPageOfFourHundredInterfaces(t *testing.T) {
	w := deviceWorld(t)
	w.measureSwitch(ref(inventory.KindServer, "sw-core"), 400, 0)
	var a answer
	took := time.Hour
	for range 4 { // the best of them: other tests share the machine
		begin := time.Now()
		a = w.get("/servers/sw-core")
		took = min(took, time.Since(begin))
	}
	if a.StatusCode != http.StatusOK || len(a.body) > bigPageOctets || took > bigPageTime {
		t.Errorf("status %d, %d octets in %v", a.StatusCode, len(a.body), took)
	}
	t.Logf("%d octets in %v", len(a.body), took)
	says(t, a, "ports", "352 more, less busy")
	if all := w.get("/servers/sw-core?ports=all"); strings.Count(all.body, `data-key="port/`) != 400 {
		t.Errorf("all: %d interfaces", strings.Count(all.body, `data-key="port/`))
	}
}
