package snmp

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/inventory"
)

// The peer is net-snmp's snmpd on this machine, so that what it says can be held against /proc and statfs.

// snmpd starts one and returns its port.
func snmpd(t *testing.T) int {
	t.Helper()
	path, err := exec.LookPath("snmpd")
	if err != nil {
		for _, p := range []string{"/usr/sbin/snmpd", "/usr/local/sbin/snmpd"} {
			if _, err := os.Stat(p); err == nil {
				path = p
			}
		}
	}
	if path == "" {
		collectorstest.Missing(t, "net-snmp's snmpd", "Debian: apt-get install snmpd")
	}
	dir := t.TempDir()
	port := freePort(t)
	conf := fmt.Sprintf(`agentAddress udp:127.0.0.1:%d
rocommunity public 127.0.0.1
createUser noc SHA-256 "authpassword1" AES "privpassword1"
rouser noc priv
includeAllDisks 10%%
`, port)
	file := filepath.Join(dir, "snmpd.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-f", "-C", "-c", file, "-Lf", filepath.Join(dir, "log"), "-p", filepath.Join(dir, "pid"), "-M", "", "-m", "") // the peer
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir, "MIBS=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() }) // it is killed
	c := check(t, peer(port, version2), 0)
	for end := time.Now().Add(20 * time.Second); ; {
		r := probe(t, c, 2*time.Second)
		if r.OK {
			return port
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("snmpd does not answer: %s\n%s", why(r), log)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

func peer(port int, change ...func(*Config)) *Config {
	c := Kind().New().(*Config)
	c.Host, c.Port = "127.0.0.1", port
	for _, f := range change {
		f(c)
	}
	return c
}

func version2(c *Config) { c.Community = inventory.NewSecret("public") }

func version3(user, auth, priv string) func(*Config) {
	return func(c *Config) {
		c.Version, c.User, c.Auth, c.Priv = "3", user, inventory.NewSecret(auth), inventory.NewSecret(priv)
	}
}

// seenHere is what this machine says of itself at one moment.
type seenHere struct {
	at             time.Time
	busy, all      float64 // ticks of all processors
	ramUsed        float64 // percent
	diskUsed       float64 // octets
	diskAll        float64
	loopIn         float64 // octets
	uptime, load15 float64
}

func look(t *testing.T) seenHere {
	t.Helper()
	s := seenHere{at: time.Now()}
	cpu := strings.Fields(firstLineOf(t, "/proc/stat", "cpu "))
	for i, f := range cpu[1:9] { // user nice system idle iowait irq softirq steal
		v := number(t, f)
		s.all += v
		if i != 3 && i != 4 {
			s.busy += v
		}
	}
	total := number(t, strings.Fields(firstLineOf(t, "/proc/meminfo", "MemTotal:"))[1])
	s.ramUsed = 100 * (1 - number(t, strings.Fields(firstLineOf(t, "/proc/meminfo", "MemAvailable:"))[1])/total)
	var fs syscall.Statfs_t
	if err := syscall.Statfs("/", &fs); err != nil {
		t.Fatal(err)
	}
	s.diskAll = float64(fs.Blocks) * float64(fs.Bsize)
	s.diskUsed = float64(fs.Blocks-fs.Bfree) * float64(fs.Bsize)
	s.loopIn = number(t, strings.Fields(strings.SplitN(firstLineOf(t, "/proc/net/dev", "lo:"), ":", 2)[1])[0])
	s.uptime = number(t, strings.Fields(firstLineOf(t, "/proc/uptime", ""))[0])
	s.load15 = number(t, strings.Fields(firstLineOf(t, "/proc/loadavg", ""))[2])
	return s
}

func firstLineOf(t *testing.T, file, prefix string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, prefix) {
			return line
		}
	}
	t.Fatalf("%s has no line %q", file, prefix)
	return ""
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wake waits until snmpd has looked at the processors for the first time, which it does every five seconds.
func wake(t *testing.T, c collectors.Collector) {
	t.Helper()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for range 30 {
		if _, ok := figureOf(probe(t, c, 2*time.Second), collectors.CPUPct, ""); ok {
			return
		}
		<-tick.C
	}
	t.Fatal("snmpd says nothing of the processors")
}

// TestAgainstThisMachine: what snmpd says agrees with /proc and statfs within one period, over v2c and over v3 with SHA-256 and AES. snmpd
// keeps what it knows of interfaces for 15 seconds, so the period is 16.
func TestAgainstThisMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this machine is no Linux: there is no /proc to compare with")
	}
	port := snmpd(t)
	wake(t, check(t, peer(port, version2), 0))
	loop := func(c *Config) { c.Interfaces = []string{"lo"} }
	for name, version := range map[string]func(*Config){"v2c": version2, "v3": version3("noc", "sha256:authpassword1", "aes:privpassword1")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := check(t, peer(port, version, loop), 0)
			if r := probe(t, c, 5*time.Second); !r.OK {
				t.Fatal(why(r))
			}
			history := []seenHere{look(t)}
			tick := time.NewTicker(500 * time.Millisecond)
			defer tick.Stop()
			for range 32 {
				<-tick.C
				history = append(history, look(t))
			}
			compareWith(t, probe(t, c, 5*time.Second), history)
		})
	}
}

func compareWith(t *testing.T, r collectors.Result, history []seenHere) {
	t.Helper()
	before, now := history[0], history[len(history)-1]
	if !r.OK || r.Discarded > 0 {
		t.Fatalf("%s %s", why(r), said(r))
	}
	near := func(m collectors.Metric, part string, want, slack float64) {
		t.Helper()
		got, ok := figureOf(r, m, part)
		if !ok || math.Abs(got-want) > slack {
			t.Errorf("%s %s is %.2f (%v), this machine says %.2f", m, part, got, ok, want)
		}
		t.Logf("%s %s: %.2f, this machine %.2f", m, part, got, want)
	}
	span := now.at.Sub(before.at).Seconds()
	least, most := busyWithin(history)
	near(collectors.CPUPct, "", (least+most)/2, (most-least)/2+3)
	near(collectors.RAMPct, "", now.ramUsed, 3)
	near(collectors.DiskPct, "/", 100*now.diskUsed/now.diskAll, 1)
	near(collectors.UptimeS, "", now.uptime, 5)
	near(collectors.Load15, "", now.load15, 0.5)
	in := (now.loopIn - before.loopIn) * 8 / span
	near(collectors.InBps, "lo", in, 0.6*in+20_000) // what it had kept at the first poll may be 15 seconds old
	cores := 0
	for _, v := range r.Values {
		if v.Metric == collectors.CorePct {
			cores++
		}
	}
	if cores != 0 && cores != runtime.NumCPU() { // hrProcessorLoad is the mean of a minute, and not there before that
		t.Errorf("%d processors, this machine has %d", cores, runtime.NumCPU())
	}
}

// busyWithin is the least and the highest load of any window that snmpd may have seen: it looks every five seconds, so that its window can
// begin and end up to that much earlier, or be as short as five seconds.
func busyWithin(history []seenHere) (least, most float64) {
	least, most = 100, 0
	for i, a := range history {
		for _, b := range history[i+1:] {
			if span := b.at.Sub(a.at); span >= 4*time.Second && b.all > a.all {
				share := 100 * (b.busy - a.busy) / (b.all - a.all)
				least, most = min(least, share), max(most, share)
			}
		}
	}
	return least, most
}

// TestWrongInWords: what is wrong with the access is said in words, as far as SNMP lets one know.
func TestWrongInWords(t *testing.T) {
	port := snmpd(t)
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"community", func(c *Config) { c.Community = inventory.NewSecret("wrong") }, "the community is wrong; SNMP says nothing in all three cases"},
		{"user", version3("nobody", "sha256:authpassword1", "aes:privpassword1"), "does not know the user nobody"},
		{"auth password", version3("noc", "sha256:authpassword2", "aes:privpassword1"), "does not accept the auth key of noc"},
		{"auth algorithm", version3("noc", "sha512:authpassword1", "aes:privpassword1"), "does not accept the auth key of noc"},
		{"priv password", version3("noc", "sha256:authpassword1", "aes:privpassword2"), "so the priv password or algorithm is wrong"},
		{"priv algorithm", version3("noc", "sha256:authpassword1", "aes256:privpassword1"), "so the priv password or algorithm is wrong"},
		{"level", version3("noc", "sha256:authpassword1", ""), "at this security level: give auth and priv"},
		{"context", func(c *Config) {
			version3("noc", "sha256:authpassword1", "aes:privpassword1")(c)
			c.Context = "vrf-x"
		}, "does not know the context, or noc may not see it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := probe(t, check(t, peer(port, c.change), 0), 4*time.Second)
			if got := why(r); r.OK || !strings.Contains(got, c.want) {
				t.Errorf("OK %v: %q, want %q", r.OK, got, c.want)
			}
			if up, ok := figureOf(r, collectors.Up, ""); !ok || up != 0 {
				t.Errorf("up is %v (%v)", up, ok)
			}
		})
	}
	nobody := freePort(t)
	if got := why(probe(t, check(t, peer(nobody, version2), 0), 2*time.Second)); !strings.Contains(got, "has no SNMP agent on this port") {
		t.Errorf("nobody listens: %q", got)
	}
}
