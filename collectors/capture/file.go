package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Packet is one packet as it was captured.
type Packet struct {
	At   time.Time
	Link layers.LinkType
	Data []byte // until the next packet is read
	// Missing is how many octets of the packet were not captured (snap length).
	Missing int
}

// ErrNotCapture says that a file is neither pcap nor pcapng.
var ErrNotCapture = errors.New("not a capture")

// TruncatedError says that a file ends within a packet. What came before it was read.
type TruncatedError struct {
	Packets int   // whole packets before
	Octet   int64 // where the file ends (of a compressed one, in what it unpacks to)
}

// Error says it in words.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("truncated at octet %d, within the packet after number %d; what comes before it was read", e.Octet, e.Packets)
}

// File is a capture file, pcap or pcapng, either of them possibly compressed by gzip.
type File struct {
	file    *os.File
	size    int64
	raw     *counter // octets of the file
	plain   *counter // octets after unpacking
	pcap    *pcapgo.Reader
	ng      *pcapgo.NgReader
	packets int
	end     int64 // of pcap: where the next packet begins
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Open opens a capture. Errors name the file and say what to do; ErrNotCapture is among them.
func Open(path string) (*File, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	f := &File{file: file}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		f.size = info.Size()
	}
	if err := f.begin(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// The first four octets of the formats.
var (
	magicNg   = []byte{0x0a, 0x0d, 0x0d, 0x0a}
	magicPcap = [][]byte{{0xa1, 0xb2, 0xc3, 0xd4}, {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d}, {0x4d, 0x3c, 0xb2, 0xa1}}
	magicGzip = []byte{0x1f, 0x8b}
)

func (f *File) begin() error {
	f.raw = &counter{r: f.file}
	in := bufio.NewReaderSize(f.raw, 1<<16)
	if start, _ := in.Peek(2); bytes.Equal(start, magicGzip) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		in = bufio.NewReaderSize(unpacked, 1<<16)
	}
	start, _ := in.Peek(4)
	f.plain = &counter{r: in}
	var err error
	switch {
	case len(start) == 0:
		return fmt.Errorf("%w: the file is empty", ErrNotCapture)
	case bytes.Equal(start, magicNg):
		f.ng, err = pcapgo.NewNgReader(f.plain, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	case isPcap(start):
		f.pcap, err = pcapgo.NewReader(f.plain)
		f.end = 24
	default:
		return fmt.Errorf("%w: it begins with %x, and neither pcap nor pcapng does; save one with tcpdump -w or Wireshark", ErrNotCapture, start)
	}
	if ended(err) {
		return &TruncatedError{Octet: f.plain.n}
	}
	if err != nil {
		return fmt.Errorf("%w: its header cannot be read: %w", ErrNotCapture, err)
	}
	return nil
}

func isPcap(start []byte) bool {
	for _, m := range magicPcap {
		if bytes.Equal(start, m) {
			return true
		}
	}
	return false
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// Next reads a packet. io.EOF is the end of the file; a TruncatedError is its end within a packet; any other error is a broken file.
func (f *File) Next() (p Packet, err error) {
	defer func() { // the reader meets a stranger's octets
		if r := recover(); r != nil {
			err = fmt.Errorf("broken after packet %d, near octet %d: %v", f.packets, f.plain.n, r)
		}
	}()
	var info gopacket.CaptureInfo
	if f.ng != nil {
		p.Data, info, err = f.ng.ZeroCopyReadPacketData()
	} else {
		p.Data, info, err = f.pcap.ZeroCopyReadPacketData()
	}
	switch {
	case err == nil:
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF) && f.pcap != nil && f.plain.n != f.end:
		return Packet{}, &TruncatedError{Packets: f.packets, Octet: f.plain.n}
	case errors.Is(err, io.EOF):
		return Packet{}, io.EOF
	default:
		return Packet{}, fmt.Errorf("broken after packet %d, near octet %d: %w", f.packets, f.plain.n, err)
	}
	f.packets++
	f.end += 16 + int64(info.CaptureLength)
	p.At, p.Missing, p.Link = info.Timestamp.UTC(), max(info.Length-info.CaptureLength, 0), f.link(info.InterfaceIndex)
	return p, nil
}

func (f *File) link(i int) layers.LinkType {
	if f.ng == nil {
		return f.pcap.LinkType()
	}
	if face, err := f.ng.Interface(i); err == nil {
		return face.LinkType
	}
	return f.ng.LinkType()
}

// Progress is how many octets of the file were read, and how many there are; 0 when that is not known (a pipe).
func (f *File) Progress() (read, size int64) { return f.raw.n, f.size }

// Packets is how many packets were read.
func (f *File) Packets() int { return f.packets }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
