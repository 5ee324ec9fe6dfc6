package alerting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

var placeholder = regexp.MustCompile(`\{\d+(:\d+)?\}`)

func TestEngineWordsAreWholeInBothLanguages(t *testing.T) {
	for code, text := range EngineWords {
		en, es := placeholder.FindAllString(text.EN, -1), placeholder.FindAllString(text.ES, -1)
		slices.Sort(en)
		slices.Sort(es)
		if text.EN == "" || text.ES == "" || !slices.Equal(en, es) {
			t.Errorf("%s: %q and %q do not say the same", code, text.EN, text.ES)
		}
		if strings.ContainsAny(text.EN+text.ES, "!—") || strings.Contains(text.EN, "{T}") || strings.Contains(text.EN, unitless+" ") && strings.Contains(text.EN, "{1}-") {
			t.Errorf("%s: %q / %q", code, text.EN, text.ES)
		}
	}
}

// TestEveryAlarmHasWords makes an alarm of each metric of each kind, in each state, and looks for what the engine says of it.
func TestEveryAlarmHasWords(t *testing.T) {
	p := planner{now: benchStart, cfg: &Config{}}
	for _, kind := range inventory.Kinds {
		for metric := range collectors.Catalogue {
			for _, state := range []AlarmState{Raised, Stale} {
				for _, tier := range []Tier{{Severity: Major, Raise: 1}, {Severity: Major, Raise: 1, Clear: 2}} {
					a := Alarm{Series: collectors.Series{Metric: metric, Ref: inventory.Ref{Kind: kind, Name: "x"}}, State: state, Tier: tier, PendingAt: benchStart.Add(-time.Minute)}
					w := &work{alarm: a, rule: &Threshold{}}
					for _, r := range []collectors.Reason{
						about(wordTitle, &a), about(wordJoined, &a), about(wordShadowed, &a), about(wordCleared, &a), about(wordFreed, &a), about(wordSteady, &a),
						p.opened(w, &Policy{}), p.opened(w, &Policy{Name: "noc", Levels: []Level{{}}}),
					} {
						for _, lang := range []collectors.Lang{collectors.English, collectors.Spanish} {
							if _, ok := EngineWords[r.Code]; !ok {
								t.Fatalf("%s has no words", r.Code)
							}
							if said := EngineWords.Say(lang, r); strings.Contains(said, "{") {
								t.Errorf("%s says %q", r.Code, said)
							}
						}
					}
				}
			}
		}
	}
}

func TestWordsSound(t *testing.T) {
	link := collectors.Series{Metric: collectors.LossPct, Ref: inventory.Ref{Kind: inventory.KindLink, Name: "sjo-gua"}}
	server := collectors.Series{Metric: collectors.CPUPct, Ref: inventory.Ref{Kind: inventory.KindServer, Name: "sbc-1"}}
	loss := Alarm{Series: link, State: Raised, Value: 11.2, Tier: Tier{Severity: Critical, Raise: 10}}
	stale := Alarm{Series: link, State: Stale}
	cpu := Alarm{Series: server, State: Raised, Value: 91.5}
	failing := Alarm{Series: receiverSeries("noc-mail"), State: Raised}
	up := Alarm{Series: collectors.Series{Metric: collectors.Up, Ref: link.Ref}, State: Raised, Value: 1}
	for _, c := range []struct {
		reason collectors.Reason
		en, es string
	}{
		{title(&loss), "Link sjo-gua loses 11.2 % of packets", "Enlace sjo-gua pierde 11,2 % de los paquetes"},
		{title(&stale), "Link sjo-gua: no data (packet loss)", ""},
		{title(&cpu), "Server sbc-1: CPU 91.5 %", ""},
		{about(wordCleared, &loss), "Well again: Link sjo-gua, packet loss 11.2 %", ""},
		{about(wordCleared, &failing), "Well again: Vigía, receiver can be reached", "De nuevo bien: Vigía, destinatario se puede alcanzar"},
		{about(wordCleared, &up), "Well again: Link sjo-gua", "De nuevo bien: Enlace sjo-gua"},
	} {
		if got := EngineWords.Say(collectors.English, c.reason); got != c.en {
			t.Errorf("says %q, want %q", got, c.en)
		}
		if got := EngineWords.Say(collectors.Spanish, c.reason); c.es != "" && got != c.es {
			t.Errorf("says %q, want %q", got, c.es)
		}
	}
}

// TestOpenedOfYesAndNo says in the first line of an incident what is wrong, not only with what.
func TestOpenedOfYesAndNo(t *testing.T) {
	for metric, want := range map[collectors.Metric]string{
		collectors.VigiaReceiverDown:  "Incident opened: receiver cannot be reached. Policy noc",
		collectors.VigiaConfigRefused: "Incident opened: configuration refused, the former one runs on. Policy noc",
		collectors.Up:                 "Incident opened: down. Policy noc",
	} {
		p := planner{now: benchStart, cfg: &Config{}}
		tier := Tier{Severity: Major, Raise: 1}
		if metric == collectors.Up {
			tier = Tier{Severity: Major, Clear: 1}
		}
		w := &work{alarm: Alarm{Series: self(metric), State: Raised, Tier: tier, PendingAt: benchStart}, rule: &Threshold{}}
		if got := EngineWords.Say(collectors.English, p.opened(w, &Policy{Name: "noc", Levels: []Level{{}}})); got != want {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
}

func TestKeysComeApartAgain(t *testing.T) {
	for _, receiver := range []string{"noc-slack", "a.b.c", "x@y.example", "l1.opened.2"} {
		key := NotificationKey(42, 3, receiver, CauseEscalated, 7)
		if got, ok := parseKey(key); !ok || got != (notificationKey{42, 3, receiver, CauseEscalated, 7}) {
			t.Errorf("%s came apart as %+v, %v", key, got, ok)
		}
	}
	for _, bad := range []string{"", "i1.l1.a.opened", "x1.l1.a.opened.1", "i1.lx.a.opened.1", fmt.Sprint(7)} {
		if _, ok := parseKey(bad); ok {
			t.Errorf("%q passed for a key", bad)
		}
	}
}
