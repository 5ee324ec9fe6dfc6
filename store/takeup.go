package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// leap is by how much ids leap when the process that was active before may have used some of which the database knows nothing.
const leap = 1000

// openJournal opens the local journal, before this process takes the right to be the active one from prev, and notes in it who that will be:
// whenever the process is killed, what is in the journal is known for its own. Mine: the journal is that of the process that was active last.
func (s *Store) openJournal(prev journalOwner) (held []entry, mine bool) {
	a := s.away
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owner, a.lost, a.handed, a.since, a.drained = journalOwner{}, false, false, time.Time{}, recordsAt
	if a.path == "" {
		return nil, false
	}
	var err error
	if a.journal == nil {
		var damage []string
		a.journal, held, damage, err = openLocal(a.path, a.room)
		a.tellDamage(damage)
	} else {
		held, _, err = a.journal.read(recordsAt, growthLimit*a.room)
	}
	if err == nil {
		mine, err = a.journal.claim(prev, journalOwner{prev.Epoch + 1, holder()})
	}
	a.broken = ""
	if err != nil {
		a.broken = err.Error()
		a.shut()
		a.logger.Error("the local journal cannot be used: while the database is away, nobody would be told", "err", err)
	}
	return held, mine
}

// tellDamage says what is wrong with the journal and keeps it for people. The caller holds away.mu.
func (a *away) tellDamage(damage []string) {
	if len(damage) == 0 {
		return
	}
	copied, err := a.journal.keep(".damaged-" + a.now().UTC().Format("20060102T150405"))
	a.logger.Error("the local journal is damaged: what is whole is used", "what", strings.Join(damage, "; "), "copy", copied, "err", err)
}

func (a *away) shut() {
	if a.journal != nil {
		a.journal.close()
		a.journal = nil
	}
}

// takeUp is the first work of a process that has just become the active one: it gives the database what the journal holds, if nobody else
// was active in between, and else what only the journal knows.
func (s *Store) takeUp(ctx context.Context, epoch int64, held []entry, mine bool) error {
	a := s.away
	if len(held) > 0 && mine {
		a.logger.Info("the database gets what was decided without it", "entries", len(held))
		for n := 0; n < len(held); n += 200 {
			if err := s.replayEntries(ctx, held[n:min(n+200, len(held))]); err != nil {
				return fmt.Errorf("write what the local journal holds: %w", err)
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owner = journalOwner{epoch, holder()}
	if len(held) > 0 && !mine {
		if err := s.giveUp(ctx, held); err != nil {
			return err
		}
	} else if err := a.handOver(); err != nil {
		return err
	}
	if a.journal != nil {
		if err := s.mirror.open(ctx, s.db, a.now()); err != nil {
			return err
		}
	}
	return s.duties.load(ctx, s.db.read)
}

func (a *away) handOver() error {
	if a.journal == nil {
		return nil
	}
	return a.journal.empty(journalHeader{Owner: a.owner})
}

// leapOver makes ids leap over those that the process which was active before may have used without the database.
func (s *Store) leapOver(prev journalOwner, ended, mine bool) {
	if prev.Epoch > 0 && !ended && !mine && s.away.path != "" {
		s.mu.Lock()
		s.leap = leap
		s.mu.Unlock()
	}
}

// giveUp empties the journal, whose Changes another process has decided anew. What only the journal knows is handed over before: whom it told,
// and of what. A copy of the journal stays for people. The caller holds away.mu.
func (s *Store) giveUp(ctx context.Context, list []entry) error {
	a := s.away
	if len(list) == 0 {
		return a.handOver()
	}
	account, odd := accountOf(list)
	for _, text := range odd {
		s.setAside(text, errEntry)
	}
	done, err := s.handOverAccount(ctx, &account, a.journal.owner().Epoch)
	if err != nil {
		return fmt.Errorf("hand over what only the local journal knows: %w", err)
	}
	copied, err := a.journal.keep(".discarded-" + a.now().UTC().Format("20060102T150405"))
	if err != nil {
		a.logger.Error("no copy of what is discarded could be made", "err", err)
	}
	a.logger.Warn("another process was active meanwhile: what was decided here without the database is handed over or discarded", "entries", len(list),
		"sent notifications kept", done.sent, "incidents that go on there", done.orphans, "incidents that are over", done.over,
		"incidents whose number another has", done.colliding, "copy", copied)
	return a.handOver()
}

// handIn hands over what the journal holds when its process is not the active one any more and this one is not either: people whom it told must
// not wait until this process is active again. The lease belongs to prev.
func (s *Store) handIn(ctx context.Context, prev journalOwner) {
	a := s.away
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.path == "" || a.handed || a.journal != nil {
		return
	}
	journal, held, damage, err := openLocal(a.path, a.room)
	if err != nil {
		return // whoever has it open looks after it; what else is wrong shows when this process becomes active
	}
	a.journal = journal
	defer a.shut()
	if len(held) == 0 || journal.belongs(prev) {
		a.handed = len(held) == 0
		return
	}
	a.tellDamage(damage)
	a.owner = journalOwner{}
	if err = s.giveUp(ctx, held); err != nil {
		a.logger.Error("what only the local journal knows is not handed over yet; it is tried again every second", "err", err)
	}
	a.handed = err == nil
}
