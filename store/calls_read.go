package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vigia/collectors/voice"
)

// CallFilter chooses calls. The zero value chooses the newest ones.
type CallFilter struct {
	Since, Until time.Time // began in [Since, Until)
	Customer     string
	Trunk, Site  string
	Country      string
	// Number is of either party: digits that its number ends with, "+50622*" for what it begins with, or a name or its end. What is masked is
	// found by what is left of it.
	Number         string
	MinMOS, MaxMOS float64 // on the call's own scale; 0: whatever it is. A call that was not measured has none
	Cause          string
	OneWay         bool // only calls of which a direction was not heard
	Unmeasured     bool // only calls that were spoken in and have no MOS

	After CallKey // the last call of the page before: what follows is older
	Limit int     // default 100, at most 1000
}

const (
	usualCalls = 100
	mostCalls  = 1000
	// surelyImpaired is a MOS that only impaired calls are not above, on every scale: just below that of R 80.
	surelyImpaired = 4.02
)

// Calls lists calls that the scope may see, with their streams and without intervals, the newest first. A page that is shorter than the limit is
// the last. Calls that come in or are amended meanwhile change nothing about older ones: paging by After meets each call that is there once.
func (s *Store) Calls(ctx context.Context, scope Scope, f CallFilter) ([]voice.Call, error) {
	rows, err := s.calls.search(ctx, scope, f)
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", s.db.explain(err))
	}
	list := make([]voice.Call, 0, len(rows))
	for _, r := range rows {
		s.calls.unpack(r)
		list = append(list, r.call)
	}
	return list, nil
}

// unpack reads a row's streams; when they are damaged, it has none, and that is told.
func (l *callLog) unpack(r *callRow) {
	if err := unpackStreams(r.key, r.streams, &r.call); err != nil {
		l.spoil(place{callsTable, r.key.Start, r.key.hash}, err)
		r.call.Streams, r.call.CarrierOf, r.call.Legs = []voice.Stream{}, nil, 0
	}
}

// search chooses the way by which the fewest rows are looked at.
func (l *callLog) search(ctx context.Context, scope Scope, f CallFilter) ([]*callRow, error) {
	f.Limit = min(int(limit(f.Limit, usualCalls)), mostCalls)
	customers, all := f.customers(scope)
	if !all && len(customers) == 0 {
		return nil, nil
	}
	if f.Number != "" {
		return l.byNumber(ctx, customers, all, &f)
	}
	if all && f.MaxMOS > 0 && f.MaxMOS <= surelyImpaired {
		return l.byMOS(ctx, &f)
	}
	if all {
		return l.walk(ctx, &f, f.walkAll())
	}
	var found []*callRow
	for _, customer := range customers { // each by its own index
		w := way{index: "calls_customer", columns: "c.customer = ?", args: []any{customer}}
		if f.onlyImpaired() {
			w = way{index: "calls_customer_impaired", columns: "c.customer = ? AND c.impaired", args: []any{customer}}
		}
		some, err := l.walk(ctx, &f, w)
		if err != nil {
			return nil, err
		}
		found = newestRows(append(found, some...), f.Limit)
		if len(found) == f.Limit {
			f.Since = latest(f.Since, found[f.Limit-1].key.Start) // what is older has no place any more
		}
	}
	return found, nil
}

// customers are those that may be shown; all: every one there is.
func (f *CallFilter) customers(scope Scope) (list []string, all bool) {
	if f.Customer == "" {
		return scope.Customers, scope.all
	}
	if customer := shortText(f.Customer); scope.seesCustomer(customer) {
		return []string{customer}, false
	}
	return nil, false
}

// onlyImpaired reports whether only calls can match that are marked as impaired.
func (f *CallFilter) onlyImpaired() bool {
	return f.OneWay || f.Cause != "" || f.MaxMOS > 0 && f.MaxMOS <= surelyImpaired
}

// way is an index in the order of time, and what it needs to be used.
type way struct {
	index, columns string
	args           []any
}

func (f *CallFilter) walkAll() way {
	switch {
	case f.onlyImpaired():
		return way{index: "calls_impaired", columns: "c.impaired"}
	case f.Trunk != "":
		return way{index: "calls_trunk", columns: "c.trunk = ? AND c.trunk <> ''", args: []any{shortText(f.Trunk)}}
	}
	return way{}
}

// walk reads the newest calls that match along an index.
func (l *callLog) walk(ctx context.Context, f *CallFilter, w way) ([]*callRow, error) {
	q := newQuery(selectCalls + l.by(w.index))
	if w.columns != "" {
		q.and(w.columns, w.args...)
	}
	f.conditions(q)
	q.add(" ORDER BY c.start_at DESC, c.hash DESC LIMIT ?", int64(f.Limit))
	return callRows(ctx, l.db.read, q)
}

// commonMOS is how many calls of a day there are at least of a MOS that is so common that the newest of them are found sooner by time.
const commonMOS = 2000

const fewMOSSQL = `SELECT COUNT(*) FROM (SELECT 1 FROM calls WHERE impaired AND day = $1 AND mos >= $2 AND mos <= $3 LIMIT $4) AS few`

// byMOS reads the newest calls that are not above a MOS, day by day from the newest on, until there are enough. Those of a day are read by their
// MOS when they are few, and else by time.
func (l *callLog) byMOS(ctx context.Context, f *CallFilter) ([]*callRow, error) {
	var found []*callRow
	err := l.dayByDay(ctx, f, func(day int64) (bool, error) {
		n := 0
		err := l.db.read.QueryRowContext(ctx, fewMOSSQL, day, f.MinMOS, f.MaxMOS, int64(commonMOS)).Scan(&n)
		if err != nil || n == 0 {
			return false, err
		}
		w := way{index: "calls_mos", columns: "c.impaired AND c.day = ?", args: []any{day}}
		if n == commonMOS {
			begin := time.Unix(day*24*60*60, 0)
			w = way{index: "calls_impaired", columns: "c.impaired AND c.start_at >= ? AND c.start_at < ?", args: []any{stamp(begin), stamp(begin.Add(dayLong))}}
		}
		some, err := l.walk(ctx, f, w)
		found = append(found, some...)
		return len(found) >= f.Limit, err
	})
	return found[:min(len(found), f.Limit)], err
}

// by names an index where the database has to be told.
func (l *callLog) by(index string) string {
	if index == "" || l.db.dialect.indexedBy == "" {
		return ""
	}
	return l.db.dialect.indexedBy + index
}

// conditions adds all that a filter asks for, but for the customer and the number.
func (f *CallFilter) conditions(q *query) {
	if !f.Since.IsZero() {
		q.and("c.start_at >= ?", stamp(f.Since))
	}
	if !f.Until.IsZero() {
		q.and("c.start_at < ?", stamp(f.Until))
	}
	if !f.After.IsZero() {
		q.and("(c.start_at, c.hash) < (?, ?)", stamp(f.After.Start), f.After.hash)
	}
	for column, value := range map[string]string{"c.trunk": f.Trunk, "c.site": f.Site, "c.country": f.Country, "c.cause": f.Cause} {
		if value != "" {
			q.and(column+" = ?", shortText(value))
		}
	}
	if f.MinMOS > 0 {
		q.and("c.mos >= ?", f.MinMOS)
	}
	if f.MaxMOS > 0 {
		q.and("c.mos <= ?", f.MaxMOS)
	}
	if f.OneWay {
		q.and("c.one_way")
	}
	if f.Unmeasured {
		q.and("c.mos IS NULL AND (c.answered_at IS NOT NULL OR NOT c.signalled)")
	}
}

func callRows(ctx context.Context, from querier, q *query) ([]*callRow, error) {
	var list []*callRow
	err := each(ctx, from, q.text.String(), q.args, func(rows *sql.Rows) error {
		r, err := scanCall(rows)
		list = append(list, r)
		return err
	})
	return list, err
}

// newestRows are the newest of some rows, each once, in order.
func newestRows(list []*callRow, most int) []*callRow {
	slices.SortFunc(list, func(a, b *callRow) int { return b.key.compare(a.key) })
	list = slices.CompactFunc(list, func(a, b *callRow) bool { return a.key.compare(b.key) == 0 })
	return list[:min(len(list), most)]
}

const (
	dayBeforeSQL = `SELECT day FROM calls WHERE day < $1 ORDER BY day DESC LIMIT 1`
	intervalsSQL = `SELECT intervals FROM call_intervals WHERE start_at = $1 AND hash = $2`
)

// dayByDay visits each day that has calls which a filter can match, from the newest on, until a visit says that it is enough.
func (l *callLog) dayByDay(ctx context.Context, f *CallFilter, visit func(day int64) (enough bool, err error)) error {
	before := int64(math.MaxInt32)
	if last := earliest(f.Until, f.After.Start); !last.IsZero() {
		before = CallKey{Start: last}.day() + 1
	}
	for {
		var day int64
		err := l.db.read.QueryRowContext(ctx, dayBeforeSQL, before).Scan(&day)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !f.Since.IsZero() && day < (CallKey{Start: f.Since}).day() {
			return nil
		}
		if err != nil {
			return err
		}
		if enough, err := visit(day); enough || err != nil {
			return err
		}
		before = day
	}
}

// callOfIDSQL asks each day that has calls for a hash.
var callOfIDSQL = `WITH RECURSIVE days (day) AS (SELECT MAX(day) FROM calls UNION ALL
	SELECT (SELECT MAX(o.day) FROM calls o WHERE o.day < days.day) FROM days WHERE days.day IS NOT NULL)
	SELECT c.` + strings.Join(callColumns[:], ", c.") + ` FROM days CROSS JOIN calls c WHERE c.day = days.day AND c.hash = $1`

// find reads a call by its Call-ID and start, or the newest of that Call-ID; nil when there is none.
func (l *callLog) find(ctx context.Context, id string, start time.Time) (*callRow, error) {
	if !start.IsZero() {
		k := CallKey{micros(start), hashOf(id)}
		return l.newest(ctx, newQuery(callOfKeySQL, stamp(k.Start), k.hash))
	}
	return l.newest(ctx, newQuery(callOfIDSQL, hashOf(id)))
}

// newest reads a query's rows and of the newest one also the streams; nil when there is none.
func (l *callLog) newest(ctx context.Context, q *query) (*callRow, error) {
	rows, err := callRows(ctx, l.db.read, q)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	rows = newestRows(rows, 1)
	l.unpack(rows[0])
	return rows[0], nil
}

// addIntervals gives a call's streams their intervals, unless these are damaged or too old to be kept.
func (l *callLog) addIntervals(ctx context.Context, r *callRow) error {
	var blob []byte
	err := l.db.read.QueryRowContext(ctx, intervalsSQL, stamp(r.key.Start), r.key.hash).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) || len(r.call.Streams) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	streams := slices.Clone(r.call.Streams)
	if err := unpackIntervals(r.key, blob, streams); err != nil {
		l.spoil(place{intervalsTable, r.key.Start, r.key.hash}, err)
		return nil
	}
	r.call.Streams = streams
	return nil
}
