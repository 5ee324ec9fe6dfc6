package reach

import (
	"crypto/x509"
	"testing"
	"time"
)

// TestFirstExpiry: among verified chains the one that lasts longest counts, in each the certificate that ends first.
func TestFirstExpiry(t *testing.T) {
	ends := func(days int) *x509.Certificate { return &x509.Certificate{NotAfter: time.Now().AddDate(0, 0, days)} }
	leaf, oldRoot, newRoot := ends(60), ends(5), ends(3000)
	for i, chains := range [][][]*x509.Certificate{{{leaf, oldRoot}, {leaf, newRoot}}, {{leaf, newRoot}, {leaf, oldRoot}}} {
		if got := firstExpiry(chains, []*x509.Certificate{leaf, oldRoot}); got != leaf {
			t.Errorf("%d: %v, want the leaf", i, got.NotAfter)
		}
	}
	if got := firstExpiry(nil, []*x509.Certificate{leaf, oldRoot}); got != oldRoot {
		t.Errorf("unverified: %v", got.NotAfter)
	}
	if firstExpiry(nil, nil) != nil {
		t.Error("nothing sent has an expiry")
	}
}
