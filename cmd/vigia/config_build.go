package main

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// prepare builds what is asked for again and again. An error is a gap in the examination, not a mistake of the file.
func (c *Config) prepare() error {
	inv, err := inventory.New(c.spec())
	if err != nil {
		return fmt.Errorf("build the inventory: %w", err)
	}
	c.inv = inv
	c.rules = alerting.NewRules(append(c.ownThresholds(), defaultThresholds(c.Services, c.Destinations)...))
	return nil
}

// Inventory is what we look after.
func (c *Config) Inventory() *inventory.Inventory { return c.inv }

// Rules are the thresholds of the file and those that ship with Vigía.
func (c *Config) Rules() *alerting.Rules { return c.rules }

func (c *Config) spec() inventory.Spec {
	var s inventory.Spec
	for i := range c.Sites {
		s.Sites = append(s.Sites, inventory.Site{Name: c.Sites[i].Name, Timezone: zone(c.Sites[i].Timezone)})
	}
	for i := range c.Links {
		v := &c.Links[i]
		s.Links = append(s.Links, inventory.Link{Name: v.Name, Site: v.Site, Peer: v.Peer, Capacity: v.Capacity, Parents: v.Parents})
	}
	for i := range c.Servers {
		v := &c.Servers[i]
		s.Servers = append(s.Servers, inventory.Server{Name: v.Name, Site: v.Site, Media: v.Media, Parents: v.Parents})
	}
	for i := range c.Services {
		v := &c.Services[i]
		s.Services = append(s.Services, inventory.Service{Name: v.Name, Servers: v.Servers, AtLeast: v.AtLeast})
	}
	for i := range c.Trunks {
		v := &c.Trunks[i]
		s.Trunks = append(s.Trunks, inventory.Trunk{Name: v.Name, Site: v.Site, Via: v.Via, Networks: v.Networks, Parents: v.Parents})
	}
	for i := range c.Destinations {
		v := &c.Destinations[i]
		s.Destinations = append(s.Destinations, inventory.Destination{Name: v.Name, Prefixes: v.Prefixes, Trunks: v.Trunks, AtLeast: v.AtLeast})
	}
	for i := range c.Customers {
		s.Customers = append(s.Customers, c.Customers[i].build())
	}
	return s
}

func (c *CustomerSpec) build() inventory.Customer {
	return inventory.Customer{
		Name: c.Name, AccountManager: c.AccountManager, Contact: c.Contact, Language: c.Language, Timezone: zone(c.Timezone),
		BadCallsPct: c.SLA.BadCallsPct, Reports: c.Reports, Policy: c.Policy,
		Match: inventory.Match{Networks: c.Match.Networks, SIPDomains: c.Match.SIPDomains, Trunks: c.Match.Trunks, Numbers: c.Match.Numbers},
	}
}

// zone is a time zone by a name that was checked; UTC when none was given.
func zone(name string) *time.Location {
	if name == "" {
		return time.UTC
	}
	if where, err := time.LoadLocation(name); err == nil {
		return where
	}
	return time.UTC
}

// Checks opens the collector of every check that this version can run. The caller hands them to a scheduler, which closes them. After an
// error those that were opened have been closed.
func (c *Config) Checks() ([]collectors.Check, error) {
	var out []collectors.Check
	for _, p := range c.checkSpecs() {
		setup := p.setup()
		collector, err := p.spec.own.Open(setup)
		if err != nil {
			closeChecks(out)
			return nil, fmt.Errorf("open %s: %w", setup.ID, err)
		}
		out = append(out, collectors.Check{
			ID: setup.ID, Kind: p.spec.Kind, Target: p.spec.own.Target(), Every: setup.Every, Timeout: setup.Timeout, Collector: collector,
			Fingerprint: fmt.Sprintf("%s %s %s %s %s", p.spec.fingerprint, setup.Every, setup.Timeout, p.capacity, p.state),
		})
	}
	return out, nil
}

func closeChecks(checks []collectors.Check) {
	for i := range checks {
		if closer, ok := checks[i].Collector.(collectors.Closer); ok {
			closer.Close() //nolint:errcheck // on the way out with another error
		}
	}
}

func (c *Config) ownThresholds() []alerting.Threshold {
	out := make([]alerting.Threshold, 0, len(c.Thresholds))
	for i := range c.Thresholds {
		out = append(out, c.Thresholds[i].build(c.file))
	}
	return out
}

func (t *ThresholdSpec) build(file string) alerting.Threshold {
	out := alerting.Threshold{
		Metric: collectors.Metric(t.Metric), On: t.On, Instance: t.Instance, Policy: t.Policy, Source: fmt.Sprintf("%s:%d", file, t.line),
	}
	for _, tier := range t.Tiers {
		out.Tiers = append(out.Tiers, alerting.Tier{
			Severity: tier.Severity, Raise: tier.Raise, Clear: tier.Clear, For: tier.For.Std(), ClearFor: tier.ClearFor.Std(), Samples: tier.Samples,
		})
	}
	if t.NoData != nil {
		out.NoData = &alerting.NoData{After: t.NoData.After.Std(), Severity: t.NoData.Severity}
	}
	if t.Confirm != nil {
		out.Confirm = &alerting.Confirm{Probes: t.Confirm.Probes, Every: t.Confirm.Every.Std()}
	}
	if t.Flapping != nil {
		out.Flapping = &alerting.Flapping{Changes: t.Flapping.Changes, Window: t.Flapping.Window.Std()}
	}
	return out
}

// Policies are the escalation policies by name.
func (c *Config) Policies() map[string]alerting.Policy {
	out := make(map[string]alerting.Policy, len(c.PolicySpecs))
	for i := range c.PolicySpecs {
		out[c.PolicySpecs[i].Name] = c.PolicySpecs[i].build()
	}
	return out
}

func (p *PolicySpec) build() alerting.Policy {
	out := alerting.Policy{Name: p.Name, AckTimeout: p.AckTimeout.Std(), Fallback: p.Fallback, Reopen: p.Reopen.Std()}
	if g := p.Group; g != nil {
		out.Group = alerting.Group{By: alerting.GroupBy(g.By), Within: g.Within.Std()}
	}
	for i := range p.Levels {
		spec := &p.Levels[i]
		level := alerting.Level{Name: spec.Name, After: spec.After.Std(), MinSeverity: alerting.Major, Notify: spec.Notify, AfterHours: spec.AfterHours}
		if level.Name == "" {
			level.Name = fmt.Sprintf("Level %d", i+1)
		}
		if i == 0 {
			level.MinSeverity = alerting.Warning
		}
		if spec.MinSeverity != nil {
			level.MinSeverity = *spec.MinSeverity
		}
		if spec.Repeat != nil {
			level.Repeat = spec.Repeat.Std()
		}
		out.Levels = append(out.Levels, level)
	}
	return out
}

// EngineConfig is what the engine decides by.
func (c *Config) EngineConfig() alerting.Config {
	own := map[string]string{}
	for i := range c.Customers {
		own[c.Customers[i].Name] = c.Customers[i].Policy
	}
	return alerting.Config{
		Inventory: c.inv, Rules: c.rules, Policies: c.Policies(), DefaultPolicy: c.defaultPolicy(), Expected: c.expected(), Resolve: c.ResolveReceivers, Schedule: c.Schedule(),
		PolicyOf: func(ref inventory.Ref) string {
			if ref.Kind != inventory.KindCustomer {
				return ""
			}
			return own[ref.Name]
		},
	}
}

// expected lists the series that must come: what says whether a target can be reached, of every check that is run.
func (c *Config) expected() []alerting.Expected {
	var out []alerting.Expected
	for _, p := range c.checkSpecs() {
		for _, m := range p.spec.kind.Metrics {
			if collectors.Catalogue[m].Reachability {
				series := collectors.Series{Metric: m, Ref: p.ref, Instance: p.spec.instance()}
				out = append(out, alerting.Expected{Series: series, Every: p.spec.Every.Std()})
			}
		}
	}
	return out
}

// ReceiverParts is what receivers need besides their own configuration.
type ReceiverParts struct {
	Words   collectors.Words // the whole catalogue
	Logger  *slog.Logger
	Decide  alerting.Decide  // nil: nothing can be decided at a receiver
	History alerting.History // nil: no pictures
}

func (r *ReceiverSpec) setup(parts ReceiverParts) alerting.ReceiverSetup {
	logger := parts.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return alerting.ReceiverSetup{Receiver: r.build(), Words: parts.Words, Logger: logger, Decide: parts.Decide, History: parts.History}
}

func (r *ReceiverSpec) build() alerting.Receiver {
	return alerting.Receiver{Name: r.Name, Kind: r.Kind, Language: collectors.Lang(r.Language)}
}

// allReceivers are those of the file, and those of account managers and of people who have only an address.
func (c *Config) allReceivers() []*ReceiverSpec {
	var out []*ReceiverSpec
	for i := range c.ReceiverSpecs {
		out = append(out, &c.ReceiverSpecs[i])
	}
	for i := range c.managers {
		out = append(out, &c.managers[i])
	}
	return out
}

// ReceiverList names every receiver, those of the file first, then those that were made of addresses.
func (c *Config) ReceiverList() []alerting.Receiver {
	var out []alerting.Receiver
	for _, r := range c.allReceivers() {
		out = append(out, r.build())
	}
	return slices.Clip(out)
}

// Receivers opens every receiver, by name. It connects to nothing.
func (c *Config) Receivers(parts ReceiverParts) (map[string]alerting.Notifier, error) {
	out := map[string]alerting.Notifier{}
	for _, r := range c.allReceivers() {
		setup := r.setup(parts)
		setup.PublicURL, setup.Brand = c.PublicURL, c.Brand.Name
		notifier, err := r.own.Open(setup)
		if err != nil {
			return nil, fmt.Errorf("open receiver %s: %w", r.Name, err)
		}
		out[r.Name] = notifier
	}
	return out, nil
}

// ResolveReceivers turns a receiver name of a level into the names of receivers: itself, or for account_manager the receiver of the account
// manager of the customer that ref is, and none when ref is no customer or has no account manager.
func (c *Config) ResolveReceivers(ref inventory.Ref, name string) []string {
	if name != alerting.AccountManager {
		return []string{name}
	}
	if ref.Kind != inventory.KindCustomer {
		return nil
	}
	for i := range c.managers {
		if c.managers[i].manager == ref.Name {
			return []string{c.managers[i].Name}
		}
	}
	return nil
}
