package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"

	"vigia/alerting"
	"vigia/collectors/inventory"
	"vigia/store"
)

// ThresholdsCmd is vigia thresholds.
type ThresholdsCmd struct {
	Try ThresholdsTryCmd `cmd:"" help:"What the thresholds of a configuration would have raised, against what was raised."`
}

// ThresholdsTryCmd is vigia thresholds try.
type ThresholdsTryCmd struct {
	Config string            `short:"c" default:"vigia.yaml" help:"The configuration with the thresholds to try. It also names the store." placeholder:"FILE"`
	Since  span              `help:"Over this time: 24h, 30d." default:"30d" placeholder:"TIME"`
	On     inventory.Pattern `help:"Only of these objects, such as link/*." default:"*" placeholder:"PATTERN"`
	Metric string            `help:"Only this metric." placeholder:"NAME"`
	JSON   bool              `name:"json" help:"One JSON object."`
}

// Help is what vigia thresholds try --help says beneath its one line.
func (ThresholdsTryCmd) Help() string {
	return "Gives the stored samples of the time to the engine, with the thresholds, policies and inventory of the configuration, and counts what" +
		" rises. It writes nothing and tells nobody. Immediate probes (confirm) cannot be made in the past: where a threshold asks for them, a" +
		" level is raised when its for: is over. Nobody acknowledges. Times in which nothing at all was stored count as times in which Vigía" +
		" did not run."
}

// Run tries them.
func (c *ThresholdsTryCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, _, err := Load(c.Config, k)
	if err != nil {
		fmt.Fprintln(kc.Stderr, err)
		return refusal(c.Config, err)
	}
	st, err := store.Open(ctx, store.Config{DSN: cfg.Store.Reveal(), Logger: logger, MustExist: true})
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // it was only read
	now := time.Now().UTC()
	t := &trial{
		store: st, engine: cfg.EngineConfig(), from: now.Add(-time.Duration(c.Since)).Truncate(trialTick), to: now.Truncate(trialTick), on: c.On, metric: c.Metric,
		progress: progressOf(kc.Stderr, c.JSON),
	}
	found, err := t.run(ctx)
	if err != nil {
		return fmt.Errorf("try the thresholds of %s: %w", c.Config, err)
	}
	if c.JSON {
		return json.NewEncoder(kc.Stdout).Encode(found)
	}
	found.print(kc.Stdout, c.Config)
	return nil
}

// progressOf says now and then how far a trial is.
func progressOf(w io.Writer, quiet bool) func(at, from, to time.Time) {
	last := -1
	return func(at, from, to time.Time) {
		if part := int(10 * at.Sub(from) / max(to.Sub(from), 1)); !quiet && part > last {
			last = part
			fmt.Fprintf(w, "%3d %%  %s\n", 10*part, at.Format(time.DateTime))
		}
	}
}

// tried is what a trial found.
type tried struct {
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"`
	Series   int         `json:"series"`
	Samples  int         `json:"samples"`
	Gaps     int         `json:"gaps"` // times in which nothing was stored
	New      outcome     `json:"new"`
	Present  outcome     `json:"present"`
	BySeries []objectRow `json:"by_series"`
}

// outcome is what one set of thresholds raised.
type outcome struct {
	Incidents map[string]int `json:"incidents"` // by the worst severity they reached
	Hours     [24]int        `json:"incidents_by_hour_utc"`
	Alarms    int            `json:"alarms"`
}

func (o *outcome) add(in *alerting.Incident) {
	if o.Incidents == nil {
		o.Incidents = map[string]int{}
	}
	o.Incidents[in.Worst.String()]++
	o.Hours[in.OpenedAt.UTC().Hour()]++
}

// objectRow is one series in both.
type objectRow struct {
	Series  string `json:"series"`
	New     int    `json:"new"`
	Present int    `json:"present"`
}

// mostObjects is how many series the text lists.
const mostObjects = 20

func (f *tried) print(w io.Writer, file string) {
	fmt.Fprintf(w, "Thresholds of %s from %s to %s UTC: %d series, %d samples", file, f.From.Format("2006-01-02 15:04"), f.To.Format("2006-01-02 15:04"), f.Series, f.Samples)
	if f.Gaps > 0 {
		fmt.Fprintf(w, "; Vigía did not run %d times meanwhile", f.Gaps)
	}
	fmt.Fprintf(w, "\n\n%-14s %8s %8s\n", "incidents", "new", "present")
	for _, s := range alerting.Severities {
		if a, b := f.New.Incidents[s.String()], f.Present.Incidents[s.String()]; a+b > 0 {
			fmt.Fprintf(w, "%-14s %8d %8d\n", s, a, b)
		}
	}
	fmt.Fprintf(w, "%-14s %8d %8d\n\n%-14s %8s %8s\n", "alarms", f.New.Alarms, f.Present.Alarms, "by hour, UTC", "new", "present")
	for hour := range 24 {
		if a, b := f.New.Hours[hour], f.Present.Hours[hour]; a+b > 0 {
			fmt.Fprintf(w, "%02d:00          %8d %8d\n", hour, a, b)
		}
	}
	if len(f.BySeries) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-50s %8s %8s\n", "alarms by series", "new", "present")
	for _, row := range f.BySeries[:min(len(f.BySeries), mostObjects)] {
		fmt.Fprintf(w, "%-50s %8d %8d\n", printable(row.Series), row.New, row.Present)
	}
	if more := len(f.BySeries) - mostObjects; more > 0 {
		fmt.Fprintf(w, "and %d more, see --json\n", more)
	}
}
