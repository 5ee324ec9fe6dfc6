// Command alertpath measures the way from the failure of a probed target to a webhook, for Prometheus + blackbox_exporter + Alertmanager
// (Debian's packages) and for `vigia bench alertpath`, in alternation on the same work, and prints both and the ratio.
//
// The work: N TCP targets on loopback, each its own alert, probed every interval; the failures, and later the recoveries, are spread evenly
// over one interval. A delay is the time from closing (opening) the listener to the arrival of the POST that says so.
// Prometheus evaluates every interval with "for: 0s"; Alertmanager has group_wait 0 and groups by target; both keep the shortest times that
// they accept for the rest.
//
//	go run ./peers/alertpath -vigia ../vigia -rounds 2     (in tools/)
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

type figures struct {
	Failure  []float64 `json:"failure_s"`
	Recovery []float64 `json:"recovery_s"`
}

func main() {
	vigia := flag.String("vigia", "", "the vigia binary")
	targets := flag.Int("targets", 40, "how many targets fail in a round")
	interval := flag.Duration("interval", 10*time.Second, "probe and evaluation interval")
	rounds := flag.Int("rounds", 1, "rounds of each, in alternation")
	flag.Parse()
	var peer, own figures
	for r := range *rounds {
		p, err := peerRound(*targets, *interval)
		if err != nil {
			log.Fatalf("round %d, peer: %v", r+1, err)
		}
		peer.add(p)
		o, err := vigiaRound(*vigia, *targets, *interval)
		if err != nil {
			log.Fatalf("round %d, vigia: %v", r+1, err)
		}
		own.add(o)
	}
	fmt.Printf("%-34s %4s %9s %9s %9s\n", "", "n", "median s", "p95 s", "max s")
	show("Prometheus failure → webhook", peer.Failure)
	show("Vigía      failure → webhook", own.Failure)
	show("Prometheus recovery → webhook", peer.Recovery)
	show("Vigía      recovery → webhook", own.Recovery)
	fmt.Printf("ratio of medians: failure %.2f, recovery %.2f\n",
		quantile(own.Failure, .5)/quantile(peer.Failure, .5), quantile(own.Recovery, .5)/quantile(peer.Recovery, .5))
}

func (f *figures) add(o figures) {
	f.Failure = append(f.Failure, o.Failure...)
	f.Recovery = append(f.Recovery, o.Recovery...)
}

func show(what string, values []float64) {
	fmt.Printf("%-34s %4d %9.2f %9.2f %9.2f\n", what, len(values), quantile(values, .5), quantile(values, .95), quantile(values, 1))
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func vigiaRound(binary string, targets int, interval time.Duration) (figures, error) {
	var out figures
	cmd := exec.Command(binary, "bench", "alertpath", "--json", "--targets", strconv.Itoa(targets), "--interval", interval.String())
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(raw, &out)
}

// peerRound starts the three programs, lets every target be seen up, fails and recovers them, and stops everything.
func peerRound(targets int, interval time.Duration) (figures, error) {
	dir, err := os.MkdirTemp("", "alertpath")
	if err != nil {
		return figures{}, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	field := newField(targets)
	sink, err := listen()
	if err != nil {
		return figures{}, err
	}
	go http.Serve(sink, http.HandlerFunc(field.webhook)) //nolint:errcheck,gosec // ends with the process
	stop, err := startPeers(ctx, dir, field.addresses(), sink.Addr().String(), interval)
	if err != nil {
		return figures{}, err
	}
	defer stop()
	time.Sleep(3*interval + 5*time.Second)
	field.spread(interval, (*target).fail)
	time.Sleep(3*interval + 5*time.Second)
	field.spread(interval, (*target).recover)
	time.Sleep(3*interval + 5*time.Second)
	return field.figures()
}

// target is one listener that can be closed and opened again at the same address.
type target struct {
	addr                      string
	mu                        sync.Mutex
	listener                  net.Listener
	failedAt, recoveredAt     time.Time
	toldFailed, toldRecovered time.Time
}

func (t *target) fail() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failedAt = time.Now()
	t.listener.Close()
}

func (t *target) recover() {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, err := net.Listen("tcp", t.addr)
	if err != nil {
		log.Fatal(err)
	}
	t.recoveredAt = time.Now()
	t.serve(l)
}

func (t *target) serve(l net.Listener) {
	t.listener = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
}

type field struct{ targets []*target }

func newField(n int) *field {
	f := &field{}
	for range n {
		l, err := listen()
		if err != nil {
			log.Fatal(err)
		}
		t := &target{addr: l.Addr().String()}
		t.serve(l)
		f.targets = append(f.targets, t)
	}
	return f
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

func (f *field) addresses() []string {
	var out []string
	for _, t := range f.targets {
		out = append(out, t.addr)
	}
	return out
}

// spread does something to every target, evenly over one interval.
func (f *field) spread(interval time.Duration, do func(*target)) {
	for _, t := range f.targets {
		do(t)
		time.Sleep(interval / time.Duration(len(f.targets)))
	}
}

// webhook takes Alertmanager's POST.
func (f *field) webhook(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var body struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	raw, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if json.Unmarshal(raw, &body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, a := range body.Alerts {
		for _, t := range f.targets {
			if t.addr == a.Labels["instance"] {
				t.told(a.Status, now)
			}
		}
	}
}

func (t *target) told(status string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case status == "firing" && !t.failedAt.IsZero() && t.toldFailed.IsZero():
		t.toldFailed = now
	case status == "resolved" && !t.recoveredAt.IsZero() && t.toldRecovered.IsZero():
		t.toldRecovered = now
	}
}

func (f *field) figures() (figures, error) {
	var out figures
	for _, t := range f.targets {
		t.mu.Lock()
		if t.toldFailed.IsZero() || t.toldRecovered.IsZero() {
			t.mu.Unlock()
			return out, fmt.Errorf("no word of %s", t.addr)
		}
		out.Failure = append(out.Failure, t.toldFailed.Sub(t.failedAt).Seconds())
		out.Recovery = append(out.Recovery, t.toldRecovered.Sub(t.recoveredAt).Seconds())
		t.mu.Unlock()
	}
	return out, nil
}

func startPeers(ctx context.Context, dir string, targets []string, sink string, interval time.Duration) (func(), error) {
	prom, blackbox, am := freePort(), freePort(), freePort()
	files := map[string]string{
		"blackbox.yml": "modules:\n  tcp:\n    prober: tcp\n    timeout: 5s\n",
		"alertmanager.yml": fmt.Sprintf(`route: {receiver: hook, group_by: [instance], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: hook, webhook_configs: [{url: "http://%s/", send_resolved: true}]}]
`, sink),
		"rules.yml": "groups: [{name: up, rules: [{alert: Down, expr: 'probe_success == 0', for: 0s}]}]\n",
	}
	list, _ := json.Marshal(targets)
	files["prometheus.yml"] = fmt.Sprintf(`global: {scrape_interval: %[1]s, evaluation_interval: %[1]s, scrape_timeout: 5s}
rule_files: [%[2]q]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:%[3]d"]}]}]}
scrape_configs:
  - job_name: tcp
    metrics_path: /probe
    params: {module: [tcp]}
    static_configs: [{targets: %[4]s}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "127.0.0.1:%[5]d"}
`, interval, filepath.Join(dir, "rules.yml"), am, list, blackbox)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	commands := [][]string{
		{"prometheus-blackbox-exporter", "--config.file=" + filepath.Join(dir, "blackbox.yml"), "--web.listen-address=" + at(blackbox)},
		{"prometheus-alertmanager", "--config.file=" + filepath.Join(dir, "alertmanager.yml"), "--storage.path=" + filepath.Join(dir, "am"), "--web.listen-address=" + at(am), "--cluster.listen-address="},
		{"prometheus", "--config.file=" + filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path=" + filepath.Join(dir, "prom"), "--web.listen-address=" + at(prom)},
	}
	var started []*exec.Cmd
	stop := func() {
		for _, c := range started {
			c.Process.Kill() //nolint:errcheck // it may be gone already
			c.Wait()         //nolint:errcheck // killed
		}
	}
	for _, c := range commands {
		cmd := exec.CommandContext(ctx, c[0], c[1:]...) //nolint:gosec // fixed commands
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			stop()
			return nil, err
		}
		started = append(started, cmd)
	}
	for _, port := range []int{prom, am, blackbox} {
		if err := awaitPort(at(port)); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

func awaitPort(addr string) error {
	for range 150 {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		time.Sleep(200 * time.Millisecond)
	}
	return fmt.Errorf("nothing listens on %s", addr)
}

func freePort() int {
	l, err := listen()
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
