package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/collectors"
)

// loader reads one configuration file and collects what is wrong with it.
type loader struct {
	file      string // as it is named in messages
	dir       string // where files that the configuration names are looked for
	checkKind map[string]*collectors.Kind
	receiver  map[string]*alerting.ReceiverKind
	env       func(string) (string, bool)

	errs    ConfigErrors
	notices []Notice
	at      map[any]*yaml.Node    // where a value was written, by pointer to the value
	text    map[*yaml.Node]string // what a scalar with references stands for
	secrets []string              // every secret that was read
	mail    *yaml.Node            // the section mail, which e-mail receivers fall back to

	badProfiles bool // the folder of SNMP profiles is wrong: its checks cannot be opened, and that is said already
}

func newLoader(file, dir string, kinds Kinds) *loader {
	l := &loader{
		file: file, dir: dir, env: os.LookupEnv, at: map[any]*yaml.Node{}, text: map[*yaml.Node]string{},
		checkKind: map[string]*collectors.Kind{}, receiver: map[string]*alerting.ReceiverKind{},
	}
	for i := range kinds.Checks {
		l.checkKind[kinds.Checks[i].Name] = &kinds.Checks[i]
	}
	for i := range kinds.Receivers {
		l.receiver[kinds.Receivers[i].Name] = &kinds.Receivers[i]
	}
	return l
}

// document reads the one YAML document of a file and returns its mapping, or nil after noting what is wrong.
func (l *loader) document(data []byte) *yaml.Node {
	if line, control := badByte(data); line > 0 {
		message := "the file is not UTF-8 text"
		if control {
			message = "a control character stands here"
		}
		l.problem(&yaml.Node{Line: line}, "encoding", "save the file as UTF-8 text", "%s", message)
		return nil
	}
	reader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		l.problem(nil, "syntax", "", "%s", err.Error())
		return nil
	}
	var doc yaml.Node
	if err := reader.Load(&doc); err != nil {
		l.syntax(data, err)
		return nil
	}
	l.oneDocument(data, reader)
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		l.problem(nil, "empty-file", "see docs/configuration.md for a first file", "the file holds nothing")
		return nil
	}
	if root.Kind != yaml.MappingNode {
		l.problem(root, "wrong-type", "begin with a key such as links:", "a configuration is a set of keys, this is %s", kindOf(root))
		return nil
	}
	return root
}

func (l *loader) oneDocument(data []byte, reader *yaml.Loader) {
	var second yaml.Node
	err := reader.Load(&second)
	if err == nil {
		l.problem(&second, "several-documents", "keep one and take out the line ---", "a second document begins here")
		return
	}
	var broken *yaml.LoadError
	if errors.As(err, &broken) {
		l.syntax(data, err)
	}
}

// badByte returns the line of the first byte that is not UTF-8, or of the first control character; 0 when there is none.
func badByte(data []byte) (line int, control bool) {
	line = 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			return line, false
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return line, true
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return 0, false
}

// syntax notes what the YAML library could not read, in words that help.
func (l *loader) syntax(data []byte, err error) {
	var broken *yaml.LoadError
	if !errors.As(err, &broken) {
		if len(bytes.TrimSpace(data)) == 0 || err.Error() == "EOF" {
			l.problem(nil, "empty-file", "see docs/configuration.md for a first file", "the file holds nothing")
			return
		}
		l.problem(nil, "syntax", "", "%s", err.Error())
		return
	}
	at := &yaml.Node{Line: broken.Mark.Line, Column: broken.Mark.Column}
	line := lineOf(data, at.Line)
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		l.problem(at, "tab", "use spaces", "a tab cannot indent a line")
	case strings.Contains(broken.Message, "unknown anchor"):
		l.problem(at, "alias", "write the value out", "aliases (*name) are not part of this language")
	case strings.Contains(broken.Message, "cannot start any token"):
		l.problem(at, "syntax", "put the text in quotes", "no value can begin with this character")
	case strings.Contains(broken.Message, "mapping values are not allowed"):
		l.problem(at, "syntax", "look at the indentation, or put the text in quotes", "a colon that does not belong here")
	default:
		l.problem(at, "syntax", syntaxHint(broken), "%s", broken.Message)
	}
}

// syntaxHint says where the thing began that was not ended.
func syntaxHint(broken *yaml.LoadError) string {
	if broken.ContextMark.Line > 0 && broken.ContextMsg != "" {
		return fmt.Sprintf("%s that began in line %d", broken.ContextMsg, broken.ContextMark.Line)
	}
	return "look at the indentation and the brackets"
}

func lineOf(data []byte, number int) string {
	lines := bytes.SplitN(data, []byte("\n"), number+1)
	if number < 1 || number > len(lines) {
		return ""
	}
	return string(lines[number-1])
}

// child returns the value of a key of a mapping, or nil.
func child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
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
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "yes or no"
	case "!!int", "!!float":
		return "a number"
	}
	return "text"
}
