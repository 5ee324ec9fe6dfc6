//go:build !linux

package intake

import (
	"net"
	"net/netip"
	"time"
)

// prepare sets the receive buffer. What was granted cannot be asked here, so it is taken as told.
func prepare(conn *net.UDPConn, want int) (int, error) {
	if want <= 0 {
		return 0, nil
	}
	return want, conn.SetReadBuffer(want)
}

// reader reads one datagram at a time; the kernel's drops are not known.
type reader struct {
	conn *net.UDPConn
	data []byte
	out  [1]Datagram
}

func newReader(conn *net.UDPConn) (*reader, error) {
	return &reader{conn: conn, data: make([]byte, MaxDatagram)}, nil
}

func (r *reader) read() ([]Datagram, uint64, error) {
	n, from, err := r.conn.ReadFromUDPAddrPort(r.data)
	if err != nil {
		return nil, 0, err
	}
	r.out[0] = Datagram{Data: r.data[:n:n], From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), At: time.Now()}
	return r.out[:], 0, nil
}
