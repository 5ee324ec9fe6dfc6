package reach

import (
	"crypto/tls"
	"time"

	"vigia/collectors"
)

// MS is a duration in milliseconds.
func MS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Steps tells how a path came about, for the kind of that name. connected is false when it did not come to a connection.
func (p Path) Steps(kind, host string, connected bool) []collectors.Reason {
	var steps []collectors.Reason
	if p.Resolved && p.Peer.IsValid() {
		steps = append(steps, collectors.Because(kind+".step_resolved", host, p.Peer.Addr().String(), MS(p.DNS)))
	}
	for _, f := range p.InVain {
		steps = append(steps, f.Reason(kind))
	}
	if connected {
		steps = append(steps, collectors.Because(kind+".step_connected", p.Peer.String(), MS(p.Connect)))
	}
	return steps
}

// Steps tells of the handshake and the certificate.
func (s Secured) Steps(kind string, done bool) []collectors.Reason {
	var steps []collectors.Reason
	if done {
		state := s.Conn.ConnectionState()
		steps = append(steps, collectors.Because(kind+".step_tls", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), MS(s.Took)))
	}
	if s.HasChain {
		steps = append(steps, collectors.Because(kind+".step_cert", s.Subject, s.Issuer, s.NotAfter.Format(time.DateOnly), s.ExpiryD))
	}
	return steps
}
