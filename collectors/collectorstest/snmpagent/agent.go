package snmpagent

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how an agent behaves.
type Config struct {
	// Recording is what it serves.
	Recording *Recording
	// Communities are those that it answers to. Empty: it answers to any.
	Communities []string
	// Now is its clock; default time.Now.
	Now func() time.Time
	// MaxSize is the longest answer in octets; default 1472, what an Ethernet frame carries. A GETBULK is answered with what fits, a
	// GET or GETNEXT that does not fit with tooBig.
	MaxSize int
	// Grow makes counters count and sysUpTime advance.
	Grow bool
	// Answer, when it is there, is given each answer and says what is sent in its place: nothing, the same, others, several, later. It
	// is called from one goroutine at a time. The answer is its own to keep.
	Answer func(request Request, answer []byte) []Reply
}

// Reply is a datagram that Config.Answer wants sent.
type Reply struct {
	Octets []byte
	After  time.Duration // how long from now
}

// Origin is where counters begin when an agent restarts.
type Origin int

// The origins.
const (
	// FromZero is a device that lost its counters with its memory.
	FromZero Origin = iota
	// FromRecorded is a device that goes on from what was recorded.
	FromRecorded
)

const (
	defaultMaxSize = 1472  // octets: 1500 of Ethernet less 20 of IPv4 and 8 of UDP
	largestMaxSize = 65507 // octets: what a datagram of IPv4 carries
	leastRead      = 4096  // octets of the longest request that is understood, or MaxSize when that is larger
	mostErrors     = 100   // in a row, of a socket that is broken and not just unlucky
)

// Agent serves one recording on one UDP socket. Its methods may be called at any time from any goroutine.
type Agent struct {
	conn   *net.UDPConn
	config Config
	ended  chan struct{}
	late   late

	requests, answers, faults atomic.Uint64

	mu     sync.Mutex
	now    view // without its elapsed
	origin time.Time
	silent bool
	delay  time.Duration
}

// Listen opens a UDP socket, such as 127.0.0.1:0, and answers on it until Close.
func Listen(addr string, config Config) (*Agent, error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("listen for SNMP on %s: %w", addr, err)
	}
	local, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for SNMP: %w", err)
	}
	conn, err := net.ListenUDP("udp", local)
	if err != nil {
		return nil, fmt.Errorf("listen for SNMP: %w", err)
	}
	a := &Agent{
		conn: conn, config: config, ended: make(chan struct{}), origin: config.Now(),
		now: view{table: config.Recording.table(), grow: config.Grow},
	}
	go a.run()
	return a, nil
}

// complete sets defaults and refuses what cannot be served.
func (c *Config) complete() error {
	if c.Recording == nil {
		return errors.New("no recording")
	}
	if err := c.Recording.Err(); err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	if c.MaxSize < 0 || c.MaxSize > largestMaxSize {
		return fmt.Errorf("MaxSize %d is not from 1 to %d octets", c.MaxSize, largestMaxSize)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Addr is where it listens.
func (a *Agent) Addr() netip.AddrPort {
	return a.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Close ends the agent and waits until nothing of it is left. Answers that are still delayed are not sent.
func (a *Agent) Close() error {
	err := a.conn.Close()
	<-a.ended
	a.late.stop()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close SNMP agent: %w", err)
	}
	return nil
}

// Requests is how many datagrams have come, understood or not.
func (a *Agent) Requests() uint64 { return a.requests.Load() }

// Answers is how many datagrams have been sent.
func (a *Agent) Answers() uint64 { return a.answers.Load() }

// Faults is how many datagrams made the agent, or a function that it was given, panic. They were met with silence.
func (a *Agent) Faults() uint64 { return a.faults.Load() }

// SetSilent makes it take requests and answer none, or answer again.
func (a *Agent) SetSilent(silent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.silent = silent
}

// SetDelay makes each answer leave that much later. Answers do not wait for each other.
func (a *Agent) SetDelay(delay time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delay = delay
}

// Restart is a device that starts again: sysUpTime goes on from 0, even without Grow, counters from where the origin says, and functions
// see a time of 0.
func (a *Agent) Restart(counters Origin) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.origin = a.config.Now()
	a.now.restarted = true
	a.now.zeroed = counters == FromZero
}

// SetRecording serves another recording from the next request on, as a device does whose interfaces are renumbered. Its time goes on.
func (a *Agent) SetRecording(r *Recording) error {
	if err := r.Err(); err != nil {
		return fmt.Errorf("serve another recording: %w", err)
	}
	t := r.table()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now.table = t
	return nil
}

// Value is the number that the agent would serve now; a negative one in two's complement. It is false for an OID that is not there or
// is no number.
func (a *Agent) Value(oid string) (uint64, bool) {
	octets, err := encodeOID(nil, oid)
	if err != nil {
		return 0, false
	}
	v, _, _ := a.moment()
	at, found := v.search(octets)
	if !found || !v.tag(at).isNumber() {
		return 0, false
	}
	var scratch [16]byte
	tag, contents, _, _ := next(v.value(at, scratch[:]))
	if tag == Integer32 {
		n, ok := integerOf(contents)
		return uint64(n), ok
	}
	return unsignedOf(contents)
}

// moment is what is served now, whether in silence, and how much later.
func (a *Agent) moment() (v view, silent bool, delay time.Duration) {
	now := a.config.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	v = a.now
	v.elapsed = now.Sub(a.origin)
	return v, a.silent, a.delay
}

// run reads datagrams until the socket is closed, or broken.
func (a *Agent) run() {
	defer close(a.ended)
	in := make([]byte, max(leastRead, a.config.MaxSize))
	maker := &answerer{max: a.config.MaxSize}
	var names [][]byte
	for failed := 0; failed < mostErrors; {
		n, from, err := a.conn.ReadFromUDPAddrPort(in)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			failed++
		default:
			failed = 0
			a.requests.Add(1)
			names = a.serve(maker, in[:n], names, from)
		}
	}
}

// serve answers one datagram. This is the boundary that no panic passes. It returns the names' slice for the next one.
func (a *Agent) serve(maker *answerer, datagram []byte, names [][]byte, from netip.AddrPort) [][]byte {
	defer func() {
		if recover() != nil {
			a.faults.Add(1)
		}
	}()
	q, ok := readRequest(datagram, names)
	if !ok || !a.knows(q.community) {
		return q.names
	}
	v, silent, delay := a.moment()
	if silent {
		return q.names
	}
	var public Request
	if a.config.Answer != nil {
		public = q.public(from) // before the names are used for the answer
	}
	if answer := maker.answer(v, &q); answer != nil {
		a.reply(public, answer, delay, from)
	}
	return q.names
}

func (a *Agent) knows(community []byte) bool {
	for _, c := range a.config.Communities {
		if c == string(community) {
			return true
		}
	}
	return len(a.config.Communities) == 0
}

// reply sends an answer, or what Config.Answer makes of it.
func (a *Agent) reply(public Request, answer []byte, delay time.Duration, to netip.AddrPort) {
	if a.config.Answer == nil {
		a.sendAfter(delay, answer, to)
		return
	}
	for _, r := range a.config.Answer(public, append([]byte(nil), answer...)) {
		a.sendAfter(delay+r.After, r.Octets, to)
	}
}

func (a *Agent) sendAfter(delay time.Duration, octets []byte, to netip.AddrPort) {
	if delay <= 0 {
		a.send(octets, to)
		return
	}
	kept := append([]byte(nil), octets...)
	a.late.after(delay, func() { a.send(kept, to) })
}

// send sends one datagram. One that cannot be sent is lost, as datagrams are: its asker will ask again.
func (a *Agent) send(octets []byte, to netip.AddrPort) {
	if _, err := a.conn.WriteToUDPAddrPort(octets, to); err == nil {
		a.answers.Add(1)
	}
}
