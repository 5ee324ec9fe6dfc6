package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"vigia/collectors/voice"
)

// Live captures the packets of one network interface over an AF_PACKET socket. It needs CAP_NET_RAW. It sends nothing.
type Live struct {
	cfg    LiveConfig
	file   *os.File
	logger *slog.Logger

	mu      sync.Mutex // the decoder and lost
	decoder *Decoder
	lost    uint64
}

const (
	liveBuffer = 16 << 20 // octets that the kernel holds for us: 10,000 packets a second for about a second
	maxPacket  = 1 << 16
)

// NewLive opens the socket. Run or Close gives it back. hep takes HEP that passes by; it may be nil.
func NewLive(cfg LiveConfig, sink voice.Sink, hep func(message []byte, from netip.Addr, at time.Time), logger *slog.Logger) (*Live, error) {
	face, err := net.InterfaceByName(cfg.Interface)
	if err != nil {
		return nil, fmt.Errorf("capture on %s: %w (ip link lists the interfaces)", cfg.Interface, err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0) // it takes nothing until bind
	if err == nil {
		if err = prepare(fd, face); err != nil {
			_ = unix.Close(fd)
		}
	}
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("capture on %s: %w (give vigia CAP_NET_RAW: AmbientCapabilities=CAP_NET_RAW in its systemd unit, or setcap cap_net_raw+ep)", cfg.Interface, err)
	}
	if err != nil {
		return nil, fmt.Errorf("capture on %s: %w", cfg.Interface, err)
	}
	return &Live{cfg: cfg, file: os.NewFile(uintptr(fd), "packets of "+cfg.Interface), logger: logger, decoder: New(Config{Via: viaCapture, Sink: sink, HEP: hep})}, nil
}

// prepare sets filter and buffer before the socket is bound, so that no packet comes by unfiltered.
func prepare(fd int, face *net.Interface) error {
	if face.Flags&net.FlagLoopback != 0 { // it shows every packet twice, on its way out and on its way in
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return fmt.Errorf("ignore outgoing packets: %w", err)
		}
	}
	if len(face.HardwareAddr) == 6 || face.Flags&net.FlagLoopback != 0 { // with an Ethernet header
		if err := setFilter(fd); err != nil {
			return fmt.Errorf("filter RTP: %w", err)
		}
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, liveBuffer); err != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, liveBuffer) // as much as the limit allows
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: face.Index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if face.Flags&net.FlagLoopback == 0 {
		request := unix.PacketMreq{Ifindex: int32(face.Index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &request); err != nil {
			return fmt.Errorf("take packets for other stations: %w", err)
		}
	}
	return nil
}

func networkOrder(v uint16) uint16 { return v<<8 | v>>8 }

// rtpFilter lets everything pass but RTP in plain IPv4 or IPv6 over UDP: version 2 with a second octet outside 192..223, where RTCP is (RFC 5761).
func rtpFilter() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv4, SkipFalse: 6}, // else to IPv6
		bpf.LoadAbsolute{Off: 23, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoUDP, SkipTrue: 14},
		bpf.LoadAbsolute{Off: 20, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x3fff, SkipTrue: 12}, // a fragment
		bpf.LoadMemShift{Off: 14},
		bpf.Jump{Skip: 4}, // X is how long the IPv4 header is

		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherIPv6, SkipTrue: 9},
		bpf.LoadAbsolute{Off: 20, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protoUDP, SkipTrue: 7},
		bpf.LoadConstant{Dst: bpf.RegX, Val: 40},

		bpf.LoadIndirect{Off: 22, Size: 1}, // the first octet of the payload
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xc0},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x80, SkipTrue: 3},
		bpf.LoadIndirect{Off: 23, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xe0},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0xc0, SkipTrue: 1},
		bpf.RetConstant{Val: maxPacket},
		bpf.RetConstant{Val: 0},
	}
}

func setFilter(fd int) error {
	raw, err := bpf.Assemble(rtpFilter())
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		program[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

// Close gives the socket back; Run returns then.
func (l *Live) Close() { _ = l.file.Close() }

// Run captures until ctx is done, and returns nil then. An error means that the interface is gone.
func (l *Live) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, l.Close)()
	conn, err := l.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("capture on %s: %w", l.cfg.Interface, err)
	}
	buffer := make([]byte, maxPacket)
	for {
		var failure error
		err := conn.Read(func(fd uintptr) bool {
			failure = l.drain(int(fd), buffer)
			return !errors.Is(failure, unix.EAGAIN)
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("capture on %s: %w", l.cfg.Interface, err)
		case errors.Is(failure, unix.ENODEV), errors.Is(failure, unix.ENXIO):
			return fmt.Errorf("capture on %s: the interface is gone: %w", l.cfg.Interface, failure)
		case failure != nil && !errors.Is(failure, unix.EINTR): // such as an interface that is down; it may come back
			l.logger.Warn("capture: the interface fails", "interface", l.cfg.Interface, "error", failure)
		}
	}
}

// drain reads what waits. It ends with the error of the socket, in the end EAGAIN.
func (l *Live) drain(fd int, buffer []byte) error {
	for {
		n, from, err := unix.Recvfrom(fd, buffer, unix.MSG_TRUNC)
		if err != nil {
			return err
		}
		p := Packet{At: time.Now(), Link: layers.LinkTypeRaw, Data: buffer[:min(n, len(buffer))], Missing: max(n-len(buffer), 0)}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && (ll.Hatype == unix.ARPHRD_ETHER || ll.Hatype == unix.ARPHRD_LOOPBACK) {
			p.Link = layers.LinkTypeEthernet
		}
		l.mu.Lock()
		l.decoder.Packet(&p)
		l.mu.Unlock()
	}
}

// Stats reads the counters; those of the kernel start again whenever they are read, so they are added up here.
func (l *Live) Stats() LiveStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if conn, err := l.file.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			if s, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
				l.lost += uint64(s.Drops)
			}
		})
	}
	return LiveStats{Decoded: l.decoder.Stats(), Lost: l.lost}
}
