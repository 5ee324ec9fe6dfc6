package snmpagent

// The error-status of an answer (RFC 3416 §3; the first five are also of RFC 1157).
const (
	noError     = 0
	tooBig      = 1
	noSuchName  = 2
	readOnly    = 4
	notWritable = 17
)

// answerer makes the answers of one agent. Its buffers are used again for the next answer.
type answerer struct {
	max     int    // octets of the longest answer
	out     []byte // room for the head of a message, then the variables
	room    int    // of the head
	head    []byte
	cursors []int // where in the table each repeater of a GETBULK stands
	scratch [16]byte
}

// headRoom is what stands before the variables, but for the community: five tags with lengths, and four numbers.
const headRoom = 64

// answer is the whole message for a request, empty when it has none. It is valid until the next call.
func (a *answerer) answer(v view, q *request) []byte {
	a.room = headRoom + len(q.community)
	a.out = append(a.out[:0], make([]byte, a.room)...)
	switch q.operation {
	case pduGet:
		return a.get(v, q)
	case pduGetNext:
		return a.getNext(v, q)
	case pduGetBulk:
		return a.getBulk(v, q)
	default:
		return a.refuse(q)
	}
}

func (a *answerer) get(v view, q *request) []byte {
	for i, name := range q.names {
		at, found := v.search(name)
		isHidden := q.version == version1 && (!found || v.tag(at) == Counter64)
		var fits bool
		switch {
		case isHidden:
			return a.fail(q, noSuchName, i+1)
		case found:
			fits = a.bind(q, name, v.value(at, a.scratch[:]))
		default:
			fits = a.bindException(q, name, v.missing(name))
		}
		if !fits {
			return a.fail(q, tooBig, 0)
		}
	}
	return a.finish(q, noError, 0)
}

func (a *answerer) getNext(v view, q *request) []byte {
	for i, name := range q.names {
		at := after(v, q, name)
		var fits bool
		switch {
		case at < len(v.rows):
			fits = a.bind(q, v.oid(at), v.value(at, a.scratch[:]))
		case q.version == version1:
			return a.fail(q, noSuchName, i+1)
		default:
			fits = a.bindException(q, name, endOfMibView)
		}
		if !fits {
			return a.fail(q, tooBig, 0)
		}
	}
	return a.finish(q, noError, 0)
}

// after is the first variable behind an OID. Version 1 has no Counter64 and passes over them (RFC 3584 §4.2.2.1).
func after(v view, q *request, name []byte) int {
	at, found := v.search(name)
	if found {
		at++
	}
	for q.version == version1 && at < len(v.rows) && v.tag(at) == Counter64 {
		at++
	}
	return at
}

// getBulk answers with as many variables as were asked for and as fit (RFC 3416 §4.2.3).
func (a *answerer) getBulk(v view, q *request) []byte {
	single := int(max(min(q.first, int64(len(q.names))), 0))
	for _, name := range q.names[:single] {
		if at := after(v, q, name); !a.bindRow(v, q, name, at) {
			return a.finish(q, noError, 0)
		}
	}
	repeaters := q.names[single:]
	a.cursors = a.cursors[:0]
	for _, name := range repeaters {
		a.cursors = append(a.cursors, after(v, q, name))
	}
	for range max(q.second, 0) {
		if !a.repeat(v, q, repeaters) {
			break
		}
	}
	return a.finish(q, noError, 0)
}

// repeat adds the next variable of each repeater. It is false when the answer is full, and when all have come to their end.
func (a *answerer) repeat(v view, q *request, repeaters [][]byte) bool {
	goesOn := false
	for i, name := range repeaters {
		at := a.cursors[i]
		if !a.bindRow(v, q, name, at) {
			return false
		}
		if at < len(v.rows) {
			repeaters[i] = v.oid(at)
			a.cursors[i]++
			goesOn = true
		}
	}
	return goesOn
}

// bindRow adds a variable of the table, or that it ends behind the name.
func (a *answerer) bindRow(v view, q *request, name []byte, at int) bool {
	if at < len(v.rows) {
		return a.bind(q, v.oid(at), v.value(at, a.scratch[:]))
	}
	return a.bindException(q, name, endOfMibView)
}

func (a *answerer) bindException(q *request, name []byte, what Tag) bool {
	return a.bind(q, name, append(a.scratch[:0], byte(what), 0))
}

// bind adds a name and its encoded value. It is false, and adds nothing, when the answer would become too long.
func (a *answerer) bind(q *request, name, value []byte) bool {
	length := 1 + lengthSize(len(name)) + len(name) + len(value)
	body := len(a.out) - a.room + 1 + lengthSize(length) + length
	if q.sizes(body, 0).total > a.max {
		return false
	}
	a.out = appendLength(append(a.out, byte(tagSequence)), length)
	a.out = appendValue(a.out, ObjectIdentifier, name)
	a.out = append(a.out, value...)
	return true
}

// refuse answers a SET: nothing can be written.
func (a *answerer) refuse(q *request) []byte {
	switch {
	case len(q.names) == 0:
		return a.finish(q, noError, 0)
	case q.version == version1:
		return a.fail(q, readOnly, 1)
	default:
		return a.fail(q, notWritable, 1)
	}
}

// fail answers with an error and the variables as they came; tooBig of version 2 comes without them (RFC 3416 §4.2.1).
func (a *answerer) fail(q *request, status, index int) []byte {
	a.out = a.out[:a.room]
	if status != tooBig || q.version == version1 {
		a.out = append(a.out, q.bindings...)
	}
	if answer := a.finish(q, status, index); answer != nil || q.version == version1 || status == tooBig {
		return answer
	}
	return a.fail(q, tooBig, 0)
}

// finish puts the head before the variables. The answer is nil when it is too long even so.
func (a *answerer) finish(q *request, status, index int) []byte {
	size := q.sizes(len(a.out)-a.room, index)
	if size.total > a.max {
		return nil
	}
	h := appendLength(append(a.head[:0], byte(tagSequence)), size.message)
	h = appendInteger(h, Integer32, q.version)
	h = appendValue(h, OctetString, q.community)
	h = appendLength(append(h, byte(pduResponse)), size.pdu)
	h = appendValue(h, Integer32, q.id)
	h = appendInteger(h, Integer32, int64(status))
	h = appendInteger(h, Integer32, int64(index))
	h = appendLength(append(h, byte(tagSequence)), len(a.out)-a.room)
	a.head = h
	start := a.room - len(h)
	copy(a.out[start:], h)
	return a.out[start:]
}

// sizes are the lengths, in octets, of an answer's parts: of the contents of its PDU, of those of its message, and of all of it.
type sizes struct{ pdu, message, total int }

// sizes of an answer with this many octets of variables. Its error-status takes one octet, its error-index as many as it needs.
func (q *request) sizes(body, index int) sizes {
	const short = 3 // a number of one octet, with tag and length
	pdu := 2 + len(q.id) + short + integerSize(index) + 1 + lengthSize(body) + body
	message := short + 1 + lengthSize(len(q.community)) + len(q.community) + 1 + lengthSize(pdu) + pdu
	return sizes{pdu: pdu, message: message, total: 1 + lengthSize(message) + message}
}

// integerSize is how many octets appendInteger takes for an index.
func integerSize(index int) int {
	size := 3
	for ; index > 0x7f; index >>= 8 {
		size++
	}
	return size
}
