package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"vigia/store/storetest"
)

func benchStore(t *testing.T, cmd BenchStoreCmd) storeFigures {
	t.Helper()
	var out bytes.Buffer
	if err := cmd.Run(t.Context(), &BenchCmd{JSON: true, Seed: 3}, &kong.Context{Kong: &kong.Kong{Stdout: &out}}); err != nil {
		t.Fatal(err)
	}
	var f storeFigures
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
	return f
}

func TestBenchStoreFast(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		const series, hours = 8, 28
		f := benchStore(t, BenchStoreCmd{Store: dsn, Series: series, Hours: hours, Pace: "fast", Duration: time.Second, Flush: time.Minute})
		onServer := strings.HasPrefix(dsn, "postgres")
		switch {
		case f.Samples != series*hours*60 || f.Seed != 3 || f.Entropy < 1.7:
			t.Errorf("%+v", f)
		case f.Days != series || f.Hours != hours-1-24: // an hour of all of them is one row
			t.Errorf("%d day chunks and %d rows of hours", f.Days, f.Hours)
		case f.PerDay <= 1.7 || f.Rollups <= 0 || f.All <= 0:
			t.Errorf("octets a sample: %+v", f)
		case f.CPU.Own <= 0 || f.CPU.Own > f.Total || f.Compaction.Own <= 0 || (f.CPU.Server > 0) != onServer:
			t.Errorf("CPU: %+v", f)
		case f.Commits < 1 || f.RollOver.Max < f.RollOver.Median || f.Calm.Median <= 0:
			t.Errorf("commits: %+v", f)
		}
		var out bytes.Buffer
		f.print(&out)
		for _, want := range []string{"13440 samples of 8 series", "1.700 octets of entropy", "while an hour becomes chunks"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the text lacks %q:\n%s", want, out.String())
			}
		}
		cmd := BenchStoreCmd{Store: dsn, Series: 1, Hours: 1, Duration: time.Second, Flush: time.Second}
		if err := cmd.Run(t.Context(), &BenchCmd{}, nil); err == nil || !strings.Contains(err.Error(), "is not empty") {
			t.Errorf("a store with samples in it: %v", err)
		}
	})
}

func TestBenchStoreReal(t *testing.T) {
	f := benchStore(t, BenchStoreCmd{Store: "sqlite:" + filepath.Join(t.TempDir(), "x.db"), Series: 600, Hours: 1, Pace: "real", Duration: 2 * time.Second, Flush: 2 * time.Second})
	if f.Samples < 10 || float64(f.Samples) > 10*f.Took+10 || f.Took < 2 || f.CPU.Own <= 0 {
		t.Errorf("%+v", f)
	}
	var out bytes.Buffer
	f.print(&out)
	if !strings.Contains(out.String(), "cores") {
		t.Errorf("the text lacks the cores:\n%s", out.String())
	}
}

// TestBenchStoreEmit reads what a peer is given: the samples of the measurement, all of them, in order of time.
func TestBenchStoreEmit(t *testing.T) {
	const series = 40
	var out bytes.Buffer
	cmd := BenchStoreCmd{Series: series, Hours: 1, Duration: time.Second, Flush: 2 * time.Second, Emit: true}
	if err := cmd.Run(t.Context(), &BenchCmd{Seed: 3}, &kong.Context{Kong: &kong.Kong{Stdout: &out}}); err != nil {
		t.Fatal(err)
	}
	want := newStoreStream(series, 3).until(storeFrom.Add(time.Hour), nil)
	octets, flushes := out.Bytes(), 0
	for ; len(octets) > 0; flushes++ {
		n := binary.LittleEndian.Uint32(octets)
		octets = octets[4:]
		for range n {
			series, ms := binary.LittleEndian.Uint32(octets), int64(binary.LittleEndian.Uint64(octets[4:]))
			value := math.Float64frombits(binary.LittleEndian.Uint64(octets[12:]))
			if len(want) == 0 || newStoreStream(int(series)+1, 3).names[series] != want[0].Series || ms != want[0].At.UnixMilli() || value != want[0].Value {
				t.Fatalf("series %d, %d ms, %g; there should be %v", series, ms, value, want[:min(1, len(want))])
			}
			octets, want = octets[20:], want[1:]
		}
	}
	if len(want) > 0 || flushes != 1800 {
		t.Errorf("%d samples are missing, %d flushes", len(want), flushes)
	}
}

func TestBenchStoreRefuses(t *testing.T) {
	for _, cmd := range []BenchStoreCmd{
		{Hours: 1, Duration: 1, Flush: time.Second},
		{Series: 1, Duration: 1, Flush: time.Second},
		{Series: 1, Hours: 1, Flush: time.Second},
		{Series: 1, Hours: 1, Duration: 1, Flush: 7 * time.Second},
	} {
		if err := cmd.Run(t.Context(), &BenchCmd{}, nil); err == nil || !strings.Contains(err.Error(), "more than 0") && !strings.Contains(err.Error(), "parts of a minute") {
			t.Errorf("%+v: %v", cmd, err)
		}
	}
}

// A server's processes are found by one of them; this process is none of PostgreSQL's.
func TestServerOf(t *testing.T) {
	if _, err := serverOf(1 << 30); err == nil || !strings.Contains(err.Error(), "not on this machine") {
		t.Errorf("no process: %v", err)
	}
}
