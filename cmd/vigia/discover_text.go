package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"vigia/collectors/snmp"
)

// harmless makes text of a device one line that can neither steer a terminal nor end a comment: what cannot be printed becomes a question mark.
func harmless(text string) string {
	return printable(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		}
		return '?'
	}, text))
}

// plainPattern is a word that YAML reads as text without quotes, wherever it stands.
var plainPattern = regexp.MustCompile(`^([A-Za-z]([A-Za-z0-9_./ -]*[A-Za-z0-9_-])?|[0-9]{1,3}(\.[0-9]{1,3}){3})$`)

// inYAML writes text so that YAML reads it back exactly.
func inYAML(text string) string {
	words := []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
	if plainPattern.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			_, _ = fmt.Fprintf(&b, `\U%08X`, r)
		default:
			_, _ = fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// names gives out names that the configuration accepts, each once.
type names map[string]bool

const maxNameLength = 63

// take makes a legal name of a device's texts, joined by spaces; instead is used when nothing of them can stay.
func (n names) take(instead string, parts ...string) string {
	legal := legalName(strings.Join(parts, " "))
	if legal == "" {
		legal = legalName(instead)
	}
	if legal == "" {
		legal = "device"
	}
	name := cut(legal, maxNameLength)
	for i := 2; n[name]; i++ {
		suffix := " " + strconv.Itoa(i)
		name = cut(legal, maxNameLength-len(suffix)) + suffix
	}
	n[name] = true
	return name
}

// legalName puts a hyphen for each run of what no name can hold.
func legalName(text string) string {
	var b strings.Builder
	gap := rune(0)
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_.-", r):
			if gap != 0 && b.Len() > 0 {
				b.WriteRune(gap)
			}
			gap = 0
			b.WriteRune(r)
		case r == ' ':
			gap = r
		case gap == 0:
			gap = '-'
		}
	}
	return strings.TrimLeft(strings.TrimRight(b.String(), " "), " _.-")
}

// cut keeps the end of a long name: it tells interfaces apart.
func cut(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	head := most / 3
	tail := most - head - 1
	return strings.TrimRight(string(runes[:head])+"-"+strings.TrimLeft(string(runes[len(runes)-tail:]), " "), " ")
}

// interfaceKey is how a check names an interface: by its name, or by its index when the name is not its own or cannot be written.
func interfaceKey(i snmp.Interface, all []snmp.Interface) string {
	same := 0
	for _, other := range all {
		if other.Name == i.Name {
			same++
		}
	}
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	if same > 1 || i.Name == "" || strings.HasSuffix(i.Name, " #"+i.Index) || strings.Contains(i.Name, "${") || strings.ContainsFunc(i.Name, odd) {
		return "#" + i.Index
	}
	return i.Name
}

// peerOf is what stands at the other end, as far as an alias says it; empty when nothing does.
func peerOf(alias, site string) string {
	text := strings.ReplaceAll(bare(alias), "${", "$ {")
	if message, _ := labelForm(text); message != "" || text == site {
		return ""
	}
	return text
}

// bare is an alias without the quotes that some people type around it.
func bare(alias string) string { return strings.Trim(harmless(alias), `"' `) }

// about says what an interface is: its description, alias, speed and state.
func about(i snmp.Interface) string {
	label := i.Descr
	if label == "" {
		label = i.Name
	}
	parts := make([]string, 0, 5)
	if bare(i.Alias) != "" {
		parts = append(parts, strconv.Quote(bare(i.Alias)))
	}
	if !isLine(i) {
		parts = append(parts, i.Type)
	}
	if _, said := capacity(i); said != "" {
		parts = append(parts, said)
	}
	switch {
	case i.Admin == "down":
		parts = append(parts, "shut down")
	case i.Oper != "":
		parts = append(parts, i.Oper)
	}
	return harmless(label) + ": " + strings.Join(parts, ", ")
}
