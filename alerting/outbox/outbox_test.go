package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/alerting"
	"vigia/alerting/outbox"
)

type (
	states    = map[alerting.NotificationState]int
	notifiers = map[string]alerting.Notifier
)

func refuse(context.Context, alerting.Message) error { return errors.New("connection refused") }

func hang(ctx context.Context, _ alerting.Message) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestSendsAtOnceWhenWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		synctest.Wait()
		start := time.Now()
		key := q.add("noc", 1, alerting.Critical)
		o.Wake()
		synctest.Wait()
		if waited := time.Since(start); waited != 0 || len(noc.keys()) != 1 {
			t.Fatalf("heard %v after %v", noc.keys(), waited)
		}
		stop()
		if diff := cmp.Diff([]string{"1 true heard"}, q.outcomes(key)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(states{alerting.NotificationSent: 1}, q.states()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFindsWhatIsDueWithoutBeingWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		defer stop()
		synctest.Wait()
		q.add("noc", 1, alerting.Major)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(noc.keys()) != 1 {
			t.Errorf("heard %v", noc.keys())
		}
	})
}

func TestSlowReceiverDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, slow, quick := newMemory(), &ear{answer: hang}, &ear{}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"slow": slow, "quick": quick}})
		for i := range 3 {
			q.add("slow", i, alerting.Critical)
		}
		for i := range 20 {
			start := time.Now()
			q.add("quick", i, alerting.Warning)
			o.Wake()
			synctest.Wait()
			if got := len(quick.keys()); got != i+1 {
				t.Fatalf("%d of %d heard %v after the wake", got, i+1, time.Since(start))
			}
			time.Sleep(time.Second)
		}
		if slow.most != 1 || quick.most != 1 {
			t.Errorf("%d and %d calls at one time, want 1", slow.most, quick.most)
		}
		stop()
	})
}

// TestRetries tells the story of a receiver that is away for 20 s: it is tried with growing pauses, and hears everything when it is back.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		q, noc := newMemory(), &ear{answer: refuse}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		start := time.Now()
		key := q.add("noc", 1, alerting.Critical)
		o.Wake()
		time.Sleep(20 * time.Second)
		noc.set(nil)
		time.Sleep(20 * time.Second)
		stop()
		var at []string
		for _, when := range noc.at {
			at = append(at, when.Sub(start).String())
		}
		if diff := cmp.Diff([]string{"0s", "1s", "3s", "7s", "15s", "31s"}, at); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		for _, k := range noc.keys() {
			if k != key {
				t.Errorf("an attempt had the key %q, want %q", k, key)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines in the log, want one when it began and one when it was over:\n%s", n, &log)
		}
	})
}

// TestGivenUp: a receiver that stays away is given up after GiveUpAfter, so that the fallback hears of it; later ones get one attempt each;
// when it comes back it hears what it missed as one message, the newest of each incident.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{answer: refuse}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		first := q.add("noc", 1, alerting.Critical)
		o.Wake()
		time.Sleep(45*time.Second + time.Millisecond)
		synctest.Wait()
		if diff := cmp.Diff(states{alerting.NotificationGivenUp: 1}, q.states()); diff != "" {
			t.Fatalf("after 45 s (-want +got):\n%s", diff)
		}
		if h := o.Health(); len(h) != 1 || h[0].FailingSince.IsZero() || h[0].LastError != "connection refused" || h[0].Missed != 1 {
			t.Errorf("health %+v", h)
		}
		before := len(noc.keys())
		q.add("noc", 2, alerting.Critical)
		resolved := q.addCause("noc", 1, alerting.Critical, alerting.CauseResolved)
		o.Wake()
		synctest.Wait()
		if diff := cmp.Diff(states{alerting.NotificationGivenUp: 3}, q.states()); diff != "" {
			t.Errorf("new ones to a failing receiver (-want +got):\n%s", diff)
		}
		if got := len(noc.keys()) - before; got != 1 {
			t.Errorf("%d attempts for two new ones, want 1", got)
		}
		noc.set(nil)
		time.Sleep(6 * time.Minute)
		stop()
		last := noc.heard[len(noc.heard)-1]
		if last.Cause != alerting.CauseMissed || len(last.Digest) != 2 || last.Digest[0].Incident+last.Digest[1].Incident != 3 {
			t.Fatalf("when it came back it heard %+v", last)
		}
		if got := q.outcomes(resolved); len(got) != 2 || !strings.HasPrefix(got[1], "2 true heard (one message of 2") {
			t.Errorf("outcomes of the newest: %q", got)
		}
		if got := q.rows[first].State; got != alerting.NotificationGivenUp {
			t.Errorf("the first, which a newer one made old, is %s", got)
		}
		if h := o.Health(); h[0].Missed != 0 || !h[0].FailingSince.IsZero() {
			t.Errorf("health %+v", h)
		}
	})
}

func TestPermanentRefusalIsGivenUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		noc.answer = func(_ context.Context, m alerting.Message) error {
			if m.Incident == 1 {
				return fmt.Errorf("550 no such user: %w", alerting.ErrPermanent)
			}
			return nil
		}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		refused := q.add("noc", 1, alerting.Critical)
		q.add("noc", 2, alerting.Critical)
		gone := q.add("gone", 3, alerting.Critical)
		o.Wake()
		time.Sleep(time.Hour)
		stop()
		if diff := cmp.Diff(states{alerting.NotificationGivenUp: 2, alerting.NotificationSent: 1}, q.states()); diff != "" {
			t.Error(diff)
		}
		if len(noc.heard) != 2 {
			t.Errorf("%d attempts, want 2", len(noc.heard))
		}
		if got := q.outcomes(refused); len(got) != 1 || got[0] != "1 false 550 no such user" {
			t.Errorf("outcome of the refusal: %q", got)
		}
		if got := q.outcomes(gone); len(got) != 1 || !strings.Contains(got[0], "no receiver of this name") {
			t.Errorf("outcome of the unknown receiver: %q", got)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		noc.answer = func(context.Context, alerting.Message) error {
			return &alerting.RetryAfterError{After: 30 * time.Second, Err: errors.New("429 slowly")}
		}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		q.add("noc", 1, alerting.Critical)
		o.Wake()
		time.Sleep(10 * time.Second)
		q.add("noc", 2, alerting.Critical) // the receiver asked for quiet, not the message
		o.Wake()
		time.Sleep(19 * time.Second)
		synctest.Wait()
		if got := len(noc.keys()); got != 1 {
			t.Errorf("%d attempts within 29 s, want 1", got)
		}
		noc.set(nil)
		time.Sleep(2 * time.Second)
		stop()
		if diff := cmp.Diff(states{alerting.NotificationSent: 2}, q.states()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRetryAfterLongerThanGiveUpGoesToTheFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		noc.answer = func(context.Context, alerting.Message) error {
			return &alerting.RetryAfterError{After: time.Hour, Err: errors.New("429 much later")}
		}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		q.add("noc", 1, alerting.Critical)
		o.Wake()
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if diff := cmp.Diff(states{alerting.NotificationGivenUp: 1}, q.states()); diff != "" {
			t.Error(diff)
		}
		if got := len(noc.keys()); got != 1 {
			t.Errorf("%d attempts within 4 min, want 1", got)
		}
		noc.set(nil)
		time.Sleep(2 * time.Minute)
		stop()
		if diff := cmp.Diff(states{alerting.NotificationSent: 1}, q.states()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc, soc := newMemory(), &ear{}, &ear{}
		for i := range 6 {
			q.add("noc", i, alerting.Severity(i%5+1))
		}
		for i := range 5 {
			q.add("soc", i, alerting.Major)
		}
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc, "soc": soc}})
		time.Sleep(time.Second)
		stop()
		if len(soc.heard) != 5 {
			t.Errorf("five were told in %d messages", len(soc.heard))
		}
		if len(noc.heard) != 1 || len(noc.heard[0].Digest) != 6 || noc.heard[0].Severity != alerting.Critical || noc.heard[0].Cause != alerting.CauseDigest {
			t.Fatalf("six were told as %+v", noc.heard)
		}
		for _, m := range noc.heard[0].Digest {
			if got := q.outcomes(m.Key); len(got) != 1 || got[0] != "1 true heard (one digest of 6)" {
				t.Errorf("%s was settled as %q", m.Key, got)
			}
		}
	})
}

func TestPaceMakesDigests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{pace: alerting.Pace{Burst: 3, Every: 5 * time.Second}}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		for i := range 100 { // ten a second
			q.add("noc", i, alerting.Major)
			o.Wake()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		stop()
		if diff := cmp.Diff(states{alerting.NotificationSent: 100}, q.states()); diff != "" {
			t.Error(diff)
		}
		if len(noc.heard) > 6 {
			t.Errorf("%d messages within 20 s, want at most 3 and one more every 5 s", len(noc.heard))
		}
	})
}

func TestClaimFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		q, noc := newMemory(), &ear{}
		q.add("noc", 1, alerting.Critical)
		q.failClaims = 4
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		time.Sleep(time.Minute)
		stop()
		if len(noc.heard) != 1 {
			t.Errorf("heard %d times", len(noc.heard))
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines in the log, want 2:\n%s", n, &log)
		}
	})
}

func TestSettleFailsForAWhileAndNothingIsSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc, soc := newMemory(), &ear{}, &ear{}
		q.failSettles = 12
		q.add("noc", 1, alerting.Critical)
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc, "soc": soc}})
		o.Wake()
		time.Sleep(2 * time.Minute) // longer than the lease
		stop()
		if len(noc.heard) != 1 {
			t.Errorf("heard %d times, want once", len(noc.heard))
		}
		if diff := cmp.Diff(states{alerting.NotificationSent: 1}, q.states()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestANotifierThatBreaksIsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, noc := newMemory(), &ear{}
		noc.answer = func(context.Context, alerting.Message) error { panic("index out of range") }
		key := q.add("noc", 1, alerting.Critical)
		_, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": noc}})
		time.Sleep(500 * time.Millisecond)
		noc.set(nil)
		time.Sleep(time.Second)
		stop()
		want := []string{"1 false the notifier broke: index out of range", "2 true heard"}
		if diff := cmp.Diff(want, q.outcomes(key)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSetNotifiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, old, fresh := newMemory(), &ear{answer: refuse}, &ear{}
		o, stop := run(t, outbox.Config{Queue: q, Notifiers: notifiers{"noc": old}})
		q.add("noc", 1, alerting.Critical)
		o.Wake()
		time.Sleep(16 * time.Second) // it rests until 31 s
		o.SetNotifiers(notifiers{"noc": fresh})
		synctest.Wait()
		time.Sleep(16 * time.Second)
		stop()
		if len(fresh.heard) != 1 {
			t.Errorf("the new notifier heard %d", len(fresh.heard))
		}
	})
}
