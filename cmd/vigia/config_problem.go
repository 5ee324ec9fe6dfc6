package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v4"
)

// ConfigError is one mistake in a configuration file.
type ConfigError struct {
	File    string
	Line    int // from 1; 0 when it is about the whole file
	Column  int
	Rule    string // which rule is broken: a stable word, for tests and for searching
	Message string // what is wrong: one clause, no full stop
	Hint    string // what to do; may be empty
}

// Error writes file:line: message (hint).
func (e ConfigError) Error() string {
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

// ConfigErrors is everything that is wrong with a file, in the order of its lines.
type ConfigErrors []ConfigError

// Error writes one mistake a line.
func (e ConfigErrors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by line and column; of equal ones that are said twice, one stays.
func (e ConfigErrors) sorted() ConfigErrors {
	slices.SortStableFunc(e, func(a, b ConfigError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(e)
}

// Notice is something in a configuration file that is accepted and deserves a word.
type Notice struct {
	File    string
	Line    int
	Rule    string
	Message string
}

// String writes file:line: notice: message.
func (n Notice) String() string {
	if n.Line == 0 {
		return n.File + ": notice: " + n.Message
	}
	return fmt.Sprintf("%s:%d: notice: %s", n.File, n.Line, n.Message)
}

// maxProblems bounds the report of a file that is wrong from end to end.
const maxProblems = 1000

// problem notes a mistake at a node.
func (l *loader) problem(n *yaml.Node, rule, hint, format string, args ...any) {
	if len(l.errs) > maxProblems {
		return
	}
	e := ConfigError{File: l.file, Rule: rule, Message: fmt.Sprintf(format, args...), Hint: hint}
	if n != nil {
		e.Line, e.Column = n.Line, n.Column
	}
	if len(l.errs) == maxProblems {
		e = ConfigError{
			File: l.file, Rule: "too-many", Message: fmt.Sprintf("more than %d mistakes; the first %d are shown", maxProblems, maxProblems),
		}
	}
	l.errs = append(l.errs, e)
}

func (l *loader) notice(n *yaml.Node, rule, format string, args ...any) {
	one := Notice{File: l.file, Rule: rule, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		one.Line = n.Line
	}
	l.notices = append(l.notices, one)
}

func (l *loader) sortedNotices() []Notice {
	slices.SortStableFunc(l.notices, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(l.notices)
}

// scrub takes every secret that was read out of a text that a kind wrote. Our own texts never hold one.
func (l *loader) scrub(text string) string {
	for _, s := range l.secrets {
		if len(s) >= minScrub {
			text = strings.ReplaceAll(text, s, "secret")
		}
	}
	return text
}

// minScrub is the length from which on a secret is looked for in messages; shorter ones would mangle ordinary words.
const minScrub = 4

// fileProblem says in plain words why a file cannot be read; the path stands beside it already.
func fileProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it"
	case errors.Is(err, syscall.EISDIR):
		return "it is a folder"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
