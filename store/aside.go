package store

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"vigia/alerting"
)

// asides is what the database refuses for good, kept for people beside the local journal: a line of JSON for each.
type asides struct {
	mu    sync.Mutex
	path  string // empty: only in the log
	count int    // since the start, where there is no file; else that of the file as it was when it was last read
	size  int64  // then
	at    time.Time
}

func newAsides(cfg Config) *asides {
	if cfg.Journal == "" {
		return &asides{}
	}
	return &asides{path: cfg.Journal + ".refused"}
}

// aside is one line of the file.
type aside struct {
	At   time.Time
	Why  string
	What json.RawMessage
}

// setAside keeps what the database refuses for good, so that it does not hold up the rest.
func (s *Store) setAside(what string, why error) {
	s.cfg.Logger.Error("the database refuses this for good: it is set aside", "why", s.db.explain(why), "what", what, "file", s.asides.path)
	s.asides.mu.Lock()
	defer s.asides.mu.Unlock()
	if s.asides.path == "" {
		s.asides.count++
		return
	}
	if !json.Valid([]byte(what)) {
		quoted, _ := json.Marshal(what) //nolint:errchkjson // a text always can be
		what = string(quoted)
	}
	line, err := json.Marshal(aside{s.cfg.Now().UTC(), s.db.explain(why).Error(), json.RawMessage(what)})
	if err == nil {
		err = appendLine(s.asides.path, line)
	}
	if err != nil {
		s.cfg.Logger.Error("what was set aside is only in this log", "err", err)
	}
}

func appendLine(path string, line []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // beside the journal that the operator named
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // Sync says whether it is there
	if _, err := file.Write(append(line, '\n')); err != nil {
		return err
	}
	return file.Sync()
}

// waiting is how many things were set aside that nobody has looked at: the file is moved away when somebody has.
func (a *asides) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.path == "" {
		return a.count
	}
	info, err := os.Stat(a.path)
	if err != nil {
		return 0
	}
	if info.Size() != a.size || !info.ModTime().Equal(a.at) {
		data, err := os.ReadFile(a.path)
		if err != nil {
			return 0
		}
		a.count, a.size, a.at = strings.Count(string(data), "\n"), info.Size(), info.ModTime()
	}
	return a.count
}

// thing is one row of a Change, with what belongs to it.
type thing struct {
	what       string // JSON
	key        string // of a notification
	statements statements
}

// applyParts writes a Change that the database refuses as a whole, thing by thing, in one transaction: what it refuses alone is set aside, and
// the rest is written. A notification that is set aside is sent all the same.
func (s *Store) applyParts(ctx context.Context, c alerting.Change, again repeat) error {
	parts, err := partsOf(c, again)
	if err != nil {
		return err
	}
	type refusal struct {
		thing
		why error
	}
	var refused []refusal
	err = s.db.within(ctx, s.db.durable, func(t *transaction) error {
		refused = nil
		if err := s.fence(ctx, t); err != nil {
			return err
		}
		for _, p := range parts {
			why, err := t.try(ctx, p.statements)
			if err != nil {
				return err
			}
			if why != nil {
				refused = append(refused, refusal{p, why})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var unwritten []string
	for _, r := range refused {
		s.setAside(r.what, r.why)
		if r.key != "" {
			unwritten = append(unwritten, r.key)
		}
	}
	s.duties.unwritten(unwritten)
	return nil
}

// try runs statements so that, when the database refuses them for good, the transaction goes on without them: then why says so.
func (t *transaction) try(ctx context.Context, list statements) (why, err error) {
	if _, err := t.tx.ExecContext(ctx, "SAVEPOINT part"); err != nil {
		return nil, err
	}
	err = t.run(ctx, list)
	if err != nil && !refusesData(err) {
		return nil, err
	}
	end := "RELEASE SAVEPOINT part"
	if err != nil {
		why, end = err, "ROLLBACK TO SAVEPOINT part"
	}
	_, err = t.tx.ExecContext(ctx, end)
	return why, err
}

// partsOf takes a Change apart, row by row: nothing refers to another row by a constraint of the database.
func partsOf(c alerting.Change, again repeat) ([]thing, error) {
	var ones []alerting.Change
	for i := range c.Alarms {
		ones = append(ones, alerting.Change{Alarms: c.Alarms[i : i+1]})
	}
	for i := range c.Incidents {
		ones = append(ones, alerting.Change{Incidents: c.Incidents[i : i+1]})
	}
	for i := range c.Events {
		ones = append(ones, alerting.Change{Events: c.Events[i : i+1]})
	}
	for i := range c.Notifications {
		ones = append(ones, alerting.Change{Notifications: c.Notifications[i : i+1]})
	}
	for i := range c.Supersede {
		ones = append(ones, alerting.Change{Supersede: c.Supersede[i : i+1]})
	}
	for i := range c.Commands {
		ones = append(ones, alerting.Change{Commands: c.Commands[i : i+1]})
	}
	for i := range c.Mutes {
		ones = append(ones, alerting.Change{Mutes: c.Mutes[i : i+1]})
	}
	ones = append(ones, onCallParts(c)...)
	parts := make([]thing, 0, len(ones))
	for _, one := range ones {
		one.At = c.At
		list, err := changeStatements(one, again)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(one)
		if err != nil {
			return nil, fmt.Errorf("take a change apart: %w", err)
		}
		t := thing{what: string(text), statements: list}
		if len(one.Notifications) > 0 {
			t.key = one.Notifications[0].Key
		}
		parts = append(parts, t)
	}
	return parts, nil
}
