package main

import (
	"net/netip"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// The types below are the keys of the configuration. The loader reads their tags, and so does the editors' schema:
//
//	yaml   the key
//	need   "yes" when it cannot be left out
//	is     the form of a text (config_forms.go); of a list, of each of its entries
//	enum   the words that are allowed
//	min    the smallest value: a number or a duration; max the largest

// BrandSpec is whose monitor this is.
type BrandSpec struct {
	Name string `yaml:"name" is:"label"`
	Logo string `yaml:"logo" is:"image"` // a file, relative to the configuration
}

// MailSpec is what e-mail receivers use that name no server or sender of their own.
type MailSpec struct {
	SMTP inventory.Secret `yaml:"smtp"` // smtp://user:password@host:587 or smtps://…
	From string           `yaml:"from" is:"sender"`
}

// RetentionSpec is how long things are kept.
type RetentionSpec struct {
	Samples   inventory.Duration `yaml:"samples" min:"1d" max:"100y"`
	Rollup1D  inventory.Duration `yaml:"rollup_1d" min:"1d" max:"100y"`
	Calls     inventory.Duration `yaml:"calls" min:"1d" max:"100y"`
	Intervals inventory.Duration `yaml:"intervals" min:"1d" max:"100y"`
}

// HeartbeatSpec is the dead man's switch: a URL that is called as long as everything works.
type HeartbeatSpec struct {
	URL   inventory.Secret   `yaml:"url" need:"yes"`
	Every inventory.Duration `yaml:"every" min:"1s" max:"1d"`
}

func (h *HeartbeatSpec) setDefaults() { h.Every = inventory.Duration(30 * time.Second) }

// SiteSpec is one entry of sites.
type SiteSpec struct {
	Name          string        `yaml:"name" need:"yes" is:"name"`
	Timezone      string        `yaml:"timezone" is:"timezone"`
	BusinessHours *BusinessSpec `yaml:"business_hours"`
}

// LinkSpec is one entry of links.
type LinkSpec struct {
	Name     string              `yaml:"name" need:"yes" is:"name"`
	Site     string              `yaml:"site" need:"yes"`
	Peer     string              `yaml:"peer" need:"yes" is:"label"`
	Capacity inventory.Bandwidth `yaml:"capacity"`
	Parents  []inventory.Ref     `yaml:"parents"`
	Checks   []CheckSpec         `yaml:"checks"`
}

// ServerSpec is one entry of servers.
type ServerSpec struct {
	Name    string          `yaml:"name" need:"yes" is:"name"`
	Site    string          `yaml:"site" need:"yes"`
	Media   []netip.Prefix  `yaml:"media"`
	Parents []inventory.Ref `yaml:"parents"`
	Checks  []CheckSpec     `yaml:"checks"`
}

// ServiceSpec is one entry of services.
type ServiceSpec struct {
	Name    string   `yaml:"name" need:"yes" is:"name"`
	Servers []string `yaml:"servers" need:"yes"`
	AtLeast int      `yaml:"at_least" need:"yes" min:"1"`
}

// TrunkSpec is one entry of trunks.
type TrunkSpec struct {
	Name     string          `yaml:"name" need:"yes" is:"name"`
	Site     string          `yaml:"site" need:"yes"`
	Via      []inventory.Ref `yaml:"via"`
	Networks []netip.Prefix  `yaml:"networks"`
	Parents  []inventory.Ref `yaml:"parents"`
	Checks   []CheckSpec     `yaml:"checks"`
}

// DestinationSpec is one entry of destinations.
type DestinationSpec struct {
	Name     string   `yaml:"name" need:"yes" is:"name"`
	Prefixes []string `yaml:"prefixes" need:"yes" is:"prefix"`
	Trunks   []string `yaml:"trunks" need:"yes"`
	AtLeast  int      `yaml:"at_least" min:"1"`
}

func (d *DestinationSpec) setDefaults() { d.AtLeast = 1 }

// CustomerSpec is one entry of customers.
type CustomerSpec struct {
	Name           string    `yaml:"name" need:"yes" is:"name"`
	AccountManager string    `yaml:"account_manager" is:"email"`
	Contact        string    `yaml:"contact" is:"label"`
	Language       string    `yaml:"language" enum:"en es"`
	Timezone       string    `yaml:"timezone" is:"timezone"`
	SLA            SLASpec   `yaml:"sla"`
	Reports        []string  `yaml:"reports" enum:"daily weekly monthly"`
	Policy         string    `yaml:"policy"`
	Match          MatchSpec `yaml:"match"`
}

func (c *CustomerSpec) setDefaults() { c.Language = string(collectors.English) }

// SLASpec is what a customer was promised.
type SLASpec struct {
	BadCallsPct float64 `yaml:"bad_calls_pct" min:"0" max:"100"`
}

// MatchSpec says which calls are a customer's.
type MatchSpec struct {
	Networks   []netip.Prefix `yaml:"networks"`
	SIPDomains []string       `yaml:"sip_domains" is:"domain"`
	Trunks     []string       `yaml:"trunks"`
	Numbers    []string       `yaml:"numbers" is:"prefix"`
}

// CheckSpec is one entry of a list of checks: the keys that every check has, and the kind's own.
type CheckSpec struct {
	Kind    string             `yaml:"kind" need:"yes"`
	Name    string             `yaml:"name" is:"name"` // the instance of its series; default: the kind
	From    string             `yaml:"from" is:"name"` // the collector that runs it; default: this one
	Every   inventory.Duration `yaml:"every" min:"1s" max:"7d"`
	Timeout inventory.Duration `yaml:"timeout" min:"10ms" max:"1h"`

	kind        *collectors.Kind // nil while the kind is unknown
	own         collectors.CheckConfig
	fingerprint string
}

// ThresholdSpec is one entry of thresholds.
type ThresholdSpec struct {
	Metric   string            `yaml:"metric" need:"yes" is:"metric"`
	On       inventory.Pattern `yaml:"on" need:"yes" is:"pattern"`
	Instance string            `yaml:"instance" is:"label"`
	Tiers    []TierSpec        `yaml:"tiers"`
	NoData   *NoDataSpec       `yaml:"nodata"`
	Confirm  *ConfirmSpec      `yaml:"confirm"`
	Flapping *FlappingSpec     `yaml:"flapping"`
	Policy   string            `yaml:"policy"`

	line int
}

// TierSpec is one tier of a threshold.
type TierSpec struct {
	Severity alerting.Severity  `yaml:"severity" need:"yes"`
	Raise    float64            `yaml:"raise" need:"yes"`
	Clear    float64            `yaml:"clear" need:"yes"`
	For      inventory.Duration `yaml:"for" max:"30d"`
	ClearFor inventory.Duration `yaml:"clear_for" max:"30d"`
	Samples  int                `yaml:"samples" min:"1" max:"1000"`
}

// NoDataSpec says when silence is an alarm.
type NoDataSpec struct {
	After    inventory.Duration `yaml:"after" need:"yes" min:"1s" max:"30d"`
	Severity alerting.Severity  `yaml:"severity" need:"yes"`
}

// ConfirmSpec asks for immediate probes when a level is crossed.
type ConfirmSpec struct {
	Probes int                `yaml:"probes" need:"yes" min:"1" max:"20"`
	Every  inventory.Duration `yaml:"every" min:"100ms" max:"1m"`
}

func (c *ConfirmSpec) setDefaults() { c.Every = inventory.Duration(time.Second) }

// FlappingSpec says how many changes within which window are flapping.
type FlappingSpec struct {
	Changes int                `yaml:"changes" need:"yes" min:"2" max:"1000"`
	Window  inventory.Duration `yaml:"window" need:"yes" min:"10s" max:"7d"`
}

// PolicySpec is one entry of policies.
type PolicySpec struct {
	Name       string             `yaml:"name" need:"yes" is:"name"`
	Levels     []LevelSpec        `yaml:"levels" need:"yes"`
	AckTimeout inventory.Duration `yaml:"ack_timeout" max:"30d"` // 0: until resolved
	Fallback   string             `yaml:"fallback"`
	Group      *GroupSpec         `yaml:"group"`
	Reopen     inventory.Duration `yaml:"reopen_within" max:"1d"` // 0: never
}

// GroupSpec says which alarms share an incident.
type GroupSpec struct {
	By     string             `yaml:"by" need:"yes" enum:"object site link trunk"`
	Within inventory.Duration `yaml:"within" min:"1s" max:"1d"`
}

func (g *GroupSpec) setDefaults() { g.Within = inventory.Duration(alerting.GroupWithin) }

func (p *PolicySpec) setDefaults() { p.AckTimeout = inventory.Duration(time.Hour) }

// LevelSpec is one level of a policy.
type LevelSpec struct {
	Name        string              `yaml:"name" is:"label"`
	After       inventory.Duration  `yaml:"after" max:"30d"`
	MinSeverity *alerting.Severity  `yaml:"min_severity"`
	Notify      []string            `yaml:"notify" need:"yes"`
	AfterHours  []string            `yaml:"notify_after_hours"`
	Repeat      *inventory.Duration `yaml:"repeat" min:"1s" max:"30d"`
}

// ReceiverSpec is one entry of receivers: the keys that every receiver has, and the kind's own.
type ReceiverSpec struct {
	Name     string `yaml:"name" need:"yes" is:"word"`
	Kind     string `yaml:"kind" need:"yes"`
	Language string `yaml:"language" enum:"en es"`

	own     alerting.ReceiverConfig
	manager string // the customer whose account manager it reaches; "" for the others
}

func (r *ReceiverSpec) setDefaults() { r.Language = string(collectors.English) }

func (c *Config) setDefaults() {
	const day = inventory.Duration(24 * time.Hour)
	c.Listen = "127.0.0.1:8080"
	c.Store = inventory.NewSecret("sqlite:vigia.db")
	c.Brand.Name = "Vigía"
	c.Retention = RetentionSpec{Samples: 400 * day, Rollup1D: 5 * 365 * day, Calls: 90 * day, Intervals: 14 * day}
}
