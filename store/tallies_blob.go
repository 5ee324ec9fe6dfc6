package store

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"
)

// The form of tallies, version 1:
//
//	octet    1, the version
//	uvarint  number of texts, then each as its length (uvarint) and its octets
//	uvarint  number of tallies, then for each
//	           octet    1: it is taken back
//	           uvarint  which text is its customer, and which its scale
//	           varint   its hour, in hours since 1970
//	           uvarint  number of dimensions, then for each which text is its name and which its value
//	           uvarint  which sums there are, a bit each in the order of marginalColumns
//	           varint   each sum that is there
//	4 octets checksum (CRC-32C, little-endian) of all the above
const tallyForm = 1

// callTally is what one call changes in the hourly figures.
type callTally struct {
	customer, scale string
	hour            int64       // seconds
	dimensions      []Dimension // besides AllCalls, each once
	back            bool        // it is taken back
	sums
}

// newTally makes one of a contribution. ErrFigures: no call has such figures.
func newTally(c *Contribution) (callTally, error) {
	if err := c.Call.Check(); err != nil {
		return callTally{}, err
	}
	t := callTally{
		customer: shortText(c.Call.Customer), scale: shortText(c.Call.Scale), hour: c.Call.At.Truncate(time.Hour).Unix(), back: c.Back, sums: c.Call.sums(),
		dimensions: make([]Dimension, 0, len(c.Call.Dimensions)),
	}
	for _, d := range c.Call.Dimensions {
		if d = (Dimension{shortText(d.Name), shortText(d.Value)}); !t.has(d) {
			t.dimensions = append(t.dimensions, d)
		}
	}
	return t, nil
}

func (t *callTally) has(d Dimension) bool {
	for i := range t.dimensions {
		if t.dimensions[i] == d {
			return true
		}
	}
	return false
}

// addTo adds what it changes to the rows of call_hours, by their keys.
func (t *callTally) addTo(rows map[marginalKey]*sums) {
	times := int64(1)
	if t.back {
		times = -1
	}
	add := func(name, value string) {
		k := marginalKey{customer: t.customer, dimension: name, hour: t.hour, value: value, scale: t.scale}
		row := rows[k]
		if row == nil {
			row = &sums{}
			rows[k] = row
		}
		row.add(&t.sums, times)
	}
	add(AllCalls, "")
	for _, d := range t.dimensions {
		add(d.Name, d.Value)
	}
}

// textNumbers numbers texts in the order in which they are met.
type textNumbers struct {
	numbers map[string]uint64
	list    []string
}

func (n *textNumbers) of(text string) uint64 {
	i, known := n.numbers[text]
	if !known {
		i = uint64(len(n.list))
		n.numbers[text], n.list = i, append(n.list, text)
	}
	return i
}

// packTallies packs tallies into one blob.
func packTallies(list []callTally) []byte {
	texts := textNumbers{numbers: map[string]uint64{}}
	body := binary.AppendUvarint(make([]byte, 0, 64*len(list)), uint64(len(list)))
	for i := range list {
		body = list[i].appendTo(body, &texts)
	}
	b := binary.AppendUvarint(append(make([]byte, 0, len(body)+16*len(texts.list)+16), tallyForm), uint64(len(texts.list)))
	for _, text := range texts.list {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func (t *callTally) appendTo(b []byte, texts *textNumbers) []byte {
	b = binary.AppendUvarint(append(b, byte(counts(t.back))), texts.of(t.customer))
	b = binary.AppendVarint(binary.AppendUvarint(b, texts.of(t.scale)), t.hour/secondsAnHour)
	b = binary.AppendUvarint(b, uint64(len(t.dimensions)))
	for _, d := range t.dimensions {
		b = binary.AppendUvarint(binary.AppendUvarint(b, texts.of(d.Name)), texts.of(d.Value))
	}
	there := uint64(0)
	for i, v := range t.sums {
		if v != 0 {
			there |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, there)
	for _, v := range t.sums {
		if v != 0 {
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

const secondsAnHour = 60 * 60

// eachTally visits the tallies of a blob. The tally is the visit's only until it returns. With an error nothing was visited.
func eachTally(blob []byte, visit func(*callTally)) error {
	list, err := unpackTallies(blob)
	for i := range list {
		visit(&list[i])
	}
	return err
}

func unpackTallies(blob []byte) ([]callTally, error) {
	body := max(len(blob)-checkLength, 0)
	if body == 0 || binary.LittleEndian.Uint32(blob[body:]) != crc32.Checksum(blob[:body], crc32.MakeTable(crc32.Castagnoli)) || blob[0] != tallyForm {
		return nil, errDamagedCall
	}
	r := &callReader{rest: blob[1:body]}
	texts := make([]string, r.count())
	for i := range texts {
		texts[i] = r.text()
	}
	list := make([]callTally, r.count())
	for i := range list {
		r.tally(&list[i], texts)
	}
	if err := r.ended(); err != nil {
		return nil, err
	}
	return list, nil
}

// oneOf is a text that is named by its number.
func (r *callReader) oneOf(texts []string) string {
	i := r.uint()
	if i >= uint64(len(texts)) {
		r.bad = true
		return ""
	}
	return texts[i]
}

func (r *callReader) tally(t *callTally, texts []string) {
	t.back = r.take(1)[0] == 1
	t.customer, t.scale = r.oneOf(texts), r.oneOf(texts)
	hours := r.int()
	if hours < 0 || hours > math.MaxInt32 {
		r.bad, hours = true, 0
	}
	t.hour = hours * secondsAnHour
	t.dimensions = make([]Dimension, r.count())
	for i := range t.dimensions {
		t.dimensions[i] = Dimension{r.oneOf(texts), r.oneOf(texts)}
	}
	there := r.uint()
	for i := range t.sums {
		if there&(1<<i) != 0 {
			t.sums[i] = r.int()
		}
	}
}
