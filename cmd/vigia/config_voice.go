package main

import (
	"crypto/tls"
	"net/netip"
	"path/filepath"
	"time"

	"vigia/collectors/inventory"
	"vigia/collectors/wire"
)

// VoiceSpec is where reports about calls come from, and how their quality is judged.
type VoiceSpec struct {
	RTCP         *RTCPSpec         `yaml:"rtcp"`
	HEP          *HEPSpec          `yaml:"hep"`
	VQRTCPXR     *VQRTCPXRSpec     `yaml:"vqrtcpxr"`
	Capture      *CaptureSpec      `yaml:"capture"`
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

// HEPSpec is where HEP is received.
type HEPSpec struct {
	UDP     string           `yaml:"udp" is:"address"`
	TCP     string           `yaml:"tcp" is:"address"`
	TLS     string           `yaml:"tls" is:"address"`
	Cert    string           `yaml:"cert" is:"label"`     // PEM, relative to the configuration
	CertKey string           `yaml:"cert_key" is:"label"` // the same
	Allow   []netip.Prefix   `yaml:"allow"`
	Key     inventory.Secret `yaml:"key"`
}

// VQRTCPXRSpec is where SIP PUBLISH with vq-rtcpxr reports is received (RFC 6035).
type VQRTCPXRSpec struct {
	Listen string         `yaml:"listen" need:"yes" is:"address"`
	Allow  []netip.Prefix `yaml:"allow"`
}

// CaptureSpec is the interface on which packets are captured, such as one behind a mirror port.
type CaptureSpec struct {
	Interface string `yaml:"interface" need:"yes" is:"label"`
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

func (a *AgentSpec) setDefaults() { a.Dialect = wire.DialectAuto.String() }

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
	l.hepSource(v.HEP)
	if q := v.VQRTCPXR; q != nil && len(q.Allow) == 0 && l.at[q] != nil {
		l.problem(l.at[q], "nobody-allowed", "list the phones' networks under allow:", "vqrtcpxr answers nobody without allow")
	}
	if r := v.RTCP; r != nil && len(r.Allow) == 0 && r.Listen != "" && !loopback(r.Listen) {
		l.notice(l.at[r], "open-source", "rtcp takes packets of everybody, and makes no call of those whose signalling it does not know; list the senders' networks under allow:")
	}
	if j := v.JitterBuffer; j != nil && j.Min > j.Max {
		l.problem(l.where(&j.Min, j), "buffer-order", "", "min: %s is more than max (%s)", j.Min, j.Max)
	}
	if v.RTCP == nil && v.HEP == nil && v.VQRTCPXR == nil && v.Capture == nil {
		l.notice(l.at[v], "voice-without-source", "voice names no source of reports: rtcp, hep, vqrtcpxr or capture; no call will be seen")
	}
	l.agents(v, o)
	l.sameAddress(cfg)
	l.overlaps(cfg)
}

// hepSource looks at addresses, certificate and openness of HEP.
func (l *loader) hepSource(h *HEPSpec) {
	if h == nil {
		return
	}
	if h.UDP == "" && h.TCP == "" && h.TLS == "" {
		l.problem(l.at[h], "hep-without-address", "give udp:, tcp: or tls:, or several", "hep listens nowhere")
		return
	}
	if h.Key.IsZero() && len(h.Allow) == 0 && !(onlyHere(h.UDP) && onlyHere(h.TCP) && onlyHere(h.TLS)) {
		l.notice(l.at[h], "open-source", "hep takes messages of everybody; list the agents' networks under allow:")
	}
	for _, file := range []*string{&h.Cert, &h.CertKey} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(l.dir, *file)
		}
	}
	switch {
	case h.TLS == "" && (h.Cert != "" || h.CertKey != ""):
		l.problem(l.where(&h.Cert, h), "cert-without-tls", "give tls: an address, or take cert: and cert_key: out", "hep has a certificate and no tls")
	case h.TLS != "" && (h.Cert == "" || h.CertKey == ""):
		l.problem(l.at[&h.TLS], "tls-without-cert", "give cert: and cert_key:, both PEM files", "hep over tls needs a certificate and its key")
	case h.TLS != "":
		if _, err := tls.LoadX509KeyPair(h.Cert, h.CertKey); err != nil {
			l.problem(l.where(&h.Cert, h), "bad-cert", "cert: our certificate and what leads to its CA, cert_key: its private key, both PEM", "the certificate of hep cannot be used: %v", err)
		}
	}
}

// onlyHere reports whether an address is left out or this machine's own.
func onlyHere(address string) bool { return address == "" || loopback(address) }

// agents looks at the senders of HEP.
func (l *loader) agents(v *VoiceSpec, o *objects) {
	seen := map[uint32]int{}
	for i := range v.Agents {
		a := &v.Agents[i]
		l.mustExist(&a.Site, o, inventory.KindSite)
		if _, ok := wire.ParseDialect(a.Dialect); !ok {
			l.problem(l.where(&a.Dialect, a), "unknown-dialect", "one of "+dialects(), "dialect: %q is none that Vigía knows", a.Dialect)
		}
		if n := l.at[&a.ID]; n != nil {
			if line := seen[a.ID]; line > 0 {
				l.problem(n, "duplicate-agent", "", "the agent %d is there twice, first in line %d", a.ID, line)
			}
			seen[a.ID] = n.Line
		}
	}
}

// dialects names all there are.
func dialects() string {
	text := ""
	for d := wire.DialectAuto; d <= wire.DialectFreeSWITCH; d++ {
		if text != "" {
			text += ", "
		}
		text += d.String()
	}
	return text
}

// sameAddress notes two listeners on one address of one protocol.
func (l *loader) sameAddress(cfg *Config) {
	v := cfg.Voice
	by := map[[2]string]string{{"tcp", cfg.Listen}: "listen"}
	take := func(what string, address *string, protocols ...string) {
		if *address == "" {
			return
		}
		for _, p := range protocols {
			if other := by[[2]string{p, *address}]; other != "" {
				l.problem(l.at[address], "same-address", "give each its own port", "%s listens on %s over %s, and so does %s", what, *address, p, other)
				return
			}
			by[[2]string{p, *address}] = what
		}
	}
	if v.RTCP != nil {
		take("rtcp", &v.RTCP.Listen, "udp")
	}
	if v.HEP != nil {
		take("hep", &v.HEP.UDP, "udp")
		take("hep", &v.HEP.TCP, "tcp")
		take("hep", &v.HEP.TLS, "tcp")
	}
	if v.VQRTCPXR != nil {
		take("vqrtcpxr", &v.VQRTCPXR.Listen, "udp", "tcp")
	}
}
