package intake

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// prepare makes the receive buffer large, by force where the process may (CAP_NET_ADMIN), and asks for the kernel's own time and drop count
// with each datagram. It returns the buffer that was granted.
func prepare(conn *net.UDPConn, want int) (granted int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	control := func(fd uintptr) {
		s := int(fd)
		if want > 0 && unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, want) != nil {
			err = errors.Join(err, unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_RCVBUF, want))
		}
		var sizeErr error
		granted, sizeErr = unix.GetsockoptInt(s, unix.SOL_SOCKET, unix.SO_RCVBUF)
		err = errors.Join(err, sizeErr,
			unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1), unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1))
	}
	if cerr := raw.Control(control); cerr != nil {
		return 0, cerr
	}
	return granted, err
}

// mmsghdr is the kernel's struct mmsghdr (recvmmsg(2)).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

const (
	controlLen = 128 // room for a drop count and a time stamp
	nameLen    = unix.SizeofSockaddrInet6
)

// reader holds the memory of one recvmmsg call, joined once.
type reader struct {
	raw     syscall.RawConn
	msgs    [Batch]mmsghdr
	iovs    [Batch]unix.Iovec
	names   [Batch][nameLen]byte
	control [Batch][controlLen]byte
	data    []byte
	out     [Batch]Datagram
	zones   map[uint32]string
	drops   uint64 // the kernel's count has 32 bits; this one goes on
	last    uint32

	n     int           // of the last call
	errno syscall.Errno // of the last call
	call  func(fd uintptr) bool
}

func newReader(conn *net.UDPConn) (*reader, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	r := &reader{raw: raw, data: make([]byte, Batch*MaxDatagram), zones: map[uint32]string{}}
	for i := range r.msgs {
		r.iovs[i].Base = &r.data[i*MaxDatagram]
		r.iovs[i].SetLen(MaxDatagram)
		h := &r.msgs[i].hdr
		h.Iov, h.Name, h.Control = &r.iovs[i], &r.names[i][0], &r.control[i][0]
		h.SetIovlen(1)
	}
	r.call = r.receive
	return r, nil
}

// receive is one recvmmsg that does not block; false sends the goroutine to sleep until there is something to read.
func (r *reader) receive(fd uintptr) bool {
	for i := range r.msgs {
		h := &r.msgs[i].hdr
		h.Namelen = nameLen
		h.SetControllen(controlLen)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.msgs[0])), Batch, unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // no other way to recvmmsg
	r.n, r.errno = int(n), errno
	return errno != unix.EAGAIN && errno != unix.EINTR
}

func (r *reader) read() ([]Datagram, uint64, error) {
	if err := r.raw.Read(r.call); err != nil {
		return nil, 0, err
	}
	if r.errno != 0 {
		return nil, 0, fmt.Errorf("recvmmsg: %w", r.errno)
	}
	now := time.Now()
	for i := range r.n {
		m := &r.msgs[i]
		d := &r.out[i]
		d.Data = r.data[i*MaxDatagram:][:m.n:m.n]
		d.From = r.address(r.names[i][:m.hdr.Namelen])
		d.At = now
		r.notes(r.control[i][:m.hdr.Controllen], d)
	}
	return r.out[:r.n], r.drops, nil
}

// address reads a sockaddr. Only a link-local address has a zone.
func (r *reader) address(name []byte) netip.AddrPort {
	if len(name) < unix.SizeofSockaddrInet4 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(name[2:])
	switch binary.NativeEndian.Uint16(name) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(name[4:8])), port)
	case unix.AF_INET6:
		if len(name) < unix.SizeofSockaddrInet6 {
			return netip.AddrPort{}
		}
		addr := netip.AddrFrom16([16]byte(name[8:24])).Unmap()
		if scope := binary.NativeEndian.Uint32(name[24:]); scope != 0 {
			addr = addr.WithZone(r.zone(scope))
		}
		return netip.AddrPortFrom(addr, port)
	}
	return netip.AddrPort{}
}

func (r *reader) zone(scope uint32) string {
	name, ok := r.zones[scope]
	if !ok {
		name = strconv.FormatUint(uint64(scope), 10)
		if len(r.zones) < 1024 {
			r.zones[scope] = name
		}
	}
	return name
}

// notes reads what the kernel says beside a datagram: when it came, and how many it has dropped before.
func (r *reader) notes(control []byte, d *Datagram) {
	const head, align = unix.SizeofCmsghdr, unix.SizeofPtr
	for len(control) >= head {
		n := int(binary.NativeEndian.Uint32(control)) // the low half of a size_t where that has 64 bits
		if bigEndian {
			n = int(binary.NativeEndian.Uint32(control[unix.SizeofPtr-4:]))
		}
		if n < head || n > len(control) {
			return
		}
		level, kind := binary.NativeEndian.Uint32(control[head-8:]), binary.NativeEndian.Uint32(control[head-4:])
		body := control[head:n]
		switch {
		case level != unix.SOL_SOCKET:
		case kind == unix.SO_RXQ_OVFL && len(body) >= 4:
			count := binary.NativeEndian.Uint32(body)
			r.drops += uint64(count - r.last)
			r.last = count
		case kind == unix.SCM_TIMESTAMPNS && len(body) == 16:
			d.At = time.Unix(int64(binary.NativeEndian.Uint64(body)), int64(binary.NativeEndian.Uint64(body[8:])))
		case kind == unix.SCM_TIMESTAMPNS && len(body) == 8:
			d.At = time.Unix(int64(int32(binary.NativeEndian.Uint32(body))), int64(binary.NativeEndian.Uint32(body[4:])))
		}
		control = control[min((n+align-1)&^(align-1), len(control)):]
	}
}

var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1
