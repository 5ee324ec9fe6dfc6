package store

import (
	"slices"
	"strconv"
	"strings"
)

// marginalSQL is what is done with a row of call_hours.
type marginalSQL int

const (
	putMarginal    marginalSQL = iota // add to it, or make it
	changeMarginal                    // add to one that must be there
	removeMarginal                    // delete it, if it has no call left
)

// marginalKeys are the columns of the key, with their types on PostgreSQL.
var marginalKeys = [...]struct{ name, kind string }{
	{"customer", "text"}, {"dimension", "text"}, {"hour", "timestamptz"}, {"value", "text"}, {"scale", "text"},
}

// columns are those that a statement has arguments for, and their types.
func (m marginalSQL) columns() (names, kinds []string) {
	for _, k := range marginalKeys {
		names, kinds = append(names, k.name), append(kinds, k.kind)
	}
	if m == removeMarginal {
		return names, kinds
	}
	names = slices.Concat(names, []string{"calls"}, marginalColumns[:])
	return names, append(kinds, slices.Repeat([]string{"bigint"}, 1+marginalWidth)...)
}

// one is the statement for one row.
func (m marginalSQL) one() string {
	names, _ := m.columns()
	arguments := make([]string, len(names))
	for i := range names {
		arguments[i] = "$" + strconv.Itoa(i+1)
	}
	return m.text(`VALUES (`+strings.Join(arguments, ", ")+`)`, "", arguments)
}

// many is the statement for many rows, whose columns come as arrays.
func (m marginalSQL) many() string {
	names, kinds := m.columns()
	arrays, arguments := make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + kinds[i] + "[]"
		arguments[i] = "d." + name
	}
	from := `unnest(` + strings.Join(arrays, ", ") + `) AS d (` + strings.Join(names, ", ") + `)`
	return m.text(`SELECT `+strings.Join(arguments, ", ")+` FROM `+from, from, arguments)
}

// text is a statement on rows that come from somewhere: for an INSERT from rows, for the others from a table beside, if any.
func (m marginalSQL) text(rows, beside string, arguments []string) string {
	const table = marginalTable
	names, _ := m.columns()
	var where, sets, puts []string
	for i, name := range names {
		if i < len(marginalKeys) {
			where = append(where, table+"."+name+" = "+arguments[i])
			continue
		}
		sets = append(sets, name+" = "+table+"."+name+" + "+arguments[i])
		puts = append(puts, name+" = "+table+"."+name+" + excluded."+name)
	}
	with := func(word string) string {
		if beside == "" {
			return ""
		}
		return " " + word + " " + beside
	}
	condition := ` WHERE ` + strings.Join(where, " AND ")
	switch m {
	case putMarginal:
		return `INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) ` + rows +
			` ON CONFLICT (customer, dimension, hour, value, scale) DO UPDATE SET ` + strings.Join(puts, ", ")
	case changeMarginal:
		return `UPDATE ` + table + ` SET ` + strings.Join(sets, ", ") + with("FROM") + condition
	default:
		return `DELETE FROM ` + table + with("USING") + condition + ` AND ` + table + `.calls = 0`
	}
}
