package snmp

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/snmp/profile"
)

// hearsay is a connection to a device that says what the fuzzer wants: after the identification of each request (version, community, PDU,
// request-id) come its octets, one lot for GET and one for GETBULK and GETNEXT.
type hearsay struct {
	net.Conn
	get, bulk []byte
	answer    []byte
	asked     int
}

// mostAsked is after how many requests the device falls silent.
const mostAsked = 300

func (h *hearsay) Write(request []byte) (int, error) {
	h.answer = nil
	id, operation := identify(request)
	if h.asked++; id == nil || h.asked > mostAsked {
		return len(request), nil
	}
	said := h.bulk
	if operation == byte(gosnmp.GetRequest) {
		said = h.get
	}
	pdu := tlv(byte(gosnmp.GetResponse), append(tlv(2, id), said...))
	h.answer = tlv(0x30, append([]byte{2, 1, 1, 4, 1, 'x'}, pdu...))
	return len(request), nil
}

func (h *hearsay) Read(b []byte) (int, error) {
	if h.answer == nil {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, h.answer)
	h.answer = nil
	return n, nil
}

func (h *hearsay) SetDeadline(time.Time) error { return nil }
func (h *hearsay) Close() error                { return nil }

// identify finds a request's id and operation: behind version and the community "x".
func identify(request []byte) (id []byte, operation byte) {
	_, rest, found := bytes.Cut(request, []byte{2, 1, 1, 4, 1, 'x'})
	if !found || len(rest) < 4 {
		return nil, 0
	}
	at := 2
	if rest[1] > 0x80 {
		at += int(rest[1] & 0x7f)
	}
	if at+2 > len(rest) || at+2+int(rest[at+1]) > len(rest) {
		return nil, 0
	}
	return rest[at+2 : at+2+int(rest[at+1])], rest[0]
}

// tlv encodes in BER.
func tlv(tag byte, contents []byte) []byte {
	switch n := len(contents); {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, contents...)
	default:
		return append(binary.BigEndian.AppendUint16([]byte{tag, 0x82}, uint16(n)), contents...)
	}
}

// spokenBody is what stands behind the request-id of an answer: status, index, variables.
func spokenBody(tb testing.TB, status gosnmp.SNMPError, vars ...gosnmp.SnmpPDU) []byte {
	tb.Helper()
	p := gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: "x", PDUType: gosnmp.GetResponse, RequestID: 0x11223344, Error: status, Variables: vars}
	octets, err := p.MarshalMsg()
	if err != nil {
		tb.Fatal(err)
	}
	_, body, found := bytes.Cut(octets, []byte{0x11, 0x22, 0x33, 0x44})
	if !found {
		tb.Fatal("no request-id")
	}
	return body
}

// FuzzAnswer gives arbitrary octets as the answer to each of a check's requests. Whatever they are, no panic passes, every figure is finite,
// and what is said has words.
func FuzzAnswer(f *testing.F) {
	up := gosnmp.SnmpPDU{Name: sysUpTime, Type: gosnmp.TimeTicks, Value: uint32(5)}
	pdu := func(oid string, t gosnmp.Asn1BER, v any) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: oid, Type: t, Value: v}
	}
	hello := spokenBody(f, gosnmp.NoError, up, pdu(sysDescr, gosnmp.OctetString, "x"), pdu(sysObjectID, gosnmp.ObjectIdentifier, ".1.3.6.1.4.1.9.1.1"))
	f.Add(hello, spokenBody(f, gosnmp.NoError, up, pdu(ifDescr+".1", gosnmp.OctetString, "eth0"), pdu(ifType+".1", gosnmp.Integer, 6)))
	f.Add(hello, spokenBody(f, gosnmp.NoError, up, pdu(ifHCInOctets+".1", gosnmp.Counter64, uint64(math.MaxUint64)), pdu(ifDescr, gosnmp.EndOfMibView, nil)))
	f.Add(hello, spokenBody(f, gosnmp.TooBig))
	f.Add(spokenBody(f, gosnmp.NoSuchName, up), hello)
	f.Add(spokenBody(f, gosnmp.NoError, pdu(sysUpTime, gosnmp.Opaque, []byte{0x9f, 0x78, 4, 0x7f, 0xc0, 0, 0})), hello)
	f.Add([]byte{}, []byte{2, 1, 0, 2, 1, 0, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{2, 1, 0, 2, 1, 0, 0x30, 4, 0x30, 2, 6, 0}, []byte{2, 1, 0, 2, 1, 0, 0x30, 0x80})
	g := silentGo(f)
	set, err := profile.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, get, bulk []byte) {
		if len(get) > 2000 || len(bulk) > 2000 {
			return
		}
		hear(t, g, set, &hearsay{get: get, bulk: bulk})
	})
}

// silentGo is a value of the library with its buffer; its socket is closed.
func silentGo(tb testing.TB) *gosnmp.GoSNMP {
	tb.Helper()
	g := &gosnmp.GoSNMP{
		Target: "127.0.0.1", Port: 9, Community: "x", Version: gosnmp.Version2c, Timeout: time.Second, MaxOids: startSize + 8, Context: context.Background(),
	}
	if err := g.Connect(); err != nil {
		tb.Fatal(err)
	}
	g.Conn.Close()
	return g
}

// hear runs a check of a server and a link twice against it.
func hear(t *testing.T, g *gosnmp.GoSNMP, set *profile.Set, conn *hearsay) {
	clock := newDayClock(time.Unix(1e9, 0))
	shared := newRegistry(clock.now)
	creds := &credentials{version: 2, community: inventory.NewSecret("x")}
	d := shared.acquire("192.0.2.1", defaultPort, creds, set, "")
	for _, link := range []string{"", "eth0"} {
		p := &prober{registry: shared, device: d, link: link, all: true, health: link == ""}
		for range 2 {
			g.Conn = conn
			s := &session{g: g, creds: creds, host: d.host, to: d.label(), tuned: &d.tuning, now: clock.now}
			ctx := t.Context()
			r := &run{prober: p, ctx: ctx, s: s, bits: [2]float64{math.NaN(), math.NaN()}}
			var result collectors.Result
			if err := r.poll(); err != nil {
				if strings.Contains(err.Error(), "runtime error") {
					t.Fatal(err)
				}
				result = p.failed(r, err)
			} else {
				result = r.result()
			}
			finiteAndSaid(t, result)
			clock.turn(10 * time.Second)
		}
	}
}

func finiteAndSaid(t *testing.T, r collectors.Result) {
	t.Helper()
	for _, v := range r.Values {
		if !finite(v.Value) {
			t.Fatalf("%s %q is %g", v.Metric, v.Part, v.Value)
		}
		fits(t, v.Part)
	}
	for _, reason := range append([]collectors.Reason{r.Why}, r.Steps...) {
		spoken(t, reason)
	}
}
