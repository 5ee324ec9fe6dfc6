package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

const onCallFile = `
mail: {smtp: "smtp://mail.example:587", from: noc@example.com}
sites:
  - {name: san-jose, timezone: America/Costa_Rica}
  - {name: madrid, timezone: Europe/Madrid, business_hours: {from: "10:00", to: "20:00"}}
links:
  - {name: sjo-mad, site: san-jose, peer: madrid}
  - {name: mad-sjo, site: madrid, peer: san-jose}
people:
  - {name: ana, receivers: [desk, second]}
  - {name: ben, email: ben@example.com, language: es}
rotations:
  - name: noc
    timezone: America/Costa_Rica
    layers:
      - {people: [ana, ben], starts: 2026-12-02, weekday: mon, hand_over: "08:00"}
      - {name: sundays, people: [ben], starts: 2026-12-02, shift: daily, hours: [{days: "sun", from: "22:00", to: "06:00"}]}
  - name: day
    timezone: America/Costa_Rica
    layers: [{people: [ana], starts: 2026-12-02, hours: [{days: mon-fri, from: "08:00", to: "18:00"}]}]
    otherwise: [desk]
business_hours: {holidays: [2026-12-25]}
policies:
  - name: default
    levels: [{notify: [oncall:noc], notify_after_hours: [oncall:day, second]}]
receivers:
  - {name: desk, kind: email, to: [desk@example.com]}
  - {name: second, kind: email, to: [second@example.com]}
`

func onCallConfig(t *testing.T) (*Config, []Notice) {
	t.Helper()
	cfg, notices, err := parseConfig("oncall.yaml", []byte(onCallFile), testKinds())
	if err != nil {
		t.Fatal(err)
	}
	return cfg, notices
}

func TestOnCallConfiguration(t *testing.T) {
	cfg, notices := onCallConfig(t)
	engine := cfg.EngineConfig()
	policy := engine.Policies["default"]
	for _, c := range []struct{ at, ref, want string }{
		{"2026-12-03 09:00", "sjo-mad", "desk, second"},  // Thursday: ana's week
		{"2026-12-07 13:59", "sjo-mad", "desk, second"},  // 07:59 in San José: not business hours, day has nobody yet
		{"2026-12-07 14:00", "sjo-mad", "person_ben"},    // hand-over on Monday at 08:00
		{"2026-12-07 14:00", "mad-sjo", "person_ben"},    // 15:00 in Madrid
		{"2026-12-07 19:00", "mad-sjo", "desk, second"},  // 20:00 in Madrid: over
		{"2026-12-25 16:00", "sjo-mad", "desk, second"},  // a holiday, though a Friday
		{"2026-12-14 04:30", "sjo-mad", "desk, second"},  // Sunday, 22:30: after hours
		{"2026-12-07 14:00", "customer/x", "person_ben"}, // at no site: UTC
	} {
		ref := inventory.Ref{Kind: inventory.KindLink, Name: c.ref}
		if name, ok := strings.CutPrefix(c.ref, "customer/"); ok {
			ref = inventory.Ref{Kind: inventory.KindCustomer, Name: name}
		}
		at, err := time.Parse("2006-01-02 15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		telling := engine.Tells(ref, &policy, 0, nil, at)
		if got := strings.Join(telling.Receivers, ", "); got != c.want {
			t.Errorf("at %s about %s %s is told, want %s (%+v)", c.at, c.ref, got, c.want, telling)
		}
	}
	if who := engine.Schedule.Rotation("noc").At(time.Date(2026, 12, 14, 4, 30, 0, 0, time.UTC), nil); who.Person != "ben" || who.Layer != "sundays" {
		t.Errorf("on Sunday night: %+v", who)
	}
	if !slices.ContainsFunc(cfg.ReceiverList(), func(r alerting.Receiver) bool {
		return r.Name == "person_ben" && r.Kind == "email" && r.Language == "es"
	}) {
		t.Errorf("no receiver of ben's address among %+v", cfg.ReceiverList())
	}
	want := "oncall.yaml:18: notice: in rotation day nobody is on call at times, such as from Fri 2026-12-04 18:00 to Mon 2026-12-07 08:00; desk is told then"
	if !slices.ContainsFunc(notices, func(n Notice) bool { return n.String() == want }) {
		t.Errorf("the notice of the gap is missing among %v", notices)
	}
	if len(notices) != 1 {
		t.Errorf("notices: %v", notices)
	}
}
