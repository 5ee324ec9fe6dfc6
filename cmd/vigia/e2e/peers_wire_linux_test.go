package e2e

import (
	"container/heap"
	encoding "encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// impairment is what a wire does to what one party sends.
type impairment struct {
	delayMS  float64
	jitterMS float64 // mean difference of the delays of two packets in a row
	clockHz  uint32  // of its RTP timestamps
}

// path is one direction of one call: what is done to it, and what was measured of it at the far end of the wire.
type path struct {
	impairment
	deck []float64 // delays still to be dealt, ms

	mu       sync.Mutex
	ssrc     uint32
	packets  int // of RTP
	octets   int // of their payload
	waited   time.Duration
	frames   int // of which waited is the sum: RTP and RTCP
	arrived  time.Time
	stamp    uint32
	shaken   float64 // sum of |difference of transit times|, ms
	compared int
}

// hold is how long the next packet is held. The delays of jitter are dealt like cards, so that their mean and spread are known and not only likely:
// evenly spread over three times the jitter, whose mean difference is the jitter.
func (p *path) hold() time.Duration {
	ms := p.delayMS
	if p.jitterMS > 0 {
		if len(p.deck) == 0 {
			const cards = 32
			for _, i := range rand.Perm(cards) {
				p.deck = append(p.deck, 3*p.jitterMS*(float64(i)+0.5)/cards)
			}
		}
		ms += p.deck[0]
		p.deck = p.deck[1:]
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// passed notes a packet that leaves the wire.
func (p *path) passed(f *frame, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waited += now.Sub(f.came)
	p.frames++
	payload, port := f.udp()
	if len(payload) < 12 || payload[0]>>6 != 2 || port%2 != 0 {
		return
	}
	stamp := encoding.BigEndian.Uint32(payload[4:])
	if p.packets > 0 {
		sent := float64(int32(stamp-p.stamp)) * 1000 / float64(p.clockHz)
		if math.Abs(sent) < 1000 {
			p.shaken += math.Abs(float64(now.Sub(p.arrived))/float64(time.Millisecond) - sent)
			p.compared++
		}
	}
	p.ssrc, p.stamp, p.arrived = encoding.BigEndian.Uint32(payload[8:]), stamp, now
	p.packets++
	p.octets += len(payload) - 12
}

// known is the truth about a path.
type known struct {
	ssrc            uint32
	jitterMS        float64 // RFC 3550's, without the smoothing
	delayMS         float64
	octetsPerPacket float64
}

func (p *path) known() known {
	p.mu.Lock()
	defer p.mu.Unlock()
	return known{
		ssrc: p.ssrc, jitterMS: p.shaken / float64(max(p.compared, 1)), delayMS: p.waited.Seconds() * 1000 / float64(max(p.frames, 1)),
		octetsPerPacket: float64(p.octets) / float64(max(p.packets, 1)),
	}
}

// frame is an Ethernet frame on the wire.
type frame struct {
	data []byte
	came time.Time
	due  time.Time
	path *path // nil: it is not of a call
	n    int   // order of arrival, for what is due at the same time
}

const etherLength, ipLength, udpLength = 14, 20, 8

// udp is the payload and the port it goes to; nothing for what is no UDP over IPv4.
func (f *frame) udp() (payload []byte, port uint16) {
	const head = etherLength + ipLength + udpLength
	if len(f.data) < head || encoding.BigEndian.Uint16(f.data[12:]) != 0x0800 || f.data[14] != 0x45 || f.data[23] != unix.IPPROTO_UDP {
		return nil, 0
	}
	return f.data[head:], encoding.BigEndian.Uint16(f.data[etherLength+ipLength+2:])
}

// queue holds frames by when they are due.
type queue []*frame

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].due.Before(q[j].due) || q[i].due.Equal(q[j].due) && q[i].n < q[j].n
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(*frame)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// netWire carries Ethernet frames between two interfaces.
type netWire struct {
	t     *testing.T
	ends  [2]*os.File
	mu    sync.Mutex
	paths map[[4]byte]*path // by who sends
}

func newNetWire(t *testing.T, faces [2]string) *netWire {
	t.Helper()
	w := &netWire{t: t, paths: map[[4]byte]*path{}}
	var running sync.WaitGroup
	for s, name := range faces {
		w.ends[s] = packetSocket(t, name)
	}
	for s := range faces {
		frames := make(chan *frame, 4096)
		running.Go(func() { w.take(w.ends[s], frames) })
		running.Go(func() { w.give(frames, w.ends[1-s]) })
	}
	t.Cleanup(func() {
		w.ends[0].Close()
		w.ends[1].Close()
		running.Wait()
	})
	return w
}

func packetSocket(t *testing.T, name string) *os.File {
	t.Helper()
	face, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	all := uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: face.Index}),
	)
	if err != nil {
		t.Fatalf("packets of %s: %v", name, err)
	}
	return os.NewFile(uintptr(fd), name)
}

// impair says what is done to what a sender sends.
func (w *netWire) impair(sender string, with impairment) *path {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &path{impairment: with}
	w.paths[[4]byte(net.ParseIP(sender).To4())] = p
	return p
}

// take reads what comes in at one end.
func (w *netWire) take(end *os.File, out chan<- *frame) {
	defer close(out)
	buffer := make([]byte, 1<<16)
	for n := 0; ; n++ {
		size, err := end.Read(buffer)
		if err != nil {
			return
		}
		f := &frame{data: append([]byte(nil), buffer[:size]...), came: time.Now(), n: n}
		f.due = f.came
		if payload, _ := f.udp(); payload != nil {
			// The kernel leaves checksums to the card, which there is not; none is allowed over IPv4.
			encoding.BigEndian.PutUint16(f.data[etherLength+ipLength+6:], 0)
			w.mu.Lock()
			if f.path = w.paths[[4]byte(f.data[26:30])]; f.path != nil {
				f.due = f.came.Add(f.path.hold())
			}
			w.mu.Unlock()
		}
		out <- f
	}
}

// give sends each frame at its time.
func (w *netWire) give(in <-chan *frame, end *os.File) {
	var waiting queue
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		for len(waiting) > 0 && !time.Now().Before(waiting[0].due) {
			f := heap.Pop(&waiting).(*frame)
			now := time.Now()
			if _, err := end.Write(f.data); err == nil && f.path != nil {
				f.path.passed(f, now)
			}
		}
		next := time.Hour
		if len(waiting) > 0 {
			next = time.Until(waiting[0].due)
		}
		timer.Reset(next)
		select {
		case f, ok := <-in:
			if !ok {
				return
			}
			heap.Push(&waiting, f)
		case <-timer.C:
		}
	}
}
