package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// setSecrets sets the environment variables that the files in testdata name.
func setSecrets(t testing.TB) {
	t.Helper()
	for _, name := range []string{"HEARTBEAT", "SNMP", "HEP", "SLACK", "SLACK_APP", "HOOK"} {
		t.Setenv("VIGIA_TEST_"+name, strings.ToLower(name)+"-env-canary")
	}
	t.Setenv("VIGIA_TEST_EMPTY", "")
	t.Setenv("VIGIA_TEST_SHORT", "short")
}

func TestGoodFiles(t *testing.T) {
	setSecrets(t)
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no good files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, notices, err := Load(file, testKinds())
			if err != nil {
				t.Fatalf("refused:\n%v", err)
			}
			var got strings.Builder
			for _, n := range notices {
				got.WriteString(n.String() + "\n")
			}
			got.WriteString(cfg.Summary() + "\n")
			compare(t, strings.TrimSuffix(file, ".yaml")+".txt", got.String())
			if _, err := cfg.Checks(); err != nil {
				t.Error(err)
			}
			if _, err := cfg.Receivers(ReceiverParts{}); err != nil {
				t.Error(err)
			}
		})
	}
}
