package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// recording writes a capture file packet by packet.
type recording struct {
	t *testing.T
	w *pcapgo.Writer
}

func newRecording(t *testing.T, path string) *recording {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkTypeRaw); err != nil {
		t.Fatal(err)
	}
	return &recording{t, w}
}

// udp writes one datagram.
func (r *recording) udp(at time.Time, from, to string, payload []byte) {
	r.t.Helper()
	src, dst := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	b := binary.BigEndian
	p := []byte{0x45, 0}
	p = b.AppendUint16(p, uint16(28+len(payload)))
	p = append(p, 0, 1, 0, 0, 64, 17, 0, 0)
	p = append(append(p, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
	p = b.AppendUint16(b.AppendUint16(p, src.Port()), dst.Port())
	p = append(b.AppendUint16(p, uint16(8+len(payload))), 0, 0)
	p = append(p, payload...)
	if err := r.w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(p), Length: len(p)}, p); err != nil {
		r.t.Fatal(err)
	}
}

func sipText(start, method, to, body string) []byte {
	return fmt.Appendf(nil, "%s\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%s\r\nFrom: <sip:+50622221111@acme.example>;tag=a\r\nTo: <sip:+50222223333@carrier.example>%s\r\n"+
		"Call-ID: call-1@acme\r\nCSeq: 1 %s\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", start, method, to, method, len(body), body)
}

func sdp(addr string, port int) string {
	return fmt.Sprintf("v=0\r\nc=IN IP4 %s\r\nm=audio %d RTP/AVP 8\r\n", addr, port)
}

// senderReport is an SR with one block about what the other side sends.
func senderReport(own, other uint32, seconds int, lostPct int) []byte {
	b, sent := binary.BigEndian, uint32(seconds*50)
	p := append([]byte{0x81, 200}, 0, 12)
	p = b.AppendUint32(p, own)
	p = b.AppendUint32(b.AppendUint32(p, uint32(3_900_000_000+seconds)), 0)
	p = b.AppendUint32(b.AppendUint32(b.AppendUint32(p, sent*160), sent), sent*160)
	p = b.AppendUint32(p, other)
	p = b.AppendUint32(p, uint32(lostPct*256/100)<<24|sent*uint32(lostPct)/100)
	p = b.AppendUint32(b.AppendUint32(p, 1000+sent), 40)
	return b.AppendUint32(b.AppendUint32(p, 0), 0)
}

// record is a call of a minute, of which the callee hears a part only.
func record(t *testing.T, path string, lostPct int) {
	r := newRecording(t, path)
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const ana, bob = "192.0.2.1", "198.51.100.2"
	r.udp(at, ana+":5060", bob+":5060", sipText("INVITE sip:+50222223333@carrier.example SIP/2.0", "INVITE", "", sdp(ana, 4000)))
	r.udp(at.Add(time.Second), bob+":5060", ana+":5060", sipText("SIP/2.0 200 OK", "INVITE", ";tag=b", sdp(bob, 6000)))
	r.udp(at.Add(time.Second), ana+":5060", bob+":5060", sipText("ACK sip:b SIP/2.0", "ACK", ";tag=b", ""))
	for s := 5; s <= 60; s += 5 {
		r.udp(at.Add(time.Duration(s+1)*time.Second), ana+":4001", bob+":6001", senderReport(0xa, 0xb, s, 0))
		r.udp(at.Add(time.Duration(s+1)*time.Second), bob+":6001", ana+":4001", senderReport(0xb, 0xa, s, lostPct))
	}
	r.udp(at.Add(62*time.Second), ana+":5060", bob+":5060", sipText("BYE sip:b SIP/2.0", "BYE", ";tag=b", ""))
}

// runReplay runs the command and returns what it prints.
func runReplay(t *testing.T, c *ReplayCmd) (stdout, stderr string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	err = c.Run(context.Background(), testKinds(), &kong.Context{Kong: &kong.Kong{Stdout: &out, Stderr: &problems}}, slog.New(slog.DiscardHandler))
	return out.String(), problems.String(), err
}

func TestReplayTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.pcap")
	record(t, path, 12)
	stdout, stderr, err := runReplay(t, &ReplayCmd{Files: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "START") {
		t.Fatalf("%s", stdout)
	}
	for _, want := range []string{"2026-11-01 12:00:00  62 ", "+50622221111", "+50222223333", "PCMA", " nb ", " loss ", " 12.0 %"} {
		if !strings.Contains(lines[1], want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if want := "1 calls, 1 with a MOS; 28 packets; SIP 4; RTCP 24; RTP 0\n"; stderr != want {
		t.Errorf("summary %q, want %q", stderr, want)
	}
}

// TestReplayJSON: the shape of design §7, and a second file that continues the first.
func TestReplayJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "good.pcap")
	record(t, path, 0)
	stdout, _, err := runReplay(t, &ReplayCmd{JSON: true, Files: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	var call map[string]any
	if err := json.Unmarshal([]byte(stdout), &call); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	for _, key := range strings.Fields("call_id customer trunk site from to start end codec network country user_agent mos r scale cause coverage_pct streams") {
		if _, ok := call[key]; !ok {
			t.Errorf("%s is missing", key)
		}
	}
	if call["call_id"] != "call-1@acme" || len(call["streams"].([]any)) != 2 {
		t.Errorf("%s", stdout)
	}
	if m, ok := call["mos"].(float64); !ok || m < 4 {
		t.Errorf("a call without loss has MOS %v", call["mos"])
	}
}

// hepMessage is HEP 3 of an agent that saw a packet between two addresses.
func hepMessage(at time.Time, kind byte, from, to string, payload []byte) []byte {
	b, src, dst := binary.BigEndian, netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	body := []byte{}
	chunk := func(number uint16, value []byte) {
		body = b.AppendUint16(b.AppendUint16(b.AppendUint16(body, 0), number), uint16(6+len(value)))
		body = append(body, value...)
	}
	chunk(1, []byte{2})
	chunk(2, []byte{17})
	chunk(3, src.Addr().AsSlice())
	chunk(4, dst.Addr().AsSlice())
	chunk(7, b.AppendUint16(nil, src.Port()))
	chunk(8, b.AppendUint16(nil, dst.Port()))
	chunk(9, b.AppendUint32(nil, uint32(at.Unix())))
	chunk(10, b.AppendUint32(nil, uint32(at.Nanosecond()/1000)))
	chunk(11, []byte{kind})
	chunk(12, b.AppendUint32(nil, 7))
	chunk(15, payload)
	return append(b.AppendUint16([]byte("HEP3"), uint16(6+len(body))), body...)
}

// TestReplayHEP: what agents sent to a capture server is worth the same as the packets themselves.
func TestReplayHEP(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hep.pcap")
	r := newRecording(t, path)
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const ana, bob = "192.0.2.1", "198.51.100.2"
	send := func(after int, kind byte, from, to string, payload []byte) {
		seen := at.Add(time.Duration(after) * time.Second)
		r.udp(seen.Add(time.Millisecond), "10.0.0.9:40000", "10.0.0.1:9060", hepMessage(seen, kind, from, to, payload))
	}
	send(0, 1, ana+":5060", bob+":5060", sipText("INVITE sip:+50222223333@carrier.example SIP/2.0", "INVITE", "", sdp(ana, 4000)))
	send(1, 1, bob+":5060", ana+":5060", sipText("SIP/2.0 200 OK", "INVITE", ";tag=b", sdp(bob, 6000)))
	for s := 5; s <= 30; s += 5 {
		send(s+1, 5, ana+":4001", bob+":6001", senderReport(0xa, 0xb, s, 0))
		send(s+1, 5, bob+":6001", ana+":4001", senderReport(0xb, 0xa, s, 10))
	}
	send(32, 35, bob+":5060", ana+":5060", []byte("VQSessionReport: CallTerm\r\nCallID:call-1@acme\r\nLocalAddr:IP=198.51.100.2 PORT=6000 SSRC=0xb\r\nQualityEst:MOSLQ=3.1\r\n"))
	send(32, 1, ana+":5060", bob+":5060", sipText("BYE sip:b SIP/2.0", "BYE", ";tag=b", ""))
	stdout, stderr, err := runReplay(t, &ReplayCmd{Files: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); len(lines) != 2 || !strings.Contains(lines[1], " 9.9 %") || !strings.Contains(lines[1], " loss ") {
		t.Errorf("%s", stdout)
	}
	if want := "1 calls, 1 with a MOS; 16 packets; SIP 0; RTCP 0; RTP 0; HEP 16; reports of phones 1\n"; stderr != want {
		t.Errorf("summary %q, want %q", stderr, want)
	}
}

func TestReplayConfiguration(t *testing.T) {
	dir := t.TempDir()
	path, config := filepath.Join(dir, "good.pcap"), filepath.Join(dir, "vigia.yaml")
	record(t, path, 0)
	text := "customers:\n  - {name: acme, match: {networks: [192.0.2.0/24]}}\nvoice:\n  jitter_buffer: {mode: fixed, max: 80ms}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := runReplay(t, &ReplayCmd{Config: config, Files: []string{path}})
	if err != nil || !strings.Contains(stdout, "CUSTOMER") || !strings.Contains(stdout, "acme") {
		t.Errorf("%v\n%s%s", err, stdout, stderr)
	}
	if err := os.WriteFile(config, []byte("custumers: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err = runReplay(t, &ReplayCmd{Config: config, Files: []string{path}}); err == nil || !strings.Contains(stderr, "custumers") {
		t.Errorf("%v, %s", err, stderr)
	}
}

// TestReplayBroken: what could be read of broken files is shown, and each is named.
func TestReplayBroken(t *testing.T) {
	dir := t.TempDir()
	good, cut, text := filepath.Join(dir, "good.pcap"), filepath.Join(dir, "cut.pcap"), filepath.Join(dir, "text.pcap")
	record(t, good, 0)
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{cut: data[:len(data)-100], text: []byte("no capture")} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stdout, _, err := runReplay(t, &ReplayCmd{JSON: true, Files: []string{text, cut}})
	if strings.Count(stdout, "call-1@acme") != 1 {
		t.Errorf("the call is not shown once:\n%s", stdout)
	}
	for _, want := range []string{"text.pcap: not a capture", fmt.Sprintf("cut.pcap: truncated at octet %d", len(data)-100)} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestReadingBar(t *testing.T) {
	for _, c := range []struct {
		read, total int64
		want        string
	}{{0, 100, "\r[..............................]   0 %  7 packets "}, {50, 100, "\r[###############...............]  50 %  7 packets "}, {200, 100, "\r[##############################] 100 %  7 packets "}} {
		if got := barText(c.read, c.total, 7); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
