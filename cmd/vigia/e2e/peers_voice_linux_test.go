package e2e

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/mos"
)

var (
	peersFull = flag.Bool("peers.full", false, "TestPeersVoice: every codec and impairment, not only a few")
	peersFor  = flag.Duration("peers.for", 27*time.Second, "TestPeersVoice: how long the calls last")
)

// tapConfig is a monitor behind a mirror port.
const tapConfig = `listen: %[1]s
store: %[2]s
voice:
  capture: {interface: %[3]s}
  jitter_buffer: {mode: fixed, max: 60ms}
`

// peerCall is one call between two real programs, and what is done to it.
type peerCall struct {
	program string // baresip, with SIP; gst, without
	codec   peerCodec
	loss    [2]int // in a thousand, of what the caller sends and of what the callee sends
	delayMS float64
	jitter  float64

	paths [2]*path
	peers [2]*peer
}

// peerCodec is a codec by the names that it has.
type peerCodec struct {
	name    string // in baresip
	model   string // in package mos
	clockHz uint32
	gst     [2]string // how GStreamer makes RTP of sound, and sound of RTP
	payload int
}

var (
	peerPCMU = peerCodec{"PCMU/8000/1", "G.711", 8000, [2]string{"mulawenc ! rtppcmupay max-ptime=20000000 min-ptime=20000000", "rtppcmudepay"}, 0}
	peerPCMA = peerCodec{"PCMA/8000/1", "G.711", 8000, [2]string{"alawenc ! rtppcmapay max-ptime=20000000 min-ptime=20000000", "rtppcmadepay"}, 8}
	peerG722 = peerCodec{"G722/16000/1", "G.722", 8000, [2]string{}, 9}
	peerOpus = peerCodec{"opus/48000/2", "Opus", 48000, [2]string{"opusenc bitrate=28000 ! rtpopuspay pt=96", "rtpopusdepay"}, 96}
	peerGSM  = peerCodec{"GSM/8000/1", "GSM-FR", 8000, [2]string{}, 3}
)

// quickCalls are those of continuous integration; fullCalls are all.
func quickCalls() []*peerCall {
	return []*peerCall{
		{program: "baresip", codec: peerPCMA},
		{program: "baresip", codec: peerPCMU, loss: [2]int{50, 0}, delayMS: 50},
		{program: "baresip", codec: peerG722, loss: [2]int{0, 30}, delayMS: 150},
		{program: "baresip", codec: peerOpus, loss: [2]int{10, 100}, jitter: 10},
		{program: "gst", codec: peerPCMU, loss: [2]int{30, 0}, delayMS: 50, jitter: 5},
	}
}

func fullCalls() []*peerCall {
	var out []*peerCall
	for _, loss := range [][2]int{{0, 0}, {10, 30}, {50, 100}} {
		for _, codec := range []peerCodec{peerPCMU, peerG722, peerOpus} {
			out = append(out, &peerCall{program: "baresip", codec: codec, loss: loss})
		}
		out = append(out, &peerCall{program: "gst", codec: peerPCMA, loss: loss})
	}
	for _, delay := range []float64{50, 150, 300} {
		out = append(out, &peerCall{program: "baresip", codec: peerPCMA, delayMS: delay}, &peerCall{program: "gst", codec: peerPCMU, delayMS: delay})
	}
	for _, jitter := range []float64{20, 40} {
		out = append(out, &peerCall{program: "baresip", codec: peerPCMA, jitter: jitter}, &peerCall{program: "gst", codec: peerPCMU, jitter: jitter})
	}
	return append(out,
		&peerCall{program: "baresip", codec: peerGSM, loss: [2]int{10, 0}, delayMS: 50},
		&peerCall{program: "baresip", codec: peerG722, loss: [2]int{10, 30}, delayMS: 150, jitter: 20},
		&peerCall{program: "baresip", codec: peerOpus, loss: [2]int{30, 10}, delayMS: 50, jitter: 20},
		&peerCall{program: "baresip", codec: peerPCMU, loss: [2]int{30, 50}, delayMS: 300, jitter: 20},
		&peerCall{program: "gst", codec: peerOpus, loss: [2]int{10, 30}, delayMS: 50},
	)
}

// TestPeersVoice: between real programs the monitor behind a mirror port gives each direction the MOS that the E-model gives the impairment that is known
// from outside: loss counted by nftables, delay and jitter measured on the wire.
func TestPeersVoice(t *testing.T) {
	calls := quickCalls()
	if *peersFull {
		calls = fullCalls()
	}
	tool(t, "baresip", "baresip-core")
	gst := tool(t, "gst-launch-1.0", "gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good")
	l := newLab(t, len(calls))
	w := newTap(t, l)
	warm := l.run(west, gst, "fakesrc", "num-buffers=1", "!", "fakesink")
	select {
	case <-warm.done:
	case <-time.After(time.Minute):
		t.Fatalf("GStreamer does not find its plugins within a minute:\n%s", warm.output)
	}
	for i, c := range calls {
		l.place(i+1, c, gst)
	}
	if eventually(*peersFor, func() bool { return w.dead() }) {
		t.Fatalf("the monitor has ended:\n%s", w.p.output)
	}
	var callers, others []*peer
	for _, c := range calls {
		callers, others = append(callers, c.peers[west]), append(others, c.peers[east])
	}
	hangUp(callers...)
	hangUp(others...)
	w.settled(calls)
	w.p.stop() // what has no BYE is stored too
	w.compare(l, calls)
}

// tap is a monitor that captures at the western end of a lab's wire.
type tap struct {
	t    *testing.T
	file string
	p    *process
}

func newTap(t *testing.T, l *lab) *tap {
	t.Helper()
	w := &tap{t: t, file: filepath.Join(t.TempDir(), "vigia.yaml")}
	listen := freeAddress(t)
	text := fmt.Sprintf(tapConfig, listen, "sqlite:"+filepath.Join(t.TempDir(), "vigia.db"), l.face[west])
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.p = start(t, listen, "run", "-c", w.file)
	return w
}

func (w *tap) dead() bool {
	select {
	case <-w.p.done:
		return true
	default:
		return false
	}
}

// place sets up what happens to call number k and begins it.
func (l *lab) place(k int, c *peerCall, gst string) {
	l.t.Helper()
	for s := range c.paths {
		me, other := l.host(k, side(s)), l.host(k, 1-side(s))
		c.paths[s] = l.wire.impair(me, impairment{delayMS: c.delayMS, jitterMS: c.jitter, clockHz: c.codec.clockHz})
		l.lose(1-side(s), me, c.loss[s])
		if c.program == "gst" {
			c.peers[s] = l.run(side(s), gst, stream(c.codec, me, other)...)
		}
	}
	if c.program != "baresip" {
		for s, p := range c.paths {
			if !eventually(20*time.Second, func() bool { return p.known().ssrc != 0 }) {
				l.t.Fatalf("GStreamer sends nothing:\n%s", c.peers[s].output)
			}
		}
		return
	}
	c.peers[east] = l.phone(k, east, c.codec.name, "")
	if !eventually(10*time.Second, func() bool { return strings.Contains(c.peers[east].output.String(), "baresip is ready") }) {
		l.t.Fatalf("baresip is not ready:\n%s", c.peers[east].output)
	}
	c.peers[west] = l.phone(k, west, c.codec.name, fmt.Sprintf("sip:party%d@%s", k, l.host(k, east)))
}

// stream is a GStreamer pipeline that sends and receives RTP and RTCP.
func stream(c peerCodec, me, other string) []string {
	name := strings.ToUpper(strings.Split(c.name, "/")[0])
	return strings.Fields(fmt.Sprintf(`-e rtpbin name=r latency=60
		audiotestsrc is-live=true wave=sine samplesperbuffer=%d ! audio/x-raw,rate=%d,channels=1 ! audioconvert ! %s ! r.send_rtp_sink_0
		r.send_rtp_src_0 ! udpsink host=%s port=%d bind-address=%s
		r.send_rtcp_src_0 ! udpsink host=%s port=%d bind-address=%s sync=false async=false
		udpsrc address=%s port=%d caps=application/x-rtp,media=audio,clock-rate=%d,encoding-name=%s,payload=%d ! r.recv_rtp_sink_0
		r. ! %s ! fakesink async=false
		udpsrc address=%s port=%d ! r.recv_rtcp_sink_0`,
		c.clockHz/50, c.clockHz, c.gst[0], other, rtpPort, me, other, rtcpPort, me, me, rtpPort, c.clockHz, name, c.payload, c.gst[1], me, rtcpPort))
}

// settled waits until the calls with SIP are stored.
func (w *tap) settled(calls []*peerCall) {
	w.t.Helper()
	want := 0
	for _, c := range calls {
		if c.program == "baresip" {
			want++
		}
	}
	if !eventually(30*time.Second, func() bool { return len(storedCalls(w.t, w.file)) >= want }) {
		w.t.Errorf("%d calls are stored, want %d:\n%s", len(storedCalls(w.t, w.file)), want, w.p.output)
	}
}

// compare prints the table and holds each direction to a tenth of a MOS.
func (w *tap) compare(l *lab, calls []*peerCall) {
	stored := storedCalls(w.t, w.file)
	table := &strings.Builder{}
	table.WriteString("\n| peers | codec | loss known, seen | jitter known, seen | round trip known, seen | MOS known | MOS of Vigía | difference |\n|---|---|---|---|---|---|---|---|\n")
	worst := 0.0
	for i, c := range calls {
		for s := range c.paths {
			k := c.paths[s].known()
			loss := l.lossPct(1-side(s), l.host(i+1, side(s)))
			rtt := k.delayMS + c.paths[1-s].known().delayMS
			want, err := truth(c.codec, k, loss, rtt)
			if err != nil {
				w.t.Errorf("%s %s: %v", c.program, c.codec.name, err)
				continue
			}
			seen := streamOf(stored, k.ssrc)
			if seen == nil || seen.MOS == nil {
				w.t.Errorf("call %d, %s %s, direction %d, SSRC %08x: no MOS: %+v", i+1, c.program, c.codec.name, s, k.ssrc, seen)
				continue
			}
			off := *seen.MOS - want
			worst = max(worst, math.Abs(off))
			fmt.Fprintf(table, "| %s | %s | %.2f, %s %% | %.1f, %s ms | %.0f, %s ms | %.2f | %.2f | %+.2f |\n", c.program, c.codec.model,
				loss, text(seen.LossPct), k.jitterMS, text(seen.JitterMS), rtt, text(seen.RTTMS), want, *seen.MOS, off)
			if math.Abs(off) > 0.1 {
				w.t.Errorf("call %d, %s %s, direction %d: MOS %.2f, want %.2f; assumed %v", i+1, c.program, c.codec.name, s, *seen.MOS, want, seen.Assumed)
			}
		}
	}
	w.t.Logf("%s\nworst difference %.3f", table, worst)
}

// truth is the MOS of a known impairment.
func truth(c peerCodec, k known, lossPct, rttMS float64) (float64, error) {
	codec, err := mos.FindCodec(c.model, 0)
	if c.model == "Opus" || c.model == "G.722" {
		codec, err = mos.NearestRate(c.model, k.octetsPerPacket*8/20)
	}
	if err != nil {
		return 0, err
	}
	score, err := mos.Rate(mos.Input{
		Scale: codec.Scale, Codec: codec, LossPct: lossPct, JitterMs: k.jitterMS, RTTMs: rttMS, PacketMs: 20, Buffer: mos.Buffer{Ms: 60},
		Known: mos.KnownCodec | mos.KnownLoss | mos.KnownJitter | mos.KnownRTT | mos.KnownPacket | mos.KnownBuffer,
	})
	return score.MOS(), err
}
