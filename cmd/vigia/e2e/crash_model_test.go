package e2e

import (
	"fmt"
	"slices"
	"time"
)

// span is a stretch of time.
type span struct{ from, to time.Time }

// longest is the longest stretch of the spans within from and to.
func longest(spans []span, from, to time.Time) time.Duration {
	var best time.Duration
	for _, s := range spans {
		begin, end := s.from, s.to
		if from.After(begin) {
			begin = from
		}
		if to.Before(end) {
			end = to
		}
		best = max(best, end.Sub(begin))
	}
	return best
}

// crashIncident is what the model of TestCrashloop reads of /api/v1/incidents/{id}.
type crashIncident struct {
	ID         int64     `json:"id"`
	State      string    `json:"state"`
	Ref        string    `json:"ref"`
	OpenedAt   time.Time `json:"opened_at"`
	ResolvedAt time.Time `json:"resolved_at"`
	Told       []string  `json:"told"`
	Events     []struct {
		Kind string    `json:"kind"`
		At   time.Time `json:"at"`
	} `json:"events"`
	Notifications []crashNotification `json:"notifications"`
}

type crashNotification struct {
	Key       string    `json:"key"`
	Receiver  string    `json:"receiver"`
	Level     int       `json:"level"`
	Cause     string    `json:"cause"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"created_at"`
	SettledAt time.Time `json:"settled_at"`
}

func (n crashNotification) waits() bool { return n.State == "pending" || n.State == "leased" }

func (n crashNotification) page() bool { return n.Cause != "resolved" && n.Cause != "acknowledged" }

// over is when an incident asked nobody any more: somebody took it, or it was resolved.
func (i crashIncident) over() time.Time {
	for _, e := range i.Events {
		if e.Kind == "acknowledged" {
			return e.At
		}
	}
	return i.ResolvedAt
}

func (i crashIncident) count(kind string) (n int) {
	for _, e := range i.Events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// check holds what came and what is stored against the model.
func (c *crashLoop) check() {
	c.t.Helper()
	all := c.incidents()
	told := map[string][]crashTold{}
	for _, m := range c.sink.told {
		told[m.Key] = append(told[m.Key], m)
	}
	for _, i := range all {
		c.checkLevels(i)
		c.checkAfter(i)
		for _, n := range i.Notifications {
			c.checkSent(i, n, told[n.Key])
		}
	}
	c.checkTargets(all)
	c.checkOrigins(all)
	copies := c.checkCopies(told)
	if c.flying*2 < *crashes {
		c.t.Errorf("only %d of %d kills met a notification on its way: the test proves too little", c.flying, *crashes)
	}
	if code := c.p.stop(); code != 0 {
		c.t.Errorf("SIGTERM: exit code %d\n%s", code, c.p.output)
	}
	c.wellSpoken()
	c.intact()
	c.t.Logf("%d kills, %d of them with a notification on its way; %d incidents, %d taken, %d messages, %d copies too many",
		*crashes, c.flying, len(all), len(c.taken), len(told), copies)
}

// checkLevels: no level before its time, and every level that was due while a process lived long enough to tell it.
func (c *crashLoop) checkLevels(i crashIncident) {
	c.t.Helper()
	due := i.OpenedAt
	for level := 1; level <= 3; level++ {
		var times []time.Time
		for _, n := range i.Notifications {
			if n.Level == level {
				times = append(times, n.CreatedAt)
			}
		}
		earliest := i.OpenedAt.Add(time.Duration(level-1) * crashGap)
		switch {
		case len(times) > 1:
			c.t.Errorf("incident %d: level %d was told %d times", i.ID, level, len(times))
		case len(times) == 0:
			if lived := longest(c.lives, due, i.over()); lived > crashSlack {
				c.t.Errorf("incident %d: level %d, due at %s, was never told, though a process lived for %s of the time until %s",
					i.ID, level, clock(due), lived, clock(i.over()))
			}
			return
		case times[0].Before(earliest.Add(-time.Millisecond)): // stored to the microsecond
			c.t.Errorf("incident %d: level %d was told at %s, before its time (%s)", i.ID, level, clock(times[0]), clock(earliest))
		case longest(c.lives, due, times[0]) > crashSlack:
			c.t.Errorf("incident %d: level %d, due at %s, was told only at %s", i.ID, level, clock(due), clock(times[0]))
		}
		// The next level keeps its distance from one that was told late.
		due = earliest.Add(crashGap)
		if times[0].Sub(earliest) >= 2*time.Second {
			due = times[0].Add(crashGap)
		}
	}
}

// checkAfter: one acknowledgement for each that was accepted, no page after it, and the end told once to everyone who was told.
func (c *crashLoop) checkAfter(i crashIncident) {
	c.t.Helper()
	if n := i.count("acknowledged"); n > 1 || n == 0 && c.taken[i.ID] {
		c.t.Errorf("incident %d was acknowledged %d times; the person heard that it was done: %v", i.ID, n, c.taken[i.ID])
	}
	if i.count("opened") != 1 || i.count("resolved") != 1 {
		c.t.Errorf("incident %d was opened %d times and resolved %d times", i.ID, i.count("opened"), i.count("resolved"))
	}
	var paged, ended []string
	for _, n := range i.Notifications {
		switch {
		case n.Cause == "resolved":
			ended = append(ended, n.Receiver)
		case n.page() && !slices.Contains(paged, n.Receiver):
			paged = append(paged, n.Receiver)
		}
		if n.page() && n.CreatedAt.After(i.over()) {
			c.t.Errorf("incident %d: %s was decided when nobody was to be told any more", i.ID, n.Key)
		}
	}
	slices.Sort(paged)
	slices.Sort(ended)
	if !slices.Equal(paged, ended) {
		c.t.Errorf("incident %d: %v were told, and %v of its end", i.ID, paged, ended)
	}
}

// checkSent: a notification came when it says so, and is left out only when it was no longer true before it could be sent.
func (c *crashLoop) checkSent(i crashIncident, n crashNotification, came []crashTold) {
	c.t.Helper()
	outdated := i.ResolvedAt
	if n.page() {
		outdated = i.over()
	}
	switch {
	case n.waits() || n.State == "given_up":
		c.t.Errorf("%s ended as %s", n.Key, n.State)
	case n.State == "sent" && len(came) == 0:
		c.t.Errorf("%s is lost: it is said to be sent and never came", n.Key)
	case n.State == "superseded" && n.Cause == "resolved":
		c.t.Errorf("%s was superseded, and nothing comes after it", n.Key)
	case n.State == "superseded" && len(came) == 0 && longest(c.healthy, n.CreatedAt, outdated) > crashSlack:
		c.t.Errorf("%s was not sent between %s and %s, though it could have been for %s", n.Key, clock(n.CreatedAt), clock(outdated), longest(c.healthy, n.CreatedAt, outdated))
	}
	if len(came) == 0 {
		return
	}
	if came[0].at.Before(n.CreatedAt) {
		c.t.Errorf("%s came before it was decided", n.Key)
	}
	if waited := longest(c.healthy, n.CreatedAt, came[0].at); waited > crashSlack {
		c.t.Errorf("%s waited for %s while it could have been sent", n.Key, waited)
	}
}

// checkTargets: an outage that stood long enough has an incident, and no incident is without an outage.
func (c *crashLoop) checkTargets(all []crashIncident) {
	c.t.Helper()
	const notice = 3 * time.Second // a period, the hold, and a start in between
	for n, target := range c.targets {
		ref := fmt.Sprintf("link/t%02d", n)
		for _, down := range target.closed {
			if longest(c.lives, down.from, down.to) < notice+crashSlack {
				continue
			}
			if !slices.ContainsFunc(all, func(i crashIncident) bool {
				return i.Ref == ref && i.OpenedAt.Before(down.to) && i.ResolvedAt.After(down.from)
			}) {
				c.t.Errorf("%s was down from %s to %s and no incident says so", ref, clock(down.from), clock(down.to))
			}
		}
		for _, i := range all {
			if i.Ref == ref && !slices.ContainsFunc(target.closed, func(down span) bool {
				return down.from.Before(i.OpenedAt.Add(-time.Second+50*time.Millisecond)) && down.to.After(i.OpenedAt.Add(-notice))
			}) {
				c.t.Errorf("incident %d: %s was not down before %s", i.ID, ref, clock(i.OpenedAt))
			}
		}
	}
}

// checkOrigins: an id is one incident, whichever process said so, and one target has one incident at a time.
func (c *crashLoop) checkOrigins(all []crashIncident) {
	c.t.Helper()
	known := map[int64]crashIncident{}
	for _, i := range all {
		known[i.ID] = i
		for _, o := range all {
			if o.Ref == i.Ref && o.ID > i.ID && o.OpenedAt.Before(i.ResolvedAt) {
				c.t.Errorf("%s has two incidents at a time, %d and %d", i.Ref, i.ID, o.ID)
			}
		}
	}
	for _, m := range c.sink.told {
		i, ok := known[m.Incident]
		switch {
		case !ok && m.Ref != "vigia/vigia":
			c.t.Errorf("%s speaks of an incident %d of %s that is not stored", m.Key, m.Incident, m.Ref)
		case ok && (m.Ref != i.Ref || !m.OpenedAt.Equal(i.OpenedAt)):
			c.t.Errorf("%s says that incident %d is of %s, %s; stored is %s, %s", m.Key, m.Incident, m.Ref, clock(m.OpenedAt), i.Ref, clock(i.OpenedAt))
		case ok && !slices.ContainsFunc(i.Notifications, func(n crashNotification) bool { return n.Key == m.Key && n.Receiver == m.receiver }):
			c.t.Errorf("%s came to %s and is not stored", m.Key, m.receiver)
		}
	}
}

// checkCopies: a process sends a key once; another one sends it again only when the one before died before it could note the answer.
func (c *crashLoop) checkCopies(told map[string][]crashTold) (copies int) {
	c.t.Helper()
	const noted = time.Second // how long a process may take to note an answer
	for key, came := range told {
		copies += len(came) - 1
		for n, m := range came[1:] {
			before := came[n]
			switch {
			case before.life == m.life:
				c.t.Errorf("%s came twice from one process, at %s and at %s", key, clock(before.at), clock(m.at))
			case !before.answered.IsZero() && c.lives[before.life].to.Sub(before.answered) > noted:
				c.t.Errorf("%s was answered %s before the process died, and came again", key, c.lives[before.life].to.Sub(before.answered))
			}
		}
	}
	if copies > 3*c.flying+*crashes {
		c.t.Errorf("%d copies too many after %d kills", copies, *crashes)
	}
	return copies
}

func clock(at time.Time) string { return at.Local().Format("15:04:05.000") }
