package snmp

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/collectorstest/snmpagent"
)

// recorded is a device that nobody in this project has recorded.
type recorded struct {
	name      string // of the file, without its ends
	path      string
	recording *snmpagent.Recording

	survey Survey            // by our own responder
	result collectors.Result // of its last poll
	using  map[string]bool   // the profiles whose metrics the device has
}

// recordedDevices loads all recordings; see VIGIA_SHARED.
func recordedDevices(t *testing.T) []*recorded {
	t.Helper()
	root := os.Getenv("VIGIA_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	folder := filepath.Join(root, "snmp-recordings")
	paths, err := filepath.Glob(filepath.Join(folder, "*.snmprec.bz2"))
	if err != nil || len(paths) == 0 {
		collectorstest.Outside(t, "the folder of recordings "+folder, "set VIGIA_SHARED to the folder that holds snmp-recordings")
	}
	var out []*recorded
	for _, path := range paths {
		r, err := snmpagent.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &recorded{name: strings.TrimSuffix(filepath.Base(path), ".snmprec.bz2"), path: path, recording: r})
	}
	return out
}

// TestRecordings discovers and polls every recording, served by our own responder and by snmpsim, and compares what was found with what
// testdata/count.py counts in the file.
func TestRecordings(t *testing.T) {
	devices := recordedDevices(t)
	t.Run("agent", func(t *testing.T) {
		for _, d := range devices {
			t.Run(d.name, func(t *testing.T) { t.Parallel(); d.byOurAgent(t) })
		}
	})
	t.Run("count", func(t *testing.T) {
		for name, want := range countedBy(t, devices) {
			i := slices.IndexFunc(devices, func(d *recorded) bool { return d.name == name })
			if got := counts(devices[i].survey); got != want {
				t.Errorf("%s: found interfaces, processors, memory pools and disks %v, count.py counts %v", name, got, want)
			}
		}
	})
	t.Run("v1", func(t *testing.T) {
		for _, d := range devices {
			if slices.Contains([]string{"os_windows_server-2003-5-2", "network_switch_cts-media-converter", "os_linux_slackware"}, d.name) {
				t.Run(d.name, func(t *testing.T) { t.Parallel(); d.byVersion1(t) })
			}
		}
	})
	t.Run("snmpsim", func(t *testing.T) {
		port := snmpsim(t, devices)
		t.Run("all", func(t *testing.T) {
			for _, d := range devices {
				t.Run(d.name, func(t *testing.T) { t.Parallel(); d.bySimulator(t, port) })
			}
		})
	})
	t.Run("docs/devices.md", func(t *testing.T) {
		compareFile(t, filepath.Join("..", "..", "docs", "devices.md"), devicesPage(t, devices))
	})
}

// counts are interfaces, processors, memory pools and disks.
func counts(s Survey) [4]int { return [4]int{len(s.Interfaces), s.Processors, s.Pools, s.Disks} }

// countedBy runs count.py, which knows nothing of this package.
func countedBy(t *testing.T, devices []*recorded) map[string][4]int {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		collectorstest.Missing(t, "python3", "Debian: apt-get install python3")
	}
	args := []string{filepath.Join("testdata", "count.py")}
	for _, d := range devices {
		args = append(args, d.path)
	}
	text, err := exec.CommandContext(t.Context(), python, args...).Output()
	if err != nil {
		t.Fatalf("count.py: %v", err)
	}
	out := map[string][4]int{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		var n [4]int
		for i := range n {
			if n[i], err = strconv.Atoi(fields[i+1]); err != nil {
				t.Fatalf("count.py says %q", line)
			}
		}
		out[strings.TrimSuffix(filepath.Base(fields[0]), ".snmprec.bz2")] = n
	}
	if len(out) != len(devices) {
		t.Fatalf("count.py tells of %d recordings of %d", len(out), len(devices))
	}
	return out
}

// surveyed asks a device what it has.
func surveyed(t *testing.T, c *Config, within time.Duration) Survey {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	s, err := c.Survey(ctx, "")
	if err != nil {
		t.Fatalf("survey: %v", err)
	}
	for _, n := range s.Notes {
		t.Errorf("the discovery notes: %s", words.Say(collectors.English, n))
	}
	for i, p := range s.Interfaces {
		fits(t, p.Name, p.Alias, p.Descr)
		if slices.ContainsFunc(s.Interfaces[:i], func(q Interface) bool { return q.Name == p.Name }) {
			t.Errorf("two interfaces are called %q", p.Name)
		}
	}
	fits(t, s.Name, s.Descr, s.Location)
	return s
}

// fits: what a device calls itself is one short line.
func fits(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if utf8.RuneCountInString(text) > 80 || !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\x1b\r\n\t") {
			t.Errorf("text of a device: %q", text)
		}
	}
}

const growFor = 2 * time.Second // 32-bit counters of 10 Gbit/s wrap in 3.4 s

// byOurAgent discovers, polls twice, and holds the rates against what the agent's counters grew.
func (d *recorded) byOurAgent(t *testing.T) {
	clock, agent, kind := turned(t, d.recording)
	config := towards(kind, int(agent.Addr().Port()))
	d.survey = surveyed(t, config, 10*time.Second)
	c := check(t, config, 0)
	first := probe(t, c, 10*time.Second)
	sane(t, first)
	before := octetsOf(agent, d.survey)
	clock.turn(growFor)
	second := probe(t, c, 10*time.Second)
	sane(t, second)
	after := octetsOf(agent, d.survey)
	rated := 0
	for _, v := range second.Values {
		direction := slices.Index([]collectors.Metric{collectors.InBps, collectors.OutBps}, v.Metric)
		if direction < 0 {
			continue
		}
		a, b := before[v.Part], after[v.Part]
		if want := float64(b[direction]-a[direction]) * 8 / growFor.Seconds(); math.Abs(v.Value-want) > 1e-6*want {
			t.Errorf("%s %q: %g, the counter grew %g", v.Metric, v.Part, v.Value, want)
		}
		rated++
	}
	if missing := len(before)*2 - rated; missing > 2*second.Discarded {
		t.Errorf("%d rates of %d counters are missing and %d were thrown away: %s", missing, len(before)*2, second.Discarded, said(second))
	}
	if second.Discarded > 0 {
		t.Logf("thrown away: %s", said(second))
	}
	clock.turn(10 * time.Minute) // so that counters of a processor that has little to do move too
	d.result, d.using = probe(t, c, 10*time.Second), map[string]bool{}
	sane(t, d.result)
	for _, m := range c.(*prober).of.metrics {
		d.using[m.Profile] = true
	}
}

// octetsOf are the octets of the interfaces that a poll watches, in and out: 64 bits wide where the device has that.
func octetsOf(agent *snmpagent.Agent, s Survey) map[string][2]uint64 {
	columns := [2]string{ifInOctets, ifOutOctets}
	watched := func(p Interface) bool { return p.Admin != "down" && !p.Loopback }
	if slices.ContainsFunc(s.Interfaces, func(p Interface) bool { return p.Wide && watched(p) }) {
		columns = [2]string{ifHCInOctets, ifHCOutOctets}
	}
	out := map[string][2]uint64{}
	for _, p := range s.Interfaces {
		in, hasIn := agent.Value(columns[0][1:] + "." + p.Index)
		sent, hasOut := agent.Value(columns[1][1:] + "." + p.Index)
		if watched(p) && hasIn && hasOut {
			out[p.Name] = [2]uint64{in, sent}
		}
	}
	return out
}

// sane: the poll did well, and what it brought can be stored and shown.
func sane(t *testing.T, r collectors.Result) {
	t.Helper()
	if !r.OK {
		t.Fatalf("not well: %s; %s", why(r), said(r))
	}
	harmless(t, r)
}

// harmless: what a poll brought can be stored and shown, whatever the device answered.
func harmless(t *testing.T, r collectors.Result) {
	t.Helper()
	type key struct {
		metric collectors.Metric
		part   string
	}
	seen := map[key]bool{}
	for _, v := range r.Values {
		if k := (key{v.Metric, v.Part}); seen[k] {
			t.Errorf("%s of %q is there twice", v.Metric, v.Part)
		} else {
			seen[k] = true
		}
		fits(t, v.Part)
		if !credible(v) {
			t.Errorf("%s of %q is %g", v.Metric, v.Part, v.Value)
		}
		if len(v.Detail) > 4096 || v.Detail != "" && !json.Valid([]byte(v.Detail)) {
			t.Errorf("%s of %q has the detail %.200q", v.Metric, v.Part, v.Detail)
		}
	}
	for _, reason := range append([]collectors.Reason{r.Why}, r.Steps...) {
		spoken(t, reason)
	}
}

// credible: a figure is finite and one that its unit can have.
func credible(v collectors.Value) bool {
	if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
		return false
	}
	switch collectors.Catalogue[v.Metric].Unit {
	case collectors.UnitPercent:
		return v.Value >= 0 && (v.Value <= 100 || v.Metric == collectors.LoadPct)
	case collectors.UnitBool:
		return v.Value == 0 || v.Value == 1
	case collectors.UnitCelsius:
		return v.Value > -60 && v.Value < 200
	case collectors.UnitDBM:
		return v.Value >= -60 && v.Value <= 20
	case collectors.UnitVolt, collectors.UnitAmpere:
		return math.Abs(v.Value) < 1e5
	}
	return v.Value >= 0
}

// places are the placeholders of a text.
var places = regexp.MustCompile(`\{(\d+)`)

// spoken: a reason is one of the kind's words, with something in every place, in both languages.
func spoken(t *testing.T, r collectors.Reason) {
	t.Helper()
	pattern, known := words[r.Code]
	if !known {
		t.Errorf("there are no words for %q", r.Code)
	}
	for _, place := range places.FindAllStringSubmatch(pattern.EN, -1) {
		if n, err := strconv.Atoi(place[1]); err != nil || n >= len(r.Args) {
			t.Errorf("%s has nothing for %s", r.Code, place[0])
		}
	}
	for _, lang := range []collectors.Lang{collectors.English, collectors.Spanish} {
		text := words.Say(lang, r)
		if text == "" || strings.ContainsAny(text, "\x00\x1b\r\n") || strings.Contains(text, "%!") || !utf8.ValidString(text) || len(text) > 1500 {
			t.Errorf("%s is said as %.2000q", r.Code, text)
		}
	}
}

// byVersion1 finds the same over SNMPv1, but for what has 64 bits.
func (d *recorded) byVersion1(t *testing.T) {
	_, agent, kind := turned(t, d.recording)
	config := towards(kind, int(agent.Addr().Port()), func(c *Config) { c.Version = "1" })
	if got := counts(surveyed(t, config, 20*time.Second)); got != counts(d.survey) {
		t.Errorf("found %v over v1, %v over v2c", got, counts(d.survey))
	}
	c := check(t, config, 0)
	for range 2 {
		sane(t, probe(t, c, 10*time.Second))
	}
}
