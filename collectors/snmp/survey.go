package snmp

import (
	"context"
	"errors"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Survey is what a device offers, for people who write a configuration.
type Survey struct {
	Host       string
	ObjectID   string // sysObjectID
	Descr      string // sysDescr
	Name       string // sysName
	Location   string
	Profile    string
	Title      string // of the profile
	Interfaces []Interface
	Processors int
	Pools      int // of memory
	Disks      int
	Sensors    int
	Metrics    []Offered
	Notes      []collectors.Reason // what the device did wrong
	Requests   int
	Took       time.Duration
}

// Interface is one row of IF-MIB.
type Interface struct {
	Index, Name, Alias, Descr string
	Type                      string  // in words
	Speed                     float64 // bit/s; 0 unknown
	Admin, Oper               string  // ifAdminStatus, ifOperStatus
	Loopback                  bool
	Wide                      bool // it has 64-bit counters
}

// Offered is a metric that the device has, with the names of its parts; none when it is of the whole.
type Offered struct {
	Metric collectors.Metric // empty for a table of sensors
	Parts  []string
}

// Survey discovers the device that a configuration names, within ctx. Its error says in words what went wrong.
func (c *Config) Survey(ctx context.Context, folder string) (Survey, error) {
	set, err := c.registry.set(folder)
	if err != nil {
		return Survey{}, err
	}
	d := c.registry.acquire(c.Host, c.Port, c.credentials(), set, c.Profile)
	defer c.registry.release(d)
	start := time.Now()
	s, err := d.open(ctx)
	if err != nil {
		return Survey{}, err
	}
	defer s.close()
	f, err := d.discover(ctx, s, true)
	if err != nil {
		var t *trouble
		if n := d.shelved(); n > 0 && (errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &t) && errors.Is(t, errSilent)) {
			return Survey{}, &trouble{code: "unfinished", args: []any{d.label(), n}, err: err}
		}
		return Survey{}, s.blame(ctx, err)
	}
	out := f.survey()
	out.Host, out.Requests, out.Took = c.Host, s.sent, time.Since(start)
	return out, nil
}

func (f *found) survey() Survey {
	n := f.summary()
	out := Survey{
		ObjectID: f.objectID, Descr: f.descr, Name: f.name, Location: f.location, Profile: f.profile.Name, Title: f.profile.Title,
		Processors: n.Processors, Pools: n.Pools, Disks: n.Disks, Sensors: n.Sensors,
	}
	for i := range f.interfaces {
		p := &f.interfaces[i]
		out.Interfaces = append(out.Interfaces, Interface{
			Index: p.index, Name: p.name, Alias: p.alias, Descr: p.descr, Type: typeName(p.kind), Speed: p.speed, Admin: operStates[p.admin], Oper: operStates[p.oper],
			Loopback: p.kind == typeLoopback, Wide: p.wide,
		})
	}
	for _, m := range f.metrics {
		o := Offered{Metric: m.Metric.Metric}
		for i := range m.rows {
			o.Parts = append(o.Parts, m.rows[i].Name)
		}
		out.Metrics = append(out.Metrics, o)
	}
	for _, note := range f.notes {
		out.Notes = append(out.Notes, because(note.code, note.args...))
	}
	return out
}

// NewConfig is a configuration for Survey: version "1", "2c" or "3", what is secret as in the file.
func NewConfig(host string, port int, version string, community, auth, priv inventory.Secret, user, contextName string) *Config {
	return &Config{
		Host: host, Port: port, Version: version, Community: community, User: user, Auth: auth, Priv: priv, Context: contextName, registry: newRegistry(time.Now),
	}
}
