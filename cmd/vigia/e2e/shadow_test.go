package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Two links are alternatives for sbc-2; sbc-1 hangs on a chain of three: sjo-mia, mia-gua, sbc-1.
const shadowConfig = `listen: %[1]s
store: sqlite:%[2]s
sites: [{name: here}]
links:
  - {name: sjo-mia,   site: here, peer: Miami, checks: [{kind: tcp, address: "%[4]s", every: 1s, timeout: 500ms}]}
  - {name: sjo-mia-b, site: here, peer: Miami, checks: [{kind: tcp, address: "%[5]s", every: 1s, timeout: 500ms}]}
  - {name: mia-gua,   site: here, peer: Guatemala, parents: [link/sjo-mia], checks: [{kind: tcp, address: "%[6]s", every: 1s, timeout: 500ms}]}
servers:
  - {name: sbc-1, site: here, parents: [link/mia-gua], checks: [{kind: tcp, address: "%[7]s", every: 1s, timeout: 500ms}]}
  - {name: sbc-2, site: here, parents: [link/sjo-mia, link/sjo-mia-b], checks: [{kind: tcp, address: "%[8]s", every: 1s, timeout: 500ms}]}
thresholds:
  - {metric: up, on: "*/*", tiers: [{severity: critical, raise: 0, clear: 1}], confirm: {probes: 2, every: 300ms}, policy: noc}
policies: [{name: noc, levels: [{name: L1, notify: [hook]}]}]
receivers: [{name: hook, kind: webhook, url: "%[3]s"}]
`

// TestShadow is a parent's outage as the webhook hears it. The link, what hangs on it in two steps, and a server with a second way all stop
// answering: the link pages for what depends on it alone, the server with a second way for itself. When the link is back and one object is
// not, that one pages on its own, after the link's incident is resolved.
func TestShadow(t *testing.T) {
	h, listen, dir := newHook(t), freeAddress(t), t.TempDir()
	link, other, far, chained, twoWays := newGate(t), newGate(t), newGate(t), newGate(t), newGate(t)
	file := filepath.Join(dir, "vigia.yaml")
	text := fmt.Appendf(nil, shadowConfig, listen, filepath.Join(dir, "vigia.db"), h.url, link.addr, other.addr, far.addr, chained.addr, twoWays.addr)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, listen, "run", "-c", file)
	if !eventually(10*time.Second, func() bool { return runs(t, p) >= 5 }) {
		t.Fatalf("nothing is probed:\n%s", p.output)
	}
	for _, g := range []*gate{link, far, chained, twoWays} {
		g.close()
	}
	if !eventually(15*time.Second, func() bool { return len(members(p, "link/sjo-mia")) == 3 && heard(h, "server/sbc-2", "opened") > 0 }) {
		t.Fatalf("members %v, posts %v\n%s", members(p, "link/sjo-mia"), stories(h), p.output)
	}
	link.open(t)
	far.open(t)
	if !eventually(45*time.Second, func() bool { return heard(h, "server/sbc-1", "opened") > 0 }) {
		t.Fatalf("the server that stays away after its link came back pages nobody: %v\n%s", stories(h), p.output)
	}
	chained.open(t)
	twoWays.open(t)
	if !eventually(15*time.Second, func() bool {
		return heard(h, "server/sbc-1", "resolved") > 0 && heard(h, "server/sbc-2", "resolved") > 0
	}) {
		t.Fatalf("recovery is not told: %v", stories(h))
	}
	checkShadow(t, h)
}

// checkShadow holds what the webhook heard against what it must: every incident once from its opening to its end, and nothing of what the
// link had in its shadow before the link was back.
func checkShadow(t *testing.T, h *hook) {
	t.Helper()
	for _, want := range []string{"link/sjo-mia opened", "link/sjo-mia resolved", "server/sbc-1 opened", "server/sbc-1 resolved", "server/sbc-2 opened", "server/sbc-2 resolved"} {
		if n := slices.Index(stories(h), want); n < 0 || slices.Contains(stories(h)[n+1:], want) {
			t.Errorf("%q must come once: %v", want, stories(h))
		}
	}
	if n := len(stories(h)); n != 6 {
		t.Errorf("%d messages, want 6: %v", n, stories(h))
	}
	if slices.Index(stories(h), "server/sbc-1 opened") < slices.Index(stories(h), "link/sjo-mia opened") {
		t.Errorf("a child paged before its parent: %v", stories(h))
	}
	if heard(h, "link/mia-gua", "opened")+heard(h, "link/sjo-mia-b", "opened") > 0 {
		t.Errorf("a link in a shadow, or one that is well, paged: %v", stories(h))
	}
}

// stories is what the webhook heard, in order: about what, and why.
func stories(h *hook) []string {
	var list []string
	for _, p := range h.all() {
		list = append(list, fmt.Sprint(p.Body["ref"], " ", p.Body["cause"]))
	}
	return list
}

func heard(h *hook, ref, cause string) (n int) {
	for _, s := range stories(h) {
		if s == ref+" "+cause {
			n++
		}
	}
	return n
}

// members are the objects whose alarms stand in the live incident about ref.
func members(p *process, ref string) []string {
	var page struct {
		Incidents []struct {
			ID  int64  `json:"id"`
			Ref string `json:"ref"`
		} `json:"incidents"`
	}
	if p.getJSON("/api/v1/incidents?state=live", &page) != nil {
		return nil
	}
	var refs []string
	for _, i := range page.Incidents {
		var detail struct {
			Alarms []struct {
				Series struct {
					Ref string `json:"ref"`
				} `json:"series"`
			} `json:"alarms"`
		}
		if i.Ref == ref && p.getJSON(fmt.Sprintf("/api/v1/incidents/%d", i.ID), &detail) == nil {
			for _, a := range detail.Alarms {
				refs = append(refs, a.Series.Ref)
			}
		}
	}
	return refs
}
