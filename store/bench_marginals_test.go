package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"vigia/store"
	"vigia/store/storetest"
)

// busyCall is a call of one of some customers, with eight dimensions besides all.
func busyCall(random *rand.Rand, customers int, at time.Time) store.CallFigures {
	c := someCall(random)
	c.Customer, c.At = fmt.Sprint("customer-", random.IntN(customers)), at
	for _, d := range []struct {
		name   string
		values int
	}{{"network", 3}, {"site", 4}, {"user_agent", 20}, {"prefix", 10}} {
		c.Dimensions = append(c.Dimensions, store.Dimension{Name: d.name, Value: fmt.Sprint(d.name, "-", random.IntN(d.values))})
	}
	return c
}

// BenchmarkAddMarginals adds 10,000 calls of a hundred customers and one hour.
func BenchmarkAddMarginals(b *testing.B) {
	for _, size := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint("batches of ", size), func(b *testing.B) {
			storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
				s, random := open(), rand.New(rand.NewPCG(1, 2))
				var batch []store.Contribution
				for range size {
					batch = append(batch, store.Contribution{Call: busyCall(random, 100, noon)})
				}
				b.ReportAllocs()
				for b.Loop() {
					for range 10_000 / size {
						if err := s.AddMarginals(b.Context(), batch); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10_000, "µs/call")
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/float64(10_000/size), "ms/transaction")
			})
		})
	}
}

// BenchmarkReadMarginals reads a month of one of five customers by day: all calls, and by one of twenty values.
func BenchmarkReadMarginals(b *testing.B) {
	storetest.EachBenchmark(b, func(b *testing.B, open storetest.Opener) {
		s, random := open(), rand.New(rand.NewPCG(1, 2))
		zone := time.FixedZone("", -6*3600)
		for day := range 31 {
			var batch []store.Contribution
			for n := range 24 * 100 {
				at := november.AddDate(0, 0, day).Add(time.Duration(n/100) * time.Hour)
				batch = append(batch, store.Contribution{Call: busyCall(random, 5, at)})
			}
			if err := s.AddMarginals(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		for _, dimension := range []string{"all", "user_agent"} {
			b.Run(dimension, func(b *testing.B) {
				for b.Loop() {
					list, err := s.Marginals(b.Context(), store.Everything(), store.MarginalFilter{
						Customer: "customer-3", From: november, To: november.AddDate(0, 1, 0), Dimension: dimension, Step: store.ByDay, Zone: zone,
					})
					if err != nil || len(list) < 31 {
						b.Fatal(len(list), err)
					}
				}
			})
		}
	})
}
