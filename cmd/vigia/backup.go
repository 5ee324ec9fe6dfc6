package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors"
	"vigia/store"
)

// BackupCmd is vigia backup: all that the store holds into one file, beside a running vigia or without one.
type BackupCmd struct {
	File   string `arg:"" help:"The file to write, such as vigia.backup.tgz." placeholder:"FILE"`
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file, which names the store." placeholder:"FILE"`
	Force  bool   `help:"Replace the file when it is there already."`
}

// Run writes the file and says what is in it.
func (c *BackupCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, err := storeConfig(c.Config, k, kc, logger)
	if err != nil {
		return err
	}
	result, err := store.Backup(ctx, cfg, store.BackupRequest{File: c.File, Replace: c.Force, Vigia: version()})
	if err != nil {
		return err
	}
	if _, err := store.VerifyBackup(ctx, c.File); err != nil {
		return fmt.Errorf("what was written cannot be read back: %w", err)
	}
	printBackup(kc.Stdout, &result.Manifest)
	_, err = fmt.Fprintf(kc.Stdout, "%s: %d rows, %s, in %.1f s; read back and found right\n",
		c.File, result.Manifest.Rows(), octets(result.Bytes), result.Took.Seconds())
	return err
}

// storeConfig is how to open the store of a configuration. The mistakes of one that is refused are printed.
func storeConfig(file string, k Kinds, kc *kong.Context, logger *slog.Logger) (store.Config, error) {
	cfg, _, err := Load(file, k)
	if err != nil {
		fmt.Fprintln(kc.Stderr, err)
		return store.Config{}, refusal(file, err)
	}
	return store.Config{
		DSN: cfg.Store.Reveal(), Logger: logger,
		SampleRetention: cfg.Retention.Samples.Std(), RollupRetention: cfg.Retention.Rollup1D.Std(),
		CallRetention: cfg.Retention.Calls.Std(), IntervalsKept: cfg.Retention.Intervals.Std(), Numbers: cfg.numbers(),
	}, nil
}

func printBackup(w io.Writer, m *store.Manifest) {
	fmt.Fprintf(w, "backup of %s, %s, schema %d, written by vigia %s\n", m.CreatedAt.Format(time.RFC3339), m.Database, len(m.Schema), m.Vigia)
	for i := range m.Tables {
		fmt.Fprintf(w, "  %-20s %12d rows %12s\n", m.Tables[i].Name, m.Tables[i].Rows, octets(m.Tables[i].Bytes))
	}
}

// octets is a size for people.
func octets(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	v, i := float64(n), 0
	for v >= 1000 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

// RestoreCmd is vigia restore: an empty or new database from a backup.
type RestoreCmd struct {
	File   string `arg:"" help:"The backup." placeholder:"FILE"`
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file, which names the store." placeholder:"FILE"`
	Force  bool   `help:"Throw away what the database holds."`
}

// Run restores and says of every table how many rows it was to have and has.
func (c *RestoreCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, err := storeConfig(c.Config, k, kc, logger)
	if err != nil {
		return err
	}
	result, err := store.Restore(ctx, cfg, store.RestoreRequest{File: c.File, Force: c.Force})
	printRestore(kc.Stdout, result.Tables)
	if err != nil {
		return err
	}
	calmed := result.Calmed
	fmt.Fprintf(kc.Stdout, "nobody is told again of what was open: %d incidents are held by %q until a person looks or they end;\n"+
		"%d messages that waited are not sent, %d commands that waited are not carried out, %d levels about to be crossed must hold anew\n",
		calmed.Incidents, store.Restorer, calmed.Notifications, calmed.Commands, calmed.Alarms)
	_, err = fmt.Fprintf(kc.Stdout, "restored the backup of %s: %d rows in %d tables, every count is right, in %.1f s\n",
		result.Manifest.CreatedAt.Format(time.RFC3339), result.Manifest.Rows(), len(result.Tables), result.Took.Seconds())
	return err
}

func printRestore(w io.Writer, tables []store.RestoredTable) {
	for _, t := range tables {
		verdict := "right"
		if t.Loaded != t.Backup {
			verdict = "WRONG"
		}
		added := ""
		if t.Added != 0 {
			added = fmt.Sprintf("; %+d by the restore itself", t.Added)
		}
		fmt.Fprintf(w, "  %-20s %12d rows in the backup, %12d in the database: %s%s\n", t.Name, t.Backup, t.Loaded, verdict, added)
	}
}

// StoreCmd is vigia store: what the store holds, whether it is whole, and how to make it small.
type StoreCmd struct {
	Stat    StoreStatCmd    `cmd:"" help:"How much the store holds, table by table."`
	Verify  StoreVerifyCmd  `cmd:"" help:"Read all of the store, or of a backup, and name every row that is damaged."`
	Compact StoreCompactCmd `cmd:"" help:"Pack samples, delete what is too old, give room back to the disk. No vigia may run on the store."`
}

// StoreStatCmd is vigia store stat.
type StoreStatCmd struct {
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file, which names the store." placeholder:"FILE"`
}

// Run prints rows and octets of each table, the time that samples cover, the schema and the lease.
func (c *StoreStatCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	cfg, err := storeConfig(c.Config, k, kc, logger)
	if err != nil {
		return err
	}
	s, err := store.Stat(ctx, cfg)
	if err != nil {
		return err
	}
	w := kc.Stdout
	last := s.Schema[len(s.Schema)-1]
	fmt.Fprintf(w, "%s: %s, schema %d (%s), since %s\n", s.Database, octets(s.Bytes), last.Version, last.Name, s.Since.Format(time.RFC3339))
	for _, t := range s.Tables {
		fmt.Fprintf(w, "  %-20s %12d rows %12s\n", t.Name, t.Rows, octets(t.Bytes))
	}
	if s.Oldest.IsZero() {
		fmt.Fprintf(w, "samples: none, of %d series\n", s.Series)
	} else {
		fmt.Fprintf(w, "samples: %d of %d series, from %s to %s\n", s.Samples, s.Series, s.Oldest.Format(time.RFC3339), s.Newest.Format(time.RFC3339))
	}
	_, err = fmt.Fprintln(w, "lease:", leaseText(&s))
	return err
}

func leaseText(s *store.Sizes) string {
	switch {
	case s.Holder == "":
		return "nobody has ever taken it"
	case s.Active:
		return fmt.Sprintf("%s has it, epoch %d", s.Holder, s.Epoch)
	}
	return fmt.Sprintf("nobody has it; last %s, epoch %d", s.Holder, s.Epoch)
}

// StoreVerifyCmd is vigia store verify.
type StoreVerifyCmd struct {
	Config string `short:"c" default:"vigia.yaml" help:"The configuration file, which names the store." placeholder:"FILE"`
	Backup string `help:"Verify this backup file, and no database." placeholder:"FILE"`
}

// Run prints every damaged row. It returns an error when there is one.
func (c *StoreVerifyCmd) Run(ctx context.Context, k Kinds, kc *kong.Context, logger *slog.Logger) error {
	if c.Backup != "" {
		m, err := store.VerifyBackup(ctx, c.Backup)
		if err != nil {
			return err
		}
		printBackup(kc.Stdout, &m)
		_, err = fmt.Fprintf(kc.Stdout, "%s: %d rows, not an octet is damaged\n", c.Backup, m.Rows())
		return err
	}
	cfg, err := storeConfig(c.Config, k, kc, logger)
	if err != nil {
		return err
	}
	v, err := store.Verify(ctx, cfg, func(d store.Damage) {
		fmt.Fprintf(kc.Stdout, "%s, %s: %s\n", d.Table, printable(d.Row), printable(d.What))
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(kc.Stdout, "%d rows in %d tables, %d samples: %d damaged\n", v.Rows, v.Tables, v.Samples, v.Damaged)
	if v.Damaged > 0 {
		return errDamaged
	}
	return nil
}

var errDamaged = errors.New("the store is damaged: restore a backup, or delete the rows that are named")

// backupWords are what the scheduled backups say.
var backupWords = collectors.Words{
	"app.backup_done":   {EN: "the last backup is {0}; the next is due at {1}", ES: "la última copia es {0}; la siguiente toca a las {1}"},
	"app.backup_failed": {EN: "the last attempt failed at {0}: {1}", ES: "el último intento falló a las {0}: {1}"},
	"app.backup_unread": {EN: "whether there is a backup cannot be seen: {0}", ES: "no se puede ver si hay una copia: {0}"},
	"app.backup_none":   {EN: "there is no backup yet", ES: "todavía no hay ninguna copia"},
	"app.backup_off":    {EN: "no backups are configured", ES: "no hay copias configuradas"},
}
