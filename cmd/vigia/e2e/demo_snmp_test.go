package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// figure is what a newcomer should see of a device: a figure within bounds, of the whole or of a part.
type figure struct {
	ref, metric, instance string
	least, most           float64
}

// demoFigures are those of the links' bandwidth and of the servers. The link sjo-gua, whose trouble is the first, is asked before it.
func demoFigures() []figure {
	list := []figure{
		{"link/sjo-gua", "in_bps", "snmp", 80e6, 180e6},
		{"link/sjo-gua", "out_bps", "snmp", 70e6, 160e6},
		{"link/sjo-mia", "in_bps", "snmp", 450e6, 800e6},
		{"link/sjo-mia", "out_bps", "snmp", 350e6, 650e6},
		{"link/sjo-mia", "in_util_pct", "snmp", 45, 80},
		{"server/sbc-2", "disk_pct", "snmp:/var", 85, 88},
	}
	for _, name := range []string{"sbc-1", "sbc-2", "media-1", "media-2"} {
		ref := "server/" + name
		list = append(list,
			figure{ref, "cpu_pct", "snmp", 15, 60}, figure{ref, "ram_pct", "snmp", 45, 70}, figure{ref, "disk_pct", "snmp:/", 20, 60},
			figure{ref, "in_bps", "snmp:eth0", 20e6, 120e6},
		)
	}
	return list
}

// seesFigures waits until all figures are there and plausible.
func seesFigures(t *testing.T, p *process, within time.Duration) {
	t.Helper()
	var lacks string
	if !eventually(within, func() bool { lacks = lacking(p, demoFigures()); return lacks == "" }) {
		t.Errorf("the demo does not show what its devices say:\n%s", lacks)
	}
}

// lacking says which figures are not there or not plausible.
func lacking(p *process, figures []figure) string {
	var out strings.Builder
	known := map[string]map[string]float64{}
	for _, f := range figures {
		if known[f.ref] == nil {
			known[f.ref] = latest(p, f.ref)
		}
		if v, ok := known[f.ref][f.metric+" "+f.instance]; !ok || v < f.least || v > f.most {
			fmt.Fprintf(&out, "%s %s of %s: %v (there: %v), want %v to %v\n", f.metric, f.instance, f.ref, v, ok, f.least, f.most)
		}
	}
	return out.String()
}

// latest is the newest value of each series of an object by "metric instance"; nothing when it cannot be asked.
func latest(p *process, ref string) map[string]float64 {
	var list struct {
		Values []struct {
			Metric, Instance string
			Value            *float64
		}
	}
	out := map[string]float64{}
	if p.getJSON("/api/v1/latest?ref="+ref, &list) != nil {
		return out
	}
	for _, v := range list.Values {
		if v.Value != nil {
			out[v.Metric+" "+v.Instance] = *v.Value
		}
	}
	return out
}

// seesDiscarded waits until a run of a check says why it threw a reading away.
func seesDiscarded(t *testing.T, p *process, ref, code string, within time.Duration) {
	t.Helper()
	var list struct {
		Runs []struct {
			Steps []struct{ Code string }
		}
	}
	if !eventually(within, func() bool {
		if p.getJSON("/api/v1/runs?check=snmp&limit=200&ref="+ref, &list) != nil {
			return false
		}
		for _, r := range list.Runs {
			for _, s := range r.Steps {
				if s.Code == code {
					return true
				}
			}
		}
		return false
	}) {
		t.Errorf("no run of %s says %s: %+v", ref, code, list.Runs)
	}
}
