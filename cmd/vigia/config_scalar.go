package main

import (
	"encoding"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/inventory"
)

// scalar reads one word into a string, number or truth value and checks it against the tags.
func (l *loader) scalar(n *yaml.Node, v reflect.Value, key string, tag reflect.StructTag) {
	var ok bool
	switch v.Kind() {
	case reflect.String:
		if ok = l.isText(n, key); ok {
			v.SetString(n.Value)
			l.form(n, key, tag)
		}
		return
	case reflect.Bool:
		ok = n.ShortTag() == "!!bool" && (n.Value == "true" || n.Value == "false")
		v.SetBool(ok && n.Value == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		ok = l.integer(n, v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		ok = l.unsigned(n, v)
	case reflect.Float32, reflect.Float64:
		var f float64
		if f, ok = number(n); ok {
			v.SetFloat(f)
		}
	}
	if !ok {
		l.problem(n, "wrong-type", scalarHint(n, v), "%s: want %s, not %s", key, wanted(v), shown(n))
		return
	}
	if f, isNumber := number(n); isNumber {
		l.bounds(n, f, key, tag)
	}
}

// integer reads a whole number; a type that is a time.Duration takes one with a unit.
func (l *loader) integer(n *yaml.Node, v reflect.Value) bool {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := inventory.ParseDuration(n.Value)
		v.SetInt(int64(d))
		return err == nil
	}
	i, err := strconv.ParseInt(n.Value, 0, v.Type().Bits())
	if n.ShortTag() != "!!int" || err != nil {
		return false
	}
	v.SetInt(i)
	return true
}

func (l *loader) unsigned(n *yaml.Node, v reflect.Value) bool {
	i, err := strconv.ParseUint(n.Value, 0, v.Type().Bits())
	if n.ShortTag() != "!!int" || err != nil {
		return false
	}
	v.SetUint(i)
	return true
}

// number reads a finite number.
func number(n *yaml.Node) (float64, bool) {
	switch n.ShortTag() {
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
			return float64(i), true
		}
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
	}
	return 0, false
}

func wanted(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Int64:
		if v.Type() == reflect.TypeFor[time.Duration]() {
			return "a duration such as 30s or 5m"
		}
	}
	return "a whole number"
}

// shown is a value as it stands in the file.
func shown(n *yaml.Node) string {
	if n.ShortTag() == "!!str" {
		return fmt.Sprintf("the text %q", n.Value)
	}
	return n.Value
}

func scalarHint(n *yaml.Node, v reflect.Value) string {
	if _, err := strconv.ParseFloat(n.Value, 64); err == nil && v.Kind() != reflect.Bool && n.ShortTag() == "!!str" {
		return "take the quotes off"
	}
	return ""
}

// isText reports whether a scalar can be taken as text. A number is taken as it is written; yes-or-no words are refused, since YAML
// readers differ about them; a reference to a secret is refused, since only a Secret can keep one.
func (l *loader) isText(n *yaml.Node, key string) bool {
	if n.Kind != yaml.ScalarNode {
		l.problem(n, "wrong-type", "", "%s: want text, this is %s", key, kindOf(n))
		return false
	}
	if n.ShortTag() == "!!bool" {
		l.problem(n, "wrong-type", fmt.Sprintf("write %q in quotes", n.Value), "%s: want text, this is yes or no", key)
		return false
	}
	if strings.Contains(n.Value, "${env:") || strings.Contains(n.Value, "${file:") {
		l.problem(n, "secret-misplaced", "write the value itself; only keys that are kept secret take references",
			"%s cannot keep a secret", key)
		return false
	}
	return true
}

// textValue reads a word into a type that reads text: a duration, a bandwidth, a reference, an address, a severity.
func (l *loader) textValue(n *yaml.Node, target encoding.TextUnmarshaler, key string, tag reflect.StructTag) {
	if !l.isText(n, key) {
		return
	}
	if prefix, ok := target.(*netip.Prefix); ok {
		l.prefix(n, prefix, key)
		return
	}
	if err := target.UnmarshalText([]byte(n.Value)); err != nil {
		rule, message := textRule(target), err.Error()
		if _, ok := target.(*netip.Addr); ok {
			message = fmt.Sprintf("%q is not an IP address such as 192.0.2.1", n.Value)
		}
		l.problem(n, rule, "", "%s: %s", key, message)
		return
	}
	if d, ok := target.(*inventory.Duration); ok {
		l.durationBounds(n, d.Std(), key, tag)
	}
}

// textRule names the rule that a text of a type breaks.
func textRule(target any) string {
	switch target.(type) {
	case *inventory.Duration:
		return "bad-duration"
	case *inventory.Bandwidth:
		return "bad-bandwidth"
	case *inventory.Ref:
		return "bad-reference"
	case *netip.Addr:
		return "bad-address"
	case interface{ String() string }:
		return "bad-word"
	}
	return "bad-value"
}

// prefix reads a network. A single address is one of its own; bits beyond the length are refused, since one of the two is a slip.
func (l *loader) prefix(n *yaml.Node, p *netip.Prefix, key string) {
	if a, err := netip.ParseAddr(n.Value); err == nil && a.Zone() == "" {
		*p = netip.PrefixFrom(a, a.BitLen())
		return
	}
	parsed, err := netip.ParsePrefix(n.Value)
	if err != nil {
		l.problem(n, "bad-network", "", "%s: %q is not a network such as 192.0.2.0/24", key, n.Value)
		return
	}
	if parsed.Masked() != parsed {
		l.problem(n, "network-bits", fmt.Sprintf("write %s", parsed.Masked()), "%s: %q has bits set beyond its length", key, n.Value)
	}
	*p = parsed.Masked()
}

// bounds checks a number against the tags min and max.
func (l *loader) bounds(n *yaml.Node, f float64, key string, tag reflect.StructTag) {
	if low, err := strconv.ParseFloat(tag.Get("min"), 64); err == nil && f < low {
		l.problem(n, "out-of-range", "", "%s: %s is less than %s", key, n.Value, tag.Get("min"))
	}
	if high, err := strconv.ParseFloat(tag.Get("max"), 64); err == nil && f > high {
		l.problem(n, "out-of-range", "", "%s: %s is more than %s", key, n.Value, tag.Get("max"))
	}
}

func (l *loader) durationBounds(n *yaml.Node, d time.Duration, key string, tag reflect.StructTag) {
	if low, err := inventory.ParseDuration(tag.Get("min")); err == nil && d < low {
		l.problem(n, "out-of-range", "", "%s: %s is shorter than %s", key, n.Value, tag.Get("min"))
	}
	if high, err := inventory.ParseDuration(tag.Get("max")); err == nil && d > high {
		l.problem(n, "out-of-range", "", "%s: %s is longer than %s", key, n.Value, tag.Get("max"))
	}
}

// form checks a text against the tags enum and is.
func (l *loader) form(n *yaml.Node, key string, tag reflect.StructTag) {
	if words := strings.Fields(tag.Get("enum")); len(words) > 0 && !slices.Contains(words, n.Value) {
		l.problem(n, "bad-word", "", "%s: %q is not one of %s", key, n.Value, strings.Join(words, ", "))
	}
	f, ok := forms[tag.Get("is")]
	if !ok {
		return
	}
	if message, hint := f.check(n.Value); message != "" {
		l.problem(n, f.rule, hint, "%s: %s", key, message)
	}
}
