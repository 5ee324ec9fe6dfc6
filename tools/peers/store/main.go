// Command store gives the same samples to VictoriaMetrics (Debian's package victoria-metrics) and to `vigia bench store`, in alternation, and
// prints the CPU time of each for a million samples, what a sample takes on the disk, and the ratios.
//
// The work: N series with one sample a minute, spread evenly over it, for some simulated hours from a midnight on, in requests of two
// seconds' worth in order of time, as fast as it goes. `vigia bench store --emit` makes the samples for both; their values have 1.7 octets of
// entropy. VictoriaMetrics gets them over HTTP in one of its own forms (-form), on one connection; making these is this program's work, whose
// CPU is not counted. Vigía's CPU is that of its whole process, which makes up the samples too, and of all processes of PostgreSQL.
//
// VictoriaMetrics' CPU is read from /proc after /internal/force_flush and before /internal/force_merge; its octets are those of all files in
// its folder after both. Each is started anew for each round, with an empty folder or database.
//
//	go run ./peers/store -vigia ../vigia                             (in tools/)
//
// With -real both get them at the pace of a clock instead, and the end of an hour falls into Vigía's time.
//
//	go run ./peers/store -vigia ../vigia -real 3m
//	go run ./peers/store -vigia ../vigia -postgres postgres://...    a server in which databases may be made; by psql
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"vigia/tools/peers/measure"
)

// options are what a measurement is about.
type options struct {
	vigia    string
	victoria string
	postgres string
	form     string
	series   int
	hours    int
	seed     int
	flush    time.Duration
	real     time.Duration // 0: as fast as it goes
}

// round is what one round of either gave.
type round struct {
	cpu     float64 // seconds a million samples; at the real pace what comes in with nothing to do is in it
	octets  float64 // a sample, on the disk
	more    string
	samples int
}

func main() {
	var o options
	flag.StringVar(&o.vigia, "vigia", "", "the vigia binary")
	flag.StringVar(&o.victoria, "victoria", "victoria-metrics", "the VictoriaMetrics binary")
	flag.StringVar(&o.postgres, "postgres", "", "the address of a PostgreSQL on this machine; default: SQLite")
	flag.StringVar(&o.form, "form", "prometheus", "what VictoriaMetrics is given: "+strings.Join(formNames(), ", "))
	flag.IntVar(&o.series, "series", 10_000, "how many series")
	flag.IntVar(&o.hours, "hours", 28, "simulated hours")
	flag.DurationVar(&o.flush, "flush", 2*time.Second, "how much of the stream is given at once; a part of a minute")
	flag.DurationVar(&o.real, "real", 0, "not as fast as it goes but at the pace of the samples, for so long")
	flag.IntVar(&o.seed, "seed", 1, "seed of the samples")
	rounds := flag.Int("rounds", 3, "rounds of each, in alternation")
	every := flag.Bool("forms", false, "only give VictoriaMetrics the samples once in each form, to see which one costs it least")
	flag.Parse()
	measure := func() error { return compare(&o, *rounds) }
	if *every {
		measure = func() error { return compareForms(&o) }
	}
	if err := measure(); err != nil {
		log.Fatal(err)
	}
}

// compareForms measures VictoriaMetrics by each form.
func compareForms(o *options) error {
	for _, o.form = range formNames() {
		r, err := peerRound(o)
		if err != nil {
			return fmt.Errorf("%s: %w", o.form, err)
		}
		r.print(o.form)
	}
	return nil
}

// compare measures in alternation.
func compare(o *options, rounds int) error {
	var peer, own [2][]float64 // CPU, octets
	for r := range rounds {
		fmt.Printf("round %d, load %s\n", r+1, measure.Load())
		p, err := peerRound(o)
		if err != nil {
			return fmt.Errorf("VictoriaMetrics: %w", err)
		}
		p.print("VictoriaMetrics")
		v, err := vigiaRound(o, r)
		if err != nil {
			return fmt.Errorf("vigia: %w", err)
		}
		v.print("vigia")
		if p.samples != v.samples && o.real == 0 {
			return fmt.Errorf("%d and %d samples", p.samples, v.samples)
		}
		fmt.Printf("  %-16s CPU %.3f, octets %.3f\n", "ratio", v.cpu/p.cpu, v.octets/p.octets)
		peer[0], own[0] = append(peer[0], p.cpu), append(own[0], v.cpu)
		peer[1], own[1] = append(peer[1], p.octets), append(own[1], v.octets)
	}
	fmt.Printf("medians: CPU %.3f and %.3f s a million samples, ratio %.3f; octets %.3f and %.3f a sample, ratio %.3f\n",
		measure.Median(peer[0]), measure.Median(own[0]), measure.Median(own[0])/measure.Median(peer[0]), measure.Median(peer[1]), measure.Median(own[1]), measure.Median(own[1])/measure.Median(peer[1]))
	return nil
}

func (r round) print(whose string) {
	fmt.Printf("  %-16s %d samples, CPU %.3f s a million, %.3f octets a sample; %s\n", whose, r.samples, r.cpu, r.octets, r.more)
}

// stream is the arguments of `vigia bench store` that say which samples.
func (o *options) stream() []string {
	return []string{"bench", "store", "--seed", strconv.Itoa(o.seed), "--series", strconv.Itoa(o.series), "--hours", strconv.Itoa(o.hours), "--flush", o.flush.String()}
}

// vigiaRound runs `vigia bench store` on a new database, and checks what it says of its CPU time.
func vigiaRound(o *options, r int) (out round, err error) {
	args := append(o.stream(), "--json")
	if o.real > 0 {
		args = append(args, "--pace", "real", "--duration", o.real.String())
	}
	if o.postgres != "" {
		dsn, remove, err := newDatabase(o.postgres, r)
		if err != nil {
			return out, err
		}
		defer func() { err = errors.Join(err, remove()) }()
		args = append(args, "--store", dsn)
	}
	cmd := exec.Command(o.vigia, args...) //nolint:gosec // the binary that was named
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return out, err
	}
	var f struct {
		Samples int
		CPU     struct {
			Own    float64 `json:"own_s"`
			Server float64 `json:"server_s"`
		}
		Generator float64 `json:"generator_cpu_s"`
		Total     float64 `json:"total_cpu_s"`
		Days      int     `json:"day_chunks"`
		PerDay    float64 `json:"day_bytes_per_sample"`
		Rollups   float64 `json:"rollup_bytes_per_sample"`
		All       float64 `json:"all_bytes_per_sample"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return out, err
	}
	if kernel := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(); kernel < f.Total {
		return out, fmt.Errorf("it says that it used %.2f s, the kernel says %.2f s", f.Total, kernel)
	}
	if f.Days != o.series && o.real == 0 {
		return out, fmt.Errorf("%d day chunks of %d series: too few hours", f.Days, o.series)
	}
	millions := float64(f.Samples) / 1e6
	return round{
		cpu: (f.CPU.Own + f.CPU.Server) / millions, octets: f.PerDay, samples: f.Samples,
		more: fmt.Sprintf("the server's CPU %.3f, making up the samples %.3f; daily figures %.3f, all tables %.3f", f.CPU.Server/millions, f.Generator/millions, f.Rollups, f.All),
	}, nil
}

// newDatabase makes an empty database on the server.
func newDatabase(server string, r int) (dsn string, remove func() error, err error) {
	name := fmt.Sprintf("bench_store_%d_%d", os.Getpid(), r)
	psql := func(text string) error {
		cmd := exec.Command("psql", "-q", "-d", server, "-c", text) //nolint:gosec // the server that was named
		cmd.Stderr = os.Stderr
		return cmd.Run()
	}
	if err := psql("CREATE DATABASE " + name); err != nil {
		return "", nil, fmt.Errorf("make a database: %w", err)
	}
	base := server[:strings.LastIndex(server, "/")]
	return base + "/" + name, func() error { return psql("DROP DATABASE " + name) }, nil
}

// octetsIn is what all files of a folder hold.
func octetsIn(dir string) (sum int64, err error) {
	err = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}
