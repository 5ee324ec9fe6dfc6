package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the files in testdata anew that tests compare with")

// TestBadFiles loads every file of testdata/bad. Beside each lies the exact text of what is wrong with it. Its name says which rule it
// breaks; many-at-once breaks several.
func TestBadFiles(t *testing.T) {
	setSecrets(t)
	t.Chdir("testdata/bad")
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			cfg, _, err := Load(file, testKinds())
			if err == nil || cfg != nil {
				t.Fatal("accepted")
			}
			var all ConfigErrors
			if !errors.As(err, &all) {
				t.Fatalf("the error is a %T", err)
			}
			_, rule, _ := strings.Cut(strings.TrimSuffix(file, ".yaml"), "-")
			if rule != "many-at-once" && !slices.ContainsFunc(all, func(e ConfigError) bool { return e.Rule == rule }) {
				t.Errorf("breaks %v, not %s", all[0].Rule, rule)
			}
			for _, e := range all {
				rules[e.Rule] = true
			}
			compare(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
	if len(files) < 100 || len(rules) < 45 {
		t.Errorf("%d files over %d rules, want at least 100 over 45", len(files), len(rules))
	}
	t.Logf("%d files, %d rules", len(files), len(rules))
}

// compare compares a text with a file, or writes the file when the flag -update is given.
func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (-want +got; go test -update writes it anew):\n%s", path, cmp.Diff(string(want), got))
	}
}
