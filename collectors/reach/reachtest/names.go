package reachtest

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Resolver is a resolver that asks a name server of the test, which knows these names (with their trailing dot) and answers NXDOMAIN to
// others. The order of a name's addresses is kept as far as the resolver keeps it.
func Resolver(t testing.TB, names map[string][]string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { server.Close(); <-done })
	go func() { defer close(done); serveNames(server, names) }()
	return resolverAt(server.LocalAddr().String())
}

// SilentResolver is a resolver whose name server never answers.
func SilentResolver(t testing.TB) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return resolverAt(server.LocalAddr().String())
}

func resolverAt(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", address)
	}}
}

func serveNames(server net.PacketConn, names map[string][]string) {
	buf := make([]byte, 1500)
	for {
		n, from, err := server.ReadFrom(buf)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(buf[:n]) != nil || len(query.Questions) != 1 {
			continue
		}
		if answer, err := answerTo(query, names).Pack(); err == nil {
			server.WriteTo(answer, from)
		}
	}
}

func answerTo(query dnsmessage.Message, names map[string][]string) *dnsmessage.Message {
	question := query.Questions[0]
	answer := &dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: query.Questions,
	}
	addresses, known := names[question.Name.String()]
	if !known {
		answer.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addresses {
		ip := netip.MustParseAddr(a)
		header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1}
		switch {
		case ip.Is4() && question.Type == dnsmessage.TypeA:
			header.Type = dnsmessage.TypeA
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: ip.As4()}})
		case ip.Is6() && question.Type == dnsmessage.TypeAAAA:
			header.Type = dnsmessage.TypeAAAA
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return answer
}
