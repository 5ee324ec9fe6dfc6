package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/web/api"
)

// IncidentsCmd is vigia incidents: incidents with their timelines, beside a running vigia or without one.
type IncidentsCmd struct {
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file." placeholder:"FILE"`
	Open   bool   `help:"Only those that are not over."`
	Since  span   `help:"Opened within this time: 90m, 24h, 14d." default:"24h" placeholder:"TIME"`
	JSON   bool   `name:"json" help:"One JSON object a line, as the API's /api/v1/incidents/{id}."`
}

// span is a length of time written as in the configuration: 90m, 24h, 14d.
type span time.Duration

// UnmarshalText reads it.
func (s *span) UnmarshalText(text []byte) error {
	d, err := inventory.ParseDuration(string(text))
	*s = span(d)
	return err
}

// Run lists them: the newest first, or with Open the worst first.
func (c *IncidentsCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
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
	filter := store.IncidentFilter{Limit: 1000}
	if c.Open {
		live := true
		filter.Live = &live
	} else {
		filter.Since = time.Now().Add(-time.Duration(c.Since))
	}
	found, err := st.Incidents(ctx, store.Everything(), filter)
	if err != nil {
		return err
	}
	speak := api.Config{Store: st, Inventory: cfg.Inventory, Words: words(k), Version: version(), PublicURL: cfg.PublicURL, Now: time.Now, Logger: logger}
	for _, i := range found {
		detail, err := api.Describe(ctx, speak, collectors.English, i.ID)
		if err != nil {
			return err
		}
		if err := c.print(kc.Stdout, detail); err != nil {
			return err
		}
	}
	return nil
}

func (c *IncidentsCmd) print(w io.Writer, d api.IncidentDetail) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(d)
	}
	title := ""
	if d.Title != nil {
		title = d.Title.Text
	}
	fmt.Fprintf(w, "%d  %s  %s  %s  %s\n", d.ID, d.Severity, d.State, d.Ref, printable(title))
	if line := hushed(d.Incident); line != "" {
		fmt.Fprintf(w, "    %s\n", line)
	}
	became := map[string]string{}
	for _, n := range d.Notifications {
		became[n.Key] = n.Receiver + " " + strings.ReplaceAll(n.State, "_", " ")
	}
	for _, e := range d.Events {
		fmt.Fprintf(w, "    %s  %-12s  %s\n", e.At.Format(time.RFC3339), e.Kind, line(e, became))
	}
	return nil
}

// hushed says why nobody is told for now; nothing when nothing keeps it quiet.
func hushed(i api.Incident) string {
	switch {
	case i.Muted != nil:
		return printable(fmt.Sprintf("quiet until %s: %s %d by %s: %s", instant(i.Muted.Until), i.Muted.Kind, i.Muted.Mute, i.Muted.By, i.Muted.Reason))
	case i.Owner != nil && i.Owner.Off:
		return printable(fmt.Sprintf("put off until %s by %s", instant(i.Owner.Until), i.Owner.By))
	}
	return ""
}

// instant writes a time as the timeline does; a dash for none.
func instant(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Format(time.RFC3339)
}

// line is one line of a timeline: what happened, who said what, and what became of the messages that it caused.
func line(e api.Event, became map[string]string) string {
	text := e.Actor
	if e.Text != nil {
		text = e.Text.Text
	}
	if e.Note != "" {
		text += ": " + e.Note
	}
	var told []string
	for _, key := range e.Keys {
		if state, ok := became[key]; ok {
			told = append(told, state)
		}
	}
	if len(told) > 0 {
		text += " [" + strings.Join(told, ", ") + "]"
	}
	return printable(text)
}

// printable keeps what devices and people wrote from steering the terminal.
func printable(text string) string { return alerting.Clean(text, maxLine) }

const maxLine = 1000
