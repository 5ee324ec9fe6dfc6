package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/snmp"
)

// report is what discover found, to be written.
type report struct {
	plan    *plan
	answers []answer // in order
	at      time.Time
	all     bool
}

// device is one that answered, with its name in the configuration.
type device struct {
	snmp.Survey

	server string
	same   string // the server with the same sysName that was written before
}

// found are the devices that answered, named.
func (r *report) found() []device {
	var out []device
	taken, first := names{}, map[string]string{}
	for _, a := range r.answers {
		if a.err != nil {
			continue
		}
		d := device{Survey: a.survey, server: taken.take("device "+a.host, a.survey.Name)}
		if d.Name != "" {
			d.same = first[d.Name]
			if d.same == "" {
				first[d.Name] = d.server
			}
		}
		out = append(out, d)
	}
	return out
}

// yaml writes a whole small configuration: sites, servers, links. Each line that a person has to judge says what it is.
func (r *report) yaml(w *bytes.Buffer) {
	devices := r.found()
	r.head(w, devices)
	if r.plan.folder != "" {
		put(w, "snmp:\n  profiles: %s  # your own profiles; a path is relative to this file\n", inYAML(r.plan.folder))
	}
	where := "where this stands"
	if !r.plan.given {
		where = "a placeholder for where this stands; write your own, here and below, or give --site"
	}
	put(w, "sites:\n  - name: %s  # %s\nservers:\n", inYAML(r.plan.site), where)
	for i := range devices {
		r.server(w, &devices[i], len(devices) > 1)
	}
	var links bytes.Buffer
	taken, active := names{}, 0
	for i := range devices {
		active += r.links(&links, &devices[i], taken)
	}
	switch {
	case active > 0:
		put(w, "links:\n")
	case bytes.Contains(links.Bytes(), []byte("# - ")):
		put(w, "# links:  # take this # away together with that of a link\n")
	}
	_, _ = w.Write(links.Bytes())
}

func put(w *bytes.Buffer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// head says what was asked, and what to do before the file can be used.
func (r *report) head(w *bytes.Buffer, devices []device) {
	at := r.at.Format("2006-01-02 15:04 UTC")
	if len(devices) == 1 && !r.plan.network.IsValid() {
		put(w, "# Found on %s on %s: %s\n", harmless(devices[0].Host), at, identity(&devices[0]))
	} else {
		put(w, "# Found on %s: %s\n", at, harmless(r.summary()))
	}
	if names, like := r.variables(); names != "" {
		put(w, "# Set %s in the environment before you start vigia%s.\n", names, like)
	}
	if strings.Contains(r.plan.community.written+r.plan.auth.written+r.plan.priv.written, "${file:") {
		put(w, "# The path of a ${file:...} is relative to this file.\n")
	}
	for _, a := range r.answers {
		if a.err != nil && !r.plan.network.IsValid() {
			put(w, "# %s was not read: %s\n", harmless(a.host), harmless(a.err.Error()))
		}
	}
}

// variables names what must be set before the file can be used, and what it looks like.
func (r *report) variables() (text, like string) {
	var list []string
	for _, c := range []credential{r.plan.community, r.plan.auth, r.plan.priv} {
		if c.variable != "" {
			list = append(list, c.variable)
		}
	}
	if r.plan.auth.variable != "" || r.plan.priv.variable != "" {
		like = ", as algorithm:password"
	}
	return strings.Join(list, " and "), like
}

// identity says what a device says of itself.
func identity(d *device) string {
	descr := d.Descr
	if descr == "" {
		descr = "it says nothing of itself"
	}
	text := harmless(descr) + "; profile " + harmless(d.Profile)
	if d.Profile == "generic" {
		text += " (no profile knows this kind; sysObjectID " + harmless(d.ObjectID) + ")"
	}
	if d.Location != "" {
		text += "; location " + harmless(d.Location)
	}
	return text + "; " + plural(d.Requests, "request", "requests")
}

// server writes a device.
func (r *report) server(w *bytes.Buffer, d *device, several bool) {
	if several || r.plan.network.IsValid() {
		put(w, "  # %s: %s\n", harmless(d.Host), identity(d))
	}
	for _, note := range d.Notes {
		put(w, "  # it does something wrong: %s\n", harmless(snmpWords().Say(collectors.English, note)))
	}
	source := "sysName"
	switch {
	case d.Name == "":
		source = "it has no sysName; write a name"
	case d.Name != d.server:
		source = "sysName is " + harmless(d.Name)
	}
	if d.same != "" {
		source += "; the same as of " + d.same + ": maybe it is that device again, under another address"
	}
	put(w, "  - name: %s  # %s\n    site: %s\n    checks:\n", inYAML(d.server), source, inYAML(r.plan.site))
	put(w, "      - {%s}  # %s\n", r.check(d, ""), contents(d))
}

func snmpWords() collectors.Words { return snmp.Kind().Words }

// contents counts what a device has.
func contents(d *device) string {
	var parts []string
	for _, c := range []struct {
		n         int
		one, more string
	}{
		{d.Processors, "processor", "processors"},
		{d.Pools, "memory pool", "memory pools"},
		{d.Disks, "disk", "disks"},
		{d.Sensors, "sensor", "sensors"},
		{len(d.Interfaces), "interface", "interfaces"},
	} {
		if c.n > 0 {
			parts = append(parts, plural(c.n, c.one, c.more))
		}
	}
	if len(parts) == 0 {
		return "only whether it answers and how long it has been up"
	}
	return strings.Join(parts, ", ")
}

// check writes the keys of a check; iface is empty for a server's.
func (r *report) check(d *device, iface string) string {
	p := r.plan
	keys := []string{"kind: snmp", "host: " + inYAML(d.Host)}
	add := func(key, value string) {
		if value != "" {
			keys = append(keys, key+": "+value)
		}
	}
	quoted := func(text string) string {
		if text == "" {
			return ""
		}
		return inYAML(text)
	}
	if p.port != 161 {
		add("port", fmt.Sprint(p.port))
	}
	if p.version != "2c" {
		add("version", p.version)
	}
	add("community", quoted(p.community.written))
	add("user", quoted(p.user))
	add("auth", quoted(p.auth.written))
	add("priv", quoted(p.priv.written))
	add("context", quoted(p.context))
	if iface != "" {
		add("interface", inQuotes(iface))
	}
	return strings.Join(keys, ", ")
}

// inQuotes is inYAML with quotes even where they are not needed.
func inQuotes(text string) string {
	if written := inYAML(text); written != text {
		return written
	}
	return `"` + text + `"`
}

// links writes a device's interfaces and returns how many are active lines.
func (r *report) links(w *bytes.Buffer, d *device, taken names) (active int) {
	list, left := offers(d.Interfaces, r.all)
	if len(list) == 0 && left == (leftOut{}) {
		return 0
	}
	put(w, "  # Interfaces of %s", d.server)
	if text := left.String(); text != "" {
		put(w, "; left out: %s (--all shows them)", text)
	}
	put(w, "\n")
	for _, o := range list {
		name := taken.take("", d.server, o.Name)
		if o.active {
			active++
			r.link(w, d, o, name)
			continue
		}
		put(w, "  # - {name: %s, %s, checks: [{%s}]}  # %s\n", inYAML(name), strings.Join(r.linkKeys(d, o), ", "), r.check(d, interfaceKey(o.Interface, d.Interfaces)), about(o.Interface))
	}
	return active
}

// link writes an active link.
func (r *report) link(w *bytes.Buffer, d *device, o offer, name string) {
	put(w, "  - name: %s  # %s\n", inYAML(name), about(o.Interface))
	for _, key := range r.linkKeys(d, o) {
		put(w, "    %s%s\n", key, r.said(key, o))
	}
	put(w, "    checks:\n      - {%s}\n", r.check(d, interfaceKey(o.Interface, d.Interfaces)))
}

// linkKeys are the keys of a link between its name and its checks.
func (r *report) linkKeys(d *device, o offer) []string {
	peer := peerOf(o.Alias, r.plan.site)
	if peer == "" {
		peer = "unknown"
	}
	keys := []string{"site: " + inYAML(r.plan.site), "peer: " + inYAML(peer)}
	if written, _ := capacity(o.Interface); written != "" {
		keys = append(keys, "capacity: "+written)
	}
	return append(keys, "parents: ["+inYAML("server/"+d.server)+"]")
}

// said is the comment of a key of an active link.
func (r *report) said(key string, o offer) string {
	switch word, _, _ := strings.Cut(key, ":"); {
	case word == "peer" && peerOf(o.Alias, r.plan.site) == "":
		return "  # write what is at the other end"
	case word == "peer":
		return "  # ifAlias"
	case word == "capacity":
		return "  # ifHighSpeed; write less if you bought less"
	case word == "parents":
		return "  # when the device is silent, so is this: one incident, not two"
	}
	return ""
}
