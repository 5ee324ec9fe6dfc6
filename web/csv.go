package web

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"time"
)

// writeCSV sends a table as a file (RFC 4180). A cell that a spreadsheet would run as a formula gets an apostrophe before it.
func writeCSV(v *visit, name string, rows [][]string) error {
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+"-"+v.now.UTC().Format("20060102T150405Z")+`.csv"`)
	h.Set("Cache-Control", "no-store")
	w := csv.NewWriter(v.w)
	for _, r := range rows {
		safe := make([]string, len(r))
		for i, cell := range r {
			safe[i] = defuse(cell)
		}
		if err := w.Write(safe); err != nil {
			return gone(err)
		}
	}
	w.Flush()
	return gone(w.Error())
}

func defuse(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}

// plain writes a figure for machines: a point for the decimals, nothing for what was not measured.
func plain(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// listCSV sends a list as it is filtered and sorted.
func (s *Server) listCSV(v *visit, page string, specs []columnSpec, rows []row) error {
	head := []string{"name", "site", "state", "what", "since"}
	for _, spec := range specs {
		head = append(head, spec.key)
	}
	out := [][]string{head}
	for _, r := range rows {
		line := []string{r.Name, r.Site, r.Shape.Word, r.What, stamp(r.Since)}
		for k := range specs {
			line = append(line, plain(r.raw[k]))
		}
		out = append(out, line)
	}
	return writeCSV(v, page, out)
}
