package wire

import (
	"testing"

	"github.com/pion/rtcp"
)

var benchSR = cat(
	srOf(alice, 3_998_000_000, 0x80000000, 160_000, 1000, 160_000, rb(bob, 26, 101, 1<<16|4242, 88, 0x12345678, 65536)),
	sdesOf(alice, "alice@192.0.2.1"),
)

func BenchmarkRTCP(b *testing.B) {
	for name, data := range map[string][]byte{
		"SR+SDES": benchSR, "RR": rrOf(alice, rb(bob, 26, 101, 1<<16|4242, 88, 0x12345678, 65536)),
		"SR+SDES+XR": cat(benchSR, sub(rtcpXR, 0, u32(alice), voip(bob))),
	} {
		b.Run(name, func(b *testing.B) {
			var d RTCPDecoder
			var sink counter
			d.Begin(testSeen, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(data, &sink); err != nil {
					b.Fatal(err)
				}
			}
			if sink.n == 0 {
				b.Fatal("no report")
			}
		})
	}
}

func BenchmarkRTCPPion(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rtcp.Unmarshal(benchSR); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRTCPJSON(b *testing.B) {
	for name, data := range map[string]string{
		"rtpengine": fromRTPEngine, "captagent": fromCaptagent, "heplify": fromHeplify, "heplify2-XR": fromHeplify2XR, "asterisk": fromAsterisk, "hepipe": fromHepipe,
	} {
		b.Run(name, func(b *testing.B) {
			var d JSONDecoder
			var sink counter
			d.Begin(testSeen, nil, 0)
			octets := []byte(data)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Decode(octets, DialectAuto, &sink); err != nil {
					b.Fatal(err)
				}
			}
			if sink.n == 0 {
				b.Fatal("no report")
			}
		})
	}
}
