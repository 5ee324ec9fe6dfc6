package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

const (
	directTime  = 3 * time.Second  // how long the database may take for a Change before it is written to the local journal instead
	returnEvery = time.Second      // how often an absent database is asked whether it takes writes again
	returnTime  = 30 * time.Second // for one transaction of what waits in the journal
	batchOctets = 1 << 20          // of the journal, for one such transaction
	defaultRoom = 16 << 20
)

// errBack says that the database takes writes again.
var errBack = errors.New("the database is back")

// away is how the active process goes on without the database: what it writes goes to the local journal until the database has taken all of it.
type away struct {
	path   string
	room   int64
	logger *slog.Logger
	now    func() time.Time

	drains sync.Mutex // one at a time gives the journal to the database, or closes it

	mu      sync.Mutex
	journal *localJournal // nil: none is configured, or it cannot be used
	broken  string        // why not
	owner   journalOwner  // this process, while it is the active one
	since   time.Time     // writes go to the journal; zero: to the database
	drained int64         // up to where the database has the journal
	lost    bool          // another process has become the active one meanwhile
	handed  bool          // nothing is left in the journal for the one that is active
}

func newAway(cfg Config) *away {
	return &away{path: cfg.Journal, room: cfg.JournalRoom, logger: cfg.Logger, now: cfg.Now}
}

// usable reports whether the operator's file can be written, in words.
func (a *away) usable() error {
	if a.path == "" {
		return nil
	}
	file, err := os.OpenFile(a.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the local journal cannot be written: %w (it keeps what happens while the database is away; name another file with journal: in the configuration)", err)
	}
	return file.Close()
}

// close gives the journal back. What it holds waits for the next process.
func (a *away) close() {
	a.drains.Lock()
	defer a.drains.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shut()
	a.since = time.Time{}
}

// is reports whether writes go to the journal.
func (a *away) is() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.since.IsZero()
}

// state is since when writes go to the journal, and how many wait there for the database.
func (a *away) state() (since time.Time, waiting int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.journal == nil || a.since.IsZero() {
		return time.Time{}, 0
	}
	records, _ := a.journal.size()
	return a.since, records
}

// why is why there is no journal although one is configured.
func (a *away) why() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

// begin lets writes go to the journal because the database failed with err. It reports false when they cannot: there is no journal, the
// database refuses what it was given, or the caller has gone.
func (a *away) begin(err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.journal == nil || a.owner.Epoch <= 0 || refusesData(err) || errors.Is(err, context.Canceled) {
		return false
	}
	if a.since.IsZero() {
		a.since = a.now()
		a.logger.Warn("what is decided goes to the local journal until the database takes writes again", "file", a.path)
	}
	return true
}

// append writes to the journal. errBack: the database takes writes again, so there it goes; ErrLost: this process is no longer the active one.
func (a *away) append(kind byte, value func() any) error {
	payload, err := json.Marshal(value())
	if err != nil {
		return fmt.Errorf("write the local journal: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.lost:
		return ErrLost
	case a.since.IsZero():
		return errBack
	}
	return a.journal.append(kind, payload)
}

// end lets writes go to the database again if it has all of the journal.
func (a *away) end() (back bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	records, end := a.journal.size()
	if end != a.drained {
		return false, nil
	}
	if err := a.journal.empty(journalHeader{Owner: a.owner}); err != nil {
		return false, err
	}
	a.logger.Info("the database has everything that was decided without it", "entries", records, "away", a.now().Sub(a.since).Round(time.Second))
	a.since, a.drained = time.Time{}, recordsAt
	return true, nil
}

// next reads what the database does not have yet.
func (a *away) next() (list []entry, next int64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.journal.read(a.drained, batchOctets)
}

func (a *away) advance(to int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drained = to
}

// write does a piece of work on the database, or puts it into the local journal.
func (s *Store) write(ctx context.Context, kind byte, value func() any, work func(context.Context) error) error {
	for {
		if !s.away.is() {
			limited, cancel := s.limited(ctx)
			err := work(limited)
			cancel()
			if err == nil || errors.Is(err, ErrLost) || !s.away.begin(err) {
				return err
			}
		}
		if err := s.away.append(kind, value); !errors.Is(err, errBack) {
			return err
		}
	}
}

// limited bounds how long work waits for the database where it could be done without it.
func (s *Store) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.away.path == "" {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, directTime)
}

// comeBackOn asks an absent database again and again whether it takes what waits.
func (s *Store) comeBackOn(ctx context.Context) {
	every(ctx, returnEvery, nil, func() {
		s.comeBack(ctx) //nolint:errcheck // the next tick tries again; Stats and the log say what is wrong
	})
}

const probeSQL = `UPDATE lease SET holder = holder WHERE epoch = $1`

// comeBack gives the database all that waits in the journal, in order, if it takes writes. Doing so twice changes nothing.
func (s *Store) comeBack(ctx context.Context) error {
	s.away.drains.Lock()
	defer s.away.drains.Unlock()
	if !s.away.is() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, returnTime)
	defer cancel()
	return s.health.wrote(s.drain(ctx))
}

func (s *Store) drain(ctx context.Context) error {
	if err := s.probe(ctx); err != nil {
		return s.deposed(ctx, err)
	}
	for {
		list, next, err := s.away.next()
		if err != nil {
			return err
		}
		if len(list) == 0 {
			if back, err := s.away.end(); back || err != nil {
				s.watch.tell(0)
				return err
			}
			continue
		}
		if err := s.replayEntries(ctx, list); err != nil {
			return s.deposed(ctx, err)
		}
		s.away.advance(next)
	}
}

// probe finds out whether the database takes writes of this process.
func (s *Store) probe(ctx context.Context) error {
	return s.fenced(ctx, statements{{probeSQL, []any{s.fenceEpoch()}}})
}

// deposed gives up what was decided without the database when another process has become the active one meanwhile.
func (s *Store) deposed(ctx context.Context, err error) error {
	if !errors.Is(err, ErrLost) {
		return err
	}
	s.away.mu.Lock()
	defer s.away.mu.Unlock()
	s.away.lost, s.away.since = true, time.Time{}
	list, _, err := s.away.journal.read(recordsAt, growthLimit*s.away.room)
	if err != nil {
		return err
	}
	return s.giveUp(ctx, list)
}

// replayEntries writes entries of the journal in one transaction. What the database refuses for good is set aside.
func (s *Store) replayEntries(ctx context.Context, list []entry) error {
	err := s.db.within(ctx, s.db.durable, func(t *transaction) error {
		if err := s.fence(ctx, t); err != nil {
			return err
		}
		for _, e := range list {
			some, err := entryStatements(e)
			if err != nil {
				return err
			}
			if err := t.run(ctx, some); err != nil {
				return err
			}
		}
		return nil
	})
	if !refusesData(err) && !errors.Is(err, errEntry) {
		return err
	}
	for _, e := range list {
		if err := s.replayAlone(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// errEntry: an entry of the journal cannot be understood, although its checksum is right.
var errEntry = errors.New("an entry of the local journal cannot be understood")

func (s *Store) replayAlone(ctx context.Context, e entry) error {
	list, err := entryStatements(e)
	if err != nil {
		s.setAside(string(e.payload), err)
		return nil
	}
	err = s.fenced(ctx, list)
	if !refusesData(err) {
		return err
	}
	if e.kind != recordChange {
		s.setAside(string(e.payload), err)
		return nil
	}
	var c alerting.Change
	if err := json.Unmarshal(e.payload, &c); err != nil {
		return fmt.Errorf("%w: %w", errEntry, err)
	}
	return s.applyParts(ctx, c, changeAgain)
}

// fenced runs statements in one durable transaction of the active process.
func (s *Store) fenced(ctx context.Context, list statements) error {
	return s.db.within(ctx, s.db.durable, func(t *transaction) error {
		if err := s.fence(ctx, t); err != nil {
			return err
		}
		return t.run(ctx, list)
	})
}

func entryStatements(e entry) (statements, error) {
	switch e.kind {
	case recordChange:
		var c alerting.Change
		if err := json.Unmarshal(e.payload, &c); err != nil {
			return nil, fmt.Errorf("%w: %w", errEntry, err)
		}
		return changeStatements(c, changeAgain)
	case recordSettle:
		var results []outbox.Result
		if err := json.Unmarshal(e.payload, &results); err != nil {
			return nil, fmt.Errorf("%w: %w", errEntry, err)
		}
		return settleStatements(results)
	case recordCommand:
		var c alerting.Command
		if err := json.Unmarshal(e.payload, &c); err != nil {
			return nil, fmt.Errorf("%w: %w", errEntry, err)
		}
		var list statements
		return list, addCommand(&list, c)
	}
	return nil, fmt.Errorf("%w: kind %d", errEntry, e.kind)
}
