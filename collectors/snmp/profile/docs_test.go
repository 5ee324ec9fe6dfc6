package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// TestGood: what uses every form of the language is accepted.
func TestGood(t *testing.T) {
	set, err := load(nil, os.DirFS("testdata/good"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		for _, m := range set.Named(name).Metrics {
			for seed := range uint64(50) {
				exercise(t, m, arbitrary{seed})
			}
		}
	}
}

// TestDocumentation: the whole example that operators read is accepted beside our own profiles, and chosen.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "snmp-profiles.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```yaml\nname: acme-sbc")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("the example is not there")
	}
	set, err := Load(fstest.MapFS{"acme-sbc.yaml": {Data: []byte("name: acme-sbc" + example)}})
	if err != nil {
		t.Fatal(err)
	}
	p := set.For("1.3.6.1.4.1.32473.7.1", "")
	if p.Name != "acme-sbc" || len(p.Facts) < 2 || p.Metrics[0].Metric != "calls" || !p.Interfaces {
		t.Errorf("%s: %v", p.Name, p.Facts)
	}
}
