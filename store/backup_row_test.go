package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// FuzzRows reads any octets as a part: never a panic, and what can be read is written back the same but for its numbers' longest forms.
func FuzzRows(f *testing.F) {
	var row []byte
	for kind, v := range map[columnKind]any{
		kindInt: int64(math.MinInt64), kindFloat: math.Inf(-1), kindText: "ñ", kindBlob: []byte{0, 255}, kindBool: true, kindTime: time.UnixMicro(-1),
	} {
		var err error
		if row, err = appendValue(row, kind, v); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(append(binary.AppendUvarint(nil, uint64(len(row))), row...))
	f.Add([]byte{3, tagText, 200, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, part []byte) {
		err := eachRow(part, func(values []any) error {
			var once, twice []byte
			for _, v := range values {
				var err error
				if once, err = appendValue(once, kindOf(v), v); err != nil {
					t.Fatal(err)
				}
			}
			rest := once
			for len(rest) > 0 {
				v, after, err := cutValue(rest)
				if err != nil {
					t.Fatal(err)
				}
				if twice, err = appendValue(twice, kindOf(v), v); err != nil {
					t.Fatal(err)
				}
				rest = after
			}
			if !bytes.Equal(once, twice) {
				t.Fatalf("%x is read back as %x", once, twice)
			}
			return nil
		})
		_ = err // damaged, and said so
	})
}

func kindOf(v any) columnKind {
	switch v.(type) {
	case float64:
		return kindFloat
	case string:
		return kindText
	case []byte:
		return kindBlob
	case bool:
		return kindBool
	case time.Time:
		return kindTime
	}
	return kindInt
}

// FuzzArchive reads any octets as an archive: never a panic.
func FuzzArchive(f *testing.F) {
	var b bytes.Buffer
	a := newArchive(&b)
	if err := a.member(partName("events", 1), []byte{2, tagInt, 2}); err != nil {
		f.Fatal(err)
	}
	if err := a.finish(&Manifest{Format: backupFormat}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = checkArchive(bytes.NewReader(data)) // damaged, and said so
	})
}
