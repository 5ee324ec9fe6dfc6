package snmp

import (
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors"
	"vigia/collectors/collectorstest/snmpagent"
)

// TestSmallAnswers: a device that does not answer large requests is asked in small ones, and that is remembered.
func TestSmallAnswers(t *testing.T) {
	for _, one := range []struct {
		name string
		most int // names that one request may ask for, repetitions counted
		late func(q snmpagent.Request) []snmpagent.Reply
	}{
		{"tooBig", 3, func(q snmpagent.Request) []snmpagent.Reply { return answering(q, gosnmp.TooBig) }},
		{"silence", 10, func(snmpagent.Request) []snmpagent.Reply { return nil }},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			var refused atomic.Int64
			a := serve(t, snmpagent.Config{Recording: router(), Grow: true, Answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
				n := len(q.OIDs) - 1 // sysUpTime is everywhere
				if isBulk(q) {
					n *= int(q.MaxRepetitions)
				}
				if n > one.most {
					refused.Add(1)
					return one.late(q)
				}
				return honest(answer)
			}})
			c := check(t, towards(Kind(), int(a.Addr().Port())), 0)
			var r collectors.Result
			for range 10 { // a run that is silent for too long goes on with the next
				if r = probe(t, c, 3*time.Second); r.OK {
					break
				}
			}
			sane(t, r)
			if refused.Load() == 0 {
				t.Error("it was never asked for too much")
			}
			refused.Store(0)
			sane(t, probe(t, c, 8*time.Second))
			if n := refused.Load(); n > 0 {
				t.Errorf("asked for too much %d times again", n)
			}
		})
	}
}

// TestEndlessColumns: columns that never end cost a bounded time and memory.
func TestEndlessColumns(t *testing.T) {
	a := serve(t, snmpagent.Config{Recording: router(), Answer: func(q snmpagent.Request, answer []byte) []snmpagent.Reply {
		if !isBulk(q) {
			return honest(answer)
		}
		return repeatedly(q, func(oid string, n int) gosnmp.SnmpPDU {
			return gosnmp.SnmpPDU{Name: after(oid, n), Type: gosnmp.OctetString, Value: "endless"}
		})
	}})
	bounded(t, a, func(r collectors.Result) {
		if !slices.Contains([]string{"snmp.looking", "snmp.ok", "snmp.ok_discarded"}, r.Why.Code) {
			t.Errorf("%s", why(r))
		}
	})
}

// TestHugeTable: so does a table with more rows than anything has.
func TestHugeTable(t *testing.T) {
	r := router()
	for i := range 20_000 {
		index := strconv.Itoa(i + 1)
		r.SetString("1.3.6.1.2.1.2.2.1.2."+index, "subscriber "+index)
		r.SetInt("1.3.6.1.2.1.2.2.1.8."+index, 1)
		r.SetCounter64("1.3.6.1.2.1.31.1.1.1.6."+index, 1)
		r.SetCounter64("1.3.6.1.2.1.31.1.1.1.10."+index, 1)
	}
	a := serve(t, snmpagent.Config{Recording: r, Grow: true})
	bounded(t, a, func(r collectors.Result) {
		n := 0
		for _, v := range r.Values {
			if v.Metric == collectors.InterfaceUp {
				n++
			}
		}
		if r.OK && n != mostWatched || !r.OK && r.Why.Code != "snmp.looking" {
			t.Errorf("%d interfaces: %s", n, why(r))
		}
	})
}

// bounded probes a device some times, each within its time, and looks at the memory that is kept.
func bounded(t *testing.T, a *snmpagent.Agent, judge func(collectors.Result)) {
	t.Helper()
	const within = 4 * time.Second
	c := check(t, towards(Kind(), int(a.Addr().Port())), 0)
	before := heap()
	for range 3 {
		start := time.Now()
		r := probe(t, c, within)
		if took := time.Since(start); took > within+time.Second {
			t.Errorf("it took %v", took)
		}
		harmless(t, r)
		judge(r)
		t.Logf("%v: %.200s", time.Since(start).Round(time.Millisecond), why(r))
	}
	const most = 128 << 20 // octets; 400,000 cells
	if kept := heap() - before; kept > most {
		t.Errorf("%d MiB are kept", kept>>20)
	}
	runtime.KeepAlive(c)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
