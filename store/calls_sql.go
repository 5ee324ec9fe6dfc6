package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"vigia/collectors/voice"
)

const (
	callsTable     = "calls"
	intervalsTable = "call_intervals"
)

// callColumns are the columns of calls, in the order of callRow.args and scanCall.
var callColumns = [...]string{
	"start_at", "hash", "day", "call_id", "revision", "counted", "end_at", "answered_at", "customer", "trunk", "site", "from_number", "to_number",
	"from_end", "to_end", "masked", "codec", "network", "country", "user_agent", "scale", "mos", "r", "cause", "coverage_pct", "one_way", "impaired",
	"signalled", "status", "q850", "pdd_ms", "why", "streams",
}

var intervalColumns = [...]string{"start_at", "hash", "intervals"}

// dayOf is the value of the column day.
func (k CallKey) day() int64 { return k.Start.Unix() / (24 * 60 * 60) }

// args are the values of a row, in the order of callColumns.
func (r *callRow) args() []any {
	c := &r.call
	from, to := string(c.From), string(c.To)
	return []any{
		stamp(r.key.Start), r.key.hash, r.key.day(), c.ID, int64(c.Revision), counts(r.counted), stamp(c.End), stamp(c.Answered), c.Customer,
		string(c.Trunk), string(c.Site), from, to, endOf(from), endOf(to), r.masked, string(c.Codec), string(c.Network), string(c.Country),
		string(c.UserAgent), string(c.Scale), number(c.MOS), number(c.R), string(c.Cause), number(c.CoveragePct), r.oneWay, r.impaired, c.Signalled,
		int64(c.Status), int64(c.Q850), number(c.PDDMS), c.Why, r.streams,
	}
}

func (r *callRow) intervalArgs() []any { return []any{stamp(r.key.Start), r.key.hash, r.intervals} }

// number is a number as an argument: NULL for none.
func number(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// selectCalls is a query of rows for scanCall.
var selectCalls = `SELECT c.` + strings.Join(callColumns[:], ", c.") + ` FROM ` + callsTable + ` c`

// scanCall reads a row. Its streams stay packed; the octets are the row's own.
func scanCall(rows *sql.Rows) (*callRow, error) {
	r := &callRow{}
	c := &r.call
	var day, counted int64
	var fromEnd, toEnd string
	err := rows.Scan(
		instant{&r.key.Start}, &r.key.hash, &day, &c.ID, &c.Revision, &counted, instant{&c.End}, instant{&c.Answered}, &c.Customer,
		&c.Trunk, &c.Site, &c.From, &c.To, &fromEnd, &toEnd, &r.masked, &c.Codec, &c.Network, &c.Country, &c.UserAgent, &c.Scale, &c.MOS, &c.R,
		&c.Cause, &c.CoveragePct, &r.oneWay, &r.impaired, &c.Signalled, &c.Status, &c.Q850, &c.PDDMS, &c.Why, &r.streams,
	)
	c.Start, r.counted, c.Streams = r.key.Start, counted != 0, []voice.Stream{}
	return r, err
}

// insertSQL inserts a row of a table; the end says what is done when it is there.
func insertSQL(table string, columns []string, end string) string {
	marks := make([]string, len(columns))
	for i := range columns {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	return `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(marks, ", ") + `)` + end
}

var (
	addCallSQL      = insertSQL(callsTable, callColumns[:], " ON CONFLICT DO NOTHING")
	addIntervalsSQL = insertSQL(intervalsTable, intervalColumns[:], "")

	callOfKeySQL  = selectCalls + ` WHERE c.start_at = $1 AND c.hash = $2`
	callsOfKeySQL = selectCalls + ` JOIN unnest($1::timestamptz[], $2::bigint[]) AS k (start_at, hash) ON c.start_at = k.start_at AND c.hash = k.hash`
)

const (
	hasCallSQL         = `SELECT revision FROM calls WHERE start_at = $1 AND hash = $2`
	removeCallSQL      = `DELETE FROM calls WHERE start_at = $1 AND hash = $2`
	removeIntervalsSQL = `DELETE FROM call_intervals WHERE start_at = $1 AND hash = $2`
)

// storedCalls reads those of the calls that are there already. On SQLite it does not look for a first revision: adding it says whether it is news.
func (t *transaction) storedCalls(ctx context.Context, list []*callRow) (map[CallKey]*callRow, error) {
	if t.d.gate != nil {
		return t.storedOneByOne(ctx, list)
	}
	found := map[CallKey]*callRow{}
	starts, hashes := make([]time.Time, len(list)), make([]int64, len(list))
	for i, r := range list {
		starts[i], hashes[i] = r.key.Start, r.key.hash
	}
	err := each(ctx, t.tx, callsOfKeySQL, []any{starts, hashes}, func(rows *sql.Rows) error {
		r, err := scanCall(rows)
		found[r.key] = r
		return err
	})
	return found, err
}

func (t *transaction) storedOneByOne(ctx context.Context, list []*callRow) (map[CallKey]*callRow, error) {
	found := map[CallKey]*callRow{}
	has, err := t.tx.PrepareContext(ctx, hasCallSQL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = has.Close() }()
	for _, r := range list {
		if r.call.Revision == 1 {
			continue
		}
		revision := 0
		if err := optional(has.QueryRowContext(ctx, stamp(r.key.Start), r.key.hash).Scan(&revision)); err != nil {
			return nil, err
		}
		if revision == 0 {
			continue
		}
		err := each(ctx, t.tx, callOfKeySQL, []any{stamp(r.key.Start), r.key.hash}, func(rows *sql.Rows) error {
			old, err := scanCall(rows)
			found[r.key] = old
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// addCalls inserts calls and returns those that were not there: on PostgreSQL, where that is known before, all of them by COPY.
func (t *transaction) addCalls(ctx context.Context, list []*callRow) (added []*callRow, err error) {
	if t.d.gate == nil {
		return list, t.conn.Raw(func(c any) error { return copyCalls(ctx, c, list) })
	}
	add, err := t.tx.PrepareContext(ctx, addCallSQL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = add.Close() }()
	unwatched := context.WithoutCancel(ctx) // the transaction ends with ctx: a goroutine for each row to watch it is not needed
	var run statements
	for _, r := range list {
		result, err := add.ExecContext(unwatched, r.args()...)
		if err != nil {
			return nil, err
		}
		if n, err := result.RowsAffected(); n == 0 || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		added = append(added, r)
		if r.intervals != nil {
			run = append(run, statement{addIntervalsSQL, r.intervalArgs()})
		}
	}
	return added, t.run(ctx, run)
}

func copyCalls(ctx context.Context, driverConn any, list []*callRow) error {
	c, ok := driverConn.(*stdlib.Conn)
	if !ok {
		return driver.ErrBadConn
	}
	_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{callsTable}, callColumns[:], pgx.CopyFromSlice(len(list), func(i int) ([]any, error) { return list[i].args(), nil }))
	if err != nil {
		return err
	}
	var with []*callRow
	for _, r := range list {
		if r.intervals != nil {
			with = append(with, r)
		}
	}
	if len(with) == 0 {
		return nil
	}
	_, err = c.Conn().CopyFrom(ctx, pgx.Identifier{intervalsTable}, intervalColumns[:], pgx.CopyFromSlice(len(with), func(i int) ([]any, error) { return with[i].intervalArgs(), nil }))
	return err
}
