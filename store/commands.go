package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vigia/alerting"
)

const (
	postLockSQL    = `SELECT pg_advisory_xact_lock(hashtext('vigia commands'), hashtext(current_schema()))`
	postCommandSQL = `INSERT INTO commands (id, kind, incident_id, actor, note, until, created_at, reason, more)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8) ON CONFLICT (id) DO NOTHING`
	pendingCommandsSQL = `SELECT seq, id, kind, incident_id, actor, note, until, created_at, more FROM commands
		WHERE done_at IS NULL AND seq > $1 ORDER BY seq LIMIT 1000`
	commandResultSQL = `SELECT id, seq, done_at, ok, reason, made FROM commands WHERE id = $1`
	doneCommandSQL   = `UPDATE commands SET done_at = $1, ok = $2, reason = $3, made = $4 WHERE id = $5`
)

// PostCommand stores what a person decided, for the engine to plan. The same id again changes nothing. Any process may post; while the
// database is away only the active one can.
func (s *Store) PostCommand(ctx context.Context, c alerting.Command) error {
	if c.ID == "" || c.Kind == "" {
		return errors.New("a command needs an id and a kind")
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = s.cfg.Now()
	}
	var list statements
	if s.db.gate == nil {
		list.add(postLockSQL) // commands become visible in the order of their seq, so that the engine can ask for what came after one
	}
	if err := addCommand(&list, c); err != nil {
		return fmt.Errorf("post the command %s: %w", c.Kind, err)
	}
	stored := false
	err := s.write(ctx, recordCommand, func() any { return c }, func(ctx context.Context) error {
		err := s.db.within(ctx, s.db.durable, func(t *transaction) error { return t.run(ctx, list) })
		stored = err == nil
		return s.health.looked(err)
	})
	if err != nil {
		return fmt.Errorf("post the command %s: %w", c.Kind, err)
	}
	if !stored {
		s.orders.post(c)
	}
	s.watch.posted()
	return nil
}

func addCommand(list *statements, c alerting.Command) error {
	doc := "" // the columns are all there is
	if c.Assignee != "" || c.Mute != nil || c.MuteID != 0 || c.OnCall != nil {
		var err error
		if doc, err = document(c); err != nil {
			return err
		}
	}
	list.add(postCommandSQL, c.ID, string(c.Kind), c.IncidentID, c.Actor, c.Note, c.Until, c.CreatedAt, doc)
	return nil
}

// PendingCommands lists, in order, the commands after seq that no Change has answered yet; at most 1,000 at a time.
func (s *Store) PendingCommands(ctx context.Context, afterSeq int64) ([]alerting.Command, error) {
	list := s.orders.pending()
	if s.away.is() {
		return list, nil
	}
	ctx, cancel := s.limited(ctx)
	defer cancel()
	err := each(ctx, s.db.read, pendingCommandsSQL, []any{afterSeq}, func(rows *sql.Rows) error {
		var c alerting.Command
		var doc string
		err := rows.Scan(&c.Seq, &c.ID, &c.Kind, &c.IncidentID, &c.Actor, &c.Note, instant{&c.Until}, instant{&c.CreatedAt}, &doc)
		if seq, id := c.Seq, c.ID; err == nil && doc != "" {
			err = json.Unmarshal([]byte(doc), &c)
			c.Seq, c.ID = seq, id
		}
		list = append(list, c)
		return err
	})
	if err != nil && !s.away.begin(err) {
		return list, fmt.Errorf("read commands: %w", err)
	}
	return list, nil
}

// AwaitCommand waits until the engine has answered a command, or ctx ends. ErrNotFound: no such command was posted.
func (s *Store) AwaitCommand(ctx context.Context, id string) (alerting.CommandResult, error) {
	poll := time.NewTicker(200 * time.Millisecond) // another process may be the one that answers
	defer poll.Stop()
	for {
		changed := s.watch.next()
		result, done, err := s.commandResult(ctx, id)
		if err != nil || done {
			return result, err
		}
		select {
		case <-changed:
		case <-poll.C:
		case <-ctx.Done():
			return result, fmt.Errorf("wait for the command: %w", ctx.Err())
		}
	}
}

func (s *Store) commandResult(ctx context.Context, id string) (r alerting.CommandResult, done bool, err error) {
	if r, done, known := s.orders.result(id); known {
		return r, done, nil
	}
	var ok sql.NullBool
	var reason string
	err = s.db.read.QueryRowContext(ctx, commandResultSQL, cleanText(id)).Scan(&r.ID, &r.Seq, instant{&r.At}, &ok, &reason, &r.Made)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, ErrNotFound
	}
	if err != nil {
		return r, false, fmt.Errorf("read the command: %w", err)
	}
	r.OK = ok.Bool
	if reason != "" {
		err = json.Unmarshal([]byte(reason), &r.Reason)
	}
	return r, !r.At.IsZero(), err
}
