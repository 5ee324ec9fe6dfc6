package snmp

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors"
	"vigia/collectors/collectorstest/snmpagent"
)

// answering encodes an answer of one's own to a request.
func answering(q snmpagent.Request, status gosnmp.SNMPError, vars ...gosnmp.SnmpPDU) []snmpagent.Reply {
	p := gosnmp.SnmpPacket{
		Version: gosnmp.Version2c, Community: q.Community, PDUType: gosnmp.GetResponse, RequestID: uint32(q.ID), Error: status, Variables: vars,
	}
	octets, err := p.MarshalMsg()
	if err != nil {
		return nil
	}
	return []snmpagent.Reply{{Octets: octets}}
}

// honest is the answer as the agent would give it.
func honest(answer []byte) []snmpagent.Reply { return []snmpagent.Reply{{Octets: answer}} }

// repeatedly answers a GETBULK with what a function says of each column and repetition.
func repeatedly(q snmpagent.Request, cell func(oid string, n int) gosnmp.SnmpPDU) []snmpagent.Reply {
	vars := []gosnmp.SnmpPDU{{Name: sysUpTime, Type: gosnmp.TimeTicks, Value: uint32(4711)}}
	for n := range int(q.MaxRepetitions) {
		for _, oid := range q.OIDs[q.NonRepeaters:] {
			vars = append(vars, cell(strings.TrimPrefix(oid, "."), n))
		}
	}
	return answering(q, gosnmp.NoError, vars...)
}

// after is the n-th name behind an OID: the column's next rows.
func after(oid string, n int) string {
	i := strings.LastIndexByte(oid, '.')
	if len(strings.Split(oid, ".")) <= 10 { // the column itself
		return "." + oid + "." + strconv.Itoa(n+1)
	}
	last, _ := strconv.Atoi(oid[i+1:])
	return "." + oid[:i+1] + strconv.Itoa(last+n+1)
}

// lie is one way to answer wrong. codes are the reasons that may come of it; none: the run is well.
type lie struct {
	name      string
	recording *snmpagent.Recording
	answer    func(q snmpagent.Request, answer []byte) []snmpagent.Reply
	codes     []string
	step      string // a step that must be there
	polls     int
	maxSize   int
}

func isBulk(q snmpagent.Request) bool { return q.Operation == snmpagent.GetBulk }

// lies that are told in answers.
func lies() []lie {
	return []lie{
		{
			name: "names that do not increase", step: "note_order",
			answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				if !isBulk(q) {
					return honest(answer)
				}
				return repeatedly(q, func(oid string, n int) gosnmp.SnmpPDU {
					return gosnmp.SnmpPDU{Name: after(oid, 3-n%3), Type: gosnmp.OctetString, Value: "again"}
				})
			},
			codes: []string{"order", "ok", "ok_discarded"},
		},
		{
			name: "names of another table", codes: []string{"ok"},
			answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				if !isBulk(q) {
					return honest(answer)
				}
				return repeatedly(q, func(string, int) gosnmp.SnmpPDU {
					return gosnmp.SnmpPDU{Name: ".1.3.6.1.2.1.4.1.0", Type: gosnmp.Integer, Value: 1}
				})
			},
		},
		{
			name: "names that were not asked for", codes: []string{"other_name"},
			answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				if isBulk(q) {
					return honest(answer)
				}
				return answering(q, gosnmp.NoError, gosnmp.SnmpPDU{Name: ".1.3.6.1.4.1.4.1.0", Type: gosnmp.Integer, Value: 1})
			},
		},
		{
			name: "one variable less", codes: []string{"empty"},
			answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				return edited(q, answer, func(vars []gosnmp.SnmpPDU) []gosnmp.SnmpPDU { return vars[:len(vars)-1] })
			},
		},
		{
			name: "one variable more", codes: []string{"ok", "other_name"},
			answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				return edited(q, answer, func(vars []gosnmp.SnmpPDU) []gosnmp.SnmpPDU {
					return append(vars, gosnmp.SnmpPDU{Name: ".1.3.9.9", Type: gosnmp.Integer, Value: -1})
				})
			},
		},
		{
			name: "no variables", codes: []string{"empty"},
			answer: func(q snmpagent.Request, _ []byte) []snmpagent.Reply { return answering(q, gosnmp.NoError) },
		},
		{
			name: "genErr to everything", codes: []string{"status"},
			answer: func(q snmpagent.Request, _ []byte) []snmpagent.Reply { return answering(q, gosnmp.GenErr) },
		},
		{
			name: "tooBig to everything", codes: []string{"too_big"},
			answer: func(q snmpagent.Request, _ []byte) []snmpagent.Reply { return answering(q, gosnmp.TooBig) },
		},
		{
			name: "an error that there is not", codes: []string{"status"},
			answer: func(q snmpagent.Request, _ []byte) []snmpagent.Reply { return answering(q, 211) },
		},
		{
			name: "half an answer", codes: []string{"damaged", "silent"},
			answer: func(_ snmpagent.Request, answer []byte) []snmpagent.Reply { return honest(answer[:len(answer)/2]) },
		},
		{
			name: "garbage", codes: []string{"damaged", "silent"},
			answer: func(snmpagent.Request, []byte) []snmpagent.Reply { return honest([]byte("\x30\x82\x01 not SNMP")) },
		},
		{
			name: "garbage to GETBULK", codes: []string{"damaged", "silent"},
			answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				if isBulk(q) {
					return honest(slices.Concat(answer[:30], []byte{0xff, 0x84, 0xff, 0xff, 0xff, 0xff}, answer[30:]))
				}
				return honest(answer)
			},
		},
		{name: "types that are wrong", recording: wrongTypes(), codes: []string{"ok", "ok_discarded"}, polls: 3},
		{name: "texts without end", recording: longTexts(), codes: []string{"ok"}, maxSize: 65507},
		{name: "names twice", recording: twins(), codes: []string{"ok"}, polls: 3},
		{name: "indexes at the ends", recording: ends(), codes: []string{"ok"}, polls: 3},
	}
}

// edited changes the variables of an answer.
func edited(q snmpagent.Request, answer []byte, change func([]gosnmp.SnmpPDU) []gosnmp.SnmpPDU) []snmpagent.Reply {
	packet, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c, Logger: gosnmp.Logger{}}).SnmpDecodePacket(answer)
	if err != nil || len(packet.Variables) == 0 {
		return honest(answer)
	}
	return answering(q, packet.Error, change(packet.Variables)...)
}

// TestLies: a device that lies costs only itself. Its run ends in time, says why in words, and brings nothing that is no figure, and a healthy
// device that is probed meanwhile by the same kind is not late.
func TestLies(t *testing.T) {
	for _, l := range lies() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			clock := newDayClock(time.Now())
			kind := kindWith(newRegistry(clock.now))
			recording := l.recording
			if recording == nil {
				recording = router()
			}
			liar := serve(t, snmpagent.Config{Recording: recording, Answer: l.answer, MaxSize: l.maxSize, Grow: true, Now: clock.now})
			healthy := serve(t, snmpagent.Config{Recording: router(), Grow: true, Now: clock.now})
			bad, good := check(t, towards(kind, int(liar.Addr().Port())), 0), check(t, towards(kind, int(healthy.Addr().Port())), 0)
			for range max(l.polls, 2) {
				l.tell(t, bad, good)
				clock.turn(10 * time.Second)
			}
		})
	}
}

const lieTimeout = 2 * time.Second

func (l *lie) tell(t *testing.T, bad, good collectors.Collector) {
	t.Helper()
	told := make(chan collectors.Result)
	start := time.Now()
	go func() { told <- probe(t, bad, lieTimeout) }()
	if r := probe(t, good, lieTimeout); !r.OK {
		t.Errorf("a healthy device beside it: %s", why(r))
	}
	r := <-told
	if took := time.Since(start); took > lieTimeout+time.Second {
		t.Errorf("it took %v", took)
	}
	harmless(t, r)
	if code := strings.TrimPrefix(r.Why.Code, name+"."); !slices.Contains(l.codes, code) || r.OK != strings.HasPrefix(code, "ok") {
		t.Errorf("OK %v: %s (%s)", r.OK, why(r), code)
	}
	if l.step != "" && r.OK && !slices.ContainsFunc(r.Steps, func(s collectors.Reason) bool { return s.Code == name+"."+l.step }) && strings.Contains(said(r), "discovered") {
		t.Errorf("no step %s: %s", l.step, said(r))
	}
}

// wrongTypes has texts for counters, negative speeds, OIDs for names, and addresses for numbers.
func wrongTypes() *snmpagent.Recording {
	r := router()
	r.SetInt("1.3.6.1.2.1.1.5.0", -7)
	r.SetString("1.3.6.1.2.1.1.2.0", "not an OID")
	r.SetString("1.3.6.1.2.1.31.1.5.0", "yesterday")
	for i, index := range []int{1, 2, 30} {
		in := func(c int) string { return fmt.Sprintf("1.3.6.1.2.1.2.2.1.%d.%d", c, index) }
		inX := func(c int) string { return fmt.Sprintf("1.3.6.1.2.1.31.1.1.1.%d.%d", c, index) }
		r.SetInt(in(2), math.MinInt32)
		r.SetString(in(3), "ethernet")
		r.SetInt(in(5), -1)
		r.SetInt(in(7), -1)
		r.SetInt(in(8), int32(100*i-1))
		r.SetOID(inX(1), "1.3.6.1.2.1")
		r.SetInt(inX(15), math.MinInt32)
		r.SetString(inX(6), "9e999")
		r.SetOID(inX(10), "1.2.3")
		for _, c := range []int{13, 14, 19, 20} {
			r.SetString(in(c), "NaN")
		}
	}
	const hr = "1.3.6.1.2.1.25."
	for i, text := range []string{"NaN", "1e308", "-9e99", "Inf", "0x10", ""} {
		index := strconv.Itoa(i + 1)
		r.SetString(hr+"3.3.1.2."+index, text)
		r.SetOID(hr+"2.3.1.2."+index, hr+"2.1.4")
		r.SetInt(hr+"2.3.1.3."+index, -1)
		r.SetString(hr+"2.3.1.4."+index, text)
		r.SetString(hr+"2.3.1.5."+index, text)
		r.SetString(hr+"2.3.1.6."+index, "1e300")
		r.SetString("1.3.6.1.2.1.99.1.1.1.1."+index, text)
		r.SetInt("1.3.6.1.2.1.99.1.1.1.2."+index, 999)
		r.SetInt("1.3.6.1.2.1.99.1.1.1.3."+index, math.MinInt32)
		r.SetInt("1.3.6.1.2.1.99.1.1.1.4."+index, math.MaxInt32)
	}
	return r
}

// longTexts calls everything by texts that are too long, and would be commands to a terminal and a browser.
func longTexts() *snmpagent.Recording {
	r := router()
	hostile := "\x1b[2J\x00\xff\xfe<script>alert(1)</script>\u202e{0}{1}%s" + strings.Repeat("A\r\n", 3400)
	for _, oid := range []string{sysName, sysLocation, sysContact} {
		r.SetString(oid[1:], hostile)
	}
	r.SetString(sysDescr[1:], strings.Repeat("x", 15_000))
	r.SetString("1.3.6.1.2.1.31.1.1.1.1.1", hostile)
	r.SetString("1.3.6.1.2.1.31.1.1.1.18.1", strings.Repeat("y", 60_000))
	r.SetString("1.3.6.1.2.1.2.2.1.2.1", hostile)
	r.SetInt("1.3.6.1.2.1.25.3.3.1.2.1", 5)
	return r
}

// twins has interfaces that share one name, and one that is called as another would be then.
func twins() *snmpagent.Recording {
	r := router()
	for _, index := range []string{"1", "2", "30"} {
		r.SetString("1.3.6.1.2.1.31.1.1.1.1."+index, "eth0")
		r.SetString("1.3.6.1.2.1.31.1.1.1.18."+index, "same")
		r.SetInt("1.3.6.1.2.1.2.2.1.7."+index, 1)
	}
	r.SetString("1.3.6.1.2.1.31.1.1.1.1.30", "eth0 #2")
	for _, index := range []string{"31", "32"} { // names that are the same in what is shown of them
		r.SetString("1.3.6.1.2.1.31.1.1.1.1."+index, strings.Repeat("long ", 40))
		r.SetInt("1.3.6.1.2.1.2.2.1.8."+index, 1)
	}
	return r
}

// ends has the least index and the largest, and rows whose index is no number of an interface.
func ends() *snmpagent.Recording {
	r := router()
	for _, index := range []string{"0", "4294967295", "2147483648", "1.2", "1.4294967295"} {
		r.SetString("1.3.6.1.2.1.2.2.1.2."+index, "port "+index)
		r.SetInt("1.3.6.1.2.1.2.2.1.8."+index, 1)
		r.SetCounter64("1.3.6.1.2.1.31.1.1.1.6."+index, math.MaxUint64>>1)
		r.SetCounter64("1.3.6.1.2.1.31.1.1.1.10."+index, math.MaxUint64>>1)
	}
	return r
}
