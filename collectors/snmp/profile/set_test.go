package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestFor(t *testing.T) {
	built := folderOf(map[string]string{
		"generic": plainProfile("generic", ""),
		"cisco":   plainProfile("cisco", "match: [{object_id: 1.3.6.1.4.1.9}]\n"),
		"asr":     plainProfile("asr", "match: [{object_id: 1.3.6.1.4.1.9.1.5}, {object_id: 1.3.6.1.4.1.9, descr: XR}]\n"),
		"linux":   plainProfile("linux", "match: [{object_id: 1.3.6.1.4.1.8072.3.2.10}]\n"),
		"router":  plainProfile("router", "match: [{object_id: 1.3.6.1.4.1.8072.3.2.10, descr: '(?i)router'}]\n"),
		"zeta":    plainProfile("zeta", "match: [{object_id: 1.3.6.1.4.1.8072.3.2.10, descr: outer}]\n"),
		"anyone":  plainProfile("anyone", "match: [{descr: '^Acme'}]\n"),
	})
	own := folderOf(map[string]string{"zz-own": plainProfile("zz-own", "match: [{object_id: 1.3.6.1.4.1.9}]\n")})
	tests := []struct{ id, descr, want string }{
		{"1.3.6.1.4.1.9.1.5.7", "IOS", "asr"},
		{".1.3.6.1.4.1.9.1.5", "IOS", "asr"},
		{"1.3.6.1.4.1.9.1.55", "IOS", "zz-own"},
		{"1.3.6.1.4.1.9.1.55", "IOS XR", "asr"},
		{"1.3.6.1.4.1.9", "", "zz-own"},
		{"1.3.6.1.4.1.99.1", "", "generic"},
		{"1.3.6.1.4.1", "", "generic"},
		{"1.3.6.1.4.1.8072.3.2.10", "Linux", "linux"},
		{"1.3.6.1.4.1.8072.3.2.10", "Linux Router", "router"},
		{"1.3.6.1.4.1.8072.3.2.10", "Linux outer", "zeta"},
		{"1.3.6.1.4.1.8072.3.2.100", "Linux", "generic"},
		{"0.0", "Acme Box", "anyone"},
		{"", "", "generic"},
		{"no OID", "\xff", "generic"},
	}
	set, err := load(built, own)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		if got := set.For(test.id, test.descr).Name; got != test.want {
			t.Errorf("%s %q: %s, want %s", test.id, test.descr, got, test.want)
		}
	}
	if set.Named("nobody") != nil || set.Named("asr") == nil {
		t.Error("Named")
	}
	if got := strings.Join(set.Names(), " "); got != "anyone asr cisco generic linux router zeta zz-own" {
		t.Error(got)
	}
}

// TestInheritance: own metrics first, then those of what is extended in its order, each once; own names, facts and interfaces win.
func TestInheritance(t *testing.T) {
	set := setOf(t, map[string]string{
		"base": plainProfile("base", "objects: {n: 1.3.1.0, m: 1.3.2.0}\ninterfaces: true\nfacts: {model: n, serial: n}\n"+
			"metrics: [{metric: load_1m, value: n}]\n"),
		"left":  plainProfile("left", "extends: [base]\nobjects: {n: 1.4.1.0}\nfacts: {model: n}\nmetrics: [{metric: load_5m, value: n}]\n"),
		"right": plainProfile("right", "extends: [base]\nobjects: {n: 1.5.1.0, r: 1.5.2.0}\ninterfaces: false\nmetrics: [{metric: load_15m, value: n}]\n"),
		"leaf":  plainProfile("leaf", "extends: [left, right]\nfacts: {version: m}\nmetrics: [{metric: cpu_pct, value: n}, {metric: ram_pct, value: r, also: true}]\n"),
	})
	leaf := set.Named("leaf")
	var got []string
	for _, m := range leaf.Metrics {
		got = append(got, fmt.Sprint(m.Metric, " ", m.Profile, " ", m.Scalars(), " ", m.Also))
	}
	want := []string{
		"cpu_pct leaf [.1.4.1.0] false", "ram_pct leaf [.1.5.2.0] true",
		"load_5m left [.1.4.1.0] false", "load_1m base [.1.3.1.0] false", "load_15m right [.1.5.1.0] false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	facts := map[string]string{"model": ".1.4.1.0", "serial": ".1.3.1.0", "version": ".1.3.2.0"}
	if diff := cmp.Diff(facts, leaf.Facts); diff != "" {
		t.Error(diff)
	}
	if !leaf.Interfaces || set.Named("right").Interfaces {
		t.Error("interfaces is of the first that says something of it, and own words win")
	}
}

// TestReplace: a file of the operator takes the place of ours by its name, also for what extends it.
func TestReplace(t *testing.T) {
	built := folderOf(map[string]string{
		"base": plainProfile("base", "objects: {n: 1.3.1.0}\n"),
		"leaf": plainProfile("leaf", "extends: [base]\nmetrics: [{metric: cpu_pct, value: n}]\n"),
	})
	set, err := load(built, folderOf(map[string]string{"base": plainProfile("base", "objects: {n: 1.9.1.0}\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Named("leaf").Metrics[0].Scalars()[0]; got != ".1.9.1.0" {
		t.Error(got)
	}
	_, err = load(built, folderOf(map[string]string{"base": plainProfile("base", "")}))
	if err == nil || err.Error() != `built-in/leaf.yaml:5: value: "n" is neither an object nor a column` {
		t.Error(err)
	}
}

// TestSeveralFiles: mistakes that need more than one file, and files that cannot be read.
func TestSeveralFiles(t *testing.T) {
	tests := []struct {
		name   string
		folder fs.FS
		want   string
	}{
		{"a circle", folderOf(map[string]string{
			"a": plainProfile("a", "extends: [b]\n"), "b": plainProfile("b", "extends: [c]\nmetrics: [{metric: cpu_pct, value: x}]\n"),
			"c": plainProfile("c", "extends: [a]\n"), "d": plainProfile("d", "extends: [c]\n"),
		}), "c.yaml:4: extends goes in a circle: a → b → c → a (take it out)"},
		{"one condition twice", folderOf(map[string]string{
			"a": plainProfile("a", "match: [{object_id: 1.3, descr: x}]\n"), "b": plainProfile("b", "match: [{object_id: 1.3, descr: x}]\n"),
		}), "b.yaml:4: match: a.yaml:4 has the same condition (keep one of them)"},
		{"what extends a broken file says nothing more", folderOf(map[string]string{
			"a": "- broken\n", "b": plainProfile("b", "extends: [a]\nmetrics: [{metric: cpu_pct, value: x}]\n"),
		}), "a.yaml:1: a profile is a set of keys (begin with name:)"},
		{"too long", folderOf(map[string]string{"a": plainProfile("a", "#"+strings.Repeat("x", maxFile))}), "a.yaml: the file is longer than 256 kB"},
		{"yml", fstest.MapFS{"a.yml": {}}, "a.yml: the file is not read (its name must end in .yaml)"},
		{"a folder", fstest.MapFS{"a.yaml/b": {}}, "a.yaml: not a file"},
		{"latin", folderOf(map[string]string{"a": "name: \xe1\n"}), "a.yaml: the file is not UTF-8 text (save the file as UTF-8 text)"},
		{"no folder", fstest.MapFS{"x": {}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(nil, test.folder)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var mistakes Errors
			if !errors.As(err, &mistakes) {
				t.Fatalf("accepted: %v", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
	many := map[string]string{}
	for i := range maxProfiles + 1 {
		name := fmt.Sprintf("p%03d", i)
		many[name] = plainProfile(name, "")
	}
	if _, err := load(nil, folderOf(many)); err == nil || err.Error() != "p500.yaml: more than 500 profiles" {
		t.Error(err)
	}
}

// TestOthersAreLeftAlone: files of other names, and hidden ones, are none of ours.
func TestOthersAreLeftAlone(t *testing.T) {
	set, err := load(nil, fstest.MapFS{"README.md": {}, ".x.yaml": {Data: []byte("[")}, "..data/x": {}, "sub/y.yaml": {Data: []byte("[")}})
	if err != nil || len(set.Names()) != 0 || set.For("1.3", "x") == nil {
		t.Error(set.Names(), err)
	}
}

func TestMissingFolder(t *testing.T) {
	_, err := Load(fstest.MapFS{"x": {}}) // exists
	if err != nil && !regexp.MustCompile(`^built-in/`).MatchString(err.Error()) {
		t.Error(err)
	}
	sub, err := fs.Sub(fstest.MapFS{"x": {}}, "gone")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load(nil, sub); err == nil || !strings.HasPrefix(err.Error(), "profiles: the folder cannot be read: ") {
		t.Error(err)
	}
}
