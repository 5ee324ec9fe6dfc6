package profile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxPattern bounds a regular expression, in octets.
const maxPattern = 200

// document reads one YAML file strictly and notes what is wrong with it.
type document struct {
	file string
	errs *Errors
}

// word is a text of the file with the line where it stands.
type word struct {
	text string
	line int
}

// keys is what reads the value of each key that a mapping may have.
type keys map[string]func(key string, n *yaml.Node)

func (d *document) problem(line int, hint, format string, args ...any) {
	*d.errs = append(*d.errs, Error{File: d.file, Line: line, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// root returns the one mapping of a file, or nil after noting what is wrong.
func (d *document) root(data []byte) *yaml.Node {
	if !utf8.Valid(data) {
		d.problem(0, "save the file as UTF-8 text", "the file is not UTF-8 text")
		return nil
	}
	reader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		d.problem(0, "", "%s", err.Error())
		return nil
	}
	var doc, second yaml.Node
	if err := reader.Load(&doc); err != nil {
		d.syntax(err)
		return nil
	}
	if err := reader.Load(&second); err == nil {
		d.problem(second.Line, "one profile a file", "a second document begins here")
		return nil
	} else if broken := (*yaml.LoadError)(nil); errors.As(err, &broken) {
		d.syntax(err)
		return nil
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		d.problem(doc.Line, "begin with name:", "a profile is a set of keys")
		return nil
	}
	return doc.Content[0]
}

func (d *document) syntax(err error) {
	var broken *yaml.LoadError
	switch {
	case !errors.As(err, &broken):
		d.problem(0, "begin with name:", "the file holds nothing")
	case broken.ContextMark.Line > 0 && broken.ContextMsg != "":
		d.problem(broken.Mark.Line, fmt.Sprintf("%s that began in line %d", broken.ContextMsg, broken.ContextMark.Line), "%s", broken.Message)
	default:
		d.problem(broken.Mark.Line, "look at the indentation, the brackets and the quotes", "%s", broken.Message)
	}
}

// mapping reads a set of keys: each is known and stands once. It returns the line of every key that is there, or nil when n is none.
func (d *document) mapping(n *yaml.Node, what string, known keys) map[string]int {
	if n.Kind != yaml.MappingNode {
		d.problem(n.Line, "write key: value", "%s: want a set of keys, this is %s", what, kindOf(n))
		return nil
	}
	seen := map[string]int{}
	d.pairs(n, what, func(key string, value *yaml.Node) {
		seen[key] = value.Line
		read := known[key]
		if read == nil {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			d.problem(value.Line, meant(key, names), "%s: the key %q is not known", what, key)
			return
		}
		if d.usable(value, key) {
			read(key, value)
		}
	})
	return seen
}

// pairs hands out the pairs of a mapping whose keys are words, each once. The value carries the line of its key.
func (d *document) pairs(n *yaml.Node, what string, each func(key string, value *yaml.Node)) {
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], *n.Content[i+1]
		value.Line = key.Line
		switch {
		case key.Kind != yaml.ScalarNode || key.Value == "":
			d.problem(key.Line, "", "%s: a key is one word, this is %s", what, kindOf(key))
		case key.ShortTag() == "!!merge":
			d.problem(key.Line, "write the keys out", "%s: merging (<<) is not part of this language", what)
		case first[key.Value] > 0:
			d.problem(key.Line, "keep one", "%s: the key %q is there twice, first in line %d", what, key.Value, first[key.Value])
		default:
			first[key.Value] = key.Line
			each(key.Value, &value)
		}
	}
}

// usable reports whether a node holds something that this language knows.
func (d *document) usable(n *yaml.Node, key string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.problem(n.Line, "write the value out", "%s: anchors and aliases are not part of this language", key)
	case n.Style&yaml.TaggedStyle != 0:
		d.problem(n.Line, "leave the tag out", "%s: tags such as %s are not part of this language", key, n.ShortTag())
	case n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == "", n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		d.problem(n.Line, "give a value or take the key out", "%s is empty", key)
	case n.Kind != yaml.ScalarNode && len(n.Content) == 0:
		d.problem(n.Line, "give a value or take the key out", "%s is empty", key)
	default:
		return true
	}
	return false
}

// scalar returns the text of a node that is one value.
func (d *document) scalar(n *yaml.Node, key string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.problem(n.Line, "", "%s: want one value, this is %s", key, kindOf(n))
		return "", false
	}
	return strings.TrimSpace(n.Value), true
}

// word is a scalar with its line; empty after a mistake.
func (d *document) word(n *yaml.Node, key string) word {
	text, _ := d.scalar(n, key)
	return word{text, n.Line}
}

// list returns the entries of a sequence that can be used.
func (d *document) list(n *yaml.Node, key string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		hint := "write a list"
		if n.Kind == yaml.ScalarNode {
			hint = fmt.Sprintf("write [%s]", n.Value)
		}
		d.problem(n.Line, hint, "%s: want a list, this is %s", key, kindOf(n))
		return nil
	}
	out := make([]*yaml.Node, 0, len(n.Content))
	for _, c := range n.Content {
		if d.usable(c, key) {
			out = append(out, c)
		}
	}
	return out
}

// words reads a list of words, none of them twice. A single word is a list of one when single is true.
func (d *document) words(n *yaml.Node, key string, single bool) []word {
	if single && n.Kind == yaml.ScalarNode {
		return []word{d.word(n, key)}
	}
	var out []word
	seen := map[string]bool{}
	for _, c := range d.list(n, key) {
		w := d.word(c, key)
		if seen[w.text] && w.text != "" {
			d.problem(w.line, "keep one", "%s: %q is in the list twice", key, w.text)
			continue
		}
		seen[w.text] = true
		out = append(out, w)
	}
	return out
}

// number reads a finite number.
func (d *document) number(n *yaml.Node, key string) (float64, bool) {
	text, ok := d.scalar(n, key)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		d.problem(n.Line, "", "%s: %q is not a number", key, text)
		return 0, false
	}
	return v, true
}

// numbers reads a list of whole numbers.
func (d *document) numbers(n *yaml.Node, key string) []float64 {
	var out []float64
	for _, w := range d.words(n, key, false) {
		v, err := strconv.ParseInt(w.text, 10, 32)
		if err != nil {
			d.problem(w.line, "", "%s: %q is not a whole number", key, w.text)
			continue
		}
		out = append(out, float64(v))
	}
	return out
}

// yes reads true or false.
func (d *document) yes(n *yaml.Node, key string) bool {
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		d.problem(n.Line, "write true or false", "%s is neither true nor false", key)
	}
	return n.Value == "true"
}

// pattern reads a regular expression (RE2); nil after a mistake.
func (d *document) pattern(n *yaml.Node, key string) *regexp.Regexp {
	text, ok := d.scalar(n, key)
	if !ok {
		return nil
	}
	if len(text) > maxPattern {
		d.problem(n.Line, "", "%s: the expression is longer than %d octets", key, maxPattern)
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		d.problem(n.Line, "RE2 syntax", "%s: %s", key, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	return re
}

// oid reads an OID, as it is written in profiles: without a leading dot.
func (d *document) oid(n *yaml.Node, key string) string {
	text, ok := d.scalar(n, key)
	if !ok {
		return ""
	}
	if problem, hint := checkOID(text); problem != "" {
		d.problem(n.Line, hint, "%s: %q %s", key, text, problem)
		return ""
	}
	return text
}

// kindOf says in words what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a set of keys"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Value == "" {
		return "nothing"
	}
	return "one value"
}
