package intake

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// Batch is how many datagrams one system call takes at most.
const Batch = 64

// MaxDatagram is the largest payload of a UDP datagram; none is ever cut.
const MaxDatagram = 65535

// Datagram is one datagram. Data is only lent until the next Read.
type Datagram struct {
	Data []byte
	From netip.AddrPort // IPv4 unmapped
	At   time.Time      // when the kernel took it, where it says so; else when it was read
}

// UDPStats is what a socket has done since it was opened.
type UDPStats struct {
	Datagrams   uint64
	Octets      uint64
	Reads       uint64 // system calls that brought datagrams
	KernelDrops uint64 // datagrams that the kernel dropped because the receive buffer was full
	BufferBytes int    // receive buffer as the kernel grants it (twice what was asked; the other half is its own book-keeping)
	Wanted      int    // receive buffer that was asked for
}

// Short reports whether the kernel granted less receive buffer than was asked for.
func (s UDPStats) Short() bool { return s.BufferBytes < s.Wanted }

// UDP is a socket that receives, and answers where its owner wants it to. Read is for one goroutine; the rest is for any.
type UDP struct {
	conn   *net.UDPConn
	local  netip.AddrPort
	wanted int
	buffer int
	reader *reader
	last   int // how many the last Read brought

	datagrams, octets, reads, kernelDrops atomic.Uint64
}

// OpenUDP listens on host:port with a receive buffer of so many octets. A buffer that is smaller than wanted is no error; Stats shows it.
func OpenUDP(ctx context.Context, address string, bufferBytes int) (*UDP, error) {
	var lc net.ListenConfig
	pc, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for UDP on %s (is another program using the port, or is the address not this machine's?): %w", address, err)
	}
	u := &UDP{conn: pc.(*net.UDPConn), wanted: bufferBytes}
	u.local = u.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	u.local = netip.AddrPortFrom(u.local.Addr().Unmap(), u.local.Port())
	if u.buffer, err = prepare(u.conn, bufferBytes); err == nil {
		u.reader, err = newReader(u.conn)
	}
	if err != nil {
		u.Close()
		return nil, fmt.Errorf("prepare the UDP socket on %s: %w", address, err)
	}
	return u, nil
}

// Local is the address that is listened on.
func (u *UDP) Local() netip.AddrPort { return u.local }

// Close ends Read with net.ErrClosed.
func (u *UDP) Close() { _ = u.conn.Close() }

// Under load datagrams are gathered for a moment, so that fewer system calls and fewer wakings of this goroutine take more of them.
const (
	gatherFor  = 4 * time.Millisecond
	gatherFrom = 8 // datagrams that came at once
)

// Read waits for datagrams and returns those that are there, at least one unless there is an error. They are valid until the next Read. When several came
// the last time and no more were waiting, it waits a few milliseconds for more.
func (u *UDP) Read() ([]Datagram, error) {
	if u.last >= gatherFrom && u.last < Batch {
		time.Sleep(gatherFor)
	}
	got, drops, err := u.reader.read()
	u.last = len(got)
	if err != nil {
		return nil, err
	}
	octets := 0
	for i := range got {
		octets += len(got[i].Data)
	}
	u.reads.Add(1)
	u.datagrams.Add(uint64(len(got)))
	u.octets.Add(uint64(octets))
	u.kernelDrops.Store(drops)
	return got, nil
}

// Send sends a datagram, such as the answer to one.
func (u *UDP) Send(data []byte, to netip.AddrPort) error {
	_, err := u.conn.WriteToUDPAddrPort(data, to)
	return err
}

// Stats is a snapshot.
func (u *UDP) Stats() UDPStats {
	return UDPStats{
		Datagrams: u.datagrams.Load(), Octets: u.octets.Load(), Reads: u.reads.Load(), KernelDrops: u.kernelDrops.Load(),
		BufferBytes: u.buffer, Wanted: u.wanted,
	}
}
