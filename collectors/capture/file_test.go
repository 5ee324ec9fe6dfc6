package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// write makes a file of one format.
func write(t *testing.T, name string, ng bool, packets ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var w interface {
		WritePacket(gopacket.CaptureInfo, []byte) error
	}
	if ng {
		n, err := pcapgo.NewNgWriter(f, layers.LinkTypeEthernet)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Flush()
		w = n
	} else {
		p := pcapgo.NewWriter(f)
		if err := p.WriteFileHeader(65536, layers.LinkTypeEthernet); err != nil {
			t.Fatal(err)
		}
		w = p
	}
	for i, p := range packets {
		at := noon.Add(time.Duration(i) * time.Second)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(p), Length: len(p) + i}, p); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// readAll reads a file to its end.
func readAll(path string) (packets []Packet, err error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for {
		p, err := f.Next()
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, p)
	}
}

func TestFile(t *testing.T) {
	frames := [][]byte{ethernet(0x0800, []byte("first")), ethernet(0x0800, []byte("second!"))}
	for name, ng := range map[string]bool{"a.pcap": false, "a.pcapng": true} {
		path := write(t, name, ng, frames...)
		check := func(path string) {
			packets, err := readAll(path)
			if err != nil || len(packets) != 2 {
				t.Fatalf("%s: %d packets, %v", path, len(packets), err)
			}
			for i, p := range packets {
				if !bytes.Equal(p.Data, frames[i]) || p.Link != layers.LinkTypeEthernet || !p.At.Equal(noon.Add(time.Duration(i)*time.Second)) || p.Missing != i {
					t.Errorf("%s: packet %d: %+v", path, i, p)
				}
			}
		}
		check(path)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(data)
		_ = z.Close()
		if err := os.WriteFile(path+".gz", packed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		check(path + ".gz")
		cutEverywhere(t, path, data)
	}
}

// cutEverywhere: a file that ends at any octet gives the packets before it, and says where it ends.
func cutEverywhere(t *testing.T, path string, data []byte) {
	t.Helper()
	whole := 0
	for n := 1; n < len(data); n++ {
		cut := path + ".cut"
		if err := os.WriteFile(cut, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		packets, err := readAll(cut)
		var truncated *TruncatedError
		switch {
		case err == nil: // between two packets
		case errors.Is(err, ErrNotCapture) && n < 4:
		case !errors.As(err, &truncated) || truncated.Octet != int64(n) || truncated.Packets != len(packets):
			t.Fatalf("%s cut at %d: %d packets, %v", path, n, len(packets), err)
		}
		whole = max(whole, len(packets))
	}
	if whole != 1 {
		t.Errorf("%s: at most %d packets read of a file that lacks its end", path, whole)
	}
}

func TestNotACapture(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		data string
		want string
	}{
		"text.pcap":  {"Hello, this is text", "not a capture: it begins with 48656c6c"},
		"empty.pcap": {"", "not a capture: the file is empty"},
		"gzip.pcap":  {"\x1f\x8bgarbage", "unpack"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := readAll(filepath.Join(dir, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// FuzzFile: no file makes the reader panic or read for ever.
func FuzzFile(f *testing.F) {
	f.Add([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "fuzz")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if packets, _ := readAll(path); len(packets) > len(data) {
			t.Errorf("%d packets of %d octets", len(packets), len(data))
		}
	})
}
