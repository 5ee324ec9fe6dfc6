package web

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestMemo(t *testing.T) {
	m := newMemo[string, int](time.Minute, 2)
	now := time.Unix(1.8e9, 0)
	asked := 0
	get := func(key string, at time.Time) int {
		t.Helper()
		v, err := m.get(t.Context(), key, at, func() (int, error) { asked++; return asked, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if a, b := get("a", now), get("a", now.Add(59*time.Second)); a != 1 || b != 1 {
		t.Errorf("%d, then %d: not kept", a, b)
	}
	if v := get("a", now.Add(time.Minute)); v != 2 {
		t.Errorf("%d: kept too long", v)
	}
	get("b", now.Add(2*time.Minute))
	get("c", now.Add(3*time.Minute)) // a has to go
	if _, _, ok := m.peek("a", now); ok || len(m.have) != 2 {
		t.Errorf("%d are kept, the oldest among them: %t", len(m.have), ok)
	}
	broken := errors.New("broken")
	if _, err := m.get(t.Context(), "d", now, func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, _, ok := m.peek("d", now); ok {
		t.Error("an error is kept")
	}
	m.turn <- struct{}{} // somebody is at it, and the reader goes away
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.get(gone, "e", now, func() (int, error) { return 0, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
