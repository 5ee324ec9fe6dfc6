package collectors

import (
	"encoding/binary"
	"iter"
	"math"
	"math/bits"
	"strings"
	"sync"
	"time"
)

// packedLog is a queue of packed runs in one slice: a length before each, old ones dropped from the front.
type packedLog struct {
	buf  []byte
	head int // where the oldest begins
	last int // where the newest begins
	n    int
}

// add appends one and drops the oldest beyond limit. The room of dropped ones is used again before the slice grows.
func (l *packedLog) add(packed []byte, limit int) {
	for l.n >= limit {
		size, k := binary.Uvarint(l.buf[l.head:])
		l.head += k + int(size)
		l.n--
	}
	var prefix [binary.MaxVarintLen64]byte
	k := binary.PutUvarint(prefix[:], uint64(len(packed)))
	if l.head > 0 && len(l.buf)+k+len(packed) > cap(l.buf) {
		l.buf = l.buf[:copy(l.buf, l.buf[l.head:])]
		l.head = 0
	}
	l.last = len(l.buf)
	l.buf = append(append(l.buf, prefix[:k]...), packed...)
	l.n++
}

// all yields the packed runs, oldest first. They are valid until the next add.
func (l *packedLog) all() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := l.head; at < len(l.buf); {
			size, k := binary.Uvarint(l.buf[at:])
			if !yield(l.buf[at+k : at+k+int(size)]) {
				return
			}
			at += k + int(size)
		}
	}
}

// newest returns the packed run that came last; the log must not be empty.
func (l *packedLog) newest() []byte {
	_, k := binary.Uvarint(l.buf[l.last:])
	return l.buf[l.last+k:]
}

// nameTable gives numbers to the few names that come again and again: codes of reasons and metrics.
type nameTable struct {
	mu     sync.RWMutex
	number map[string]uint64
	name   []string
}

func (t *nameTable) of(name string) uint64 {
	t.mu.RLock()
	n, ok := t.number[name]
	t.mu.RUnlock()
	if ok {
		return n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok = t.number[name]; ok {
		return n
	}
	if t.number == nil {
		t.number = map[string]uint64{}
	}
	n = uint64(len(t.name))
	t.name = append(t.name, name)
	t.number[name] = n
	return n
}

func (t *nameTable) get(n uint64) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.name[n]
}

// The types of a reason's arguments, and the flags of a run, as they are packed.
const (
	argString byte = iota
	argFalse
	argTrue
	argInt
	argFloat

	flagOK      = 1
	flagConfirm = 2
)

// pack writes a run without its check and kind, without the figures of parts, of which a switch has hundreds, and without the details of
// figures: those are in their series.
func (r *Runs) pack(run Run) []byte {
	b := make([]byte, 0, 160)
	b = binary.AppendVarint(b, run.At.UnixNano())
	b = binary.AppendVarint(b, int64(run.Took))
	b = binary.AppendVarint(b, int64(run.Late))
	var flags byte
	if run.Result.OK {
		flags |= flagOK
	}
	if run.Confirm {
		flags |= flagConfirm
	}
	b = append(b, flags)
	b = r.packReason(b, run.Result.Why)
	b = binary.AppendUvarint(b, uint64(len(run.Result.Steps)))
	for _, s := range run.Result.Steps {
		b = r.packReason(b, s)
	}
	b = binary.AppendUvarint(b, uint64(run.Result.Discarded))
	whole := 0
	for i := range run.Result.Values {
		if run.Result.Values[i].Part == "" {
			whole++
		}
	}
	b = binary.AppendUvarint(b, uint64(whole))
	for _, v := range run.Result.Values {
		if v.Part != "" {
			continue
		}
		b = binary.AppendUvarint(b, r.names.of(string(v.Metric)))
		b = packFloat(b, v.Value)
	}
	return b
}

func (r *Runs) packReason(b []byte, reason Reason) []byte {
	b = binary.AppendUvarint(b, r.names.of(reason.Code))
	b = binary.AppendUvarint(b, uint64(len(reason.Args)))
	for _, arg := range reason.Args {
		switch v := arg.(type) {
		case bool:
			if v {
				b = append(b, argTrue)
			} else {
				b = append(b, argFalse)
			}
		case int:
			b = binary.AppendVarint(append(b, argInt), int64(v))
		case int64:
			b = binary.AppendVarint(append(b, argInt), v)
		case float64:
			b = packFloat(append(b, argFloat), v)
		case string:
			b = packString(append(b, argString), v)
		default: // Reason allows no other type
			b = packString(append(b, argString), "?")
		}
	}
	return b
}

// packFloat writes the octets of v in reverse, so that figures with few digits, such as 0, 1 and 100, take one to three.
func packFloat(b []byte, v float64) []byte {
	return binary.AppendUvarint(b, bits.ReverseBytes64(math.Float64bits(v)))
}

// longestText bounds what one string of a run takes: a hostile answer quoted in a reason must not fill the memory.
const longestText = 1024

func packString(b []byte, s string) []byte {
	if len(s) > longestText {
		s = strings.ToValidUTF8(s[:longestText], "") + "…"
	}
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// unpacker reads what pack wrote. The octets are our own, so a mistake in them is a mistake in pack and may panic.
type unpacker struct {
	b     []byte
	names *nameTable
}

func (r *Runs) unpack(id CheckID, kind string, packed []byte) Run {
	u := unpacker{b: packed, names: &r.names}
	run := Run{Check: id, Kind: kind}
	run.At = time.Unix(0, u.varint()).UTC()
	run.Took = time.Duration(u.varint())
	run.Late = time.Duration(u.varint())
	flags := u.octet()
	run.Result.OK = flags&flagOK != 0
	run.Confirm = flags&flagConfirm != 0
	run.Result.Why = u.reason()
	if n := u.uvarint(); n > 0 {
		run.Result.Steps = make([]Reason, n)
		for i := range run.Result.Steps {
			run.Result.Steps[i] = u.reason()
		}
	}
	run.Result.Discarded = int(u.uvarint())
	if n := u.uvarint(); n > 0 {
		run.Result.Values = make([]Value, n)
		for i := range run.Result.Values {
			run.Result.Values[i] = u.value()
		}
	}
	return run
}

func (u *unpacker) value() Value {
	return Value{Metric: Metric(u.names.get(u.uvarint())), Value: u.float()}
}

func (u *unpacker) reason() Reason {
	reason := Reason{Code: u.names.get(u.uvarint())}
	n := u.uvarint()
	if n == 0 {
		return reason
	}
	reason.Args = make([]any, n)
	for i := range reason.Args {
		reason.Args[i] = u.arg()
	}
	return reason
}

func (u *unpacker) arg() any {
	switch u.octet() {
	case argFalse:
		return false
	case argTrue:
		return true
	case argInt:
		return int(u.varint())
	case argFloat:
		return u.float()
	default:
		return u.text()
	}
}

func (u *unpacker) octet() byte {
	c := u.b[0]
	u.b = u.b[1:]
	return c
}

func (u *unpacker) varint() int64 {
	v, k := binary.Varint(u.b)
	u.b = u.b[k:]
	return v
}

func (u *unpacker) uvarint() uint64 {
	v, k := binary.Uvarint(u.b)
	u.b = u.b[k:]
	return v
}

func (u *unpacker) float() float64 {
	return math.Float64frombits(bits.ReverseBytes64(u.uvarint()))
}

func (u *unpacker) text() string {
	n := u.uvarint()
	s := string(u.b[:n])
	u.b = u.b[n:]
	return s
}
