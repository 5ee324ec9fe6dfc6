package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"vigia/collectors/voice"
	"vigia/mos"
)

// CallKey is a call's place among all others: by when it began, then by its Call-ID. Pages of a search are cut by it.
type CallKey struct {
	Start time.Time // whole microseconds
	hash  int64
}

// CallKeyOf is the key of a call.
func CallKeyOf(c *voice.Call) CallKey {
	return CallKey{Start: c.Start.UTC().Truncate(time.Microsecond), hash: hashOf(callID(c.ID))}
}

// IsZero reports whether it is no call's key.
func (k CallKey) IsZero() bool { return k.Start.IsZero() }

// String is the key as a cursor, which ParseCallKey reads.
func (k CallKey) String() string {
	return strconv.FormatInt(k.Start.UnixMicro(), 10) + "-" + strconv.FormatUint(uint64(k.hash), 16)
}

// ParseCallKey reads what String wrote.
func ParseCallKey(s string) (CallKey, error) {
	at, hash, _ := strings.Cut(s, "-")
	micros, err := strconv.ParseInt(at, 10, 64)
	sum, err2 := strconv.ParseUint(hash, 16, 64)
	if err != nil || err2 != nil || micros <= 0 {
		return CallKey{}, fmt.Errorf("%q is not the end of a page of calls", s)
	}
	return CallKey{Start: time.UnixMicro(micros).UTC(), hash: int64(sum)}, nil
}

// before reports whether k comes before another in time.
func (k CallKey) compare(other CallKey) int {
	if c := k.Start.Compare(other.Start); c != 0 {
		return c
	}
	switch {
	case k.hash < other.hash:
		return -1
	case k.hash > other.hash:
		return 1
	}
	return 0
}

// hashOf is the first eight octets of a Call-ID's SHA-256: nobody can make two calls one.
func hashOf(id string) int64 {
	sum := sha256.Sum256([]byte(id))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

const (
	longestID   = 255 // octets of a Call-ID that are kept as they are
	longestText = longestValue
)

// callID is a Call-ID as it is stored. A very long one ends with the hash of the whole.
func callID(id string) string {
	id = cleanText(id)
	if len(id) <= longestID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return cutText(id, longestID-17) + "~" + hex.EncodeToString(sum[:8])
}

// callRow is a call on its way into the table, or out of it.
type callRow struct {
	key     CallKey
	call    voice.Call // without streams on the way in: they are packed
	counted bool       // it is in the hourly figures
	masked  bool

	oneWay, impaired bool

	streams, intervals []byte
	figures            callTally   // what it adds to the hourly figures, if counted
	changes            []callTally // what writing it changes in them
}

// errNoCall says that something cannot be a call.
var errNoCall = errors.New("no call")

// newCallRow makes a row of a call that came in. It keeps nothing of the call's memory.
func newCallRow(c *voice.Call, mask bool) (*callRow, error) {
	r := &callRow{call: tidyCall(c), masked: mask}
	r.key = CallKeyOf(&r.call)
	if r.call.ID == "" || r.call.Start.Unix() <= 0 || r.call.Revision < 1 || r.call.Revision > math.MaxInt32 || len(c.Streams) > mostStreams {
		return nil, fmt.Errorf("%w: id %q, start %s, revision %d, %d streams", errNoCall, r.call.ID, r.call.Start, r.call.Revision, len(c.Streams))
	}
	r.streams, r.intervals = packStreams(r.key, c), packIntervals(r.key, c.Streams)
	err := unpackStreams(r.key, r.streams, &r.call)
	if err != nil { // with the rounding of what is stored
		return nil, fmt.Errorf("%w: %w", errNoCall, err)
	}
	r.counted = countsInFigures(&r.call)
	if r.counted {
		r.figures, err = newTally(&Contribution{Call: figuresOf(&r.call)})
		r.counted = err == nil
	}
	r.oneWay, r.impaired = oneWay(&r.call), impaired(&r.call)
	r.call.Streams, r.call.CarrierOf = nil, nil
	if mask {
		r.call.From, r.call.To = maskText(r.call.From), maskText(r.call.To)
	}
	return r, nil
}

// tidyCall is a call as it is stored, without its streams: clean texts of bounded length, times in whole microseconds, numbers that are ones.
func tidyCall(c *voice.Call) voice.Call {
	t := *c
	t.ID = callID(c.ID)
	t.Customer = shortText(c.Customer)
	if t.Customer == "" {
		t.Customer = voice.Unassigned
	}
	for _, text := range []*voice.Text{&t.Trunk, &t.Site, &t.From, &t.To, &t.Codec, &t.Network, &t.Country, &t.UserAgent, &t.Scale, &t.Cause} {
		*text = voice.Text(shortText(string(*text)))
	}
	t.Why = shortText(c.Why)
	t.Start, t.End, t.Answered = micros(c.Start), micros(c.End), micros(c.Answered)
	if t.End.Before(t.Start) {
		t.End = t.Start
	}
	for _, f := range []**float64{&t.MOS, &t.R, &t.CoveragePct, &t.PDDMS} {
		*f = ownNumber(*f)
	}
	t.Status, t.Q850 = int(int32(t.Status)), int(int32(t.Q850)) // three digits; what is more is nonsense of any size
	t.Streams, t.CarrierOf = nil, nil
	return t
}

func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// ownNumber is a copy of a number; nil when it is none.
func ownNumber(f *float64) *float64 {
	if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
		return nil
	}
	v := *f
	return &v
}

// impaired reports whether a call belongs to those that are looked for: not even "satisfied", one way, or with a cause.
func impaired(c *voice.Call) bool {
	return oneWay(c) || c.Cause != "" || c.R != nil && mos.BandOf(scaleOf(c.Scale), *c.R) < mos.Satisfied
}

func oneWay(c *voice.Call) bool {
	for i := range c.Streams {
		if c.Streams[i].OneWay {
			return true
		}
	}
	return c.Cause == causeOneWay
}

const causeOneWay = "one_way"

// scaleOf is the scale of a word.
func scaleOf(word voice.Text) mos.Scale {
	for _, s := range []mos.Scale{mos.WB, mos.FB} {
		if string(word) == s.String() {
			return s
		}
	}
	return mos.NB
}

// Call reads one call with its streams and their intervals, by its Call-ID; start tells calls of one Call-ID apart, and the zero time means
// the newest. ErrNotFound: there is none, or the scope may not see it.
func (s *Store) Call(ctx context.Context, scope Scope, id string, start time.Time) (voice.Call, error) {
	id = callID(id)
	row, err := s.calls.find(ctx, id, start)
	if err == nil && (row == nil || !scope.seesCustomer(row.call.Customer)) {
		err = ErrNotFound
	}
	if err == nil {
		err = s.calls.addIntervals(ctx, row)
	}
	if err != nil {
		return voice.Call{}, fmt.Errorf("read the call %q: %w", id, s.db.explain(err))
	}
	return row.call, nil
}
