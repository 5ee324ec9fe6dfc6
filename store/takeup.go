package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

// leap is by how much ids leap when the process that was active before may have used some of which the database knows nothing.
const leap = 1000

// openJournal opens the local journal, before this process takes the right to be the active one from prev, and notes in it who that will be:
// whenever the process is killed, what is in the journal is known for its own. Mine: the journal is that of the process that was active last.
func (s *Store) openJournal(prev journalOwner) (held []entry, mine bool) {
	a := s.away
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owner, a.lost, a.since, a.drained = journalOwner{}, false, time.Time{}, recordsAt
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
// was active in between, and else only which notifications were sent.
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

const openedSQL = `SELECT opened_at FROM incidents WHERE id = $1`

// giveUp empties the journal, whose Changes another process has decided anew. Which notifications were sent is kept, so that they are not
// sent again; a copy of the journal stays for people. The caller holds away.mu.
func (s *Store) giveUp(ctx context.Context, list []entry) error {
	a := s.away
	if len(list) == 0 {
		return a.handOver()
	}
	merged, err := s.mergeSent(ctx, list)
	if err != nil {
		return fmt.Errorf("keep which notifications were sent: %w", err)
	}
	copied, err := a.journal.keep(".discarded-" + a.now().UTC().Format("20060102T150405"))
	if err != nil {
		a.logger.Error("no copy of what is discarded could be made", "err", err)
	}
	a.logger.Warn("another process was active meanwhile: what was decided here without the database is discarded", "entries", len(list),
		"sent notifications kept", merged, "copy", copied)
	return a.handOver()
}

// mergeSent notes as sent what was sent, where the database has the same incident and the same notification. It needs no fence: that
// something was sent is true whoever is active.
func (s *Store) mergeSent(ctx context.Context, list []entry) (merged int, err error) {
	opened, results, err := sentOf(list)
	if err != nil {
		return 0, err
	}
	err = s.db.within(ctx, s.db.durable, func(t *transaction) error {
		merged = 0
		for _, r := range results {
			same, err := t.sameIncident(ctx, r.Delivery.Key, opened)
			if err != nil || !same {
				if err != nil {
					return err
				}
				continue
			}
			var some statements
			addDelivery(&some, r.Delivery)
			some.add(sentSQL, r.Delivery.At.Add(r.Delivery.Took), r.Delivery.Key)
			if err := t.run(ctx, some); err != nil {
				return err
			}
			merged++
		}
		return nil
	})
	return merged, err
}

// sameIncident reports whether a notification's incident is in the database and is the one that the journal means: a process without the
// database gives its new incidents numbers that another one may have given to others.
func (t *transaction) sameIncident(ctx context.Context, key string, opened map[int64]time.Time) (bool, error) {
	number, _, _ := strings.Cut(strings.TrimPrefix(key, "i"), ".")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return false, nil //nolint:nilerr // a notification of no incident
	}
	var at time.Time
	if err := optional(t.tx.QueryRowContext(ctx, openedSQL, id).Scan(instant{&at})); err != nil || at.IsZero() {
		return false, err
	}
	known, ok := opened[id]
	return !ok || known.Truncate(time.Microsecond).Equal(at), nil
}

// sentOf finds what was sent, and when the incidents were opened of which the entries speak.
func sentOf(list []entry) (opened map[int64]time.Time, sent []outbox.Result, err error) {
	opened = map[int64]time.Time{}
	for _, e := range list {
		var c alerting.Change
		var results []outbox.Result
		switch e.kind {
		case recordChange:
			err = json.Unmarshal(e.payload, &c)
		case recordSettle:
			err = json.Unmarshal(e.payload, &results)
		}
		if err != nil {
			return nil, nil, errors.Join(errEntry, err)
		}
		for i := range c.Incidents {
			opened[c.Incidents[i].ID] = c.Incidents[i].OpenedAt
		}
		for _, r := range results {
			if r.State == alerting.NotificationSent {
				sent = append(sent, r)
			}
		}
	}
	return opened, sent, nil
}
