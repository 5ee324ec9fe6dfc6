package snmp

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors/snmp/profile"
)

// moment is when an answer was true: by our clock, and by the device's own that came in the same answer.
type moment struct {
	at       time.Time // monotonic
	ticks    uint32    // sysUpTime, hundredths of a second (RFC 3418)
	hasTicks bool
}

// kind is what sort of value a variable holds.
type kind uint8

const (
	absent kind = iota // noSuchObject, noSuchInstance, endOfMibView, null
	integer
	counter32
	counter64
	gauge
	ticks
	text
	oidText
)

// value is what a variable holds. Numbers are in number: a negative integer as its two's complement.
type value struct {
	kind   kind
	number uint64
	text   string
}

// variable is one name and value of an answer.
type variable struct {
	oid string // with its leading dot
	value
}

// session is one run's exchange with one device.
type session struct {
	g     *gosnmp.GoSNMP
	pool  *pool
	creds *credentials
	host  string
	to    string // host, with the port when it is not 161; for people
	tuned *tuning
	now   func() time.Time
	vars  []variable    // the last answer's, so that the next can use their room
	sent  int           // requests, repetitions included
	heard bool          // the device has answered
	knew  string        // v3: the engine ID that was known before
	first time.Duration // how long its first answer took
}

const (
	sysUpTime = ".1.3.6.1.2.1.1.3.0"
	tries     = 3
	shortest  = 60 * time.Millisecond
	longest   = 2 * time.Second
)

// open connects a session; it sends nothing yet. The deadline of ctx is shared out over the tries.
func (d *device) open(ctx context.Context) (*session, error) {
	s := &session{pool: d.pool, creds: d.creds, host: d.host, to: d.label(), tuned: &d.tuning, now: d.now}
	wait := longest
	if end, ok := ctx.Deadline(); ok {
		wait = min(max(time.Until(end)/(tries+1), shortest), longest)
	}
	if ctx.Err() != nil {
		return nil, s.explain(ctx, ctx.Err())
	}
	g, err := d.pool.get(ctx, d, wait)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	s.g = g
	if p, ok := g.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok {
		s.knew = p.AuthoritativeEngineID
	}
	g.OnSent = func(*gosnmp.GoSNMP) { s.sent++ }
	return s, nil
}

// close gives the session's parts back.
func (s *session) close() {
	if s.g != nil {
		s.g.OnSent = nil
		s.pool.put(s.g)
		s.g = nil
	}
}

// within lets the end of ctx interrupt a request that waits.
func (s *session) within(ctx context.Context) func() {
	s.g.Context = ctx
	conn := s.g.Conn
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() { stop() }
}

// exchange sends one request and hands its answer back, with sysUpTime taken out when it was the first name.
func (s *session) exchange(ctx context.Context, send func() (*gosnmp.SnmpPacket, error)) (*gosnmp.SnmpPacket, time.Time, error) {
	if ctx.Err() != nil {
		return nil, time.Time{}, s.explain(ctx, ctx.Err())
	}
	release := s.within(ctx)
	start := time.Now()
	packet, err := send()
	took, at := time.Since(start), s.now()
	release()
	if err != nil {
		return nil, at, s.explain(ctx, err)
	}
	if !s.heard {
		s.heard, s.first = true, took
	}
	if packet.PDUType == gosnmp.Report {
		return nil, at, &trouble{code: "context", args: []any{s.to, s.creds.user}, err: errLies}
	}
	return packet, at, nil
}

// get asks for exact names, in as many requests as the device needs; each brings sysUpTime. see is called for each answer: its variables are
// those of names[from:], in order. What a device lacks is absent.
func (s *session) get(ctx context.Context, names []string, see func(from int, vars []variable, m moment)) error {
	for from := 0; from < len(names); {
		to := min(from+s.tuned.size(), len(names))
		vars, m, err := s.getOnce(ctx, names[from:to])
		if err != nil {
			if s.smaller(ctx, err, to-from) {
				continue
			}
			return err
		}
		s.tuned.well(to - from)
		see(from, vars, m)
		from = to
	}
	return nil
}

// smaller reports whether to ask again for fewer names than the size that ended in err. A run whose time is over has learnt nothing of that:
// when we are the slow ones, all devices would be asked in ever more requests.
func (s *session) smaller(ctx context.Context, err error, size int) bool {
	end, ok := ctx.Deadline()
	over := ctx.Err() != nil || ok && !time.Now().Before(end) // the socket's deadline may come a moment before that of ctx
	return s.heard && !over && s.tuned.halve(err, size)
}

// getOnce is one GET for sysUpTime and these names. Over v1 a name that the device lacks spoils the whole answer (noSuchName, RFC 1157
// §4.1.2): it is left out and the rest is asked again.
func (s *session) getOnce(ctx context.Context, names []string) ([]variable, moment, error) {
	ask := make([]string, 0, len(names)+1)
	ask = append(append(ask, sysUpTime), names...)
	for {
		packet, at, err := s.exchange(ctx, func() (*gosnmp.SnmpPacket, error) { return s.g.Get(ask) })
		if err != nil {
			return nil, moment{}, err
		}
		if packet.Error == gosnmp.NoSuchName && s.creds.version == 1 && int(packet.ErrorIndex) >= 1 && int(packet.ErrorIndex) <= len(ask) {
			i := int(packet.ErrorIndex) - 1
			if ask = append(ask[:i:i], ask[i+1:]...); len(ask) == 0 {
				return make([]variable, len(names)), moment{at: at}, nil
			}
			continue
		}
		if t := s.status(packet.Error); t != nil {
			return nil, moment{}, t
		}
		return s.match(packet, at, names)
	}
}

// match puts the variables of an answer in the order of the names. A name that was not asked for is a lie, and the answer is not used.
func (s *session) match(packet *gosnmp.SnmpPacket, at time.Time, names []string) ([]variable, moment, error) {
	m := moment{at: at}
	vars := make([]variable, len(names))
	next := 0
	for i := range packet.Variables {
		v := toVariable(&packet.Variables[i])
		if v.oid == sysUpTime && (next == len(names) || names[next] != sysUpTime) {
			m.set(v.value)
			continue
		}
		for next < len(names) && names[next] != v.oid { // over v1 some were left out
			next++
		}
		if next == len(names) {
			return nil, m, &trouble{code: "other_name", args: []any{s.to, profile.Clean(v.oid)}, err: errLies}
		}
		vars[next] = v
		next++
	}
	return vars, m, nil
}

func (m *moment) set(v value) {
	if v.kind == ticks || v.kind == gauge || v.kind == counter32 || v.kind == integer {
		m.ticks, m.hasTicks = uint32(v.number), true // TimeTicks have 32 bits; a larger one wraps as the device's would
	}
}

// bulk is one GETBULK (over v1 a GETNEXT): sysUpTime and the successors of these names, repeated. What it returns is valid until the next.
func (s *session) bulk(ctx context.Context, names []string, repeat int) ([]variable, moment, error) {
	ask := make([]string, 0, len(names)+1)
	ask = append(append(ask, strings.TrimSuffix(sysUpTime, ".0")), names...)
	packet, at, err := s.exchange(ctx, func() (*gosnmp.SnmpPacket, error) {
		if s.creds.version == 1 {
			return s.g.GetNext(ask)
		}
		return s.g.GetBulk(ask, 1, uint32(repeat)) // at most a few dozen
	})
	if err != nil {
		return nil, moment{}, err
	}
	if packet.Error == gosnmp.NoSuchName && s.creds.version == 1 { // the end of what there is
		return s.next1(ctx, names)
	}
	if t := s.status(packet.Error); t != nil {
		return nil, moment{}, t
	}
	m := moment{at: at}
	s.vars = s.vars[:0]
	for i := range packet.Variables {
		v := toVariable(&packet.Variables[i])
		if i == 0 && v.oid == sysUpTime {
			m.set(v.value)
			continue
		}
		s.vars = append(s.vars, v)
	}
	return s.vars, m, nil
}

// next1 asks for successors one by one, over v1, where one that has none spoils the others. What has none is absent.
func (s *session) next1(ctx context.Context, names []string) ([]variable, moment, error) {
	vars := make([]variable, len(names))
	m := moment{}
	for i, one := range names {
		packet, at, err := s.exchange(ctx, func() (*gosnmp.SnmpPacket, error) { return s.g.GetNext([]string{one}) })
		if err != nil {
			return nil, moment{}, err
		}
		m.at = at
		vars[i] = variable{oid: one}
		if packet.Error == gosnmp.NoError && len(packet.Variables) == 1 {
			vars[i] = toVariable(&packet.Variables[0])
		} else if packet.Error != gosnmp.NoSuchName {
			return nil, moment{}, s.status(packet.Error)
		}
	}
	return vars, m, nil
}

// label is the device's address for people.
func (d *device) label() string {
	if d.port == defaultPort {
		return d.host
	}
	return net.JoinHostPort(strings.Trim(d.host, "[]"), strconv.Itoa(d.port))
}

// toVariable takes over one variable; whatever it does not know is absent.
func toVariable(p *gosnmp.SnmpPDU) variable {
	v := variable{oid: p.Name}
	switch x := p.Value.(type) {
	case int:
		v.kind, v.number = integer, uint64(int64(x)) // two's complement on purpose
	case uint:
		v.kind, v.number = unsigned(p.Type), uint64(x)
	case uint32:
		v.kind, v.number = unsigned(p.Type), uint64(x)
	case uint64:
		v.kind, v.number = unsigned(p.Type), x
	case []byte:
		v.kind, v.text = text, string(x)
	case string:
		v.kind, v.text = oidText, strings.TrimPrefix(x, ".")
	case float32:
		v.kind, v.text = text, strconv.FormatFloat(float64(x), 'g', -1, 32)
	case float64:
		v.kind, v.text = text, strconv.FormatFloat(x, 'g', -1, 64)
	}
	switch p.Type {
	case gosnmp.NoSuchObject, gosnmp.NoSuchInstance, gosnmp.EndOfMibView, gosnmp.Null:
		v.value = value{}
	}
	return v
}

func unsigned(t gosnmp.Asn1BER) kind {
	switch t {
	case gosnmp.Counter32:
		return counter32
	case gosnmp.Counter64:
		return counter64
	case gosnmp.TimeTicks:
		return ticks
	}
	return gauge
}
