package profile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// named writes rows as "index=name".
func named(rows []Row) string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Index + "=" + r.Name
		if len(r.Tags) > 0 {
			out[i] += fmt.Sprint(" ", r.Tags)
		}
	}
	return strings.Join(out, "; ")
}

func TestRows(t *testing.T) {
	table := said(
		"1.4.1.10=1", "1.4.1.2=1", "1.4.1.1.5=1", "1.4.1.1=1",
		"1.4.2.1=eth", "1.4.2.2=eth", "1.4.2.10=  lo ",
		"1.4.3.1=.1.3.6.1.2.1.25.2.1.4", "1.4.3.2=1.3.6.1.2.1.25.2.1.2",
		"1.4.4.1=1001", "1.4.4.2=0", "1.4.4.10=.7", "1.4.5.1001=Routing engine", "1.4.5.7=FPC",
		`1.4.6.1=C:\ Label:  Serial Number 1`, "1.4.6.2=/var",
	)
	tests := []struct{ name, metric, want string }{
		{"by index", `{metric: core_pct, value: c1}`, "1=1; 1.5=1.5; 2=2; 10=10"},
		{"shared names get the index", `{metric: core_pct, value: c1, name: c2}`, "1=eth #1; 1.5=1.5; 2=eth #2; 10=lo"},
		{"via", `{metric: core_pct, value: c1, name: {column: c5, via: c4}}`, "1=Routing engine; 1.5=1.5; 2=2; 10=FPC"},
		{"alternatives", `{metric: core_pct, value: c1, name: [{column: c5, via: c4}, c2]}`, "1=Routing engine; 1.5=1.5; 2=eth; 10=FPC"},
		{"pattern", `{metric: core_pct, value: c1, name: [{column: c6, pattern: '^([A-Z]:)\\'}, c6]}`, "1=C:; 1.5=1.5; 2=/var; 10=10"},
		{"is", `{metric: core_pct, value: c1, only: [{column: c3, is: [1.3.6.1.2.1.25.2.1.4]}]}`, "1=1"},
		{"is, with a dot", `{metric: core_pct, value: c1, only: [{column: c3, is: [.1.3.6.1.2.1.25.2.1.2]}]}`, "2=2"},
		{"not", `{metric: core_pct, value: c1, only: [{column: c3, not: [1.3.6.1.2.1.25.2.1.4]}]}`, "1.5=1.5; 2=2; 10=10"},
		{"matches", `{metric: core_pct, value: c1, only: [{column: c2, matches: "^e"}]}`, "1=1; 2=2"},
		{"unlike", `{metric: core_pct, value: c1, only: [{column: c2, unlike: "^e"}]}`, "1.5=1.5; 10=10"},
		{"index", `{metric: core_pct, value: c1, only: [{index: '^\d+$'}]}`, "1=1; 2=2; 10=10"},
		{"all conditions", `{metric: core_pct, value: c1, only: [{index: '^\d$'}, {column: c2, is: [eth]}, {column: c4, not: [0]}]}`, "1=1"},
		{
			"tags", `{metric: core_pct, value: c1, only: [{index: '^\d$'}], tags: {mount: c6, none: c9}}`,
			`1=1 map[mount:C:\ Label: Serial Number 1]; 2=2 map[mount:/var]`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, named(metricOf(t, test.metric).Rows(table))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRowsOfHostileDevices: rows keep names of their own whatever the device calls them, and indexes that are none make no rows.
func TestRowsOfHostileDevices(t *testing.T) {
	m := metricOf(t, `{metric: core_pct, value: c1, name: c2}`)
	d := said("1.4.1.3=1", "1.4.1.4=1", "1.4.1.5=1", "1.4.1.=1", "1.4.1.x=1", "1.4.1.4294967296=1", "1.4.1.-1=1",
		"1.4.2.3=x", "1.4.2.4=x", "1.4.2.5=x #3")
	if diff := cmp.Diff("3=x #3 #3; 4=x #4; 5=x #3 #5", named(m.Rows(d))); diff != "" {
		t.Error(diff)
	}
	long := strings.Repeat("é", 200)
	d = said("1.4.1.3=1", "1.4.1.4=1", "1.4.2.3="+long, "1.4.2.4="+long)
	for _, r := range m.Rows(d) {
		if n := len([]rune(r.Name)); n != 80 || !strings.HasSuffix(r.Name, " #"+r.Index) {
			t.Errorf("%d characters: %s", n, r.Name)
		}
	}
}

func TestLists(t *testing.T) {
	tests := []struct{ metric, scalars, columns, find, kind string }{
		{`{metric: ram_pct, total: a, free: [b, c], unit: s}`, ".1.3.2.0 .1.3.3.0 .1.3.1.0 .1.3.9.0", "", "", "memory"},
		{`{metric: cpu_pct, value: c1, rows: mean}`, "", ".1.4.1", ".1.4.1", "cpu"},
		{
			`{metric: disk_pct, used: c1, total: c2, unit: c3, name: {column: c4, via: c5}, only: [{column: c6, is: [1]}], tags: {k: c7}}`,
			"", ".1.4.1 .1.4.2", ".1.4.1 .1.4.5 .1.4.4 .1.4.6 .1.4.7 .1.4.3", "disk",
		},
		{`{metric: disk_pct, used: [c8, c1], total: a, optional: c8}`, ".1.3.1.0", ".1.4.8 .1.4.1", ".1.4.1", "disk"},
		{`{sensor: {type: c1, scale: c2, precision: c3, value: c4, status: c5}, name: c6}`, "", ".1.4.4 .1.4.5", ".1.4.4 .1.4.6 .1.4.1 .1.4.2 .1.4.3", "sensor"},
		{`{metric: part_ok, ok: a, good: [1]}`, ".1.3.1.0", "", "", "sensor"},
		{`{metric: uptime_s, value: a}`, ".1.3.1.0", "", "", ""},
	}
	for _, test := range tests {
		m := metricOf(t, test.metric)
		got := []string{strings.Join(m.Scalars(), " "), strings.Join(m.Columns(), " "), strings.Join(m.Find(), " "), m.Kind()}
		if diff := cmp.Diff([]string{test.scalars, test.columns, test.find, test.kind}, got); diff != "" {
			t.Errorf("%s: %s", test.metric, diff)
		}
	}
}

func TestHas(t *testing.T) {
	m := metricOf(t, `{metric: ram_pct, total: a, free: [b, c], optional: c, unit: s}`)
	has := func(oids ...string) bool {
		return m.Has(func(oid string) bool {
			_, ok := said(oids...).Text(oid)
			return ok
		})
	}
	if !has("1.3.1.0", "1.3.2.0") || has("1.3.1.0", "1.3.3.0") || has("1.3.2.0", "1.3.3.0") || has() {
		t.Error("what a device must have is not total and the free name that is not optional")
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ text, want string }{
		{"  Core\t\n 1 \x00\x00", "Core 1"},
		{"Ubicaci\xf3n", "Ubicación"},
		{"Ubicación", "Ubicación"},
		{"\x1b[31mred\x07", "[31mred"},
		{"a\u202eb\u200bc", "a b c"},
		{"\xff\xfe", "ÿþ"},
		{"\x80x\x9f", "x"},
		{strings.Repeat("a", 80), strings.Repeat("a", 80)},
		{strings.Repeat("a", 50) + strings.Repeat("z", 50), strings.Repeat("a", 40) + "…" + strings.Repeat("z", 39)},
		{"", ""},
	}
	for _, test := range tests {
		if got := Clean(test.text); got != test.want {
			t.Errorf("Clean(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	good := map[string]float64{
		"41": 41, " 41 C": 41, "12.5%": 12.5, "-3.2dBm": -3.2, "+5": 5, "0.07": 0.07, "1e3": 1000, "1.5e-2x": 0.015, "3 °C": 3, "2E": 2,
		".5": 0.5, "18446744073709551615": 18446744073709551615,
	}
	for text, want := range good {
		if got, ok := ParseNumber(text); !ok || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "C 41", "0x1A", "10.0.0.1", "12:30", "1,5", "2024-05-01", "3/4", "nan", "inf", "-", ".", "1e999", "5."} {
		if got, ok := ParseNumber(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
