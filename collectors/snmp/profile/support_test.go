package profile

import (
	"strings"
	"testing"
	"testing/fstest"
)

// head begins a profile of tests: objects a to d and s, columns c1 to c9.
const head = `name: x
title: T
source: S
objects: {a: 1.3.1.0, b: 1.3.2.0, c: 1.3.3.0, d: 1.3.4.0, s: 1.3.9.0}
columns: {c1: 1.4.1, c2: 1.4.2, c3: 1.4.3, c4: 1.4.4, c5: 1.4.5, c6: 1.4.6, c7: 1.4.7, c8: 1.4.8, c9: 1.4.9}
metrics:
`

// metricOf compiles one metric, written as a flow mapping.
func metricOf(t testing.TB, text string) *Metric {
	t.Helper()
	return setOf(t, map[string]string{"x": head + "  - " + text + "\n"}).Named("x").Metrics[0]
}

func setOf(t testing.TB, files map[string]string) *Set {
	t.Helper()
	set, err := load(nil, folderOf(files))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func folderOf(files map[string]string) fstest.MapFS {
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

// plainProfile is a profile that has only what it must.
func plainProfile(name, more string) string {
	return "name: " + name + "\ntitle: T\nsource: S\n" + more
}

// device is what a test's device says, by OID without leading dot.
type device struct {
	texts   map[string]string
	growth  map[string]float64
	elapsed float64
}

func (d device) Number(oid string) (float64, bool) {
	text, ok := d.Text(oid)
	if !ok {
		return 0, false
	}
	return ParseNumber(text)
}

func (d device) Text(oid string) (string, bool) {
	text, ok := d.texts[strings.TrimPrefix(oid, ".")]
	return text, ok && strings.HasPrefix(oid, ".")
}

func (d device) Growth(oid string) (float64, bool) {
	v, ok := d.growth[strings.TrimPrefix(oid, ".")]
	return v, ok
}

func (d device) Elapsed() float64                 { return d.elapsed }
func (d device) Scalar(oid string) (string, bool) { return d.Text(oid) }

func (d device) Column(oid string) map[string]string {
	out := map[string]string{}
	for cell, text := range d.texts {
		if index, ok := strings.CutPrefix("."+cell, oid+"."); ok {
			out[index] = text
		}
	}
	return out
}

// said makes a device of "oid=text" words.
func said(words ...string) device {
	d := device{texts: map[string]string{}, growth: map[string]float64{}, elapsed: 60}
	for _, w := range words {
		oid, text, _ := strings.Cut(w, "=")
		if plus, ok := strings.CutSuffix(oid, "+"); ok {
			d.growth[plus], _ = ParseNumber(text)
			continue
		}
		d.texts[oid] = text
	}
	return d
}
