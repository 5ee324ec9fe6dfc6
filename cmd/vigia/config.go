package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Kinds are the kinds of checks and receivers that this program has. The configuration knows no kind by itself.
type Kinds struct {
	Checks    []collectors.Kind
	Receivers []alerting.ReceiverKind
}

// Config is a configuration file that was read and found right (design §6). Its fields are what is written, with defaults filled in; its
// methods build what the rest of the program works with. It is immutable and holds no secret in a form that can be printed.
type Config struct {
	Listen       string            `yaml:"listen" is:"listen"`
	Store        inventory.Secret  `yaml:"store"`   // sqlite:PATH or postgres://…; may hold a password
	Journal      string            `yaml:"journal"` // the local journal's file; empty: JournalFile says where
	PublicURL    string            `yaml:"public_url" is:"httpurl"`
	Brand        BrandSpec         `yaml:"brand"`
	Mail         MailSpec          `yaml:"mail"`
	Retention    RetentionSpec     `yaml:"retention"`
	Heartbeat    *HeartbeatSpec    `yaml:"heartbeat"`
	Backup       *BackupSpec       `yaml:"backup"`
	Sites        []SiteSpec        `yaml:"sites"`
	Links        []LinkSpec        `yaml:"links"`
	Servers      []ServerSpec      `yaml:"servers"`
	Services     []ServiceSpec     `yaml:"services"`
	Trunks       []TrunkSpec       `yaml:"trunks"`
	Destinations []DestinationSpec `yaml:"destinations"`
	Customers    []CustomerSpec    `yaml:"customers"`
	SNMP         *SNMPSpec         `yaml:"snmp"`
	Voice        *VoiceSpec        `yaml:"voice"`
	Thresholds   []ThresholdSpec   `yaml:"thresholds"`

	People        []PersonSpec   `yaml:"people"`
	Rotations     []RotationSpec `yaml:"rotations"`
	BusinessHours *BusinessSpec  `yaml:"business_hours"`
	PolicySpecs   []PolicySpec   `yaml:"policies"`
	ReceiverSpecs []ReceiverSpec `yaml:"receivers"`

	file     string
	managers []ReceiverSpec // made of addresses: of account managers, where a policy tells them, and of people
	inv      *inventory.Inventory
	rules    *alerting.Rules
}

// maxFile bounds a configuration file: 5,000 devices with a few checks each take about 5 MB.
const maxFile = 64 << 20

// Load reads a configuration file. When anything is wrong the error is a ConfigErrors that lists every mistake, and there is no Config.
// Notices are returned in both cases: what is accepted and deserves a word. Load reads the variables and files that secrets are kept in
// and opens every collector and receiver once, to see that they can be opened; it connects to nothing.
func Load(path string, kinds Kinds) (*Config, []Notice, error) {
	data, err := readConfig(path)
	if err != nil {
		return nil, nil, ConfigErrors{{File: path, Rule: "file-unreadable", Message: fileProblem(err), Hint: "give the file with -c"}}
	}
	return parseConfig(path, data, kinds)
}

func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("larger than %d MB", maxFile>>20)
	}
	return data, err
}

// parseConfig reads a configuration that lies in memory; path is for messages and for what is relative to the file.
func parseConfig(path string, data []byte, kinds Kinds) (*Config, []Notice, error) {
	l := newLoader(path, filepath.Dir(path), kinds)
	cfg := &Config{file: path}
	cfg.setDefaults()
	if root := l.document(data); root != nil {
		l.mail = child(root, "mail")
		l.structure(root, cfg)
		l.examine(cfg)
	}
	if len(l.errs) > 0 {
		return nil, l.sortedNotices(), l.errs.sorted()
	}
	if err := cfg.prepare(); err != nil {
		return nil, l.sortedNotices(), ConfigErrors{{File: path, Rule: "inventory", Message: err.Error()}}
	}
	return cfg, l.sortedNotices(), nil
}

// examine looks at everything that a single value cannot show: names, references, orders.
func (l *loader) examine(cfg *Config) {
	l.addresses(cfg)
	l.backup(cfg)
	objects := l.objects(cfg)
	l.snmp(cfg)
	l.checks(cfg)
	l.references(cfg, objects)
	l.cycles(cfg)
	l.claims(cfg)
	l.voice(cfg, objects)
	l.thresholds(cfg, objects)
	l.policies(cfg)
	l.receivers(cfg)
}

// File is the path that the configuration was read from.
func (c *Config) File() string { return c.file }

// Format prints the file's name and nothing that it holds, whatever the verb: a Config in a log line is a mistake, not a leak.
func (c *Config) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "configuration %s", c.file) }

// Summary counts what the configuration holds: "2 sites, 3 links, …".
func (c *Config) Summary() string {
	counts := []struct {
		n         int
		one, more string
	}{
		{len(c.Sites), "site", "sites"},
		{len(c.Links), "link", "links"},
		{len(c.Servers), "server", "servers"},
		{len(c.Services), "service", "services"},
		{len(c.Trunks), "trunk", "trunks"},
		{len(c.Destinations), "destination", "destinations"},
		{len(c.Customers), "customer", "customers"},
		{len(c.checkSpecs()), "check", "checks"},
		{len(c.Thresholds), "threshold", "thresholds"},
		{len(c.People), "person", "people"},
		{len(c.Rotations), "rotation", "rotations"},
		{len(c.PolicySpecs), "policy", "policies"},
		{len(c.ReceiverSpecs), "receiver", "receivers"},
	}
	text := ""
	for _, part := range counts {
		if part.n == 0 {
			continue
		}
		word := part.more
		if part.n == 1 {
			word = part.one
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", part.n, word)
	}
	if text == "" {
		return "nothing is watched yet"
	}
	return text
}

// placedCheck is a check and the object that it is written under.
type placedCheck struct {
	ref      inventory.Ref
	capacity inventory.Bandwidth
	files    string // the folder of the operator's own that its kind reads
	state    string // of that folder
	spec     *CheckSpec
}

// checkSpecs lists every check with its object, in the order of the file.
func (c *Config) checkSpecs() []placedCheck {
	var out []placedCheck
	add := func(kind inventory.Kind, name string, capacity inventory.Bandwidth, specs []CheckSpec) {
		for i := range specs {
			files, state := c.filesOf(specs[i].Kind)
			out = append(out, placedCheck{inventory.Ref{Kind: kind, Name: name}, capacity, files, state, &specs[i]})
		}
	}
	for i := range c.Links {
		add(inventory.KindLink, c.Links[i].Name, c.Links[i].Capacity, c.Links[i].Checks)
	}
	for i := range c.Servers {
		add(inventory.KindServer, c.Servers[i].Name, 0, c.Servers[i].Checks)
	}
	for i := range c.Trunks {
		add(inventory.KindTrunk, c.Trunks[i].Name, 0, c.Trunks[i].Checks)
	}
	return slices.Clip(out)
}
