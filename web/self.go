package web

import (
	"slices"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// selfBody is what the page of Vigía itself shows.
type selfBody struct {
	Alarms    []alarmRow
	Tiles     []tile
	Cards     []card // role, scheduler, engine, store
	StoreBad  string
	Config    ConfigHealth
	Refused   string
	Loaded    string
	Summary   string
	Receivers []receiverRow
	Told      []toldRow
	Charts    []chart
	Skipped   []skippedRow
	Policies  []policyRow
	Calls     *callsPart // nil where no source of reports about calls is configured
}

// card is a list of facts under a title.
type card struct {
	Title string
	Facts []fact
}

// fact is one line of a card.
type fact struct {
	Label, Value string
	Bad          bool
}

// receiverRow is how one receiver does.
type receiverRow struct {
	Name, Kind, Language string
	Waiting, Sent        int
	GivenUp              int
	Last                 string
}

// toldRow is one notification with what is known of it.
type toldRow struct {
	At       string
	Incident string
	URL      string
	Cause    string
	delivery
}

// skippedRow is a check of which slots could not run.
type skippedRow struct{ Name, URL, Target, Skipped string }

// policyRow is an escalation policy in one line.
type policyRow struct{ Name, Levels string }

func (s *Server) self(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	h, st, state := s.health(), s.cfg.Store.Stats(), s.state()
	outbox, err := s.cfg.Store.OutboxStats(v.ctx())
	if err != nil {
		return err
	}
	recent, err := s.cfg.Store.RecentNotifications(v.ctx(), v.scope(), 12)
	if err != nil {
		return err
	}
	body := selfBody{
		Tiles: s.selfTiles(v, h, st, outbox), Config: h.Config,
		Cards:     []card{{v.t("self.process"), v.roleFacts(state)}},
		Receivers: s.receiverRows(v, outbox), Skipped: s.skippedRows(v), Policies: s.policyRows(v),
	}
	if state.Active { // a standby has neither
		body.Cards = append(body.Cards, card{v.t("self.scheduler"), v.schedulerFacts(h.Scheduler)}, card{v.t("self.engine"), v.engineFacts(h.Engine)})
	}
	body.Cards = append(body.Cards, card{v.t("self.store"), v.storeFacts(st)})
	body.Calls = v.callsPart(h.Voice)
	if !st.Up {
		body.StoreBad = v.t("self.store_down", v.clock(st.DownSince), st.LastError)
	}
	if !h.Config.RefusedSince.IsZero() {
		body.Refused = v.t("self.refused", v.clock(h.Config.RefusedSince), v.brief(h.Config.LoadedAt))
	}
	if !h.Config.LoadedAt.IsZero() {
		body.Loaded = v.t("self.loaded", v.clock(h.Config.LoadedAt))
	}
	body.Summary = v.summary(w)
	for _, a := range w.of[inventory.Self] {
		body.Alarms = append(body.Alarms, s.looseRow(v, a))
	}
	for i := range recent {
		body.Told = append(body.Told, v.toldRow(&recent[i]))
	}
	span := s.readRange(v)
	body.Charts = s.charts(v, w, s.readings(v, inventory.Self), []collectors.Metric{collectors.VigiaLateMS, collectors.VigiaOutboxLagS}, span)
	f := s.framed(v, w, "self", "self", v.t("nav.self"))
	f.Chart, f.Body = len(body.Charts) > 0, body
	return s.show(v, 200, f)
}

func (s *Server) selfTiles(v *visit, h Health, st store.Stats, out store.OutboxStats) []tile {
	probes := s.probesTile(v)
	probes.URL = ""
	samples := tile{Label: v.t("self.samples"), Figure: figure{Text: v.number(st.SamplesPerSecond), Unit: "/s"}, Context: v.count("self.series", st.Series)}
	if st.LastFlush.IsZero() {
		samples.Figure = nothing(v.t("none.yet"))
	}
	waits := tile{Label: v.t("self.waiting"), Figure: figure{Text: v.number(float64(out.Due))}, Context: v.t("self.waiting.none")}
	if out.Due > 0 {
		waits.Context = v.t("self.waiting.since", v.clock(out.Oldest))
	}
	judged := tile{Label: v.t("self.judged"), Figure: nothing(v.t("none.yet"))}
	if !h.Engine.LastPlan.IsZero() {
		judged.Figure = figure{Text: v.t("ago", v.span(max(v.now.Sub(h.Engine.LastPlan), 0).Truncate(time.Second)))}
		judged.Context = v.t("self.plans", v.number(float64(h.Engine.Plans)))
	}
	up := tile{Label: v.t("self.uptime"), Figure: nothing(v.t("none.yet"))}
	if !h.Started.IsZero() {
		up.Figure, up.Context = figure{Text: v.span(v.now.Sub(h.Started))}, v.t("self.since", v.clock(h.Started))
	}
	flush := tile{Label: v.t("self.flush"), Figure: nothing(v.t("none.yet"))}
	if !st.LastFlush.IsZero() {
		flush.Figure, flush.Context = figure{Text: v.precise(st.FlushTook)}, v.t("self.flushed", v.clock(st.LastFlush))
	}
	if !st.Up {
		sh := v.shapeOf(alerting.Critical, false)
		flush.Shape = &sh
	}
	return []tile{probes, samples, flush, judged, waits, up}
}

func (v *visit) whole(n uint64) string { return collectors.Number(v.lang, float64(n), 0) }

func (v *visit) schedulerFacts(s collectors.SchedulerStats) []fact {
	return []fact{
		{Label: v.t("self.checks"), Value: v.number(float64(s.Checks))},
		{Label: v.t("self.running"), Value: v.t("self.running_due", s.Running, s.Due)},
		{Label: v.t("self.late"), Value: v.t("self.late_of", v.precise(s.LateP99), v.precise(s.LateMax))},
		{Label: v.t("self.skipped"), Value: v.whole(s.Skipped), Bad: s.Skipped > 0},
		{Label: v.t("self.failed"), Value: v.t("self.failed_of", v.whole(s.Failed), v.whole(s.Runs))},
		{Label: v.t("self.overran"), Value: v.whole(s.Overran), Bad: s.Stuck > 0},
		{Label: v.t("self.panics"), Value: v.whole(s.Panics), Bad: s.Panics > 0},
	}
}

func (v *visit) engineFacts(e alerting.EngineStats) []fact {
	facts := []fact{
		{Label: v.t("self.known"), Value: v.t("self.known_of", e.Series, e.Alarms, e.Incidents)},
		{Label: v.t("self.judged_samples"), Value: v.whole(e.Judged)},
		{Label: v.t("self.dropped"), Value: v.whole(e.Dropped), Bad: e.Dropped > 0},
		{Label: v.t("self.late_samples"), Value: v.whole(e.Late + e.Refused)},
		{Label: v.t("self.untold"), Value: v.number(float64(e.Untold)), Bad: e.Untold > 0},
	}
	if !e.FailingSince.IsZero() {
		facts = append(facts, fact{Label: v.t("self.failing"), Value: v.clock(e.FailingSince) + ": " + e.Failure, Bad: true})
	}
	return facts
}

func (v *visit) storeFacts(s store.Stats) []fact {
	facts := []fact{
		{Label: v.t("self.database"), Value: s.Database},
		{Label: v.t("self.size"), Value: v.size(s.Bytes)},
		{Label: v.t("self.rows"), Value: collectors.Number(v.lang, float64(s.LogRows), 0)},
		{Label: v.t("self.written"), Value: v.whole(s.Written)},
		{Label: v.t("self.pending"), Value: v.number(float64(s.Pending))},
		{Label: v.t("self.lost"), Value: v.whole(s.Dropped), Bad: s.Dropped > 0},
	}
	if !s.LogBegin.IsZero() {
		facts = append(facts, fact{Label: v.t("self.oldest"), Value: v.clock(s.LogBegin)})
	}
	if s.DamagedRows > 0 {
		facts = append(facts, fact{Label: v.t("self.damaged"), Value: v.number(float64(s.DamagedRows)), Bad: true})
	}
	return facts
}

// size writes octets in decimal units.
func (s *speaker) size(octets int64) string {
	if octets <= 0 {
		return "–"
	}
	v, unit := float64(octets), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, u
	}
	return collectors.Number(s.lang, v, collectors.Decimals(v)) + " " + unit
}

// summary counts what is looked after.
func (v *visit) summary(w *world) string {
	var parts []string
	for _, kind := range []inventory.Kind{inventory.KindSite, inventory.KindLink, inventory.KindServer, inventory.KindService, inventory.KindTrunk} {
		if n := len(w.refsOf(kind)); n > 0 {
			parts = append(parts, v.count("n."+string(kind), n))
		}
	}
	return strings.Join(parts, ", ")
}

// receiverRows are the configured receivers, and those that still have something to be told.
func (s *Server) receiverRows(v *visit, out store.OutboxStats) []receiverRow {
	var rows []receiverRow
	seen := map[string]bool{}
	for _, r := range s.cfg.Receivers() {
		seen[r.Name] = true
		row := receiverRow{Name: r.Name, Kind: r.Kind, Language: v.t("lang." + string(orEnglish(r.Language))), Last: v.t("told.never")}
		for _, stats := range out.Receivers {
			if stats.Receiver == r.Name {
				row.fill(v, stats)
			}
		}
		rows = append(rows, row)
	}
	for _, stats := range out.Receivers {
		if !seen[stats.Receiver] {
			row := receiverRow{Name: stats.Receiver, Kind: v.t("self.unconfigured"), Last: v.t("told.never")}
			row.fill(v, stats)
			rows = append(rows, row)
		}
	}
	return rows
}

func orEnglish(l collectors.Lang) collectors.Lang {
	if l == collectors.Spanish {
		return l
	}
	return collectors.English
}

func (r *receiverRow) fill(v *visit, stats store.ReceiverStats) {
	r.Waiting, r.Sent, r.GivenUp = stats.Waiting, stats.Sent, stats.GivenUp
	if !stats.LastSent.IsZero() {
		r.Last = v.clock(stats.LastSent)
	}
}

func (v *visit) toldRow(n *store.NotificationView) toldRow {
	row := toldRow{At: v.clock(n.CreatedAt), Cause: v.t("cause." + string(n.Cause)), delivery: v.delivery(n)}
	if n.IncidentID != 0 {
		row.Incident, row.URL = v.number(float64(n.IncidentID)), incidentURL(n.IncidentID)
	}
	return row
}

// mostSkipped is how many checks are listed that lost slots.
const mostSkipped = 20

func (s *Server) skippedRows(v *visit) []skippedRow {
	if s.cfg.CheckStats == nil {
		return nil
	}
	type lost struct {
		check collectors.Check
		n     uint64
	}
	var list []lost
	for _, c := range s.cfg.Checks() {
		if stats, ok := s.cfg.CheckStats(c.ID); ok && stats.Skipped > 0 {
			list = append(list, lost{c, stats.Skipped})
		}
	}
	slices.SortStableFunc(list, func(a, b lost) int { return int(b.n) - int(a.n) })
	var rows []skippedRow
	for _, l := range list[:min(len(list), mostSkipped)] {
		rows = append(rows, skippedRow{v.object(l.check.ID.Ref), pageOf(l.check.ID.Ref), l.check.Kind + " " + l.check.Target, v.count("check.skipped", int(l.n))})
	}
	return rows
}

func (s *Server) policyRows(v *visit) []policyRow {
	var rows []policyRow
	for name, p := range s.cfg.Policies() {
		var parts []string
		for _, l := range p.Levels {
			parts = append(parts, v.t("self.level", l.Name, collectors.FormatSpan(v.lang, l.After), strings.Join(v.levelNames(&l), ", ")))
		}
		rows = append(rows, policyRow{name, strings.Join(parts, " → ")})
	}
	slices.SortFunc(rows, func(a, b policyRow) int { return strings.Compare(a.Name, b.Name) })
	return rows
}
