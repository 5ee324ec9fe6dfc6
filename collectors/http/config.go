package http

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	nethttp "net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/reach"
)

const name = "http"

// Kind is the check of a web server.
func Kind() collectors.Kind { return kind(nil) }

// kind takes the resolver; nil is the system's.
func kind(resolver *net.Resolver) collectors.Kind {
	return collectors.Kind{
		Name: name,
		New: func() collectors.CheckConfig {
			return &Config{Method: nethttp.MethodGet, TLS: reach.TLS{Verify: true}, resolver: resolver}
		},
		Metrics: []collectors.Metric{
			collectors.Up, collectors.ResponseMS, collectors.DNSMS, collectors.ConnectMS, collectors.TLSMS,
			collectors.FirstByteMS, collectors.StatusCode, collectors.TLSExpiryD,
		},
		Words:   reach.Words(name, words),
		Every:   30 * time.Second,
		Timeout: 5 * time.Second,
	}
}

// Config is the http check's own part of the configuration.
type Config struct {
	URL      string                      `yaml:"url"`       // http or https, without user and password
	Method   string                      `yaml:"method"`    // GET (default) or HEAD
	Status   reach.Codes                 `yaml:"status"`    // wanted codes and classes; default 2xx
	Match    string                      `yaml:"match"`     // regular expression (RE2) that the body must hold
	NotMatch string                      `yaml:"not_match"` // one that it must not hold
	Headers  map[string]inventory.Secret `yaml:"headers"`   // sent with the request
	Host     string                      `yaml:"host"`      // the Host header, when it is not the URL's host
	User     string                      `yaml:"user"`      // basic authentication (RFC 7617)
	Password inventory.Secret            `yaml:"password"`
	Family   reach.Family                `yaml:"family"` // 4, 6 or auto (default)
	TLS      reach.TLS                   `yaml:"tls"`

	resolver *net.Resolver
}

// Target is the method and the URL without its query, which may hold a key.
func (c *Config) Target() string {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" {
		return "http"
	}
	shown := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		shown += "?…"
	}
	return shown
}

// Validate lists everything that is wrong.
func (c *Config) Validate() []collectors.Problem {
	problems := c.urlProblems()
	add := func(key, hint, format string, args ...any) {
		problems = append(problems, collectors.Problem{Key: key, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if c.Method != nethttp.MethodGet && c.Method != nethttp.MethodHead {
		add("method", "write GET or HEAD", "%q is no method of this check", c.Method)
	}
	for key, pattern := range map[string]string{"match": c.Match, "not_match": c.NotMatch} {
		if _, err := regexp.Compile(pattern); err != nil {
			add(key, "write a regular expression in RE2 syntax", "%s", err.Error())
		}
		if pattern != "" && c.Method == nethttp.MethodHead {
			add(key, "use the method GET", "an answer to HEAD has no body to look into")
		}
	}
	if c.User == "" && !c.Password.IsZero() {
		add("password", "give a user too", "a password without a user")
	}
	if strings.Contains(c.User, ":") {
		add("user", "", "a user name cannot hold a colon")
	}
	if c.Host != "" && !httpguts.ValidHostHeader(c.Host) {
		add("host", "write a host name", "%q cannot be sent as the Host header", c.Host)
	}
	problems = append(problems, c.headerProblems()...)
	problems = append(problems, c.TLS.Problems("tls.")...)
	slices.SortStableFunc(problems, func(a, b collectors.Problem) int { return strings.Compare(a.Key, b.Key) })
	return problems
}

func (c *Config) urlProblems() []collectors.Problem {
	problem := func(message, hint string) []collectors.Problem {
		return []collectors.Problem{{Key: "url", Message: message, Hint: hint}}
	}
	if c.URL == "" {
		return problem("url is missing", "such as https://192.0.2.10/health")
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return problem("the url cannot be read", "such as https://192.0.2.10/health")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return problem(fmt.Sprintf("the url's scheme is %q", u.Scheme), "begin with http:// or https://")
	}
	if u.User != nil {
		return problem("the url holds a user or a password", "use the keys user and password, which are kept secret")
	}
	if u.Port() != "" {
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			port = 0
		}
		if problems := reach.PortProblems("url", port); problems != nil {
			return problems
		}
	}
	return reach.HostProblems("url", u.Hostname())
}

// ownHeaders are set by the client or by other keys.
var ownHeaders = map[string]string{
	"Host":              "use the key host",
	"Authorization":     "",
	"Connection":        "the client sets it",
	"Content-Length":    "the client sets it",
	"Transfer-Encoding": "the client sets it",
	"Accept-Encoding":   "the client sets it",
}

func (c *Config) headerProblems() []collectors.Problem {
	var problems []collectors.Problem
	add := func(message, hint string) {
		problems = append(problems, collectors.Problem{Key: "headers", Message: message, Hint: hint})
	}
	for _, key := range slices.Sorted(maps.Keys(c.Headers)) {
		switch hint, own := ownHeaders[nethttp.CanonicalHeaderKey(key)]; {
		case !httpguts.ValidHeaderFieldName(key):
			add(fmt.Sprintf("%q is no name of a header", key), "")
		case own && hint != "":
			add(fmt.Sprintf("the header %s cannot be set here", key), hint)
		case own && c.User != "":
			add("both a user and an Authorization header", "keep one of them")
		case !httpguts.ValidHeaderFieldValue(c.Headers[key].Reveal()):
			add(fmt.Sprintf("the value of the header %s holds characters that cannot be sent", key), "look for line ends")
		}
	}
	return problems
}

// Open makes the collector.
func (c *Config) Open(setup collectors.Setup) (collectors.Collector, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the url: %w", err)
	}
	client, err := c.TLS.Client(u.Hostname(), "http/1.1")
	if err != nil {
		return nil, err
	}
	p := &prober{config: c, url: u, tls: client, wanted: c.Status, within: setup.Timeout}
	if len(p.wanted) == 0 {
		p.wanted = reach.Codes{"2xx"}
	}
	if p.match, err = compile(c.Match); err != nil {
		return nil, fmt.Errorf("match: %w", err)
	}
	if p.notMatch, err = compile(c.NotMatch); err != nil {
		return nil, fmt.Errorf("not_match: %w", err)
	}
	p.dialer = reach.Dialer{Resolver: c.resolver, Family: c.Family, Within: setup.Timeout}
	return p, nil
}

func compile(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil //nolint:nilnil // no pattern, nothing to match
	}
	return regexp.Compile(pattern)
}

// secrets lists every value that must not show, in the forms in which it meets the wire.
func (c *Config) secrets() []string {
	var values []string
	add := func(value string) {
		if value != "" {
			values = append(values, value)
		}
	}
	for _, v := range c.Headers {
		add(v.Reveal())
	}
	if add(c.Password.Reveal()); !c.Password.IsZero() {
		add(base64.StdEncoding.EncodeToString([]byte(c.User + ":" + c.Password.Reveal())))
	}
	return values
}
