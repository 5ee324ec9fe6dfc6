package web

import (
	"slices"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
)

// entry is one line of a timeline, newest first: what would happen, now, what happened.
type entry struct {
	At        string
	Future    bool
	Now       bool
	Icon      string // i-…, when there is no shape
	Shape     *shape
	Text      string
	Strong    bool
	Note      string
	Delivered []delivery
}

// delivery is what is known of one telling: sent is not delivered is not read.
type delivery struct {
	Receiver string
	Known    string
	Class    string // ok, bad or waits
	Took     string
}

// rung is one level of the escalation.
type rung struct {
	No      int
	Name    string
	Told    string // receivers
	Repeat  string
	Class   string // done, next or ""
	At      string
	Left    *moment
	Skipped string
}

// icons of the timeline's lines.
var eventIcons = map[alerting.EventKind]string{
	alerting.EventTold: "chat", alerting.EventComment: "note", alerting.EventAcknowledged: "person", alerting.EventUnacked: "undo",
	alerting.EventAckExpired: "clock", alerting.EventResolved: "check", alerting.EventMerged: "link", alerting.EventFlapping: "flap",
	alerting.EventGivenUp: "x", alerting.EventLate: "clock", alerting.EventClockJump: "clock", alerting.EventConfig: "config", alerting.EventOnCall: "person", alerting.EventLeft: "check", alerting.EventReopened: "alert",
	alerting.EventAssigned: "person", alerting.EventSnoozed: "clock", alerting.EventMuted: "mute", alerting.EventUnmuted: "sound",
}

// people are the events that persons made.
var people = []alerting.EventKind{alerting.EventAcknowledged, alerting.EventUnacked, alerting.EventComment, alerting.EventAssigned, alerting.EventSnoozed}

func (s *Server) addTimeline(v *visit, in *alerting.Incident, members []alerting.Alarm, body *incidentBody) error {
	events, err := s.cfg.Store.Events(v.ctx(), v.scope(), store.EventFilter{Incident: in.ID, Newest: true, Limit: 1000})
	if err != nil {
		return err
	}
	told, err := s.cfg.Store.Notifications(v.ctx(), v.scope(), in.ID)
	if err != nil {
		return err
	}
	show := v.r.URL.Query().Get("show")
	path := incidentURL(in.ID)
	body.Show, body.ShowURLs = show, [3]string{path, path + "?show=told", path + "?show=people"}
	byKey := make(map[string]*store.NotificationView, len(told))
	for i := range told {
		byKey[told[i].Key] = &told[i]
	}
	addKeys(events, told)
	stale := map[int64]bool{}
	for _, a := range members {
		stale[a.ID] = a.State == alerting.Stale
	}
	if show == "" {
		body.Timeline = append(v.future(in), v.nowLine(in)...)
	}
	for i := range events {
		e := &events[i]
		if show == "told" && len(e.Keys) == 0 && e.Kind != alerting.EventGivenUp || show == "people" && !slices.Contains(people, e.Kind) {
			continue
		}
		body.Timeline = append(body.Timeline, v.entry(e, stale[e.AlarmID], byKey))
	}
	body.Ladder = v.ladder(in, told)
	return nil
}

// noticeOf is the cause of the notifications that an event sends to everyone who was told before. The engine names no keys with those.
var noticeOf = map[alerting.EventKind]alerting.Cause{
	alerting.EventAcknowledged: alerting.CauseAcknowledged, alerting.EventAssigned: alerting.CauseAcknowledged,
	alerting.EventSnoozed: alerting.CauseAcknowledged, alerting.EventResolved: alerting.CauseResolved, alerting.EventMerged: alerting.CauseMerged,
}

// addKeys gives such an event the keys of what was decided at its instant for its cause.
func addKeys(events []alerting.Event, told []store.NotificationView) {
	for i := range events {
		e := &events[i]
		cause, ok := noticeOf[e.Kind]
		if !ok || len(e.Keys) > 0 {
			continue
		}
		for _, n := range told {
			if n.Cause == cause && n.CreatedAt.Equal(e.At) {
				e.Keys = append(e.Keys, n.Key)
			}
		}
	}
}

// entry is one event, with whom it told and what is known of that.
func (v *visit) entry(e *alerting.Event, stale bool, told map[string]*store.NotificationView) entry {
	out := entry{At: v.clock(e.At), Icon: eventIcons[e.Kind], Text: v.reason(e.Text), Note: e.Note, Strong: e.Kind == alerting.EventOpened}
	switch e.Kind {
	case alerting.EventOpened, alerting.EventJoined, alerting.EventSeverity:
		sh := v.shapeOf(e.Severity, stale)
		out.Shape = &sh
	case alerting.EventMuted:
		if strings.HasSuffix(e.Text.Code, "."+string(alerting.Maintenance)) {
			sh := v.wrench()
			out.Shape = &sh
		}
	}
	for _, key := range e.Keys {
		if n := told[key]; n != nil {
			out.Delivered = append(out.Delivered, v.delivery(n))
		}
	}
	return out
}

// delivery puts what is known of a telling into words.
func (v *visit) delivery(n *store.NotificationView) delivery {
	d := delivery{Receiver: n.Receiver, Class: "waits"}
	var last alerting.Delivery
	if k := len(n.Deliveries); k > 0 {
		last = n.Deliveries[k-1]
	}
	switch n.State {
	case alerting.NotificationSent:
		d.Class, d.Known, d.Took = "ok", last.Outcome, v.precise(last.At.Add(last.Took).Sub(n.CreatedAt).Round(time.Millisecond))
		if len(n.Deliveries) > 1 {
			d.Known = v.t("told.after", len(n.Deliveries), n.Deliveries[0].Outcome, last.Outcome)
		}
	case alerting.NotificationGivenUp:
		d.Class, d.Known = "bad", v.t("told.given_up", len(n.Deliveries), last.Outcome)
	case alerting.NotificationSuperseded:
		d.Known = v.t("told.superseded")
	case alerting.NotificationLeased:
		d.Known = v.t("told.sending")
	default:
		d.Known = v.t("told.waits")
		if last.Outcome != "" {
			d.Class, d.Known = "bad", v.t("told.again_at", len(n.Deliveries), last.Outcome, v.clock(n.NextAt))
		}
	}
	return d
}

// future lists the steps that would follow if nobody took it, the latest first.
func (v *visit) future(in *alerting.Incident) []entry {
	var out []entry
	if in.State == alerting.Acknowledged && in.Ack != nil && !in.Ack.Until.IsZero() {
		out = append(out, entry{At: v.clock(in.Ack.Until), Future: true, Icon: "clock", Text: v.t("future.expires", in.Ack.By)})
	}
	if in.Muted != nil && in.State.Live() {
		out = append(out, entry{At: v.clock(in.Muted.Until), Future: true, Icon: "sound", Text: v.t("future.unmuted")})
	}
	if !shouts(in) {
		return out
	}
	level, at, again, ok := in.Upcoming()
	for i := in.Escalation.Next; i < len(in.Policy.Levels); i++ {
		l := in.Policy.Levels[i]
		when := in.Escalation.Base.Add(l.After)
		if in.Severity < l.MinSeverity || when.Before(v.now) {
			continue
		}
		out = append(out, entry{At: v.clock(when), Future: true, Icon: "up", Text: v.t("future.level", l.Name, strings.Join(v.told(in, i, when), ", "))})
	}
	if ok && again && level < len(in.Policy.Levels) {
		l := in.Policy.Levels[level]
		out = append(out, entry{At: v.clock(at), Future: true, Icon: "up", Text: v.t("future.again", l.Name, strings.Join(v.told(in, level, at), ", "))})
	}
	slices.Reverse(out[:max(len(out)-flag(again && ok), 0)])
	return out
}

// nowLine stands between what would happen and what happened.
func (v *visit) nowLine(in *alerting.Incident) []entry {
	if !in.State.Live() {
		return nil
	}
	text := v.t("now.nobody")
	if in.State == alerting.Acknowledged && in.Ack != nil {
		text = v.t("now.owned", in.Ack.By)
		if in.Ack.Snoozed {
			text = v.t("now.put_off", in.Ack.By, v.brief(in.Ack.Until))
		}
	} else if in.Muted != nil {
		text = v.t("now.muted."+string(in.Muted.Kind), in.Muted.By, v.brief(in.Muted.Until))
	}
	return []entry{{At: v.clock(v.now), Now: true, Icon: "clock", Text: text}}
}

// ladder is the policy as it was when the incident opened: what was told, what comes next, what would come.
func (v *visit) ladder(in *alerting.Incident, told []store.NotificationView) []rung {
	level, at, again, due := in.Upcoming()
	var out []rung
	for i, l := range in.Policy.Levels {
		r := rung{No: i + 1, Name: l.Name, Told: strings.Join(v.told(in, i, v.toldAt(in, i)), ", ")}
		if every := in.Policy.RepeatEvery(i); every > 0 {
			r.Repeat = v.t("ladder.again", collectors.FormatSpan(v.lang, every))
		}
		first := firstTold(told, i+1)
		switch {
		case !first.IsZero():
			r.Class, r.At = "done", v.t("ladder.told", v.clock(first))
		case due && !again && level == i:
			left := v.left(at)
			r.Class, r.At, r.Left = "next", v.clock(at), &left
		case in.Severity < l.MinSeverity && in.State.Live():
			r.Skipped = v.t("ladder.only_from", strings.ToLower(v.severity(l.MinSeverity)))
		case in.State == alerting.Open && in.Muted != nil:
			r.Skipped = v.t("ladder.muted")
		case in.State == alerting.Open && i >= in.Escalation.Next:
			r.At = v.clock(in.Escalation.Base.Add(l.After))
		case in.State == alerting.Acknowledged:
			r.Skipped = v.t("ladder.stopped")
		}
		if due && again && level == i {
			left := v.left(at)
			r.Left = &left
		}
		out = append(out, r)
	}
	return out
}

// firstTold is when a level was told first; zero for never.
func firstTold(told []store.NotificationView, level int) time.Time {
	for _, n := range told {
		if n.Level == level && n.Cause != alerting.CauseAcknowledged && n.Cause != alerting.CauseResolved {
			return n.CreatedAt
		}
	}
	return time.Time{}
}
