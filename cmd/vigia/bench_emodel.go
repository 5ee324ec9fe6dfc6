package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/alecthomas/kong"

	"vigia/mos"
)

// BenchEmodelCmd is `vigia bench emodel`: what a score costs, from loss, jitter and delay to R and MOS, on each of the E-model's scales.
type BenchEmodelCmd struct {
	Scores int `help:"Scores of each scale in a round; the best of nine rounds counts." default:"200000"`
}

// emodelFigure is one scale.
type emodelFigure struct {
	Scale       string  `json:"scale"`
	Codec       string  `json:"codec"`
	NS          float64 `json:"cpu_ns_per_score"`
	Allocations float64 `json:"allocations_per_score"`
	MOS         float64 `json:"mos"` // of the last, so that it is known what was computed
}

// Run measures and prints.
func (c *BenchEmodelCmd) Run(_ context.Context, bench *BenchCmd, k *kong.Context) error {
	if c.Scores < 1 {
		return fmt.Errorf("scores: %d; at least 1", c.Scores)
	}
	runtime.LockOSThread() // CPU is that of this thread
	defer runtime.UnlockOSThread()
	var out []emodelFigure
	for _, codec := range [...]struct {
		name string
		kbps float64
	}{{"G.711", 0}, {"AMR-WB", 12.65}, {"EVS", 24.4}} {
		f, err := c.measure(codec.name, codec.kbps)
		if err != nil {
			return err
		}
		out = append(out, f)
	}
	if bench.JSON {
		return printJSON(k.Stdout, out)
	}
	printEmodel(k.Stdout, out)
	return nil
}

func (c *BenchEmodelCmd) measure(name string, kbps float64) (f emodelFigure, err error) {
	codec, err := mos.FindCodec(name, kbps)
	if err != nil {
		return f, err
	}
	in := mos.Input{
		Scale: codec.Scale, Codec: codec, RTTMs: 80, JitterMs: 12, PacketMs: 20,
		Known: mos.KnownCodec | mos.KnownLoss | mos.KnownRTT | mos.KnownJitter | mos.KnownPacket,
	}
	f = emodelFigure{Scale: codec.Scale.String(), Codec: codec.Name}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const rounds = 9
	best := time.Duration(1<<63 - 1)
	for range rounds {
		began, err := threadCPU()
		if err != nil {
			return f, err
		}
		for i := range c.Scores {
			in.LossPct = float64(i%800) / 100
			s, err := mos.Rate(in)
			if err != nil {
				return f, err
			}
			f.MOS = s.MOS()
		}
		ended, err := threadCPU()
		if err != nil {
			return f, err
		}
		best = min(best, ended-began)
	}
	runtime.ReadMemStats(&after)
	f.NS = float64(best.Nanoseconds()) / float64(c.Scores)
	f.Allocations = float64((after.Mallocs-before.Mallocs)/rounds) / float64(c.Scores) // whole ones: those of the runtime do not count
	return f, nil
}

func printEmodel(w io.Writer, figures []emodelFigure) {
	for _, f := range figures {
		fmt.Fprintf(w, "%-4s %-14s %8.1f ns of CPU a score, %.2f allocations\n", f.Scale, f.Codec, f.NS, f.Allocations)
	}
}
