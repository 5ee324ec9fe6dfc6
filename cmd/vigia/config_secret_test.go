package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestNothingPrintsASecret loads a file whose secrets are canaries and tries every way of printing what was loaded.
func TestNothingPrintsASecret(t *testing.T) {
	setSecrets(t)
	cfg, notices, err := Load("testdata/good/example.yaml", testKinds())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(cfg.Store.Reveal(), "db-password-canary") {
		t.Fatalf("the store's password was not read")
	}
	if got := cfg.ReceiverSpecs[0].own.(*receiverKeys).Token.Reveal(); got != "slack-env-canary" {
		t.Fatalf("the token is %q", got)
	}
	checks, err := cfg.Checks()
	if err != nil {
		t.Fatal(err)
	}
	parts := []any{
		cfg, *cfg, cfg.Store, cfg.Mail, cfg.Heartbeat, *cfg.Heartbeat, cfg.Voice, *cfg.Voice.HEP, cfg.Links, cfg.Links[0].Checks, cfg.ReceiverSpecs,
		cfg.ReceiverSpecs[0], cfg.ReceiverSpecs[0].own, cfg.Links[0].Checks[1].own, cfg.Servers[0].Checks[0].own, checks, cfg.EngineConfig(), notices,
		fmt.Errorf("wrapped: %v %w", cfg.ReceiverSpecs, os.ErrInvalid), cfg.Summary(),
	}
	for i, part := range parts {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", part)
		}
		if data, err := json.Marshal(part); err == nil {
			out.Write(data)
		}
		if data, err := yamlOf(part); err == nil {
			out.Write(data)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("part", "part", part)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("part", "part", part)
		if strings.Contains(out.String(), "-canary") || strings.Contains(out.String(), fmt.Sprintf("%x", "-canary")) {
			t.Errorf("part %d (%T) prints a secret:\n%s", i, part, out.String())
		}
	}
}

// yamlOf writes YAML; what cannot be written (a function) is an error.
func yamlOf(v any) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return yaml.Marshal(v)
}

// oneCheck is a file with one check, whose password is open.
const oneCheck = "sites: [{name: s}]\nlinks:\n  - name: l\n    site: s\n    peer: p\n    checks: [{kind: http, url: 'https://192.0.2.1/', password: %s}]\n"

// TestErrorsKeepSecrets breaks files around secrets: a mistake beside a secret, a kind that repeats one, a file that does not end.
func TestErrorsKeepSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("aloud", "repeat-me-aloud\r\n")
	for name, value := range map[string]string{
		"repeated by the kind": `"${file:aloud}"`,
		"literal, repeated":    `repeat-me-aloud`,
		"half a reference":     `"${file:aloud} ${env:VIGIA_TEST_NEVER_SET}"`,
		"a list":               `[repeat-me-aloud]`,
	} {
		_, notices, err := Load(write("vigia.yaml", fmt.Sprintf(oneCheck, value)), testKinds())
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if text := fmt.Sprint(err, notices); strings.Contains(text, "aloud") && strings.Contains(text, "repeat") {
			t.Errorf("%s: the message shows the secret: %s", name, text)
		}
	}
	for _, store := range []string{"postgres://vigia:repeat-me-aloud@db", "postgres://vigia:repeat-me-aloud@%zz/vigia", "mysql://u:repeat-me-aloud@db/x"} {
		if _, _, err := Load(write("vigia.yaml", "store: \""+store+"\"\n"), testKinds()); err == nil || strings.Contains(err.Error(), "aloud") {
			t.Errorf("store: %v", err)
		}
	}
}

// TestSecretFiles reads secrets from files: relative and absolute, with and without a newline, too large, without end.
func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("plain", "word")
	put("unix", "word\n")
	put("dos", "word\r\n")
	put("two", "word\n\n")
	put("large", strings.Repeat("x", maxSecret+2))
	for reference, want := range map[string]string{
		"${file:plain}": "word", "${file:unix}": "word", "${file:dos}": "word", "${file:two}": "word\n",
		"${file:" + dir + "/unix}": "word", "a${file:plain}b${file:unix}": "awordbword",
		"${file:large}": "", "${file:/dev/zero}": "", "${file:.}": "",
	} {
		cfg, _, err := Load(put("vigia.yaml", fmt.Sprintf(oneCheck, "\""+reference+"\"")), testKinds())
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: accepted", reference)
		case want != "" && err != nil:
			t.Errorf("%s: %v", reference, err)
		case want != "":
			if got := cfg.Links[0].Checks[0].own.(*plainKeys).Password.Reveal(); got != want {
				t.Errorf("%s is %q", reference, got)
			}
		}
	}
}
