package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// RunCmd is vigia run: the monitor itself, until SIGTERM or SIGINT. SIGHUP reads the configuration again.
type RunCmd struct {
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file." placeholder:"FILE"`
}

// Run watches until it is told to stop.
func (c *RunCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	a, err := newApp(ctx, c.Config, k, logger, nil)
	if err != nil {
		return c.refuse(kc, err)
	}
	stop := reloadOnHangup(a)
	defer stop()
	cfg := a.reloader.Current()
	what := "vigia watches"
	if a.on() == nil {
		what = "vigia stands by: " + a.lease.Load().Holder + " is active"
	}
	logger.Info(what, "holds", cfg.Summary(), "pages", "http://"+a.listener.Addr().String()+"/")
	return a.Run(ctx)
}

// refuse prints every mistake of a configuration; other errors speak for themselves.
func (c *RunCmd) refuse(kc *kong.Context, err error) error {
	var mistakes ConfigErrors
	if !errors.As(err, &mistakes) {
		return err
	}
	fmt.Fprintln(kc.Stderr, err)
	return refusal(c.Config, err)
}

// reloadOnHangup reloads on SIGHUP until it is stopped.
func reloadOnHangup(a *app) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-hangup:
				a.Reload()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(done)
	}
}

// withApp runs the product on a configuration file while do does something with it.
func withApp(ctx context.Context, file string, k Kinds, logger *slog.Logger, do func(context.Context) error) error {
	a, err := newApp(ctx, file, k, logger, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	err = do(ctx)
	cancel()
	return errors.Join(err, <-ended)
}
