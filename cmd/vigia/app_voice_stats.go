package main

import (
	"cmp"
	"net"
	"slices"
	"strings"

	"vigia/collectors"
	"vigia/collectors/capture"
	"vigia/collectors/hep"
	"vigia/collectors/intake"
	"vigia/collectors/rtcp"
	"vigia/collectors/voice"
	"vigia/collectors/vqrtcpxr"
	"vigia/web"
)

// voiceWords are the reasons for alarms about the receiving of reports.
var voiceWords = collectors.Words{
	"app.calls_unseen": {EN: "reports about calls are not received: {0}", ES: "no se reciben reportes de llamadas: {0}"},
	"app.calls_lost":   {EN: "the kernel dropped {0} % of the reports about calls of the last ten seconds: raise net.core.rmem_max, or give this machine more CPU", ES: "el núcleo descartó el {0} % de los reportes de llamadas de los últimos diez segundos: aumente net.core.rmem_max o dé más CPU a esta máquina"},
}

// onlyParts are counted beside a message that was used, or are no message at all.
var onlyParts = map[string]bool{
	hep.Longer.String(): true, hep.Broken.String(): true, hep.Stalled.String(): true, hep.Handshake.String(): true, hep.Connections.String(): true,
	rtcp.Excess.String(): true,
}

// counted makes a sorted list of what occurred, the most frequent first.
func counted(by map[string]uint64) (list []web.Counted, whole uint64) {
	for reason, n := range by {
		if n == 0 {
			continue
		}
		list = append(list, web.Counted{Reason: reason, N: n})
		if !onlyParts[reason] {
			whole += n
		}
	}
	slices.SortFunc(list, func(a, b web.Counted) int {
		return cmp.Or(cmp.Compare(b.N, a.N), strings.Compare(a.Reason, b.Reason))
	})
	return list, whole
}

// socket adds what a UDP socket says.
func socket(c *web.CallSource, s intake.UDPStats) {
	c.KernelDrops, c.BufferWanted, c.BufferGot = s.KernelDrops, s.Wanted, s.BufferBytes/2 // the kernel says twice what it gives
}

func rtcpSource(l *rtcp.Listener) web.CallSource {
	s := l.Stats()
	c := web.CallSource{Name: "rtcp", Address: l.Local().String(), Received: s.Socket.Datagrams}
	var whole uint64
	c.Dropped, whole = counted(s.Dropped)
	c.Decoded = c.Received - min(whole, c.Received)
	socket(&c, s.Socket)
	return c
}

// refusedBefore are the reasons for which hep does not count a message as one.
var refusedBefore = []hep.Reason{hep.NotAllowed, hep.TooFast, hep.TableFull, hep.NotHEP, hep.Malformed, hep.WrongKey}

func hepSource(l *hep.Listener) web.CallSource {
	s := l.Stats()
	c := web.CallSource{Name: "hep", Address: strings.Join(addressTexts(l.Addresses()), ", "), Received: s.Messages}
	for _, r := range refusedBefore {
		c.Received += s.Dropped[r.String()]
	}
	var whole uint64
	c.Dropped, whole = counted(s.Dropped)
	c.Decoded = c.Received - min(whole, c.Received)
	socket(&c, s.Socket)
	return c
}

// addressTexts are the different addresses among those of several protocols.
func addressTexts(all []net.Addr) (out []string) {
	for _, a := range all {
		if !slices.Contains(out, a.String()) {
			out = append(out, a.String())
		}
	}
	return out
}

func phonesSource(l *vqrtcpxr.Listener) web.CallSource {
	s := l.Stats()
	by := s.By
	c := web.CallSource{Name: "vqrtcpxr", Address: l.Addr().String(), Decoded: by[vqrtcpxr.Taken]}
	refused := map[string]uint64{}
	for reason, n := range by {
		if reason != vqrtcpxr.SendFailed { // counted beside the packet's own reason
			c.Received += n
		}
		if reason != vqrtcpxr.Taken {
			refused[reason.String()] = n
		}
	}
	c.Dropped, _ = counted(refused)
	socket(&c, s.Socket)
	return c
}

func captureSource(name string, l *capture.Live) web.CallSource {
	s := l.Stats()
	d := s.Decoded
	c := web.CallSource{Name: "capture", Address: name, Received: d.Packets, KernelDrops: s.Lost}
	c.Dropped, _ = counted(map[string]uint64{
		"cut": d.Cut, hep.Malformed.String(): d.Malformed, "unknown_link": d.UnknownLink, "unreadable": d.Unreadable, hep.Panic.String(): d.Panics,
		"other": d.OtherUDP + d.OtherTCP + d.RTP,
	})
	c.Decoded = d.SIP + d.RTCP + d.HEP
	c.Decoded -= min(c.Decoded, d.Unreadable)
	return c
}

// list tells of every source that is open.
func (m *callMonitor) list() []web.CallSource {
	var out []web.CallSource
	r := &m.open
	if r.rtcp != nil {
		out = append(out, rtcpSource(r.rtcp))
	}
	if r.hep != nil {
		out = append(out, hepSource(r.hep))
	}
	if r.phones != nil {
		out = append(out, phonesSource(r.phones))
	}
	if r.capture != nil {
		out = append(out, captureSource(m.sources.capture.Interface, r.capture))
	}
	return out
}

// health is what the page about Vigía itself and /metrics show.
func (m *callMonitor) health() *web.VoiceHealth {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.tracker.Stats()
	h := &web.VoiceHealth{
		Sources: m.list(), LossPct: m.lossPct, Calls: s.Calls, Inferred: s.Inferred, Streams: s.Streams, Finished: s.Finished, Evicted: s.Dropped[voice.ReasonEvicted],
	}
	if m.trouble != nil {
		h.Trouble = firstLine(m.trouble)
	}
	unused := make(map[string]uint64, len(s.Dropped))
	for reason, n := range s.Dropped {
		unused[reason.String()] = n
	}
	h.Unused, _ = counted(unused)
	return h
}

// measureLoss takes the share of packets that the kernel dropped since the last look. While it is more than one in a thousand the tracker marks
// its calls: what is missing then is our fault.
func (m *callMonitor) measureLoss() {
	m.mu.Lock()
	defer m.mu.Unlock()
	var taken, dropped uint64
	for _, c := range m.list() {
		taken, dropped = taken+c.Received, dropped+c.KernelDrops
	}
	share := lossShare(taken-min(m.taken, taken), dropped-min(m.dropped, dropped))
	m.taken, m.dropped, m.lossPct = taken, dropped, 100*share
	m.tracker.SetOwnLoss(share)
}

// lossShare is the share of dropped among all that came; 0 when nothing did.
func lossShare(taken, dropped uint64) float64 {
	if dropped == 0 {
		return 0
	}
	return float64(dropped) / float64(taken+dropped)
}

// samples are what the monitor says about itself.
func (m *callMonitor) samples(own func(collectors.Metric, float64, collectors.Reason) collectors.Sample) []collectors.Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	down, why := 0.0, collectors.Reason{}
	if m.trouble != nil {
		down, why = 1, collectors.Because("app.calls_unseen", firstLine(m.trouble))
	}
	loss := collectors.Reason{}
	if m.lossPct > 0 {
		loss = collectors.Because("app.calls_lost", m.lossPct)
	}
	return []collectors.Sample{own(collectors.VigiaVoiceDown, down, why), own(collectors.VigiaVoiceLossPct, m.lossPct, loss)}
}

// voiceHealth is what the monitor of calls says; nil without one, and on a standby.
func (a *app) voiceHealth() *web.VoiceHealth {
	d := a.on()
	if d == nil || d.calls == nil {
		return nil
	}
	return d.calls.health()
}
