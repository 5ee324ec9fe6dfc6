package store_test

import (
	"fmt"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/outbox"
	"vigia/store"
	"vigia/store/storetest"
)

// TestCanariesDoNotPileUp: of the canaries that arrived the last one is kept, and no page or figure about receivers knows of them.
func TestCanariesDoNotPileUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open(func(c *store.Config) { c.Now = func() time.Time { return noon.Add(time.Hour) } })
		for i := range 5 {
			at := noon.Add(time.Duration(i) * time.Minute)
			key := fmt.Sprintf("canary.%d", at.UnixMicro())
			apply(t, s, alerting.Change{At: at, Notifications: []alerting.Notification{{
				Key: key, Receiver: alerting.CanaryReceiver, Cause: alerting.CauseCanary, CreatedAt: at, NextAt: at, State: alerting.NotificationPending,
			}}})
			claimed := got[[]alerting.Notification](t)(s.Claim(t.Context(), at, time.Minute, 10, nil))
			if len(claimed) != 1 || claimed[0].Key != key {
				t.Fatalf("canary %d: claimed %+v", i, claimed)
			}
			result := outbox.Result{State: alerting.NotificationSent, Delivery: alerting.Delivery{Key: key, Attempt: 1, At: at, OK: true, Outcome: "arrived"}}
			if err := s.Settle(t.Context(), []outbox.Result{result}); err != nil {
				t.Fatal(err)
			}
		}
		list := got[[]store.NotificationView](t)(s.Notifications(t.Context(), store.Everything(), 0))
		if len(list) != 1 || len(list[0].Deliveries) != 1 {
			t.Errorf("%d canaries are kept: %+v", len(list), list)
		}
		differ(t, "on pages", len(got[[]store.NotificationView](t)(s.RecentNotifications(t.Context(), store.Everything(), 0))), 0)
		differ(t, "receivers", len(got[store.OutboxStats](t)(s.OutboxStats(t.Context())).Receivers), 0)
	})
}
