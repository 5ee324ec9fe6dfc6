package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// runBench runs a benchmark and reads its JSON into figures.
func runBench(t *testing.T, run func(context.Context, *BenchCmd, *kong.Context, *slog.Logger) error, figures any) {
	t.Helper()
	var out bytes.Buffer
	if err := run(t.Context(), &BenchCmd{JSON: true, Seed: 5}, &kong.Context{Kong: &kong.Kong{Stdout: &out}}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), figures); err != nil {
		t.Fatalf("%v: %s", err, out.Bytes())
	}
}

// wantLines checks the text of figures.
func wantLines(t *testing.T, print func(io.Writer), lines ...string) {
	t.Helper()
	var out bytes.Buffer
	print(&out)
	for _, want := range lines {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, out.String())
		}
	}
}

// wantTotals checks that every packet is accounted for and every call right.
func wantTotals(t *testing.T, c *callTotals, ended uint64) {
	t.Helper()
	switch {
	case c.Uncounted != 0 || c.Kernel != 0:
		t.Errorf("%d packets not accounted for, %d dropped", c.Uncounted, c.Kernel)
	case c.Ended < ended || c.Scored != c.Ended || c.Unscored+c.Wrong != 0 || c.WorstMOS > 0.1:
		t.Errorf("%+v; at least %d should have ended", c, ended)
	case c.Wanted != 1<<20 || c.Buffer == 0 || c.Resident == 0:
		t.Errorf("buffer or memory: %+v", c)
	}
}

func TestBenchHep(t *testing.T) {
	t.Parallel()
	var f hepFigures
	cmd := BenchHepCmd{Rate: 400, Every: time.Second, Mean: 3 * time.Minute, For: time.Second, Buffer: 1}
	runBench(t, cmd.Run, &f)
	wantTotals(t, &f.callTotals, 200)
	if f.Calls != 200 || f.Reports.Packets != 400 || f.Reports.Taken != 400 || f.SIP.Packets != 6*200 || f.Scores.Packets != 200 || f.Sent != 2*400+6*200+1 {
		t.Errorf("counts: %+v", f)
	}
	if f.PerMillion <= 0 || f.SIPMillion <= 0 || f.PerScore <= 0 || f.WithScores <= f.PerMillion || f.Reports.Generator <= 0 {
		t.Errorf("CPU: %+v", f)
	}
	wantLines(t, f.print, "CPU a million reports, without scores", "200 ended, 200 scored", "0 not accounted for")
}

func TestBenchCalls(t *testing.T) {
	t.Parallel()
	var f callsFigures
	cmd := BenchCallsCmd{Calls: 400, Every: time.Second, Mean: time.Minute, For: 2 * time.Second, Swap: 10, Buffer: 1}
	runBench(t, cmd.Run, &f)
	wantTotals(t, &f.callTotals, 380)
	if f.Streams < 800 || f.Begun == 0 || f.SIP != 6*f.Begun || f.Reports+f.Begun != 1600 || f.Heap < 500 || f.Most == 0 {
		t.Errorf("%+v", f)
	}
	wantLines(t, f.print, "calls in progress", "resident at most", "reports")
}

func TestBenchFlood(t *testing.T) {
	t.Parallel()
	var f floodFigures
	cmd := BenchFloodCmd{Junk: 3000, Rate: 200, Every: time.Second, For: time.Second, Buffer: 1}
	runBench(t, cmd.Run, &f)
	wantTotals(t, &f.callTotals, 100)
	if f.Answers != 0 || f.PhonesUncounted != 0 || f.JunkSent < 1000 || f.NotDecoded == 0 || f.NotDecoded != f.Junk[2].Sent {
		t.Errorf("%+v", f)
	}
	for _, k := range f.Junk {
		if k.Sent == 0 {
			t.Errorf("no %s", k.Name)
		}
	}
	wantLines(t, f.print, "octets sent to strangers", "SIP of a stranger", "vq-rtcpxr port")
}

func TestBenchEmodel(t *testing.T) {
	t.Parallel()
	var f []emodelFigure
	cmd := BenchEmodelCmd{Scores: 200}
	runBench(t, func(ctx context.Context, b *BenchCmd, k *kong.Context, _ *slog.Logger) error {
		return cmd.Run(ctx, b, k)
	}, &f)
	scales := ""
	for _, s := range f {
		scales += s.Scale
		if s.NS <= 0 || s.MOS < 3 || s.MOS > 4.6 {
			t.Errorf("%+v", s)
		}
	}
	if scales != "nbwbfb" {
		t.Errorf("scales %q", scales)
	}
	wantLines(t, func(w io.Writer) { printEmodel(w, f) }, "ns of CPU a score", "G.711")
}

func TestBenchCallsRefuse(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(context.Context, *BenchCmd, *kong.Context, *slog.Logger) error{
		"hep": (&BenchHepCmd{}).Run, "calls": (&BenchCallsCmd{}).Run, "flood": (&BenchFloodCmd{}).Run,
	} {
		if err := run(t.Context(), &BenchCmd{}, nil, nil); err == nil || !strings.Contains(err.Error(), "at least") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
