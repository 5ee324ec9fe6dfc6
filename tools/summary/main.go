// Command summary reads the output of go test -json, shows what failed, and ends with one line: how many tests passed, failed and were skipped.
// With -noskip a skipped test is a failure: continuous integration enables everything, so a skip means that something was not tested. What says
// that it lies "outside the repository" (recordings of others) is shown and is none.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

type tally struct {
	passed, failed, skipped int
	outside                 int                 // of those that were skipped: they need what the repository may not hold
	output                  map[string][]string // by package and test
	bad                     []string
	skips                   []string
	slow                    []event
	packagesFailed          int
}

func main() {
	noSkip := flag.Bool("noskip", false, "a skipped test is a failure")
	flag.Parse()
	t := &tally{output: map[string][]string{}}
	if err := t.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(2)
	}
	t.report(os.Stdout)
	if t.failed > 0 || t.packagesFailed > 0 || t.passed == 0 || *noSkip && t.skipped > t.outside {
		os.Exit(1)
	}
}

func (t *tally) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			t.line(line, out)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tally) line(line string, out io.Writer) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(out, line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.output[key] = append(t.output[key], e.Output)
	case "build-output":
		fmt.Fprint(out, e.Output)
	case "pass", "fail", "skip":
		t.end(e, key, out)
	}
}

func (t *tally) end(e event, key string, out io.Writer) {
	if e.Test == "" {
		if e.Action == "fail" {
			t.packagesFailed++
			t.bad = append(t.bad, e.Package)
			fmt.Fprint(out, strings.Join(t.output[key], ""))
		}
		if e.Action != "skip" {
			fmt.Fprintf(out, "%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
		}
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		t.bad = append(t.bad, key)
		fmt.Fprint(out, strings.Join(t.output[key], ""))
	case "skip":
		t.skipped++
		why := lastWords(t.output[key])
		if strings.Contains(why, "outside the repository:") {
			t.outside++
		}
		t.skips = append(t.skips, key+": "+why)
	}
	if e.Elapsed > 5 && !strings.Contains(e.Test, "/") {
		t.slow = append(t.slow, e)
	}
	delete(t.output, key)
}

func lastWords(output []string) string {
	for i := len(output) - 1; i >= 0; i-- {
		if s := strings.TrimSpace(output[i]); s != "" && !strings.HasPrefix(s, "--- ") {
			return s
		}
	}
	return ""
}

func (t *tally) report(out io.Writer) {
	sort.Slice(t.slow, func(i, j int) bool { return t.slow[i].Elapsed > t.slow[j].Elapsed })
	for i, e := range t.slow {
		if i == 10 {
			break
		}
		fmt.Fprintf(out, "slow %6.1fs %s %s\n", e.Elapsed, e.Package, e.Test)
	}
	for _, s := range t.skips {
		fmt.Fprintln(out, "skipped", s)
	}
	for _, b := range t.bad {
		fmt.Fprintln(out, "failed", b)
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", t.passed, t.failed+t.packagesFailed, t.skipped)
}
