package web

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vigia/alerting"
)

// scripts are our own modules, by name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(staticFiles, "static/js/*.js")
	if err != nil || len(names) < 5 {
		t.Fatalf("%v, error %v", names, err)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := staticFiles.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

var saidKey = regexp.MustCompile(`say\("(\w+)"|"(sound_\w+)"`)

// TestScriptsSayOnlyWhatPagesBring: a key that the page's data-say lacks would be shown as it stands.
func TestScriptsSayOnlyWhatPagesBring(t *testing.T) {
	brought := slices.Clone(scriptKeys)
	for _, s := range alerting.Severities {
		brought = append(brought, s.String())
	}
	brought = append(brought, "ok", "unknown")
	for name, text := range scripts(t) {
		for _, found := range saidKey.FindAllStringSubmatch(text, -1) {
			key := found[1] + found[2]
			if !slices.Contains(brought, key) {
				t.Errorf("%s says %q, which no page brings", name, key)
			}
		}
	}
}

// TestScriptsAreSmallAndPlain: what the content policy forbids fails here, before it fails in a browser.
func TestScriptsAreSmallAndPlain(t *testing.T) {
	var all bytes.Buffer
	for name, text := range scripts(t) {
		for _, never := range []string{"eval(", "new Function", "document.write", "setAttribute(\"style\"", "style=\"", "http://", "https://"} {
			rest := strings.ReplaceAll(text, `xmlns="http://www.w3.org/2000/svg"`, "")
			if strings.Contains(rest, never) {
				t.Errorf("%s has %s", name, never)
			}
		}
		w := gzip.NewWriter(&all)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if all.Len() > 25<<10 {
		t.Errorf("our scripts are %d octets compressed, want 25 kB at most", all.Len())
	}
}
