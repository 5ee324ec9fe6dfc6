package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kamailioConfig is a proxy whose siptrace lines are those of docs/voice.md.
const kamailioConfig = `#!KAMAILIO
debug=1
log_stderror=yes
children=1
disable_tcp=yes
listen=udp:%[1]s
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "siptrace.so"
modparam("siptrace", "trace_on", 1)
modparam("siptrace", "trace_mode", 1)
modparam("siptrace", "hep_mode_on", 1)
modparam("siptrace", "hep_version", 3)
modparam("siptrace", "hep_capture_id", 7)
modparam("siptrace", "duplicate_uri", "sip:%[2]s")
modparam("siptrace", "trace_to_database", 0)
modparam("siptrace", "auth_key", "open sesame")
request_route {
	record_route();
	if (has_totag()) { loose_route(); }
	$du = "sip:%[3]s";
	t_relay();
}
`

// TestPeersKamailio: a real Kamailio with the listing of docs/voice.md tells of the calls that sipp makes through it: who, when, with which codec.
func TestPeersKamailio(t *testing.T) {
	kamailio, sipp := tool(t, "kamailio", "kamailio"), tool(t, "sipp", "sip-tester")
	w := newVoiceWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "vigia.db"))
	dir, proxy, answerer := t.TempDir(), freeAddress(t), freeAddress(t)
	file := filepath.Join(dir, "kamailio.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, kamailioConfig, proxy, w.hep, answerer), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	run := func(program string, args ...string) *lockedBuffer {
		cmd, output := exec.CommandContext(ctx, program, args...), &lockedBuffer{}
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // Kamailio takes its children with it
		cmd.WaitDelay = 5 * time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { end(); cmd.Wait() })
		return output
	}
	said := run(kamailio, "-f", file, "-DD", "-E", "-Y", dir)
	_, port, _ := net.SplitHostPort(answerer)
	run(sipp, "-sn", "uas", "-i", "127.0.0.1", "-p", port, "-nostdin")
	if !eventually(15*time.Second, func() bool { return listensUDP(proxy) && listensUDP(answerer) }) {
		t.Fatalf("kamailio and sipp do not listen:\n%s", said)
	}
	const calls = 3
	out, err := exec.CommandContext(ctx, sipp, "-sn", "uac", "-i", "127.0.0.1", "-m", fmt.Sprint(calls), "-d", "500", "-nostdin", proxy).CombinedOutput()
	if err != nil {
		t.Fatalf("sipp: %v\n%s\n%s", err, out, said)
	}
	if !eventually(30*time.Second, func() bool { return len(w.calls()) == calls }) {
		t.Fatalf("stored are %+v, want %d\n%s\n%s", w.calls(), calls, said, w.p.get(t, "/metrics"))
	}
	for _, c := range w.calls() {
		if c.Codec == nil || *c.Codec != "PCMU" || c.From == nil || *c.From != "sipp" || c.Site == nil || *c.Site != "san-jose" || w.endedBy(c.ID) != "hangup" {
			t.Errorf("the call is %+v, ended by %q", c, w.endedBy(c.ID))
		}
	}
	if strings.Contains(w.p.get(t, "/metrics"), `vigia_voice_dropped_total{reason="not_decoded",source="hep"}`) {
		t.Errorf("something of Kamailio's was not understood:\n%s", w.p.get(t, "/metrics"))
	}
}

// listensUDP reports whether an address is taken.
func listensUDP(address string) bool {
	c, err := net.ListenPacket("udp", address)
	if err == nil {
		c.Close()
	}
	return err != nil
}
