package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"vigia/collectors/collectorstest/callsim"
)

// The demo's calls: customers phone over two carriers, and agents tell the real collectors of it over loopback. Each of the bad ones has a cause
// that the pages should name.

const (
	demoCallEvery  = 700 * time.Millisecond // between two calls that begin
	demoCallsMost  = 60                     // calls at a time
	demoReports    = 5 * time.Second        // between two RTCP reports of a party
	demoTalkLeast  = 20 * time.Second
	demoTalkSpread = 70 * time.Second
	demoHEPAgent   = 7
)

// demoCaller is a customer's connection.
type demoCaller struct {
	name, domain, number string
	network              [3]byte // of its phones and media
	trip, loss, jitter   float64 // ms, %, ms: what its own line adds
	codec                callsim.Codec
	agent                string
}

// demoCarrier is where its calls go.
type demoCarrier struct {
	network            [3]byte
	number             string
	trip, loss, jitter float64
	deaf               float64 // share of the calls of which the caller hears nothing
}

func demoCallers() []demoCaller {
	return []demoCaller{
		{name: "banco-del-istmo", domain: "banco.example", number: "+5062222", network: [3]byte{198, 51, 100}, trip: 8, jitter: 2, codec: callsim.PCMA(), agent: "PBX Uno/4.2"},
		{name: "clinica-norte", domain: "clinica.example", number: "+5062733", network: [3]byte{198, 51, 101}, trip: 12, jitter: 3, codec: callsim.PCMA(), agent: "PBX Dos/11"},
		{name: "hotel-pacifico", domain: "hotel.example", number: "+5062644", network: [3]byte{198, 51, 102}, trip: 560, jitter: 6, codec: callsim.PCMA(), agent: "PBX Uno/4.0"}, // over satellite
		{name: "taxis-azules", domain: "taxis.example", number: "+5062455", network: [3]byte{198, 51, 103}, trip: 25, jitter: 5, codec: callsim.GSM(), agent: "Movil/2"},         // an old codec
	}
}

func demoCarriers() []demoCarrier {
	return []demoCarrier{
		{network: [3]byte{203, 0, 113}, number: "+1305555", trip: 60, jitter: 2},
		{network: [3]byte{203, 0, 114}, number: "+5025555", trip: 40, jitter: 9, loss: 5},   // loses packets
		{network: [3]byte{203, 0, 115}, number: "+5025666", trip: 35, jitter: 2, deaf: 0.3}, // a firewall on the way
	}
}

// demoVoice is the part of the configuration that receives them.
const demoVoice = `customers:
  - {name: banco-del-istmo, contact: "Luis, +506 2222 3333", language: es, timezone: America/Costa_Rica, match: {networks: [198.51.100.0/24], sip_domains: [banco.example]}}
  - {name: clinica-norte, language: es, timezone: America/Costa_Rica, match: {networks: [198.51.101.0/24], sip_domains: [clinica.example]}}
  - {name: hotel-pacifico, language: en, timezone: America/Costa_Rica, match: {networks: [198.51.102.0/24], sip_domains: [hotel.example]}}
  - {name: taxis-azules, language: es, timezone: America/Costa_Rica, match: {networks: [198.51.103.0/24], sip_domains: [taxis.example]}}
voice:
  hep: {udp: "{{hep}}", allow: [127.0.0.0/8]}
  rtcp: {listen: "{{rtcp}}", allow: [127.0.0.0/8]}
  jitter_buffer: {mode: adaptive, max: 120ms}
  agents: [{id: 7, site: san-jose}]
`

// demoPhones lets people phone until ctx ends.
type demoPhones struct {
	hep, rtcp string // where the collectors are
	logger    *slog.Logger
	random    *rand.Rand // used by one goroutine
	next      uint32
}

// freeUDP finds a port that nobody listens on.
func freeUDP() (string, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port for the demo's calls: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().String(), nil
}

func newDemoPhones(logger *slog.Logger) (*demoPhones, error) {
	d := &demoPhones{logger: logger, random: rand.New(rand.NewPCG(1, 2))}
	var err error
	if d.hep, err = freeUDP(); err != nil {
		return nil, err
	}
	d.rtcp, err = freeUDP()
	return d, err
}

// run begins a call now and then, some at a time, until ctx ends.
func (d *demoPhones) run(ctx context.Context) {
	agent, err := net.Dial("udp", d.hep)
	if err != nil {
		d.logger.Error("demo: calls", "err", err)
		return
	}
	defer agent.Close()
	mirror, err := net.Dial("udp", d.rtcp)
	if err != nil {
		d.logger.Error("demo: calls", "err", err)
		return
	}
	defer mirror.Close()
	var talking sync.WaitGroup
	defer talking.Wait()
	places := make(chan struct{}, demoCallsMost)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case places <- struct{}{}:
		}
		call, talk := d.call()
		talking.Go(func() {
			defer func() { <-places }()
			call.Play(ctx, talk, demoTeller(agent, mirror, call))
		})
		wait(ctx, demoCallEvery)
	}
}

// demoTeller tells of a call as an agent would, over HEP. Of a call whose SSRCs are in its signalling the RTCP comes by another way, as a switch
// sends it that mirrors RTCP.
func demoTeller(agent, mirror net.Conn, call *callsim.Call) func(*callsim.Seen) {
	a := callsim.Agent{ID: demoHEPAgent}
	return func(s *callsim.Seen) {
		// A lost datagram is what UDP is.
		if !call.TellSSRC || s.Type != callsim.TypeJSON {
			_, _ = agent.Write(a.AppendHEP(nil, s))
			return
		}
		who := callsim.Caller
		if s.Src.Addr() == call.Callee.Media.Addr() {
			who = callsim.Callee
		}
		_, _ = mirror.Write(call.AppendRTCP(nil, who, s.At))
	}
}

// call makes up the next one, and how long it is.
func (d *demoPhones) call() (*callsim.Call, time.Duration) {
	d.next++
	n := d.next
	lines, carriers := demoCallers(), demoCarriers()
	from, to := &lines[d.random.IntN(len(lines))], &carriers[d.random.IntN(len(carriers))]
	port := uint16(10000 + 2*(n%20000))
	jitter := from.jitter + to.jitter + 2*d.random.Float64()
	c := &callsim.Call{
		ID: fmt.Sprintf("%08x-demo@%s", d.random.Uint32(), from.domain), Codec: from.codec, Every: demoReports, TellSSRC: n%8 == 0,
		Caller: callsim.Party{
			Number: fmt.Sprintf("%s%04d", from.number, d.random.IntN(40)), Host: from.domain, Agent: from.agent, SSRC: n<<4 | 1,
			Signalling: netip.AddrPortFrom(at4(from.network, 10), 5060), Media: netip.AddrPortFrom(at4(from.network, 11), port),
			Hears: callsim.Hearing{LossPct: from.loss + to.loss, JitterMS: jitter, TripMS: from.trip},
		},
		Callee: callsim.Party{
			Number: fmt.Sprintf("%s%04d", to.number, d.random.IntN(10000)), Host: "carrier.example", Agent: "SBC", SSRC: n<<4 | 2,
			Signalling: netip.AddrPortFrom(at4(to.network, 5), 5060), Media: netip.AddrPortFrom(at4(to.network, 6), port),
			Hears: callsim.Hearing{LossPct: from.loss, JitterMS: jitter, TripMS: to.trip},
		},
	}
	c.Caller.Hears.Nothing = d.random.Float64() < to.deaf
	return c, demoTalkLeast + time.Duration(d.random.Int64N(int64(demoTalkSpread)))
}

func at4(network [3]byte, host byte) netip.Addr {
	return netip.AddrFrom4([4]byte{network[0], network[1], network[2], host})
}
