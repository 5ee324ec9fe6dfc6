package snmpagent

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// ask is a request as a manager encodes it. For GETBULK first and second are non-repeaters and max-repetitions.
func ask(version int64, operation Tag, first, second int64, oids ...string) []byte {
	var list []byte
	for _, oid := range oids {
		name, _ := encodeOID(nil, oid)
		list = appendValue(list, tagSequence, appendValue(appendValue(nil, ObjectIdentifier, name), Null, nil))
	}
	pdu := appendInteger(nil, Integer32, 77) // request-id
	pdu = appendInteger(pdu, Integer32, first)
	pdu = appendInteger(pdu, Integer32, second)
	pdu = appendValue(pdu, tagSequence, list)
	message := appendInteger(nil, Integer32, version)
	message = appendValue(message, OctetString, []byte("public"))
	message = appendValue(message, operation, pdu)
	return appendValue(nil, tagSequence, message)
}

// told is an answer, written as "status index: oid=tag oid=tag …".
func told(t testing.TB, answer []byte) string {
	t.Helper()
	message, trailing, _ := nextOf(tagSequence, answer)
	_, message, _ = nextInteger(message)
	_, message, _ = nextOf(OctetString, message)
	pdu, rest, ok := nextOf(pduResponse, message)
	if !ok || len(rest) > 0 || len(trailing) > 0 {
		t.Fatalf("no answer: % x", answer)
	}
	id, pdu, _ := nextInteger(pdu)
	status, pdu, _ := nextInteger(pdu)
	index, pdu, _ := nextInteger(pdu)
	list, rest, ok := nextOf(tagSequence, pdu)
	if !ok || id != 77 || len(rest) > 0 {
		t.Fatalf("not as asked: % x", answer)
	}
	text := fmt.Sprintf("%d %d:", status, index)
	for len(list) > 0 {
		var binding []byte
		binding, list, _ = nextOf(tagSequence, list)
		name, value, _ := nextOf(ObjectIdentifier, binding)
		tag, _, rest, ok := next(value)
		if !ok || len(rest) > 0 {
			t.Fatalf("a broken variable: % x", answer)
		}
		text += fmt.Sprintf(" %s=%d", formatOID(name), tag)
	}
	return text
}

// small is a table of two columns and two rows, and a scalar.
func small() *Recording {
	r := &Recording{}
	r.SetString("1.3.6.1.0", "scalar")
	r.SetInt("1.3.6.2.1.1", 1)
	r.SetInt("1.3.6.2.1.2", 2)
	r.SetCounter64("1.3.6.2.2.1", 1)
	r.SetCounter64("1.3.6.2.2.2", 2)
	return r
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  []byte
		want string
	}{
		{"get", ask(1, pduGet, 0, 0, "1.3.6.1.0", "1.3.6.2.2.1"), "0 0: 1.3.6.1.0=4 1.3.6.2.2.1=70"},
		{"get nothing", ask(1, pduGet, 0, 0), "0 0:"},
		{"get what is missing", ask(1, pduGet, 0, 0, "1.3.6.2.1.3", "1.3.6.3.1"), "0 0: 1.3.6.2.1.3=129 1.3.6.3.1=128"},
		{"get v1", ask(0, pduGet, 0, 0, "1.3.6.1.0", "1.3.6.2.1.1"), "0 0: 1.3.6.1.0=4 1.3.6.2.1.1=2"},
		{"get v1, missing", ask(0, pduGet, 0, 0, "1.3.6.1.0", "1.3.6.2.1.3"), "2 2: 1.3.6.1.0=5 1.3.6.2.1.3=5"},
		{"get v1, Counter64", ask(0, pduGet, 0, 0, "1.3.6.2.2.1"), "2 1: 1.3.6.2.2.1=5"},
		{"next", ask(1, pduGetNext, 0, 0, "1.3", "1.3.6.1.0", "1.3.6.2.2.2"), "0 0: 1.3.6.1.0=4 1.3.6.2.1.1=2 1.3.6.2.2.2=130"},
		{"next v1, Counter64", ask(0, pduGetNext, 0, 0, "1.3.6.2.1.2"), "2 1: 1.3.6.2.1.2=5"},
		{
			"bulk", ask(1, pduGetBulk, 1, 2, "1.3", "1.3.6.2.1", "1.3.6.2.2"),
			"0 0: 1.3.6.1.0=4 1.3.6.2.1.1=2 1.3.6.2.2.1=70 1.3.6.2.1.2=2 1.3.6.2.2.2=70",
		},
		{
			"bulk to the end", ask(1, pduGetBulk, 0, 50, "1.3.6.2.2.1", "1.3.6.2.2"),
			"0 0: 1.3.6.2.2.2=70 1.3.6.2.2.1=70 1.3.6.2.2.2=130 1.3.6.2.2.2=70 1.3.6.2.2.2=130 1.3.6.2.2.2=130",
		},
		{"bulk, odd numbers", ask(1, pduGetBulk, -1, -1, "1.3"), "0 0:"},
		{"bulk, only single", ask(1, pduGetBulk, math.MaxInt32, math.MaxInt32, "1.3"), "0 0: 1.3.6.1.0=4"},
		{"bulk, no repetition", ask(1, pduGetBulk, 0, 0, "1.3"), "0 0:"},
		{"set", ask(1, pduSet, 0, 0, "1.3.6.1.0"), "17 1: 1.3.6.1.0=5"},
		{"set v1", ask(0, pduSet, 0, 0, "1.3.6.1.0"), "4 1: 1.3.6.1.0=5"},
	} {
		q, ok := readRequest(c.ask, nil)
		if !ok {
			t.Errorf("%s: not read", c.name)
			continue
		}
		maker := &answerer{max: defaultMaxSize}
		if got := told(t, maker.answer(view{table: small().table()}, &q)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestSize tries every largest size: no answer is larger, what fits is whole, and what does not is cut or refused as its operation does.
func TestSize(t *testing.T) {
	r := small()
	r.SetString("1.3.6.3.0", strings.Repeat("long", 80))
	v := view{table: r.table()}
	for name, c := range map[string]struct {
		ask  []byte
		less string // what a shorter answer begins with; empty: there is none
	}{
		"bulk":   {ask(1, pduGetBulk, 0, 100, "1.3", "1.3.6.2"), "0 0:"},
		"get":    {ask(1, pduGet, 0, 0, "1.3.6.3.0"), "1 0:"},
		"get v1": {ask(0, pduGet, 0, 0, "1.3.6.3.0"), "1 0: 1.3.6.3.0=5"},
		"next":   {ask(1, pduGetNext, 0, 0, "1.3.6.2.2.2"), "1 0:"},
		"set":    {ask(1, pduSet, 0, 0, "1.3.6.3.0"), "1 0:"},
		"set v1": {ask(0, pduSet, 0, 0, "1.3.6.3.0"), ""},
	} {
		whole := answered(v, c.ask, defaultMaxSize)
		shortest := len(whole)
		for size := 1; size < defaultMaxSize; size++ {
			answer := answered(v, c.ask, size)
			switch {
			case len(answer) > size:
				t.Fatalf("%s: %d octets, the most are %d", name, len(answer), size)
			case size >= len(whole):
				if !bytes.Equal(answer, whole) {
					t.Fatalf("%s within %d octets: %s", name, size, told(t, answer))
				}
			case len(answer) > 0:
				shortest = min(shortest, len(answer))
				if got := told(t, answer); c.less == "" || !strings.HasPrefix(got, c.less) {
					t.Fatalf("%s within %d octets: %s", name, size, got)
				}
			}
		}
		if (c.less != "") != (shortest < len(whole)) {
			t.Errorf("%s: the shortest answer has %d octets, the whole one %d", name, shortest, len(whole))
		}
	}
}

func answered(v view, datagram []byte, size int) []byte {
	q, _ := readRequest(datagram, nil)
	maker := &answerer{max: size}
	return maker.answer(v, &q)
}

// TestBulkSize walks a real device with answers of several largest sizes; every answer but the last is nearly full.
func TestBulkSize(t *testing.T) {
	r, err := Load(filepath.Join(shared(t), walked[0]))
	if err != nil {
		t.Fatal(err)
	}
	v := view{table: r.table()}
	for _, size := range []int{484, 1472, 65507} {
		maker := &answerer{max: size}
		for name := "1.3"; name != ""; {
			q, _ := readRequest(ask(1, pduGetBulk, 0, math.MaxInt32, name), nil)
			answer := maker.answer(v, &q)
			if len(answer) > size {
				t.Fatalf("%d octets after %s, the most are %d", len(answer), name, size)
			}
			got := told(t, answer)
			last := got[strings.LastIndexByte(got, ' ')+1:]
			oid, tag, _ := strings.Cut(last, "=")
			if name = oid; tag == "130" {
				break
			}
			if len(answer) < size-400 {
				t.Errorf("only %d of %d octets after %s", len(answer), size, name)
			}
		}
	}
}

// talk sends datagrams to an agent from one socket.
type talk struct {
	t    *testing.T
	conn net.Conn
}

func newTalk(t *testing.T, a *Agent) talk {
	t.Helper()
	conn, err := net.Dial("udp", a.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return talk{t, conn}
}

func (c talk) send(datagram []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(datagram); err != nil {
		c.t.Fatal(err)
	}
}

func (c talk) receive() []byte {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 65536)
	n, err := c.conn.Read(answer)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer[:n]
}

func TestSilence(t *testing.T) {
	defer goleak.VerifyNone(t)
	panics := small()
	panics.SetIntFunc("1.3.6.9", func(time.Duration) int32 { panic("a fault of the test") })
	a, err := Listen("127.0.0.1:0", Config{Recording: panics, Communities: []string{"secret", "public"}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c := newTalk(t, a)
	defer c.conn.Close()
	good := ask(1, pduGet, 0, 0, "1.3.6.1.0")
	version3 := bytes.Clone(good)
	version3[4] = 3
	c.send([]byte("garbage"))
	c.send(good[:len(good)-1])
	c.send(version3)
	c.send(bytes.Replace(good, []byte("public"), []byte("Public"), 1))
	c.send(ask(1, 0xa7, 0, 0)) // a trap
	c.send(ask(1, pduGet, 0, 0, "1.3.6.9"))
	c.send(ask(0, pduGet, 0, 0, "1.3.6.1.0")) // the only one that is answered: answers come in the order of requests
	if answer := c.receive(); answer[4] != 0 {
		t.Errorf("something else was answered: % x", answer)
	}
	if a.Requests() != 7 || a.Answers() != 1 || a.Faults() != 1 {
		t.Errorf("%d requests, %d answers, %d faults", a.Requests(), a.Answers(), a.Faults())
	}
	a.SetSilent(true)
	c.send(good)
	c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := c.conn.Read(make([]byte, 2000)); err == nil {
		t.Error("answered although silent")
	}
	a.SetSilent(false)
	c.send(ask(1, pduGet, 0, 0))
	if got := told(t, c.receive()); got != "0 0:" {
		t.Errorf("answered %s after silence", got)
	}
}

func TestAnswerHook(t *testing.T) {
	var seen Request
	a, err := Listen("127.0.0.1:0", Config{Recording: small(), Answer: func(q Request, answer []byte) []Reply {
		seen = q
		return []Reply{{Octets: []byte("late"), After: 20 * time.Millisecond}, {Octets: answer}, {Octets: answer}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	c := newTalk(t, a)
	c.send(ask(1, pduGetBulk, 0, 1, "1.3.6.1"))
	for range 2 {
		if got := told(t, c.receive()); got != "0 0: 1.3.6.1.0=4" {
			t.Errorf("answered %s", got)
		}
	}
	if got := c.receive(); string(got) != "late" {
		t.Errorf("then came % x", got)
	}
	a.Close()
	if seen.Version != 2 || seen.Community != "public" || seen.Operation != GetBulk || seen.ID != 77 || seen.MaxRepetitions != 1 ||
		len(seen.OIDs) != 1 || seen.OIDs[0] != "1.3.6.1" || !seen.From.IsValid() {
		t.Errorf("seen as %+v", seen)
	}
}

func TestSetRecording(t *testing.T) {
	a, err := Listen("127.0.0.1:0", Config{Recording: small()})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	other := small()
	other.SetInt("1.3.6.2.1.1", 42)
	if err := a.SetRecording(other); err != nil {
		t.Fatal(err)
	}
	if v, ok := a.Value("1.3.6.2.1.1"); !ok || v != 42 {
		t.Errorf("%d %v", v, ok)
	}
	for _, oid := range []string{"1.3.6.1.0", "1.3.6.2.1.9", "x"} {
		if v, ok := a.Value(oid); ok {
			t.Errorf("%s has the number %d", oid, v)
		}
	}
	broken := &Recording{}
	broken.Delete("x")
	if err := a.SetRecording(broken); err == nil {
		t.Error("a mistaken recording is served")
	}
}

// TestClose closes while answers are delayed for an hour, and twice.
func TestClose(t *testing.T) {
	defer goleak.VerifyNone(t)
	r := small()
	answered := make(chan bool, 3)
	f, err := ListenAll([]string{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"}, func(int) Config {
		return Config{Recording: r, Answer: func(_ Request, answer []byte) []Reply {
			answered <- true
			return []Reply{{Octets: answer}}
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range f.Agents {
		a.SetDelay(time.Hour)
		c := newTalk(t, a)
		c.send(ask(1, pduGet, 0, 0))
		<-answered
		c.conn.Close()
	}
	if f.Requests() != 3 {
		t.Errorf("%d requests", f.Requests())
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := ListenAll([]string{"127.0.0.1:0", "nowhere"}, func(int) Config { return Config{Recording: r} }); err == nil {
		t.Error("an address that is none is listened on")
	}
	for _, c := range []Config{{}, {Recording: r, MaxSize: -1}, {Recording: r, MaxSize: 65508}} {
		if _, err := Listen("127.0.0.1:0", c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
