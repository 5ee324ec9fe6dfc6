package snmp

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors/inventory"
)

// credentials are how a device lets us ask.
type credentials struct {
	version   int
	community inventory.Secret
	user      string
	auth      inventory.Secret // algorithm:password
	priv      inventory.Secret
	context   string
}

// authProtocols and privProtocols are the names in the configuration. AES with 192 and 256 bits was never a standard: aes192 and aes256
// stretch the key as draft-blumenthal-aes-usm-04 says (net-snmp), those with a c as draft-reeder-snmpv3-usm-3desede does (Cisco).
var (
	authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
		"md5": gosnmp.MD5, "sha": gosnmp.SHA, "sha224": gosnmp.SHA224, "sha256": gosnmp.SHA256, "sha384": gosnmp.SHA384, "sha512": gosnmp.SHA512,
	}
	privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
		"des": gosnmp.DES, "aes": gosnmp.AES, "aes192": gosnmp.AES192, "aes256": gosnmp.AES256, "aes192c": gosnmp.AES192C, "aes256c": gosnmp.AES256C,
	}
)

// key tells credentials and addresses apart without holding a secret.
func (c *credentials) key(host string, port int) string {
	h := sha256.New()
	for _, part := range []string{c.community.Reveal(), c.user, c.auth.Reveal(), c.priv.Reveal(), c.context} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return fmt.Sprintf("%s %d %d %x", host, port, c.version, h.Sum(nil))
}

// apply gives the library what it needs to ask d.
func (c *credentials) apply(g *gosnmp.GoSNMP, d *device) {
	g.SecurityParameters = nil
	switch c.version {
	case 1:
		g.Version, g.Community = gosnmp.Version1, c.community.Reveal()
	case 2:
		g.Version, g.Community = gosnmp.Version2c, c.community.Reveal()
	default:
		g.Version, g.SecurityModel, g.ContextName = gosnmp.Version3, gosnmp.UserSecurityModel, c.context
		g.MsgFlags, g.SecurityParameters = c.flags(), d.usm.lend(c)
	}
}

func (c *credentials) flags() gosnmp.SnmpV3MsgFlags {
	switch {
	case c.auth.IsZero():
		return gosnmp.NoAuthNoPriv
	case c.priv.IsZero():
		return gosnmp.AuthNoPriv
	}
	return gosnmp.AuthPriv
}

// usm is what an SNMPv3 engine told us of itself, and the keys localised to it (RFC 3414 §2.6), so that neither is done again at each poll.
type usm struct {
	mu   sync.Mutex
	last *gosnmp.UsmSecurityParameters
	at   time.Time // when the engine's time was what last says
}

// lend returns parameters of its own to one session.
func (u *usm) lend(c *credentials) gosnmp.SnmpV3SecurityParameters {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last, u.at = c.parameters(), time.Now()
	}
	p := u.last.Copy()
	if known, ok := p.(*gosnmp.UsmSecurityParameters); ok && known.AuthoritativeEngineID != "" { // its clock has gone on
		known.AuthoritativeEngineTime += uint32(time.Since(u.at) / time.Second) // seconds since the last session
	}
	return p
}

// learn keeps what a session that went well found out.
func (u *usm) learn(p gosnmp.SnmpV3SecurityParameters) {
	found, ok := p.(*gosnmp.UsmSecurityParameters)
	if !ok || found.AuthoritativeEngineID == "" {
		return
	}
	copied, ok := found.Copy().(*gosnmp.UsmSecurityParameters)
	if !ok {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last, u.at = copied, time.Now()
}

// forget lets the next session find out everything anew: another device may stand there now.
func (u *usm) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = nil
}

func (c *credentials) parameters() *gosnmp.UsmSecurityParameters {
	p := &gosnmp.UsmSecurityParameters{UserName: c.user, AuthenticationProtocol: gosnmp.NoAuth, PrivacyProtocol: gosnmp.NoPriv}
	if method, password, ok := strings.Cut(c.auth.Reveal(), ":"); ok {
		p.AuthenticationProtocol, p.AuthenticationPassphrase = authProtocols[method], password
	}
	if method, password, ok := strings.Cut(c.priv.Reveal(), ":"); ok {
		p.PrivacyProtocol, p.PrivacyPassphrase = privProtocols[method], password
	}
	return p
}
