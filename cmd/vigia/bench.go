package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
)

// BenchCmd is `vigia bench`: sizing and proof, each a figure with its unit. It talks to loopback only and starts no process.
type BenchCmd struct {
	Alertpath BenchAlertpathCmd `cmd:"" help:"From the failure of a probed target to the webhook, and from a probe's result to the POST."`
	Snmp      BenchSnmpCmd      `cmd:"" help:"CPU, memory and punctuality of polling switches by SNMP."`
	Store     BenchStoreCmd     `cmd:"" help:"CPU, octets a sample and the wait of commits when samples are written."`
	Hep       BenchHepCmd       `cmd:"" help:"CPU of reports about calls over HEP, from the socket to the MOS, which is compared with the truth."`
	Calls     BenchCallsCmd     `cmd:"" help:"Memory and CPU of 100,000 calls that come and go, with SIP and reports over HEP, compared with the truth."`
	Flood     BenchFloodCmd     `cmd:"" help:"Junk of every kind beside calls: memory, counters, scores, and that no stranger is answered."`
	Emodel    BenchEmodelCmd    `cmd:"" help:"CPU and allocations of a score, narrowband, wideband and fullband."`
	Seed      uint64            `help:"Seed of what is random." default:"1"`
	JSON      bool              `name:"json" help:"Print one JSON object."`
}

// spread is what is said of many delays.
type spread struct {
	N      int     `json:"n"`
	Median float64 `json:"median_s"`
	P95    float64 `json:"p95_s"`
	P99    float64 `json:"p99_s"`
	Max    float64 `json:"max_s"`
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(q float64) float64 { return sorted[int(math.Ceil(q*float64(len(sorted))))-1] }
	return spread{N: len(sorted), Median: at(.5), P95: at(.95), P99: at(.99), Max: sorted[len(sorted)-1]}
}

func (s spread) print(w io.Writer, what string) {
	fmt.Fprintf(w, "%-44s n %4d  median %8.3f s  p95 %8.3f s  p99 %8.3f s  max %8.3f s\n", what, s.N, s.Median, s.P95, s.P99, s.Max)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
