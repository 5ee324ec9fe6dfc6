package tcp

import (
	"testing"

	"go.yaml.in/yaml/v4"

	"vigia/collectors/reach"
)

// TestKeys reads every key as an operator writes it.
func TestKeys(t *testing.T) {
	const text = `
address: "[2001:db8::10]:5061"
family: 6
tls: true
verify: false
sni: sbc.example
send: "QUIT\r\n"
expect: "^220 "
`
	c := Kind().New().(*Config)
	if err := yaml.Unmarshal([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	if problems := c.Validate(); len(problems) > 0 {
		t.Error(problems)
	}
	if c.Family != reach.IPv6 || !c.TLS || c.Verify || c.SNI != "sbc.example" || c.Send != "QUIT\r\n" || c.Expect != "^220 " || c.Target() != "[2001:db8::10]:5061" {
		t.Errorf("read as %+v", c)
	}
}
