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

// publishScenario is a phone that reports at the end of its call and wants to hear 200.
const publishScenario = `<?xml version="1.0" encoding="ISO-8859-1" ?>
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
CallID: [transport]-[call_number]@phone
LocalID: <sip:phone@pbx.example>
RemoteID: <sip:other@pbx.example>
LocalAddr: IP=198.51.100.20 PORT=4002 SSRC=0x%[3]d1[call_number]
RemoteAddr: IP=203.0.113.6 PORT=6002 SSRC=0x%[3]d3[call_number]
LocalMetrics:
Timestamps: START=%[1]s STOP=%[2]s
SessionDesc: PT=8 PD=PCMA SR=8000 FD=20 FO=160 FPP=1 PPS=50 PLC=3 SSUP=off
JitterBuffer: JBA=3 JBR=2 JBN=40 JBM=80 JBX=120
PacketLoss: NLR=5.0 JDR=2.0
Delay: RTD=60 ESD=60 IAJ=12
]]></send>
  <recv response="200"></recv>
</scenario>
`

const phonesConfig = `listen: %[1]s
store: %[2]s
voice: {vqrtcpxr: {listen: "%[3]s", allow: [127.0.0.2/32]}}
`

// TestPeersPhones: a real user agent publishes reports over UDP and TCP, is answered with 200, and each becomes a call, although the calls follow one
// another on the same ports; nobody else is answered.
func TestPeersPhones(t *testing.T) {
	sipp := tool(t, "sipp", "sip-tester")
	dir, listen, phones := t.TempDir(), freeAddress(t), freeAddress(t)
	file, scenario := filepath.Join(dir, "vigia.yaml"), filepath.Join(dir, "publish.xml")
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, fmt.Sprintf(phonesConfig, listen, "sqlite:"+filepath.Join(dir, "vigia.db"), phones))
	p := start(t, listen, "run", "-c", file)
	stranger := shout(t, phones)
	const each = 3
	for i, mode := range []string{"u1", "t1"} {
		stop := time.Now().UTC()
		write(scenario, fmt.Sprintf(publishScenario, stop.Add(-time.Minute).Format(time.RFC3339), stop.Format(time.RFC3339), i+1))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		cmd := exec.CommandContext(ctx, sipp, "-sf", scenario, "-t", mode, "-i", "127.0.0.2", "-m", fmt.Sprint(each), "-nostdin", phones)
		cmd.Dir = t.TempDir()
		out, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("sipp -t %s: %v\n%s", mode, err, out)
		}
	}
	stranger.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // all that came later has been answered
	if n, err := stranger.Read(make([]byte, 2000)); err == nil {
		t.Errorf("a source that is not allowed is answered, with %d octets", n)
	}
	if got := p.get(t, "/metrics"); !strings.Contains(got, `vigia_voice_decoded_total{source="vqrtcpxr"} 6`) {
		t.Errorf("not six reports:\n%s", got)
	}
	p.stop()
	calls := storedCalls(t, file)
	for _, c := range calls {
		if c.MOS == nil || c.Codec == nil || *c.Codec != "PCMA" || *c.MOS > 4 || *c.MOS < 3 {
			t.Errorf("the call is %+v (MOS %s)", c, text(c.MOS))
		}
	}
	if len(calls) != 2*each {
		t.Errorf("%d calls are stored, want %d: %+v", len(calls), 2*each, calls)
	}
}

// shout sends a request from an address that is not allowed.
func shout(t *testing.T, to string) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp", to) // from 127.0.0.1
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "PUBLISH sip:vigia@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKq1;rport\r\nFrom: <sip:x@127.0.0.1>;tag=1\r\n"+
		"To: <sip:vigia@127.0.0.1>\r\nCall-ID: stranger\r\nCSeq: 1 PUBLISH\r\nEvent: vq-rtcpxr\r\nContent-Length: 0\r\n\r\n", conn.LocalAddr())
	return conn
}
