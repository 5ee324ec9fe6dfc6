package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors/voice"
	"vigia/store"
)

// CallsCmd is vigia calls: stored calls, beside a running vigia or without one.
type CallsCmd struct {
	Config   string `short:"c" default:"vigia.yaml" help:"The configuration file." placeholder:"FILE"`
	Since    span   `help:"Began within this time: 90m, 24h, 14d." default:"1h" placeholder:"TIME"`
	Customer string `help:"Only this customer's." placeholder:"NAME"`
	JSON     bool   `name:"json" help:"One JSON object a line, as in the API's /api/v1/calls."`
}

// callsAtOnce is how many calls are read in one go.
const callsAtOnce = 1000

// Run lists them, the newest first.
func (c *CallsCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, err := storeConfig(c.Config, k, kc, logger)
	if err != nil {
		return err
	}
	cfg.MustExist = true
	st, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // it was only read
	out := callLines(kc.Stdout)
	if c.JSON {
		out = jsonLines(kc.Stdout)
	}
	f := store.CallFilter{Since: time.Now().Add(-time.Duration(c.Since)), Customer: c.Customer, Limit: callsAtOnce}
	for {
		page, err := st.Calls(ctx, store.Everything(), f)
		if err != nil {
			return err
		}
		if err := out(page); err != nil {
			return fmt.Errorf("print calls: %w", err)
		}
		if len(page) < callsAtOnce {
			return nil
		}
		f.After = store.CallKeyOf(&page[len(page)-1])
	}
}

// jsonLines prints one object a line.
func jsonLines(w io.Writer) func([]voice.Call) error {
	encode := json.NewEncoder(w)
	return func(page []voice.Call) error {
		for i := range page {
			if err := encode.Encode(&page[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

// callLines prints a table, one line a call. What was not measured is a dash.
func callLines(w io.Writer) func([]voice.Call) error {
	head := "START\tTALK\tCUSTOMER\tTRUNK\tFROM\tTO\tCODEC\tMOS\tR\tCOVERED\tCAUSE\tENDED BY\tCALL-ID\n"
	return func(page []voice.Call) error {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprint(table, head)
		head = ""
		for i := range page {
			c := &page[i]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Start.UTC().Format(time.RFC3339), talk(c), dash(c.Customer),
				dash(string(c.Trunk)), dash(string(c.From)), dash(string(c.To)), dash(string(c.Codec)), decimals(c.MOS, 2), decimals(c.R, 0),
				percent(c.CoveragePct), dash(string(c.Cause)), dash(c.Why), dash(c.ID))
		}
		return table.Flush()
	}
}

// talk is how long was spoken.
func talk(c *voice.Call) string {
	if c.Answered.IsZero() {
		return "-"
	}
	return c.End.Sub(c.Answered).Round(time.Second).String()
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

func decimals(f *float64, n int) string {
	if f == nil {
		return "-"
	}
	return strconv.FormatFloat(*f, 'f', n, 64)
}

func percent(f *float64) string {
	if f == nil {
		return "-"
	}
	return decimals(f, 0) + " %"
}

// numbers is how much of the parties' numbers is kept.
func (c *Config) numbers() store.Numbers {
	if c.Voice == nil {
		return store.Numbers{}
	}
	return store.Numbers{Masked: c.Voice.Numbers.Store == "masked", MaskAfter: c.Voice.Numbers.MaskAfter.Std()}
}
