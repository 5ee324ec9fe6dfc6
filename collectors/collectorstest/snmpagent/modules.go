package snmpagent

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseModule reads a line whose value a module of snmpsim would compute.
func (r *Recording) parseModule(oid string, tag Tag, module, text string) error {
	options, err := parseOptions(text)
	if err != nil {
		return err
	}
	switch module {
	case "numeric":
		return r.parseNumeric(oid, tag, options)
	case "writecache":
		return r.parseWritecache(oid, tag, options)
	default:
		return fmt.Errorf("module %.50q is not served here, only numeric and writecache are", module)
	}
}

// parseOptions reads name=value,name=value.
func parseOptions(text string) (map[string]string, error) {
	options := map[string]string{}
	for word := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(word, "=")
		if !found {
			return nil, fmt.Errorf("option %.50q is not of the form name=value", word)
		}
		options[strings.TrimSpace(name)] = value
	}
	return options, nil
}

// parseWritecache serves the value that the module begins with; nothing is written here.
func (r *Recording) parseWritecache(oid string, tag Tag, options map[string]string) error {
	value, isPlain := options["value"]
	coded, isHex := options["hexvalue"]
	switch {
	case len(options) != 1 || isPlain == isHex:
		return fmt.Errorf("writecache is served here with one option, value or hexvalue")
	case tag.isNumber() && isPlain:
		return r.parseNumber(oid, tag, plain, value)
	case tag.isNumber():
		return fmt.Errorf("a number is written in decimal, not as hexvalue")
	case isHex:
		return r.parseContents(oid, tag, inHex, coded)
	default:
		return r.parseContents(oid, tag, plain, value)
	}
}

// numeric is a number that moves: initial + function(rate × seconds), × scale + offset, ± deviation, kept between least and most.
type numeric struct {
	initial, rate, scale, offset float64
	least, most                  float64
	deviation                    uint64
	function                     func(float64) float64
	increasing, wraps            bool
	seed                         uint32
}

func (r *Recording) parseNumeric(oid string, tag Tag, options map[string]string) error {
	if !tag.isNumber() {
		return fmt.Errorf("numeric computes numbers, type %d is none", tag)
	}
	n := numeric{rate: 1, scale: 1, most: largestOf(tag), seed: hashOf([]byte(oid)), function: func(x float64) float64 { return x }}
	if _, given := options["initial"]; !given {
		options["initial"] = options["min"]
	}
	for name, text := range options {
		if err := n.option(name, text); err != nil {
			return err
		}
	}
	if n.least > n.most || n.most > largestOf(tag) || n.least < smallestOf(tag) {
		return fmt.Errorf("numeric: min %v and max %v are no range of type %d", n.least, n.most, tag)
	}
	r.add(oid, nil, &live{tag: tag, value: func(elapsed time.Duration) uint64 { return toNumber(tag, n.at(elapsed)) }})
	return nil
}

func largestOf(tag Tag) float64 {
	switch tag {
	case Integer32:
		return math.MaxInt32
	case Counter64:
		return math.MaxUint64
	default:
		return math.MaxUint32
	}
}

func smallestOf(tag Tag) float64 {
	if tag == Integer32 {
		return math.MinInt32
	}
	return 0
}

// toNumber cuts the fraction off. 2^64 - 1 has no float of its own, so what is that large or larger is set to it.
func toNumber(tag Tag, v float64) uint64 {
	switch {
	case tag == Integer32:
		return uint64(int64(v))
	case v >= math.MaxUint64:
		return math.MaxUint64
	default:
		return uint64(v)
	}
}

// option sets one option. "initial" without a text is the minimum that was not given either: 0.
func (n *numeric) option(name, text string) error {
	switch {
	case name == "function":
		return n.setFunction(text)
	case name == "initial" && text == "":
		return nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("numeric: %s=%.50q is no number", name, text)
	}
	switch name {
	case "initial":
		n.initial = v
	case "rate":
		n.rate = v
	case "scale":
		n.scale = v
	case "offset":
		n.offset = v
	case "min":
		n.least = v
	case "max":
		n.most = v
	case "deviation":
		n.deviation = uint64(min(math.Abs(v), math.MaxInt32))
	case "increasing":
		n.increasing = v != 0
	case "wrap":
		n.wraps = v != 0
	default:
		return fmt.Errorf("numeric: option %.50q is not served here", name)
	}
	return nil
}

func (n *numeric) setFunction(name string) error {
	switch name {
	case "sin":
		n.function = math.Sin
	case "cos":
		n.function = math.Cos
	default:
		return fmt.Errorf("numeric: function %.50q is not served here, only sin and cos are", name)
	}
	return nil
}

func (n *numeric) at(elapsed time.Duration) float64 {
	moved := n.function(elapsed.Seconds() * n.rate)
	if n.increasing {
		moved = math.Abs(moved)
	}
	v := (n.initial+moved)*n.scale + n.offset + n.deviate(elapsed)
	switch {
	case v < n.least:
		return n.least
	case v <= n.most:
		return v
	case n.wraps:
		return n.least + math.Mod(v-n.least, n.most-n.least+1)
	default:
		return n.most
	}
}

// deviate is a whole number within the deviation that changes each second and looks like chance; never below 0 for a value that only
// increases, which it may still lower from one second to the next, as in snmpsim.
func (n *numeric) deviate(elapsed time.Duration) float64 {
	if n.deviation == 0 {
		return 0
	}
	second := uint64(elapsed / time.Second)
	h := uint64(hashOf([]byte{byte(second), byte(second >> 8), byte(second >> 16), byte(second >> 24)}) ^ n.seed)
	if n.increasing {
		return float64(h % n.deviation)
	}
	return float64(h%(2*n.deviation)) - float64(n.deviation)
}
