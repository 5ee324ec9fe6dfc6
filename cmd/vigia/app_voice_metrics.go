package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"vigia/web"
)

// voiceMetrics is what is known of the receiving of reports about calls, for Prometheus. Counters begin at 0 when a source is opened again.
type voiceMetrics struct{ health func() *web.VoiceHealth }

// The metrics.
var (
	voiceReceived = voiceDesc("received_total", "Packets and messages that came, by source.", "source")
	voiceDecoded  = voiceDesc("decoded_total", "Of them those that were used.", "source")
	voiceDropped  = voiceDesc("dropped_total", "Packets, messages and parts of them that were not used, by source and reason.", "source", "reason")
	voiceKernel   = voiceDesc("kernel_drops_total", "Packets that the kernel dropped because the receive buffer was full.", "source")
	voiceWanted   = voiceDesc("receive_buffer_wanted_bytes", "Receive buffer that was asked for.", "source")
	voiceGot      = voiceDesc("receive_buffer_bytes", "Receive buffer that the kernel gave.", "source")
	voiceUp       = voiceDesc("up", "1 while the sources of reports about calls are open.")
	voiceCalls    = voiceDesc("calls", "Calls in memory.")
	voiceInferred = voiceDesc("calls_inferred", "Of them those whose signalling was not seen.")
	voiceStreams  = voiceDesc("streams", "Streams of all calls in memory.")
	voiceFinished = voiceDesc("calls_finished_total", "Calls that were handed to the store.")
	voiceUnused   = voiceDesc("facts_unused_total", "Facts that the tracker did not use, by reason.", "reason")
)

func voiceDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("vigia_voice_"+name, help, labels, nil)
}

// Describe leaves the collector unchecked: which sources there are shows itself.
func (*voiceMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect tells what is known now; nothing on a standby.
func (m *voiceMetrics) Collect(to chan<- prometheus.Metric) {
	h := m.health()
	if h == nil {
		return
	}
	put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	for _, s := range h.Sources {
		put(voiceReceived, prometheus.CounterValue, float64(s.Received), s.Name)
		put(voiceDecoded, prometheus.CounterValue, float64(s.Decoded), s.Name)
		put(voiceKernel, prometheus.CounterValue, float64(s.KernelDrops), s.Name)
		for _, d := range s.Dropped {
			put(voiceDropped, prometheus.CounterValue, float64(d.N), s.Name, d.Reason)
		}
		if s.BufferWanted > 0 {
			put(voiceWanted, prometheus.GaugeValue, float64(s.BufferWanted), s.Name)
			put(voiceGot, prometheus.GaugeValue, float64(s.BufferGot), s.Name)
		}
	}
	put(voiceUp, prometheus.GaugeValue, yes(h.Trouble == ""))
	put(voiceCalls, prometheus.GaugeValue, float64(h.Calls))
	put(voiceInferred, prometheus.GaugeValue, float64(h.Inferred))
	put(voiceStreams, prometheus.GaugeValue, float64(h.Streams))
	put(voiceFinished, prometheus.CounterValue, float64(h.Finished))
	for _, d := range h.Unused {
		put(voiceUnused, prometheus.CounterValue, float64(d.N), d.Reason)
	}
}
