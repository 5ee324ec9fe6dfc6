package alerting_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// simDays is how much virtual time a simulation covers by default; VIGIA_SIM_DAYS sets another.
const simDays = 2

// sim is a random network with random faults.
type sim struct {
	t        *testing.T
	random   *rand.Rand
	world    *alertingtest.World
	series   []collectors.Series
	commands int
}

func simConfig(t *testing.T) *alerting.Config {
	spec := inventory.Spec{Sites: []inventory.Site{{Name: "s1"}, {Name: "s2"}}}
	for i := range 4 {
		spec.Links = append(spec.Links, inventory.Link{Name: fmt.Sprint("l", i), Site: fmt.Sprint("s", i%2+1)})
	}
	for i := range 6 {
		spec.Servers = append(spec.Servers, inventory.Server{Name: fmt.Sprint("v", i), Parents: []inventory.Ref{{Kind: "link", Name: fmt.Sprint("l", i%4)}}})
	}
	for i := range 4 {
		spec.Trunks = append(spec.Trunks, inventory.Trunk{Name: fmt.Sprint("t", i), Via: []inventory.Ref{
			{Kind: "link", Name: fmt.Sprint("l", i)}, {Kind: "link", Name: fmt.Sprint("l", (i+1)%4)},
		}})
	}
	inv, err := inventory.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &alerting.Config{Inventory: inv, Policies: map[string]alerting.Policy{"noc": {
		Name: "noc", AckTimeout: time.Hour, Fallback: "managers", Levels: []alerting.Level{
			{Name: "L1", MinSeverity: alerting.Warning, Notify: []string{"slack"}, Repeat: 15 * time.Minute},
			{Name: "L2", After: 15 * time.Minute, MinSeverity: alerting.Major, Notify: []string{"slack", "mail"}},
			{Name: "L3", After: 45 * time.Minute, MinSeverity: alerting.Major, Notify: []string{"hook", "managers"}},
		},
	}}}
	cfg.Rules = alerting.NewRules([]alerting.Threshold{
		{
			Metric: collectors.Up, On: "*", Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 0, Clear: 1, For: 20 * time.Second, ClearFor: 20 * time.Second}},
			NoData: &alerting.NoData{Severity: alerting.Major}, Confirm: &alerting.Confirm{Probes: 2, Every: time.Second},
		},
		{Metric: collectors.LossPct, On: "*", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 1, Clear: 0.5, For: 2 * time.Minute},
			{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second, ClearFor: 30 * time.Second},
		}, NoData: &alerting.NoData{After: 3 * time.Minute, Severity: alerting.Minor}, Flapping: &alerting.Flapping{Changes: 6, Window: 10 * time.Minute}},
	})
	for _, ref := range inv.Refs() {
		if ref.Kind != inventory.KindSite {
			cfg.Expected = append(cfg.Expected, alerting.Expected{
				Series: collectors.Series{Metric: collectors.Up, Ref: ref, Instance: "ping"}, Every: 30 * time.Second,
			})
		}
	}
	return cfg
}

func newSim(t *testing.T, seed uint64) *sim {
	s := &sim{t: t, random: rand.New(rand.NewPCG(seed, 7)), world: alertingtest.NewWorld(simConfig(t))}
	s.world.Check = alertingtest.Invariants
	if seed%2 == 1 { // every second network groups its alarms and opens incidents again
		noc := s.world.Config.Policies["noc"]
		noc.Group, noc.Reopen = alerting.Group{By: alerting.GroupBySite, Within: 10 * time.Minute}, 20*time.Minute
		s.world.Config.Policies["noc"] = noc
	}
	for _, e := range s.world.Config.Expected {
		for _, metric := range []collectors.Metric{collectors.Up, collectors.LossPct} {
			series := e.Series
			series.Metric = metric
			s.series = append(s.series, series)
			s.set(series, true)
		}
	}
	return s
}

// set lets a series be well or bad from now on.
func (s *sim) set(series collectors.Series, well bool) {
	m := collectors.Sample{Series: series, Every: 30 * time.Second}
	if series.Metric == collectors.Up && well {
		m.Value = 1
	}
	if series.Metric == collectors.LossPct && !well {
		m.Value = []float64{2, 7, 12, 40, 100}[s.random.IntN(5)]
	}
	s.world.Stream(m)
}

// fate does one random thing.
func (s *sim) fate() {
	w := s.world
	if w.Memory.Failing && s.random.IntN(2) == 0 {
		w.Memory.Failing = false
	}
	series := s.series[s.random.IntN(len(s.series))]
	switch n := s.random.IntN(100); {
	case n < 35:
		s.set(series, false)
	case n < 75:
		s.set(series, true)
	case n < 79:
		w.Stop(series)
	case n < 88:
		s.command()
	case n < 90:
		w.Memory.Failing = !w.Memory.Failing
	case n < 92:
		w.Memory.Failing = false
		if err := w.Dead(time.Duration(s.random.IntN(300)) * time.Second); err != nil {
			s.t.Fatal(err)
		}
	case n < 93:
		w.Jump(time.Duration(s.random.IntN(7200)-3600) * time.Second)
	case n < 95:
		w.Reload(w.Config)
	case n < 97:
		w.ByHand = !w.ByHand
	default:
		s.settle()
	}
}

func (s *sim) command() {
	kinds := []alerting.CommandKind{
		alerting.CommandAcknowledge, alerting.CommandAcknowledge, alerting.CommandUnacknowledge, alerting.CommandComment,
		alerting.CommandEscalate, alerting.CommandResolve, alerting.CommandAssign, alerting.CommandSnooze,
	}
	s.commands++
	if s.random.IntN(3) == 0 {
		s.mute()
		return
	}
	c := s.world.Command(alerting.Command{
		Kind: kinds[s.random.IntN(len(kinds))], IncidentID: 1 + s.random.Int64N(int64(len(s.world.Memory.Incidents))+1), Actor: "ana", Note: "n",
		Assignee: "luis", Until: s.world.Now.Add(time.Duration(s.random.IntN(7200)) * time.Second),
	})
	if s.random.IntN(5) == 0 {
		s.world.Command(c)
	}
}

// mute makes a silence or a maintenance, or ends one.
func (s *sim) mute() {
	if n := len(s.world.Memory.Mutes); n > 0 && s.random.IntN(4) == 0 {
		s.world.Command(alerting.Command{Kind: alerting.CommandCancelMute, Actor: "ana", MuteID: 1 + s.random.Int64N(int64(n)+1)})
		return
	}
	on := []inventory.Pattern{"link/*", "site/s1", "link/l1", "server/*", "trunk/t2", "*"}
	from := s.world.Now.Add(time.Duration(s.random.IntN(7200)-1800) * time.Second)
	m := alerting.Mute{
		On: []inventory.Pattern{on[s.random.IntN(len(on))]}, Below: s.random.IntN(2) == 0, Reason: "works", From: from,
		Until: from.Add(time.Duration(s.random.IntN(7200)) * time.Second),
	}
	kind := alerting.CommandSilence
	if s.random.IntN(2) == 0 {
		kind = alerting.CommandMaintenance
		if s.random.IntN(2) == 0 {
			m.Recur = &alerting.Recurrence{At: "02:30", For: time.Duration(1+s.random.IntN(180)) * time.Minute, Zone: "Europe/Berlin"}
			m.Until = from.Add(72 * time.Hour)
		}
	}
	s.world.Command(alerting.Command{Kind: kind, Actor: "ana", Mute: &m})
}

func (s *sim) settle() {
	for _, key := range s.world.Memory.Pending() {
		state := alerting.NotificationSent
		if s.random.IntN(3) == 0 {
			state = alerting.NotificationGivenUp
		}
		s.world.Settle(key, state, "outcome")
	}
}

// run plays so many days and returns a digest of everything that was decided.
func (s *sim) run(days int) string { return s.runFor(time.Duration(days) * 24 * time.Hour) }

func (s *sim) runFor(span time.Duration) string {
	for passed := time.Duration(0); passed < span; {
		passed += time.Duration(1+s.random.IntN(240)) * time.Second
		if err := s.world.RunTo(s.world.At(passed)); err != nil {
			s.t.Fatal(err)
		}
		s.fate()
	}
	s.calm()
	raw, err := json.Marshal(s.world.Memory.Changes)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(raw))
}

// calm lets everything be well for long enough: nothing may stand after that.
func (s *sim) calm() {
	s.world.Memory.Failing, s.world.ByHand = false, false
	for _, series := range s.series {
		s.set(series, true)
	}
	if err := s.world.RunTo(s.world.Now.Add(time.Hour)); err != nil {
		s.t.Fatal(err)
	}
	if _, alarms, incidents := s.world.State.Counts(); alarms != 0 || incidents != 0 {
		s.t.Errorf("all is well, and %d alarms and %d incidents stand", alarms, incidents)
	}
	if n := s.world.State.Untold(s.world.Now); n != 0 {
		s.t.Errorf("%d incidents are untold", n)
	}
}

// TestSim lets a small network live through random faults, commands, restarts, failing stores and clock jumps, with the invariants checked
// after every change.
func TestSim(t *testing.T) {
	days := simDays
	if n, err := strconv.Atoi(os.Getenv("VIGIA_SIM_DAYS")); err == nil {
		days = n
	}
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			s := newSim(t, seed)
			s.run(days)
			s.replay()
			s.resolved()
			if len(s.world.Memory.Incidents) < 20 {
				t.Errorf("only %d incidents: the simulation shows nothing", len(s.world.Memory.Incidents))
			}
			t.Logf("%d changes, %d incidents, %d notifications, %d commands", len(s.world.Memory.Changes), len(s.world.Memory.Incidents),
				len(s.world.Memory.Notifications), s.commands)
		})
	}
}

// TestSameSeedSameDecisions: what is decided depends on nothing but what came.
func TestSameSeedSameDecisions(t *testing.T) {
	if a, b := newSim(t, 11).runFor(4*time.Hour), newSim(t, 11).runFor(4*time.Hour); a != b {
		t.Error("the same seed decides something else")
	}
}

// replay adopts every Change in order on an empty State: the result is the State.
func (s *sim) replay() {
	st := alerting.NewState(alerting.Snapshot{})
	for _, c := range s.world.Memory.Changes {
		st.Adopt(alerting.Planned{Change: c})
	}
	got, want := st.Snapshot(), s.world.State.Snapshot()
	if !reflect.DeepEqual(got.Alarms, want.Alarms) || !reflect.DeepEqual(got.Incidents, want.Incidents) || got.NextEvent != want.NextEvent ||
		got.NextIncident != want.NextIncident || got.LastCommand != want.LastCommand {
		s.t.Errorf("the replay of all changes is another state:\n%+v\n%+v", got, want)
	}
}

// resolved looks at the whole history: everyone who was told of an incident heard of its end, once for each time that it ended.
func (s *sim) resolved() {
	ends := map[string]int{}
	for _, n := range s.world.Memory.Notifications {
		if n.Cause == alerting.CauseResolved || n.Cause == alerting.CauseMerged {
			ends[fmt.Sprint(n.IncidentID, n.Receiver)]++
		}
	}
	times := map[int64]int{}
	for _, e := range s.world.Memory.Events {
		if e.Kind == alerting.EventResolved {
			times[e.IncidentID]++
		}
	}
	for _, in := range s.world.Memory.Incidents {
		if in.State == alerting.Merged {
			times[in.ID]++
		}
		for _, r := range in.Told {
			if got := ends[fmt.Sprint(in.ID, r)]; got < 1 || got > times[in.ID] {
				s.t.Errorf("%s heard %d times of the end of incident %d", r, got, in.ID)
			}
		}
	}
}
