package main

import (
	"net/netip"
	"time"

	"vigia/collectors/inventory"
)

// This file holds the part of the language that a later version of Vigía carries out: everything under voice. It is read and checked as
// strictly as the rest, so that a file which is right today stays right, and Load says in a notice that it does nothing yet.

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
