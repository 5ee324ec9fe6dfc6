package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collectors/collectorstest/snmpagent"
	"vigia/collectors/snmp"
)

const testCommunity = "community-canary"

// ifRow is one interface of a recording.
type ifRow struct {
	name, descr, alias string
	kind               int32
	mbps               uint32
	admin, oper        int32
}

// deviceOf makes the recording of a device.
func deviceOf(sysName, descr string, rows ...ifRow) *snmpagent.Recording {
	r := &snmpagent.Recording{}
	r.SetString("1.3.6.1.2.1.1.1.0", descr)
	r.SetOID("1.3.6.1.2.1.1.2.0", "1.3.6.1.4.1.32473.99")
	r.SetTicks("1.3.6.1.2.1.1.3.0", time.Hour)
	if sysName != "" {
		r.SetString("1.3.6.1.2.1.1.5.0", sysName)
	}
	for i, row := range rows {
		at := "." + strconv.Itoa(i+1)
		r.SetString("1.3.6.1.2.1.2.2.1.2"+at, row.descr)
		r.SetInt("1.3.6.1.2.1.2.2.1.3"+at, row.kind)
		r.SetInt("1.3.6.1.2.1.2.2.1.7"+at, row.admin)
		r.SetInt("1.3.6.1.2.1.2.2.1.8"+at, row.oper)
		r.SetString("1.3.6.1.2.1.31.1.1.1.1"+at, row.name)
		r.SetCounter64("1.3.6.1.2.1.31.1.1.1.6"+at, 1)
		r.SetGauge("1.3.6.1.2.1.31.1.1.1.15"+at, row.mbps)
		r.SetString("1.3.6.1.2.1.31.1.1.1.18"+at, row.alias)
	}
	return r
}

// accessSwitch has ports, uplinks, an aggregate, a loopback, a VLAN, and ports that are down.
func accessSwitch() *snmpagent.Recording {
	rows := []ifRow{}
	for i := 1; i <= 8; i++ {
		rows = append(rows, ifRow{fmt.Sprintf("Gi0/%d", i), fmt.Sprintf("GigabitEthernet0/%d", i), "", 6, 1000, 1, 1})
	}
	rows[0].alias = "to Miami"
	rows[1].oper, rows[1].alias = 2, "to Bogotá"
	rows[2].oper = 2
	rows[3].admin, rows[3].oper = 2, 2
	return deviceOf("sw-core-1", "Example switch\nversion 1", append(
		rows, ifRow{"Te1/1", "TenGigabitEthernet1/1", "", 6, 2500, 1, 1}, ifRow{"Po1", "Port-channel1", "", 161, 2000, 1, 1},
		ifRow{"Lo0", "Loopback0", "router id", 24, 0, 1, 1}, ifRow{"Vl10", "Vlan10", "", 136, 1000, 1, 1}, ifRow{"Tu1", "Tunnel1", "\"VPN San José\"", 131, 9, 1, 1},
	)...)
}

// hostileDevice says whatever may break a file, a comment or a terminal.
func hostileDevice() *snmpagent.Recording {
	evil := "\x1b]0;owned\x07\nlisten: 0.0.0.0:1\u2028# \u202egnp.\ufffe\U000e0001 ${env:HOME} ${file:/etc/passwd} \"'\\: {[&*!|>%@`"
	up := func(name, descr, alias string) ifRow { return ifRow{name, descr, alias, 6, 10, 1, 1} }
	return deviceOf(evil, "x\x00\xff\xfe"+evil,
		up(evil, evil, evil), up("eth0", "eth0", "eth0"), up("eth0", "eth0", "${env:PATH}"), up("${env:HOME}", "d", "a"), up("", "", "my-site"), up("true", "null", "~"),
		up(strings.Repeat("long ", 40), strings.Repeat("d", 200), strings.Repeat("é", 300)), up("---", "...", "- {"), up("eth0-", "#", "# }]"), up("a\ufffeb", "\u0085", "\x9b2J"))
}

// agentOn starts an agent and returns its port.
func agentOn(t *testing.T, addr string, r *snmpagent.Recording) int {
	t.Helper()
	a, err := snmpagent.Listen(addr, snmpagent.Config{Recording: r, Communities: []string{testCommunity}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return int(a.Addr().Port())
}

// discover runs the command as a person does.
func discover(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var c struct {
		Discover DiscoverCmd `cmd:""`
	}
	var out, said bytes.Buffer
	parser, err := kong.New(&c, kong.Writers(&out, &said), kong.BindTo(t.Context(), (*context.Context)(nil)))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(append([]string{"discover"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	err = k.Run()
	return out.String(), said.String(), err
}

var inComment = regexp.MustCompile(`(?m)^  # - \{`)

// mustLoad lets the real loader read the YAML: as it is, and with every comment that is a link taken into use.
func mustLoad(t *testing.T, text string) *Config {
	t.Helper()
	for _, name := range []string{"SNMP_COMMUNITY", communityVariable} {
		t.Setenv(name, "a-word")
	}
	t.Setenv("SNMP_AUTH", "sha256:a-long-word")
	t.Setenv("SNMP_PRIV", "aes:a-long-word")
	cfg, _, err := parseConfig("found.yaml", []byte(text), kinds())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	used := strings.Replace(inComment.ReplaceAllString(text, "  - {"), "\n# links:", "\nlinks:", 1)
	whole, _, err := parseConfig("used.yaml", []byte(used), kinds())
	if err != nil {
		t.Fatalf("%v\n%s", err, used)
	}
	if got, want := len(whole.Links), len(cfg.Links)+len(inComment.FindAllString(text, -1)); got != want {
		t.Errorf("%d links with all comments in use, want %d", got, want)
	}
	return cfg
}

// golden takes out what differs from run to run.
func golden(text string, port int) string {
	text = strings.ReplaceAll(text, strconv.Itoa(port), "16100")
	return regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\d UTC`).ReplaceAllString(text, "2026-11-27 14:03 UTC")
}

func TestDiscoverWritesAConfiguration(t *testing.T) {
	for name, r := range map[string]*snmpagent.Recording{"switch": accessSwitch(), "hostile": hostileDevice(), "bare": deviceOf("", "")} {
		t.Run(name, func(t *testing.T) {
			port := agentOn(t, "127.0.0.1:0", r)
			for _, flags := range [][]string{nil, {"--all", "--site", "San José", "--version", "1"}} {
				args := append([]string{"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--community", testCommunity}, flags...)
				out, said, err := discover(t, args...)
				if err != nil || said != "" {
					t.Fatal(err, said)
				}
				cfg := mustLoad(t, out)
				if cfg.Listen != "127.0.0.1:8080" || len(cfg.Servers) != 1 {
					t.Errorf("listens on %s, %d servers", cfg.Listen, len(cfg.Servers))
				}
				mustBeHarmless(t, out)
				compare(t, fmt.Sprintf("testdata/discover/%s-%d.yaml", name, len(flags)), golden(out, port))
			}
		})
	}
}

// mustBeHarmless looks for what steers terminals, and for secrets.
func mustBeHarmless(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, r := range text {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r == 0xfffe || r == 0xe0001 {
				t.Errorf("%U in %q", r, text)
			}
		}
		if strings.Contains(text, "canary") {
			t.Errorf("a secret is in %q", text)
		}
	}
}

// TestDiscoveredLinksFindTheirInterfaces opens what was written and asks the device by it.
func TestDiscoveredLinksFindTheirInterfaces(t *testing.T) {
	port := agentOn(t, "127.0.0.1:0", hostileDevice())
	out, _, err := discover(t, "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--community", testCommunity)
	if err != nil {
		t.Fatal(err)
	}
	mustLoad(t, out)
	t.Setenv("SNMP_COMMUNITY", testCommunity)
	cfg, _, err := parseConfig("found.yaml", []byte(out), kinds())
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Links) < 8 {
		t.Errorf("%d links", len(cfg.Links))
	}
	for i := range cfg.Links {
		spec := &cfg.Links[i].Checks[0]
		placed := cfg.checkSpecs()[i]
		collector, err := spec.own.Open(placed.setup())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if reading := collector.Probe(ctx); !reading.OK {
			t.Errorf("%s: %s", cfg.Links[i].Name, snmpWords().Say("en", reading.Why))
		}
		cancel()
	}
}

// farmAt starts three agents on one port of three addresses.
func farmAt(t *testing.T, addrs ...string) int {
	t.Helper()
	for range 20 {
		probe, err := snmpagent.Listen(addrs[0]+":0", snmpagent.Config{Recording: deviceOf("x", "x")})
		if err != nil {
			t.Skipf("no such loopback address here: %v", err)
		}
		port := int(probe.Addr().Port())
		if err := probe.Close(); err != nil {
			t.Fatal(err)
		}
		full := make([]string, len(addrs))
		for i, a := range addrs {
			full[i] = netip.AddrPortFrom(netip.MustParseAddr(a), uint16(port)).String()
		}
		farm, err := snmpagent.ListenAll(full, func(i int) snmpagent.Config {
			return snmpagent.Config{Recording: deviceOf([]string{"sw-1", "sw-2", "sw-1"}[i], "Example", ifRow{"eth0", "eth0", "", 6, 100, 1, 1}), Communities: []string{testCommunity}}
		})
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = farm.Close() })
		return port
	}
	t.Fatal("no port is free on all addresses")
	return 0
}

func TestDiscoverSweep(t *testing.T) {
	port := farmAt(t, "127.77.0.1", "127.77.0.2", "127.77.0.3")
	args := []string{"--network", "127.77.0.0/29", "--port", strconv.Itoa(port), "--pace", "1000", "--community"}
	out, said, err := discover(t, append(args, testCommunity)...)
	if err != nil || said != "" {
		t.Fatal(err, said)
	}
	cfg := mustLoad(t, out)
	if len(cfg.Servers) != 3 || len(cfg.Links) != 3 || cfg.Servers[2].Name != "sw-1 2" {
		t.Errorf("%s: %s", cfg.Summary(), out)
	}
	compare(t, "testdata/discover/sweep.yaml", golden(out, port))
	out, said, err = discover(t, append(args, "wrong-canary")...)
	if err == nil || !strings.Contains(err.Error(), "6 addresses, 0 answered, 3 silent") || out != "" {
		t.Errorf("a wrong community: %v", err)
	}
	mustBeHarmless(t, out, said, err.Error())
}

// TestSweepEndsWithWhatItHas ends a sweep while it asks.
func TestSweepEndsWithWhatItHas(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	s := sweep{atOnce: 1, ask: func(ctx context.Context, host string) (snmp.Survey, error) {
		if n++; n == 3 {
			stop()
			return snmp.Survey{}, ctx.Err()
		}
		return snmp.Survey{Host: host, Name: "same"}, nil
	}}
	network, hosts, err := addresses("192.0.2.0/28")
	if err != nil {
		t.Fatal(err)
	}
	r := report{plan: &plan{network: network, hosts: hosts, version: "2c", site: "s"}, answers: s.run(ctx, hosts)}
	if got, want := r.summary(), "192.0.2.0/28: 14 addresses, 2 answered, 0 silent; ended early, 12 were not asked"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(r.found()) != 2 || r.problem() != nil {
		t.Errorf("%d found, %v", len(r.found()), r.problem())
	}
}

func TestDiscoverJSON(t *testing.T) {
	port := agentOn(t, "127.0.0.1:0", hostileDevice())
	file := filepath.Join(t.TempDir(), "found.json")
	out, said, err := discover(t, "--host", "127.0.0.1,localhost", "--port", strconv.Itoa(port), "--community", testCommunity, "--json", "-o", file)
	if err != nil || out != "" || said != "" {
		t.Fatal(err, out, said)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mustBeHarmless(t, string(data))
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	var d deviceJSON
	if err := json.Unmarshal([]byte(lines[0]), &d); err != nil {
		t.Fatal(err)
	}
	if d.ObjectID != "1.3.6.1.4.1.32473.99" || len(d.Interfaces) != 10 || d.Interfaces[1].SpeedBps != 1e7 || !d.Interfaces[1].Wide || d.Profile != "generic" {
		t.Errorf("%+v", d)
	}
}

// TestDiscoverKeepsSecrets gives secrets in every way and looks for them in everything that is said.
func TestDiscoverKeepsSecrets(t *testing.T) {
	port := strconv.Itoa(agentOn(t, "127.0.0.1:0", accessSwitch()))
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(testCommunity+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MY_RO", testCommunity)
	for given, written := range map[string]string{
		testCommunity: `community: "${env:SNMP_COMMUNITY}"`, "${env:MY_RO}": `community: "${env:MY_RO}"`, "${file:" + file + "}": `community: "${file:` + file + `}"`,
		"community${env:CANARY_END}": `community: "${env:SNMP_COMMUNITY}"`,
	} {
		t.Setenv("CANARY_END", "-canary")
		out, said, err := discover(t, "--host", "127.0.0.1", "--port", port, "--community", given)
		if err != nil || !strings.Contains(out, written) {
			t.Errorf("%v: no %s in\n%s", err, written, out)
		}
		mustBeHarmless(t, out, said)
	}
	t.Setenv(communityVariable, testCommunity)
	out, _, err := discover(t, "--host", "127.0.0.1", "--port", port)
	if err != nil || !strings.Contains(out, "${env:"+communityVariable+"}") {
		t.Errorf("%v: %s", err, out)
	}
	if shown := fmt.Sprintf("%+v %#v", DiscoverCmd{Community: secretOf("x-canary"), Auth: secretOf("y-canary")}, secretOf("z-canary")); strings.Contains(shown, "canary") {
		t.Error(shown)
	}
}

func secretOf(text string) (q quiet) {
	_ = q.UnmarshalText([]byte(text))
	return q
}

// TestDiscoverSaysWhatIsWrong is one sentence for a device, and exit code 1.
func TestDiscoverSaysWhatIsWrong(t *testing.T) {
	port := strconv.Itoa(agentOn(t, "127.0.0.1:0", accessSwitch()))
	_, _, err := discover(t, "--host", "127.0.0.1", "--port", port, "--community", "wrong-canary", "--timeout", "1s")
	if err == nil || !strings.Contains(err.Error(), "or the community is wrong") || strings.Contains(err.Error(), "\n") {
		t.Errorf("a wrong community: %v", err)
	}
	mustBeHarmless(t, err.Error())
	out, _, err := discover(t, "--host", "127.0.0.1,127.77.9.9", "--port", port, "--community", testCommunity, "--timeout", "1s")
	if err == nil || !strings.HasPrefix(err.Error(), "1 of 2 devices were not read: ") || !strings.Contains(out, "# 127.77.9.9 was not read: ") {
		t.Errorf("one of two: %v\n%s", err, out)
	}
	mustLoad(t, out)
	if code := run([]string{"discover", "--host", "127.0.0.1", "--port", port, "--community", "wrong", "--timeout", "1s"}); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if code := run([]string{"discover", "--host", "127.0.0.1", "--port", "0"}); code != 2 {
		t.Errorf("exit code %d", code)
	}
}
