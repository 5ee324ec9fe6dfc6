package store

import (
	"slices"
	"strconv"
	"strings"

	"vigia/collectors/inventory"
)

// Scope says whose customer data a reader may see. The zero value sees none.
type Scope struct {
	all       bool
	Customers []string // by name
}

// Everything sees all customers: the operator's own people, and the parts of Vigía itself.
func Everything() Scope { return Scope{all: true} }

// All reports whether the scope sees everything there is.
func (s Scope) All() bool { return s.all }

// Sees reports whether the scope may see what is about ref. Only a customer's Ref is customer data.
func (s Scope) Sees(ref inventory.Ref) bool {
	return s.all || ref.Kind != inventory.KindCustomer || slices.Contains(s.Customers, ref.Name)
}

// seesCustomer reports whether the scope may see what is a customer's.
func (s Scope) seesCustomer(name string) bool { return s.all || slices.Contains(s.Customers, name) }

// customerOf is what the column customer of a row about ref holds.
func customerOf(ref inventory.Ref) string {
	if ref.Kind == inventory.KindCustomer {
		return ref.Name
	}
	return ""
}

// query is a statement that grows by conditions; it numbers the placeholders.
type query struct {
	text  strings.Builder
	args  []any
	where bool
}

func newQuery(text string, args ...any) *query {
	q := &query{args: args}
	q.text.WriteString(text)
	return q
}

// and adds a condition; each ? in it stands for the next argument.
func (q *query) and(condition string, args ...any) {
	if q.where {
		q.text.WriteString(" AND ")
	} else {
		q.text.WriteString(" WHERE ")
		q.where = true
	}
	q.add(condition, args...)
}

// add adds text; each ? in it stands for the next argument.
func (q *query) add(text string, args ...any) {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		q.args = append(q.args, arg)
		q.text.WriteString(before)
		q.text.WriteString("$" + strconv.Itoa(len(q.args)))
		text = after
	}
	q.text.WriteString(text)
}

// in adds the condition that a column holds one of the values; no values means no row.
func (q *query) in(column string, values ...any) {
	if len(values) == 0 {
		q.and("1 = 0")
		return
	}
	q.and(column+" IN ("+marks(len(values))+")", values...)
}

// sees limits the rows to what a scope may see; the column holds the customer's name or is empty.
func (q *query) sees(scope Scope, column string) {
	if scope.all {
		return
	}
	args := []any{""}
	for _, c := range scope.Customers {
		args = append(args, c)
	}
	q.in(column, args...)
}

// about limits the rows to objects.
func (q *query) about(refs []inventory.Ref, prefix string) {
	if len(refs) == 0 {
		return
	}
	var args []any
	for _, r := range refs {
		args = append(args, string(r.Kind), r.Name)
	}
	one := "(" + prefix + "ref_kind = ? AND " + prefix + "ref_name = ?)"
	q.and("("+strings.Repeat(one+" OR ", len(refs)-1)+one+")", args...)
}

func marks(n int) string { return strings.Repeat("?, ", n-1) + "?" }
