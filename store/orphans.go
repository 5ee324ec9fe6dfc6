package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

// account is what a journal says in the end: of each thing the last word.
type account struct {
	incidents map[int64]alerting.Incident
	alarms    map[int64]alerting.Alarm
	events    map[int64][]alerting.Event // by incident
	notes     map[string]alerting.Notification
	members   map[int64][]alerting.Alarm // by incident, in order
	keys      map[int64][]string         // of notifications, by incident, in order of time
	outdated  map[string]bool
	results   map[string][]outbox.Result // by notification, in order
}

// accountOf reads the entries of a journal. What cannot be understood is returned as text.
func accountOf(list []entry) (a account, odd []string) {
	a = account{
		incidents: map[int64]alerting.Incident{}, alarms: map[int64]alerting.Alarm{},
		notes: map[string]alerting.Notification{}, outdated: map[string]bool{}, results: map[string][]outbox.Result{},
		events: map[int64][]alerting.Event{}, members: map[int64][]alerting.Alarm{}, keys: map[int64][]string{},
	}
	for _, e := range list {
		var c alerting.Change
		var results []outbox.Result
		var err error
		switch e.kind {
		case recordChange:
			err = json.Unmarshal(e.payload, &c)
		case recordSettle:
			err = json.Unmarshal(e.payload, &results)
		}
		if err != nil {
			odd = append(odd, string(e.payload))
			continue
		}
		a.take(&c)
		for _, r := range results {
			a.results[r.Delivery.Key] = append(a.results[r.Delivery.Key], r)
		}
	}
	a.arrange()
	return a, odd
}

// arrange finds what belongs to each incident in the end.
func (a *account) arrange() {
	for _, id := range slices.Sorted(maps.Keys(a.alarms)) {
		in := a.alarms[id].IncidentID
		a.members[in] = append(a.members[in], a.alarms[id])
	}
	keys := slices.SortedFunc(maps.Keys(a.notes), func(one, other string) int {
		return cmp.Or(a.notes[one].CreatedAt.Compare(a.notes[other].CreatedAt), cmp.Compare(one, other))
	})
	for _, key := range keys {
		in := a.notes[key].IncidentID
		a.keys[in] = append(a.keys[in], key)
	}
}

func (a *account) take(c *alerting.Change) {
	for i := range c.Incidents {
		a.incidents[c.Incidents[i].ID] = c.Incidents[i]
	}
	for i := range c.Alarms {
		a.alarms[c.Alarms[i].ID] = c.Alarms[i]
	}
	for i := range c.Notifications {
		a.notes[c.Notifications[i].Key] = c.Notifications[i]
	}
	for _, key := range c.Supersede {
		a.outdated[key] = true
	}
	for i := range c.Events {
		a.events[c.Events[i].IncidentID] = append(a.events[c.Events[i].IncidentID], c.Events[i])
	}
}

// settled is how a notification ended, "" while it has not.
func (a *account) settled(key string) alerting.NotificationState {
	state := alerting.NotificationState("")
	for _, r := range a.results[key] {
		if r.State == alerting.NotificationSent || state == "" && r.State != alerting.NotificationPending {
			state = r.State
		}
	}
	if state == "" && a.outdated[key] {
		state = alerting.NotificationSuperseded
	}
	return state
}

// told lists the receivers that heard of an incident.
func (a *account) told(incident int64) []string {
	heard := map[string]bool{}
	for _, key := range a.keys[incident] {
		if a.settled(key) == alerting.NotificationSent {
			heard[a.notes[key].Receiver] = true
		}
	}
	return slices.Sorted(maps.Keys(heard))
}

const knownIncidentSQL = `SELECT opened_at, doc FROM incidents WHERE id = $1`

// handing is what of a journal another process has not decided: counts of it, for people.
type handing struct {
	sent      int // notifications of incidents that both know
	orphans   int // incidents that go on in the active process
	over      int // incidents that only the journal knows and that are over
	colliding int // incidents whose number another one has
}

// handOverAccount gives the database what only a journal knows, in one transaction: what was sent; incidents that are over, as history, with
// what is still to be said of them; and for the active engine, as commands, those that are not, and whom it does not know to have been told.
// It needs no fence: what happened is true whoever is active, and the engine decides what follows.
func (s *Store) handOverAccount(ctx context.Context, a *account, epoch int64) (done handing, err error) {
	err = s.db.within(ctx, s.db.durable, func(t *transaction) error {
		done = handing{}
		h := hander{account: a, t: t, epoch: epoch, at: s.cfg.Now(), done: &done}
		if s.db.gate == nil {
			h.list.add(postLockSQL)
		}
		for _, id := range slices.Sorted(maps.Keys(a.incidents)) {
			if err := h.incident(ctx, a.incidents[id]); err != nil {
				return fmt.Errorf("incident %d: %w", id, err)
			}
		}
		if err := h.results(ctx); err != nil {
			return err
		}
		return t.run(ctx, h.list)
	})
	if err == nil {
		s.watch.posted()
		s.watch.tell(0)
	}
	return done, err
}

// hander gathers the statements of one handOverAccount.
type hander struct {
	*account
	t     *transaction
	list  statements
	epoch int64
	at    time.Time
	lone  map[int64]bool // incidents that the database does not know
	other map[int64]bool // incidents whose number another one has
	done  *handing
}

func (h *hander) incident(ctx context.Context, in alerting.Incident) error {
	known, err := h.known(ctx, in.ID)
	if err != nil {
		return err
	}
	switch {
	case known == nil:
		mark(&h.lone, in.ID)
		return h.orphan(ctx, in)
	case !known.OpenedAt.Truncate(time.Microsecond).Equal(in.OpenedAt.Truncate(time.Microsecond)):
		mark(&h.other, in.ID)
		h.done.colliding++
		return nil
	}
	told := slices.DeleteFunc(h.told(in.ID), func(r string) bool { return slices.Contains(known.Told, r) })
	if len(told) == 0 {
		return nil
	}
	return h.command(&alerting.Orphan{Incident: *known, Known: true, Told: told})
}

func mark(set *map[int64]bool, id int64) {
	if *set == nil {
		*set = map[int64]bool{}
	}
	(*set)[id] = true
}

// known is an incident as the database has it; nil when it has none.
func (h *hander) known(ctx context.Context, id int64) (*alerting.Incident, error) {
	var at time.Time
	var doc string
	err := h.t.tx.QueryRowContext(ctx, knownIncidentSQL, id).Scan(instant{&at}, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	if err != nil {
		return nil, err
	}
	in := &alerting.Incident{}
	if err := json.Unmarshal([]byte(doc), in); err != nil || in.ID != id {
		return &alerting.Incident{ID: id, OpenedAt: at, State: alerting.Resolved}, nil //nolint:nilerr // damaged: when it was opened still says which it is
	}
	return in, nil
}

// orphan writes the history of an incident that only the journal knows, and hands it to the engine while it is not over.
func (h *hander) orphan(ctx context.Context, in alerting.Incident) error {
	for _, e := range h.events[in.ID] {
		if err := addEvent(&h.list, e, changeAgain); err != nil {
			return err
		}
	}
	live := in.State.Live()
	o := alerting.Orphan{Incident: in, Told: h.told(in.ID)}
	for _, key := range h.keys[in.ID] {
		n, state := h.notes[key], h.settled(key)
		if live && state == "" {
			o.Owed = append(o.Owed, n)
			continue
		}
		if err := h.note(n, state); err != nil {
			return err
		}
	}
	if live {
		o.Alarms = slices.DeleteFunc(slices.Clone(h.members[in.ID]), func(a alerting.Alarm) bool { return !a.State.Active() })
		h.done.orphans++
		return h.command(&o)
	}
	h.done.over++
	if err := addIncident(&h.list, in); err != nil {
		return err
	}
	return h.pastAlarms(ctx, in)
}

// note writes a notification with its attempts. One that has not ended waits to be sent by the active process.
func (h *hander) note(n alerting.Notification, state alerting.NotificationState) error {
	if err := addNotification(&h.list, n); err != nil {
		return err
	}
	if state == alerting.NotificationSuperseded {
		h.list.add(supersedeSQL, h.at, n.Key)
	}
	list, err := settleStatements(h.account.results[n.Key])
	h.list = append(h.list, list...)
	return err
}

// pastAlarms writes the alarms of an incident that is over, but for those whose numbers others have.
func (h *hander) pastAlarms(ctx context.Context, in alerting.Incident) error {
	for _, a := range h.members[in.ID] {
		var taken int64
		if err := optional(h.t.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM alarms WHERE id = $1`, a.ID).Scan(&taken)); err != nil {
			return err
		}
		if taken > 0 || a.State != alerting.Clear {
			continue
		}
		if err := addAlarm(&h.list, a, a.ClearedAt); err != nil {
			return err
		}
	}
	return nil
}

// results notes what was sent of incidents that both know: where the database has the same notification, it is not sent again.
func (h *hander) results(ctx context.Context) error {
	for _, key := range slices.Sorted(maps.Keys(h.account.results)) {
		id, ok := incidentOf(key)
		if !ok || h.lone[id] || h.other[id] {
			continue
		}
		if known, err := h.known(ctx, id); err != nil || known == nil {
			if err != nil {
				return err
			}
			continue
		}
		for _, r := range h.account.results[key] {
			if r.State == alerting.NotificationSent {
				addDelivery(&h.list, r.Delivery)
				h.list.add(sentSQL, r.Delivery.At.Add(r.Delivery.Took), key)
				h.done.sent++
			}
		}
	}
	return nil
}

// incidentOf is the incident of a notification's key; false for none.
func incidentOf(key string) (int64, bool) {
	number, _, _ := strings.Cut(strings.TrimPrefix(key, "i"), ".")
	id, err := strconv.ParseInt(number, 10, 64)
	return id, err == nil
}

func (h *hander) command(o *alerting.Orphan) error {
	c, err := o.Command(fmt.Sprintf("adopt.%d.%d", h.epoch, o.Incident.ID), h.at)
	if err != nil {
		return err
	}
	return addCommand(&h.list, c)
}
