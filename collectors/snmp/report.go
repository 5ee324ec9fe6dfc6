package snmp

import (
	"bytes"
	"net"
	"sync"

	"github.com/gosnmp/gosnmp"
)

// An SNMPv3 engine says in a Report why it does not accept a message (RFC 3414 §3.2). The report itself is not authenticated, so the library
// drops it, which is right for what it says to be believed; but it is all that people can be told. tap keeps the last datagram of a
// connection so that reported can look for one. Nothing is decided by it but words.
type tap struct {
	*net.UDPConn

	mu   sync.Mutex
	last []byte
}

// Read reads one datagram.
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.UDPConn.Read(b)
	t.keep(b[:max(n, 0)])
	return n, err
}

// ReadFrom reads one datagram.
func (t *tap) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.UDPConn.ReadFrom(b)
	t.keep(b[:max(n, 0)])
	return n, from, err
}

// longestReport bounds what is kept: a report holds one variable.
const longestReport = 512

func (t *tap) keep(b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = t.last[:0]
	if len(b) <= longestReport {
		t.last = append(t.last, b...)
	}
}

// listen puts a tap into an SNMPv3 connection.
func listen(g *gosnmp.GoSNMP) {
	if conn, ok := g.Conn.(*net.UDPConn); ok {
		g.Conn = &tap{UDPConn: conn}
	}
}

// reports are the objects that a Report names, in BER, and how that is said.
var reports = []struct {
	oid  []byte
	code string
}{
	{usmStats(1), "level"},
	{usmStats(2), "window"},
	{usmStats(3), "user"},
	{usmStats(4), "engine"},
	{usmStats(5), "auth"},
	{usmStats(6), "priv"},
	{[]byte{0x2b, 6, 1, 6, 3, 11, 2, 1, 1, 0}, "model"},   // snmpUnknownSecurityModels (RFC 3412)
	{[]byte{0x2b, 6, 1, 6, 3, 11, 2, 1, 2, 0}, "invalid"}, // snmpInvalidMsgs
	{[]byte{0x2b, 6, 1, 6, 3, 11, 2, 1, 3, 0}, "context"}, // snmpUnknownPDUHandlers
	{[]byte{0x2b, 6, 1, 6, 3, 12, 1, 4, 0}, "context"},    // snmpUnavailableContexts (RFC 3413)
	{[]byte{0x2b, 6, 1, 6, 3, 12, 1, 5, 0}, "context"},    // snmpUnknownContexts
}

// usmStats is 1.3.6.1.6.3.15.1.1.N.0 in BER.
func usmStats(n byte) []byte { return []byte{0x2b, 6, 1, 6, 3, 15, 1, 1, n, 0} }

// reported is what the last datagram reports, as a code of words; empty for nothing.
func (s *session) reported() string {
	if s.g == nil {
		return "" // nothing was sent yet
	}
	t, ok := s.g.Conn.(*tap)
	if !ok {
		return ""
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if bytes.IndexByte(t.last, byte(gosnmp.Report)) < 0 {
		return ""
	}
	for _, r := range reports {
		if bytes.Contains(t.last, r.oid) {
			return r.code
		}
	}
	return ""
}
