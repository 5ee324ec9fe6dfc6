package store

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// someTallies are two of one customer and one that takes back, with negative sums and a text of no octets.
func someTallies(t testing.TB) (list []callTally) {
	t.Helper()
	for _, c := range []Contribution{
		{Call: CallFigures{
			Customer: "acme", At: time.Date(2026, 11, 23, 12, 34, 0, 0, time.UTC), Band: Satisfied, Scale: "nb", R: Known(85), MOS: Known(4.1), LossPct: Known(-0.25), Talk: time.Minute,
			Dimensions: []Dimension{{ByTrunk, "carrier-a"}, {ByTrunk, "carrier-a"}, {ByCodec, "PCMA"}},
		}},
		{Call: CallFigures{Customer: "acme", At: time.Unix(3600, 0), Band: NotRated, OneWay: true, Dimensions: []Dimension{{ByCountry, ""}}}},
		{Call: CallFigures{Customer: "ñandú", At: time.Unix(1, 0), Band: NotRated}, Back: true},
	} {
		one, err := newTally(&c)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	return list
}

func TestTalliesComeBack(t *testing.T) {
	for n := range 4 {
		want := someTallies(t)[:n]
		have, err := unpackTallies(packTallies(want))
		if diff := cmp.Diff(want, have, cmp.AllowUnexported(callTally{})); diff != "" && n > 0 || len(have) != n || err != nil {
			t.Errorf("%d of them, %v (-packed +unpacked):\n%s", n, err, diff)
		}
	}
	whole := packTallies(someTallies(t))
	for i := range whole {
		broken := append([]byte{}, whole...)
		broken[i] ^= 0x10
		if _, err := unpackTallies(broken); err == nil {
			t.Errorf("octet %d may be any other", i)
		}
		if _, err := unpackTallies(whole[:i]); err == nil {
			t.Errorf("the first %d octets are taken for the whole", i)
		}
	}
}

// FuzzTallies reads anything that has the right checksum; what is read is packed to what is read again.
func FuzzTallies(f *testing.F) {
	whole := packTallies(someTallies(f))
	f.Add(whole[:len(whole)-checkLength])
	f.Add([]byte{tallyForm, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := unpackTallies(binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))
		if err != nil {
			return
		}
		again, err := unpackTallies(packTallies(list))
		if err != nil || len(again) != len(list) {
			t.Fatalf("%d come back as %d, %v", len(list), len(again), err)
		}
		if diff := cmp.Diff(list, again, cmp.AllowUnexported(callTally{})); diff != "" && len(list) > 0 {
			t.Errorf("(-read +again):\n%s", diff)
		}
	})
}
