package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// storeValues is how many values a sample of the stream can have, each as likely as the others: log2 of it is 13.6 bits, or 1.7 octets.
const storeValues = 12_417

// storeEntropy is how many octets a sample's value says by Shannon's measure. Its time says nothing more: it follows from its number.
func storeEntropy() float64 { return math.Log2(storeValues) / 8 }

// storeFrom is when the stream begins, a midnight.
var storeFrom = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// storeStream is the seeded samples of n series, each once in a minute, spread evenly over it. The same seed gives the same stream.
type storeStream struct {
	names  []collectors.Series
	chance *rand.Rand
	sent   int
}

// storeEvery is how often each series has a sample.
const storeEvery = time.Minute

func newStoreStream(n int, seed uint64) *storeStream {
	s := &storeStream{names: make([]collectors.Series, n), chance: rand.New(rand.NewPCG(seed, 2))}
	for i := range s.names {
		ref := inventory.Ref{Kind: inventory.KindServer, Name: fmt.Sprintf("server-%06d", i)}
		s.names[i] = collectors.Series{Metric: collectors.LatencyMS, Ref: ref, Instance: "ping"}
	}
	return s
}

// at is when the next sample is due, in whole milliseconds.
func (s *storeStream) at() time.Time {
	n := len(s.names)
	within := time.Duration(s.sent%n) * storeEvery / time.Duration(n)
	return storeFrom.Add(time.Duration(s.sent/n)*storeEvery + within.Truncate(time.Millisecond))
}

// until appends the samples that are due before an instant.
func (s *storeStream) until(end time.Time, to []collectors.Sample) []collectors.Sample {
	for at := s.at(); at.Before(end); at = s.at() {
		value := float64(s.chance.IntN(storeValues)) / 1000
		to = append(to, collectors.Sample{Series: s.names[s.sent%len(s.names)], At: at, Value: value, Every: storeEvery})
		s.sent++
	}
	return to
}

// emit prints the stream for a peer, flush by flush, little-endian: how many samples (4 octets), then of each the number of its series (4),
// its time in milliseconds (8) and its value (8).
func (s *storeStream) emit(out io.Writer, hours int, flush time.Duration) error {
	w := bufio.NewWriterSize(out, 1<<16)
	var list []collectors.Sample
	var octets []byte
	end := storeFrom.Add(time.Duration(hours) * time.Hour)
	for now := storeFrom; now.Before(end); {
		now = now.Add(flush)
		first := s.sent
		list = s.until(now, list[:0])
		octets = binary.LittleEndian.AppendUint32(octets[:0], uint32(len(list)))
		for i, sample := range list {
			octets = binary.LittleEndian.AppendUint32(octets, uint32((first+i)%len(s.names)))
			octets = binary.LittleEndian.AppendUint64(octets, uint64(sample.At.UnixMilli()))
			octets = binary.LittleEndian.AppendUint64(octets, math.Float64bits(sample.Value))
		}
		if _, err := w.Write(octets); err != nil {
			return err
		}
	}
	return w.Flush()
}
