package store

import (
	"context"
	"strings"
	"time"
)

// numberRange is a span of texts that an index on the numbers of a day is looked through by.
type numberRange struct {
	index, column string
	from, to      string // from ≤ text ≤ to
}

// last is a text behind all that begin with another, in the order of octets.
const last = "\U0010ffff"

// leastKnown is how many digits a number needs of which the end may be masked: what is left of a shorter one says too little.
const leastKnown = 7

// numberRanges is where the numbers stand that are looked for.
func numberRanges(number string) []numberRange {
	if begin, ok := strings.CutSuffix(number, "*"); ok {
		var list []numberRange
		for _, text := range beginnings(begin) {
			list = append(list,
				numberRange{"calls_from", "from_number", text, text + last},
				numberRange{"calls_to", "to_number", text, text + last})
		}
		return list
	}
	ends := []string{endOf(number)}
	if digits, ok := digitsIn(number); !ok || len(digits) >= leastKnown {
		ends = append(ends, endOf(maskNumber(number)))
	}
	var list []numberRange
	for _, end := range ends {
		list = append(list,
			numberRange{"calls_from_end", "from_end", end, end + last},
			numberRange{"calls_to_end", "to_end", end, end + last})
	}
	return list
}

// beginnings are the ways in which numbers are written that begin so.
func beginnings(text string) []string {
	digits, ok := digitsIn(text)
	if !ok {
		return []string{text}
	}
	if digits = strings.TrimPrefix(digits, "00"); digits == "" {
		return []string{text}
	}
	return []string{digits, "+" + digits, "00" + digits}
}

// byNumber reads the newest calls of a number, day by day from the newest on, until there are enough.
func (l *callLog) byNumber(ctx context.Context, customers []string, all bool, f *CallFilter) ([]*callRow, error) {
	number := shortText(strings.TrimSpace(f.Number))
	if strings.Trim(number, "*+ ") == "" {
		return nil, nil
	}
	var found []*callRow
	err := l.dayByDay(ctx, f, func(day int64) (bool, error) {
		some, err := l.numberOfDay(ctx, customers, all, f, numberRanges(number), day)
		found = append(found, some...)
		return len(found) >= f.Limit, err
	})
	return found[:min(len(found), f.Limit)], err
}

// commonNumber is how many calls of a day there are at least of numbers that are so common that the newest of them are found sooner by time.
const commonNumber = 5000

// numberQuery begins the query of the calls of a day whose number lies in a range: by the index of numbers, or, where it is common, by time.
// PostgreSQL knows by its statistics what is common.
func (l *callLog) numberQuery(ctx context.Context, r numberRange, day int64) (*query, error) {
	between := "c." + r.column + " >= ? AND c." + r.column + " <= ?"
	if l.by(r.index) != "" {
		var n int
		few := `SELECT COUNT(*) FROM (SELECT 1 FROM calls c` + l.by(r.index) + ` WHERE c.day = $1 AND c.` + r.column + ` >= $2 AND c.` + r.column + ` <= $3 LIMIT $4)`
		if err := l.db.read.QueryRowContext(ctx, few, day, r.from, r.to, int64(commonNumber)).Scan(&n); err != nil {
			return nil, err
		}
		if n == commonNumber {
			q, begin := newQuery(selectCalls), time.Unix(day*24*60*60, 0)
			q.and("c.start_at >= ? AND c.start_at < ? AND "+between, stamp(begin), stamp(begin.Add(dayLong)), r.from, r.to)
			return q, nil
		}
	}
	q := newQuery(selectCalls + l.by(r.index))
	q.and("c.day = ? AND "+between, day, r.from, r.to)
	return q, nil
}

// numberOfDay reads the newest calls of a day whose numbers lie in any of some ranges.
func (l *callLog) numberOfDay(ctx context.Context, customers []string, all bool, f *CallFilter, ranges []numberRange, day int64) ([]*callRow, error) {
	args := make([]any, len(customers))
	for i := range customers {
		args[i] = customers[i]
	}
	var found []*callRow
	for _, r := range ranges {
		q, err := l.numberQuery(ctx, r, day)
		if err != nil {
			return nil, err
		}
		if !all {
			q.in("c.customer", args...)
		}
		f.conditions(q)
		q.add(" ORDER BY c.start_at DESC, c.hash DESC LIMIT ?", int64(f.Limit))
		rows, err := callRows(ctx, l.db.read, q)
		if err != nil {
			return nil, err
		}
		found = append(found, rows...)
	}
	return newestRows(found, f.Limit), nil
}
