package vqrtcpxr

import (
	"errors"
	"net/netip"
	"time"
)

// Config is the kind's part of the configuration (voice.vqrtcpxr).
type Config struct {
	Listen string         `yaml:"listen"` // host:port, UDP and TCP
	Allow  []netip.Prefix `yaml:"allow"`  // the networks of the phones
}

// The limits. They are far above what phones do.
const (
	perSource      = 1000             // requests a second of one address: a proxy that hands on the reports of 20,000 calls stays below
	maxSources     = 65536            // addresses whose rate is known at once; while there are more, all others share one
	maxRemembered  = 65536            // requests in each of the two generations that duplicates are told by
	rememberFor    = 32 * time.Second // Timer J of RFC 3261: how long a request may come again
	maxConnections = 2048
	maxPerSource   = 256 // connections of one address
	idleTCP        = 10 * time.Minute
	writeTCP       = 5 * time.Second
	receiveBuffer  = 4 << 20 // of UDP; less is not fatal, what the kernel drops is counted
	longestExpires = 3600    // seconds that a publication is said to live; nothing is kept, so it only sets how often the phone refreshes it
)

var errNobody = errors.New("vqrtcpxr: allow is empty, so no phone could report; list the phones' networks under voice.vqrtcpxr.allow")

// allows reports whether reports of an address are taken.
func (c *Config) allows(a netip.Addr) bool {
	for _, p := range c.Allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
