package e2e

import (
	"fmt"
	"testing"
	"time"
)

// incidentView is what the demo's test reads of /api/v1/incidents/{id}.
type incidentView struct {
	MergedInto int64  `json:"merged_into"` // 0 for none
	ID         int64  `json:"id"`
	State      string `json:"state"`
	Ref        string `json:"ref"`
	Events     []struct {
		Kind  string `json:"kind"`
		Actor string `json:"actor"`
	} `json:"events"`
}

// TestDemo sees, in three minutes at most, what the devices say of the links and servers, an alarm rise, escalate, be taken and clear, and why a
// reading was thrown away after it: what a newcomer sees.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes two minutes: run without -short")
	}
	listen := freeAddress(t)
	p := start(t, listen, "demo", "--listen", listen)
	seesFigures(t, p, 15*time.Second)
	first := firstIncident(t, p, 60*time.Second)
	seen := func(kind string) func() bool {
		return func() bool {
			for _, e := range readIncident(t, p, first).Events {
				if e.Kind == kind {
					return true
				}
			}
			return false
		}
	}
	levels := func() bool {
		n := 0
		for _, e := range readIncident(t, p, first).Events {
			if e.Kind == "told" {
				n++
			}
		}
		return n >= 2
	}
	if !eventually(40*time.Second, levels) {
		t.Fatalf("it did not escalate: %+v", readIncident(t, p, first))
	}
	if !eventually(40*time.Second, seen("acknowledged")) {
		t.Fatalf("nobody took it: %+v", readIncident(t, p, first))
	}
	if !eventually(60*time.Second, seen("resolved")) {
		t.Fatalf("it did not clear: %+v", readIncident(t, p, first))
	}
	seesDiscarded(t, p, "link/sjo-gua", "snmp.discarded_mark", 20*time.Second)
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.output)
	}
}

func firstIncident(t *testing.T, p *process, within time.Duration) int64 {
	t.Helper()
	var id int64
	if !eventually(within, func() bool {
		var list struct {
			Incidents []incidentView `json:"incidents"`
		}
		if err := p.getJSON("/api/v1/incidents", &list); err != nil || len(list.Incidents) == 0 {
			return false
		}
		id = list.Incidents[len(list.Incidents)-1].ID
		return true
	}) {
		t.Fatalf("no incident rose:\n%s", p.output)
	}
	return id
}

// readIncident reads an incident, or the one that it became part of: a trunk may fall silent a moment before the link that it runs over.
func readIncident(t *testing.T, p *process, id int64) incidentView {
	t.Helper()
	var i incidentView
	if err := p.getJSON(fmt.Sprintf("/api/v1/incidents/%d", id), &i); err != nil {
		t.Fatalf("%v\n%s", err, p.output)
	}
	if i.MergedInto > 0 {
		return readIncident(t, p, i.MergedInto)
	}
	return i
}
