package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"

	"vigia/store"
)

// StoreCompactCmd is vigia store compact.
type StoreCompactCmd struct {
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file, which names the store and says how long samples are kept." placeholder:"FILE"`
}

// Help is what vigia store compact --help says beneath its one line.
func (StoreCompactCmd) Help() string {
	return "Does at once what a running vigia does every minute: hours and days that are over are packed, and what is older than its retention is" +
		" deleted. Then it gives room back. SQLite writes its file anew for that, which needs as much free space as the file holds, once beside it" +
		" and once in the folder for temporary files ($SQLITE_TMPDIR, $TMPDIR, /var/tmp); with less, the file keeps its size and the command says" +
		" so. PostgreSQL clears its tables and uses the room again. While a vigia runs on the store, the command does nothing and says who it is;" +
		" while the command runs, nothing is watched."
}

// Run compacts and prints what each table held before and holds after. What was done is printed also when the rest was not possible.
func (c *StoreCompactCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, err := storeConfig(c.Config, k, kc, logger)
	if err != nil {
		return err
	}
	done, err := store.Compact(ctx, cfg)
	if len(done.After.Tables) > 0 {
		printCompacted(kc.Stdout, &done)
	}
	return err
}

func printCompacted(w io.Writer, done *store.Compacted) {
	before, after := &done.Before, &done.After
	for i := range before.Tables {
		if i < len(after.Tables) && before.Tables[i] != after.Tables[i] {
			b, a := &before.Tables[i], &after.Tables[i]
			fmt.Fprintf(w, "  %-20s %12d rows %12s  ->  %12d rows %12s\n", b.Name, b.Rows, octets(b.Bytes), a.Rows, octets(a.Bytes))
		}
	}
	fmt.Fprintf(w, "%s: %d samples, %s for each, %s  ->  %d samples, %s for each, %s; in %.1f s\n", after.Database,
		before.Samples, each(before), octets(before.Bytes), after.Samples, each(after), octets(after.Bytes), done.Took.Seconds())
	if done.Damaged > 0 {
		fmt.Fprintf(w, "%d rows are damaged and stay where they are: vigia store verify names them\n", done.Damaged)
	}
}

// each is what one sample takes.
func each(s *store.Sizes) string { return fmt.Sprintf("%.1f B", s.BytesPerSample()) }
