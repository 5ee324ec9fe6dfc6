package capture

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/layers"

	"vigia/collectors/voice"
)

// decode takes packets of one link type.
func decode(link layers.LinkType, packets ...[]byte) (*keeper, *Decoder) {
	k := &keeper{}
	d := New(Config{Via: voice.ViaReplay, Sink: k})
	for i, p := range packets {
		d.Packet(&Packet{At: noon.Add(time.Duration(i) * time.Millisecond), Link: link, Data: p})
	}
	return k, d
}

func TestLayers(t *testing.T) {
	plain := ip4(ana, bob, 17, udp(4001, 5001, report(1, 2, 0, 100)))
	six := ip6(ana6, bob6, 17, udp(4001, 5001, report(1, 2, 0, 100)))
	frame := ethernet(0x0800, plain)
	const four, sixes = "report 192.0.2.1:4001>198.51.100.2:5001 1/2 enc=false", "report [2001:db8::1]:4001>[2001:db8::2]:5001 1/2 enc=false"
	for name, c := range map[string]struct {
		link layers.LinkType
		data []byte
		want string
	}{
		"Ethernet":             {1, frame, four},
		"Ethernet, padded":     {1, join(frame, make([]byte, 12)), four},
		"Ethernet, IPv6":       {1, ethernet(0x86dd, six), sixes},
		"VLAN":                 {1, ethernet(0x8100, join(u16(5), u16(0x0800), plain)), four},
		"QinQ":                 {1, ethernet(0x88a8, join(u16(5), u16(0x8100), u16(7), u16(0x86dd), six)), sixes},
		"MPLS":                 {1, ethernet(0x8847, join([]byte{0, 1, 0, 64, 0, 2, 1, 64}, plain)), four},
		"PPPoE":                {1, ethernet(0x8864, join([]byte{0x11, 0, 0, 1}, u16(2+len(plain)), u16(0x21), plain)), four},
		"raw IP":               {101, plain, four},
		"raw IPv6":             {101, six, sixes},
		"BSD loopback":         {0, join([]byte{2, 0, 0, 0}, plain), four},
		"Linux cooked 1":       {113, join(make([]byte, 14), u16(0x0800), plain), four},
		"Linux cooked 1, VLAN": {113, join(make([]byte, 14), u16(0x8100), u16(5), u16(0x0800), plain), four},
		"Linux cooked 2":       {276, join(u16(0x86dd), make([]byte, 18), six), sixes},
		"IPIP":                 {101, ip4(bob, ana, 4, plain), four},
		"6in4":                 {101, ip4(bob, ana, 41, six), sixes},
		"GRE":                  {101, ip4(bob, ana, 47, join(u16(0), u16(0x0800), plain)), four},
		"GRE, key, sequence":   {101, ip4(bob, ana, 47, join(u16(0x3000), u16(0x0800), u32(9), u32(1), plain)), four},
		"GRE, Ethernet":        {101, ip4(bob, ana, 47, join(u16(0), u16(0x6558), frame)), four},
		"ERSPAN I":             {101, ip4(bob, ana, 47, join(u16(0), u16(0x88be), frame)), four},
		"ERSPAN II":            {101, ip4(bob, ana, 47, join(u16(0x1000), u16(0x88be), u32(1), make([]byte, 8), frame)), four},
		"ERSPAN III":           {101, ip4(bob, ana, 47, join(u16(0x1000), u16(0x22eb), u32(1), make([]byte, 12), frame)), four},
		"VXLAN":                {101, ip4(bob, ana, 17, udp(9999, 4789, join([]byte{8, 0, 0, 0, 0, 0, 5, 0}, frame))), four},
		"IPv6 options":         {101, ip6(ana6, bob6, 0, join([]byte{17, 0, 0, 0, 0, 0, 0, 0}, udp(4001, 5001, report(1, 2, 0, 100)))), sixes},
		"offload, no length":   {101, slices.Replace(slices.Clone(plain), 2, 4, 0, 0), four},
		"too deep":             {101, wrap(plain, 20), ""},
		"cut Ethernet":         {1, frame[:10], ""},
		"cut IP":               {1, frame[:30], ""},
		"IP header too short":  {101, slices.Replace(slices.Clone(plain), 0, 1, 0x41), ""},
		"unknown link":         {200, plain, ""},
		"empty":                {1, nil, ""},
	} {
		k, d := decode(c.link, c.data)
		if k.String() != c.want || d.Err() != nil {
			t.Errorf("%s: %q, want %q; %v", name, k, c.want, d.Err())
		}
	}
}

func wrap(packet []byte, times int) []byte {
	for range times {
		packet = ip4(bob, ana, 4, packet)
	}
	return packet
}

func TestFragments(t *testing.T) {
	whole := udp(5060, 5061, sip("INVITE", description+strings.Repeat("a=x:y\r\n", 300)))
	const want = "sip 192.0.2.1:5060>198.51.100.2:5061 1 c1 1"
	part := func(from, to int, more int) []byte { return ip4part(ana, bob, 17, 77, more<<13|from/8, whole[from:to]) }
	a, b, c := part(0, 800, 1), part(800, 1600, 1), part(1600, len(whole), 0)
	six := func(from, to int, more int) []byte {
		return ip6(ana6, bob6, 44, join([]byte{17, 0}, u16(from|more), u32(9), whole[from:to]))
	}
	other := ip4part(ana, bob, 17, 78, 1<<13, whole[:800])
	for name, test := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"in order": {[][]byte{a, b, c}, want}, "out of order": {[][]byte{c, a, b}, want}, "twice": {[][]byte{a, a, b, b, c}, want},
		"one missing": {[][]byte{a, c}, ""}, "of two packets": {[][]byte{other, b, c}, ""}, "overlapping": {[][]byte{a, part(400, 1600, 1), c}, want},
		"IPv6":          {[][]byte{six(0, 800, 1), six(800, len(whole), 0)}, strings.NewReplacer("192.0.2.1", "[2001:db8::1]", "198.51.100.2", "[2001:db8::2]").Replace(want)},
		"atomic":        {[][]byte{six(0, len(whole), 0)}, strings.NewReplacer("192.0.2.1", "[2001:db8::1]", "198.51.100.2", "[2001:db8::2]").Replace(want)},
		"beyond 64 KiB": {[][]byte{a, b, ip4part(ana, bob, 17, 77, 0x1fff, whole[:800])}, ""},
	} {
		k, d := decode(101, test.packets...)
		if k.String() != test.want || d.Err() != nil {
			t.Errorf("%s: %q, want %q", name, k, test.want)
		}
		if test.want != "" && len(d.assembling) != 0 {
			t.Errorf("%s: %d packets are still held", name, len(d.assembling))
		}
	}
	_, d := decode(101)
	for i := range 3 * maxAssembling {
		d.Packet(&Packet{At: noon.Add(time.Duration(i) * 10 * time.Millisecond), Link: 101, Data: ip4part(ana, bob, 17, i, 1<<13, whole[:8])})
	}
	if len(d.assembling) > maxAssembling {
		t.Errorf("%d packets held", len(d.assembling))
	}
}

func TestTCP(t *testing.T) {
	one, two := sip("INVITE", description), sip("BYE", "")
	both := join(one, two)
	const first, second = "sip 192.0.2.1:5060>198.51.100.2:5061 1 c1 1", "sip 192.0.2.1:5060>198.51.100.2:5061 3 c1 0"
	segment := func(from, to int) []byte {
		return ip4(ana, bob, 6, tcp(5060, 5061, 0xffffff00+from, 0x18, both[from:to]))
	}
	n, m := len(one), len(both)
	for name, c := range map[string]struct {
		packets [][]byte
		want    string
	}{
		"in one":          {[][]byte{segment(0, m)}, first + "; " + second},
		"in pieces":       {[][]byte{segment(0, 10), segment(10, 200), segment(200, n+5), segment(n+5, m)}, ""},
		"long pieces":     {[][]byte{segment(0, 60), segment(60, 200), segment(200, n+5), segment(n+5, m)}, first + "; " + second},
		"out of order":    {[][]byte{segment(0, 60), segment(n+5, m), segment(200, n+5), segment(60, 200)}, first + "; " + second},
		"sent again":      {[][]byte{segment(0, 60), segment(0, 60), segment(30, 200), segment(60, m)}, first + "; " + second},
		"from the middle": {[][]byte{segment(50, n), segment(n, m)}, second},
		"a hole":          {[][]byte{segment(0, 60), segment(200, n), segment(n, m)}, ""},
		"not SIP":         {[][]byte{ip4(ana, bob, 6, tcp(1, 2, 5, 0x18, []byte("GET / HTTP/1.1\r\n\r\n")))}, ""},
		"new connection":  {[][]byte{segment(0, 60), ip4(ana, bob, 6, tcp(5060, 5061, 1, 0x02, nil)), segment(n, m)}, second},
	} {
		k, d := decode(101, c.packets...)
		if k.String() != c.want || d.Err() != nil {
			t.Errorf("%s: %q, want %q; %v", name, k, c.want, d.Err())
		}
	}
	_, d := decode(101)
	for i := range 2 * maxStreams {
		d.Packet(&Packet{At: noon, Link: 101, Data: ip4(ana, bob, 6, tcp(i%60000, i/60000, 1, 0x18, one[:60]))})
	}
	if len(d.streams) != maxStreams {
		t.Errorf("%d streams held", len(d.streams))
	}
	d.Packet(&Packet{At: noon.Add(time.Hour), Link: 101, Data: ip4(bob, ana, 6, tcp(1, 2, 1, 0x18, one[:60]))})
	if len(d.streams) != 1 {
		t.Errorf("%d streams held after an hour of silence", len(d.streams))
	}
}

func TestContents(t *testing.T) {
	srtcp := join(report(1, 2, 0, 100)[:8], bytes.Repeat([]byte{0x5a}, 24), u32(1<<31|5), bytes.Repeat([]byte{0xa5}, 10))
	announced := ip4(bob, ana, 17, udp(5060, 5060, sip("INVITE", description)))
	packet := func(payload []byte) []byte { return ip4(ana, bob, 17, udp(4001, 5001, payload)) }
	for name, c := range map[string]struct {
		packets [][]byte
		want    string
		count   func(*Stats) uint64
	}{
		"RTP":                          {[][]byte{packet(join([]byte{0x80, 0}, make([]byte, 170)))}, "", func(s *Stats) uint64 { return s.RTP }},
		"noise":                        {[][]byte{packet([]byte("hello"))}, "", func(s *Stats) uint64 { return s.OtherUDP }},
		"SRTCP of nobody":              {[][]byte{packet(srtcp)}, "", func(s *Stats) uint64 { return s.RTP }},
		"SRTCP where SDP announces it": {[][]byte{announced, packet(srtcp)}, "sip 198.51.100.2:5060>192.0.2.1:5060 1 c1 1; report 192.0.2.1:4001>198.51.100.2:5001 1/0 enc=true", func(s *Stats) uint64 { return s.Encrypted }},
		"junk behind a header":         {[][]byte{packet(join(report(1, 2, 0, 1), []byte("junk!")))}, "", func(s *Stats) uint64 { return s.RTP }},
		"vq-rtcpxr": {
			[][]byte{packet([]byte("PUBLISH sip:c SIP/2.0\r\nCall-ID: x\r\nCSeq: 1 PUBLISH\r\nContent-Type: application/vq-rtcpxr\r\n\r\nVQSessionReport\r\nCallID:q1\r\n"))},
			"quality q1", func(s *Stats) uint64 { return s.SIP },
		},
		"broken SIP": {[][]byte{packet([]byte("BYE sip:c SIP/2.0\r\nX: y\r\n\r\n"))}, "", func(s *Stats) uint64 { return s.Unreadable }},
	} {
		k, d := decode(101, c.packets...)
		stats := d.Stats()
		if k.String() != c.want || c.count(&stats) != 1 {
			t.Errorf("%s: %q, want %q; %+v", name, k, c.want, stats)
		}
	}
}

func TestHEPInside(t *testing.T) {
	message := join([]byte("HEP3"), u16(12), []byte{0, 0, 0, 11, 0, 6})
	var got []string
	d := New(Config{Sink: &keeper{}, HEP: func(m []byte, from netip.Addr, at time.Time) {
		got = append(got, fmt.Sprint(len(m), from, at.Equal(noon)))
	}})
	for _, p := range [][]byte{ip4(ana, bob, 17, udp(1, 9060, message)), ip4(ana, bob, 6, tcp(1, 9060, 1, 0x18, join(message, message[:5]))), ip4(ana, bob, 6, tcp(1, 9060, 18, 0x18, message[5:]))} {
		d.Packet(&Packet{At: noon, Link: 101, Data: p})
	}
	if want := "[12 192.0.2.1 true 12 192.0.2.1 true 12 192.0.2.1 true]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// FuzzPacket: no octets of any link type make the decoder panic.
func FuzzPacket(f *testing.F) {
	plain := ip4(ana, bob, 17, udp(4001, 5001, report(1, 2, 0, 100)))
	f.Add(uint16(1), ethernet(0x8100, join(u16(5), u16(0x0800), plain)), plain)
	f.Add(uint16(101), ip4(bob, ana, 47, join(u16(0x1000), u16(0x88be), u32(1), make([]byte, 8), ethernet(0x0800, plain))), ip4part(ana, bob, 17, 7, 1, plain))
	f.Add(uint16(276), ip6(ana6, bob6, 44, join([]byte{17, 0}, u16(1), u32(9), plain)), ip4(ana, bob, 6, tcp(1, 2, 3, 0x18, sip("BYE", ""))))
	f.Fuzz(func(t *testing.T, link uint16, one, two []byte) {
		if _, d := decode(layers.LinkType(link), one, two, one); d.Err() != nil {
			t.Error(d.Err())
		}
	})
}

// TestSharedCaptures reads recordings that nobody in this project made, where they are there.
func TestSharedCaptures(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "captures")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("outside the repository: no captures beside it (%s)", dir)
	}
	for name, want := range map[string]Stats{
		"sipnab_sip-over-tcp.pcap":         {Packets: 84, SIP: 7, RTCP: 2, RTP: 66},
		"sipnab_rtp-protocol.pcap":         {Packets: 259, SIP: 9, RTCP: 2, RTP: 248},
		"sipnab_Asterisk_ZFONE_XLITE.pcap": {Packets: 1042, SIP: 27, RTCP: 7, Encrypted: 5, RTP: 997},
	} {
		packets, err := readAll(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		k := &keeper{}
		d := New(Config{Via: voice.ViaReplay, Sink: k})
		for i := range packets {
			d.Packet(&packets[i])
		}
		got := d.Stats()
		got.OtherTCP, got.OtherUDP = 0, 0
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func BenchmarkPacketRTP(b *testing.B)  { benchmark(b, join([]byte{0x80, 0}, make([]byte, 170))) }
func BenchmarkPacketRTCP(b *testing.B) { benchmark(b, report(1, 2, 0, 100)) }

func benchmark(b *testing.B, payload []byte) {
	d := New(Config{Via: voice.ViaReplay, Sink: &discard{}})
	p := Packet{At: noon, Link: 1, Data: ethernet(0x0800, ip4(ana, bob, 17, udp(4001, 5001, payload)))}
	b.ReportAllocs()
	for b.Loop() {
		d.Packet(&p)
	}
}

type discard struct{}

func (discard) Report(*voice.Report)   {}
func (discard) Signal(*voice.Signal)   {}
func (discard) Quality(*voice.Quality) {}
