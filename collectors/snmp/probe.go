package snmp

import (
	"context"
	"errors"
	"math"

	"vigia/collectors"
)

// prober is one check: the interfaces and metrics that it watches on a device, and what it read last.
type prober struct {
	registry *registry
	device   *device
	link     string // the interface of a link; "" for a server
	patterns []string
	all      bool // every sensible interface
	health   bool
	capacity float64 // bit/s, of a link; 0 unknown

	of    *found    // what the states below were made for
	watch []watched // in the order of the device's table
	table request
	names []string // what is asked for by exact names: ifTableLastChange, a link's own row, what the metrics need
	last  reading  // of the metrics
	hello moment
	clock clock

	outdated bool // the device has restarted or changed since it was discovered
}

// watched is one interface of a check.
type watched struct {
	line   line
	speed  float64 // what a rate may not exceed
	size   float64 // what utilisation is of
	detail string
	at     int32 // in found.interfaces
	oper   int8
}

// Close gives the device back.
func (p *prober) Close() error {
	p.registry.release(p.device)
	return nil
}

// run is one poll on its way.
type run struct {
	*prober
	ctx    context.Context
	s      *session
	f      *found
	r      collectors.Result
	fresh  bool // discovered in this run
	exact  exact
	err    error // what went wrong after the device had answered
	thrown thrown
	bits   [2]float64 // of a link: in and out, NaN when unknown
	faults float64    // of a link: errors a second
	oper   int8
}

// Probe polls the device once.
func (p *prober) Probe(ctx context.Context) collectors.Result {
	s, err := p.device.open(ctx)
	if err != nil {
		return p.failed(nil, err)
	}
	defer s.close()
	r := &run{prober: p, ctx: ctx, s: s, bits: [2]float64{math.NaN(), math.NaN()}}
	if err := r.poll(); err != nil {
		return p.failed(r, s.blame(ctx, err))
	}
	if p.device.creds.version == 3 {
		p.device.usm.learn(s.g.SecurityParameters)
	}
	return r.result()
}

// failed is the result of a run that could not be done. A server that does not answer is not up; of a link nothing is known then, since its
// interface may well be: its silence is the engine's matter.
func (p *prober) failed(r *run, err error) collectors.Result {
	var t *trouble
	if !errors.As(err, &t) {
		t = &trouble{code: "damaged", args: []any{p.device.label()}, err: err}
	}
	result := collectors.Result{Why: t.reason()}
	if r != nil {
		result.Steps = r.r.Steps
	}
	if t.code == "no_interface" || p.link == "" && t.code != "ended" && t.code != "looking" {
		result.Values = append(result.Values, collectors.Value{Metric: collectors.Up, Value: 0})
	}
	if p.device.creds.version == 3 && !errors.Is(err, errSilent) {
		p.device.usm.forget()
	}
	return result
}

// poll asks for everything. What goes wrong after the device has answered is kept, and what was read until then still counts.
func (r *run) poll() error {
	if err := r.prepare(); err != nil {
		return err
	}
	if r.link != "" && len(r.watch) == 0 {
		_, t := r.f.seek(r.link)
		return t
	}
	r.err = errors.Join(r.readMetrics(), r.readInterfaces())
	r.tellDevice()
	r.tellMetrics()
	r.r.Discarded += r.thrown.count
	r.r.Steps = append(r.r.Steps, r.thrown.reasons()...)
	if r.err == nil {
		r.lookAgain()
	}
	return nil
}

// prepare reads everything that is asked for by exact names, in as few requests as it takes, and first of all whether what is known of
// the device is still true. If not, the device is discovered and read anew.
func (r *run) prepare() error {
	r.f = r.device.known()
	if r.f == nil || r.health && !r.f.health {
		if err := r.discover(); err != nil {
			return err
		}
		return r.readExact()
	}
	if r.of != r.f {
		r.outdated = false // another check has done it
	}
	r.follow()
	if err := r.readExact(); err != nil {
		return err
	}
	first := r.exact.values[0]                                                                // ifTableLastChange
	changed := first.kind == ticks && r.f.hasChange && uint32(first.number) != r.f.lastChange // TimeTicks have 32 bits
	if restarted := r.restarted(r.exact.moments[0].moment); restarted || changed {
		r.outdated = true // until it has been discovered anew, however many runs that takes
	}
	if !r.outdated {
		return nil
	}
	r.last = reading{}
	if err := r.discover(); err != nil {
		return err
	}
	return r.readExact()
}

// exact is what was read by exact names.
type exact struct {
	values  []value
	moments []since
}

// since is the moment of the values from one on.
type since struct {
	from int
	moment
}

func (r *run) readExact() error {
	r.exact = exact{values: make([]value, len(r.names))}
	return r.s.get(r.ctx, r.names, func(from int, vars []variable, m moment) {
		r.exact.moments = append(r.exact.moments, since{from, m})
		for i := range vars {
			r.exact.values[from+i] = vars[i].value
		}
	})
}

// restarted compares with this check's last poll and with the discovery, which another check may have made.
func (r *run) restarted(now moment) bool {
	last := r.hello
	r.hello = now
	if last.at.Before(r.f.m.at) {
		last = r.f.m
	}
	_, v := r.clock.between(last, now)
	return v.code == restarted.code
}

func (r *run) discover() error {
	f, err := r.device.discover(r.ctx, r.s, r.health)
	if err != nil {
		if errors.Is(err, errSilent) && r.s.heard || errors.Is(r.ctx.Err(), context.DeadlineExceeded) {
			if n := r.device.shelved(); n > 0 {
				return &trouble{code: "looking", args: []any{r.device.label(), n}, err: err}
			}
		}
		return err
	}
	r.f, r.fresh, r.hello, r.outdated = f, true, f.m, false
	n := f.summary()
	r.r.Steps = append(r.r.Steps, because("step_found", f.profile.Title, n.Interfaces, n.Processors, n.Pools, n.Disks, n.Sensors))
	for _, note := range f.notes {
		r.r.Steps = append(r.r.Steps, because(note.code, note.args...))
	}
	r.follow()
	return nil
}

// shelved is how many cells an interrupted discovery has read so far.
func (d *device) shelved() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shelf == nil {
		return 0
	}
	return d.shelf.cells + len(d.shelf.scalar)
}

// follow makes the states fit what was found; those of interfaces with the same name and index go on.
func (r *run) follow() {
	p, f := r.prober, r.f
	if p.of == f {
		return
	}
	before := map[string]*watched{}
	for i := range p.watch {
		before[p.of.interfaces[p.watch[i].at].name] = &p.watch[i]
	}
	var chosen []int
	if p.link == "" {
		chosen = f.choose(p.patterns, p.all)
	} else if i, t := f.seek(p.link); t == nil {
		chosen = []int{i}
	}
	watch := make([]watched, 0, len(chosen))
	for _, at := range chosen {
		q := &f.interfaces[at]
		w := f.watch(at, p.capacity)
		switch old := before[q.name]; {
		case old == nil || !old.line.known:
		case p.of.interfaces[old.at].index == q.index:
			w.line = old.line
		default: // it may have been made anew: what it counted before is not compared
			r.thrown.add(q.name, verdict{code: "discarded_moved"})
		}
		watch = append(watch, w)
	}
	p.of, p.watch = f, watch
	p.table = f.lineTable(watch)
	p.names = p.exactNames()
}

// watch is an interface that has not been read yet. Utilisation is of the configured capacity, else of the line's speed.
func (f *found) watch(at int, capacity float64) watched {
	q := &f.interfaces[at]
	w := watched{at: int32(at), speed: f.lineSpeed(q), oper: q.oper, detail: q.detail(capacity, q.oper)}
	switch {
	case capacity > 0:
		w.size = capacity
	case !q.nominal():
		w.size = q.speed
	}
	if w.speed == 0 {
		w.speed = capacity
	}
	return w
}

// exactNames is what each poll asks for by exact names.
func (p *prober) exactNames() []string {
	names := []string{ifLastChange}
	if p.link != "" && len(p.watch) == 1 {
		for _, c := range p.table.columns {
			names = append(names, c+"."+p.of.interfaces[p.watch[0].at].index)
		}
	}
	if p.health {
		names = append(names, p.of.exact...)
	}
	return names
}

// lineTable is which cells a poll of these interfaces wants.
func (f *found) lineTable(watch []watched) request {
	var columns []string
	wide := 0
	for i := range watch {
		if f.interfaces[watch[i].at].wide {
			wide++
		}
	}
	if wide < len(watch) || wide == 0 { // slow interfaces may have 32 bits only (RFC 2863 §3.1.6)
		columns = append(columns, ifInOctets, ifOutOctets)
	}
	if wide > 0 {
		columns = append(columns, ifHCInOctets, ifHCOutOctets)
	}
	columns = append(columns, ifInErrors, ifOutErrors, ifInDiscards, ifOutDiscards, ifOperStatus)
	if f.marked {
		columns = append(columns, ifDiscontinuity)
	}
	if !f.hasChange { // nothing says that indexes have moved: the name is read each time
		columns = append(columns, f.nameColumn())
	}
	wanted := make([]int, len(watch))
	for i := range watch {
		wanted[i] = int(watch[i].at)
	}
	return request{columns: columns, all: f.indexes, wanted: wanted}
}

// lookAgain discovers anew when it is time, after the poll, so that nothing is late for it. The next run follows what it finds; what fails
// now goes on then.
func (r *run) lookAgain() {
	if r.fresh || !r.device.isDue(r.f) {
		return
	}
	if _, err := r.device.discover(r.ctx, r.s, r.health); err != nil {
		r.r.Steps = append(r.r.Steps, because("step_later"))
	}
}

// result says in one line what was found.
func (r *run) result() collectors.Result {
	r.r.OK = r.err == nil
	switch {
	case r.err != nil:
		r.r.Why = r.failed(nil, r.err).Why
	case r.link != "":
		r.linkResult()
	case r.r.Discarded > 0:
		r.r.Why = because("ok_discarded", r.f.profile.Title, len(r.r.Values), r.s.sent, r.r.Discarded)
	default:
		r.r.Why = because("ok", r.f.profile.Title, len(r.r.Values), r.s.sent)
	}
	return r.r
}

func (r *run) linkResult() {
	p := &r.f.interfaces[r.watch[0].at]
	known := !math.IsNaN(r.bits[0]) && !math.IsNaN(r.bits[1])
	switch {
	case r.oper != stateUp && r.oper != stateUnknown && r.oper != 0:
		r.r.OK = false
		code := "state_" + operStates[r.oper]
		if p.admin == stateDown {
			code = "state_admin"
		}
		r.r.Why = because(code, p.name)
	case r.r.Discarded > 0 && len(r.thrown.groups) > 0:
		r.r.Why = r.thrown.reasons()[0]
	case known:
		r.r.Why = because("traffic", r.bits[0]/1e6, r.bits[1]/1e6, r.faults)
	case r.oper == stateUnknown || r.oper == 0:
		r.r.Why = because("state_unknown", p.name)
	default:
		r.r.Why = because("first", p.name)
	}
}
