package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

func exampleConfig(t *testing.T) *Config {
	t.Helper()
	setSecrets(t)
	cfg, _, err := Load("testdata/good/example.yaml", testKinds())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func mustRef(text string) inventory.Ref {
	r, err := inventory.ParseRef(text)
	if err != nil {
		panic(err)
	}
	return r
}

func TestInventory(t *testing.T) {
	inv := exampleConfig(t).Inventory()
	if got := len(inv.Refs()); got != 11 {
		t.Errorf("%d objects, want 11", got)
	}
	if l := inv.Link("sjo-mia"); l.Peer != "miami" || l.Capacity != 1e9 {
		t.Errorf("link %+v", l)
	}
	if got := inv.Site("miami").Timezone.String(); got != "America/New_York" {
		t.Errorf("time zone %s", got)
	}
	want := []inventory.Ref{mustRef("link/sjo-mia"), mustRef("link/sjo-gua")}
	if got := inv.Parents(mustRef("server/sbc-1")); !cmp.Equal(got, want) {
		t.Errorf("parents of sbc-1: %v", got)
	}
	c := inv.Customer("acme")
	if c.BadCallsPct != 5 || c.Language != "es" || c.Match.Numbers[0] != "+5062222" || c.Match.Networks[0].String() != "198.51.100.0/24" {
		t.Errorf("customer %+v", c)
	}
}

func TestChecks(t *testing.T) {
	checks, err := exampleConfig(t).Checks()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range checks {
		got[c.ID.String()] = fmt.Sprintf("%s %s every %s timeout %s", c.Kind, c.Target, c.Every, c.Timeout)
	}
	want := map[string]string{
		"link/sjo-mia:ping":   "ping 192.0.2.1 every 10s timeout 5s",
		"link/sjo-gua:ping6":  "ping 2001:db8::1 every 10s timeout 4s",
		"link/sjo-mia:snmp":   "snmp 192.0.2.2 GigabitEthernet0/1 every 30s timeout 10s",
		"server/sbc-1:snmp":   "snmp 192.0.2.10 every 1m0s timeout 10s",
		"server/sbc-1:http":   "http https://192.0.2.10/health every 30s timeout 5s",
		"server/sbc-1:tcp":    "tcp 192.0.2.10:5061 every 30s timeout 5s",
		"server/sbc-2:http":   "http https://192.0.2.11/health every 30s timeout 5s",
		"trunk/carrier-a:sip": "sip 203.0.113.5 every 30s timeout 5s",
		"trunk/carrier-b:sip": "sip 203.0.113.21 every 30s timeout 5s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFingerprint shows what makes a check another one: each of its own keys, its times, its secrets, the capacity of its link; not the
// order of the keys, and not what stands elsewhere.
func TestFingerprint(t *testing.T) {
	t.Setenv("VIGIA_TEST_WORD", "one")
	print := func(text string) string {
		cfg, _, err := parseConfig("vigia.yaml", []byte(text), testKinds())
		if err != nil {
			t.Fatal(err)
		}
		checks, err := cfg.Checks()
		if err != nil {
			t.Fatal(err)
		}
		return checks[0].Fingerprint
	}
	file := func(link, check string) string {
		return "sites: [{name: s}]\nlinks:\n  - {name: l, site: s, peer: p" + link + ", checks: [{" + check + "}]}\n"
	}
	base := print(file("", `kind: http, url: "http://192.0.2.1/", password: "${env:VIGIA_TEST_WORD}"`))
	for name, text := range map[string]string{
		"order": file("", `password: "${env:VIGIA_TEST_WORD}", url: "http://192.0.2.1/", kind: http`),
		"style": file("", `kind: "http", url: 'http://192.0.2.1/', password: "${env:VIGIA_TEST_WORD}"`),
		"peer":  strings.ReplaceAll(file("", `kind: http, url: "http://192.0.2.1/", password: "${env:VIGIA_TEST_WORD}"`), "peer: p", "peer: q"),
	} {
		if print(text) != base {
			t.Errorf("%s makes another check", name)
		}
	}
	for name, text := range map[string]string{
		"url":      file("", `kind: http, url: "http://192.0.2.2/", password: "${env:VIGIA_TEST_WORD}"`),
		"every":    file("", `kind: http, url: "http://192.0.2.1/", password: "${env:VIGIA_TEST_WORD}", every: 10s`),
		"capacity": file(", capacity: 1Gbps", `kind: http, url: "http://192.0.2.1/", password: "${env:VIGIA_TEST_WORD}"`),
		"literal":  file("", `kind: http, url: "http://192.0.2.1/", password: one-more`),
	} {
		if print(text) == base {
			t.Errorf("another %s makes the same check", name)
		}
	}
	t.Setenv("VIGIA_TEST_WORD", "two")
	if print(file("", `kind: http, url: "http://192.0.2.1/", password: "${env:VIGIA_TEST_WORD}"`)) == base {
		t.Error("another secret makes the same check")
	}
}

func TestRules(t *testing.T) {
	rules := exampleConfig(t).Rules()
	series := func(metric collectors.Metric, object, instance string) collectors.Series {
		return collectors.Series{Metric: metric, Ref: mustRef(object), Instance: instance}
	}
	for name, c := range map[string]struct {
		series collectors.Series
		source string
		tiers  int
	}{
		"own":            {series(collectors.LossPct, "link/sjo-mia", "ping"), "testdata/good/example.yaml:74", 2},
		"own, instance":  {series(collectors.Up, "link/sjo-gua", "ping6"), "testdata/good/example.yaml:81", 1},
		"other instance": {series(collectors.Up, "link/sjo-mia", "ping"), alerting.DefaultSource, 1},
		"cpu":            {series(collectors.CPUPct, "server/sbc-1", ""), alerting.DefaultSource, 2},
		"certificate":    {series(collectors.TLSExpiryD, "server/sbc-1", "http"), alerting.DefaultSource, 3},
		"service":        {series(collectors.HealthyServers, "service/sbc", ""), alerting.DefaultSource, 2},
		"itself":         {series(collectors.VigiaStoreDown, "vigia/self", ""), alerting.DefaultSource, 1},
	} {
		rule := rules.Match(c.series)
		if rule == nil || rule.Source != c.source || len(rule.Tiers) != c.tiers {
			t.Errorf("%s: %+v", name, rule)
		}
	}
	if rule := rules.Match(series(collectors.LatencyMS, "link/sjo-mia", "ping")); rule != nil {
		t.Errorf("latency has a default: %+v", rule)
	}
	loss := rules.Match(series(collectors.LossPct, "link/sjo-mia", "ping"))
	want := alerting.Threshold{
		Metric: collectors.LossPct, On: "link/*", Policy: "noc", Source: "testdata/good/example.yaml:74",
		Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 1, Clear: 0.5, For: 2 * time.Minute},
			{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second, ClearFor: 10 * time.Second},
		},
		NoData: &alerting.NoData{After: 2 * time.Minute, Severity: alerting.Major},
	}
	if diff := cmp.Diff(want, *loss); diff != "" {
		t.Error(diff)
	}
}

// TestDefaultsAreSound holds the thresholds that ship with Vigía to the rules that the file's are held to.
func TestDefaultsAreSound(t *testing.T) {
	services := []ServiceSpec{{Name: "one", AtLeast: 1}, {Name: "three", AtLeast: 3}}
	destinations := []DestinationSpec{{Name: "one", AtLeast: 1}, {Name: "three", AtLeast: 3}}
	for _, d := range defaultThresholds(services, destinations) {
		info, known := collectors.Catalogue[d.Metric]
		if !known || d.Source != alerting.DefaultSource || len(d.Tiers) == 0 {
			t.Errorf("%s on %s: %+v", d.Metric, d.On, d)
		}
		if message, _ := patternForm(string(d.On)); message != "" {
			t.Errorf("%s: %s", d.Metric, message)
		}
		rule := alerting.NewRules([]alerting.Threshold{d}).All()[0]
		for i, tier := range rule.Tiers {
			if tier.Below() != info.LowerIsWorse {
				t.Errorf("%s on %s: the tier %s looks the wrong way", d.Metric, d.On, tier.Severity)
			}
			if i == 0 {
				continue
			}
			worse := tier.Raise > rule.Tiers[i-1].Raise
			if worse == info.LowerIsWorse {
				t.Errorf("%s on %s: %s is raised before %s", d.Metric, d.On, tier.Severity, rule.Tiers[i-1].Severity)
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	policies := exampleConfig(t).Policies()
	want := alerting.Policy{Name: "voice", AckTimeout: time.Hour, Fallback: "managers", Levels: []alerting.Level{
		{Name: "Account manager", MinSeverity: alerting.Warning, Notify: []string{"account_manager"}},
	}}
	if diff := cmp.Diff(want, policies["voice"]); diff != "" {
		t.Error(diff)
	}
	noc := policies["noc"]
	if l := noc.Levels[1]; l.After != 15*time.Minute || l.MinSeverity != alerting.Major || l.Repeat != 0 || noc.RepeatEvery(2) != 30*time.Minute {
		t.Errorf("noc: %+v", noc)
	}
	if l := policies["default"].Levels[0]; l.Name != "Level 1" || l.MinSeverity != alerting.Warning {
		t.Errorf("default: %+v", l)
	}
}

func TestEngineConfig(t *testing.T) {
	cfg := exampleConfig(t).EngineConfig()
	if cfg.DefaultPolicy != "default" || cfg.PolicyOf(mustRef("customer/acme")) != "voice" || cfg.PolicyOf(mustRef("link/sjo-mia")) != "" {
		t.Errorf("policies: default %q", cfg.DefaultPolicy)
	}
	if got := cfg.Resolve(mustRef("customer/acme"), alerting.AccountManager); !cmp.Equal(got, []string{"account_manager_acme"}) {
		t.Errorf("the account manager is %v", got)
	}
	if got := cfg.Resolve(mustRef("link/sjo-mia"), alerting.AccountManager); len(got) != 0 {
		t.Errorf("a link has the account manager %v", got)
	}
	up := map[string]time.Duration{}
	for _, e := range cfg.Expected {
		up[e.Series.String()] = e.Every
	}
	if len(up) != 9 || up["up{link/sjo-mia,ping}"] != 10*time.Second || up["up{server/sbc-1,tcp}"] != 30*time.Second {
		t.Errorf("expected: %v", up)
	}
}

func TestReceivers(t *testing.T) {
	cfg := exampleConfig(t)
	want := []alerting.Receiver{
		{Name: "noc-slack", Kind: "slack", Language: "en"},
		{Name: "l2-mail", Kind: "email", Language: "en"},
		{Name: "managers", Kind: "email", Language: "es"},
		{Name: "duty-hook", Kind: "webhook", Language: "en"},
		{Name: "account_manager_acme", Kind: "email", Language: "es"},
	}
	if diff := cmp.Diff(want, cfg.ReceiverList()); diff != "" {
		t.Error(diff)
	}
	manager := cfg.managers[0].own.(*receiverKeys)
	if manager.SMTP.Reveal() != "smtp://correo.istmovoz.example:587" || !cmp.Equal(manager.To, []string{"ana@istmovoz.example"}) {
		t.Errorf("account manager: %+v", manager.To)
	}
	if got := cfg.ReceiverSpecs[2].own.(*receiverKeys).From; got != "Vigía <vigia@istmovoz.example>" {
		t.Errorf("from is not taken from mail: %q", got)
	}
	notifiers, err := cfg.Receivers(ReceiverParts{})
	if err != nil || len(notifiers) != 5 {
		t.Errorf("%d receivers, %v", len(notifiers), err)
	}
	if a, b := managerReceiver("a b"), managerReceiver("a-b"); a == b {
		t.Errorf("two customers share %s", a)
	}
}
