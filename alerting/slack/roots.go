package slack

import (
	"maps"
	"slices"
	"sync"
	"time"

	"vigia/alerting"
)

// root is the one message of an incident.
type root struct {
	ts    string    // its name at Slack
	key   string    // of the notification that it was posted for
	shown time.Time // when what it shows was decided
}

// roots remembers which message is an incident's, what of the channel's history has been looked through for those of earlier processes, and
// what may have been posted although no answer came.
type roots struct {
	mu       sync.Mutex
	began    time.Time // of this notifier: what was told earlier was told by others
	searched time.Time // the channel's history is known since then
	by       map[int64]root
	order    []int64              // oldest first
	doubts   map[string]time.Time // attempts without an answer, by incident (doubtOf) or key
	stale    map[int64]alerting.Message
}

const (
	maxRoots  = 2048
	maxDoubts = 4096
	skew      = time.Minute // between clocks, ours and Slack's
)

func newRoots(now time.Time) *roots {
	return &roots{began: now, searched: now, by: map[int64]root{}, doubts: map[string]time.Time{}, stale: map[int64]alerting.Message{}}
}

func (r *roots) of(incident int64) (root, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one, ok := r.by[incident]
	return one, ok
}

// set remembers an incident's message. Of many the oldest is forgotten.
func (r *roots) set(incident int64, one root) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.by[incident]; !known {
		r.order = append(r.order, incident)
	}
	r.by[incident] = one
	if len(r.order) > maxRoots {
		oldest := r.order[0]
		delete(r.by, oldest)
		delete(r.stale, oldest)
		r.order = slices.Delete(r.order, 0, 1)
		r.began, r.searched = time.Now(), time.Now() // what is forgotten here can be found in the channel
	}
}

func (r *roots) forget(incident int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.by, incident)
	delete(r.stale, incident)
	r.order = slices.DeleteFunc(r.order, func(i int64) bool { return i == incident })
}

// doubt notes that something may have been posted without an answer.
func (r *roots) doubt(what string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.doubts) >= maxDoubts {
		clear(r.doubts)
	}
	if _, known := r.doubts[what]; !known {
		r.doubts[what] = at
	}
}

func (r *roots) certain(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.doubts, what)
}

// unsure says since when something may have been posted that we do not know of: by an earlier process, when it was decided before this one
// began, or in an attempt without an answer. False: nothing can have been.
func (r *roots) unsure(what string, decided time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.doubts[what]; ok {
		return earlier(at, decided).Add(-skew), true
	}
	return decided.Add(-skew), !decided.IsZero() && decided.Add(-skew).Before(r.began)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) && !b.IsZero() {
		return b
	}
	return a
}

// span is the part of the channel's history to look through so that it is known since a moment; false when it is.
func (r *roots) span(since time.Time, doubted bool) (from, to time.Time, look bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if doubted {
		return since, time.Time{}, true // up to now
	}
	return since, r.searched.Add(skew), since.Before(r.searched)
}

func (r *roots) isDoubted(what string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.doubts[what]
	return ok
}

// found adds what the history holds, and that it is known since a moment.
func (r *roots) found(list map[int64]root, since time.Time) {
	for _, incident := range slices.Sorted(maps.Keys(list)) {
		if _, known := r.of(incident); !known {
			r.set(incident, list[incident])
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if since.Before(r.searched) {
		r.searched = since
	}
}

// setStale notes messages whose incidents' own message does not show them yet.
func (r *roots) setStale(list []alerting.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range list {
		old, waits := r.stale[m.Incident]
		if m.Incident != 0 && !m.At.Before(r.by[m.Incident].shown) && !m.At.Before(old.At) && (waits || len(r.stale) < maxRoots) {
			r.stale[m.Incident] = m
		}
	}
}

// nextStale takes one of them.
func (r *roots) nextStale() (alerting.Message, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for incident, m := range r.stale {
		delete(r.stale, incident)
		return m, true
	}
	return alerting.Message{}, false
}
