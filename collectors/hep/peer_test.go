package hep

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"vigia/collectors/voice"
	"vigia/collectors/wire"
)

var record = flag.Bool("record", false, "write what the real peer sent into testdata")

// recording is what rtpengine 10.5.3.5 (Debian 12) sent for the two RTCP packets of TestRTPEngine, as one stream of HEP messages. It was made by
//
//	VIGIA_TEST_ALL=1 go test ./collectors/hep -run 'TestRTPEngine$' -record
const recording = "testdata/rtpengine-10.5.hep"

const (
	ssrcA, ssrcB = 0x0a0a0a0a, 0x0b0b0b0b
	peerCall     = "call-1@vigia.example"
)

// srFrom is an SR of one party with one block about the other and an SDES.
func srFrom(ssrc, other uint32, cname string) []byte {
	b := []byte{0x81, 200, 0, 12}
	for _, v := range []uint32{ssrc, 3998000000, 0x40000000, 8000, 50, 8000, other, 13<<24 | 0xffffff, 65536 + 77, 40, 0x11112222, 32768} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, 0x81, 202, 0, 0)
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = append(append(b, 1, byte(len(cname))), cname...)
	for b = append(b, 0); (len(b)-at)%4 != 0; {
		b = append(b, 0)
	}
	b[at-1] = byte((len(b) - at) / 4)
	return b
}

// checkPeer says what is wrong with the facts that came of srFrom of both parties.
func checkPeer(reports []voice.Report) error {
	seen := map[uint32]bool{}
	for _, r := range reports {
		if r.Reporter != ssrcA && r.Reporter != ssrcB {
			continue // rtpengine's own
		}
		seen[r.Reporter] = true
		cname, other := "a@vigia.example", uint32(ssrcB)
		if r.Reporter == ssrcB {
			cname, other = "b@vigia.example", ssrcA
		}
		want := voice.Report{
			Seen: r.Seen, CorrelationID: r.CorrelationID, Reporter: r.Reporter, Source: other, CNAME: voice.HashName([]byte(cname)),
			SenderNTP: 3998000000<<32 | 0x40000000, SenderRTP: 8000, SentPackets: 50, SentOctets: 8000,
			FractionLost: 13, CumulativeLost: -1, HighestSeq: 65536 + 77, JitterTicks: 40, LSR: 0x11112222, DLSR: 32768, Has: r.Has,
		}
		const bits = voice.HasReporter | voice.HasSource | voice.HasCNAME | voice.HasSenderTime | voice.HasSenderCounts | voice.HasBlock&^voice.HasLostSince
		if fmt.Sprint(r) != fmt.Sprint(want) || !r.Has.Has(bits) || r.Has.Any(voice.RoundedTime|voice.HasLostSince) {
			return fmt.Errorf("report\n%+v\nwant\n%+v", r, want)
		}
		if string(r.CorrelationID) != peerCall || !r.Seen.Src.IsValid() || !r.Seen.Dst.IsValid() || r.Seen.Observer.Agent != agentID || r.Seen.At.Unix() < 1_700_000_000 {
			return fmt.Errorf("seen %+v, correlation id %q", r.Seen, r.CorrelationID)
		}
	}
	if len(seen) != 2 {
		return fmt.Errorf("reporters %v, want both", seen)
	}
	return nil
}

// TestRecording replays what a real rtpengine sent.
func TestRecording(t *testing.T) {
	data, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	var sink recorder
	l := bare(Config{}, decoders{}, &sink)
	h := newHandler(l)
	for len(data) > 0 {
		n := int(binary.BigEndian.Uint16(data[4:]))
		h.message(data[:n], agentAddr, arrival)
		data = data[n:]
	}
	if err := checkPeer(sink.reports); err != nil {
		t.Error(err)
	}
	if s := l.Stats(); s.Dialects[wire.DialectRTPEngine.String()] != s.Messages || s.Messages < 2 {
		t.Errorf("%+v", s)
	}
}

// pair binds two neighbouring UDP ports, RTP and RTCP.
func pair(t *testing.T) (rtp, rtcp *net.UDPConn) {
	t.Helper()
	for range 100 {
		a, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).Port
		b, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port + 1})
		if err == nil && port%2 == 0 {
			t.Cleanup(func() { a.Close(); b.Close() })
			return a, b
		}
		a.Close()
		if err == nil {
			b.Close()
		}
	}
	t.Fatal("no two free ports side by side")
	return nil, nil
}

func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func sdpOf(c *net.UDPConn) string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n", c.LocalAddr().(*net.UDPAddr).Port)
}

// ng sends one command of rtpengine's control protocol (bencode over UDP) and returns the port of the audio in the answer's SDP; 0: no answer.
func ng(t *testing.T, port int, pairs ...string) int {
	t.Helper()
	c, err := net.Dial("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	msg := fmt.Sprintf("c%d d", time.Now().UnixNano())
	for _, s := range pairs {
		msg += strconv.Itoa(len(s)) + ":" + s
	}
	if _, err := c.Write([]byte(msg + "e")); err != nil {
		return 0
	}
	answer := make([]byte, 65536)
	c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	n, err := c.Read(answer)
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`m=audio (\d+)`).FindSubmatch(answer[:n])
	if m == nil {
		if bytes.Contains(answer[:n], []byte("pong")) {
			return 1
		}
		t.Fatalf("rtpengine: %s", answer[:n])
	}
	audio, _ := strconv.Atoi(string(m[1]))
	return audio
}

// TestRTPEngine takes HEP of a real rtpengine (apt-get install rtpengine-daemon) between two parties of our own.
func TestRTPEngine(t *testing.T) {
	path, err := exec.LookPath("rtpengine")
	if err != nil || os.Getenv("VIGIA_TEST_ALL") == "" {
		t.Skip("needs rtpengine, and VIGIA_TEST_ALL=1")
	}
	var sink recorder
	l, _ := start(t, Config{TCP: "127.0.0.1:0"}, &sink)
	tap, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tap.Close()
	control, media := freePort(t), freePort(t)&^1
	cmd := exec.Command(path, "--foreground", "--log-stderr", "--log-level=5", "--table=-1", "--interface=127.0.0.1", "--num-threads=1",
		"--listen-ng=127.0.0.1:"+strconv.Itoa(control), "--port-min="+strconv.Itoa(media), "--port-max="+strconv.Itoa(min(media+200, 65534)),
		"--homer="+tap.LocalAddr().String(), "--homer-protocol=udp", "--homer-id="+strconv.Itoa(agentID))
	var log lockedLog
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	}()
	until(t, "rtpengine's answer", func() bool { return ng(t, control, "command", "ping") == 1 })

	rtpA, rtcpA := pair(t)
	rtpB, rtcpB := pair(t)
	forB := ng(t, control, "call-id", peerCall, "command", "offer", "from-tag", "a", "sdp", sdpOf(rtpA))
	forA := ng(t, control, "call-id", peerCall, "command", "answer", "from-tag", "a", "sdp", sdpOf(rtpB), "to-tag", "b")
	to := func(port int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	}
	go forward(tap, l.Addresses()[0].String())
	until(t, "facts of both parties", func() bool {
		for _, p := range []struct {
			conn *net.UDPConn
			port int
			data []byte
		}{
			{rtpA, forA, rtpPacket(ssrcA)},
			{rtpB, forB, rtpPacket(ssrcB)},
			{rtcpA, forA + 1, srFrom(ssrcA, ssrcB, "a@vigia.example")},
			{rtcpB, forB + 1, srFrom(ssrcB, ssrcA, "b@vigia.example")},
		} {
			if _, err := p.conn.WriteToUDPAddrPort(p.data, to(p.port)); err != nil {
				t.Fatal(err)
			}
		}
		sink.mu.Lock()
		defer sink.mu.Unlock()
		return checkPeer(sink.reports) == nil
	})
	if s := l.Stats(); s.Dialects["rtpengine"] == 0 || s.Dropped["not_decoded"] > 0 {
		t.Errorf("%+v", s)
	}
}

func rtpPacket(ssrc uint32) []byte {
	b := append([]byte{0x80, 8, 0, 77, 0, 0, 0x1f, 0x40}, binary.BigEndian.AppendUint32(nil, ssrc)...)
	return append(b, make([]byte, 160)...)
}

// forward hands what rtpengine sends by UDP on to the listener by TCP, and keeps the first messages when a recording is wanted.
func forward(tap net.PacketConn, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	var kept []byte
	count := 0
	buf := make([]byte, 65536)
	for {
		n, _, err := tap.ReadFrom(buf)
		if err != nil {
			return
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return
		}
		if count++; *record && count <= 4 {
			kept = append(kept, buf[:n]...)
			if err := os.WriteFile(recording, kept, 0o600); err != nil {
				slog.Error("write the recording", "error", err)
			}
		}
	}
}
