package main

import (
	"fmt"
	"io"

	"vigia/store"
)

// storeCPU is CPU time in seconds: of this process, and of all processes of the database's server.
type storeCPU struct {
	Own    float64 `json:"own_s"`
	Server float64 `json:"server_s"`
}

func (c storeCPU) plus(d storeCPU) storeCPU  { return storeCPU{c.Own + d.Own, c.Server + d.Server} }
func (c storeCPU) minus(d storeCPU) storeCPU { return storeCPU{c.Own - d.Own, c.Server - d.Server} }
func (c storeCPU) sum() float64              { return c.Own + c.Server }

// storeFigures is what `vigia bench store` prints.
type storeFigures struct {
	Database string  `json:"database"`
	Pace     string  `json:"pace"`
	Series   int     `json:"series"`
	Seed     uint64  `json:"seed"`
	FlushS   float64 `json:"flush_s"`
	Entropy  float64 `json:"entropy_bytes_per_sample"`

	Samples    int      `json:"samples"`
	Took       float64  `json:"took_s"`
	CPU        storeCPU `json:"cpu"`
	Generator  float64  `json:"generator_cpu_s,omitempty"` // what of CPU.Own makes up the samples, measured alone
	Compaction storeCPU `json:"compaction_cpu"`            // what of CPU makes hours and days chunks; at the fast pace
	Total      float64  `json:"total_cpu_s"`               // of this process when it had measured

	Hours   int64   `json:"hour_rows"` // each of up to 32 series
	Days    int64   `json:"day_chunks"`
	PerDay  float64 `json:"day_bytes_per_sample,omitempty"`    // day chunks with their index
	Rollups float64 `json:"rollup_bytes_per_sample,omitempty"` // daily figures, of the same samples
	All     float64 `json:"all_bytes_per_sample"`              // log, hours and days, with what they leave free, and the names of series

	Calm     delays `json:"commit_ms"`           // small changes, durable, before
	RollOver delays `json:"roll_over_commit_ms"` // the same while an hour becomes chunks
	Commits  int    `json:"roll_over_commits,omitempty"`
}

const daySamples = 24 * 60 // of one series

// fill takes over what the tables hold.
func (f *storeFigures) fill(sizes store.Sizes) {
	var bytes int64
	for _, t := range sizes.Tables {
		switch t.Name {
		case "sample_days":
			f.Days = t.Rows
			if t.Rows > 0 {
				f.PerDay = float64(t.Bytes) / float64(t.Rows*daySamples)
			}
		case "sample_rollup_1d":
			if t.Rows > 0 {
				f.Rollups = float64(t.Bytes) / float64(t.Rows*daySamples)
			}
			continue
		case "sample_hours":
			f.Hours = t.Rows
		case "sample_log", "series":
		default:
			continue
		}
		bytes += t.Bytes
	}
	if f.Samples > 0 {
		f.All = float64(bytes) / float64(f.Samples)
	}
}

func (f *storeFigures) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %d samples of %d series, %s pace, a flush every %g s, seed %d, %.3f octets of entropy each\n", f.Database, f.Samples, f.Series, f.Pace, f.FlushS, f.Seed, f.Entropy)
	line := func(what, unit string, value float64) { fmt.Fprintf(w, "%-64s %10.4f %s\n", what, value, unit) }
	millions := float64(f.Samples) / 1e6
	line("took", "s", f.Took)
	line("CPU a million samples, all", "s", f.CPU.sum()/millions)
	line("  of it the database's server", "s", f.CPU.Server/millions)
	if f.Pace == "real" {
		line("CPU, all, with an hour's compaction in it", "cores", f.CPU.sum()/f.Took)
		fmt.Fprintf(w, "%-64s %10d\n", "rows of hours that were made meanwhile", f.Hours)
		return
	}
	line("  of it chunks of hours and days", "s", f.Compaction.sum()/millions)
	line("  of it making up the samples", "s", f.Generator/millions)
	line("day chunks with their index", "octets a sample", f.PerDay)
	line("daily figures with their index", "octets a sample", f.Rollups)
	line("all of log, hours, days and names of series", "octets a sample", f.All)
	f.Calm.printLine(w, "a small commit")
	f.RollOver.printLine(w, fmt.Sprintf("a small commit while an hour becomes chunks (%d)", f.Commits))
}

func (d delays) printLine(w io.Writer, what string) {
	fmt.Fprintf(w, "%-64s median %.2f ms  p99 %.2f ms  max %.2f ms\n", what, d.Median, d.P99, d.Max)
}
