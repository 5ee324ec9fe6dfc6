package collectorstest

import (
	"context"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
)

// sample is a kind that obeys or breaks one rule of the suite.
type sample struct {
	fault  string
	silent bool
	answer []byte
}

func (s *sample) Validate() []collectors.Problem { return nil }

func (s *sample) Target() string {
	if s.fault == "secret in target" {
		return "http://x?token=hunter2"
	}
	return "sample"
}

func (s *sample) Open(collectors.Setup) (collectors.Collector, error) { return s, nil }

func (s *sample) Probe(ctx context.Context) collectors.Result {
	good := collectors.Result{OK: true, Why: collectors.Because("sample.ok", 5.0), Values: []collectors.Value{{Metric: collectors.Up, Value: 1}}}
	switch {
	case s.fault == "ignores its deadline" && s.silent:
		time.Sleep(time.Second) // a fault to be found, not a test that waits
	case s.silent:
		<-ctx.Done()
	}
	switch s.fault {
	case "leaks":
		go func() { time.Sleep(5 * time.Second) }()
	case "garbage hangs":
		if s.answer != nil {
			time.Sleep(time.Second)
		}
	case "no words":
		good.Why.Code = "sample.unknown"
	case "missing argument":
		good.Why.Args = nil
	case "wrong argument":
		good.Why.Args = []any{time.Second}
	case "secret in reason":
		good.Why = collectors.Because("sample.says", "hunter2")
	case "not finite":
		good.Values[0].Value = math.NaN()
	case "unannounced metric":
		good.Values[0].Metric = collectors.CPUPct
	case "twice":
		good.Values = append(good.Values, good.Values[0])
	case "no reason":
		good.Why = collectors.Reason{}
	}
	if s.silent && s.fault != "always OK" || s.answer != nil {
		return collectors.Result{Why: collectors.Because("sample.silent")}
	}
	return good
}

func suiteOf(fault string) Suite {
	words := collectors.Words{
		"sample.ok":     {EN: "answered in {0:1} ms", ES: "respondió en {0:1} ms"},
		"sample.says":   {EN: "says {0}", ES: "dice {0}"},
		"sample.silent": {EN: "no answer", ES: "sin respuesta"},
	}
	kind := collectors.Kind{
		Name: "sample", New: func() collectors.CheckConfig { return &sample{} }, Metrics: []collectors.Metric{collectors.Up},
		Words: words, Every: time.Second, Timeout: time.Second,
	}
	switch fault {
	case "Spanish forgotten":
		words["sample.silent"] = collectors.Text{EN: "no answer"}
	case "placeholders differ":
		words["sample.says"] = collectors.Text{EN: "says {0}", ES: "dice {1}"}
	case "timeout beyond the period":
		kind.Timeout = time.Minute
	}
	return Suite{
		Kind:    kind,
		Healthy: func(*testing.T) collectors.CheckConfig { return &sample{fault: fault} },
		Silent:  func(*testing.T) collectors.CheckConfig { return &sample{fault: fault, silent: true} },
		Garbage: func(_ *testing.T, answer []byte) collectors.CheckConfig { return &sample{fault: fault, answer: answer} },
		Answers: [][]byte{{1, 2, 3}}, Secrets: []string{"hunter2"}, Deadline: 100 * time.Millisecond, Grace: 200 * time.Millisecond,
	}
}

const faultVariable = "VIGIA_SUITE_FAULT"

// TestFault is run by TestTheSuiteFindsFaults in another process, where it is to fail; by itself it shows that a good kind passes.
func TestFault(t *testing.T) { Run(t, suiteOf(os.Getenv(faultVariable))) }

func TestTheSuiteFindsFaults(t *testing.T) {
	faults := map[string]string{ // fault: what the suite says of it
		"ignores its deadline":      "its deadline was",
		"leaks":                     "found unexpected goroutines",
		"garbage hangs":             "its deadline was",
		"always OK":                 "a target that never answers is OK",
		"no words":                  `has the code "sample.unknown", which Kind.Words lacks`,
		"missing argument":          "wants {0}, but has 0 arguments",
		"wrong argument":            "argument 0 is a time.Duration",
		"secret in target":          "Target shows a secret",
		"secret in reason":          "Why shows a secret",
		"not finite":                "up is NaN",
		"unannounced metric":        `metric "cpu_pct" is not announced`,
		"twice":                     "is there twice",
		"no reason":                 "does not say why",
		"Spanish forgotten":         "lacks a language",
		"placeholders differ":       "has the placeholders [0] in English and [1] in Spanish",
		"timeout beyond the period": "want 0 < timeout <= period",
	}
	for fault, says := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestFault$", "-test.count", "1")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatal("the suite passed it")
			}
			if !strings.Contains(string(out), says) {
				t.Errorf("the suite did not say %q:\n%s", says, out)
			}
			if strings.Contains(string(out), "hunter2") {
				t.Error("the suite itself shows the secret")
			}
		})
	}
}
