package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors"
	"vigia/store"
	"vigia/web/api"
)

// IncidentsCmd is vigia incidents: incidents with their timelines, beside a running vigia or without one.
type IncidentsCmd struct {
	Config string        `short:"c" default:"vigia.yaml" help:"The configuration file." placeholder:"FILE"`
	Open   bool          `help:"Only those that are not over."`
	Since  time.Duration `help:"Opened within this time." default:"24h"`
	JSON   bool          `name:"json" help:"One JSON object a line, as the API's /api/v1/incidents/{id}."`
}

// Run lists them, worst first, then the newest.
func (c *IncidentsCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, _, err := Load(c.Config, k)
	if err != nil {
		fmt.Fprintln(kc.Stderr, err)
		return refusal(c.Config, err)
	}
	st, err := store.Open(ctx, store.Config{DSN: cfg.Store.Reveal(), Logger: logger})
	if err != nil {
		return err
	}
	defer st.Close() //nolint:errcheck // it was only read
	filter := store.IncidentFilter{Limit: 1000}
	if c.Open {
		live := true
		filter.Live = &live
	} else {
		filter.Since = time.Now().Add(-c.Since)
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
	fmt.Fprintf(w, "%d  %s  %s  %s  %s\n", d.ID, d.Severity, d.State, d.Ref, title)
	for _, e := range d.Events {
		text := e.Note
		if e.Text != nil {
			text = e.Text.Text + " " + e.Note
		}
		fmt.Fprintf(w, "    %s  %-14s %s %s\n", e.At.Format(time.RFC3339), e.Kind, e.Actor, text)
	}
	return nil
}
