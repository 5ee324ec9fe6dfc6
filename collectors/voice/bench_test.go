package voice

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// load is many calls at once, each with its own addresses and SSRCs, set up as decoders would.
type load struct {
	*story
	ids [][]byte
}

func newLoad(t testing.TB, calls int, change ...func(*Config)) *load {
	l := &load{story: newStory(t, append(change, func(c *Config) { c.Shards = 16 })...)}
	for i := range calls {
		l.ids = append(l.ids, fmt.Appendf(nil, "%08x-4f1c-11ef@sbc.example", i))
	}
	return l
}

// media is where a party of a call takes media: an address of its own for every 20,000 calls.
func (l *load) media(i int, w whom) netip.AddrPort {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], [2]uint32{198<<24 | 51<<16 | 100<<8, 203<<24 | 113<<8}[w]+uint32(i/20000))
	return netip.AddrPortFrom(netip.AddrFrom4(b), uint16(10000+2*(i%20000)))
}

func (l *load) setUp(i int) {
	l.id, l.caller, l.callee = string(l.ids[i]), l.media(i, caller), l.media(i, callee)
	l.number = fmt.Sprintf("+502%08d", i)
	l.up(0)
}

// fill makes r the n-th report of one party of a call, without allocating.
func (l *load) fill(r *Report, i int, n uint32, by whom, at time.Time) {
	a, b := ssrcA+uint32(i)<<1, uint32(ssrcB)-uint32(i)<<1
	src, dst := l.media(i, by), l.media(i, by.other())
	if by == callee {
		a, b = b, a
	}
	*r = Report{
		Has:    HasReporter | HasSource | HasSenderCounts | HasSenderTime | HasFraction | HasCumulative | HasSequence | HasJitter | HasLSR,
		Seen:   Seen{Observer: l.seen, At: at, Arrived: at, Src: src, Dst: dst},
		Source: b, Reporter: a, FractionLost: 1, CumulativeLost: int32(n), HighestSeq: 250 * n, JitterTicks: 80 + n%16,
		SentPackets: 250 * n, SentOctets: 250 * 160 * n, SenderRTP: 250 * 160 * n, SenderNTP: uint64(n) << 34,
		LSR: (n - 1) << 18, DLSR: 1<<16 + n,
	}
	if l.corr {
		r.CorrelationID = l.ids[i]
	}
}

func heapNow() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkReports is what a report costs among 100,000 calls, and what such a call holds in memory after three minutes of reports every five
// seconds in both directions.
func BenchmarkReports(b *testing.B) {
	for _, way := range []string{"correlation", "address"} {
		b.Run(way, func(b *testing.B) {
			const calls = 100_000
			l := newLoad(b, calls)
			l.corr = way == "correlation"
			before := heapNow()
			for i := range calls {
				l.setUp(i)
			}
			var r Report
			for n := uint32(1); n <= 36; n++ {
				at := l.at(5 * float64(n))
				for i := range calls {
					l.fill(&r, i, n, caller, at)
					l.tr.Report(&r)
					l.fill(&r, i, n, callee, at)
					l.tr.Report(&r)
				}
			}
			held := heapNow() - before
			b.ReportAllocs()
			b.ResetTimer()
			n, i := uint32(37), 0
			at := l.at(5 * float64(n))
			for range b.N {
				l.fill(&r, i, n, caller, at)
				l.tr.Report(&r)
				if i++; i == calls {
					n, i = n+1, 0
					at = l.at(5 * float64(n))
				}
			}
			b.ReportMetric(float64(held)/calls, "octets/call")
			if st := l.tr.Stats(); st.Calls != calls || st.Dropped[ReasonDuplicate] > 0 {
				b.Fatalf("%+v", st)
			}
		})
	}
}

// BenchmarkCall is a whole call: seven SIP messages, 72 reports, and its scoring at the end.
func BenchmarkCall(b *testing.B) {
	l := newLoad(b, 1)
	b.ReportAllocs()
	for i := range b.N {
		l.ids[0] = fmt.Appendf(l.ids[0][:0], "%08x-4f1c-11ef@sbc.example", i)
		l.start = l.start.Add(200 * time.Second)
		l.setUp(0)
		var r Report
		for n := uint32(1); n <= 36; n++ {
			l.fill(&r, 0, n, caller, l.at(5*float64(n)))
			l.tr.Report(&r)
			l.fill(&r, 0, n, callee, l.at(5*float64(n)))
			l.tr.Report(&r)
		}
		l.bye(181)
		l.tr.Tick(l.at(187))
	}
	if len(l.calls) != b.N {
		b.Fatalf("%d calls of %d", len(l.calls), b.N)
	}
}
