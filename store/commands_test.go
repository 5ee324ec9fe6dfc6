package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

func acknowledge(id string) alerting.Command {
	return alerting.Command{ID: id, Kind: alerting.CommandAcknowledge, IncidentID: 7, Actor: "ana", Note: "looking", Until: noon.Add(time.Hour), CreatedAt: noon}
}

func post(t testing.TB, s *store.Store, c alerting.Command) {
	t.Helper()
	if err := s.PostCommand(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestCommands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s, other := open(), open()
		post(t, s, acknowledge("a"))
		post(t, other, acknowledge("b"))
		twice := acknowledge("a")
		twice.Note = "changed"
		post(t, other, twice)
		select {
		case <-s.CommandsPosted():
		default:
			t.Error("the engine was not woken")
		}
		pending := got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0))
		if len(pending) != 2 || pending[0].ID != "a" || pending[0].Note != "looking" || pending[1].ID != "b" {
			t.Fatalf("pending: %+v", pending)
		}
		want := acknowledge("a")
		want.Seq = pending[0].Seq
		differ(t, "the whole command", pending[0], want)

		result := alerting.CommandResult{ID: "b", Seq: pending[1].Seq, At: noon.Add(time.Second), Reason: collectors.Because("ack.gone", "7")}
		apply(t, s, alerting.Change{At: noon.Add(time.Second), Commands: []alerting.CommandResult{result, {ID: "a", OK: true}}})
		differ(t, "the answer elsewhere", got[alerting.CommandResult](t)(other.AwaitCommand(t.Context(), "b")), result)
		if a := got[alerting.CommandResult](t)(s.AwaitCommand(t.Context(), "a")); !a.OK || a.At.IsZero() {
			t.Errorf("got %+v, want that it succeeded", a)
		}
		differ(t, "nothing is left", len(got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0))), 0)
		differ(t, "the last planned", got[alerting.Snapshot](t)(s.Load(t.Context())).LastCommand, pending[1].Seq)
		post(t, s, acknowledge("c"))
		differ(t, "after the last", len(got[[]alerting.Command](t)(s.PendingCommands(t.Context(), pending[1].Seq))), 1)
	})
}

// An id is what a stranger's client chose: octets that no text may hold are stored as a mark, and it is found by what was given all the same.
func TestAwaitCommandOfOddID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		for _, id := range []string{"a\x80\xff", "a\x00b"} {
			post(t, s, acknowledge(id))
			pending := got[[]alerting.Command](t)(s.PendingCommands(t.Context(), 0))
			apply(t, s, alerting.Change{At: noon, Commands: []alerting.CommandResult{{ID: pending[0].ID, OK: true}}})
			if r := got[alerting.CommandResult](t)(s.AwaitCommand(t.Context(), id)); !r.OK {
				t.Errorf("%q: %+v, want that it is done", id, r)
			}
		}
	})
}

func TestAwaitCommand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		if _, err := s.AwaitCommand(t.Context(), "unknown"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: %v, want ErrNotFound", err)
		}
		post(t, s, acknowledge("a"))
		soon, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if _, err := s.AwaitCommand(soon, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("unanswered: %v, want that the time is over", err)
		}
		answered := make(chan alerting.CommandResult)
		go func() {
			r, err := s.AwaitCommand(t.Context(), "a")
			if err != nil {
				t.Error(err)
			}
			answered <- r
		}()
		apply(t, s, alerting.Change{At: noon, Commands: []alerting.CommandResult{{ID: "a", OK: true}}})
		if r := <-answered; !r.OK {
			t.Errorf("got %+v", r)
		}
		for _, c := range []alerting.Command{{Kind: "acknowledge"}, {ID: "x"}} {
			if err := s.PostCommand(t.Context(), c); err == nil {
				t.Errorf("%+v was accepted", c)
			}
		}
	})
}

// The engine asks for what came after a seq: no command may become visible behind one that it has seen.
func TestCommandsBecomeVisibleInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		stores := []*store.Store{open(), open(), open()}
		const each = 15
		var posters sync.WaitGroup
		for i, s := range stores {
			posters.Go(func() {
				for j := range each {
					if err := s.PostCommand(t.Context(), acknowledge(fmt.Sprint(i, ".", j))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen, after := 0, int64(0)
		deadline := time.Now().Add(30 * time.Second)
		for seen < each*len(stores) && time.Now().Before(deadline) {
			for _, c := range got[[]alerting.Command](t)(stores[0].PendingCommands(t.Context(), after)) {
				seen, after = seen+1, c.Seq
			}
		}
		posters.Wait()
		if seen != each*len(stores) {
			t.Errorf("%d commands were seen, want %d", seen, each*len(stores))
		}
	})
}

func TestSubscribe(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		s := open()
		ticks, end := s.Subscribe()
		apply(t, s, outage(1, link, alerting.Major, noon), outage(2, link, alerting.Major, noon))
		differ(t, "two changes are one tick", <-ticks, store.Tick{LastEvent: 2})
		select {
		case tick := <-ticks:
			t.Errorf("a second tick: %+v", tick)
		default:
		}
		end()
		end()
		if _, open := <-ticks; open {
			t.Error("the channel is open after its end")
		}
		late, _ := s.Subscribe()
		s.Close()
		if _, open := <-late; open {
			t.Error("the channel is open after Close")
		}
		after, end := s.Subscribe()
		if _, open := <-after; open {
			t.Error("a closed store gave an open channel")
		}
		end()
	})
}

// A process that serves pages beside the active one hears of its changes and sees its samples.
func TestFollowAnotherProcess(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		active, follower := open(), open()
		run(t, follower)
		ticks, end := follower.Subscribe()
		defer end()
		at := time.Now().UTC().Truncate(time.Microsecond)
		active.Put([]collectors.Sample{{Series: series(link, collectors.LossPct), At: at, Value: 3, Every: 10 * time.Second}})
		if err := active.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		apply(t, active, outage(1, link, alerting.Major, noon))
		post(t, active, acknowledge("a"))
		for tick := range ticks {
			if tick.LastEvent == 1 {
				break
			}
		}
		select {
		case <-follower.CommandsPosted():
		case <-time.After(10 * time.Second):
			t.Error("the command was not noticed")
		}
		eventually(t, "the sample is seen", func() bool {
			sample, ok := follower.Latest(store.Everything(), series(link, collectors.LossPct))
			return ok && sample.Value == 3 && sample.At.Equal(at) && sample.Every == 10*time.Second
		})
	})
}
