package tcp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigia/collectors"
	"vigia/collectors/collectorstest"
	"vigia/collectors/reach"
	"vigia/collectors/reach/reachtest"
)

func config(address string, change ...func(*Config)) *Config {
	c := Kind().New().(*Config)
	c.Address = address
	for _, f := range change {
		f(c)
	}
	return c
}

func probe(t *testing.T, c *Config, timeout time.Duration) collectors.Result {
	t.Helper()
	for _, p := range c.Validate() {
		t.Fatalf("%s: %s (%s)", p.Key, p.Message, p.Hint)
	}
	collector, err := c.Open(collectors.Setup{Every: time.Minute, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return collector.Probe(ctx)
}

func why(r collectors.Result) string { return Kind().Words.Say(collectors.English, r.Why) }

func value(r collectors.Result, m collectors.Metric) (float64, bool) {
	for _, v := range r.Values {
		if v.Metric == m {
			return v.Value, true
		}
	}
	return 0, false
}

// serve accepts connections and hands each to a function; nil leaves them open and says nothing.
func serve(t *testing.T, address string, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if handle == nil {
		return l.Addr().String() // the kernel accepts, nobody reads
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); handle(c) }()
		}
	}()
	return l.Addr().String()
}

// say answers parts as segments of their own, then waits for the end.
func say(parts ...string) func(net.Conn) {
	return func(c net.Conn) {
		for _, part := range parts {
			io.WriteString(c, part)
		}
		io.Copy(io.Discard, c)
	}
}

func expect(pattern string) func(*Config) { return func(c *Config) { c.Expect = pattern } }

func TestSuite(t *testing.T) {
	collectorstest.Run(t, collectorstest.Suite{
		Kind: Kind(),
		Healthy: func(t *testing.T) collectors.CheckConfig {
			return config(serve(t, "127.0.0.1:0", say("220 hello\r\n")), expect("^220 "))
		},
		Silent: func(t *testing.T) collectors.CheckConfig { return config(serve(t, "127.0.0.1:0", nil), expect(".")) },
		Garbage: func(t *testing.T, answer []byte) collectors.CheckConfig {
			return config(serve(t, "127.0.0.1:0", func(c net.Conn) { c.Write(answer) }), expect("^220 "))
		},
		Answers: [][]byte{nil, {0}, {0xff, 0xfe}, []byte("\x1b[2J"), []byte(strings.Repeat("A", 1<<20)), []byte("22"), []byte("\r\n220 not at the start")},
	})
}

func TestWhy(t *testing.T) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	refused := l.Addr().String()
	l.Close()
	echo := func(c net.Conn) {
		buf := make([]byte, 64)
		n, _ := c.Read(buf)
		c.Write(append([]byte("+"), buf[:n]...))
	}
	for _, c := range []struct {
		name   string
		config *Config
		want   string
		up     bool
	}{
		{"connect", config(serve(t, "127.0.0.1:0", nil)), "connected to 127.0.0.1:", true},
		{"connect IPv6", config(serve(t, "[::1]:0", nil)), "connected to [::1]:", true},
		{"refused", config(refused), "connection refused by " + refused, false},
		{"banner", config(serve(t, "127.0.0.1:0", say("220 mail.example\r\n")), expect("^220 ")), `answers "220 mail.example" in`, true},
		{"banner in segments", config(serve(t, "127.0.0.1:0", say("2", "2", "0 mail")), expect("^220 mail")), "answers", true},
		{"send", config(serve(t, "127.0.0.1:0", echo), expect("^.PING"), func(c *Config) { c.Send = "PING\r\n" }), `answers "+PING"`, true},
		{"other banner", config(serve(t, "127.0.0.1:0", func(c net.Conn) { io.WriteString(c, "554 go away\r\n") }), expect("^220 ")), `answers "554 go away", which lacks "^220 "`, false},
		{"mute", config(serve(t, "127.0.0.1:0", func(net.Conn) {}), expect("^220 ")), `closes the connection without a word, wanted "^220 "`, false},
		{"silent", config(serve(t, "127.0.0.1:0", nil), expect("^220 ")), "within 0.50 s (connected, waiting for a word)", false},
		{"half a banner", config(serve(t, "127.0.0.1:0", say("22")), expect("^220 ")), `answers only "22" within 0.50 s, which lacks "^220 "`, false},
		{"endless", config(serve(t, "127.0.0.1:0", say(strings.Repeat("x", 64<<10))), expect("^220 ")), `…", which lacks "^220 "`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := probe(t, c.config, 500*time.Millisecond)
			if got := why(r); !strings.Contains(got, c.want) {
				t.Errorf("why: %q, want %q", got, c.want)
			}
			if up, ok := value(r, collectors.Up); !ok || (up == 1) != c.up || r.OK != c.up {
				t.Errorf("up %v, OK %v, want %v", up, r.OK, c.up)
			}
			if _, measured := value(r, collectors.ResponseMS); measured != c.up {
				t.Errorf("response_ms is there: %v", measured)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	ca := reachtest.NewCA(t)
	secure := func(leaf reachtest.Leaf) string {
		config := ca.Issue(t, leaf)
		return serve(t, "127.0.0.1:0", func(c net.Conn) { say("220 hello")(tls.Server(c, config)) })
	}
	trusted := func(c *Config) { c.TLS, c.CA = true, ca.File }
	for _, c := range []struct {
		name   string
		config *Config
		want   string
	}{
		{"good", config(secure(reachtest.Leaf{}), trusted), " ms, TLS "},
		{"with a banner", config(secure(reachtest.Leaf{}), trusted, expect("^220")), `answers "220 hello"`},
		{"sni", config(secure(reachtest.Leaf{Names: []string{"sbc.example"}}), trusted, func(c *Config) { c.SNI = "sbc.example" }), "TLS"},
		{"expired", config(secure(reachtest.Leaf{Lasts: -72 * time.Hour}), trusted), "certificate expired 3 days ago"},
		{"other name", config(secure(reachtest.Leaf{Names: []string{"sbc.example"}}), trusted), "certificate is for sbc.example, not for 127.0.0.1"},
		{"unknown", config(secure(reachtest.Leaf{OtherKey: true}), trusted), "certificate's issuer Test CA is unknown"},
		{"unverified", config(secure(reachtest.Leaf{OtherKey: true}), func(c *Config) { c.TLS, c.Verify = true, false }), "TLS"},
		{"plain", config(serve(t, "127.0.0.1:0", say("SSH-2.0-x\r\n")), trusted), "does not speak TLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := probe(t, c.config, 5*time.Second)
			if !strings.Contains(why(r), c.want) {
				t.Errorf("why: %q, want %q", why(r), c.want)
			}
			if _, measured := value(r, collectors.TLSExpiryD); measured != (c.name != "plain") {
				t.Errorf("tls_expiry_d is there: %v", measured)
			}
		})
	}
}

func TestAddressesInTurn(t *testing.T) {
	_, port, _ := net.SplitHostPort(serve(t, "127.0.0.2:0", nil))
	r := probe(t, config("sbc.example:"+port, func(c *Config) {
		c.Family = reach.IPv4
		c.resolver = reachtest.Resolver(t, map[string][]string{"sbc.example.": {"127.0.0.1", "127.0.0.2"}})
	}), 5*time.Second)
	var steps []string
	for _, s := range r.Steps {
		steps = append(steps, Kind().Words.Say(collectors.English, s))
	}
	all := strings.Join(steps, "; ")
	if !r.OK || !strings.Contains(why(r), "connected to 127.0.0.2:"+port) || !strings.Contains(all, "connection refused by 127.0.0.1:"+port) {
		t.Errorf("why: %s; steps: %s", why(r), all)
	}
}

func TestValidate(t *testing.T) {
	const good = "192.0.2.10:5061"
	for key, cs := range map[string][]*Config{
		"address": {config(""), config("192.0.2.10"), config("x:0"), config("x:" + strconv.Itoa(1<<16)), config("169.254.1.1:80"), config("a b:80")},
		"sni":     {config(good, func(c *Config) { c.SNI = "x" }), config(good, func(c *Config) { c.TLS, c.SNI = true, "a b" })},
		"ca":      {config(good, func(c *Config) { c.CA = "/x" }), config(good, func(c *Config) { c.TLS, c.CA = true, "/nowhere/ca.pem" })},
		"verify":  {config(good, func(c *Config) { c.Verify = false })},
		"expect":  {config(good, expect("("))},
		"send":    {config(good, func(c *Config) { c.Send = strings.Repeat("x", 5000) })},
	} {
		for _, c := range cs {
			if problems := c.Validate(); len(problems) != 1 || problems[0].Key != key {
				t.Errorf("%+v: %v, want one problem of %s", c, problems, key)
			}
		}
	}
	if problems := config(good).Validate(); len(problems) > 0 {
		t.Error(problems)
	}
}
