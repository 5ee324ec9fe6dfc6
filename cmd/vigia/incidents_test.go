package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"vigia/web/api"
)

// TestIncidentLines shows who was told and what became of it, says a person's name once, and lets nobody steer the terminal.
func TestIncidentLines(t *testing.T) {
	at := time.Date(2026, 11, 23, 21, 39, 3, 0, time.UTC)
	d := api.IncidentDetail{
		Events: []api.Event{
			{At: &at, Kind: "told", Text: &api.Phrase{Text: "NOC L1 told"}, Keys: []string{"k1", "k2", "gone"}},
			{At: &at, Kind: "acknowledged", Actor: "ana", Text: &api.Phrase{Text: "ana has it for 1 h"}, Note: "ticket\x07 7\x1b[2J\nforged line"},
		},
		Notifications: []api.Notification{{Key: "k1", Receiver: "noc-mail", State: "sent"}, {Key: "k2", Receiver: "hook", State: "given_up"}},
	}
	d.ID, d.Severity, d.State, d.Ref, d.Title = 4, "critical", "acknowledged", "server/sbc-1", &api.Phrase{Text: "Server \x1b]0;x\x07 sbc-1"}
	var out bytes.Buffer
	if err := (&IncidentsCmd{}).print(&out, d); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x07\x1b") {
		t.Errorf("control characters reach the terminal: %q", out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, want := range []string{"sbc-1", "NOC L1 told [noc-mail sent, hook given up]", "  ana has it for 1 h: ticket  7 [2J forged line"} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d is %q, want it to end with %q", i, lines[i], want)
		}
	}
}

// TestIncidentSaysThatItIsQuiet names who keeps it quiet, why and until when.
func TestIncidentSaysThatItIsQuiet(t *testing.T) {
	at := time.Date(2026, 11, 23, 21, 39, 3, 0, time.UTC)
	for want, i := range map[string]api.Incident{
		"quiet until 2026-11-23T21:39:03Z: maintenance 7 by ana: optics [2J": {Muted: &api.Muted{Mute: 7, Kind: "maintenance", By: "ana", Reason: "optics\x1b[2J", Until: &at}},
		"put off until 2026-11-23T21:39:03Z by ana":                          {Owner: &api.Owner{By: "ana", Off: true, Until: &at}},
		"": {Owner: &api.Owner{By: "ana", Until: &at}},
	} {
		if got := hushed(i); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSinceReadsTheUnitsOfTheConfiguration also takes days.
func TestSinceReadsTheUnitsOfTheConfiguration(t *testing.T) {
	var s span
	if err := s.UnmarshalText([]byte("14d")); err != nil || time.Duration(s) != 14*24*time.Hour {
		t.Errorf("14d: %v, %v", time.Duration(s), err)
	}
	if err := s.UnmarshalText([]byte("14")); err == nil {
		t.Error("a number without a unit passes")
	}
}
