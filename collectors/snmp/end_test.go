package snmp

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest/snmpagent"
	"vigia/collectors/inventory"
)

// TestSilentTableEnds: a device that falls silent in the middle of a poll costs that poll's time and no more. A run whose time is over has
// not learnt that its requests were too large, and one row of a table is not asked for again and again.
func TestSilentTableEnds(t *testing.T) {
	var mute atomic.Bool
	answer := func(q snmpagent.Request, octets []byte) []snmpagent.Reply {
		if mute.Load() && !slices.Contains(q.OIDs, ifLastChange[1:]) {
			return nil
		}
		return []snmpagent.Reply{{Octets: octets}}
	}
	agent, err := snmpagent.Listen("127.0.0.1:0", snmpagent.Config{Recording: switchOf(48), Grow: true, Answer: answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Close() })
	c := Kind().New().(*Config)
	c.Host, c.Port, c.Community = "127.0.0.1", int(agent.Addr().Port()), inventory.NewSecret("public")
	id := collectors.CheckID{Ref: inventory.Ref{Kind: inventory.KindServer, Name: "switch"}, Instance: name}
	collector, err := c.Open(collectors.Setup{ID: id, Every: time.Minute, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if r := collector.Probe(t.Context()); !r.OK {
		t.Fatal(words.Say(collectors.English, r.Why))
	}
	mute.Store(true)
	const allowed = 400 * time.Millisecond
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), allowed)
		start, before := time.Now(), agent.Requests()
		r := collector.Probe(ctx)
		cancel()
		if took := time.Since(start); r.OK || took > 5*time.Second {
			t.Errorf("well: %v after %v, %s", r.OK, took, words.Say(collectors.English, r.Why))
		}
		if n := agent.Requests() - before; n > 12 {
			t.Errorf("%d requests in %v", n, allowed)
		}
	}
	mute.Store(false)
	if r := collector.Probe(t.Context()); !r.OK || len(r.Values) < 48 {
		t.Errorf("afterwards: %d values, %s", len(r.Values), words.Say(collectors.English, r.Why))
	}
}
