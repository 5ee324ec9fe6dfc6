package profile

import (
	"maps"
	"slices"
	"strings"
)

// resolved is a profile with what it inherits.
type resolved struct {
	profile    *Profile
	names      scope
	interfaces *bool
	broken     bool // it or one that it extends cannot be read: unknown names say nothing
	busy       bool // it is being resolved: who meets it now goes in a circle
}

// resolve makes a profile, after those that it extends. way is how we came here, for the message about a circle.
func (l *loader) resolve(raw *rawProfile, way []string) *resolved {
	if r := l.done[raw.name]; r != nil {
		return r
	}
	r := &resolved{broken: raw.broken, busy: true, names: maps.Clone(raw.names), interfaces: raw.interfaces}
	r.profile = &Profile{Name: raw.name, Title: raw.title, Source: raw.source, Facts: map[string]string{}}
	l.done[raw.name] = r
	parents := l.parents(raw, r, append(slices.Clip(way), raw.name))
	for _, p := range parents {
		r.inherit(p)
	}
	c := &compiler{doc: raw.doc, profile: raw.name, names: r.names, quiet: r.broken}
	for _, f := range raw.facts {
		if t, ok := c.lookup(f.name, "facts."+f.key); ok && t.column {
			raw.doc.problem(f.name.line, "name one of objects", "facts.%s: %q is a column, not an object", f.key, f.name.text)
		} else if ok {
			r.profile.Facts[f.key] = t.oid
		}
	}
	for _, m := range raw.metrics {
		r.profile.Metrics = append(r.profile.Metrics, c.metric(m))
	}
	for _, p := range parents {
		r.adopt(p)
	}
	r.profile.Interfaces = r.interfaces != nil && *r.interfaces
	r.busy = false
	return r
}

// parents resolves what a profile extends.
func (l *loader) parents(raw *rawProfile, r *resolved, way []string) []*resolved {
	var out []*resolved
	for _, w := range raw.extends {
		parent := l.raw[w.text]
		if parent == nil {
			r.broken = true
			if w.text != "" {
				raw.doc.problem(w.line, meant(w.text, slices.Collect(maps.Keys(l.raw))), "extends: there is no profile %q", w.text)
			}
			continue
		}
		p := l.resolve(parent, way)
		if p.busy {
			r.broken = true
			circle := append(slices.Clone(way[slices.Index(way, w.text):]), w.text)
			raw.doc.problem(w.line, "take it out", "extends goes in a circle: %s", strings.Join(circle, " → "))
			continue
		}
		out = append(out, p)
	}
	return out
}

// inherit takes names and the word about interfaces from a parent; own ones and those of an earlier parent win.
func (r *resolved) inherit(p *resolved) {
	r.broken = r.broken || p.broken
	for name, t := range p.names {
		if _, own := r.names[name]; !own {
			r.names[name] = t
		}
	}
	if r.interfaces == nil {
		r.interfaces = p.interfaces
	}
}

// adopt appends a parent's metrics, each once, and takes the facts that are not there yet.
func (r *resolved) adopt(p *resolved) {
	have := make(map[*Metric]bool, len(r.profile.Metrics))
	for _, m := range r.profile.Metrics {
		have[m] = true
	}
	for _, m := range p.profile.Metrics {
		if !have[m] {
			r.profile.Metrics = append(r.profile.Metrics, m)
		}
	}
	for fact, oid := range p.profile.Facts {
		if _, own := r.profile.Facts[fact]; !own {
			r.profile.Facts[fact] = oid
		}
	}
}
