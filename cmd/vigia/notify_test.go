package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"vigia/alerting"
)

// notifyTest runs vigia notify test with a configuration of two receivers of a service that answers with a status for each path.
func notifyTest(t *testing.T, statuses map[string]int, args ...string) (output string, err error) {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if statuses[r.URL.Path] == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(statuses[r.URL.Path])
	}))
	defer service.Close()
	file := filepath.Join(t.TempDir(), "vigia.yaml")
	text := fmt.Sprintf("receivers:\n  - {name: hook, kind: webhook, url: \"%[1]s/hook\"}\n  - {name: duty, kind: pagerduty, routing_key: s3cret-key, api_url: \"%[1]s\"}\n", service.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var c cli
	out := &bytes.Buffer{}
	parser, err := kong.New(&c, kong.Writers(out, out))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(append([]string{"notify", "test", "-c", file}, args...))
	if err != nil {
		t.Fatal(err)
	}
	err = c.Notify.Test.Run(t.Context(), kinds(), k, slog.New(slog.DiscardHandler))
	if strings.Contains(out.String(), "s3cret") {
		t.Errorf("it shows a secret: %s", out)
	}
	return out.String(), err
}

func TestNotifyTest(t *testing.T) {
	const permanent = "    It refused, and would refuse again: compare the receiver's keys in the configuration (address, token, whom to tell) with what its provider shows.\n"
	well := map[string]int{"/hook": 202, "/v2/enqueue": 202}
	tests := []struct {
		name     string
		statuses map[string]int
		args     []string
		output   string
		err      string
	}{
		{"one", well, []string{"hook"}, "hook (webhook): accepted: HTTP 202 from 127.0.0.1\n", ""},
		{"all", well, []string{"--all"}, "hook (webhook): accepted: HTTP 202 from 127.0.0.1\nduty (pagerduty): accepted: HTTP 202 from 127.0.0.1\n", ""},
		{
			"one refuses",
			map[string]int{"/hook": 404, "/v2/enqueue": 202},
			[]string{"hook", "duty"},
			"hook (webhook): failed: HTTP 404 from 127.0.0.1\n" + permanent + "duty (pagerduty): accepted: HTTP 202 from 127.0.0.1\n", "1 of 2 receivers could not be told",
		},
		{
			"busy",
			map[string]int{"/v2/enqueue": 429},
			[]string{"duty"},
			"duty (pagerduty): failed: HTTP 429 from 127.0.0.1 (try again in 7s)\n    It asks to be left alone for 7s: run this again then.\n", "1 of 1 receivers could not be told",
		},
		{
			"broken",
			map[string]int{"/hook": 500},
			[]string{"hook"},
			"hook (webhook): failed: HTTP 500 from 127.0.0.1\n    Another attempt may work; if it does not, look at the address, the name resolution and the firewall " +
				"between this machine and the receiver.\n", "1 of 1 receivers could not be told",
		},
		{"no such receiver", well, []string{"hok"}, "", `vigia.yaml has no receiver called "hok" (did you mean "hook"?)`},
		{"none named", well, nil, "", "name a receiver or say --all; there are hook, duty"},
		{"both", well, []string{"--all", "hook"}, "", "name receivers or say --all, not both"},
		{"no time", well, []string{"--timeout", "0", "hook"}, "", "--timeout must be longer than nothing, such as 10s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			output, err := notifyTest(t, tt.statuses, tt.args...)
			said := ""
			if err != nil {
				said = err.Error()
			}
			if output != tt.output || !strings.HasSuffix(said, tt.err) || (said == "") != (tt.err == "") {
				t.Errorf("prints\n%s\nand returns %q; want\n%s\nand %q", output, said, tt.output, tt.err)
			}
		})
	}
}

func TestRemedyOfSilence(t *testing.T) {
	got := remedy(fmt.Errorf("x did not answer in time: %w", context.DeadlineExceeded), 3*time.Second)
	if !strings.HasPrefix(got, "Nothing came back within 3s: ") {
		t.Error(got)
	}
	if got := remedy(fmt.Errorf("%w", alerting.ErrPermanent), time.Second); strings.HasPrefix(got, "Nothing") || got == remedy(errors.New("x"), time.Second) {
		t.Error(got)
	}
}
