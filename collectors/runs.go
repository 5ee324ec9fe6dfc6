package collectors

import (
	"hash/maphash"
	"slices"
	"sync"

	"vigia/collectors/inventory"
)

// How many runs of each check Runs keeps unless it is told otherwise: failures longer, since they are what people ask about.
const (
	DefaultSuccesses = 30
	DefaultFailures  = 200
)

const runShards = 64 // how many locks share the work; a power of two is not needed

// Runs is the log of every check's last runs, in memory. A successful run and one that failed or threw something away are kept in logs of
// their own, so that a night of successes does not push out last evening's failure. A run is kept as about a hundred packed octets, which the garbage collector need
// not look into: 100,000 checks with their last 30 successes fit in about 300 MB (measured in TestRunsAreSmall), and a log grows only as runs come in.
//
// Its methods are safe for use from several goroutines.
type Runs struct {
	successes, failures int
	seed                maphash.Seed
	names               nameTable
	shards              [runShards]runShard
}

type runShard struct {
	mu     sync.RWMutex
	checks map[CheckID]*checkRuns
	of     map[inventory.Ref][]CheckID // sorted by instance
}

// checkRuns is what is kept of one check.
type checkRuns struct {
	kind string
	good packedLog
	bad  packedLog
	last int8 // which log holds the newest run
}

// NewRuns makes an empty log that keeps this many successes and failures of each check; 0 stands for the defaults.
func NewRuns(successes, failures int) *Runs {
	if successes <= 0 {
		successes = DefaultSuccesses
	}
	if failures <= 0 {
		failures = DefaultFailures
	}
	r := &Runs{successes: successes, failures: failures, seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].checks = map[CheckID]*checkRuns{}
		r.shards[i].of = map[inventory.Ref][]CheckID{}
	}
	return r
}

// shard is chosen by the object, so that all checks of one object lie together.
func (r *Runs) shard(ref inventory.Ref) *runShard {
	return &r.shards[maphash.Comparable(r.seed, ref)%runShards]
}

// Add puts a run at the end of its check's log. Runs of one check come in the order in which they started.
func (r *Runs) Add(run Run) {
	packed := r.pack(run)
	s := r.shard(run.Check.Ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.checks[run.Check]
	if c == nil {
		c = &checkRuns{}
		s.checks[run.Check] = c
		s.index(run.Check)
	}
	c.kind = run.Kind
	if run.Result.OK && run.Result.Discarded == 0 {
		c.good.add(packed, r.successes)
		c.last = lastGood
	} else {
		c.bad.add(packed, r.failures)
		c.last = lastBad
	}
}

const (
	lastGood int8 = iota
	lastBad
)

func (s *runShard) index(id CheckID) {
	ids := s.of[id.Ref]
	at, _ := slices.BinarySearchFunc(ids, id, compareInstance)
	s.of[id.Ref] = slices.Insert(ids, at, id)
}

func compareInstance(a, b CheckID) int {
	switch {
	case a.Instance < b.Instance:
		return -1
	case a.Instance > b.Instance:
		return 1
	}
	return 0
}

// Last returns up to n runs of one check, newest first, successes and failures together; n <= 0 returns all that are kept.
func (r *Runs) Last(id CheckID, n int) []Run {
	s := r.shard(id.Ref)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return newest(r.unpackAll(s, id), n)
}

// LastFailures is Last for failed runs only.
func (r *Runs) LastFailures(id CheckID, n int) []Run {
	s := r.shard(id.Ref)
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.checks[id]
	if c == nil {
		return nil
	}
	return newest(r.unpackLog(id, c.kind, &c.bad), n)
}

// Of returns up to n runs of all checks of one object, newest first; n <= 0 returns all that are kept.
func (r *Runs) Of(ref inventory.Ref, n int) []Run {
	s := r.shard(ref)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var runs []Run
	for _, id := range s.of[ref] {
		runs = append(runs, r.unpackAll(s, id)...)
	}
	return newest(runs, n)
}

// LastRun returns the newest run of a check; false when there was none.
func (r *Runs) LastRun(id CheckID) (Run, bool) {
	s := r.shard(id.Ref)
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := s.checks[id]
	if c == nil {
		return Run{}, false
	}
	log := &c.good
	if c.last == lastBad {
		log = &c.bad
	}
	return r.unpack(id, c.kind, log.newest()), true
}

// Keep forgets every check that is not listed: those that a new configuration no longer has.
func (r *Runs) Keep(checks []Check) {
	known := make(map[CheckID]bool, len(checks))
	for _, c := range checks {
		known[c.ID] = true
	}
	for i := range r.shards {
		r.shards[i].keep(known)
	}
}

func (s *runShard) keep(known map[CheckID]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.checks {
		if known[id] {
			continue
		}
		delete(s.checks, id)
		rest := slices.DeleteFunc(s.of[id.Ref], func(other CheckID) bool { return other == id })
		s.of[id.Ref] = rest
		if len(rest) == 0 {
			delete(s.of, id.Ref)
		}
	}
}

func (r *Runs) unpackAll(s *runShard, id CheckID) []Run {
	c := s.checks[id]
	if c == nil {
		return nil
	}
	return append(r.unpackLog(id, c.kind, &c.good), r.unpackLog(id, c.kind, &c.bad)...)
}

func (r *Runs) unpackLog(id CheckID, kind string, log *packedLog) []Run {
	runs := make([]Run, 0, log.n)
	for packed := range log.all() {
		runs = append(runs, r.unpack(id, kind, packed))
	}
	return runs
}

// newest sorts runs by their start, the latest first, and cuts the list to n.
func newest(runs []Run, n int) []Run {
	slices.SortStableFunc(runs, func(a, b Run) int { return b.At.Compare(a.At) })
	if n > 0 && len(runs) > n {
		runs = slices.Clip(runs[:n])
	}
	return runs
}
