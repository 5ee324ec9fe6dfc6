package main

import (
	"net/netip"
	"slices"
	"time"

	"vigia/collectors/capture"
	"vigia/collectors/hep"
	"vigia/collectors/rtcp"
	"vigia/collectors/voice"
	"vigia/collectors/vqrtcpxr"
	"vigia/collectors/wire"
	"vigia/mos"
)

// callRules say whose a call is. Reports alone make a call when they come from a network that is listed as a source's.
func (c *Config) callRules() *voice.Rules {
	extra := voice.Extra{AgentSites: map[uint32]string{}, InferPublished: true}
	if v := c.Voice; v != nil {
		for _, a := range v.Agents {
			extra.AgentSites[a.ID] = a.Site
		}
		if v.RTCP != nil {
			extra.InferSent = len(v.RTCP.Allow) > 0
		}
		if v.HEP != nil {
			extra.Infer = append(extra.Infer, v.HEP.Allow...)
		}
	}
	return voice.Compile(c.Inventory(), extra)
}

// assumedBuffer is the jitter buffer that is assumed where none is reported; nil: the E-model's own assumption.
func (c *Config) assumedBuffer() *mos.Buffer {
	if c.Voice == nil || c.Voice.JitterBuffer == nil {
		return nil
	}
	j := c.Voice.JitterBuffer
	return &mos.Buffer{Adaptive: j.Mode == "adaptive", Ms: float64(time.Duration(j.Max).Milliseconds())}
}

// callSources is where reports about calls come from: what the listeners are made from. A nil part is not configured.
type callSources struct {
	rtcp    *rtcp.Config
	hep     *hep.Config
	phones  *vqrtcpxr.Config
	capture *capture.LiveConfig
}

// sources are those of the configuration; nil without any.
func (c *Config) sources() *callSources {
	v := c.Voice
	if v == nil || v.RTCP == nil && v.HEP == nil && v.VQRTCPXR == nil && v.Capture == nil {
		return nil
	}
	s := &callSources{}
	if r := v.RTCP; r != nil {
		s.rtcp = &rtcp.Config{Listen: r.Listen, Allow: r.Allow}
	}
	if h := v.HEP; h != nil {
		s.hep = &hep.Config{UDP: h.UDP, TCP: h.TCP, TLS: h.TLS, Cert: h.Cert, CertKey: h.CertKey, Allow: h.Allow, Key: h.Key, Dialects: v.dialects()}
	}
	if q := v.VQRTCPXR; q != nil {
		s.phones = &vqrtcpxr.Config{Listen: q.Listen, Allow: q.Allow}
	}
	if f := v.Capture; f != nil {
		s.capture = &capture.LiveConfig{Interface: f.Interface}
	}
	return s
}

// dialects are those of the agents for which one is told.
func (v *VoiceSpec) dialects() map[uint32]wire.Dialect {
	out := map[uint32]wire.Dialect{}
	for _, a := range v.Agents {
		if d, ok := wire.ParseDialect(a.Dialect); ok && d != wire.DialectAuto {
			out[a.ID] = d
		}
	}
	return out
}

// sameSources reports whether two configurations receive from the same places in the same way.
func sameSources(a, b *Config) bool {
	s, t := a.sources(), b.sources()
	if s == nil || t == nil {
		return s == t
	}
	networks := func(s *callSources) (all []netip.Prefix) {
		if s.rtcp != nil {
			all = append(all, s.rtcp.Allow...)
		}
		all = append(all, netip.Prefix{})
		if s.hep != nil {
			all = append(all, s.hep.Allow...)
		}
		all = append(all, netip.Prefix{})
		if s.phones != nil {
			all = append(all, s.phones.Allow...)
		}
		return all
	}
	return s.addresses() == t.addresses() && slices.Equal(networks(s), networks(t)) && sameDialects(s, t)
}

func sameDialects(s, t *callSources) bool {
	if s.hep == nil || t.hep == nil {
		return true
	}
	for id, d := range s.hep.Dialects {
		if t.hep.Dialects[id] != d {
			return false
		}
	}
	return len(s.hep.Dialects) == len(t.hep.Dialects)
}

// addresses is everything about the sources that can be compared at once.
func (s *callSources) addresses() (out [8]string) {
	if s.rtcp != nil {
		out[0] = s.rtcp.Listen
	}
	if h := s.hep; h != nil {
		out[1], out[2], out[3], out[4], out[5] = h.UDP, h.TCP, h.TLS, h.Cert+"\n"+h.CertKey, h.Key.Reveal()
	}
	if s.phones != nil {
		out[6] = s.phones.Listen
	}
	if s.capture != nil {
		out[7] = s.capture.Interface
	}
	return out
}
