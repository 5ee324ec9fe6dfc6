package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vigia/alerting"
	probes "vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/web"
	"vigia/web/api"
)

// webConfig is what the pages and the API look at. Everything that a reload replaces is asked for each time.
func (a *app) webConfig(cfg *Config) web.Config {
	public := strings.TrimRight(cfg.PublicURL, "/")
	c := web.Config{
		Store: a.store, Runs: a.runs, Words: a.words, Brand: cfg.Brand.Name, PublicURL: public, Version: version(), Now: time.Now, Logger: a.logger,
		Inventory: func() *inventory.Inventory { return a.live.Load().config.Inventory() },
		Checks:    func() []probes.Check { return a.live.Load().checks },
		Rules:     func() *alerting.Rules { return a.live.Load().config.Rules() },
		Policies:  func() map[string]alerting.Policy { return a.live.Load().policies },
		Receivers: func() []alerting.Receiver { return a.live.Load().config.ReceiverList() },
		Schedule:  func() *alerting.Schedule { return a.live.Load().engine.Schedule },
		Tells: func(ref inventory.Ref, policy *alerting.Policy, level int, overrides []alerting.Override, at time.Time) alerting.Telling {
			return a.live.Load().engine.Tells(ref, policy, level, overrides, at)
		},
		Health: a.health, State: a.state, CheckStats: a.checkStats, CheckNow: a.checkNow,
		Demo: a.demo, Metrics: a.metrics(), Slack: a.talk, Ready: a.ready, Alive: a.alive,
	}
	c.API = api.New(api.Config{
		Store: c.Store, Inventory: c.Inventory, Checks: c.Checks, Runs: c.Runs, Rules: c.Rules, Policies: c.Policies, Words: c.Words,
		Schedule: c.Schedule, Version: c.Version, PublicURL: public, Now: c.Now, Logger: c.Logger,
	})
	return c
}

// health is what the page about Vigía itself shows of the joints.
func (a *app) health() web.Health {
	h := web.Health{Started: a.started, Scheduler: a.schedulerStats(), Engine: a.engineStats(), Voice: a.voiceHealth()}
	h.Config = web.ConfigHealth{File: a.file, LoadedAt: a.live.Load().loaded}
	since, err := a.reloader.Refused()
	if err != nil {
		h.Config.RefusedSince = since
		h.Config.Errors = strings.Split(err.Error(), "\n")
	}
	for _, n := range a.reloader.Notices() {
		h.Config.Notices = append(h.Config.Notices, n.String())
	}
	return h
}

// metrics is Vigía's own state for Prometheus.
func (a *app) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	counter := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
	}
	gauge("vigia_checks", "Checks that are run.", func() float64 { return float64(a.schedulerStats().Checks) })
	gauge("vigia_series", "Series that the store knows.", func() float64 { return float64(a.store.Stats().Series) })
	gauge("vigia_alarms", "Alarms that stand.", func() float64 { return float64(a.engineStats().Alarms) })
	gauge("vigia_incidents", "Incidents that live.", func() float64 { return float64(a.engineStats().Incidents) })
	gauge("vigia_untold_incidents", "Incidents that should have told someone and did not.", func() float64 { return float64(a.engineStats().Untold) })
	gauge("vigia_late_p99_seconds", "99th percentile of how late runs start.", func() float64 { return a.schedulerStats().LateP99.Seconds() })
	gauge("vigia_active", "1 while this process is the active one, 0 while it stands by.", func() float64 { return yes(a.on() != nil) })
	gauge("vigia_store_up", "1 while the store takes writes.", func() float64 { return yes(a.store.Stats().Up) })
	gauge("vigia_config_refused", "1 while the configuration file on disk is refused.", func() float64 {
		_, err := a.reloader.Refused()
		return yes(err != nil)
	})
	gauge("vigia_outbox_lag_seconds", "Age of the oldest notification that is due.", func() float64 {
		lag, _ := a.outboxLag(time.Now())
		return lag.Seconds()
	})
	gauge("vigia_slack_connected", "Slack receivers that are connected by Socket Mode.", func() float64 { return float64(a.talk.connected()) })
	gauge("vigia_slack_wanted", "Slack receivers that should be connected by Socket Mode: 0 on a standby.", func() float64 { return float64(a.talk.wanted()) })
	counter("vigia_runs_total", "Runs of checks.", func() float64 { return float64(a.schedulerStats().Runs) })
	counter("vigia_runs_failed_total", "Runs that found something wrong.", func() float64 { return float64(a.schedulerStats().Failed) })
	counter("vigia_skipped_slots_total", "Slots that could not run.", func() float64 { return float64(a.schedulerStats().Skipped) })
	counter("vigia_samples_judged_total", "Samples that the engine compared with thresholds.", func() float64 { return float64(a.engineStats().Judged) })
	counter("vigia_samples_dropped_total", "Samples dropped because something was full.", func() float64 {
		return float64(a.engineStats().Dropped + a.store.Dropped())
	})
	reg.MustRegister(&voiceMetrics{health: a.voiceHealth})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
