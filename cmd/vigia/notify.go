package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"vigia/alerting"
)

// NotifyCmd is vigia notify.
type NotifyCmd struct {
	Test NotifyTestCmd `cmd:"" help:"Send a test message to receivers now, and say what they answered."`
}

// NotifyTestCmd is vigia notify test: a message through the real notifier, without store, outbox or retry.
type NotifyTestCmd struct {
	Receivers []string `arg:"" optional:"" name:"receiver" help:"The names of receivers, those of account managers included."`
	All       bool     `help:"Every receiver of the configuration."`
	Config    string   `short:"c" default:"vigia.yaml" help:"The configuration file." placeholder:"FILE"`
	Timeout   span     `help:"How long each may take to answer." default:"10s" placeholder:"TIME"`
}

// Run tells each receiver in turn and prints what it answered, or what went wrong and what to do. An error is returned when one failed.
func (c *NotifyTestCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	if c.Timeout <= 0 {
		return errors.New("--timeout must be longer than nothing, such as 10s")
	}
	cfg, _, err := Load(c.Config, k)
	if err != nil {
		fmt.Fprintln(kc.Stderr, err)
		return refusal(c.Config, err)
	}
	chosen, err := c.choose(cfg.ReceiverList())
	if err != nil {
		return err
	}
	notifiers, err := cfg.Receivers(ReceiverParts{Words: words(k), Logger: logger})
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range chosen {
		if err := c.tell(ctx, kc.Stdout, r, notifiers[r.Name]); err != nil {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d receivers could not be told", failed, len(chosen))
	}
	return nil
}

// choose finds the receivers that were asked for.
func (c *NotifyTestCmd) choose(all []alerting.Receiver) ([]alerting.Receiver, error) {
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("%s has no receivers; add one under receivers", c.Config)
	case c.All && len(c.Receivers) > 0:
		return nil, errors.New("name receivers or say --all, not both")
	case c.All:
		return all, nil
	case len(c.Receivers) == 0:
		return nil, fmt.Errorf("name a receiver or say --all; there are %s", strings.Join(names, ", "))
	}
	var chosen []alerting.Receiver
	for _, name := range c.Receivers {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("%s has no receiver called %q (%s)", c.Config, name, meant(name, names))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// tell sends one test message and prints what came of it.
func (c *NotifyTestCmd) tell(ctx context.Context, w io.Writer, r alerting.Receiver, n alerting.Notifier) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	now := time.Now().UTC()
	receipt, err := n.Notify(ctx, alerting.Message{Key: fmt.Sprintf("test.%s.%d", r.Name, now.UnixNano()), Cause: alerting.CauseTest, At: now})
	if err == nil {
		fmt.Fprintf(w, "%s (%s): %s\n", r.Name, r.Kind, printable(receipt.Outcome))
		return nil
	}
	said := strings.TrimSuffix(err.Error(), ": "+alerting.ErrPermanent.Error())
	fmt.Fprintf(w, "%s (%s): failed: %s\n    %s\n", r.Name, r.Kind, printable(said), remedy(err, time.Duration(c.Timeout)))
	return err
}

// remedy says what to do about a failure.
func remedy(err error, timeout time.Duration) string {
	var later *alerting.RetryAfterError
	switch {
	case errors.As(err, &later):
		return fmt.Sprintf("It asks to be left alone for %s: run this again then.", later.After)
	case errors.Is(err, alerting.ErrPermanent):
		return "It refused, and would refuse again: compare the receiver's keys in the configuration (address, token, whom to tell) with what its provider shows."
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("Nothing came back within %s: look at the address, and whether a firewall lets this machine reach it.", timeout)
	}
	return "Another attempt may work; if it does not, look at the address, the name resolution and the firewall between this machine and the receiver."
}
