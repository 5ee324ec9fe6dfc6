package api

import (
	"context"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
	"vigia/store"
)

// Health is how Vigía itself does.
type Health struct {
	State    string       `json:"state" enum:"well,troubled" doc:"troubled: something stands under troubles."`
	Troubles []string     `json:"troubles" nullable:"false" doc:"What is wrong, as words: store_down, samples_dropped (within the process's life), outbox_late (something waits longer than a minute); and the metrics of the alarms that stand about Vigía itself, such as vigia_config_refused."`
	Version  string       `json:"version"`
	Now      time.Time    `json:"now" doc:"The server's clock."`
	UptimeS  float64      `json:"uptime_s"`
	Checks   int          `json:"checks" doc:"How many checks are configured."`
	Alarms   int          `json:"alarms" doc:"How many alarms stand."`
	Unowned  int          `json:"unowned" doc:"How many incidents nobody has."`
	Store    StoreHealth  `json:"store"`
	Outbox   OutboxHealth `json:"outbox"`
}

// StoreHealth is how the store does.
type StoreHealth struct {
	Active           bool       `json:"active" doc:"This process is the active one; a standby only looks."`
	Up               bool       `json:"up"`
	DownSince        *time.Time `json:"down_since"`
	Series           int        `json:"series"`
	SamplesPerSecond float64    `json:"samples_per_second" doc:"Over the last flush."`
	SamplesTaken     uint64     `json:"samples_taken" doc:"Since start."`
	SamplesDropped   uint64     `json:"samples_dropped" doc:"Lost since start because the database was away."`
	SamplesPending   int        `json:"samples_pending" doc:"Wait to be written."`
	LastFlush        *time.Time `json:"last_flush"`
	FlushS           float64    `json:"flush_s" doc:"How long the last flush took, seconds."`
	Bytes            *int64     `json:"bytes" doc:"Size of the database; null before it was measured."`
	Oldest           *time.Time `json:"oldest_sample"`
}

// OutboxHealth is what waits to be sent.
type OutboxHealth struct {
	Due       int              `json:"due" doc:"Due now and not sent."`
	OldestS   float64          `json:"oldest_s" doc:"How long the oldest of them waits, seconds."`
	Receivers []ReceiverHealth `json:"receivers" nullable:"false"`
}

// ReceiverHealth is how one receiver does.
type ReceiverHealth struct {
	Name     string     `json:"name"`
	Waiting  int        `json:"waiting"`
	Sent     int        `json:"sent" doc:"In the last 24 hours."`
	GivenUp  int        `json:"given_up" doc:"In the last 24 hours."`
	LastSent *time.Time `json:"last_sent"`
}

// lateAfter is how long a notification may wait before that is a trouble.
const lateAfter = time.Minute

func getHealth(s *server, ctx context.Context, who Caller, _ *nothingInput) (Health, error) {
	now := s.Now()
	out := Health{
		State: "well", Troubles: []string{}, Version: s.Version, Now: now.UTC(), UptimeS: seconds(now.Sub(s.started)),
		Checks: len(s.Checks()), Store: storeHealth(s.Store.Stats()),
	}
	alarms, err := s.Store.Alarms(ctx, who.Scope, store.AlarmFilter{Active: true, Limit: mostAlarms})
	if err != nil {
		return Health{}, err
	}
	out.Alarms = len(alarms)
	incidents, err := s.Store.Incidents(ctx, who.Scope, store.IncidentFilter{States: statesOf("open"), Limit: mostAlarms})
	if err != nil {
		return Health{}, err
	}
	out.Unowned = len(incidents)
	outbox, err := s.Store.OutboxStats(ctx)
	if err != nil {
		return Health{}, err
	}
	out.Outbox = outboxHealth(outbox, now)
	out.judge(alarms)
	return out, nil
}

// judge names what is wrong: what is seen here, and by its metric what Vigía has an alarm about itself for.
func (h *Health) judge(alarms []alerting.Alarm) {
	if !h.Store.Up {
		h.Troubles = append(h.Troubles, "store_down")
	}
	if h.Store.SamplesDropped > 0 {
		h.Troubles = append(h.Troubles, "samples_dropped")
	}
	if h.Outbox.OldestS > lateAfter.Seconds() {
		h.Troubles = append(h.Troubles, "outbox_late")
	}
	for i := range alarms {
		metric := string(alarms[i].Series.Metric)
		if alarms[i].Series.Ref == inventory.Self && alarms[i].State.Active() && !slices.Contains(h.Troubles, metric) {
			h.Troubles = append(h.Troubles, metric)
		}
	}
	if len(h.Troubles) > 0 {
		h.State = "troubled"
	}
}

func storeHealth(st store.Stats) StoreHealth {
	out := StoreHealth{
		Active: st.Active, Up: st.Up, DownSince: instant(st.DownSince), Series: st.Series, SamplesPerSecond: st.SamplesPerSecond,
		SamplesTaken: st.Taken, SamplesDropped: st.Dropped, SamplesPending: st.Pending, LastFlush: instant(st.LastFlush),
		FlushS: seconds(st.FlushTook), Oldest: instant(st.LogBegin),
	}
	if st.Bytes > 0 {
		out.Bytes = &st.Bytes
	}
	return out
}

func outboxHealth(st store.OutboxStats, now time.Time) OutboxHealth {
	out := OutboxHealth{Due: st.Due, Receivers: []ReceiverHealth{}}
	if !st.Oldest.IsZero() {
		out.OldestS = seconds(now.Sub(st.Oldest))
	}
	for _, r := range st.Receivers {
		out.Receivers = append(out.Receivers, ReceiverHealth{
			Name: r.Receiver, Waiting: r.Waiting, Sent: r.Sent, GivenUp: r.GivenUp, LastSent: instant(r.LastSent),
		})
	}
	return out
}
