package profile

import (
	"fmt"
	"testing"
)

// table is a reading from a map, as the collector has one.
type table map[string]float64

func (t table) Number(oid string) (float64, bool) { v, ok := t[oid]; return v, ok }
func (t table) Text(string) (string, bool)        { return "", false }
func (t table) Growth(oid string) (float64, bool) { v, ok := t[oid]; return v, ok }
func (t table) Elapsed() float64                  { return 60 }

// BenchmarkEval is one poll of a device: memory, 16 processors and their mean, 20 disks and 100 sensors.
func BenchmarkEval(b *testing.B) {
	definitions := []string{
		`{metric: ram_pct, total: a, free: [b, c, d], unit: 1024}`,
		`{metric: cpu_pct, value: c1, rows: mean}`,
		`{metric: core_pct, value: c1}`,
		`{metric: disk_pct, used: c2, total: c3, unit: c4}`,
		`{sensor: {type: c5, scale: c6, precision: c7, value: c8, status: c9}}`,
	}
	words := []string{"1.3.1.0=4000", "1.3.2.0=1000", "1.3.3.0=100", "1.3.4.0=900"}
	for i := range 100 {
		if i < 16 {
			words = append(words, fmt.Sprintf("1.4.1.%d=%d", i, i))
		}
		if i < 20 {
			words = append(words, fmt.Sprintf("1.4.2.%d=%d", i, i), fmt.Sprintf("1.4.3.%d=100", i), fmt.Sprintf("1.4.4.%d=4096", i))
		}
		for column, text := range map[int]string{5: "8", 6: "9", 7: "1", 8: "415", 9: "1"} {
			words = append(words, fmt.Sprintf("1.4.%d.%d=%s", column, i, text))
		}
	}
	d := said(words...)
	in := table{}
	for oid := range d.texts {
		in["."+oid], _ = d.Number("." + oid)
	}
	var metrics []*Metric
	var rows [][]Row
	for _, text := range definitions {
		m := metricOf(b, text)
		metrics, rows = append(metrics, m), append(rows, m.Rows(d))
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for i, m := range metrics {
			figures, lacks := m.Eval(rows[i], in)
			n += len(figures)
			if len(lacks) > 0 {
				b.Fatal(lacks)
			}
		}
		if n != 138 {
			b.Fatal(n, "figures")
		}
	}
}
