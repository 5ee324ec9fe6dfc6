package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/ping"
	"vigia/store"
)

// DemoCmd is vigia demo: a simulated operator of two sites, probed by the real collectors over loopback, one bad minute in three.
type DemoCmd struct {
	Listen string `help:"Where the pages are: a loopback address." default:"127.0.0.1:8080" placeholder:"ADDR"`
}

// Run plays the demo until it is told to stop. Nothing of it is kept.
func (c *DemoCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	dir, err := os.MkdirTemp("", "vigia-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary folder harms nobody
	parts, err := newDemoParts()
	defer closeParts(parts)
	if err != nil {
		return err
	}
	sinks, err := newDemoSinks(time.Now)
	if err != nil {
		return err
	}
	defer sinks.close()
	phones, err := newDemoPhones(logger)
	if err != nil {
		return err
	}
	file, err := c.configure(ctx, dir, demoWorld{parts, sinks, phones}, kc)
	if err != nil {
		return err
	}
	a, err := newApp(ctx, file, k, logger, sinks.received)
	if err != nil {
		return err
	}
	fmt.Fprintf(kc.Stdout, "Vigía watches a simulated operator: http://%s/\nThe first trouble comes in %s. Ctrl-C ends it and leaves nothing behind.\n", a.listener.Addr(), demoFirst)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	played := make(chan struct{})
	go func() {
		defer close(played)
		var others sync.WaitGroup
		others.Go(func() { takeOver(ctx, a.store, logger) })
		others.Go(func() { phones.run(ctx) })
		defer others.Wait()
		runTroubles(ctx, parts, logger)
	}()
	err = a.Run(ctx)
	cancel()
	<-played
	return err
}

// demoWorld is everything that the demo's configuration names.
type demoWorld struct {
	parts  map[string]demoPart
	sinks  *demoSinks
	phones *demoPhones
}

// configure writes the demo's configuration, with a secret for its webhook that is made up now.
func (c *DemoCmd) configure(ctx context.Context, dir string, w demoWorld, kc *kong.Context) (string, error) {
	for name, value := range map[string]string{"VIGIA_DEMO_SECRET": rand.Text(), "VIGIA_DEMO_COMMUNITY": demoCommunity} {
		if err := os.Setenv(name, value); err != nil {
			return "", err
		}
	}
	pings, why := canPing(ctx)
	if !pings {
		fmt.Fprintf(kc.Stdout, "Ping is not allowed here (%s); the demo connects by TCP instead.\n", why)
	}
	text, err := writeDemoConfig(c.Listen, dir, w.parts, w.sinks, w.phones, pings)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "vigia.yaml")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// canPing tries one ping of this machine, and says why not.
func canPing(ctx context.Context) (bool, string) {
	kind := ping.Kind()
	cfg := kind.New()
	if p, ok := cfg.(*ping.Config); ok {
		p.Host, p.Count = "127.0.0.1", 1
	}
	collector, err := cfg.Open(collectors.Setup{Every: time.Second, Timeout: time.Second})
	if err != nil {
		return false, err.Error()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	result := collector.Probe(ctx)
	return result.OK, kind.Words.Say(collectors.English, result.Why)
}

func closeParts(parts map[string]demoPart) {
	for _, p := range parts {
		p.close() //nolint:errcheck // it goes with the process
	}
}

// takeOver is the demo's person on call: she takes every incident that nobody has had for a while, as a newcomer could have.
func takeOver(ctx context.Context, st *store.Store, logger *slog.Logger) {
	live := true
	for ctx.Err() == nil {
		wait(ctx, time.Second)
		incidents, err := st.Incidents(ctx, store.Everything(), store.IncidentFilter{Live: &live})
		if err != nil {
			continue
		}
		for _, i := range incidents {
			if i.State != alerting.Open || time.Since(i.OpenedAt) < demoPatience {
				continue
			}
			err := st.PostCommand(ctx, alerting.Command{
				ID: fmt.Sprintf("demo-%d", i.ID), Kind: alerting.CommandAcknowledge, IncidentID: i.ID, Actor: demoPerson,
				Note: "Looking into it.", CreatedAt: time.Now().UTC(),
			})
			if err != nil && ctx.Err() == nil {
				logger.Error("demo: acknowledge", "err", err)
			}
		}
	}
}
