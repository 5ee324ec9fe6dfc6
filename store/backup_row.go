package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// columnKind is what a column holds, the same on both databases.
type columnKind string

const (
	kindInt   columnKind = "int"
	kindFloat columnKind = "float"
	kindText  columnKind = "text"
	kindBlob  columnKind = "blob"
	kindBool  columnKind = "bool"
	kindTime  columnKind = "time"
)

// The first octet of a value says what follows.
const (
	tagNull  = 0 // nothing
	tagInt   = 1 // varint
	tagFloat = 2 // eight octets, IEEE 754, little-endian
	tagText  = 3 // uvarint length, octets
	tagBlob  = 4 // uvarint length, octets
	tagTime  = 5 // varint, microseconds since 1970-01-01 UTC
	tagFalse = 6 // nothing
	tagTrue  = 7 // nothing
)

var errRow = errors.New("a row is damaged")

// appendValue writes a value of a column as the database's driver gives it.
func appendValue(b []byte, kind columnKind, v any) ([]byte, error) {
	v, err := fit(kind, v)
	if err != nil {
		return b, err
	}
	switch v := v.(type) {
	case nil:
		return append(b, tagNull), nil
	case int64:
		return binary.AppendVarint(append(b, tagInt), v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v)), nil
	case string:
		return append(binary.AppendUvarint(append(b, tagText), uint64(len(v))), v...), nil
	case []byte:
		return append(binary.AppendUvarint(append(b, tagBlob), uint64(len(v))), v...), nil
	case time.Time:
		return binary.AppendVarint(append(b, tagTime), v.UnixMicro()), nil
	case bool:
		if v {
			return append(b, tagTrue), nil
		}
		return append(b, tagFalse), nil
	}
	return b, fmt.Errorf("a %T cannot be backed up", v)
}

// fit makes a value what its column holds, where the two databases keep the same thing in different ways: SQLite has no yes and no, and
// keeps a time as a number.
func fit(kind columnKind, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch kind {
		case kindInt:
			return v, nil
		case kindBool:
			return v != 0, nil
		case kindTime:
			return time.UnixMicro(v).UTC(), nil
		case kindFloat:
			return float64(v), nil
		}
	case float64:
		if kind == kindFloat {
			return v, nil
		}
	case bool:
		if kind == kindBool {
			return v, nil
		}
		if kind == kindInt {
			return map[bool]int64{true: 1}[v], nil
		}
	case string:
		if kind == kindText {
			return v, nil
		}
	case []byte:
		if kind == kindBlob {
			return v, nil
		}
		if kind == kindText {
			return string(v), nil
		}
	case time.Time:
		if kind == kindTime {
			return v.UTC(), nil
		}
	}
	return nil, fmt.Errorf("a %T stands where a value of the kind %s belongs", v, kind)
}

// cutValue reads the first value of b. What it returns does not share memory with b.
func cutValue(b []byte) (v any, rest []byte, err error) {
	if len(b) == 0 {
		return nil, nil, errRow
	}
	tag, b := b[0], b[1:]
	switch tag {
	case tagNull:
		return nil, b, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, b, nil
	case tagInt, tagTime:
		n, size := binary.Varint(b)
		if size <= 0 {
			return nil, nil, errRow
		}
		if tag == tagTime {
			return time.UnixMicro(n).UTC(), b[size:], nil
		}
		return n, b[size:], nil
	case tagFloat:
		if len(b) < 8 {
			return nil, nil, errRow
		}
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:], nil
	case tagText, tagBlob:
		octets, rest, err := cutOctets(b)
		if err != nil || tag == tagText {
			return string(octets), rest, err
		}
		return append([]byte{}, octets...), rest, nil
	}
	return nil, nil, errRow
}

// cutOctets reads a length and so many octets.
func cutOctets(b []byte) (octets, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, errRow
	}
	return b[size : size+int(n)], b[size+int(n):], nil
}

// eachRow calls visit with the values of every row of a part. The slice is used again for the next row.
func eachRow(part []byte, visit func(values []any) error) error {
	var values []any
	for len(part) > 0 {
		row, rest, err := cutOctets(part)
		if err != nil {
			return err
		}
		part, values = rest, values[:0]
		for len(row) > 0 {
			var v any
			if v, row, err = cutValue(row); err != nil {
				return err
			}
			values = append(values, v)
		}
		if err := visit(values); err != nil {
			return err
		}
	}
	return nil
}
