package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collectors/collectorstest/callsim"
	"vigia/mos"
)

// voiceConfig is an operator with one carrier and two customers; everybody's reports come over loopback.
const voiceConfig = `listen: %[1]s
store: %[2]s
sites: [{name: san-jose}, {name: miami}]
servers: [{name: sbc-1, site: san-jose, media: [192.0.2.64/28]}]
trunks:
  - {name: carrier-a, site: miami, networks: [203.0.113.0/28]}
customers:
  - {name: acme, match: {networks: [198.51.100.0/25]}}
  - {name: globex, match: {networks: [198.51.100.128/25]}}
voice:
  rtcp: {listen: "%[3]s", allow: [127.0.0.0/8]}
  hep: {udp: "%[4]s", tcp: "%[4]s", allow: [127.0.0.0/8], key: "open sesame"}
  vqrtcpxr: {listen: "%[5]s", allow: [127.0.0.0/8]}
  jitter_buffer: {mode: fixed, max: 60ms}
  agents: [{id: 7, site: san-jose}]
`

// callView is a call as vigia calls and the API show it.
type callView struct {
	ID        string       `json:"call_id"`
	From      *string      `json:"from"`
	To        *string      `json:"to"`
	UserAgent string       `json:"user_agent"`
	Customer  string       `json:"customer"`
	Trunk     *string      `json:"trunk"`
	Site      *string      `json:"site"`
	Codec     *string      `json:"codec"`
	Cause     *string      `json:"cause"`
	MOS       *float64     `json:"mos"`
	Streams   []streamView `json:"streams"`
}

// streamView is one direction of one leg.
type streamView struct {
	Direction string   `json:"direction"`
	SSRC      uint32   `json:"ssrc"`
	LossPct   *float64 `json:"loss_pct"`
	JitterMS  *float64 `json:"jitter_ms"`
	RTTMS     *float64 `json:"rtt_ms"`
	MOS       *float64 `json:"mos"`
	Assumed   []string `json:"assumed"`
}

// voiceWorld is a running vigia with the addresses that it takes reports at.
type voiceWorld struct {
	t                 *testing.T
	file              string
	rtcp, hep, phones string
	p                 *process
}

func newVoiceWorld(t *testing.T, dsn string) *voiceWorld {
	t.Helper()
	w := &voiceWorld{t: t, file: filepath.Join(t.TempDir(), "vigia.yaml"), rtcp: freeAddress(t), hep: freeAddress(t), phones: freeAddress(t)}
	w.p = w.start(dsn)
	return w
}

func (w *voiceWorld) start(dsn string) *process {
	w.t.Helper()
	listen := freeAddress(w.t)
	text := fmt.Sprintf(voiceConfig, listen, dsn, w.rtcp, w.hep, w.phones)
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return start(w.t, listen, "run", "-c", w.file)
}

// agent tells the monitor of what it sees, over UDP or TCP.
func (w *voiceWorld) agent(network string) func(*callsim.Seen) {
	w.t.Helper()
	conn, err := net.Dial(network, w.hep)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	a := callsim.Agent{ID: 7, Key: "open sesame"}
	return func(s *callsim.Seen) {
		if _, err := conn.Write(a.AppendHEP(nil, s)); err != nil {
			w.t.Errorf("send to %s: %v", w.hep, err)
		}
	}
}

// calls are what vigia calls prints.
func (w *voiceWorld) calls() []callView {
	w.t.Helper()
	return storedCalls(w.t, w.file)
}

// storedCalls are what vigia calls prints with a configuration.
func storedCalls(t *testing.T, file string) []callView {
	t.Helper()
	cmd := exec.Command(binary, "calls", "-c", file, "--json")
	cmd.Dir = filepath.Dir(file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("vigia calls: %v\n%s", err, stderr.String())
	}
	var list []callView
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var c callView
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		list = append(list, c)
	}
	return list
}

// streamOf is the stream of an SSRC; nil when no call has it.
func streamOf(calls []callView, ssrc uint32) *streamView {
	for _, c := range calls {
		for i := range c.Streams {
			if c.Streams[i].SSRC == ssrc {
				return &c.Streams[i]
			}
		}
	}
	return nil
}

// find is a stored call.
func (w *voiceWorld) find(id string) (callView, bool) {
	for _, c := range w.calls() {
		if c.ID == id {
			return c, true
		}
	}
	return callView{}, false
}

// endedBy reads how a call ended from the table that vigia calls prints.
func (w *voiceWorld) endedBy(id string) string {
	w.t.Helper()
	return endedBy(w.t, w.file, id)
}

// endedBy reads how a call ended with a configuration.
func endedBy(t *testing.T, file, id string) string {
	t.Helper()
	cmd := exec.Command(binary, "calls", "-c", file)
	cmd.Dir = filepath.Dir(file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("vigia calls: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && f[len(f)-1] == id {
			return f[len(f)-2]
		}
	}
	return ""
}

// simulated is a call of acme to the carrier, of which the caller hears a part only.
func simulated(id string) *callsim.Call {
	return &callsim.Call{
		ID: id, Codec: callsim.PCMA(), Every: time.Second,
		Caller: callsim.Party{
			Number: "+50622220000", Host: "pbx.acme.example", Agent: "PBX/1", SSRC: 0xaaaa0001,
			Signalling: netip.MustParseAddrPort("198.51.100.10:5060"), Media: netip.MustParseAddrPort("198.51.100.10:4000"),
			Hears: callsim.Hearing{LossPct: 6, JitterMS: 4, TripMS: 30},
		},
		Callee: callsim.Party{
			Number: "+50255550000", Host: "carrier.example", Agent: "SBC/2", SSRC: 0xbbbb0001,
			Signalling: netip.MustParseAddrPort("203.0.113.5:5060"), Media: netip.MustParseAddrPort("203.0.113.6:6000"),
			Hears: callsim.Hearing{JitterMS: 4, TripMS: 50},
		},
	}
}

// TestVoice: calls that are told of over HEP and by phones are stored with the right owner, score and cause, on both databases, and one that is
// going on when the process is told to stop is stored too.
func TestVoice(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		w := newVoiceWorld(t, dsn)
		ctx, hangUp := context.WithCancel(t.Context())
		defer hangUp()
		phone := simulated("call-of-phone@pbx") // nobody reports about it but the phone
		phone.Every, phone.Caller.Number, phone.Callee.Number = time.Hour, "+50622220002", "+50255550001"
		phone.Caller.Media, phone.Callee.Media = netip.MustParseAddrPort("198.51.100.20:4002"), netip.MustParseAddrPort("203.0.113.6:6002")
		rung := make(chan struct{})
		go func() {
			defer close(rung)
			phone.Play(ctx, 5*time.Second, w.agent("udp"))
		}()
		whole := simulated("whole@pbx")
		done := make(chan struct{})
		go func() {
			defer close(done)
			whole.Play(ctx, 9*time.Second, w.agent("udp"))
		}()
		going := simulated("going@pbx")
		going.Caller.Media = netip.MustParseAddrPort("198.51.100.200:4000")
		going.Caller.Signalling = netip.MustParseAddrPort("198.51.100.200:5060")
		going.Caller.Number, going.Callee.Number = "+50622221111", "+50255551111" // with the same numbers it could be a leg of the other
		going.Caller.SSRC, going.Callee.SSRC, going.Callee.Media = 0xcccc0001, 0xdddd0001, netip.MustParseAddrPort("203.0.113.6:6100")
		going.Caller.Hears = going.Callee.Hears
		stopped := make(chan struct{})
		ongoing, stopOngoing := context.WithCancel(ctx)
		go func() {
			defer close(stopped)
			going.Play(ongoing, time.Hour, w.agent("tcp"))
		}()
		<-rung
		published := w.publish(phone.ID)
		<-done
		w.holds(whole, "acme")
		if !strings.Contains(published, "200 OK") {
			t.Errorf("the phone's report was answered with\n%s", published)
		}
		w.phoneCall("call-of-phone@pbx")
		w.apiAgrees("whole@pbx")
		w.counted()
		stopOngoing() // no BYE: it goes on for all that the monitor knows
		<-stopped
		if code := w.p.stop(); code != 0 {
			t.Errorf("exit code %d:\n%s", code, w.p.output)
		}
		c, ok := w.find("going@pbx")
		if !ok || c.Customer != "globex" || c.MOS == nil || w.endedBy("going@pbx") != "shutdown" {
			t.Errorf("the call that was going on is %+v, ended by %q\n%s", c, w.endedBy("going@pbx"), w.p.output)
		}
	})
}

// holds waits until a call is stored and compares it with the truth.
func (w *voiceWorld) holds(truth *callsim.Call, customer string) {
	t := w.t
	t.Helper()
	var c callView
	if !eventually(30*time.Second, func() (ok bool) { c, ok = w.find(truth.ID); return ok }) {
		t.Fatalf("the call %s is not stored:\n%s\n%s", truth.ID, w.p.output, w.p.get(t, "/metrics"))
	}
	_, want, err := truth.Truth(callsim.Caller, &mos.Buffer{Ms: 60})
	if err != nil {
		t.Fatal(err)
	}
	if c.MOS == nil || math.Abs(*c.MOS-want) > 0.1 {
		t.Errorf("MOS %v, want %.2f: %+v", text(c.MOS), want, c)
	}
	if c.Customer != customer || c.Trunk == nil || *c.Trunk != "carrier-a" || c.Codec == nil || *c.Codec != "PCMA" || c.Cause == nil || *c.Cause != "loss" {
		t.Errorf("the call is %+v", c)
	}
	_, good, err := truth.Truth(callsim.Callee, &mos.Buffer{Ms: 60})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Streams {
		if s.Direction == "caller_to_callee" && (s.MOS == nil || math.Abs(*s.MOS-good) > 0.1) {
			t.Errorf("the callee hears %v, want %.2f", text(s.MOS), good)
		}
	}
}

func text(f *float64) string {
	if f == nil {
		return "nothing"
	}
	return fmt.Sprintf("%.2f", *f)
}

// publish sends a phone's report at the end of its call and returns the answer.
func (w *voiceWorld) publish(callID string) string {
	w.t.Helper()
	body := "VQSessionReport: CallTerm\r\nCallID: " + callID + "\r\nLocalID: <sip:+50622220002@acme.example>\r\nRemoteID: <sip:+50255550001@acme.example>\r\n" +
		"LocalAddr: IP=198.51.100.20 PORT=4002 SSRC=0x11112222\r\nRemoteAddr: IP=203.0.113.6 PORT=6002 SSRC=0x33334444\r\nLocalMetrics:\r\n" +
		"Timestamps: START=" + time.Now().Add(-6*time.Second).UTC().Format(time.RFC3339) + " STOP=" + time.Now().UTC().Format(time.RFC3339) + "\r\n" +
		"SessionDesc: PT=8 PD=PCMA SR=8000 FD=20 FO=160 FPP=1 PPS=50 PLC=3 SSUP=off\r\nJitterBuffer: JBA=3 JBR=2 JBN=40 JBM=80 JBX=120\r\n" +
		"PacketLoss: NLR=0.0 JDR=8.0\r\nDelay: RTD=60 ESD=60 IAJ=12\r\nQualityEst: MOSLQ=3.2 MOSCQ=3.1\r\n"
	conn, err := net.Dial("udp", w.phones)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUBLISH sip:vigia@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKp1;rport\r\nFrom: <sip:201@acme.example>;tag=1\r\n"+
		"To: <sip:vigia@127.0.0.1>\r\nCall-ID: publish-1\r\nCSeq: 1 PUBLISH\r\nEvent: vq-rtcpxr\r\nUser-Agent: Phone/3\r\nContent-Type: application/vq-rtcpxr\r\n"+
		"Content-Length: %d\r\n\r\n%s", conn.LocalAddr(), len(body), body)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 2000)
	n, err := conn.Read(answer)
	if err != nil {
		w.t.Errorf("the phone hears no answer: %v", err)
	}
	return string(answer[:n])
}

// phoneCall waits for the call whose quality a phone alone told of.
func (w *voiceWorld) phoneCall(id string) {
	w.t.Helper()
	var c callView
	if !eventually(30*time.Second, func() (ok bool) { c, ok = w.find(id); return ok }) {
		w.t.Fatalf("the phone's call is not stored:\n%s\n%s", w.p.output, w.p.get(w.t, "/metrics"))
	}
	if c.Customer != "acme" || c.MOS == nil || *c.MOS > 4 || c.Cause == nil || *c.Cause != "late" {
		w.t.Errorf("the phone's call is %+v (MOS %s)", c, text(c.MOS))
	}
}

// apiAgrees compares the API with what vigia calls says.
func (w *voiceWorld) apiAgrees(id string) {
	w.t.Helper()
	want, _ := w.find(id)
	var page struct {
		Calls []callView `json:"calls"`
	}
	if err := w.p.getJSON("/api/v1/calls?since="+url.QueryEscape(time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)), &page); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range page.Calls {
		if c.ID == id {
			if c.Customer != want.Customer || c.MOS == nil || want.MOS == nil || *c.MOS != *want.MOS {
				w.t.Errorf("the API says %+v, vigia calls %+v", c, want)
			}
			return
		}
	}
	w.t.Errorf("the API does not have %s among %d calls", id, len(page.Calls))
}

// counted reads the counters of the sources.
func (w *voiceWorld) counted() {
	w.t.Helper()
	if conn, err := net.Dial("udp", w.rtcp); err == nil {
		fmt.Fprint(conn, "no RTCP at all")
		conn.Close()
	}
	for _, line := range []string{
		`vigia_voice_dropped_total{reason="not_rtcp",source="rtcp"} 1`, `vigia_voice_decoded_total{source="vqrtcpxr"} 1`, `vigia_voice_up 1`, `vigia_voice_received_total{source="hep"}`,
	} {
		if !eventually(10*time.Second, func() bool { return strings.Contains(w.p.get(w.t, "/metrics"), line) }) {
			w.t.Errorf("/metrics does not say %s:\n%s", line, w.p.get(w.t, "/metrics"))
		}
	}
}

// TestVoiceStandby: a standby takes no reports, and takes them as soon as it is the active one.
func TestVoiceStandby(t *testing.T) {
	dsn := os.Getenv("VIGIA_TEST_POSTGRES")
	needs(t, dsn != "", "PostgreSQL", "set VIGIA_TEST_POSTGRES to a DSN whose user may create databases (.ci/postgres.sh start prints one)")
	dsn = newDatabase(t, dsn)
	active, standby := newVoiceWorld(t, dsn), newVoiceWorld(t, dsn)
	opened := func(address string) bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	if !opened(active.hep) || opened(standby.hep) || opened(standby.phones) {
		t.Fatalf("the active one listens: %v; the standby listens: %v", opened(active.hep), opened(standby.hep))
	}
	if code := active.p.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !eventually(20*time.Second, func() bool { return opened(standby.hep) && opened(standby.phones) }) {
		t.Errorf("the standby does not listen after it took over:\n%s", standby.p.output)
	}
}
