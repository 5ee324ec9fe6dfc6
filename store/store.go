package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"vigia/alerting"
)

// Errors that a caller acts on.
var (
	// ErrNotFound: there is no such row, or the scope may not see it.
	ErrNotFound = errors.New("not found")
	// ErrTaken: another process is the active one.
	ErrTaken = errors.New("another vigia run is active")
	// ErrLost: this process was the active one and is no longer.
	ErrLost = alerting.ErrDeposed
)

// Config is what a Store needs. Only DSN is required.
type Config struct {
	DSN    string // sqlite:PATH or postgres://USER@HOST/DATABASE
	Logger *slog.Logger
	Now    func() time.Time

	MustExist bool // SQLite: a file that is not there is an error, not a new database

	SampleRetention time.Duration // how long samples are kept; default 400 days
	RollupRetention time.Duration // how long daily figures are kept; default 5 years
	CallRetention   time.Duration // how long calls are kept; default 90 days
	IntervalsKept   time.Duration // how long the intervals of calls are kept; default 14 days
	Numbers         Numbers       // how much of the numbers of calls is kept; default all
	FlushEvery      time.Duration // how often samples are written; default 2 s
	Journal         string        // the local journal's file; empty: changes are refused while the database is away
	JournalRoom     int64         // octets that it takes in advance; default 16 MiB
	MaxPending      int           // how many samples wait unpacked while the database is away; default 1,000,000 (24 octets each)
	MaxPacked       int64         // octets of samples that wait packed, when there are more; default 64 MiB, some 20,000,000 samples
	MaxPendingCalls int           // how many calls wait while the database is away; default 100,000 (some 2 KB each)
	HeadSamples     int           // how many samples are kept in memory over all series; default 4,000,000 (16 octets each)

	// OnSettle hears what became of notifications, after Settle has stored it, in the caller's goroutine.
	OnSettle func([]alerting.Settled)
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.SampleRetention <= 0 {
		c.SampleRetention = 400 * 24 * time.Hour
	}
	if c.RollupRetention <= 0 {
		c.RollupRetention = 5 * 365 * 24 * time.Hour
	}
	if c.CallRetention <= 0 {
		c.CallRetention = 90 * dayLong
	}
	if c.IntervalsKept <= 0 {
		c.IntervalsKept = 14 * dayLong
	}
	if c.MaxPendingCalls <= 0 {
		c.MaxPendingCalls = 100_000
	}
	if c.FlushEvery <= 0 {
		c.FlushEvery = 2 * time.Second
	}
	if c.MaxPending <= 0 {
		c.MaxPending = 1_000_000
	}
	if c.MaxPacked <= 0 {
		c.MaxPacked = 64 << 20
	}
	if c.JournalRoom <= 0 {
		c.JournalRoom = defaultRoom
	}
	if c.HeadSamples <= 0 {
		c.HeadSamples = 4_000_000
	}
	if c.OnSettle == nil {
		c.OnSettle = func([]alerting.Settled) {}
	}
}

// Store is the open database. Its methods may be called from any goroutine.
type Store struct {
	cfg    Config
	db     *database
	head   *head
	log    *sampleLog
	chunks *compactor // used by one sweep at a time
	calls  *callLog
	watch  *watch
	health *health
	duties *duties
	orders *orders
	mirror *mirror
	away   *away
	asides *asides
	spare  spare

	retention       atomic.Int64 // how long samples are kept, a time.Duration
	rollupRetention atomic.Int64 // how long daily figures are kept, a time.Duration

	mu       sync.Mutex
	measured measured
	epoch    int64         // of the lease; 0 before this process asked for it
	leap     int64         // what Load adds to the next ids
	lost     chan struct{} // closed when the right of this epoch is lost; nil without one
}

// Open connects, brings the schema up to date and reads which series there are. Its errors tell an operator what is wrong and what to do,
// and never show a password: a database that cannot be reached or written, one that a newer vigia has migrated, one whose history of
// migrations is not ours.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg.setDefaults()
	addr, err := parseDSN(cfg.DSN)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(cfg.exists(addr), newAway(cfg).usable()); err != nil {
		return nil, err
	}
	db, err := openDatabase(addr)
	if err != nil {
		return nil, err
	}
	s := newStore(cfg, db)
	s.SetSampleRetention(cfg.SampleRetention)
	s.SetRollupRetention(cfg.RollupRetention)
	s.head = newHead(cfg.HeadSamples)
	s.log = newSampleLog(db, s.head, cfg)
	s.chunks = newCompactor(s.log, s.fence)
	s.calls = newCallLog(db, &cfg, s.fence, s.log.spoil)
	s.SetCallRetention(cfg.CallRetention, cfg.IntervalsKept)
	err = s.prepare(ctx)
	if err != nil && s.spare.release(err) {
		err = s.prepare(ctx)
	}
	if err != nil {
		db.close() //nolint:errcheck // why it could not be opened is the news
		return nil, err
	}
	return s, nil
}

// newStore is a store without samples.
func newStore(cfg Config, db *database) *Store {
	return &Store{
		cfg: cfg, db: db, watch: newWatch(), health: newHealth(cfg, db.explain),
		duties: newDuties(), orders: newOrders(), mirror: &mirror{logger: cfg.Logger}, away: newAway(cfg), asides: newAsides(cfg),
		spare: newSpare(cfg, db),
	}
}

// exists refuses a SQLite file that is not there, for who only reads.
func (c *Config) exists(addr address) error {
	if !c.MustExist || addr.file == "" {
		return nil
	}
	if _, err := os.Stat(addr.file); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: there is no such file (vigia run creates it; a path in store: is relative to the working folder)", addr.target)
	}
	return nil
}

// SetSampleRetention changes how long samples are kept, from the next sweep on.
func (s *Store) SetSampleRetention(d time.Duration) { s.retention.Store(int64(d)) }

// SetRollupRetention changes how long daily figures are kept, from the next sweep on.
func (s *Store) SetRollupRetention(d time.Duration) { s.rollupRetention.Store(int64(d)) }

func (s *Store) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // a migration may have to move a large table
	defer cancel()
	if err := s.db.durable.PingContext(ctx); err != nil {
		return s.db.explain(err)
	}
	if err := migrate(ctx, s.db, s.cfg.Now()); err != nil {
		return err
	}
	if err := s.log.open(ctx); err != nil {
		return s.db.explain(fmt.Errorf("read the list of series: %w", err))
	}
	return nil
}

// Close closes the database. What Put took and no flush has written is lost: end Run first, which writes it.
func (s *Store) Close() error {
	s.watch.close()
	s.away.close()
	s.mirror.close()
	return s.db.close()
}
