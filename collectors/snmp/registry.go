package snmp

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors/snmp/profile"
)

// registry holds what the checks of one process share: the devices by address and credentials, so that ten links of one router find their
// interfaces with one discovery; the profiles; and the library's values, each with a buffer of 64 KiB, which are lent to one run at a time.
type registry struct {
	pool *pool
	now  func() time.Time // with its monotonic reading

	mu       sync.Mutex
	devices  map[string]*device
	profiles map[string]loaded // by folder
}

func newRegistry(now func() time.Time) *registry {
	return &registry{pool: &pool{}, now: now, devices: map[string]*device{}, profiles: map[string]loaded{}}
}

// acquire returns the device of an address and credentials, which is forgotten when the last who acquired it releases it.
func (r *registry) acquire(host string, port int, creds *credentials, set *profile.Set, forced string) *device {
	key := creds.key(host, port) + forced + fmt.Sprintf("%p", set)
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.devices[key]
	if d == nil {
		d = &device{key: key, host: host, port: port, creds: creds, pool: r.pool, now: r.now, profiles: set, forced: forced, turn: make(chan struct{}, 1)}
		r.devices[key] = d
	}
	d.users++
	return d
}

func (r *registry) release(d *device) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.users--; d.users == 0 {
		delete(r.devices, d.key)
	}
}

// loaded is what a folder of profiles held in one state of it.
type loaded struct {
	state string
	set   *profile.Set
}

// set loads the profiles of a folder once for each state of it; the empty name stands for those of the binary alone.
func (r *registry) set(folder string) (*profile.Set, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var own fs.FS
	state := ""
	if folder != "" {
		var err error
		own = os.DirFS(folder)
		if state, err = profile.State(own); err != nil {
			return nil, err
		}
	}
	if l, ok := r.profiles[folder]; ok && l.state == state {
		return l.set, nil
	}
	s, err := profile.Load(own)
	if err == nil {
		r.profiles[folder] = loaded{state, s}
	}
	return s, err
}

// pool lends the library's values. Those of SNMPv3 are made anew each time: their salts must not repeat.
type pool struct {
	mu   sync.Mutex
	free []*gosnmp.GoSNMP
}

// mostFree bounds what the pool keeps: 64 KiB each.
const mostFree = 16

func (p *pool) take() *gosnmp.GoSNMP {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.free)
	if n == 0 {
		return nil
	}
	g := p.free[n-1]
	p.free = p.free[:n-1]
	return g
}

// get lends a value that is connected to the device.
func (p *pool) get(ctx context.Context, d *device, wait time.Duration) (*gosnmp.GoSNMP, error) {
	var g *gosnmp.GoSNMP
	if d.creds.version != 3 {
		g = p.take()
	}
	fresh := g == nil
	if fresh {
		g = &gosnmp.GoSNMP{MaxOids: startSize + 8}
	}
	g.Target, g.Port, g.Timeout, g.Retries, g.Context = d.host, uint16(d.port), wait, tries-1, ctx // a port was validated
	d.creds.apply(g, d)
	if fresh { // makes the buffer and, for v3, the salts
		err := g.Connect()
		if err == nil && d.creds.version == 3 {
			listen(g)
		}
		return g, err
	}
	dialer := net.Dialer{Timeout: wait}
	conn, err := dialer.DialContext(ctx, "udp", net.JoinHostPort(d.host, strconv.Itoa(d.port)))
	if err != nil {
		p.put(g)
		return nil, err
	}
	g.Conn = conn
	return g, nil
}

func (p *pool) put(g *gosnmp.GoSNMP) {
	g.Close() //nolint:errcheck // a UDP socket
	if g.Version == gosnmp.Version3 {
		return
	}
	g.Community, g.Context = "", context.Background()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < mostFree {
		p.free = append(p.free, g)
	}
}
