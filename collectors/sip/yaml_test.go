package sip

import (
	"testing"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/reach"
)

// TestKeys reads every key as an operator writes it.
func TestKeys(t *testing.T) {
	const text = `
host: 203.0.113.5
port: 5071
transport: tls
family: auto
user: ping
from_user: noc
domain: carrier.example
expect: [2xx, 404]
local: 192.0.2.1
max_forwards: 0
tls: {verify: false, sni: sbc.example}
`
	c := Kind().New().(*Config)
	if err := yaml.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	if problems := c.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
	if c.Target() != "203.0.113.5:5071/tls" || c.requestURI() != "sip:ping@carrier.example;transport=tls" || !c.Expect.Want(404) || c.Expect.Want(503) ||
		c.Family != reach.Auto || c.MaxForwards != 0 || c.TLS.Verify || c.Local != "192.0.2.1" {
		t.Errorf("read as %+v", c)
	}
	c = Kind().New().(*Config)
	if err := yaml.Unmarshal([]byte("host: sbc\nuri: sips:x@y.example"), c); err != nil || c.MaxForwards != 70 || c.From != "vigia" || !c.TLS.Verify || c.requestURI() != "sips:x@y.example" {
		t.Errorf("defaults: %v, %+v", err, c)
	}
}
