package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule says what the packages under one path may not import. Packages are named without the module; "std:" marks the standard library's and
// "lib:" other modules'. A trailing /... takes everything below along.
type rule struct {
	of     string
	except []string // packages below that the rule does not bind
	never  []string
}

// theTable is design §1: which package must never import what. Tests of a package are bound by it too, but for those that start the real thing.
var theTable = []rule{
	{of: "collectors/inventory", never: []string{"collectors", "mos/...", "alerting/...", "store/...", "web/...", "migrations", "cmd/...", "std:net", "std:net/http", "std:os", "std:database/sql", "lib:"}},
	{of: "collectors", never: []string{"mos/...", "alerting/...", "store/...", "web/...", "migrations", "cmd/...", "std:database/sql", "std:net/http", "lib:"}},
	{of: "collectors/...", except: []string{"collectors/inventory"}, never: []string{"alerting/...", "store/...", "web/...", "migrations", "cmd/...", "std:database/sql"}},
	{of: "collectors/voice", never: append(kindPackages, "collectors/wire", "collectors/capture", "std:net", "std:os", "lib:")},
	{of: "collectors/wire", never: append(kindPackages, "collectors/capture", "std:net", "std:os")},
	{of: "collectors/capture", never: kindPackages},
	{of: "collectors/intake", never: append(kindPackages, "collectors/voice", "collectors/wire", "collectors/capture")},
	{of: "mos", never: []string{"collectors/...", "alerting/...", "store/...", "web/...", "migrations", "cmd/...", "mos/quality", "std:net", "std:os", "std:time", "lib:"}},
	{of: "mos/quality", never: []string{"collectors/...", "alerting/...", "store/...", "web/...", "migrations", "cmd/...", "std:net", "std:database/sql", "lib:"}},
	{of: "alerting", never: []string{"store/...", "web/...", "migrations", "cmd/...", "alerting/outbox", "alerting/peer", "alerting/picture", "std:net", "std:net/http", "std:database/sql", "std:os", "lib:"}},
	{of: "alerting", never: kindPackages},
	{of: "alerting/outbox", never: append(kindPackages, "store/...", "web/...", "cmd/...", "alerting/peer", "std:database/sql", "lib:")},
	{of: "alerting/peer", never: append(kindPackages, "store/...", "web/...", "cmd/...", "alerting/outbox", "lib:")},
	{of: "alerting/picture", never: append(kindPackages, "store/...", "web/...", "cmd/...", "alerting/outbox", "alerting/peer", "std:net")},
	{of: "alerting/email", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "alerting/webhook", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "alerting/slack", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "alerting/pagerduty", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "alerting/teams", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "alerting/telegram", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "alerting/sms", never: []string{"store/...", "web/...", "cmd/...", "alerting/outbox"}},
	{of: "store/...", never: append(kindPackages, "web/...", "cmd/...")},
	{of: "migrations", never: []string{"collectors/...", "mos/...", "alerting/...", "store/...", "web/...", "cmd/..."}},
	{of: "web/...", never: append(kindPackages, "cmd/...", "alerting/outbox", "std:database/sql", "lib:modernc.org/", "lib:github.com/jackc/", "lib:github.com/emiago/", "lib:github.com/prometheus-community/")},
	{of: "cmd/vigia", never: []string{"std:database/sql", "std:html/template", "std:os/exec"}},
}

// kindPackages are the packages of one protocol or one receiver kind each.
var kindPackages = []string{
	"collectors/ping", "collectors/snmp", "collectors/http", "collectors/tcp", "collectors/sip", "collectors/rtcp", "collectors/hep", "collectors/vqrtcpxr",
	"alerting/email", "alerting/webhook", "alerting/slack", "alerting/pagerduty", "alerting/teams", "alerting/telegram", "alerting/sms",
}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Error      *struct{ Err string }
}

func TestImportTable(t *testing.T) {
	for _, problem := range breaches(goList(t, "vigia/...")) {
		t.Error(problem)
	}
}

// TestImportTableFails shows that the table bites: each fixture breaks exactly one of its rules.
func TestImportTableFails(t *testing.T) {
	fixtures := []listed{
		{ImportPath: "vigia/alerting", Imports: []string{"net/http"}},
		{ImportPath: "vigia/alerting", Imports: []string{"vigia/store"}},
		{ImportPath: "vigia/alerting", Imports: []string{"vigia/alerting/sms"}},
		{ImportPath: "vigia/alerting/teams", Imports: []string{"vigia/alerting/telegram"}},
		{ImportPath: "vigia/alerting/peer", Imports: []string{"vigia/alerting/webhook"}},
		{ImportPath: "vigia/collectors/ping", Imports: []string{"vigia/alerting"}},
		{ImportPath: "vigia/collectors/ping", Imports: []string{"vigia/collectors/http"}},
		{ImportPath: "vigia/collectors/inventory", Imports: []string{"vigia/collectors"}},
		{ImportPath: "vigia/collectors", Imports: []string{"github.com/emiago/sipgo/sip"}},
		{ImportPath: "vigia/mos", Imports: []string{"time"}},
		{ImportPath: "vigia/store", Imports: []string{"vigia/alerting/email"}},
		{ImportPath: "vigia/web/api", Imports: []string{"database/sql"}},
		{ImportPath: "vigia/cmd/vigia", Imports: []string{"html/template"}},
		{ImportPath: "vigia/web", Imports: []string{"os/exec"}},
		{ImportPath: "vigia/store/chunk", Imports: []string{"vigia/web"}},
	}
	for _, f := range fixtures {
		if got := breaches([]listed{f}); len(got) != 1 {
			t.Errorf("%s importing %s: %d breaches, want 1: %v", f.ImportPath, f.Imports[0], len(got), got)
		}
	}
}

func breaches(packages []listed) []string {
	var out []string
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, "vigia/")
		for _, imported := range p.Imports {
			if why := forbidden(name, imported); why != "" {
				out = append(out, fmt.Sprintf("%s must not import %s: %s", name, imported, why))
			}
		}
	}
	return out
}

func forbidden(name, imported string) string {
	if imported == "os/exec" {
		return "os/exec appears nowhere in the product"
	}
	own, isOwn := strings.CutPrefix(imported, "vigia/")
	for _, r := range theTable {
		if !under(r.of, name) || slices.ContainsFunc(r.except, func(e string) bool { return under(e, name) }) {
			continue
		}
		for _, n := range r.never {
			if breaks(n, own, isOwn, imported) {
				return "design §1, " + r.of
			}
		}
	}
	if isOwn && slices.Contains(kindPackages, name) && slices.Contains(kindPackages, own) && name != own {
		return "one kind never imports another"
	}
	return ""
}

func breaks(never, own string, isOwn bool, imported string) bool {
	if std, ok := strings.CutPrefix(never, "std:"); ok {
		return imported == std
	}
	if lib, ok := strings.CutPrefix(never, "lib:"); ok {
		return !isOwn && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") && strings.HasPrefix(imported, lib)
	}
	return isOwn && under(never, own)
}

func under(pattern, name string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == base || strings.HasPrefix(name, base+"/")
	}
	return pattern == name
}

func goList(t *testing.T, pattern string) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Error", pattern).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pattern, err)
	}
	var packages []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 3 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	return packages
}
