package vqrtcpxr

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// scenario is a phone that publishes one report per call.
const scenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="report">
  <send retrans="500"><![CDATA[
PUBLISH sip:collector@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:phone@[local_ip]>;tag=[call_number]
To: <sip:collector@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 PUBLISH
Max-Forwards: 70
Event: vq-rtcpxr
Content-Type: application/vq-rtcpxr
Content-Length: [len]

VQSessionReport: CallTerm
CallID: call-[call_number]@pbx
LocalMetrics:
QualityEst:MOSLQ=4.1
]]></send>
  <recv response="200"></recv>
</scenario>
`

// TestSipp: a SIP user agent that we did not write publishes over UDP and TCP, and is content with the answers.
func TestSipp(t *testing.T) {
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		t.Skip("sipp is not installed (package sip-tester, see .ci/install)")
	}
	file := filepath.Join(t.TempDir(), "publish.xml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	for transport, flag := range map[string]string{"UDP": "u1", "TCP": "t1"} {
		k := &keeper{}
		l := start(t, k, "127.0.0.0/8")
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		_, port, _ := net.SplitHostPort(freePort(t))
		cmd := exec.CommandContext(ctx, sipp, "-sf", file, "-t", flag, "-i", "127.0.0.1", "-p", port, "-m", "50", "-r", "200", "-nostdin", l.Addr().String())
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: sipp: %v\n%s", transport, err, out)
		}
		if n := len(k.got()); n != 50 {
			t.Errorf("%s: %d reports of 50: %v", transport, n, l.Stats().By)
		}
	}
}

// freePort is an address that nobody has just now.
func freePort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}
