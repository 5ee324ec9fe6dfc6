package main

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/inventory"
)

// mapped is implemented by what reads its own mapping: a check and a receiver, whose keys depend on their kind.
type mapped interface{ readMapping(l *loader, n *yaml.Node) }

// field is one key that a struct knows.
type field struct {
	key   string
	tag   reflect.StructTag
	value reflect.Value
}

// structure reads a mapping into structs, strictly: every key is known to one of them and stands once. Into several structs at once, it
// reads what they have together.
func (l *loader) structure(n *yaml.Node, targets ...any) {
	var fields []field
	for _, t := range targets {
		v := reflect.ValueOf(t).Elem()
		l.at[t] = n
		fields = append(fields, fieldsOf(v)...)
	}
	l.fields(n, fields)
}

// fieldsOf lists the keys of a struct value by its yaml tags.
func fieldsOf(v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case strings.Contains(options, "inline") || f.Anonymous && name == "":
			out = append(out, fieldsOf(v.Field(i))...)
		default:
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			out = append(out, field{name, f.Tag, v.Field(i)})
		}
	}
	return out
}

func (l *loader) fields(n *yaml.Node, fields []field) {
	if !l.isMapping(n) {
		return
	}
	known := make(map[string]*field, len(fields))
	for i := range fields {
		if known[fields[i].key] == nil { // the first struct's key wins: a kind cannot take a common one
			known[fields[i].key] = &fields[i]
		}
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !l.freshKey(key, seen) {
			continue
		}
		f := known[key.Value]
		if f == nil {
			l.problem(key, "unknown-key", nearestHint(key.Value, fields), "the key %q is not known here", key.Value)
			continue
		}
		l.value(value, f.value, f.key, f.tag)
	}
	for _, f := range fields {
		if f.tag.Get("need") == "yes" && seen[f.key] == 0 && !l.known(n, f.key) {
			l.problem(n, "missing-key", "", "%s is missing", f.key)
		}
	}
}

// freshKey reports whether a key is a plain word that has not been there before.
func (l *loader) freshKey(key *yaml.Node, seen map[string]int) bool {
	if key.Kind != yaml.ScalarNode {
		l.problem(key, "bad-key", "", "a key is one word, this is %s", kindOf(key))
		return false
	}
	if key.ShortTag() == "!!merge" {
		l.problem(key, "alias", "write the keys out", "merging (<<) is not part of this language")
		return false
	}
	if first := seen[key.Value]; first > 0 {
		l.problem(key, "duplicate-key", "keep one", "the key %q is there twice, first in line %d", key.Value, first)
		return false
	}
	seen[key.Value] = key.Line
	return true
}

func (l *loader) isMapping(n *yaml.Node) bool {
	if n.Kind == yaml.MappingNode {
		return true
	}
	l.problem(n, "wrong-type", "write key: value", "want a set of keys, this is %s", kindOf(n))
	return false
}

// value reads a node into a value. key names it in messages.
func (l *loader) value(n *yaml.Node, v reflect.Value, key string, tag reflect.StructTag) {
	switch {
	case n.Kind == yaml.AliasNode:
		l.problem(n, "alias", "write the value out", "%s: aliases (*name) are not part of this language", key)
		return
	case n.Style&yaml.TaggedStyle != 0:
		l.problem(n, "tag", "leave the tag out", "%s: tags such as %s are not part of this language", key, n.ShortTag())
		return
	case n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!null" || n.Value == ""):
		l.problem(n, "empty-value", "give a value or take the key out", "%s is empty", key)
		return
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		l.at[v.Addr().Interface()] = n
		v = v.Elem()
		defaults(v)
	}
	l.at[v.Addr().Interface()] = n
	switch target := v.Addr().Interface().(type) {
	case mapped:
		if l.isMapping(n) {
			target.readMapping(l, n)
		}
	case *inventory.Secret:
		l.secret(n, target, key)
	case yaml.Unmarshaler:
		if err := target.UnmarshalYAML(n); err != nil {
			l.problem(n, "bad-value", "", "%s: %s", key, err.Error())
		}
	case encoding.TextUnmarshaler:
		l.textValue(n, target, key, tag)
	default:
		l.plain(n, v, key, tag)
	}
}

// defaults fills in what a struct of ours has by default.
func defaults(v reflect.Value) {
	if d, ok := v.Addr().Interface().(interface{ setDefaults() }); ok {
		d.setDefaults()
	}
}

// plain reads into what reflection knows: structs, lists, maps, text, numbers, yes and no.
func (l *loader) plain(n *yaml.Node, v reflect.Value, key string, tag reflect.StructTag) {
	switch v.Kind() {
	case reflect.Struct:
		l.fields(n, fieldsOf(v))
	case reflect.Slice:
		l.list(n, v, key, tag)
	case reflect.Map:
		l.mapOf(n, v, key, tag)
	default:
		if n.Kind != yaml.ScalarNode {
			l.problem(n, "wrong-type", "", "%s: want %s, this is %s", key, wanted(v), kindOf(n))
			return
		}
		l.scalar(n, v, key, tag)
	}
}

// list reads a sequence. The entries are read where they will stay, so that their places can be found again.
func (l *loader) list(n *yaml.Node, v reflect.Value, key string, tag reflect.StructTag) {
	if n.Kind != yaml.SequenceNode {
		hint := ""
		if n.Kind == yaml.ScalarNode {
			hint = fmt.Sprintf("write [%s]", n.Value)
		}
		l.problem(n, "wrong-type", hint, "%s: want a list, this is %s", key, kindOf(n))
		return
	}
	if len(n.Content) == 0 && tag.Get("need") == "yes" {
		l.problem(n, "empty-list", "", "%s: the list is empty", key)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		defaults(v.Index(i))
		l.value(c, v.Index(i), key, tag)
	}
	l.duplicates(n, v, key)
}

// duplicates notes a scalar that stands twice in one list.
func (l *loader) duplicates(n *yaml.Node, v reflect.Value, key string) {
	if v.Type().Elem().Kind() == reflect.Pointer || !v.Type().Elem().Comparable() {
		return
	}
	seen := map[string]bool{}
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode {
			return
		}
		if seen[c.Value] {
			l.problem(c, "duplicate-entry", "keep one", "%s: %q is in the list twice", key, c.Value)
		}
		seen[c.Value] = true
	}
}

func (l *loader) mapOf(n *yaml.Node, v reflect.Value, key string, tag reflect.StructTag) {
	if !l.isMapping(n) {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Content)/2))
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !l.freshKey(name, seen) {
			continue
		}
		entry := reflect.New(v.Type().Elem()).Elem()
		l.value(value, entry, key+"."+name.Value, tag)
		v.SetMapIndex(reflect.ValueOf(name.Value).Convert(v.Type().Key()), entry)
	}
}
