package main

import (
	"strings"
	"time"

	"vigia/collectors"
	"vigia/store"
)

// JournalFile is where the local journal is: what journal says, relative to the working folder like a database of SQLite, else beside that,
// or vigia.changes for PostgreSQL.
func (c *Config) JournalFile() string {
	if c.Journal != "" {
		return c.Journal
	}
	if file, ok := strings.CutPrefix(c.Store.Reveal(), "sqlite:"); ok {
		return strings.TrimPrefix(file, "//") + ".changes"
	}
	return "vigia.changes"
}

// awayAfter is how long the database must be away before that is told.
const awayAfter = 5 * time.Second

// storeSamples are what the store says about itself, through own, which makes a sample of a value and a reason.
func storeSamples(s store.Stats, now time.Time, own func(collectors.Metric, float64, collectors.Reason) collectors.Sample) []collectors.Sample {
	down, why := 0.0, collectors.Reason{}
	away := !s.Up && now.Sub(s.DownSince) >= awayAfter
	switch {
	case away && s.JournalBroken == "":
		down, why = 1, collectors.Because("app.store_away", s.LastError, float64(s.Journaled))
	case away:
		down, why = 1, collectors.Because("app.store_refuses", s.LastError)
	}
	samples := []collectors.Sample{own(collectors.VigiaStoreDown, down, why)}
	broken, why := 0.0, collectors.Reason{}
	if s.JournalBroken != "" {
		broken, why = 1, collectors.Because("app.no_journal", s.JournalBroken)
	}
	samples = append(samples, own(collectors.VigiaNoJournal, broken, why))
	why = collectors.Reason{}
	if s.SetAside > 0 {
		why = collectors.Because("app.set_aside", float64(s.SetAside), s.SetAsideFile)
	}
	return append(samples, own(collectors.VigiaSetAside, float64(s.SetAside), why))
}
