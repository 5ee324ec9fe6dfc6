package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// readMapping reads a check: its kind decides which keys there are besides the common ones.
func (c *CheckSpec) readMapping(l *loader, n *yaml.Node) {
	word := l.kindWord(n)
	if kind := l.checkKind[word]; kind != nil {
		c.kind, c.own = kind, kind.New()
		l.structure(n, c, c.own)
	} else {
		l.unknownKind(n, word, slices.Collect(maps.Keys(l.checkKind)))
		l.common(n, c)
		return
	}
	l.ownProblems(n, c.own.Validate())
	if c.From != "" {
		l.notice(l.at[&c.From], "planned-from", "running a check from another place is not in this version of Vigía; it runs here")
	}
	c.fingerprint = l.digest(n)
}

// kindWord returns the value of the key kind, which is looked at before anything else.
func (l *loader) kindWord(n *yaml.Node) string {
	if k := child(n, "kind"); k != nil && k.Kind == yaml.ScalarNode {
		return k.Value
	}
	return ""
}

// unknownKind notes a kind that does not exist; a kind that is missing is noted with the other keys.
func (l *loader) unknownKind(n *yaml.Node, word string, known []string) {
	if word != "" {
		l.problem(child(n, "kind"), "unknown-kind", meant(word, known), "the kind %q does not exist", word)
	}
}

// common reads the keys that do not depend on the kind, when the kind is not known: the others may be right or wrong.
func (l *loader) common(n *yaml.Node, spec any) {
	fields := fieldsOf(value(spec))
	part := *n
	part.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if slices.ContainsFunc(fields, func(f field) bool { return f.key == n.Content[i].Value }) {
			part.Content = append(part.Content, n.Content[i], n.Content[i+1])
		}
	}
	l.structure(&part, spec)
}

// ownProblems notes what a kind says about its own part.
func (l *loader) ownProblems(n *yaml.Node, problems []collectors.Problem) {
	broken := l.hasErrorsIn(n)
	for _, p := range problems {
		at, rule := n, "missing-key"
		if found := descend(n, p.Key); found != nil {
			at, rule = found, "kind-value"
		}
		if p.Key == "" {
			rule = "kind-value"
		}
		if p.Key == "" && broken || l.known(at, p.Key) {
			continue // a consequence of what was noted before
		}
		message := l.scrub(p.Message)
		if leaf := p.Key[strings.LastIndexByte(p.Key, '.')+1:]; leaf != "" && !strings.Contains(message, leaf) {
			message = p.Key + ": " + message
		}
		l.problem(at, rule, l.scrub(p.Hint), "%s", message)
	}
}

// known reports whether a mistake was noted that explains why a key has no good value: at the very place, or a misspelt key.
func (l *loader) known(n *yaml.Node, key string) bool {
	to := lastLine(n)
	return slices.ContainsFunc(l.errs, func(e ConfigError) bool {
		return n.Kind == yaml.ScalarNode && e.Line == n.Line && e.Column == n.Column ||
			e.Rule == "unknown-key" && e.Line >= n.Line && e.Line <= to && key != "" && strings.Contains(e.Hint, strconv.Quote(key))
	})
}

// descend finds the value of a key such as "tls.ca", or the nearest thing around it, or nil.
func descend(n *yaml.Node, key string) *yaml.Node {
	var found *yaml.Node
	for _, part := range strings.Split(key, ".") {
		next := child(n, part)
		if next == nil {
			break
		}
		n, found = next, next
	}
	return found
}

// digest is a digest of everything that is written in a node, secrets included. It never leaves the process in another form.
func (l *loader) digest(n *yaml.Node) string {
	h := sha256.New()
	l.digestInto(h, n)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (l *loader) digestInto(h hash.Hash, n *yaml.Node) {
	text, resolved := l.text[n]
	if !resolved {
		text = n.Value
	}
	_, _ = fmt.Fprintf(h, "%d %d:%s\n", n.Kind, len(text), text)
	if n.Kind != yaml.MappingNode {
		for _, c := range n.Content {
			l.digestInto(h, c)
		}
		return
	}
	order := make([]int, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(n.Content[a].Value, n.Content[b].Value) })
	for _, i := range order {
		l.digestInto(h, n.Content[i])
		l.digestInto(h, n.Content[i+1])
	}
}

// checks looks at what all checks have: their instances, periods and deadlines; then it opens each one once.
func (l *loader) checks(cfg *Config) {
	first := map[collectors.CheckID]int{}
	for _, c := range cfg.checkSpecs() {
		n := l.at[c.spec]
		if n == nil || c.spec.own == nil {
			continue
		}
		l.times(n, c.spec)
		id := collectors.CheckID{Ref: c.ref, Instance: c.spec.instance()}
		if line := first[id]; line > 0 {
			l.problem(n, "duplicate-check", "give one of them a name:", "%s has two checks called %s, the first in line %d", c.ref, id.Instance, line)
			continue
		}
		first[id] = n.Line
		if !l.hasErrorsIn(n) {
			l.tryOpen(n, c)
		}
	}
}

// instance is what the check's series are told apart by.
func (c *CheckSpec) instance() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Kind
}

// times fills in the period and the deadline and compares them.
func (l *loader) times(n *yaml.Node, c *CheckSpec) {
	if c.Every == 0 {
		c.Every = inventory.Duration(c.kind.Every)
	}
	switch {
	case c.Timeout == 0:
		c.Timeout = min(inventory.Duration(c.kind.Timeout), c.Every)
	case c.Timeout > c.Every:
		at := l.at[&c.Timeout]
		if at == nil {
			at = n
		}
		l.problem(at, "timeout-over-every", "a run must end before the next one begins", "timeout: %s is longer than every (%s)", c.Timeout, c.Every)
	}
}

// hasErrorsIn reports whether something inside a node is known to be wrong.
func (l *loader) hasErrorsIn(n *yaml.Node) bool {
	from, to := n.Line, lastLine(n)
	return slices.ContainsFunc(l.errs, func(e ConfigError) bool { return e.Line >= from && e.Line <= to })
}

func lastLine(n *yaml.Node) int {
	line := n.Line
	for _, c := range n.Content {
		line = max(line, lastLine(c))
	}
	return line
}

// tryOpen opens a collector and closes it, so that what only Open can find is said with the file's line.
func (l *loader) tryOpen(n *yaml.Node, c placedCheck) {
	if c.spec.Kind == profileKind && l.badProfiles {
		return
	}
	collector, err := c.spec.own.Open(c.setup())
	if err != nil {
		l.problem(n, "cannot-open", "", "the check cannot be opened: %s", l.scrub(err.Error()))
		return
	}
	if closer, ok := collector.(collectors.Closer); ok {
		if err := closer.Close(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			l.notice(n, "close", "closing the check: %s", l.scrub(err.Error()))
		}
	}
}

func (c placedCheck) setup() collectors.Setup {
	return collectors.Setup{
		ID:    collectors.CheckID{Ref: c.ref, Instance: c.spec.instance()},
		Every: c.spec.Every.Std(), Timeout: c.spec.Timeout.Std(), Capacity: c.capacity, Files: c.files,
	}
}
