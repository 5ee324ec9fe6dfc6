package snmp

import (
	"context"
	"sync"
	"time"

	"vigia/collectors/snmp/profile"
)

// device is what all checks of one device share: how it is asked, and what was found on it.
type device struct {
	key      string
	host     string
	port     int
	creds    *credentials
	pool     *pool
	now      func() time.Time
	profiles *profile.Set
	forced   string // the profile that the configuration names; "" by sysObjectID
	users    int    // guarded by the registry

	tuning tuning
	usm    usm
	turn   chan struct{} // held by the one who discovers

	mu    sync.Mutex
	found *found
	due   bool   // something has changed: look again soon
	shelf *shelf // a discovery that was interrupted
	since hello  // what it began with
}

// again is how often a device is looked at anew even if it says nothing of a change.
const again = time.Hour

// again of a device that has just started is how long it has been running, two minutes at least: some of its tables fill only then (net-snmp
// knows processors after a minute).
func (f *found) again() time.Duration {
	if !f.m.hasTicks {
		return again
	}
	return min(max(time.Duration(f.m.ticks)*time.Second/ticksPerSecond, soon), again)
}

const soon = 2 * time.Minute

// stale is how long an interrupted discovery may go on.
const stale = 10 * time.Minute

// known is what was found last; nil before that.
func (d *device) known() *found {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found
}

// isDue reports whether the device should be looked at anew.
func (d *device) isDue(f *found) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	age := d.now().Sub(f.at)
	return d.found == f && (d.due && age >= apart || age >= f.again())
}

// apart is how far apart discoveries are that a device asks for by what it answers: one that lies does not make us look at it all the time.
const apart = time.Minute

// hello is what a discovery begins with: who the device says it is.
type hello struct {
	m          moment
	objectID   string
	descr      string
	name       string
	location   string
	contact    string
	lastChange uint32 // ifTableLastChange (RFC 2863 §3.1.5)
	hasChange  bool
}

// The scalars of a hello.
const (
	sysDescr     = ".1.3.6.1.2.1.1.1.0"
	sysObjectID  = ".1.3.6.1.2.1.1.2.0"
	sysContact   = ".1.3.6.1.2.1.1.4.0"
	sysName      = ".1.3.6.1.2.1.1.5.0"
	sysLocation  = ".1.3.6.1.2.1.1.6.0"
	ifLastChange = ".1.3.6.1.2.1.31.1.5.0"
)

func (s *session) hello(ctx context.Context) (hello, error) {
	var h hello
	names := []string{sysDescr, sysObjectID, sysContact, sysName, sysLocation, ifLastChange}
	err := s.get(ctx, names, func(from int, vars []variable, m moment) {
		h.m = m
		for i, v := range vars {
			switch names[from+i] {
			case sysDescr:
				h.descr = profile.Clean(v.text)
			case sysObjectID:
				h.objectID = v.text
			case sysContact:
				h.contact = profile.Clean(v.text)
			case sysName:
				h.name = profile.Clean(v.text)
			case sysLocation:
				h.location = profile.Clean(v.text)
			case ifLastChange:
				h.lastChange, h.hasChange = uint32(v.number), v.kind == ticks // TimeTicks have 32 bits
			}
		}
	})
	return h, err
}

// discover looks at the whole device, or goes on where an earlier run had to stop. Of several runs at once one works and the others wait
// for it. What is found takes the place of what was known.
func (d *device) discover(ctx context.Context, s *session, health bool) (*found, error) {
	before := d.known()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, s.explain(ctx, ctx.Err())
	}
	if now := d.known(); now != before && (now.health || !health) {
		return now, nil // somebody else has just done it
	}
	on, h, err := d.begin(ctx, s)
	if err != nil {
		return nil, err
	}
	f, err := d.look(ctx, s, on, h, health)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.shelf, d.since = on, h
		return nil, err
	}
	d.found, d.shelf, d.due = f, nil, false
	return f, nil
}

// begin says hello and takes up an interrupted discovery if it is still of the same device in the same state.
func (d *device) begin(ctx context.Context, s *session) (*shelf, hello, error) {
	h, err := s.hello(ctx)
	if err != nil {
		return nil, h, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.since
	if d.shelf == nil || was.objectID != h.objectID || was.lastChange != h.lastChange || h.m.at.Sub(was.m.at) > stale {
		return newShelf(), h, nil
	}
	var c clock
	if _, v := c.between(was.m, h.m); v.code == restarted.code {
		return newShelf(), h, nil
	}
	was.m = h.m
	return d.shelf, was, nil
}
