package web

import (
	"strings"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// thrownRow is one run that threw figures away because they could not be true.
type thrownRow struct {
	At    string
	Check string
	Whys  []string // one may stand for several figures
	More  int      // reasons that are not listed
	Count string   // how many figures
}

// thrownRuns is how many runs the page lists, and thrownWhys how many reasons of each.
const (
	thrownRuns = 6
	thrownWhys = 4
)

// thrownCode begins the codes of the reasons that say why a figure was thrown away.
const thrownCode = "snmp.discarded"

// thrownRows lists the last runs that threw something away, newest first.
func (s *Server) thrownRows(v *visit, ref inventory.Ref) []thrownRow {
	var rows []thrownRow
	for _, run := range s.cfg.Runs.Of(ref, 0) {
		if run.Result.Discarded == 0 {
			continue
		}
		row := thrownRow{At: v.clock(run.At), Check: instance(run.Check.Instance, run.Kind), Count: v.count("thrown.figures", run.Result.Discarded)}
		whys := thrownOf(run)
		for _, why := range whys[:min(len(whys), thrownWhys)] {
			row.Whys = append(row.Whys, v.reason(why))
		}
		row.More = len(whys) - len(row.Whys)
		if rows = append(rows, row); len(rows) == thrownRuns {
			break
		}
	}
	return rows
}

// thrownOf are the steps of a run that say what was thrown away; its own line when none does.
func thrownOf(run collectors.Run) []collectors.Reason {
	var list []collectors.Reason
	for _, step := range run.Result.Steps {
		if strings.HasPrefix(step.Code, thrownCode) {
			list = append(list, step)
		}
	}
	if len(list) == 0 && !run.Result.Why.IsZero() {
		return []collectors.Reason{run.Result.Why}
	}
	return list
}

// saysThrown reports whether a reason says by itself that something was thrown away.
func saysThrown(why collectors.Reason) bool { return strings.Contains(why.Code, "discarded") }
