package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors/inventory"
	"vigia/collectors/snmp"
)

// DiscoverCmd is vigia discover: what SNMP devices offer, as a configuration that can be used as it is.
type DiscoverCmd struct {
	Host      []string `help:"A device: its name or address. Several: with commas, or again --host." placeholder:"HOST" xor:"where"`
	Network   string   `help:"Ask every address of a small network (at most 1024)." placeholder:"CIDR" xor:"where"`
	Port      int      `default:"161" help:"The UDP port of the agents."`
	Version   string   `help:"1, 2c or 3. Default: 2c, or 3 with --user." placeholder:"VERSION"`
	Community quiet    `help:"Versions 1 and 2c. Default: the environment variable VIGIA_SNMP_COMMUNITY, else public." placeholder:"SECRET"`
	User      string   `help:"Version 3." placeholder:"NAME"`
	Auth      quiet    `help:"Version 3: algorithm:password, such as sha256:... (md5, sha, sha224, sha256, sha384, sha512)." placeholder:"SECRET"`
	Priv      quiet    `help:"Version 3: algorithm:password, such as aes:... (des, aes, aes192, aes256, aes192c, aes256c)." placeholder:"SECRET"`
	Context   string   `help:"Version 3: the context, mostly none." placeholder:"NAME"`
	Timeout   span     `default:"30s" help:"How long one device may take, from 1s to 1h. Default: 30s." placeholder:"TIME"`
	Pace      int      `default:"50" help:"With --network: how many addresses are asked a second, at most."`
	AtOnce    int      `name:"at-once" default:"16" help:"How many are asked at the same time."`
	Site      string   `help:"The site that the devices stand at." placeholder:"NAME"`
	Profiles  string   `help:"A folder of your own profiles." placeholder:"FOLDER"`
	All       bool     `help:"Also what is down, shut down or virtual, each as a comment."`
	JSON      bool     `name:"json" help:"Everything that was found, one JSON object a line for each device, in place of YAML."`
	Output    string   `short:"o" help:"Write to this file, which must not exist yet." placeholder:"FILE"`

	plan *plan // what the flags mean; set by Validate
}

// quiet is a flag that keeps a secret: it cannot be printed.
type quiet struct{ inventory.Secret }

// UnmarshalText reads it.
func (q *quiet) UnmarshalText(text []byte) error {
	q.Secret = inventory.NewSecret(string(text))
	return nil
}

// Help is what vigia discover --help says besides the flags.
func (*DiscoverCmd) Help() string {
	return `It asks, and changes nothing on a device. Each secret is given literally, as ${env:NAME} or as ${file:PATH}; other users of this machine can see
what stands on a command line, so the last two are better. No secret is ever written out: the YAML names environment variables.

The YAML passes "vigia check" as it is, once those variables are set. It has one server for each device, whose check watches the device and all its
interfaces that are not shut down; and links for its lines that are up. A link is an active line of the file when somebody gave its interface an
alias, when it looks like an uplink (an aggregate, or one of few that are faster than the others), or when at most four lines of the device are up.
The others are comments: take "# " away to use one. A line that has an alias and is down is a comment too. Tunnels, VLANs, PPP and the like are
written only when they are up and have an alias; --all adds everything else, as comments.

A sweep gives each address one second to say hello; only what answers is looked at. ^C ends it with what was found so far. SNMP says nothing at all
to a wrong community: an address that is silent may well be a device.

Exit codes: 0 found; 1 nothing answered, or a device that --host names did not; 2 the flags are wrong.`
}

// Validate reads the flags; an error is the caller's mistake.
func (c *DiscoverCmd) Validate() error {
	p, err := c.read()
	c.plan = p
	return err
}

// Run asks, and writes what was found.
func (c *DiscoverCmd) Run(ctx context.Context, kc *kong.Context) error {
	if c.plan == nil {
		if err := c.Validate(); err != nil {
			return err
		}
	}
	s := sweep{ask: c.ask, pace: c.Pace, atOnce: c.AtOnce, progress: progressOn(kc.Stderr)}
	if !c.plan.network.IsValid() {
		s.pace = 0
	}
	began := time.Now()
	all := s.run(ctx, c.plan.hosts)
	r := report{plan: c.plan, answers: all, at: began.UTC(), all: c.All}
	return c.deliver(kc, &r)
}

// ask looks at one device; in a sweep only after it has said hello.
func (c *DiscoverCmd) ask(ctx context.Context, host string) (snmp.Survey, error) {
	cfg := c.plan.config(host)
	if c.plan.network.IsValid() {
		short, cancel := context.WithTimeout(ctx, helloWait)
		err := cfg.Hello(short)
		cancel()
		if err != nil {
			return snmp.Survey{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.Timeout))
	defer cancel()
	return cfg.Survey(ctx, c.Profiles)
}

// deliver writes the report where it is wanted, and says what went wrong.
func (c *DiscoverCmd) deliver(kc *kong.Context, r *report) error {
	problem := r.problem()
	if r.tally().answered == 0 {
		return problem
	}
	var out bytes.Buffer
	var err error
	if c.JSON {
		err = writeJSON(&out, r)
	} else {
		r.yaml(&out)
	}
	if err == nil {
		err = c.write(kc.Stdout, out.Bytes())
	}
	if err == nil && (c.JSON || c.Output != "") && c.plan.network.IsValid() {
		_, _ = fmt.Fprintln(kc.Stderr, r.summary())
	}
	return errors.Join(err, problem)
}

func (c *DiscoverCmd) write(stdout io.Writer, data []byte) error {
	if c.Output == "" {
		_, err := stdout.Write(data)
		return err
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // the operator names the file; it holds no secret
	if err != nil {
		return fmt.Errorf("write what was found: %w", err)
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// silence says what else silence can mean.
func (p *plan) silence(silent int) string {
	if silent == 0 || p.version == "3" {
		return ""
	}
	return "; a device that the community is wrong for is silent too"
}

// problem is why the command fails: a device that was named did not answer, or nothing did.
func (r *report) problem() error {
	t := r.tally()
	if r.plan.network.IsValid() {
		if t.answered == 0 {
			return errors.New(r.summary() + r.plan.silence(t.silent))
		}
		return nil
	}
	var said []string
	for _, a := range r.answers {
		if a.err != nil {
			said = append(said, printable(a.err.Error()))
		}
	}
	switch {
	case len(said) == 1 && len(r.answers) == 1:
		return errors.New(said[0])
	case len(said) > 0:
		return fmt.Errorf("%d of %d devices were not read: %s", len(said), len(r.answers), strings.Join(said, "; "))
	}
	return nil
}
