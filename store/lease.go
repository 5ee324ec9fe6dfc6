package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// leaseRenew is how often the lease is renewed. It holds for ten seconds, which only its SQL says.
const leaseRenew = 3 * time.Second

const (
	leaseReadSQL = `SELECT epoch, holder, guarded, until > now(), until = 'epoch' FROM lease ORDER BY epoch DESC LIMIT 1`
	leaseLastSQL = `SELECT epoch, holder FROM lease ORDER BY epoch DESC LIMIT 1`
	// Taking the lease changes the key of its row, so it waits for writers that look at the key and then fences them off; renewing does not.
	leaseTakeSQL  = `UPDATE lease SET epoch = epoch + 1, holder = $1, guarded = $2, until = now() + INTERVAL '10 seconds' WHERE epoch = $3`
	leaseRenewSQL = `UPDATE lease SET guarded = $1, until = now() + INTERVAL '10 seconds' WHERE epoch = $2`
	leaseEndSQL   = `UPDATE lease SET until = 'epoch', guarded = FALSE WHERE epoch = $1`
	guardSQL      = `SELECT pg_try_advisory_lock(hashtext('vigia run'), hashtext(current_schema()))`

	// What a process that is dead had leased is due again at once: nobody else will send it.
	leaseInheritSQL = `UPDATE notifications SET due_at = created_at WHERE state = 'leased'`

	leaseTakeFileSQL = `UPDATE lease SET epoch = epoch + 1, holder = $1 RETURNING epoch`
)

// noEpoch is the fence's number of a process that has given its right back: no row has it.
const noEpoch = -1

// fenceEpoch is the fence's number while this process is the active one, 0 when it never asked to be.
func (s *Store) fenceEpoch() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epoch
}

func (s *Store) active() bool { return s.fenceEpoch() > 0 }

// hold notes that this process has the right of an epoch.
func (s *Store) hold(epoch int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch, s.lost = epoch, make(chan struct{})
}

// drop notes that the right of an epoch was lost or given back. From then on every fenced write is refused, until it is acquired anew.
func (s *Store) drop(epoch int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == epoch && s.lost != nil {
		close(s.lost)
		s.epoch, s.lost = noEpoch, nil
	}
}

// lose is drop by somebody who has found out that another process has the right.
func (s *Store) lose(epoch int64) error {
	s.drop(epoch)
	return ErrLost
}

// Lost is closed when the right that Acquire took is lost or given back; without one it is closed already. A process that was stopped or cut
// off from the database learns of it as soon as it speaks with the database again, within three seconds.
func (s *Store) Lost() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != nil {
		return s.lost
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// ask notes that this process wants the right: without it, it writes nothing that is fenced.
func (s *Store) ask() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch == 0 {
		s.epoch = noEpoch
	}
}

// fence makes sure, until the transaction is over, that a right is still this process's own.
type fence func(context.Context, *transaction) error

func unfenced(context.Context, *transaction) error { return nil }

// fenceAt is the fence of an epoch.
func (s *Store) fenceAt(epoch int64) fence {
	if epoch == 0 {
		return unfenced
	}
	return func(ctx context.Context, t *transaction) error {
		var found int64
		err := t.tx.QueryRowContext(ctx, fenceSQL+s.db.dialect.keyShare, epoch).Scan(&found)
		if errors.Is(err, sql.ErrNoRows) {
			return s.lose(epoch)
		}
		return err
	}
}

// Lease is the right to be the active process, as the database has it.
type Lease struct {
	Epoch  int64  // counts how often it was taken
	Holder string // who took it last: host and process; empty for nobody
	Held   bool   // and has it now
}

// Lease reads who has the right.
func (s *Store) Lease(ctx context.Context) (Lease, error) {
	var sizes Sizes
	if err := s.db.lease(ctx, s.db.read, &sizes); err != nil {
		return Lease{}, err
	}
	return Lease{sizes.Epoch, sizes.Holder, sizes.Active || s.active()}, nil
}

// Away tells since when the database takes no writes, why, and how many entries wait for it in the local journal; the zero time while it does.
func (s *Store) Away() (since time.Time, why string, journaled int) {
	up, since, why := s.health.state()
	if from, n := s.away.state(); !from.IsZero() {
		return from, why, n
	}
	if up {
		return time.Time{}, "", 0
	}
	return since, why, 0
}

// MayStandBy reports whether a process that is refused the right may wait for it beside the one that has it. On SQLite it may not: the file
// belongs to one process.
func (s *Store) MayStandBy() bool { return s.db.file == "" }

// Acquire takes the right to be the one active process, or returns an error that is ErrTaken and says who has it. On SQLite another
// process keeps it until it ends; on PostgreSQL a standby asks again every second, and gets it at once when the other process has ended,
// or after ten seconds when it has only stopped. The function that is returned gives the right back; call it before Close.
//
// What a process that is known to be dead had leased in the outbox is due at once. What the local journal holds is written first: nobody is
// the active one before the database knows what had been decided without it. On PostgreSQL the head has what the process before has written, or
// has it soon after.
//
// From here on Apply, Claim and Flush make sure that the right is still this process's own. When it is not, they return ErrLost and Lost is
// closed; call release then, and Acquire again. Whoever asked once and was refused writes nothing that is fenced either.
func (s *Store) Acquire(ctx context.Context) (release func(), err error) {
	if s.active() {
		return nil, errors.New("this store is the active one already")
	}
	s.ask()
	if s.db.file != "" {
		return s.acquireFile(ctx)
	}
	return s.acquireLease(ctx)
}

func holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return host + ", process " + strconv.Itoa(os.Getpid())
}

// acquireFile holds a lock on a file beside the database. The kernel gives it back however the process ends.
func (s *Store) acquireFile(ctx context.Context) (release func(), err error) {
	path := s.db.file + ".lock"
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // beside the database that the operator named
	if err != nil {
		return nil, fmt.Errorf("lock the database: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer func() { _ = file.Close() }()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s has %s open (stop it first, or give this one another database)", ErrTaken, writtenIn(file), s.db.file)
		}
		return nil, fmt.Errorf("lock the database with %s: %w", path, err)
	}
	var epoch int64
	release = sync.OnceFunc(func() {
		s.finish()
		s.drop(epoch)
		_ = file.Truncate(0) // what is written there is only for people
		_ = file.Close()     // gives the lock back, whatever it returns
	})
	epoch, err = s.beginFile(ctx, file)
	if err != nil && s.spare.release(err) {
		epoch, err = s.beginFile(ctx, file)
	}
	if err != nil {
		release()
		return nil, fmt.Errorf("lock the database: %w", s.db.explain(err))
	}
	return release, nil
}

// beginFile makes this process the active one, once it has the lock.
func (s *Store) beginFile(ctx context.Context, file *os.File) (epoch int64, err error) {
	var prev journalOwner
	if err := s.db.read.QueryRowContext(ctx, leaseLastSQL).Scan(&prev.Epoch, &prev.Holder); err != nil {
		return 0, err
	}
	held, mine := s.openJournal(prev)
	epoch, err = s.takeFile(ctx, file)
	if err != nil {
		return 0, err
	}
	s.hold(epoch)
	return epoch, s.takeUp(ctx, epoch, held, mine)
}

// finish gives the database what the local journal still holds, before the right is given back.
func (s *Store) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := s.comeBack(ctx); err != nil {
		s.cfg.Logger.Warn("what was decided without the database stays in the local journal until the next start", "err", s.db.explain(err))
	}
	s.away.close()
}

func (s *Store) takeFile(ctx context.Context, file *os.File) (epoch int64, err error) {
	if err := file.Truncate(0); err != nil {
		return 0, err
	}
	if _, err := file.WriteAt([]byte(holder()+"\n"), 0); err != nil {
		return 0, err
	}
	err = s.db.within(ctx, s.db.durable, func(t *transaction) error {
		if _, err := t.tx.ExecContext(ctx, leaseInheritSQL); err != nil {
			return err
		}
		return t.tx.QueryRowContext(ctx, leaseTakeFileSQL, holder()).Scan(&epoch)
	})
	return epoch, err
}

func writtenIn(file *os.File) string {
	text, err := io.ReadAll(io.LimitReader(file, 200))
	if name := strings.TrimSpace(string(text)); err == nil && name != "" {
		return name
	}
	return "another process"
}

// acquireLease takes the lease when its holder's session has ended (the advisory lock is free) or its time is over.
func (s *Store) acquireLease(ctx context.Context) (func(), error) {
	session, err := s.db.durable.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("take the lease: %w", s.db.explain(err))
	}
	taken, err := s.takeLease(ctx, session)
	if err != nil {
		err = s.notTaken(session, taken.guarded, err)
		if errors.Is(err, ErrTaken) {
			s.handIn(ctx, taken.prev)
		}
		return nil, err
	}
	s.catchUp(ctx)
	s.hold(taken.epoch)
	release := s.holdLease(ctx, session, taken)
	if err := s.takeUp(ctx, taken.epoch, taken.held, taken.mine); err != nil {
		release()
		return nil, fmt.Errorf("take the lease: %w", s.db.explain(err))
	}
	return release, nil
}

// holdLease renews the lease until the function that it returns gives it back.
func (s *Store) holdLease(ctx context.Context, session *sql.Conn, taken taking) (release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.keepLease(ctx, session, taken.epoch, taken.guarded)
	}()
	return sync.OnceFunc(func() {
		s.finish()
		cancel()
		<-done
		s.drop(taken.epoch)
	})
}

// notTaken gives a session back that did not get the lease. Its connection is closed when it may hold the advisory lock; a standby that is
// merely told to wait keeps it for the next time.
func (s *Store) notTaken(session *sql.Conn, guarded bool, err error) error {
	if errors.Is(err, ErrTaken) {
		if guarded {
			endSession(session)
		}
		_ = session.Close() // back to the pool, or dead
		return err
	}
	endSession(session)
	return fmt.Errorf("take the lease: %w", s.db.explain(err))
}

// catchUp reads what the process before wrote last, as far as there is time: it can write no more.
func (s *Store) catchUp(ctx context.Context) {
	if s.log == nil {
		return // a restore keeps nothing in memory
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	if err := s.log.catchUp(ctx); err != nil {
		s.cfg.Logger.Warn("what the active process before wrote last is not read yet; charts lack it until it is", "error", s.db.explain(err))
	}
}

// taking is a lease that has just been taken.
type taking struct {
	prev    journalOwner // who had it
	epoch   int64
	guarded bool    // the session has the advisory lock
	held    []entry // of the local journal
	mine    bool    // the journal is that of the process that was active last
}

func (s *Store) takeLease(ctx context.Context, session *sql.Conn) (t taking, err error) {
	if err := session.QueryRowContext(ctx, guardSQL).Scan(&t.guarded); err != nil {
		return t, err
	}
	prev := &t.prev
	var theirs, running, ended bool
	if err := session.QueryRowContext(ctx, leaseReadSQL).Scan(&prev.Epoch, &prev.Holder, &theirs, &running, &ended); err != nil {
		return t, err
	}
	// The lock is free: the session of a holder who had it is gone. A holder without it lives by the clock alone.
	if running && (!t.guarded || !theirs) {
		return t, fmt.Errorf("%w: %s", ErrTaken, prev.Holder)
	}
	t.held, t.mine = s.openJournal(*prev)
	result, err := session.ExecContext(ctx, leaseTakeSQL, holder(), t.guarded, prev.Epoch)
	if err != nil {
		return t, err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return t, fmt.Errorf("%w: it was faster", ErrTaken)
	}
	t.epoch = prev.Epoch + 1
	s.leapOver(*prev, ended, t.mine)
	if t.guarded && theirs { // its session is gone; one that was only stopped may wake up and send what it holds
		_, err = session.ExecContext(ctx, leaseInheritSQL)
	}
	return t, err
}

// keepLease renews until ctx ends, then gives the lease back. A session that breaks is replaced; the lease then lives by its time until
// the new session has the advisory lock. That the lease is lost, it finds out at the next renewal if nobody does before.
func (s *Store) keepLease(ctx context.Context, session *sql.Conn, epoch int64, guarded bool) {
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.endLease(session, epoch)
			return
		case <-tick.C:
		}
		if session == nil {
			session, guarded = s.newSession(ctx), false
		}
		if session == nil {
			continue
		}
		held, err := renew(context.WithoutCancel(ctx), session, epoch, &guarded)
		if err != nil || !held {
			endSession(session)
			session = nil
		}
		if err == nil && !held {
			s.drop(epoch)
			<-ctx.Done() // somebody else has it: keeping the session would only keep the advisory lock from them
			return
		}
	}
}

func (s *Store) newSession(ctx context.Context) *sql.Conn {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew)
	defer cancel()
	session, err := s.db.durable.Conn(ctx)
	if err != nil {
		s.health.looked(err) //nolint:errcheck // noting it is all that is to be done: the next tick tries again
		return nil
	}
	return session
}

// renew reports whether the lease is still held.
func renew(ctx context.Context, session *sql.Conn, epoch int64, guarded *bool) (held bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leaseRenew)
	defer cancel()
	result, err := session.ExecContext(ctx, leaseRenewSQL, *guarded, epoch)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 || *guarded {
		return n > 0, err
	}
	return true, session.QueryRowContext(ctx, guardSQL).Scan(guarded) // the row says so at the next renewal
}

func (s *Store) endLease(session *sql.Conn, epoch int64) {
	if session == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseRenew)
	defer cancel()
	session.ExecContext(ctx, leaseEndSQL, epoch) //nolint:errcheck // without it the lease ends by its time
	endSession(session)
}

// endSession closes the connection itself, not only its use, so that the advisory lock is free.
func endSession(session *sql.Conn) {
	session.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // the error is ours
	session.Close()                                           //nolint:errcheck // it is closed already
}
