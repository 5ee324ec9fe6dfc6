package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPeersCall: a real call that passes a mirror port is stored with who called whom, the codec that both agreed on and a score each way; one that goes on
// when the monitor is told to stop is stored with what was known of it.
func TestPeersCall(t *testing.T) {
	l := newLab(t, 2)
	w := newTap(t, l)
	calls := []*peerCall{
		{program: "baresip", codec: peerG722, loss: [2]int{50, 0}, delayMS: 20},
		{program: "baresip", codec: peerPCMA},
	}
	for i, c := range calls {
		l.place(i+1, c, "")
	}
	const enough = 17 * time.Second // three reports of each
	if eventually(enough, w.dead) {
		t.Fatalf("the monitor has ended:\n%s", w.p.output)
	}
	hangUp(calls[0].peers[west], calls[0].peers[east])
	if !eventually(30*time.Second, func() bool { return len(storedCalls(t, w.file)) == 1 }) {
		t.Fatalf("the call that ended is not stored:\n%s\n%s", w.p.output, w.p.get(t, "/metrics"))
	}
	if code := w.p.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, w.p.output)
	}
	hangUp(calls[1].peers[west], calls[1].peers[east])
	for i, want := range []struct{ codec, ended string }{{"G722", "hangup"}, {"PCMA", "shutdown"}} {
		w.holdsPeerCall(i+1, want.codec, want.ended)
	}
	w.compare(l, calls)
}

// holdsPeerCall compares what is stored of call number k with what was signalled.
func (w *tap) holdsPeerCall(k int, codec, ended string) {
	w.t.Helper()
	to := fmt.Sprintf("party%d", k)
	for _, c := range storedCalls(w.t, w.file) {
		if c.To == nil || *c.To != to {
			continue
		}
		if c.From == nil || *c.From != to || c.Codec == nil || *c.Codec != codec || !strings.HasPrefix(c.UserAgent, "baresip") || len(c.Streams) != 2 {
			w.t.Errorf("call %d is %+v", k, c)
		}
		directions := map[string]bool{}
		for _, s := range c.Streams {
			directions[s.Direction] = s.MOS != nil
		}
		if !directions["caller_to_callee"] || !directions["callee_to_caller"] {
			w.t.Errorf("call %d: scored are %v", k, directions)
		}
		if got := endedBy(w.t, w.file, c.ID); got != ended {
			w.t.Errorf("call %d: ended by %q, want %q", k, got, ended)
		}
		return
	}
	w.t.Errorf("call %d is not among %+v", k, storedCalls(w.t, w.file))
}
