package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/snmp"
	"vigia/collectors/snmp/profile"
)

// plan is what the flags of discover mean.
type plan struct {
	hosts   []string
	network netip.Prefix // not valid without --network
	port    int
	version string
	user    string
	context string
	site    string
	given   bool   // the site was
	folder  string // of profiles, as the configuration must name it

	community, auth, priv credential
}

// credential is a secret, and how a configuration names it without holding it.
type credential struct {
	value    inventory.Secret
	written  string // ${env:NAME} or what the caller wrote
	variable string // that people must set; empty when written is the caller's own reference
}

const placeholderSite = "my-site"

// read makes a plan of the flags. Its error says what to do.
func (c *DiscoverCmd) read() (*plan, error) {
	p := &plan{port: c.Port, version: c.Version, user: c.User, context: c.Context, site: c.Site, given: c.Site != ""}
	if p.version == "" {
		p.version = "2c"
		if c.User != "" {
			p.version = "3"
		}
	}
	if !p.given {
		p.site = placeholderSite
	}
	for _, step := range []func(*plan) error{c.readWhere, c.readNumbers, c.readNames, c.readSecrets, c.readConfig} {
		if err := step(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

var hostPattern = regexp.MustCompile(`^[\pL\pN_]([\pL\pN_.-]{0,251}[\pL\pN_.])?$`)

func (c *DiscoverCmd) readWhere(p *plan) (err error) {
	switch {
	case len(c.Host) == 0 && c.Network == "":
		return errors.New("nothing to ask: give --host HOST or --network CIDR")
	case c.Network != "":
		p.network, p.hosts, err = addresses(c.Network)
		return err
	}
	seen := map[string]bool{}
	for _, h := range c.Host {
		h = strings.TrimSpace(h)
		if _, err := netip.ParseAddr(h); err != nil && !hostPattern.MatchString(h) {
			return fmt.Errorf("--host: %q is not the name or address of a device, such as 192.0.2.1", h)
		}
		if !seen[h] {
			p.hosts = append(p.hosts, h)
		}
		seen[h] = true
	}
	return nil
}

func (c *DiscoverCmd) readNumbers(*plan) error {
	for _, n := range []struct {
		flag             string
		value, low, high int
	}{{"--port", c.Port, 1, 65535}, {"--pace", c.Pace, 1, 1000}, {"--at-once", c.AtOnce, 1, 256}} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("%s: %d is not between %d and %d", n.flag, n.value, n.low, n.high)
		}
	}
	if d := time.Duration(c.Timeout); d < time.Second || d > time.Hour {
		return errors.New("--timeout: give a time from 1s to 1h")
	}
	return nil
}

func (c *DiscoverCmd) readNames(p *plan) error {
	if message, hint := nameForm(p.site); message != "" {
		return fmt.Errorf("--site: %s (%s)", message, hint)
	}
	if c.Output != "" {
		if _, err := os.Lstat(c.Output); err == nil {
			return fmt.Errorf("--output: %s exists; give the name of a file that does not", printable(c.Output))
		}
	}
	if c.Profiles == "" {
		return nil
	}
	if info, err := os.Stat(c.Profiles); err != nil {
		return fmt.Errorf("--profiles: %s: %s", printable(c.Profiles), fileProblem(err))
	} else if !info.IsDir() {
		return fmt.Errorf("--profiles: %s is not a folder", printable(c.Profiles))
	}
	if _, err := profile.Load(os.DirFS(c.Profiles)); err != nil {
		return fmt.Errorf("--profiles: %s", printable(err.Error()))
	}
	p.folder = c.Profiles
	if rel, err := filepath.Rel(filepath.Dir(c.Output), c.Profiles); err == nil && c.Output != "" && !filepath.IsAbs(c.Profiles) {
		p.folder = rel // the configuration takes paths from where it lies
	}
	if c.Output != "" && p.folder == "." {
		return errors.New("--output: a file in the folder of profiles would be read as a profile; give another folder")
	}
	return nil
}

// communityVariable is where the community comes from when no flag gives it.
const communityVariable = "VIGIA_SNMP_COMMUNITY"

func (c *DiscoverCmd) readSecrets(p *plan) (err error) {
	community := c.Community.Reveal()
	if community == "" && p.version != "3" {
		community = "public"
		if os.Getenv(communityVariable) != "" {
			community = "${env:" + communityVariable + "}"
		}
	}
	if p.community, err = readSecret("--community", community, "SNMP_COMMUNITY"); err != nil {
		return err
	}
	if p.auth, err = readSecret("--auth", c.Auth.Reveal(), "SNMP_AUTH"); err != nil {
		return err
	}
	p.priv, err = readSecret("--priv", c.Priv.Reveal(), "SNMP_PRIV")
	return err
}

// referencePattern is a text that holds no secret itself.
var referencePattern = regexp.MustCompile(`^((md5|sha|sha224|sha256|sha384|sha512|des|aes|aes192|aes256|aes192c|aes256c):)?\$\{(env|file):[^{}[:cntrl:]]+\}$`)

// readSecret resolves references as the configuration does.
func readSecret(flag, text, variable string) (credential, error) {
	if text == "" {
		return credential{}, nil
	}
	l := newLoader("", ".", Kinds{})
	value, _, ok := l.expand(&yaml.Node{Kind: yaml.ScalarNode, Value: text}, flag)
	if !ok {
		return credential{}, fmt.Errorf("%s (write the secret itself, ${env:NAME} or ${file:PATH})", printable(l.errs[0].Message))
	}
	c := credential{value: inventory.NewSecret(value), written: "${env:" + variable + "}", variable: variable}
	if referencePattern.MatchString(text) {
		c.written, c.variable = text, ""
	}
	return c, nil
}

// readConfig lets the kind judge what it will be asked.
func (c *DiscoverCmd) readConfig(p *plan) error {
	switch {
	case p.version != "1" && p.version != "2c" && p.version != "3":
		return errors.New("--version: write 1, 2c or 3")
	case message(labelForm(p.user)) != "" && p.user != "":
		return errors.New("--user: this cannot be the name of a user")
	case message(labelForm(p.context)) != "" && p.context != "":
		return errors.New("--context: this cannot be the name of a context")
	case strings.Contains(p.user+p.context+p.folder, "${"):
		return errors.New("only --community, --auth and --priv take references")
	}
	for _, host := range p.hosts {
		for _, problem := range p.config(host).Validate() {
			return errors.New(printable(flagProblem(problem)))
		}
	}
	return nil
}

// flagProblem says with flags what the kind says with keys.
func flagProblem(p collectors.Problem) string {
	text := "--" + p.Key + ": " + p.Message
	if rest, ok := strings.CutPrefix(p.Message, p.Key+" "); ok {
		text = "--" + p.Key + " " + rest
	}
	if p.Hint != "" {
		text += " (" + strings.NewReplacer("write version: 3", "give --user, and no --version", "write version: 2c", "give --version 2c and no --user").Replace(p.Hint) + ")"
	}
	return text
}

func message(text, _ string) string { return text }

// config is what the kind needs to ask one device.
func (p *plan) config(host string) *snmp.Config {
	return snmp.NewConfig(host, p.port, p.version, p.community.value, p.auth.value, p.priv.value, p.user, p.context)
}
