package profile

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written puts figures and lacks into words: "ram_pct=50 512/1024", "disk_pct[C:]=10", "!cpu_pct first 0".
func written(figures []Figure, lacks []Lack) string {
	part := func(p string) string {
		if p == "" {
			return ""
		}
		return "[" + p + "]"
	}
	var out []string
	for _, f := range figures {
		text := fmt.Sprintf("%s%s=%.6g", f.Metric, part(f.Part), f.Value)
		if !math.IsNaN(f.Used) || !math.IsNaN(f.Total) {
			text += fmt.Sprintf(" %.10g/%.10g", f.Used, f.Total)
		}
		if len(f.Tags) > 0 {
			text += fmt.Sprint(" ", f.Tags)
		}
		out = append(out, text)
	}
	for _, l := range lacks {
		out = append(out, fmt.Sprintf("!%s%s %s %.6g", l.Metric, part(l.Part), l.Why, l.Value))
	}
	return strings.Join(out, "; ")
}

func TestEval(t *testing.T) {
	tests := []struct {
		name, metric string
		device       device
		want         string
	}{
		{"value", `{metric: load_1m, value: a}`, said("1.3.1.0=4"), "load_1m=4"},
		{"scale and offset", `{metric: cpu_pct, value: a, scale: -1, offset: 100}`, said("1.3.1.0=93"), "cpu_pct=7"},
		{"text with unit", `{metric: temperature_c, value: a}`, said("1.3.1.0=41 C"), "temperature_c=41"},
		{"no number", `{metric: temperature_c, value: a}`, said("1.3.1.0=hot"), "!temperature_c missing 0"},
		{"nothing", `{metric: temperature_c, value: a}`, said(), "!temperature_c missing 0"},
		{"above max", `{metric: temperature_c, value: a, max: 99}`, said("1.3.1.0=255"), "!temperature_c range 255"},
		{"below min", `{metric: fan_rpm, value: a, min: 1}`, said("1.3.1.0=0"), "!fan_rpm range 0"},
		{"at max", `{metric: temperature_c, value: a, max: 99}`, said("1.3.1.0=99"), "temperature_c=99"},
		{"part", `{metric: temperature_c, value: a, part: PSU 1}`, said("1.3.1.0=30"), "temperature_c[PSU 1]=30"},
		{"percent rounding", `{metric: cpu_pct, value: a}`, said("1.3.1.0=100.4"), "cpu_pct=100"},
		{"percent rounding below", `{metric: cpu_pct, value: a}`, said("1.3.1.0=-0.5"), "cpu_pct=0"},
		{"percent beyond", `{metric: cpu_pct, value: a}`, said("1.3.1.0=101"), "!cpu_pct range 101"},
		{"percent with max", `{metric: humidity_pct, value: a, max: 120}`, said("1.3.1.0=110"), "humidity_pct=110"},
		{"overloaded UPS", `{metric: load_pct, value: a}`, said("1.3.1.0=130"), "load_pct=130"},

		{"counter", `{metric: calls_failed_ps, value: a, counters: true}`, said("1.3.1.0=900", "1.3.1.0+=120"), "calls_failed_ps=2"},
		{"counter scaled", `{metric: calls_failed_ps, value: a, counters: true, scale: 10}`, said("1.3.1.0=900", "1.3.1.0+=120"), "calls_failed_ps=20"},
		{"counter first", `{metric: calls_failed_ps, value: a, counters: true}`, said("1.3.1.0=900"), "!calls_failed_ps first 0"},
		{"counter missing", `{metric: calls_failed_ps, value: a, counters: true}`, said("1.3.1.0+=120"), "!calls_failed_ps missing 0"},
		{
			"ticks", `{metric: cpu_pct, used: [a, b], free: c, counters: true}`,
			said("1.3.1.0=1", "1.3.2.0=1", "1.3.3.0=1", "1.3.1.0+=20", "1.3.2.0+=5", "1.3.3.0+=75"), "cpu_pct=25",
		},
		{
			"ticks first", `{metric: cpu_pct, used: [a, b], free: c, counters: true}`,
			said("1.3.1.0=1", "1.3.2.0=1", "1.3.3.0=1", "1.3.1.0+=20", "1.3.3.0+=75"), "!cpu_pct first 0",
		},
		{
			"ticks optional", `{metric: cpu_pct, used: [a, b], free: c, counters: true, optional: b}`,
			said("1.3.1.0=1", "1.3.3.0=1", "1.3.1.0+=25", "1.3.3.0+=75"), "cpu_pct=25",
		},
		{
			"ticks optional first", `{metric: cpu_pct, used: [a, b], free: c, counters: true, optional: b}`,
			said("1.3.1.0=1", "1.3.2.0=1", "1.3.3.0=1", "1.3.1.0+=25", "1.3.3.0+=75"), "!cpu_pct first 0",
		},
		{
			"ticks stand still", `{metric: cpu_pct, used: a, free: c, counters: true}`,
			said("1.3.1.0=1", "1.3.3.0=1", "1.3.1.0+=0", "1.3.3.0+=0"), "",
		},

		{"used and total", `{metric: ram_pct, used: a, total: b}`, said("1.3.1.0=25", "1.3.2.0=100"), "ram_pct=25"},
		{"used and total, sizes", `{metric: ram_pct, used: a, total: b, unit: 1024}`, said("1.3.1.0=25", "1.3.2.0=100"), "ram_pct=25 25600/102400"},
		{"used and free", `{metric: ram_pct, used: a, free: b, unit: 1}`, said("1.3.1.0=1", "1.3.2.0=3"), "ram_pct=25 1/4"},
		{"free and total", `{metric: ram_pct, total: a, free: [b, c, d], unit: 2, optional: [c, d]}`, said("1.3.1.0=100", "1.3.2.0=10", "1.3.4.0=30"), "ram_pct=60 120/200"},
		{"unit is read", `{metric: ram_pct, used: a, total: b, unit: s}`, said("1.3.1.0=25", "1.3.2.0=100", "1.3.9.0=4096"), "ram_pct=25 102400/409600"},
		{"unit lacks", `{metric: ram_pct, used: a, total: b, unit: s}`, said("1.3.1.0=25", "1.3.2.0=100"), "ram_pct=25"},
		{"part lacks", `{metric: ram_pct, total: a, free: [b, c], optional: [c]}`, said("1.3.1.0=100"), "!ram_pct missing 0"},
		{"total lacks", `{metric: ram_pct, used: a, total: b}`, said("1.3.1.0=25"), "!ram_pct missing 0"},
		{"total 0", `{metric: swap_pct, used: a, total: b}`, said("1.3.1.0=0", "1.3.2.0=0"), ""},
		{"more than all", `{metric: ram_pct, used: a, total: b}`, said("1.3.1.0=110", "1.3.2.0=100"), "!ram_pct range 110"},
		{"rounding", `{metric: ram_pct, used: a, total: b}`, said("1.3.1.0=1004", "1.3.2.0=1000"), "ram_pct=100"},
		{"more free than there is", `{metric: ram_pct, total: a, free: b}`, said("1.3.1.0=100", "1.3.2.0=150"), "!ram_pct range -50"},
		{
			"Integer32 wrapped", `{metric: ram_pct, used: a, total: b, unit: 1}`,
			said("1.3.1.0=2000000000", "1.3.2.0=-294967296"), "ram_pct=50 2000000000/4000000000",
		},
		{"both wrapped", `{metric: ram_pct, used: a, total: b}`, said("1.3.1.0=-2147483648", "1.3.2.0=-2147483648"), "ram_pct=100"},

		{"good", `{metric: part_ok, ok: a, good: [1, 3], skip: [5]}`, said("1.3.1.0=3"), "part_ok=1"},
		{"not good", `{metric: part_ok, ok: a, good: [1, 3], skip: [5]}`, said("1.3.1.0=2"), "part_ok=0"},
		{"not there", `{metric: part_ok, ok: a, good: [1, 3], skip: [5]}`, said("1.3.1.0=5"), ""},
		{"good lacks", `{metric: part_ok, ok: a, good: [1]}`, said(), "!part_ok missing 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := metricOf(t, test.metric)
			if diff := cmp.Diff(test.want, written(m.Eval(m.Rows(test.device), test.device))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEvalRows: tables, and what rows become together.
func TestEvalRows(t *testing.T) {
	cpu := said("1.4.1.1=10", "1.4.1.2=30", "1.4.1.10=80", "1.4.2.1=one", "1.4.2.2=two")
	bad := said("1.4.1.1=10", "1.4.1.2=255", "1.4.1.3=n/a")
	disks := said("1.4.1.1=50", "1.4.1.2=10", "1.4.1.3=0", "1.4.2.1=100", "1.4.2.2=400", "1.4.2.3=0", "1.4.3.1=1", "1.4.3.2=2", "1.4.3.3=1",
		"1.4.4.1=/", "1.4.4.2=/var", "1.4.4.3=/empty")
	tests := []struct {
		name, metric string
		device       device
		want         string
	}{
		{"each by default", `{metric: core_pct, value: c1}`, cpu, "core_pct[1]=10; core_pct[2]=30; core_pct[10]=80"},
		{"named", `{metric: core_pct, value: c1, name: c2}`, cpu, "core_pct[one]=10; core_pct[two]=30; core_pct[10]=80"},
		{"mean", `{metric: cpu_pct, value: c1, rows: mean}`, cpu, "cpu_pct=40"},
		{"max", `{metric: cpu_pct, value: c1, rows: max, tags: {which: c2}}`, cpu, "cpu_pct=80"},
		{"min", `{metric: cpu_pct, value: c1, rows: min, tags: {which: c2}}`, cpu, "cpu_pct=10 map[which:one]"},
		{"first", `{metric: cpu_pct, value: c1, rows: first, name: c2}`, cpu, "cpu_pct=10"},
		{"sum", `{metric: sessions, value: c1, rows: sum}`, cpu, "sessions=120"},
		{"sum not believed", `{metric: sessions, value: c1, rows: sum, max: 100}`, cpu, "!sessions range 120"},
		{"mean of what is believed", `{metric: cpu_pct, value: c1, rows: mean}`, bad, "cpu_pct=10"},
		{"each with lacks", `{metric: core_pct, value: c1}`, bad, "core_pct[1]=10; !core_pct[2] range 255; !core_pct[3] missing 0"},
		{"none left", `{metric: cpu_pct, value: c1, rows: mean, only: [{index: "[23]"}]}`, bad, "!cpu_pct range 255"},
		{"first that has a figure", `{metric: cpu_pct, value: c1, rows: first, only: [{index: "[^1]"}]}`, cpu, "cpu_pct=30"},
		{"no rows", `{metric: cpu_pct, value: c9, rows: mean}`, cpu, ""},
		{"no rows, each", `{metric: cpu_pct, value: c9}`, cpu, ""},

		{"disks", `{metric: disk_pct, used: c1, total: c2, unit: c3, name: c4}`, disks, "disk_pct[/]=50 50/100; disk_pct[/var]=2.5 20/800"},
		{"disks together", `{metric: disk_pct, used: c1, total: c2, unit: c3, rows: sum}`, disks, "disk_pct=7.77778 70/900"},
		{"disks together without unit", `{metric: disk_pct, used: c1, total: c2, rows: sum}`, disks, "disk_pct=12"},
		{"fullest disk", `{metric: disk_pct, used: c1, total: c2, unit: c3, rows: max}`, disks, "disk_pct=50 50/100"},
		{"mean of disks", `{metric: disk_pct, used: c1, total: c2, unit: c3, rows: mean}`, disks, "disk_pct=26.25"},
		{"all empty", `{metric: disk_pct, used: c1, total: c2, rows: mean, only: [{index: "3"}]}`, disks, ""},
		{
			"object beside a column", `{metric: disk_pct, used: c1, total: a, name: c4}`, said("1.4.1.1=1", "1.4.1.2=2", "1.3.1.0=4"),
			"disk_pct[1]=25; disk_pct[2]=50",
		},
		{"ok, all of them", `{metric: part_ok, ok: c1, good: [10, 30], rows: min, skip: [80]}`, cpu, "part_ok=1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := metricOf(t, test.metric)
			if diff := cmp.Diff(test.want, written(m.Eval(m.Rows(test.device), test.device))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sensorRow is a row of a sensor table with the columns c1 type, c2 scale, c3 precision, c4 value, c5 status, c6 name.
func sensorRow(index string, cells ...string) []string {
	var out []string
	for i, text := range cells {
		if text != "" {
			out = append(out, fmt.Sprintf("1.4.%d.%s=%s", i+1, index, text))
		}
	}
	return out
}

func TestEvalSensors(t *testing.T) {
	m := metricOf(t, `{sensor: {type: c1, scale: c2, precision: c3, value: c4, status: c5}, name: c6}`)
	tests := []struct {
		name  string
		cells []string
		want  string
	}{
		{"millivolts AC", []string{"3", "8", "0", "230000", "1", "in"}, "voltage_v[in]=230"},
		{"volts DC with decimals", []string{"4", "9", "2", "1199", "1", "out"}, "voltage_v[out]=11.99"},
		{"amperes", []string{"5", "8", "1", "15000", "1", "i"}, "current_a[i]=1.5"},
		{"kilowatts", []string{"6", "10", "0", "2", "1", "p"}, "power_w[p]=2000"},
		{"celsius", []string{"8", "9", "1", "415", "1", "cpu"}, "temperature_c[cpu]=41.5"},
		{"below zero", []string{"8", "9", "1", "-55", "1", "out"}, "temperature_c[out]=-5.5"},
		{"humidity", []string{"9", "9", "0", "45", "1", "h"}, "humidity_pct[h]=45"},
		{"humidity beyond", []string{"9", "9", "0", "145", "1", "h"}, "!humidity_pct[h] range 145"},
		{"rpm", []string{"10", "9", "0", "5400", "1", "fan"}, "fan_rpm[fan]=5400"},
		{"true", []string{"12", "9", "0", "1", "1", "ok"}, "part_ok[ok]=1"},
		{"false", []string{"12", "9", "0", "2", "1", "ok"}, "part_ok[ok]=0"},
		{"neither", []string{"12", "9", "0", "0", "1", "ok"}, "!part_ok[ok] range 0"},
		{"dBm", []string{"14", "9", "1", "-32", "1", "rx"}, "optical_dbm[rx]=-3.2"},
		{"accurate digits move no point", []string{"8", "9", "-2", "41", "1", "x"}, "temperature_c[x]=41"},
		{"hertz are no metric", []string{"7", "9", "0", "50", "1", "f"}, ""},
		{"no type", []string{"", "9", "0", "50", "1", "f"}, ""},
		{"does not work", []string{"8", "9", "0", "0", "3", "x"}, "!temperature_c[x] status 3"},
		{"out of range", []string{"8", "9", "0", "1000000000", "1", "x"}, "!temperature_c[x] range 1e+09"},
		{"scale that does not exist", []string{"8", "0", "0", "41", "1", "x"}, "!temperature_c[x] range 41"},
		{"no scale, no precision, no status", []string{"8", "", "", "41", "", "x"}, "temperature_c[x]=41"},
		{"no value later", []string{"8", "9", "0", "none", "1", "x"}, "!temperature_c[x] missing 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := said(sensorRow("7", test.cells...)...)
			if diff := cmp.Diff(test.want, written(m.Eval(m.Rows(d), d))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLackStaysFinite: whatever is read, what is told of it can be written down.
func TestLackStaysFinite(t *testing.T) {
	m := metricOf(t, `{metric: cpu_pct, value: a, scale: 1e308}`)
	if got := written(m.Eval(nil, said("1.3.1.0=1e10"))); got != "!cpu_pct range 0" {
		t.Error(got)
	}
}
