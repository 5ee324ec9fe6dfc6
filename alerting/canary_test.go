package alerting_test

import (
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// TestCanary: each sample of a canary becomes one notification to its receiver, which belongs to no incident and which nobody is owed.
func TestCanary(t *testing.T) {
	w := alertingtest.NewWorld(&alerting.Config{Rules: alerting.NewRules(nil)})
	w.Check = alertingtest.Invariants
	series := collectors.Series{Metric: collectors.VigiaCanaryS, Ref: inventory.Self}
	for i := range 3 {
		w.Put(collectors.Sample{Series: series, At: w.Now, Value: float64(i)})
		if err := w.RunTo(w.Now.Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.Memory.Order) != 3 || len(w.Memory.Incidents) != 0 || len(w.Memory.Events) != 0 {
		t.Fatalf("%d notifications, %d incidents, %d events", len(w.Memory.Order), len(w.Memory.Incidents), len(w.Memory.Events))
	}
	for _, key := range w.Memory.Order {
		n := w.Memory.Notifications[key]
		if n.Receiver != alerting.CanaryReceiver || n.IncidentID != 0 || n.Message.Cause != alerting.CauseCanary {
			t.Errorf("got %+v", n)
		}
		w.Settle(key, alerting.NotificationSent, "arrived")
	}
	if err := w.Plan(); err != nil {
		t.Fatal(err)
	}
	if list := w.State.Snapshot().Notifications; len(list) != 0 {
		t.Errorf("the state owes %+v", list)
	}
}
