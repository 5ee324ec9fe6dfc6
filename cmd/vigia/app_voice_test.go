package main

import (
	"testing"

	"vigia/collectors/hep"
	"vigia/collectors/rtcp"
	"vigia/collectors/voice"
	"vigia/collectors/vqrtcpxr"
)

// TestEveryReasonHasAWord: whatever a source or the tracker can count has a word on the page about Vigía itself.
func TestEveryReasonHasAWord(t *testing.T) {
	known := words(kinds())
	names := []string{"cut", "unknown_link", "unreadable", "other"}
	for r := rtcp.Reason(0); r.String() != "unknown"; r++ {
		names = append(names, r.String())
	}
	for r := hep.Reason(0); r.String() != "unknown"; r++ {
		names = append(names, r.String())
	}
	for r := vqrtcpxr.Repeated; r.String() != "unknown"; r++ {
		names = append(names, r.String())
	}
	for r := voice.Reason(0); r.String() != "unknown"; r++ {
		names = append(names, r.String())
	}
	if len(names) < 50 {
		t.Fatalf("only %d reasons", len(names))
	}
	for _, n := range names {
		if _, ok := known["web.voice.drop."+n]; !ok {
			t.Errorf("voice.drop.%s has no words", n)
		}
	}
}

func TestLossShare(t *testing.T) {
	for _, tt := range []struct {
		taken, dropped uint64
		want           float64
	}{{0, 0, 0}, {1000, 0, 0}, {999, 1, 0.001}, {0, 5, 1}} {
		if got := lossShare(tt.taken, tt.dropped); got != tt.want {
			t.Errorf("%d taken, %d dropped: %v, want %v", tt.taken, tt.dropped, got, tt.want)
		}
	}
}
