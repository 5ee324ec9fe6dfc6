package profile

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a file says, before names are looked up.
type rawProfile struct {
	doc        *document
	own        bool // of the operator's folder
	broken     bool // could not be read at all
	name       string
	title      string
	source     string
	match      []rawMatch
	extends    []word
	interfaces *bool
	names      scope
	facts      []rawPair
	metrics    []*rawMetric
}

type rawMatch struct {
	line     int
	objectID string // without leading dot; empty: any device
	descr    *regexp.Regexp
}

type rawPair struct {
	key  string
	name word
}

// target is what a NAME stands for.
type target struct {
	oid    string // with a leading dot
	column bool
}

// scope is the names that a profile may use.
type scope map[string]target

var (
	profileName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	objectName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	tagName     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
)

// factNames are the facts that the page of a device knows.
func factNames() []string { return []string{"model", "serial", "version", "location", "contact"} }

// readProfile reads the content of the file of a name.
func readProfile(doc *document, name string, data []byte) *rawProfile {
	p := &rawProfile{doc: doc, name: name, names: scope{}}
	root := doc.root(data)
	if root == nil {
		p.broken = true
		return p
	}
	if !profileName.MatchString(name) {
		doc.problem(0, "small letters, digits, dots and dashes, at most 63", "the file's name is not the name of a profile")
	}
	seen := doc.mapping(root, "the profile", p.keys())
	for _, key := range []string{"name", "title", "source"} {
		if seen[key] == 0 {
			doc.problem(root.Line, "", "%s is missing", key)
		}
	}
	return p
}

func (p *rawProfile) keys() keys {
	d := p.doc
	return keys{
		"name":       p.readName,
		"title":      func(key string, n *yaml.Node) { p.title = p.line(n, key) },
		"source":     func(key string, n *yaml.Node) { p.source = p.line(n, key) },
		"match":      p.readMatch,
		"extends":    func(key string, n *yaml.Node) { p.extends = d.words(n, key, false) },
		"interfaces": func(key string, n *yaml.Node) { yes := d.yes(n, key); p.interfaces = &yes },
		"objects":    func(key string, n *yaml.Node) { p.readNames(n, key, false) },
		"columns":    func(key string, n *yaml.Node) { p.readNames(n, key, true) },
		"facts":      p.readFacts,
		"metrics": func(key string, n *yaml.Node) {
			for _, entry := range d.list(n, key) {
				p.metrics = append(p.metrics, readMetric(d, entry))
			}
		},
	}
}

// line reads a text and makes one line of it.
func (p *rawProfile) line(n *yaml.Node, key string) string {
	text, _ := p.doc.scalar(n, key)
	return strings.Join(strings.Fields(text), " ")
}

func (p *rawProfile) readName(key string, n *yaml.Node) {
	if text, ok := p.doc.scalar(n, key); ok && text != p.name {
		p.doc.problem(n.Line, "write name: "+p.name+", or rename the file", "the name %q is not that of the file", text)
	}
}

func (p *rawProfile) readMatch(key string, n *yaml.Node) {
	for _, entry := range p.doc.list(n, key) {
		m := rawMatch{line: entry.Line}
		seen := p.doc.mapping(entry, "match", keys{
			"object_id": func(key string, n *yaml.Node) { m.objectID = p.doc.oid(n, key) },
			"descr":     func(key string, n *yaml.Node) { m.descr = p.doc.pattern(n, key) },
		})
		if seen["object_id"] == 0 && seen["descr"] == 0 {
			if seen != nil {
				p.doc.problem(entry.Line, "give object_id, descr or both", "match: an entry without a condition")
			}
			continue
		}
		if m.objectID != "" || m.descr != nil {
			p.match = append(p.match, m)
		}
	}
}

func (p *rawProfile) readNames(n *yaml.Node, key string, column bool) {
	if n.Kind != yaml.MappingNode {
		p.doc.problem(n.Line, "write NAME: OID", "%s: want a set of keys, this is %s", key, kindOf(n))
		return
	}
	p.doc.pairs(n, key, func(name string, value *yaml.Node) {
		_, twice := p.names[name]
		switch {
		case !objectName.MatchString(name):
			p.doc.problem(value.Line, "letters, digits, _ and -; a letter first; at most 64", "%s: %q cannot be a name", key, name)
		case twice:
			p.doc.problem(value.Line, "give one of them another name", "%s: %q is an object and a column", key, name)
		case p.doc.usable(value, name):
			p.names[name] = target{oid: "." + p.doc.oid(value, name), column: column}
		default:
			p.names[name] = target{column: column} // so that its uses are no mistakes of their own
		}
	})
}

func (p *rawProfile) readFacts(key string, n *yaml.Node) {
	known := keys{}
	for _, fact := range factNames() {
		known[fact] = func(key string, n *yaml.Node) {
			p.facts = append(p.facts, rawPair{key, p.doc.word(n, "facts."+key)})
		}
	}
	p.doc.mapping(n, key, known)
}
