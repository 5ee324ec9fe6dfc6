package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// side is one end of the lab: the caller's, or the callee's.
type side int

const (
	west side = iota
	east
)

// lab is two network namespaces with a wire between them that this test holds in its hands: it knows what it loses, delays and shakes. Call
// number k runs from 10.77.k.1 in the west to 10.77.k.2 in the east.
type lab struct {
	t     *testing.T
	space [2]string // the namespaces
	face  [2]string // the ends of the wire outside of them; a monitor captures at the first
	wire  *netWire

	registry string // of GStreamer's plugins: made once, not by each peer while its call should run
}

const rtpPort, rtcpPort = 20200, 20201 // of GStreamer; baresip, which listens on every address, takes a pair of 20000 to 20100

func newLab(t *testing.T, calls int) *lab {
	t.Helper()
	needs(t, os.Geteuid() == 0, "the right to make network namespaces", "run the test as root")
	for _, program := range [][2]string{{"ip", "iproute2"}, {"nft", "nftables"}} {
		tool(t, program[0], program[1])
	}
	l := &lab{t: t, registry: filepath.Join(t.TempDir(), "gstreamer")}
	for s, name := range []string{"w", "e"} {
		l.space[s] = fmt.Sprintf("vigia%d%s", os.Getpid(), name)
		l.face[s] = fmt.Sprintf("vg%d%s", os.Getpid(), name)
		l.must("ip", "netns", "add", l.space[s])
		t.Cleanup(func() { exec.Command("ip", "netns", "del", l.space[s]).Run() })
		l.must("ip", "link", "add", l.face[s], "type", "veth", "peer", "name", "wire", "netns", l.space[s])
		t.Cleanup(func() { exec.Command("ip", "link", "del", l.face[s]).Run() })
		l.must("ip", "link", "set", l.face[s], "up")
		batch := "link set lo up\nlink set wire up\n"
		for k := 1; k <= calls; k++ {
			batch += fmt.Sprintf("addr add %s/24 dev wire\n", l.host(k, side(s)))
		}
		file := filepath.Join(t.TempDir(), "addresses")
		if err := os.WriteFile(file, []byte(batch), 0o600); err != nil {
			t.Fatal(err)
		}
		l.must("ip", "-n", l.space[s], "-batch", file)
	}
	l.wire = newNetWire(t, l.face)
	return l
}

// tool finds a program of a Debian package.
func tool(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	needs(t, err == nil, program, "install it, on Debian with: apt-get install "+pkg)
	return path
}

// host is a party's address in call number k.
func (l *lab) host(k int, s side) string { return fmt.Sprintf("10.77.%d.%d", k, int(s)+1) }

func (l *lab) must(program string, args ...string) string {
	l.t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		l.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// peer is a program that runs on one side.
type peer struct {
	cmd    *exec.Cmd
	output *lockedBuffer
	done   chan struct{}
}

// run starts a program on a side. It is told to end, and waited for, when the test ends.
func (l *lab) run(s side, program string, args ...string) *peer {
	l.t.Helper()
	p := &peer{cmd: exec.Command("ip", append([]string{"netns", "exec", l.space[s], program}, args...)...), output: &lockedBuffer{}, done: make(chan struct{})}
	stdin, err := p.cmd.StdinPipe() // stays open: baresip ends with its input
	if err != nil {
		l.t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = p.output, p.output, l.t.TempDir()
	p.cmd.Env = append(os.Environ(), "TERM=dumb", "HOME="+p.cmd.Dir, "GST_REGISTRY="+l.registry)
	if err := p.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	l.t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		stdin.Close()
		if l.t.Failed() && testing.Verbose() {
			l.t.Logf("%s said:\n%s", program, p.output)
		}
	})
	return p
}

// hangUp ends peers politely, so that they say BYE, and the deaf ones after a while.
func hangUp(peers ...*peer) {
	for _, p := range peers {
		p.cmd.Process.Signal(syscall.SIGINT)
	}
	patience := time.After(3 * time.Second)
	for _, p := range peers {
		select {
		case <-p.done:
		case <-patience:
			p.cmd.Process.Kill()
			<-p.done
			patience = time.After(0)
		}
	}
}

// lose makes the kernel of a side lose so many in a thousand of the UDP packets that come in from another side's address, but for SIP, and count.
func (l *lab) lose(s side, from string, perMille int) {
	l.t.Helper()
	name := strings.ReplaceAll(from, ".", "_")
	// What is even is RTP: the last bit of the port it goes to.
	media := fmt.Sprintf("ip saddr %s udp dport 20000-%d", from, rtcpPort)
	drop := fmt.Sprintf("%s numgen random mod 1000 < %d jump lost_%s", media, perMille, name)
	if perMille == 0 {
		drop = ""
	}
	rules := fmt.Sprintf(`table ip vigia {
	counter came_%[1]s {}
	counter lost_%[1]s {}
	chain lost_%[1]s {
		@th,31,1 0 counter name lost_%[1]s
		drop
	}
	chain in {
		type filter hook prerouting priority -300;
		%[2]s @th,31,1 0 counter name came_%[1]s
		%[3]s
	}
}
`, name, media, drop)
	cmd := exec.Command("ip", "netns", "exec", l.space[s], "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("nft: %v\n%s%s", err, out, rules)
	}
}

// lossPct is what a side's kernel has lost of the RTP from an address, per cent.
func (l *lab) lossPct(s side, from string) float64 {
	l.t.Helper()
	var list struct {
		Nftables []struct {
			Counter *struct {
				Name    string
				Packets float64
			}
		}
	}
	if err := json.Unmarshal([]byte(l.must("ip", "netns", "exec", l.space[s], "nft", "-j", "list", "counters")), &list); err != nil {
		l.t.Fatal(err)
	}
	packets := map[string]float64{}
	for _, x := range list.Nftables {
		if x.Counter != nil {
			packets[x.Counter.Name] = x.Counter.Packets
		}
	}
	name := strings.ReplaceAll(from, ".", "_")
	if packets["came_"+name] == 0 {
		l.t.Errorf("no RTP came from %s", from)
		return 0
	}
	return 100 * packets["lost_"+name] / packets["came_"+name]
}

// baresipConfig is a telephone that sends a tone, answers by itself, and takes its address from its call.
const baresipConfig = `sip_listen %[1]s:5060
net_interface %[1]s
module_path /usr/lib/baresip/modules
audio_player aubridge,ear
audio_source ausine,440
audio_alert aubridge,bell
ausrc_srate 48000
ausrc_channels 2
rtp_ports 20000-20100
module g711.so
module g722.so
module opus.so
module gsm.so
module aubridge.so
module ausine.so
module_app account.so
module_app menu.so
`

// phone starts baresip for one party of call number k, with one codec; it dials whom it is told to.
func (l *lab) phone(k int, s side, codec, dial string) *peer {
	l.t.Helper()
	program := tool(l.t, "baresip", "baresip-core")
	dir := l.t.TempDir()
	for name, text := range map[string]string{
		"config":   fmt.Sprintf(baresipConfig, l.host(k, s)),
		"accounts": fmt.Sprintf("<sip:party%d@%s>;regint=0;answermode=auto;audio_codecs=%s\n", k, l.host(k, s), codec),
		"contacts": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
	args := []string{"-f", dir}
	if dial != "" {
		args = append(args, "-e", "/dial "+dial)
	}
	return l.run(s, program, args...)
}
