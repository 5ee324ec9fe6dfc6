package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// This file holds the parts of the language that a later version of Vigía carries out: the check kind snmp and everything under voice. They
// are read and checked as strictly as the rest, so that a file which is right today stays right, and Load says in a notice that they do
// nothing yet. When a kind arrives it brings its own type, which Load prefers, and its table here goes.

// Default times of a check that is not run.
const (
	plannedEvery   = 60 * time.Second
	plannedTimeout = 10 * time.Second
)

// plannedCheck returns the keys of a kind of a later version, or nil.
func plannedCheck(kind string) collectors.CheckConfig {
	if kind == "snmp" {
		return &snmpKeys{Port: 161, Version: "2c"}
	}
	return nil
}

func plannedChecks() []string { return []string{"snmp"} }

// snmpKeys are the keys of the check kind snmp.
type snmpKeys struct {
	Host      string           `yaml:"host" need:"yes"`
	Port      int              `yaml:"port" min:"1" max:"65535"`
	Version   string           `yaml:"version" enum:"2c 3"`
	Community inventory.Secret `yaml:"community"` // version 2c
	User      string           `yaml:"user"`      // version 3
	Auth      inventory.Secret `yaml:"auth"`      // version 3: algorithm:password
	Priv      inventory.Secret `yaml:"priv"`      // version 3: algorithm:password
	Interface string           `yaml:"interface" is:"label"`
}

// Validate compares the keys with the version.
func (s *snmpKeys) Validate() []collectors.Problem {
	var out []collectors.Problem
	add := func(key, hint, format string, args ...any) {
		out = append(out, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	switch s.Version {
	case "2c":
		if s.Community.IsZero() {
			add("community", "such as ${env:SNMP_RO}", "community is missing")
		}
		if s.User != "" || !s.Auth.IsZero() || !s.Priv.IsZero() {
			add("version", "write version: 3", "user, auth and priv belong to version 3")
		}
	case "3":
		if s.User == "" {
			add("user", "", "user is missing")
		}
		if !s.Community.IsZero() {
			add("community", "take it out or write version: 2c", "community belongs to version 2c")
		}
		if s.Auth.IsZero() && !s.Priv.IsZero() {
			add("priv", "give auth too", "priv needs auth (RFC 3414 §1.4)")
		}
	}
	if problem := algorithm(s.Auth, "md5", "sha", "sha224", "sha256", "sha384", "sha512"); problem != "" {
		add("auth", "such as sha256:${file:/run/secrets/auth}", "auth %s", problem)
	}
	if problem := algorithm(s.Priv, "des", "aes", "aes192", "aes256"); problem != "" {
		add("priv", "such as aes:${file:/run/secrets/priv}", "priv %s", problem)
	}
	return out
}

// algorithm says what is wrong with a secret of the form algorithm:password, or nothing. RFC 3414 §11.2 asks for eight characters.
func algorithm(s inventory.Secret, known ...string) string {
	if s.IsZero() {
		return ""
	}
	name, password, cut := strings.Cut(s.Reveal(), ":")
	switch {
	case !cut || !slices.Contains(known, name):
		return "does not begin with one of " + strings.Join(known, ", ") + " and a colon"
	case len(password) < 8:
		return "has a password shorter than 8 characters"
	}
	return ""
}

// Target is the host.
func (s *snmpKeys) Target() string { return s.Host }

// Open refuses: nothing of this version can run the check.
func (s *snmpKeys) Open(collectors.Setup) (collectors.Collector, error) {
	return nil, fmt.Errorf("kind snmp is not in this version")
}

// VoiceSpec is where reports about calls come from, and how their quality is judged.
type VoiceSpec struct {
	RTCP         *RTCPSpec         `yaml:"rtcp"`
	HEP          *HEPSpec          `yaml:"hep"`
	VQRTCPXR     *VQRTCPXRSpec     `yaml:"vqrtcpxr"`
	JitterBuffer *JitterBufferSpec `yaml:"jitter_buffer"`
	Agents       []AgentSpec       `yaml:"agents"`
	Numbers      NumbersSpec       `yaml:"numbers"`
}

func (v *VoiceSpec) setDefaults() { v.Numbers.Store = "full" }

// RTCPSpec is where raw RTCP is received, over UDP.
type RTCPSpec struct {
	Listen string         `yaml:"listen" need:"yes" is:"address"`
	Allow  []netip.Prefix `yaml:"allow"`
}

// HEPSpec is where HEP version 3 is received.
type HEPSpec struct {
	UDP   string           `yaml:"udp" is:"address"`
	TCP   string           `yaml:"tcp" is:"address"`
	Allow []netip.Prefix   `yaml:"allow"`
	Key   inventory.Secret `yaml:"key"`
}

// VQRTCPXRSpec is where SIP PUBLISH with vq-rtcpxr reports is received (RFC 6035).
type VQRTCPXRSpec struct {
	Listen string         `yaml:"listen" need:"yes" is:"address"`
	Allow  []netip.Prefix `yaml:"allow"`
}

// JitterBufferSpec is the receiver's buffer that is assumed where none is reported.
type JitterBufferSpec struct {
	Mode string             `yaml:"mode" need:"yes" enum:"adaptive fixed"`
	Min  inventory.Duration `yaml:"min" max:"1s"`
	Max  inventory.Duration `yaml:"max" min:"1ms" max:"5s"`
}

func (j *JitterBufferSpec) setDefaults() {
	j.Min, j.Max = inventory.Duration(40*time.Millisecond), inventory.Duration(200*time.Millisecond)
}

// AgentSpec is one sender of HEP, by its capture id.
type AgentSpec struct {
	ID      uint32 `yaml:"id" need:"yes"`
	Site    string `yaml:"site" need:"yes"`
	Dialect string `yaml:"dialect" is:"word"` // default: auto, found from what it sends
}

func (a *AgentSpec) setDefaults() { a.Dialect = "auto" }

// NumbersSpec says how much of the parties' numbers is kept.
type NumbersSpec struct {
	Store     string             `yaml:"store" enum:"full masked"`
	MaskAfter inventory.Duration `yaml:"mask_after" max:"100y"`
}

// voice checks what single values under voice cannot show.
func (l *loader) voice(cfg *Config, o *objects) {
	v := cfg.Voice
	if v == nil {
		return
	}
	l.notice(l.at[v], "planned-voice", "voice is not in this version of Vigía; nothing listens for reports about calls")
	if h := v.HEP; h != nil && h.UDP == "" && h.TCP == "" {
		l.problem(l.at[h], "hep-without-address", "give udp:, tcp: or both", "hep listens nowhere")
	}
	if j := v.JitterBuffer; j != nil && j.Min > j.Max {
		l.problem(l.where(&j.Min, j), "buffer-order", "", "min: %s is more than max (%s)", j.Min, j.Max)
	}
	seen := map[uint32]int{}
	for i := range v.Agents {
		a := &v.Agents[i]
		l.mustExist(&a.Site, o, inventory.KindSite)
		if n := l.at[&a.ID]; n != nil {
			if line := seen[a.ID]; line > 0 {
				l.problem(n, "duplicate-agent", "", "the agent %d is there twice, first in line %d", a.ID, line)
			}
			seen[a.ID] = n.Line
		}
	}
	l.sameAddress(v)
}

// sameAddress notes two listeners on one UDP address.
func (l *loader) sameAddress(v *VoiceSpec) {
	type listener struct {
		what    string
		address *string
	}
	var udp []listener
	if v.RTCP != nil {
		udp = append(udp, listener{"rtcp", &v.RTCP.Listen})
	}
	if v.HEP != nil {
		udp = append(udp, listener{"hep", &v.HEP.UDP})
	}
	if v.VQRTCPXR != nil {
		udp = append(udp, listener{"vqrtcpxr", &v.VQRTCPXR.Listen})
	}
	by := map[string]string{}
	for _, u := range udp {
		if other := by[*u.address]; other != "" {
			l.problem(l.at[u.address], "same-address", "give each its own port", "%s listens on %s, and so does %s", u.what, *u.address, other)
		}
		if *u.address != "" {
			by[*u.address] = u.what
		}
	}
}
