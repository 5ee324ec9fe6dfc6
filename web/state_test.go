package web

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"vigia/store"
	"vigia/store/storetest"
)

// telling lets pages say this about the process.
func telling(st State) func(*Config) {
	return func(c *Config) { c.State = func() State { return st } }
}

var (
	standing = State{Holder: "noc-1, process 4711", Held: true, Epoch: 12}
	orphaned = State{Holder: "noc-1, process 4711", Epoch: 12}
)

// away is an active process whose database went away at nine past noon, in the zone of the test's operator.
func away() State {
	return State{Active: true, Holder: "noc-1, process 4711", Held: true, Epoch: 12, StoreDownSince: time.Now().Truncate(time.Minute), StoreError: "connection refused", Journaled: 3}
}

func TestBanners(t *testing.T) {
	since := time.Now().Truncate(time.Minute).In(time.FixedZone("", -6*60*60)).Format("15:04")
	cases := []struct {
		name   string
		state  State
		en, es string
		red    bool
	}{
		{"active", State{Active: true}, "", "", false},
		{
			"standby", standing, "Standby: noc-1, process 4711 is active. What you do here is carried out by it.",
			"En espera: noc-1, process 4711 está activo. Lo que haga aquí lo ejecuta él.", false,
		},
		{
			"nobody is active", orphaned, "Standby: no process is active at the moment. This one asks every second whether it may be.",
			"En espera: ningún proceso está activo en este momento. Este pregunta cada segundo si puede serlo.", false,
		},
		{
			"no writes", away(), "The database does not take writes since " + since + ". Alarms are still raised and people are told; 3 changes wait in the local journal.",
			"La base de datos no acepta escrituras desde " + since + ". Las alarmas se siguen activando y se sigue avisando; 3 cambios esperan en el diario local.", true,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newTestWorld(t, telling(c.state))
			in := w.trouble()
			for _, path := range []string{"/", "/alarms", "/links", "/links/sjo-mia", at("/incidents/%d", in.ID), "/sites", "/find?q=x", "/health", "/settings", "/wallboard", "/none-such"} {
				a := w.get(path)
				if got := text(a.find("id", "banner")); got != c.en {
					t.Errorf("%s says %q, want %q", path, got, c.en)
				}
				if red := strings.Contains(a.body, `<div class="notice is-critical"><svg class="sev" aria-hidden="true"><use href="#s-critical"/></svg><span>The database does not`); red != c.red {
					t.Errorf("%s: red is %v", path, red)
				}
			}
			if got := text(w.get("/", spanish).find("id", "banner")); got != c.es {
				t.Errorf("in Spanish: %q, want %q", got, c.es)
			}
			part := w.get("/?part=banner,tiles", byScript)
			if got := text(part.find("id", "banner")); got != c.en || part.find("id", "tiles") == nil {
				t.Errorf("a part of a page says %q, want %q", got, c.en)
			}
			if live, _ := attr(part.find("id", "banner"), "data-live"); live == "" {
				t.Error("the page's scripts do not ask for the banner again")
			}
		})
	}
}

func TestRoleOnOwnPage(t *testing.T) {
	cases := []struct {
		name      string
		state     State
		has, lack string
	}{
		{"active", State{Active: true, Holder: "here, process 1", Held: true, Epoch: 12}, "Role active: it measures and tells Active here, process 1 Takeovers so far 12", "No writes since"},
		{"standby", standing, "Role standby: it shows, and waits to take over Active noc-1, process 4711 Takeovers so far 12", "Engine"},
		{"nobody is active", orphaned, "Active nobody; last noc-1, process 4711", "Collectors"},
		{"no writes", away(), "connection refused", "standby"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := text(newTestWorld(t, telling(c.state)).get("/health").find("id", "cards"))
			if !strings.Contains(got, c.has) || strings.Contains(got, c.lack) {
				t.Errorf("it reads %q, want it with %q and without %q", got, c.has, c.lack)
			}
		})
	}
}

// TestNoCheckOnAStandby: it runs none, so it offers none and does nothing when it is asked.
func TestNoCheckOnAStandby(t *testing.T) {
	w := newTestWorld(t, telling(standing))
	if a := w.get("/links/sjo-mia"); strings.Contains(a.body, "/links/sjo-mia/check") {
		t.Error("a standby offers to check")
	}
	a := w.ask("POST", "/links/sjo-mia/check", nil)
	if a.StatusCode != http.StatusConflict || !strings.Contains(text(a.doc), "Only the active process runs checks") || len(w.asked) > 0 {
		t.Errorf("status %d, %q, asked for %v", a.StatusCode, text(a.doc), w.asked)
	}
}

// TestDatabaseThatDoesNotAnswer: pages come all the same, and say what is wrong; parts of a page bring at least the banner.
func TestDatabaseThatDoesNotAnswer(t *testing.T) {
	dsn := storetest.Postgres(t)
	st, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	w := newTestWorld(t, telling(away()), func(c *Config) { c.Store = st })
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	if _, err := tx.Exec("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	t.Run("at once", func(t *testing.T) {
		t.Run("page", func(t *testing.T) {
			t.Parallel()
			a := w.get("/")
			got := text(a.find("tag", "main"))
			if a.StatusCode != http.StatusInternalServerError || !strings.Contains(got, "could not be made") || !strings.Contains(got, "does not take writes") {
				t.Errorf("status %d: %q", a.StatusCode, got)
			}
		})
		t.Run("parts", func(t *testing.T) {
			t.Parallel()
			a := w.get("/?part=tiles,banner", byScript)
			if a.StatusCode != http.StatusOK || !strings.Contains(text(a.find("id", "banner")), "does not take writes") || a.find("id", "tiles") != nil {
				t.Errorf("status %d: %q", a.StatusCode, a.body)
			}
		})
		t.Run("parts without the banner", func(t *testing.T) {
			t.Parallel()
			if a := w.get("/?part=tiles", byScript); a.StatusCode != http.StatusInternalServerError {
				t.Errorf("status %d", a.StatusCode)
			}
		})
	})
}
