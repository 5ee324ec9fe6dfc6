package capture

import "vigia/collectors/voice"

// LiveConfig is where packets are captured (voice.capture).
type LiveConfig struct {
	Interface string `yaml:"interface"`
}

// LiveStats counts what was captured.
type LiveStats struct {
	Decoded Stats // RTP is missing from it: the kernel drops RTP before it costs anything
	// Lost is how many packets the kernel had no room for. While it grows, reports about calls are missing.
	Lost uint64
}

// viaCapture is by which way the facts of an interface came.
const viaCapture = voice.ViaCapture
