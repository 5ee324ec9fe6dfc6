package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"vigia/collectors/snmp"
)

func TestDiscoverFlags(t *testing.T) {
	exists := filepath.Join(t.TempDir(), "there.yaml")
	if err := os.WriteFile(exists, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "x.yaml"), []byte("name: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("own", 0o700); err != nil {
		t.Fatal(err)
	}
	secret := secretOf("canary")
	for want, c := range map[string]DiscoverCmd{
		"nothing to ask":                {},
		"is not the name or address":    {Host: []string{"a\x1b[2Jb"}},
		"is too large":                  {Network: "10.0.0.0/21"},
		"/118 of IPv6":                  {Network: "2001:db8::/117"},
		"write 10.0.0.0/24":             {Network: "10.0.0.1/24"},
		"is multicast":                  {Network: "224.0.0.0/24"},
		"is not a network":              {Network: "10.0.0.1"},
		"--port: 70000":                 {Host: []string{"a"}, Port: 70000},
		"--pace: 5000":                  {Host: []string{"a"}, Pace: 5000},
		"--at-once: 999":                {Host: []string{"a"}, AtOnce: 999},
		"--timeout":                     {Host: []string{"a"}, Timeout: span(time.Millisecond)},
		"--site":                        {Host: []string{"a"}, Site: "a/b"},
		"exists":                        {Host: []string{"a"}, Output: exists},
		"is not a folder":               {Host: []string{"a"}, Profiles: exists},
		"title is missing":              {Host: []string{"a"}, Profiles: bad},
		"read as a profile":             {Host: []string{"a"}, Profiles: "own", Output: "own/new.yaml"},
		"write 1, 2c or 3":              {Host: []string{"a"}, Version: "4"},
		"--user is missing":             {Host: []string{"a"}, Version: "3"},
		"--community belongs":           {Host: []string{"a"}, User: "u", Community: secret},
		"belong to version 3":           {Host: []string{"a"}, Auth: secret},
		"--auth does not begin":         {Host: []string{"a"}, User: "u", Auth: secret},
		"--auth has a password shorter": {Host: []string{"a"}, User: "u", Auth: secretOf("sha:canary")},
		"--priv needs auth":             {Host: []string{"a"}, User: "u", Priv: secretOf("aes:canary-canary")},
		"NOT_SET_ANYWHERE is not set":   {Host: []string{"a"}, Community: secretOf("${env:NOT_SET_ANYWHERE}")},
		"take references":               {Host: []string{"a"}, User: "${env:X}"},
	} {
		for value, standard := range map[*int]int{&c.Port: 161, &c.Pace: 50, &c.AtOnce: 16} {
			if *value == 0 {
				*value = standard
			}
		}
		if c.Timeout == 0 {
			c.Timeout = span(time.Minute)
		}
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
			continue
		}
		mustBeHarmless(t, err.Error())
	}
}

func TestAddressesOfANetwork(t *testing.T) {
	for text, want := range map[string][3]string{
		"192.0.2.0/30":     {"2", "192.0.2.1", "192.0.2.2"},
		"192.0.2.0/31":     {"2", "192.0.2.0", "192.0.2.1"},
		"192.0.2.7/32":     {"1", "192.0.2.7", "192.0.2.7"},
		"192.0.0.0/22":     {"1022", "192.0.0.1", "192.0.3.254"},
		"255.255.255.0/24": {"254", "255.255.255.1", "255.255.255.254"},
		"2001:db8::/118":   {"1024", "2001:db8::", "2001:db8::3ff"},
	} {
		_, got, err := addresses(text)
		if err != nil || len(got) == 0 || strconv.Itoa(len(got)) != want[0] || got[0] != want[1] || got[len(got)-1] != want[2] {
			t.Errorf("%s: %v, %d addresses", text, err, len(got))
		}
	}
}

// TestDiscoverWithUser writes version 3 without its passwords.
func TestDiscoverWithUser(t *testing.T) {
	c := DiscoverCmd{
		Host: []string{"2001:db8::1"}, Port: 161, Pace: 1, AtOnce: 1, Timeout: span(time.Minute), User: "noc: ops", Context: "vrf#1",
		Auth: secretOf("sha256:auth-canary"), Priv: secretOf("aes:priv-canary"),
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	a := answer{host: "2001:db8::1", asked: true, survey: snmp.Survey{Host: "2001:db8::1", Profile: "generic"}}
	r := report{plan: c.plan, answers: []answer{a, {host: "b", asked: true, err: errors.New("x\nlinks: []")}}, at: time.Date(2026, 11, 27, 14, 3, 0, 0, time.UTC)}
	var out bytes.Buffer
	r.yaml(&out)
	mustLoad(t, out.String())
	mustBeHarmless(t, out.String())
	compare(t, "testdata/discover/user.yaml", out.String())
}

// TestDiscoverPage loads what the page shows.
func TestDiscoverPage(t *testing.T) {
	for _, text := range yamlBlocks(t, "../../docs/discover.md") {
		mustLoad(t, text)
	}
}

// TestNamesAreLegal makes names and YAML of any text.
func TestNamesAreLegal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		taken := names{}
		for _, text := range rapid.SliceOfN(rapid.String(), 1, 20).Draw(t, "texts") {
			name := taken.take("device", text, "eth0")
			if message, _ := nameForm(name); message != "" {
				t.Fatal(message)
			}
			var back map[string]string
			if err := yaml.Unmarshal([]byte("{a: "+inYAML(text)+", b: "+inYAML(name)+"} # "+harmless(text)+"\n"), &back); err != nil {
				t.Fatal(err)
			}
			if back["a"] != text || back["b"] != name || len(back) != 2 {
				t.Fatalf("%q became %q", text, back)
			}
		}
		if n := len(taken); n == 0 {
			t.Fatal("no names")
		}
	})
}
