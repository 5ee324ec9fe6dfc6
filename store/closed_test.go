package store_test

import (
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/store/storetest"
)

// TestLoadClosed: the engine starts with the incidents that it may open again, and with no others that are over.
func TestLoadClosed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		now := noon.Add(2 * alerting.MaxReopen)
		s := open(func(c *store.Config) { c.Now = func() time.Time { return now } })
		incident := func(id int64, reopen time.Duration, ended time.Time) alerting.Incident {
			link := inventory.Ref{Kind: inventory.KindLink, Name: "sjo-mia"}
			return alerting.Incident{
				ID: id, State: alerting.Resolved, Severity: alerting.Major, Worst: alerting.Major, Ref: link, Root: id,
				Series: collectors.Series{Metric: collectors.Up, Ref: link, Instance: "ping"}, OpenedAt: ended.Add(-time.Hour), ResolvedAt: ended,
				Policy: alerting.Policy{Name: "noc", Reopen: reopen},
			}
		}
		list := []alerting.Incident{
			incident(1, time.Hour, now.Add(-alerting.MaxReopen)), incident(2, 0, now.Add(-time.Minute)), incident(3, time.Hour, now.Add(-time.Minute)),
		}
		apply(t, s, alerting.Change{At: now, Incidents: list})
		differ(t, "closed", got[alerting.Snapshot](t)(s.Load(t.Context())).Closed, list[2:])
	})
}
