package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/collectors/snmp"
)

// The kinds of these tests look like the real ones and open nothing.

// plainKeys is a check kind of the tests: the keys of several kinds in one, each used by some.
type plainKeys struct {
	needs string

	Host     string                      `yaml:"host"`
	URL      string                      `yaml:"url"`
	Address  string                      `yaml:"address"`
	Count    int                         `yaml:"count"`
	Interval inventory.Duration          `yaml:"interval"`
	Match    string                      `yaml:"match"`
	User     string                      `yaml:"user"`
	Password inventory.Secret            `yaml:"password"`
	Headers  map[string]inventory.Secret `yaml:"headers"`
	TLS      struct {
		Verify bool   `yaml:"verify"`
		CA     string `yaml:"ca"`
	} `yaml:"tls"`
	Port int `yaml:"port"`
}

func (k *plainKeys) Validate() []collectors.Problem {
	var out []collectors.Problem
	missing := map[string]bool{"host": k.Host == "", "url": k.URL == "", "address": k.Address == ""}
	if missing[k.needs] {
		out = append(out, collectors.Problem{Key: k.needs, Message: k.needs + " is missing", Hint: "say what is probed"})
	}
	if k.Count < 0 {
		out = append(out, collectors.Problem{Key: "count", Message: "a negative count"})
	}
	if k.TLS.CA != "" && !strings.HasSuffix(k.TLS.CA, ".pem") {
		out = append(out, collectors.Problem{Key: "tls.ca", Message: fmt.Sprintf("%q is no certificate file", k.TLS.CA)})
	}
	if k.Password.Reveal() == "repeat-me-aloud" {
		out = append(out, collectors.Problem{Key: "password", Message: "the value " + k.Password.Reveal() + " is well known"})
	}
	return out
}

func (k *plainKeys) Target() string { return k.Host + k.URL + k.Address }

func (k *plainKeys) Open(setup collectors.Setup) (collectors.Collector, error) {
	if d := time.Duration(k.Count) * k.Interval.Std(); d > setup.Timeout {
		return nil, fmt.Errorf("%d probes %s apart take longer than the timeout of %s", k.Count, k.Interval, setup.Timeout)
	}
	return nil, nil //nolint:nilnil // nothing is probed here
}

// receiverKeys is a receiver kind of the tests.
type receiverKeys struct {
	kind string

	SMTP     inventory.Secret            `yaml:"smtp"`
	From     string                      `yaml:"from"`
	To       []string                    `yaml:"to"`
	CC       []string                    `yaml:"cc"`
	Headers  map[string]inventory.Secret `yaml:"headers"`
	URL      inventory.Secret            `yaml:"url"`
	Secret   inventory.Secret            `yaml:"secret"`
	Token    inventory.Secret            `yaml:"token"`
	AppToken inventory.Secret            `yaml:"app_token"`
	Channel  string                      `yaml:"channel"`
}

func (k *receiverKeys) Validate() []collectors.Problem {
	switch {
	case k.kind == "email" && len(k.To) == 0:
		return []collectors.Problem{{Key: "to", Message: "to is missing", Hint: "who is told"}}
	case k.kind == "email" && (k.SMTP.IsZero() || k.From == ""):
		return []collectors.Problem{{Message: "smtp and from are missing", Hint: "give them here or under mail"}}
	case k.kind == "webhook" && k.URL.IsZero():
		return []collectors.Problem{{Key: "url", Message: "url is missing"}}
	case k.kind == "slack" && k.Token.IsZero():
		return []collectors.Problem{{Key: "token", Message: "token is missing"}}
	}
	return nil
}

func (k *receiverKeys) Open(alerting.ReceiverSetup) (alerting.Notifier, error) {
	if u, err := url.Parse(k.URL.Reveal()); err != nil || u.Scheme == "ftp" {
		return nil, errors.New("a webhook is called by http")
	}
	return nil, nil //nolint:nilnil // nobody is told here
}

func testKinds() Kinds {
	check := func(name, needs string, metrics ...collectors.Metric) collectors.Kind {
		return collectors.Kind{
			Name: name, New: func() collectors.CheckConfig { return &plainKeys{needs: needs} }, Metrics: append(metrics, collectors.Up),
			Every: 30 * time.Second, Timeout: 5 * time.Second,
		}
	}
	receiver := func(name string) alerting.ReceiverKind {
		return alerting.ReceiverKind{Name: name, New: func() alerting.ReceiverConfig { return &receiverKeys{kind: name} }}
	}
	return Kinds{
		Checks: []collectors.Kind{
			check("ping", "host", collectors.LatencyMS, collectors.LossPct), check("http", "url", collectors.ResponseMS),
			check("tcp", "address", collectors.ConnectMS), check("sip", "host", collectors.LatencyMS),
			snmp.Kind(),
		},
		Receivers: []alerting.ReceiverKind{receiver("email"), receiver("webhook"), receiver("slack")},
	}
}
