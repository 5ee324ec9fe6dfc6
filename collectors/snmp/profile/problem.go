package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in one profile.
type Error struct {
	File    string // as the operator named it; built-in/NAME.yaml for those of the binary
	Line    int    // from 1; 0 when it is about the whole file
	Message string // what is wrong: one clause, no full stop
	Hint    string // what to do; may be empty
}

// Error writes file:line: message (hint).
func (e Error) Error() string {
	text := e.File
	if e.Line > 0 {
		text += fmt.Sprintf(":%d", e.Line)
	}
	text += ": " + e.Message
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Errors is everything that is wrong with a set of profiles, by file and line.
type Errors []Error

// Error writes one mistake a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds the report of files that are wrong from end to end.
const maxProblems = 1000

// sorted orders the mistakes; one that is said twice stays once.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	e = slices.Compact(e)
	return e[:min(len(e), maxProblems)]
}

// meant says which of the known words an unknown one was probably meant to be; when there is none that is near, it lists them, unless they
// are many.
func meant(word string, known []string) string {
	best, least := "", 3
	for _, k := range slices.Sorted(slices.Values(known)) {
		if len(word) >= 3 && strings.HasPrefix(k, word) {
			best = k
			break
		}
		if d := distance(word, k); d < least && d < len(k) {
			best, least = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0 || len(known) > 24:
		return ""
	}
	return "known: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// distance is how many letters must be put in, taken out or changed to make one word of another. Words that are too long are far.
func distance(a, b string) int {
	const far = 100
	if len(a) > 64 || len(b) > 64 {
		return far
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
