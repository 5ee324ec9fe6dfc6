package hep

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"vigia/collectors/voice"
)

// chunk is one HEP3 chunk of a vendor.
func chunk(vendor, kind uint16, body ...byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, vendor)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(6+len(body)))
	return append(b, body...)
}

func chunk16(kind, v uint16) []byte { return chunk(0, kind, byte(v>>8), byte(v)) }

func chunk32(kind uint16, v uint32) []byte {
	return chunk(0, kind, binary.BigEndian.AppendUint32(nil, v)...)
}

// hep3 joins chunks and counts the total length.
func hep3(chunks ...[]byte) []byte {
	b := append([]byte("HEP3\x00\x00"), slices.Concat(chunks...)...)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

const (
	capturedAt = 1_790_000_000
	micros     = 250_000
	agentID    = 2002
	callID     = "a84b4c76e66710@192.0.2.1"
)

// head are the chunks that every agent sends: 192.0.2.1:30001 → 192.0.2.2:40003, with the time, the type and the agent.
func head(kind uint8) []byte {
	return slices.Concat(
		chunk(0, 0x01, 2), chunk(0, 0x02, 17), chunk(0, chunkSrc4, 192, 0, 2, 1), chunk(0, chunkDst4, 192, 0, 2, 2),
		chunk16(chunkSrcPort, 30001), chunk16(chunkDstPort, 40003), chunk32(chunkSeconds, capturedAt), chunk32(chunkMicros, micros),
		chunk(0, chunkProtocol, kind), chunk32(chunkAgent, agentID),
	)
}

func text(kind uint16, s string) []byte { return chunk(0, kind, []byte(s)...) }

// message is a message of an agent with its correlation id.
func message(kind uint8, payload string) []byte {
	return hep3(head(kind), text(chunkCorrelation, callID), text(chunkName, "edge"), text(chunkPayload, payload))
}

const rtcpJSON = `{"sender_information":{"ntp_timestamp_sec":3998000000,"ntp_timestamp_usec":2147483648,"octets":160000,"rtp_timestamp":160000,"packets":1000},` +
	`"ssrc":11,"type":200,"report_count":1,"report_blocks":[{"source_ssrc":22,"highest_seq_no":69778,"fraction_lost":26,"ia_jitter":88,` +
	`"packets_lost":101,"lsr":305419896,"dlsr":65536}],"sdes_ssrc":11,"sdes_report_count":1,"sdes_information":[{"sdes_chunk_ssrc":11,"type":1,"text":"alice@192.0.2.1"}]}`

var (
	src = netip.MustParseAddrPort("192.0.2.1:30001")
	dst = netip.MustParseAddrPort("192.0.2.2:40003")
)

// recorder is a Sink that keeps copies, and fails when told to.
type recorder struct {
	mu        sync.Mutex
	reports   []voice.Report
	signals   []voice.Signal
	qualities []voice.Quality
	fail      bool
}

func (r *recorder) Report(p *voice.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		r.fail = false
		panic("a fault in the sink")
	}
	c := *p
	c.CorrelationID = slices.Clone(c.CorrelationID)
	r.reports = append(r.reports, c)
}

func (r *recorder) Signal(p *voice.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signals = append(r.signals, *p)
}

func (r *recorder) Quality(p *voice.Quality) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := *p
	c.CallID, c.CorrelationID = slices.Clone(c.CallID), slices.Clone(c.CorrelationID)
	r.qualities = append(r.qualities, c)
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.reports) + len(r.signals) + len(r.qualities)
}

// lockedLog is a log that may be read while it is written.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// bare is a Listener without sockets, to feed messages to.
func bare(cfg Config, d decoders, sink voice.Sink) *Listener {
	return closed(cfg, d, sink, slog.New(slog.DiscardHandler))
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("no %s within 10 s", what)
		case <-tick.C:
		}
	}
}
