package snmp

import (
	"compress/bzip2"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/inventory"
)

// bySimulator finds the same in what snmpsim serves. Its clock stands still, so it takes some polls until ours is believed instead; its
// counters stand still too.
func (d *recorded) bySimulator(t *testing.T, port int) {
	clock := newDayClock(time.Now())
	config := towards(kindWith(newRegistry(clock.now)), port, func(c *Config) { c.Community = inventory.NewSecret(d.name) })
	s := surveyed(t, config, time.Minute)
	if counts(s) != counts(d.survey) || s.Profile != d.survey.Profile || s.Sensors != d.survey.Sensors {
		t.Errorf("found %v, %s and %d sensors; in our own agent %v, %s and %d", counts(s), s.Profile, s.Sensors, counts(d.survey), d.survey.Profile, d.survey.Sensors)
	}
	c := check(t, config, 0)
	for i := range 2 {
		r := probe(t, c, time.Minute)
		sane(t, r)
		if r.Discarded > 0 && i > 0 {
			t.Errorf("thrown away: %s", said(r))
		}
	}
	if len(s.Interfaces) > 6 {
		return // a poll of snmpsim takes its time
	}
	for i := range distrust {
		clock.turn(10 * time.Second)
		r := probe(t, c, time.Minute)
		sane(t, r)
		for _, v := range r.Values {
			if (v.Metric == collectors.InBps || v.Metric == collectors.OutBps) && v.Value != 0 {
				t.Errorf("%s of %q is %g though nothing counts", v.Metric, v.Part, v.Value)
			}
		}
		if i == distrust-1 && r.Discarded > 0 {
			t.Errorf("thrown away: %s", said(r))
		}
	}
}

// snmpsim starts one process that serves all recordings, each under the community of its name, and returns its port.
func snmpsim(t *testing.T, devices []*recorded) int {
	t.Helper()
	path, err := exec.LookPath("snmpsimd")
	if err != nil {
		collectorstest.Missing(t, "snmpsimd", "Debian: apt-get install snmpsim")
	}
	data, cache := openFolder(t), openFolder(t)
	for _, d := range devices {
		unpack(t, d.path, filepath.Join(data, d.name+".snmprec"))
	}
	port := freePort(t)
	args := []string{fmt.Sprintf("--agent-udpv4-endpoint=127.0.0.1:%d", port), "--data-dir=" + data, "--cache-dir=" + cache, "--logging-method=null"}
	if os.Geteuid() == 0 { // it refuses to be root
		args = append(args, "--process-user=nobody", "--process-group=nogroup")
	}
	cmd := exec.Command(path, args...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait(); log.Close() })
	hello := towards(Kind(), port, func(c *Config) { c.Community = inventory.NewSecret(devices[0].name) })
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second) // it makes an index of every file first
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		once, stop := context.WithTimeout(ctx, 2*time.Second)
		err := hello.Hello(once)
		stop()
		if err == nil {
			return port
		}
		if ctx.Err() != nil {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("snmpsim does not answer: %v\n%.2000s", err, said)
		}
	}
}

// openFolder is a folder that another user may use.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "vigia-snmpsim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return folder
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	text, err := io.ReadAll(bzip2.NewReader(in))
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
