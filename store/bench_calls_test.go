package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"vigia/collectors/voice"
	"vigia/store"
	"vigia/store/storetest"
)

// busyCalls are calls of a network of 300 customers and 20 trunks, about 12 a second, in the order in which they end: four in five are measured in
// two streams of some minutes, one in eight of these is impaired.
func busyCalls(random *rand.Rand, from time.Time, first, n int) []voice.Call {
	calls := make([]voice.Call, n)
	packed := make([]byte, 36*8)
	for i := range calls {
		number := first + i
		start := from.Add(time.Duration(number)*85*time.Millisecond + time.Duration(random.IntN(120_000_000))*time.Microsecond)
		customer := random.IntN(300)
		c := &calls[i]
		*c = voice.Call{
			ID: fmt.Sprintf("%08x-%d-%08x@203.0.113.7", random.Uint32(), number, random.Uint32()), Customer: fmt.Sprint("customer-", customer),
			Trunk: voice.Text(fmt.Sprint("carrier-", random.IntN(20))), Site: "san-jose", Revision: 1, Signalled: true, Status: 200, Q850: 16, Why: "hangup", Legs: 1,
			From: voice.Text(fmt.Sprintf("+5062%03d%04d", customer, random.IntN(10_000))), To: voice.Text(fmt.Sprintf("+%d%08d", 501+random.IntN(20), random.IntN(100_000_000))),
			Start: start, Answered: start.Add(4 * time.Second), End: start.Add(180 * time.Second), Codec: "PCMA", PDDMS: ptr(850.0),
			Network: voice.Text(fmt.Sprintf("198.51.%d.7", customer%256)), Country: "GT", UserAgent: voice.Text(fmt.Sprint("phone/1.", random.IntN(8))), Streams: []voice.Stream{},
		}
		if random.IntN(5) == 0 {
			c.CoveragePct = ptr(0.0)
			continue
		}
		r := 93 - 3*random.Float64()
		if random.IntN(8) == 0 {
			r, c.Cause = 30+50*random.Float64(), oneOf[voice.Text](random, "loss", "late", "delay")
		}
		for _, direction := range []string{voice.CallerToCallee, voice.CalleeToCaller} {
			c.Streams = append(c.Streams, voice.Stream{
				Side: voice.Access, Direction: direction, SSRC: random.Uint32(), Reporter: ptr(random.Uint32()), Packets: ptr(uint32(8800)), Lost: ptr(uint32(12)),
				LossPct: thousandth(0.136), LatePct: thousandth(0.01), JitterMS: thousandth(4.2), RTTMS: thousandth(61), MOS: thousandth(1 + r/30), R: &r,
				RPerceived: &r, WorstR: &r, Below70: ptr(0.0), Below60: ptr(0.0), Assumed: []string{"buffer", "plc"}, Codec: "PCMA", Packed: packed,
				Attribution: &voice.Attribution{Delay: 0.05, Loss: 0.02, Late: 0.01, Codec: 0},
			})
		}
		c.R, c.MOS, c.Scale, c.CoveragePct = &r, c.Streams[0].MOS, "nb", ptr(98.0)
	}
	return calls
}

// BenchmarkWriteCalls writes 1,000 calls, as they come in a minute and a half of a busy hour, with and without their hourly figures, which are
// added up as often as Run does that: every ten minutes.
func BenchmarkWriteCalls(b *testing.B) {
	for _, counted := range []bool{true, false} {
		b.Run(fmt.Sprint("counted ", counted), func(b *testing.B) {
			storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
				s, random, n := open(), rand.New(rand.NewPCG(1, 2)), 0
				var making time.Duration
				begin := ownCPU(b)
				for b.Loop() {
					b.StopTimer()
					before := ownCPU(b)
					calls := busyCalls(random, noon, n, 1000)
					for i := range calls {
						if !counted {
							calls[i].Answered, calls[i].R = time.Time{}, nil
						}
					}
					n += len(calls)
					making += ownCPU(b) - before
					b.StartTimer()
					put(b, s, calls...)
					if n%7000 == 0 {
						fold(b, s)
					}
				}
				b.ReportMetric(float64((ownCPU(b)-begin-making).Microseconds())/float64(n), "cpu-µs/call")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "µs/call")
			})
		})
	}
}

// ownCPU is the CPU time of this process, in which all of SQLite is and nothing of PostgreSQL.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fold(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Fold(t.Context(), 0, -1); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkSearchCalls looks through 1,000,000 calls: some 24 hours.
func BenchmarkSearchCalls(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		s, random := open(), rand.New(rand.NewPCG(1, 2))
		var some voice.Call
		for n := 0; n < 1_000_000; n += 10_000 {
			calls := busyCalls(random, noon, n, 10_000)
			for i := range calls { // not counted in the hourly figures, which no search reads
				calls[i].Answered, calls[i].R = time.Time{}, nil
			}
			some = calls[500]
			put(b, s, calls...)
		}
		scope := store.Scope{Customers: []string{"customer-1", "customer-2", "customer-3"}}
		for _, c := range []struct {
			name  string
			scope store.Scope
			f     store.CallFilter
		}{
			{"newest", store.Everything(), store.CallFilter{}},
			{"page in the middle", store.Everything(), store.CallFilter{Until: noon.Add(12 * time.Hour)}},
			{"customer", store.Everything(), store.CallFilter{Customer: "customer-7"}},
			{"customer MOS below 2", store.Everything(), store.CallFilter{Customer: "customer-7", MaxMOS: 2}},
			{"scope of three", scope, store.CallFilter{}},
			{"trunk", store.Everything(), store.CallFilter{Trunk: "carrier-3"}},
			{"MOS below 2.05", store.Everything(), store.CallFilter{MaxMOS: 2.05}},
			{"none below 1.1", store.Everything(), store.CallFilter{MaxMOS: 1.1}},
			{"cause", store.Everything(), store.CallFilter{Cause: "delay"}},
			{"site", store.Everything(), store.CallFilter{Site: "san-jose"}},
			{"whole number", store.Everything(), store.CallFilter{Number: string(some.From)}},
			{"last four digits", store.Everything(), store.CallFilter{Number: "4711"}},
			{"country code", store.Everything(), store.CallFilter{Number: "+506*"}},
			{"no such number", store.Everything(), store.CallFilter{Number: "+50699999999"}},
		} {
			b.Run(c.name, func(b *testing.B) {
				var took []time.Duration
				n := 0
				for b.Loop() {
					start := time.Now()
					n = len(got[[]voice.Call](b)(s.Calls(b.Context(), c.scope, c.f)))
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(n), "calls")
			})
		}
		b.Run("by Call-ID", func(b *testing.B) {
			for b.Loop() {
				got[voice.Call](b)(s.Call(b.Context(), store.Everything(), some.ID, time.Time{}))
			}
		})
	})
}
