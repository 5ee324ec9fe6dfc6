package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// benchSNMP runs the command and returns its figures.
func benchSNMP(t *testing.T, cmd BenchSnmpCmd) snmpFigures {
	t.Helper()
	var out bytes.Buffer
	if err := cmd.Run(t.Context(), &BenchCmd{JSON: true}, &kong.Context{Kong: &kong.Kong{Stdout: &out}}); err != nil {
		t.Fatal(err)
	}
	var f snmpFigures
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	return f
}

func TestBenchSNMP(t *testing.T) {
	f := benchSNMP(t, BenchSnmpCmd{Devices: 5, Ports: 4, Dead: 40, Every: 500 * time.Millisecond, Rounds: 2})
	const portValues, deviceValues = 7, 3
	switch {
	case f.Devices != 5 || f.Dead != 2 || !f.Included || f.Ports != 4:
		t.Errorf("%+v", f)
	case f.Live.Runs < 8 || f.Live.Failed > 0:
		t.Errorf("devices that answer: %+v", f.Live)
	case f.DeadRuns.Runs == 0 || f.DeadRuns.Failed != f.DeadRuns.Runs:
		t.Errorf("devices that do not: %+v", f.DeadRuns)
	case f.Values < 4*portValues || f.Values > 4*portValues+deviceValues+2 || f.Requests < 2:
		t.Errorf("%.1f values in %.1f requests a poll", f.Values, f.Requests)
	case len(f.CPUMS) != 2 || f.CPUMS[0] <= 0 || f.TotalCPUS < f.DiscoverS:
		t.Errorf("CPU: %+v", f)
	}
	var out bytes.Buffer
	f.print(&out)
	for _, want := range []string{"5 devices that answer and 2 that do not", "simulated devices included", "heap a device", "slots skipped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, out.String())
		}
	}
}

// TestBenchSNMPElsewhere polls switches of another bench, as the comparison with snmp_exporter does.
func TestBenchSNMPElsewhere(t *testing.T) {
	const devices = 3
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		serve := BenchSnmpCmd{Devices: devices, Ports: 2, Every: time.Second, Rounds: 1, Serve: true}
		ended <- serve.Run(ctx, &BenchCmd{}, &kong.Context{Kong: &kong.Kong{Stdout: write}})
	}()
	var file strings.Builder
	lines := bufio.NewScanner(read)
	for range devices {
		if !lines.Scan() {
			t.Fatal("the switches say no address")
		}
		file.WriteString(lines.Text() + "\n")
	}
	f := benchSNMP(t, BenchSnmpCmd{Devices: 1, Ports: 1, Every: 300 * time.Millisecond, Rounds: 1, Targets: targetsFile(t, file.String())})
	if f.Devices != devices || f.Included || f.Live.Runs == 0 || f.Live.Failed > 0 {
		t.Errorf("%+v", f)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func targetsFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "targets")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBenchSNMPRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:161\nswitch\n": "line 2: \"switch\" is not an address and port",
		"\n":                      "is empty",
	} {
		if _, err := readTargets(targetsFile(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	cmd := BenchSnmpCmd{Devices: 1, Ports: 48, Every: time.Second}
	if err := cmd.Run(t.Context(), &BenchCmd{}, nil); err == nil {
		t.Error("no rounds are accepted")
	}
}
