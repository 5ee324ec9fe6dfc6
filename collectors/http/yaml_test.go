package http

import (
	"testing"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/reach"
)

// TestKeys reads every key as an operator writes it.
func TestKeys(t *testing.T) {
	const text = `
url: https://192.0.2.10/health
method: GET
status: [200, 3xx]
match: ok
not_match: degraded
headers: {X-Key: abc}
host: virtual.example
user: noc
password: pw
family: 4
tls: {sni: web.example}
`
	c := Kind().New().(*Config)
	if err := yaml.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	if problems := c.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
	if !c.Status.Want(304) || c.Status.Want(201) || c.Headers["X-Key"].Reveal() != "abc" || c.Password.Reveal() != "pw" ||
		c.Family != reach.IPv4 || c.TLS.SNI != "web.example" || !c.TLS.Verify || c.NotMatch != "degraded" || c.Host != "virtual.example" {
		t.Errorf("read as %+v", c)
	}
}
