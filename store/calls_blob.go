package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"

	"vigia/collectors/voice"
)

// The form of a call's streams, version 1:
//
//	octet    1, the version
//	uvarint  legs of the call
//	uvarint  number of trunks that it ran over, then each as a text
//	uvarint  number of streams, then for each
//	           octet    flags: 1 one way, 2 encrypted, 4 closed, 8 the vendor's MOS disagrees
//	           uvarint  leg
//	           word     side, direction
//	           4 octets SSRC, little-endian
//	           uvarint  which of the figures there are, a bit each: reporter, packets, lost, then those of streamFigures, then attribution
//	           uvarint  each of the first three that is there; varint, thousandths, each of the others; attribution is four
//	           uvarint  packets that came twice
//	           text     codec
//	           uvarint  number of assumptions, then each as a word
//	4 octets checksum (CRC-32C, little-endian) of the call's key and all the above
//
// A text is its length as uvarint and its octets. A word is a number of callWords, or 0 and a text. The list only ever grows at its end.
//
// The form of a call's intervals, version 1: the octet 1; the number of streams as uvarint, the octets that each has as uvarint; these octets,
// as voice.Intervals reads them; the same checksum.
const (
	callForm    = 1
	mostStreams = 1000
	checkLength = 4
)

// callWords are the texts that are stored as a number: 1 for the first one. New ones are added at the end.
var callWords = []string{
	string(voice.UnknownSide), string(voice.Access), string(voice.Core), string(voice.Carrier), voice.CallerToCallee, voice.CalleeToCaller,
	"codec", "plc", "ie", "bpl", "loss", "late", "burst", "rtt", "packet", "buffer", "rtt_one_side", "dtmf_loss", "collector_loss",
}

var errDamagedCall = errors.New("its checksum does not match, or it is of no form that this vigia knows")

// streamFigures are the measured values of a stream in the order in which they are stored.
func streamFigures(s *voice.Stream) [11]**float64 {
	return [...]**float64{
		&s.LossPct, &s.LatePct, &s.JitterMS, &s.RTTMS, &s.MOS, &s.R, &s.RPerceived, &s.WorstR, &s.Below70, &s.Below60, &s.VendorMOS,
	}
}

func streamCounts(s *voice.Stream) [3]**uint32 {
	return [...]**uint32{&s.Reporter, &s.Packets, &s.Lost}
}

const attributionBit = 1 << 14

// check is the checksum of what belongs to a call.
func (k CallKey) check(body []byte) uint32 {
	var key [16]byte
	binary.LittleEndian.PutUint64(key[:], uint64(k.Start.UnixMicro()))
	binary.LittleEndian.PutUint64(key[8:], uint64(k.hash))
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(key[:], table), table, body)
}

// checked is what a blob holds before its checksum.
func (k CallKey) checked(blob []byte) (*callReader, error) {
	body := max(len(blob)-checkLength, 0)
	if body == 0 || binary.LittleEndian.Uint32(blob[body:]) != k.check(blob[:body]) || blob[0] != callForm {
		return nil, errDamagedCall
	}
	return &callReader{rest: blob[1:body]}, nil
}

func packStreams(k CallKey, c *voice.Call) []byte {
	b := binary.AppendUvarint(append(make([]byte, 0, 32+128*len(c.Streams)), callForm), uint64(max(c.Legs, 0)))
	b = binary.AppendUvarint(b, uint64(len(c.CarrierOf)))
	for _, trunk := range c.CarrierOf {
		b = appendText(b, trunk)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Streams)))
	for i := range c.Streams {
		b = appendStream(b, &c.Streams[i])
	}
	return binary.LittleEndian.AppendUint32(b, k.check(b))
}

func appendStream(b []byte, s *voice.Stream) []byte {
	flags := byte(0)
	for i, set := range [...]bool{s.OneWay, s.Encrypted, s.Closed, s.Disagrees} {
		if set {
			flags |= 1 << i
		}
	}
	b = binary.AppendUvarint(append(b, flags), uint64(max(s.Leg, 0)))
	b = appendWord(appendWord(b, string(s.Side)), s.Direction)
	b = appendFigures(binary.LittleEndian.AppendUint32(b, s.SSRC), s)
	b = appendText(binary.AppendUvarint(b, uint64(s.Repeated)), s.Codec)
	b = binary.AppendUvarint(b, uint64(len(s.Assumed)))
	for _, word := range s.Assumed {
		b = appendWord(b, word)
	}
	return b
}

func appendFigures(b []byte, s *voice.Stream) []byte {
	var there uint64
	counts, figures := streamCounts(s), streamFigures(s)
	for i, v := range counts {
		if *v != nil {
			there |= 1 << i
		}
	}
	for i, f := range figures {
		if ownNumber(*f) != nil {
			there |= 1 << (len(counts) + i)
		}
	}
	if s.Attribution != nil {
		there |= attributionBit
	}
	b = binary.AppendUvarint(b, there)
	for _, v := range counts {
		if *v != nil {
			b = binary.AppendUvarint(b, uint64(**v))
		}
	}
	for _, f := range figures {
		if ownNumber(*f) != nil {
			b = appendThousandths(b, **f)
		}
	}
	if a := s.Attribution; a != nil {
		for _, v := range [...]float64{a.Delay, a.Loss, a.Late, a.Codec} {
			b = appendThousandths(b, v)
		}
	}
	return b
}

func appendThousandths(b []byte, v float64) []byte {
	if math.IsNaN(v) {
		v = 0
	}
	return binary.AppendVarint(b, int64(math.Round(min(max(v, -1e12), 1e12)*1000)))
}

func appendText(b []byte, text string) []byte {
	text = shortText(text)
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendWord(b []byte, word string) []byte {
	n := slices.Index(callWords, word) + 1
	b = binary.AppendUvarint(b, uint64(n))
	if n == 0 {
		b = appendText(b, word)
	}
	return b
}

// unpackStreams reads a call's streams into it.
func unpackStreams(k CallKey, blob []byte, c *voice.Call) error {
	r, err := k.checked(blob)
	if err != nil {
		return err
	}
	c.Legs = r.upTo(math.MaxInt32)
	c.CarrierOf = nil
	for range r.count() {
		c.CarrierOf = append(c.CarrierOf, r.text())
	}
	c.Streams = []voice.Stream{}
	for range r.count() {
		c.Streams = append(c.Streams, r.stream())
	}
	return r.ended()
}

// callReader reads a packed call; what is missing or impossible makes it bad.
type callReader struct {
	rest []byte
	bad  bool
}

func (r *callReader) ended() error {
	if r.bad || len(r.rest) > 0 {
		return errDamagedCall
	}
	return nil
}

func (r *callReader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, min(n, 8))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *callReader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.take(r.size(n))
	return v
}

func (r *callReader) size(n int) int {
	if n <= 0 {
		return len(r.rest) + 1
	}
	return n
}

// upTo is a number that may not be above a bound.
func (r *callReader) upTo(most uint64) int {
	v := r.uint()
	if v > most {
		r.bad = true
		return 0
	}
	return int(v)
}

// count is how many things follow, each of which takes an octet at least.
func (r *callReader) count() int { return r.upTo(uint64(len(r.rest))) }

func (r *callReader) int() int64 {
	v, n := binary.Varint(r.rest)
	r.take(r.size(n))
	return v
}

func (r *callReader) number() float64 { return float64(r.int()) / 1000 }

func (r *callReader) text() string { return string(r.take(r.count())) }

func (r *callReader) word() string {
	n := r.upTo(uint64(len(callWords)))
	if n == 0 {
		return r.text()
	}
	return callWords[n-1]
}

func (r *callReader) stream() voice.Stream {
	flags := r.take(1)[0]
	s := voice.Stream{OneWay: flags&1 != 0, Encrypted: flags&2 != 0, Closed: flags&4 != 0, Disagrees: flags&8 != 0}
	s.Leg = r.upTo(math.MaxInt32)
	s.Side, s.Direction = voice.LegSide(r.word()), r.word()
	s.SSRC = binary.LittleEndian.Uint32(r.take(4))
	r.figures(&s)
	s.Repeated = uint32(r.upTo(math.MaxUint32))
	s.Codec = r.text()
	s.Assumed = []string{}
	for range r.count() {
		s.Assumed = append(s.Assumed, r.word())
	}
	return s
}

func (r *callReader) figures(s *voice.Stream) {
	there := r.uint()
	counts := streamCounts(s)
	for i, v := range counts {
		if there&(1<<i) != 0 {
			n := uint32(r.upTo(math.MaxUint32))
			*v = &n
		}
	}
	for i, f := range streamFigures(s) {
		if there&(1<<(len(counts)+i)) != 0 {
			n := r.number()
			*f = &n
		}
	}
	if there&attributionBit != 0 {
		s.Attribution = &voice.Attribution{Delay: r.number(), Loss: r.number(), Late: r.number(), Codec: r.number()}
	}
}

// packIntervals is nil when no stream has any.
func packIntervals(k CallKey, streams []voice.Stream) []byte {
	size := 0
	for i := range streams {
		size += len(streams[i].Packed)
	}
	if size == 0 {
		return nil
	}
	b := binary.AppendUvarint(append(make([]byte, 0, size+16+3*len(streams)), callForm), uint64(len(streams)))
	for i := range streams {
		b = binary.AppendUvarint(b, uint64(len(streams[i].Packed)))
	}
	for i := range streams {
		b = append(b, streams[i].Packed...)
	}
	return binary.LittleEndian.AppendUint32(b, k.check(b))
}

// unpackIntervals gives a call's streams their intervals.
func unpackIntervals(k CallKey, blob []byte, streams []voice.Stream) error {
	r, err := k.checked(blob)
	if err != nil {
		return err
	}
	lengths := make([]int, r.count())
	if len(lengths) != len(streams) {
		return errDamagedCall
	}
	for i := range lengths {
		lengths[i] = r.upTo(math.MaxInt32)
	}
	for i, n := range lengths {
		if n > len(r.rest) {
			return errDamagedCall
		}
		if n > 0 {
			streams[i].Packed = slices.Clone(r.take(n))
		}
	}
	return r.ended()
}
