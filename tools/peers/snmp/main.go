// Command snmp measures the CPU time of polling switches by SNMP, for Prometheus snmp_exporter (Debian's package prometheus-snmp-exporter)
// and for `vigia bench snmp`, in alternation on the same devices, and prints both and the ratio.
//
// The work: N simulated switches with 48 ports in a third process (`vigia bench snmp --serve`), whose CPU is nobody's; each is polled once in
// a period, spread evenly over it. snmp_exporter walks seven columns of IF-MIB with the module below and is asked over HTTP, as Prometheus
// does, by this program, whose CPU is not counted either. Vigía reads the same seven columns, and besides them ifCounterDiscontinuityTime,
// sysUpTime and ifTableLastChange, makes rates and samples of them and writes its log of runs; the exporter leaves that to Prometheus.
//
// Each is started anew for each round. What comes before the measured periods, in which Vigía discovers the devices and the exporter is asked
// for each once, is not counted. The exporter's CPU time is read from /proc, Vigía's is what it says of itself, and that is compared with what the kernel says of
// the whole process when it has ended.
//
//	go run ./peers/snmp -vigia ../vigia -rounds 3     (in tools/)
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"vigia/tools/peers/measure"
)

// columns are what both read of each port, in the words of IF-MIB (RFC 2863).
var columns = []struct{ name, oid, kind string }{
	{"ifHCInOctets", "1.3.6.1.2.1.31.1.1.1.6", "counter"},
	{"ifHCOutOctets", "1.3.6.1.2.1.31.1.1.1.10", "counter"},
	{"ifInErrors", "1.3.6.1.2.1.2.2.1.14", "counter"},
	{"ifOutErrors", "1.3.6.1.2.1.2.2.1.20", "counter"},
	{"ifInDiscards", "1.3.6.1.2.1.2.2.1.13", "counter"},
	{"ifOutDiscards", "1.3.6.1.2.1.2.2.1.19", "counter"},
	{"ifOperStatus", "1.3.6.1.2.1.2.2.1.8", "gauge"},
}

// options are what a measurement is about.
type options struct {
	vigia    string
	exporter string
	devices  int
	ports    int
	every    time.Duration
	periods  int
	gzip     bool
	targets  string // the file with their addresses
}

// round is what one round of either gave.
type round struct {
	CPUMS    float64 // of one poll of one device
	Requests float64 // of one poll, when it says so
	load     string
}

func main() {
	var o options
	flag.StringVar(&o.vigia, "vigia", "", "the vigia binary")
	flag.StringVar(&o.exporter, "exporter", "prometheus-snmp-exporter", "the snmp_exporter binary")
	flag.IntVar(&o.devices, "devices", 1000, "how many switches")
	flag.IntVar(&o.ports, "ports", 48, "ports of each")
	flag.DurationVar(&o.every, "every", 20*time.Second, "how often each is polled")
	flag.IntVar(&o.periods, "periods", 2, "periods that are measured in each round, after one that is not")
	flag.BoolVar(&o.gzip, "gzip", false, "ask the exporter for compressed answers, as Prometheus does")
	rounds := flag.Int("rounds", 3, "rounds of each, in alternation")
	flag.Parse()
	if err := compare(&o, *rounds); err != nil {
		log.Fatal(err)
	}
}

// compare starts the switches and measures in alternation.
func compare(o *options, rounds int) error {
	dir, err := os.MkdirTemp("", "snmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.targets = filepath.Join(dir, "targets")
	addrs, stop, err := startSwitches(o)
	if err != nil {
		return fmt.Errorf("switches: %w", err)
	}
	defer stop()
	var peer, own []float64
	fmt.Printf("%-6s %22s %22s %10s %s\n", "round", "snmp_exporter ms/poll", "vigia ms/poll", "ratio", "load before each")
	for r := range rounds {
		p, err := peerRound(o, dir, addrs)
		if err != nil {
			err = fmt.Errorf("snmp_exporter: %w", err)
		}
		v, err2 := vigiaRound(o)
		if err2 != nil {
			err2 = fmt.Errorf("vigia: %w", err2)
		}
		if err := errors.Join(err, err2); err != nil { // such as when the machine is busy with something else
			fmt.Printf("%-6d does not count: %v (load before each %s, %s)\n", r+1, err, p.load, v.load)
			continue
		}
		peer, own = append(peer, p.CPUMS), append(own, v.CPUMS)
		fmt.Printf("%-6d %22.3f %22.3f %10.3f %s, %s\n", r+1, p.CPUMS, v.CPUMS, v.CPUMS/p.CPUMS, p.load, v.load)
	}
	if len(peer) == 0 {
		return errors.New("no round counts")
	}
	fmt.Printf("%-6s %22.3f %22.3f %10.3f\n", "median", measure.Median(peer), measure.Median(own), measure.Median(own)/measure.Median(peer))
	return nil
}

// startSwitches starts the process that is all devices and writes their addresses to a file.
func startSwitches(o *options) ([]string, func(), error) {
	cmd := exec.Command(o.vigia, "bench", "snmp", "--serve", "--devices", strconv.Itoa(o.devices), "--ports", strconv.Itoa(o.ports)) //nolint:gosec // the binary that was named
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() {
		cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may be gone already
		cmd.Wait()                          //nolint:errcheck // ended
	}
	var addrs []string
	for lines := bufio.NewScanner(out); len(addrs) < o.devices && lines.Scan(); {
		addrs = append(addrs, lines.Text())
	}
	if len(addrs) < o.devices {
		stop()
		return nil, nil, fmt.Errorf("%d of %d addresses came", len(addrs), o.devices)
	}
	if err := os.WriteFile(o.targets, []byte(strings.Join(addrs, "\n")+"\n"), 0o600); err != nil {
		stop()
		return nil, nil, err
	}
	return addrs, stop, nil
}

// vigiaRound runs `vigia bench snmp`, and checks what it says of its CPU time.
func vigiaRound(o *options) (round, error) {
	out := round{load: measure.Load()}
	cmd := exec.Command(o.vigia, "bench", "snmp", "--json", "--targets", o.targets, "--dead", "0", "--every", o.every.String(), "--rounds", strconv.Itoa(o.periods)) //nolint:gosec // as above
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return out, err
	}
	var f struct {
		CPUMS    []float64 `json:"cpu_ms_per_poll"`
		TotalS   float64   `json:"total_cpu_s"`
		Requests float64   `json:"requests_per_poll"`
		Values   float64   `json:"values_per_poll"`
		Live     struct{ Runs, Failed int }
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return out, err
	}
	if f.Live.Failed > 0 || f.Live.Runs < o.devices*o.periods*99/100 || f.Values < float64(o.ports*len(columns)) {
		return out, fmt.Errorf("%d of %d polls not well, %.0f values each", f.Live.Failed, f.Live.Runs, f.Values)
	}
	if kernel := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(); kernel < f.TotalS {
		return out, fmt.Errorf("it says that it used %.2f s, the kernel says %.2f s", f.TotalS, kernel)
	}
	for _, ms := range f.CPUMS {
		out.CPUMS += ms / float64(len(f.CPUMS))
	}
	out.Requests = f.Requests
	return out, nil
}

// peerRound starts the exporter, has every device scraped once, and measures the periods after that.
func peerRound(o *options, dir string, addrs []string) (round, error) {
	out := round{load: measure.Load()}
	e, err := startExporter(o, dir)
	if err != nil {
		return out, err
	}
	defer e.stop()
	if err := e.period(o, addrs); err != nil {
		return out, err
	}
	before, err := measure.CPU(e.cmd.Process.Pid)
	if err != nil {
		return out, err
	}
	for range o.periods {
		if err := e.period(o, addrs); err != nil {
			return out, err
		}
	}
	after, err := measure.CPU(e.cmd.Process.Pid)
	out.CPUMS = (after - before).Seconds() * 1000 / float64(o.periods*len(addrs))
	return out, err
}

// exporter is snmp_exporter at work.
type exporter struct {
	cmd    *exec.Cmd
	at     string
	client *http.Client
}

func startExporter(o *options, dir string) (*exporter, error) {
	config := filepath.Join(dir, "snmp.yml")
	if err := os.WriteFile(config, []byte(module()), 0o600); err != nil {
		return nil, err
	}
	at, err := freeAddr()
	if err != nil {
		return nil, err
	}
	e := &exporter{at: at, client: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: !o.gzip},
	}}
	e.cmd = exec.Command(o.exporter, "--config.file="+config, "--web.listen-address="+at, "--log.level=error") //nolint:gosec // the binary that was named
	e.cmd.Stdout, e.cmd.Stderr = os.Stderr, os.Stderr
	if err := e.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if c, err := net.DialTimeout("tcp", at, time.Second); err == nil {
			return e, c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	e.stop()
	return nil, fmt.Errorf("nothing listens on %s", at)
}

func (e *exporter) stop() {
	e.cmd.Process.Kill() //nolint:errcheck // it may be gone already
	e.cmd.Wait()         //nolint:errcheck // killed
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// module is snmp.yml, in the form of version 0.21, with authentication in the module and the exporter's own default of 25 repetitions.
func module() string {
	var walk, metrics strings.Builder
	for _, c := range columns {
		fmt.Fprintf(&walk, "    - %s\n", c.oid)
		fmt.Fprintf(&metrics, "    - name: %s\n      oid: %s\n      type: %s\n      help: %s\n      indexes: [{labelname: ifIndex, type: gauge}]\n", c.name, c.oid, c.kind, c.name)
	}
	return "interfaces:\n  walk:\n" + walk.String() + "  metrics:\n" + metrics.String() + "  version: 2\n  max_repetitions: 25\n  auth:\n    community: public\n"
}

// period scrapes every device once, each at its own moment.
func (e *exporter) period(o *options, addrs []string) error {
	var all sync.WaitGroup
	var bad atomic.Int64
	start := time.Now()
	for i, addr := range addrs {
		time.Sleep(time.Until(start.Add(o.every * time.Duration(i) / time.Duration(len(addrs)))))
		all.Go(func() {
			if err := e.scrape(addr, o.ports); err != nil && bad.Add(1) == 1 {
				log.Print(err)
			}
		})
	}
	time.Sleep(time.Until(start.Add(o.every)))
	all.Wait()
	if n := bad.Load(); n > 0 {
		return fmt.Errorf("%d of %d scrapes were not well", n, len(addrs))
	}
	return nil
}

// scrape asks for one device and looks whether every column of every port came.
func (e *exporter) scrape(addr string, ports int) error {
	resp, err := e.client.Get("http://" + e.at + "/snmp?module=interfaces&target=" + url.QueryEscape(addr))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if n := strings.Count(string(body), "{ifIndex="); resp.StatusCode != http.StatusOK || n != ports*len(columns) {
		return fmt.Errorf("%s: %s, %d values: %.200s", addr, resp.Status, n, body)
	}
	return nil
}
