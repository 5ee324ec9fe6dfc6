package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"vigia/collectors/collectorstest/callsim"
)

// floodKind is one kind of junk.
type floodKind struct {
	Name   string `json:"name"`
	Sent   uint64 `json:"sent"`
	phones bool   // it goes to the port for vq-rtcpxr
	sender net.Conn
	make   func(j *floodJunk) []byte
}

// floodJunk sends junk. Strangers send from an address that nobody has allowed; what comes back to them is counted.
type floodJunk struct {
	perSecond int
	kinds     []floodKind
	random    *rand.Rand
	buffer    []byte
	valid     []byte // a right HEP message
	conns     []net.Conn
	listening sync.WaitGroup
	answers   atomic.Uint64 // octets
	cpu       time.Duration
	problem   error
}

const stranger = "127.0.0.66" // of this machine, and in no list of allowed networks

func newFloodJunk(perSecond int, hepAt net.Addr, phonesAt netip.AddrPort, seed uint64) (*floodJunk, error) {
	j := &floodJunk{perSecond: perSecond, random: rand.New(rand.NewPCG(seed, 66)), buffer: make([]byte, 2048)}
	any4 := netip.MustParseAddrPort("198.18.0.1:5005")
	j.valid = callsim.Agent{ID: demoHEPAgent}.AppendHEP(nil, &callsim.Seen{Type: callsim.TypeJSON, Src: any4, Dst: any4, At: time.Now(), Correlation: "junk", Payload: []byte(`{"ssrc":1,"type":200,"report_blocks":[{"source_ssrc"`)})
	phones := net.UDPAddrFromAddrPort(phonesAt)
	var problems []error
	open := func(from string, to net.Addr) net.Conn {
		d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("udp", to.String())
		if err != nil {
			problems = append(problems, fmt.Errorf("open a socket at %s to send junk from: %w", from, err))
			return nil
		}
		j.conns = append(j.conns, c)
		return c
	}
	friend, strange, phone, stranger := open("127.0.0.1", hepAt), open(stranger, hepAt), open("127.0.0.1", phones), open(stranger, phones)
	j.kinds = []floodKind{
		{Name: "random octets to HEP", sender: friend, make: (*floodJunk).octets},
		{Name: "HEP that is cut off", sender: friend, make: (*floodJunk).cut},
		{Name: "HEP with JSON that cannot be read", sender: friend, make: (*floodJunk).badJSON},
		{Name: "HEP of a stranger", sender: strange, make: (*floodJunk).whole},
		{Name: "octets that are no SIP, of a phone", sender: phone, phones: true, make: (*floodJunk).octets},
		{Name: "SIP of a stranger", sender: stranger, phones: true, make: (*floodJunk).sip},
	}
	if err := errors.Join(problems...); err != nil {
		return nil, errors.Join(err, j.close())
	}
	for _, c := range [...]net.Conn{strange, stranger} {
		j.listening.Go(func() { j.listen(c) })
	}
	return j, nil
}

// listen counts what comes back to a stranger, until the socket is closed.
func (j *floodJunk) listen(c net.Conn) {
	for buffer := make([]byte, 2048); ; {
		n, err := c.Read(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			j.answers.Add(uint64(n))
		}
	}
}

func (j *floodJunk) close() error {
	for _, c := range j.conns {
		c.Close()
	}
	j.listening.Wait()
	return j.problem
}

// run sends until ctx ends, in portions of 5 ms, each kind in turn.
func (j *floodJunk) run(ctx context.Context) {
	runtime.LockOSThread() // its CPU is that of this thread
	defer runtime.UnlockOSThread()
	began, err := threadCPU()
	if err != nil {
		j.problem = err
		return
	}
	const portion = 5 * time.Millisecond
	start, sent := time.Now(), 0
	for ctx.Err() == nil {
		for owed := int(time.Since(start).Seconds() * float64(j.perSecond)); sent < owed; sent++ {
			j.throw(&j.kinds[sent%len(j.kinds)])
		}
		wait(ctx, portion)
	}
	ended, err := threadCPU()
	j.cpu = ended - began
	j.problem = errors.Join(j.problem, err)
}

func (j *floodJunk) throw(k *floodKind) {
	if _, err := k.sender.Write(k.make(j)); err == nil { // else it was not sent: an ICMP error, or no memory for it
		k.Sent++
	}
}

// last sends a packet to the port of phones, for the kernel to say with it what it has dropped.
func (j *floodJunk) last(phones netip.AddrPort) error {
	c, err := net.Dial("udp", phones.String())
	if err != nil {
		return fmt.Errorf("open a socket to send the last packet from: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("\r\n\r\n")); err != nil {
		return err
	}
	j.kinds[4].Sent++
	return nil
}

func (j *floodJunk) sum() (n uint64) { return j.sentTo(false) + j.sentTo(true) }

// sentTo is how many packets went to one of the two ports.
func (j *floodJunk) sentTo(phones bool) (n uint64) {
	for i := range j.kinds {
		if j.kinds[i].phones == phones {
			n += j.kinds[i].Sent
		}
	}
	return n
}

func (j *floodJunk) octets() []byte {
	n := 8 + j.random.IntN(600)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(j.buffer[i:], j.random.Uint64())
	}
	j.buffer[0] = 'x' // neither HEP 1 to 3 nor SIP
	return j.buffer[:n]
}

func (j *floodJunk) cut() []byte { return j.valid[:8+j.random.IntN(len(j.valid)-8)] }

func (j *floodJunk) badJSON() []byte { return j.valid } // its JSON ends within a key

func (j *floodJunk) whole() []byte { return j.valid }

func (j *floodJunk) sip() []byte {
	j.buffer = append(j.buffer[:0], "PUBLISH sip:collector@example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.66;branch=z9hG4bKx\r\nFrom: <sip:x@example>;tag=1\r\nTo: <sip:x@example>\r\nCall-ID: "...)
	j.buffer = binary.AppendUvarint(append(j.buffer, 'j'), j.random.Uint64()>>40)
	j.buffer = append(j.buffer, "\r\nCSeq: 1 PUBLISH\r\nEvent: vq-rtcpxr\r\nContent-Length: 0\r\n\r\n"...)
	out := j.buffer
	j.buffer = j.buffer[:cap(j.buffer)]
	return out
}
