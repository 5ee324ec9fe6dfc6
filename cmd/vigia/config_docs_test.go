package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// schemaFile is the schema for editors; go test -update writes it from the types that the loader reads into.
const schemaFile = "vigia.schema.json"

// yamlBlocks returns the blocks of YAML of a page.
func yamlBlocks(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```").FindAllStringSubmatch(string(data), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Errorf("no YAML in %s", path)
	}
	return out
}

// TestDocumentation loads what the pages show: the blocks of the reference together, those of the guide one by one.
func TestDocumentation(t *testing.T) {
	for _, name := range []string{"SLACK_BOT", "SLACK_APP", "HOOK_SECRET", "HEP_KEY"} {
		t.Setenv(name, "a-word")
	}
	blocks := []string{strings.Join(yamlBlocks(t, "../../docs/configuration.md"), "\n")}
	blocks = append(blocks, yamlBlocks(t, "../../docs/install.md")...)
	blocks = append(blocks, yamlBlocks(t, "../../docs/oncall.md")...)
	for _, text := range blocks {
		if _, _, err := parseConfig("docs.yaml", []byte(text), testKinds()); err != nil {
			t.Errorf("%v\nin\n%s", err, text)
		}
	}
}

// TestReceiversPage loads the page about receivers with the kinds that there are, and holds it against the schema.
func TestReceiversPage(t *testing.T) {
	for name, value := range map[string]string{
		"SLACK_BOT": "a-word", "TEAMS_URL": "https://flow.example/workflows/x?sig=y", "TELEGRAM_BOT": "123456:AA-b",
		"PAGERDUTY_KEY": strings.Repeat("0", 32), "SMS_ACCOUNT": "AC" + strings.Repeat("0", 32), "SMS_TOKEN": "a-word",
	} {
		t.Setenv(name, value)
	}
	blocks := yamlBlocks(t, "../../docs/receivers.md")
	cfg, _, err := parseConfig("docs.yaml", []byte(blocks[0]), kinds())
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, r := range cfg.ReceiverList() {
		shown[r.Kind] = true
	}
	for _, k := range kinds().Receivers {
		if !shown[k.Name] {
			t.Errorf("the page shows no %s", k.Name)
		}
	}
	file := filepath.Join(t.TempDir(), "docs.yaml")
	if err := os.WriteFile(file, []byte(blocks[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root jsonObject
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	if problems := (schemaChecker{root: root}).check(root, yamlFile(t, file), ""); len(problems) > 0 {
		t.Errorf("the schema refuses the page: %s", strings.Join(problems, "\n"))
	}
}

// TestEveryKeyIsDocumented looks for every key of the schema in the reference.
func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	propertiesOf(root, keys)
	if len(keys) < 100 {
		t.Errorf("only %d keys in the schema", len(keys))
	}
	for key := range keys {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("the key %s is not in docs/configuration.md", key)
		}
	}
}

func propertiesOf(node any, keys map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		if properties, ok := node["properties"].(map[string]any); ok {
			for key := range properties {
				keys[key] = true
			}
		}
		for _, child := range node {
			propertiesOf(child, keys)
		}
	case []any:
		for _, child := range node {
			propertiesOf(child, keys)
		}
	}
}
