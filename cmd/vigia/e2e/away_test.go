package e2e

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	awayFor   = flag.Duration("away.for", 15*time.Second, "TestDatabaseAway: how long the database is away")
	fullTimes = flag.Int("full.times", 10, "TestDiskFull: how often the disk is full")
)

const awayConfig = `listen: %[1]s
store: %[2]s
sites: [{name: here}]
links:
  - {name: sjo-mia, site: here, peer: Miami, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
thresholds:
  - {metric: up, on: link/*, tiers: [{severity: critical, raise: 0, clear: 1, for: 1s, clear_for: 1s}], policy: noc}
  - {metric: vigia_store_failing, on: vigia/*, tiers: [{severity: critical, raise: 1, clear: 0}], policy: self}
policies:
  - name: noc
    levels:
      - {name: L1, after: 0s, notify: [one], repeat: 60m}
      - {name: L2, after: 4s, notify: [two], repeat: 60m}
      - {name: L3, after: 8s, notify: [three], repeat: 60m}
  - name: self
    levels: [{name: ADMIN, after: 0s, notify: [admin], repeat: 60m}]
receivers:
  - {name: one,   kind: webhook, url: "%[4]s/one"}
  - {name: two,   kind: webhook, url: "%[4]s/two"}
  - {name: three, kind: webhook, url: "%[4]s/three"}
  - {name: admin, kind: webhook, url: "%[4]s/admin"}
`

// wire is a TCP proxy that can be cut, or swallow everything without a word.
type wire struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	mode  string // "", "cut", "mute"
	conns []net.Conn
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	w := &wire{listener: listen(t), target: target}
	go func() {
		for {
			c, err := w.listener.Accept()
			if err != nil {
				return
			}
			go w.serve(c)
		}
	}()
	t.Cleanup(func() {
		w.listener.Close()
		w.set("cut")
	})
	return w
}

func (w *wire) is() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mode
}

// set changes what happens to connections; what was connected before is cut.
func (w *wire) set(mode string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode = mode
	if mode != "mute" { // a silent network says nothing to those that are connected either
		for _, c := range w.conns {
			c.Close()
		}
		w.conns = nil
	}
}

func (w *wire) serve(client net.Conn) {
	w.mu.Lock()
	w.conns = append(w.conns, client)
	mode := w.mode
	w.mu.Unlock()
	if mode == "cut" {
		client.Close()
		return
	}
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		client.Close()
		return
	}
	w.mu.Lock()
	w.conns = append(w.conns, server)
	w.mu.Unlock()
	go w.copy(server, client)
	w.copy(client, server)
}

func (w *wire) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if w.is() == "mute" {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// resident is how much memory a process has, octets.
func (p *process) resident() int64 {
	p.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skip("memory can be asked only of Linux")
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}

func (p *process) ready() bool {
	res, err := http.Get(p.base + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// TestDatabaseAway takes the database away, with a word and without one: who is to be told is told, at every level, and of the database too;
// memory stays bounded; afterwards the database has all of it, and a process that was killed meanwhile leaves nothing out.
func TestDatabaseAway(t *testing.T) {
	dsn := os.Getenv("VIGIA_TEST_POSTGRES")
	needs(t, dsn != "", "PostgreSQL", "set VIGIA_TEST_POSTGRES to a DSN whose user may create databases (.ci/postgres.sh start prints one)")
	for _, c := range []struct {
		name, mode string
		kill       bool
	}{{"cut", "cut", false}, {"silent", "mute", false}, {"killed meanwhile", "cut", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address, err := url.Parse(newDatabase(t, dsn))
			if err != nil {
				t.Fatal(err)
			}
			w := newWire(t, address.Host)
			address.Host = w.listener.Addr().String()
			databaseAway(t, address.String(), w, c.mode, c.kill)
		})
	}
}

func databaseAway(t *testing.T, dsn string, w *wire, mode string, kill bool) {
	g, h, at := newGate(t), newHook(t), freeAddress(t)
	file := filepath.Join(t.TempDir(), "vigia.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, awayConfig, at, dsn, g.addr, h.url), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, at, "run", "-c", file)
	until := func(within time.Duration, what string, so func() bool) {
		t.Helper()
		if !eventually(within, so) {
			t.Fatalf("not in %s: %s; told %v\n%s", within, what, h.count(), p.output)
		}
	}
	before := p.resident()
	w.set(mode)
	began := time.Now()
	g.close()
	for _, path := range []string{"/one", "/two", "/three"} {
		until(25*time.Second, path+" is told while the database is away", func() bool { return told(h, path) })
	}
	until(40*time.Second, "the database's absence is told", func() bool { return told(h, "/admin") })
	if p.ready() {
		t.Error("it says that it is ready while the database is away")
	}
	if kill {
		p.kill()
	} else {
		within(t.Context(), *awayFor-time.Since(began))
		t.Logf("away for %s: memory grew from %d to %d MiB", time.Since(began).Round(time.Second), before>>20, p.resident()>>20)
		if grown := p.resident() - before; grown > 256<<20 {
			t.Errorf("memory grew by %d MiB", grown>>20)
		}
	}
	w.set("")
	back := time.Now()
	if kill {
		p = start(t, at, "run", "-c", file)
	}
	until(time.Minute, "it is ready again", p.ready)
	t.Logf("caught up after %s", time.Since(back).Round(100*time.Millisecond))
	g.open(t)
	until(20*time.Second, "the recovery is told", func() bool { return resolvedAt(h, "/one", "/two", "/three") })
	checkTimeline(t, p)
	for key, n := range h.count() {
		if n > 2 || n > 1 && !kill {
			t.Errorf("%s came %d times", key, n)
		}
	}
}

// resolvedAt reports whether all of the paths have heard of the recovery.
func resolvedAt(h *hook, paths ...string) bool {
	heard := map[string]bool{}
	for _, p := range h.all() {
		heard[p.Path] = heard[p.Path] || p.Body["cause"] == "resolved"
	}
	return !slices.ContainsFunc(paths, func(path string) bool { return !heard[path] })
}

// checkTimeline expects the link's incident with all three levels told.
func checkTimeline(t *testing.T, p *process) {
	t.Helper()
	var list struct {
		Incidents []struct {
			ID int64 `json:"id"`
		} `json:"incidents"`
	}
	if err := p.getJSON("/api/v1/incidents?ref=link/sjo-mia&state=resolved", &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Incidents) != 1 {
		t.Fatalf("%d incidents about the link, want one: %s", len(list.Incidents), p.get(t, "/api/v1/incidents"))
	}
	text := p.get(t, fmt.Sprintf("/api/v1/incidents/%d", list.Incidents[0].ID))
	for _, receiver := range []string{"one", "two", "three"} {
		if !strings.Contains(text, fmt.Sprintf(".%s.", receiver)) {
			t.Errorf("%s is missing in the incident: %s", receiver, text)
		}
	}
}

// TestDiskFull fills the disk under the database again and again, at random moments: whoever is to be told is told while it is full, a person
// sees the incident and can take it, and when there is room again everything is stored, the database is whole, and nothing was told twice.
func TestDiskFull(t *testing.T) {
	disk := smallDisk(t)
	g, h, at := newGate(t), newHook(t), freeAddress(t)
	file := filepath.Join(t.TempDir(), "vigia.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, awayConfig, at, "sqlite:"+filepath.Join(disk, "vigia.db"), g.addr, h.url), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, at, "run", "-c", file)
	until := func(within time.Duration, what string, so func() bool) {
		t.Helper()
		if !eventually(within, so) {
			t.Fatalf("not in %s: %s; told %v\n%s", within, what, h.count(), p.output)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	heard := func(path string) (n int) {
		for _, p := range h.all() {
			if p.Path == path {
				n++
			}
		}
		return n
	}
	for round := range *fullTimes {
		within(t.Context(), between(rng, 0, 1500*time.Millisecond))
		ballast := fill(t, disk)
		ones := heard("/one")
		g.close()
		until(20*time.Second, fmt.Sprintf("round %d: the failure is told on a full disk", round), func() bool { return heard("/one") > ones })
		until(10*time.Second, fmt.Sprintf("round %d: the incident can be taken on a full disk", round), func() bool {
			id := liveIncident(p)
			return id > 0 && takeIncident(t.Context(), p.base, id, fmt.Sprint("take-", round)) == http.StatusOK
		})
		if round%2 == 0 { // the recovery too
			g.open(t)
			until(20*time.Second, "the recovery is told on a full disk", func() bool { return heard("/one") > ones+1 })
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 {
			g.open(t)
		}
		until(30*time.Second, "it is ready again", func() bool { return p.ready() && liveIncident(p) == 0 })
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.output)
	}
	startsFull(t, disk, func() *process { return start(t, at, "run", "-c", file) }, g, h)
	for key, n := range h.count() {
		if n > 1 {
			t.Errorf("%s came %d times", key, n)
		}
	}
	if out, err := exec.Command(binary, "store", "verify", "-c", file).CombinedOutput(); err != nil {
		t.Errorf("the database is not whole: %v\n%s", err, out)
	}
}

// startsFull starts vigia on a full disk: it watches and tells, and when there is room it is ready and stops as always.
func startsFull(t *testing.T, disk string, run func() *process, g *gate, h *hook) {
	t.Helper()
	ballast := fill(t, disk)
	p, before := run(), len(h.all())
	g.close()
	if !eventually(25*time.Second, func() bool { return len(h.all()) > before && liveIncident(p) > 0 }) {
		t.Fatalf("started on a full disk, it tells nobody:\n%s", p.output)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	g.open(t)
	if !eventually(30*time.Second, func() bool { return p.ready() && liveIncident(p) == 0 }) {
		t.Fatalf("it is not ready again:\n%s", p.output)
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.output)
	}
}

// liveIncident is the newest live incident about the link, 0 for none, -1 when nobody says.
func liveIncident(p *process) int64 {
	var list struct {
		Incidents []struct {
			ID    int64  `json:"id"`
			State string `json:"state"`
		} `json:"incidents"`
	}
	if p.getJSON("/api/v1/incidents?ref=link/sjo-mia", &list) != nil {
		return -1
	}
	for _, i := range list.Incidents {
		if i.State == "open" || i.State == "acknowledged" {
			return i.ID
		}
	}
	return 0
}

// smallDisk is a disk of 40 MiB.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=40m")
	needs(t, err == nil, "a disk that can be filled", "run as root, or in a user namespace of your own, so that a tmpfs can be mounted")
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fill takes all the room that is left.
func fill(t *testing.T, disk string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(disk, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		for chunk := make([]byte, size); err == nil; {
			_, err = f.Write(chunk)
		}
		err = nil
	}
	if _, err := io.WriteString(f, "x"); err == nil {
		t.Fatal("the disk is not full")
	}
	return ballast
}
