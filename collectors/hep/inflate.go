package hep

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
)

// maxInflated is the most that a compressed payload may become. A SIP message or a report is far smaller.
const maxInflated = 256 << 10

var (
	errInflate = errors.New("compressed payload cannot be unpacked")
	errBomb    = errors.New("compressed payload is larger than 256 KiB when unpacked")
)

// inflater unpacks payloads (chunk 0x0010) in memory that it uses again and again. The specification says gzip or inflate, senders use zlib;
// all three are told apart by their first octets.
type inflater struct {
	in   bytes.Reader
	zlib io.ReadCloser
	gzip *gzip.Reader
	raw  io.ReadCloser
	out  []byte
}

// unpack returns the payload, valid until the next call. What follows the compressed data is ignored.
func (f *inflater) unpack(data []byte) ([]byte, error) {
	r, err := f.reader(data)
	if err != nil {
		return nil, errInflate
	}
	if f.out == nil {
		f.out = make([]byte, maxInflated+1)
	}
	n, err := io.ReadFull(r, f.out)
	switch {
	case n > maxInflated:
		return nil, errBomb
	case n == 0, err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errInflate
	}
	return f.out[:n], nil
}

func (f *inflater) reader(data []byte) (io.Reader, error) {
	f.in.Reset(data)
	var err error
	switch {
	case len(data) > 2 && data[0] == 0x1f && data[1] == 0x8b:
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		err = f.gzip.Reset(&f.in)
		f.gzip.Multistream(false)
		return f.gzip, err
	case len(data) > 2 && data[0]&0x0f == 8 && (uint(data[0])<<8|uint(data[1]))%31 == 0: // RFC 1950 §2.2
		if f.zlib == nil {
			f.zlib, err = zlib.NewReader(&f.in)
			return f.zlib, err
		}
		return f.zlib, f.zlib.(zlib.Resetter).Reset(&f.in, nil)
	}
	if f.raw == nil {
		f.raw = flate.NewReader(&f.in)
		return f.raw, nil
	}
	return f.raw, f.raw.(flate.Resetter).Reset(&f.in, nil)
}
