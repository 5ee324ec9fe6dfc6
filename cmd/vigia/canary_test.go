package main

import (
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
)

// TestCanaryArrives: the age counts from the newest that arrived, a digest brings several, and one of the process before says nothing.
func TestCanaryArrives(t *testing.T) {
	now := time.Date(2026, 11, 9, 12, 0, 0, 0, time.UTC)
	c := newCanary(func() time.Time { return now })
	arrive := func(m alerting.Message) {
		t.Helper()
		if _, err := c.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	sent := func(at time.Time) alerting.Message { return alerting.Message{Cause: alerting.CauseCanary, At: at} }
	if !c.due(now) || c.due(now.Add(canaryEvery-time.Second)) || !c.due(now.Add(canaryEvery)) {
		t.Error("canaries do not set out every half minute")
	}
	arrive(sent(now.Add(-time.Hour)))
	now = now.Add(canaryLate)
	if err := c.late(now); err != nil {
		t.Errorf("not late yet: %v", err)
	}
	now = now.Add(time.Second)
	if err := c.late(now); err == nil {
		t.Error("none has arrived, and nobody says so")
	}
	arrive(alerting.Message{Cause: alerting.CauseDigest, Digest: []alerting.Message{sent(now.Add(-2 * time.Second)), sent(now.Add(-40 * time.Second))}})
	if age, took := c.age(now); age != 2*time.Second || took != 2*time.Second || c.late(now) != nil {
		t.Errorf("age %s, took %s, %v", age, took, c.late(now))
	}
	arrive(alerting.Message{Cause: alerting.CauseTest, At: now})
	if age, _ := c.age(now); age != 2*time.Second {
		t.Error("a test is no canary")
	}
	m := c.sample(now, func(metric collectors.Metric, v float64, why collectors.Reason) collectors.Sample {
		return collectors.Sample{Series: collectors.Series{Metric: metric}, Value: v, Reason: why}
	})
	if m.Value != 2 || m.Series.Metric != collectors.VigiaCanaryS || m.Every != canaryEvery {
		t.Errorf("the next one: %+v", m)
	}
	if say := words(testKinds()).Say(collectors.Spanish, m.Reason); say != "el último que llegó salió 2 s antes y tardó 2000 ms" {
		t.Errorf("it says %q", say)
	}
}
