package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"
)

// demoConfig is the demo's configuration file: an operator of two sites, as one would write it. Holds and levels are in seconds, so that a
// newcomer sees an alarm rise, escalate, be taken and clear within three minutes.
const demoConfig = `# The configuration of vigia demo. Everything it names listens on this machine's loopback.
listen: {{listen}}
store: sqlite:{{dir}}/vigia.db
brand: {name: Istmo Voz (demo)}
mail: {smtp: "smtp://{{smtp}}", from: vigia@istmovoz.example}
sites:
  - {name: san-jose, timezone: America/Costa_Rica}
  - {name: miami, timezone: America/New_York}
links:
  - name: sjo-mia
    site: san-jose
    peer: miami
    capacity: 1Gbps
    checks:
      - {{pathA}}
      - {kind: snmp, host: {{edge-sjo.host}}, port: {{edge-sjo.port}}, community: "${env:VIGIA_DEMO_COMMUNITY}", interface: ether2, every: 2s, timeout: 1s}
  - name: sjo-gua
    site: san-jose
    peer: Guatemala, FibraNorte
    capacity: 200Mbps
    checks:
      - {kind: tcp, address: "{{sjo-gua}}", every: 2s, timeout: 1s}
      - {kind: snmp, host: {{edge-gua.host}}, port: {{edge-gua.port}}, community: "${env:VIGIA_DEMO_COMMUNITY}", interface: "sjo-gua, FibraNorte FN-20817", every: 2s, timeout: 1s}
servers:
  - name: sbc-1
    site: san-jose
    checks:
      - {kind: http, url: "http://{{sbc-1}}/health", match: ok, every: 2s, timeout: 1500ms}
      - {kind: snmp, host: {{sbc-1.snmp.host}}, port: {{sbc-1.snmp.port}}, community: "${env:VIGIA_DEMO_COMMUNITY}", every: 5s, timeout: 2s}
      - {{pathB}}
  - name: sbc-2
    site: san-jose
    checks:
      - {kind: http, url: "http://{{sbc-2}}/health", match: ok, every: 2s, timeout: 1500ms}
      - {kind: snmp, host: {{sbc-2.snmp.host}}, port: {{sbc-2.snmp.port}}, community: "${env:VIGIA_DEMO_COMMUNITY}", every: 5s, timeout: 2s}
  - name: media-1
    site: miami
    parents: [link/sjo-mia]
    checks:
      - {kind: http, url: "http://{{media-1}}/health", match: ok, every: 2s, timeout: 1500ms}
      - {kind: snmp, host: {{media-1.snmp.host}}, port: {{media-1.snmp.port}}, community: "${env:VIGIA_DEMO_COMMUNITY}", every: 5s, timeout: 2s}
  - name: media-2
    site: miami
    parents: [link/sjo-mia]
    checks:
      - {kind: http, url: "http://{{media-2}}/health", match: ok, every: 2s, timeout: 1500ms}
      - {kind: snmp, host: {{media-2.snmp.host}}, port: {{media-2.snmp.port}}, community: "${env:VIGIA_DEMO_COMMUNITY}", every: 5s, timeout: 2s}
services:
  - {name: sbc, servers: [sbc-1, sbc-2], at_least: 2}
  - {name: media, servers: [media-1, media-2], at_least: 2}
trunks:
  - {name: carrier-a, site: miami, via: [link/sjo-mia], networks: [203.0.113.0/24], checks: [{kind: sip, host: {{carrier-a.host}}, port: {{carrier-a.port}}, every: 2s, timeout: 1500ms}]}
  - {name: carrier-b, site: san-jose, via: [link/sjo-gua], networks: [203.0.114.0/24], checks: [{kind: sip, host: {{carrier-b.host}}, port: {{carrier-b.port}}, every: 2s, timeout: 1500ms}]}
  - {name: gua-tel, site: san-jose, via: [link/sjo-gua], networks: [203.0.115.0/24], checks: [{kind: sip, host: {{gua-tel.host}}, port: {{gua-tel.port}}, every: 2s, timeout: 1500ms}]}
destinations:
  - {name: Guatemala, prefixes: ["+502"], trunks: [carrier-b, gua-tel], at_least: 1}
` + demoVoice + `thresholds:
  - metric: up
    on: link/*
    tiers: [{severity: critical, raise: 0, clear: 1, for: 3s, clear_for: 3s}]
    nodata: {after: 15s, severity: major}
    policy: noc
  - metric: up
    on: trunk/*
    tiers: [{severity: major, raise: 0, clear: 1, for: 4s, clear_for: 3s}]
    nodata: {after: 15s, severity: major}
    policy: noc
  - metric: up
    on: server/*
    tiers: [{severity: critical, raise: 0, clear: 1, for: 3s, clear_for: 3s}]
    nodata: {after: 15s, severity: major}
    policy: noc
  - metric: response_ms
    on: server/*
    tiers:
      - {severity: warning, raise: 250, clear: 150, for: 3s, clear_for: 4s}
      - {severity: major, raise: 800, clear: 500, for: 4s, clear_for: 4s}
    policy: noc
  - metric: in_util_pct
    on: link/*
    tiers:
      - {severity: warning, raise: 80, clear: 75, for: 5s, clear_for: 5s}
      - {severity: major, raise: 92, clear: 85, for: 5s, clear_for: 5s}
    policy: noc
  - metric: cpu_pct
    on: server/*
    tiers:
      - {severity: warning, raise: 70, clear: 60, for: 5s, clear_for: 5s}
      - {severity: major, raise: 88, clear: 80, for: 5s, clear_for: 5s}
    policy: noc
  - metric: ram_pct
    on: server/*
    tiers: [{severity: warning, raise: 80, clear: 75, for: 10s, clear_for: 5s}]
    policy: noc
  - metric: disk_pct
    on: server/*
    tiers: [{severity: minor, raise: 90, clear: 88, for: 10s, clear_for: 5s}]
    policy: noc
people:
  - {name: maria, receivers: [l2-mail], phone: "+506 8888 1111"}
  - {name: jose, receivers: [l2-mail], phone: "+506 8888 2222"}
  - {name: lucia, receivers: [l2-mail], phone: "+506 8888 3333"}
rotations:
  - name: noc
    timezone: America/Costa_Rica
    layers:
      - {name: shifts, people: [maria, jose], starts: 2026-01-05, shift: 12h, hand_over: "07:00"}
      - {name: weekend, people: [lucia], starts: 2026-01-05, hours: [{days: "sat,sun", from: "07:00", to: "19:00"}]}
  - name: engineering
    timezone: America/Costa_Rica
    layers: [{people: [lucia, jose], starts: 2026-01-05, shift: weekly, hand_over: "09:00"}]
policies:
  - name: noc
    levels:
      - {name: NOC L1, after: 0s, min_severity: warning, notify: [noc-hook], repeat: 20s}
      - {name: NOC L2, after: 15s, min_severity: warning, notify: [noc-hook, oncall:noc]}
      - {name: SOC L3, after: 45s, min_severity: major, notify: [managers], repeat: 60s}
    ack_timeout: 5m
    fallback: managers
receivers:
  - {name: noc-hook, kind: webhook, url: "http://{{hook}}/noc", secret: "${env:VIGIA_DEMO_SECRET}"}
  - {name: l2-mail, kind: email, to: [l2@istmovoz.example]}
  - {name: managers, kind: email, language: es, to: [gerencia@istmovoz.example]}
`

// writeDemoConfig fills the configuration in: where the parts listen, and whether this machine lets us ping.
func writeDemoConfig(listen, dir string, parts map[string]demoPart, sinks *demoSinks, phones *demoPhones, canPing bool) (string, error) {
	pairs := []string{
		"{{listen}}", listen, "{{dir}}", dir,
		"{{hep}}", phones.hep, "{{rtcp}}", phones.rtcp,
		"{{smtp}}", sinks.smtp.Addr().String(), "{{hook}}", sinks.hook.Addr().String(),
	}
	for name, p := range parts {
		host, port, err := net.SplitHostPort(p.addr())
		if err != nil {
			return "", err
		}
		pairs = append(pairs, "{{"+name+"}}", p.addr(), "{{"+name+".host}}", host, "{{"+name+".port}}", port)
	}
	for mark, part := range map[string]string{"{{pathA}}": "path-a", "{{pathB}}": "path-b"} {
		host, _, err := net.SplitHostPort(parts[part].addr())
		if err != nil {
			return "", err
		}
		check := fmt.Sprintf(`{kind: tcp, name: path, address: "%s", every: 2s, timeout: 1s}`, parts[part].addr())
		if canPing {
			check = fmt.Sprintf(`{kind: ping, host: %s, count: 5, interval: 100ms, every: 2s, timeout: 1500ms}`, host)
		}
		pairs = append(pairs, mark, check)
	}
	return strings.NewReplacer(pairs...).Replace(demoConfig), nil
}

// newDemoParts opens everything that the demo probes, each on a loopback address of its own.
func newDemoParts() (map[string]demoPart, error) {
	parts := map[string]demoPart{}
	at := demoAddress()
	add := func(name string, p demoPart, err error) error {
		if err == nil {
			parts[name] = p
		}
		return err
	}
	for i, name := range []string{"sbc-1", "sbc-2", "media-1", "media-2"} {
		w, err := newDemoWeb(at(20, i+1))
		if err := add(name, w, err); err != nil {
			return parts, err
		}
	}
	for i, name := range []string{"sjo-gua", "path-a", "path-b"} {
		p, err := newDemoPort(at(10, i+1))
		if err := add(name, p, err); err != nil {
			return parts, err
		}
	}
	for i, name := range []string{"carrier-a", "carrier-b", "gua-tel"} {
		s, err := newDemoSIP(at(30, i+1))
		if err := add(name, s, err); err != nil {
			return parts, err
		}
	}
	devices := demoDevices(time.Now)
	for i, name := range slices.Sorted(maps.Keys(devices)) {
		d := devices[name]
		if err := add(name, d, d.listen(at(40, i+1))); err != nil {
			return parts, err
		}
	}
	return parts, nil
}

// demoAddress gives each part a loopback address of its own where the whole of 127.0.0.0/8 is there (Linux), else 127.0.0.1 to all.
func demoAddress() func(net, host int) string {
	l, err := net.Listen("tcp", "127.10.0.1:0")
	if err != nil {
		return func(int, int) string { return "127.0.0.1" }
	}
	l.Close()
	return func(net, host int) string { return fmt.Sprintf("127.%d.0.%d", net, host) }
}
