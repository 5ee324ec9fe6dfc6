package profile

import (
	"math"
	"testing"
)

// TestBuiltin: every profile of the binary loads, and each metric of it can be asked everything.
func TestBuiltin(t *testing.T) {
	set, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range set.Names() {
		p := set.Named(name)
		if p.Title == "" || p.Source == "" {
			t.Errorf("%s: title %q, source %q", name, p.Title, p.Source)
		}
		for _, m := range p.Metrics {
			if len(m.Scalars())+len(m.Columns()) == 0 {
				t.Errorf("%s: %s of %s reads nothing", name, m.Metric, m.Profile)
			}
			if m.HasRows() != (len(m.Find()) > 0) {
				t.Errorf("%s: %s of %s has rows and finds none", name, m.Metric, m.Profile)
			}
			exercise(t, m, arbitrary{seed: 7})
		}
	}
	if set.For("", "").Name != "generic" {
		t.Error("what nothing matches does not get the profile generic")
	}
}

// exercise finds rows and evaluates them with whatever a device says, and checks that figures are finite and of distinct parts.
func exercise(t *testing.T, m *Metric, device arbitrary) {
	t.Helper()
	rows := m.Rows(device)
	m.Has(func(string) bool { return true })
	m.Kind()
	for range 2 {
		figures, _ := m.Eval(rows, device)
		parts := map[string]bool{}
		for _, f := range figures {
			if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) || math.IsInf(f.Used, 0) || math.IsInf(f.Total, 0) {
				t.Errorf("%s of %q: %v, %v of %v", f.Metric, f.Part, f.Value, f.Used, f.Total)
			}
			if parts[f.Part] {
				t.Errorf("two figures of %s are of %q", f.Metric, f.Part)
			}
			parts[f.Part] = true
			if f.Metric == "" {
				t.Error("a figure of no metric")
			}
		}
		rows = append(rows, Row{Index: "1", Name: "foreign"}) // rows of another metric do no harm
	}
}
