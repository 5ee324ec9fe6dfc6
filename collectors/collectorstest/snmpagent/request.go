package snmpagent

import "net/netip"

// The kinds of PDU that an agent is sent, and the one that it answers with (RFC 3416 §3).
const (
	pduGet      Tag = 0xa0
	pduGetNext  Tag = 0xa1
	pduResponse Tag = 0xa2
	pduSet      Tag = 0xa3
	pduGetBulk  Tag = 0xa5
)

// The versions as a message writes them.
const (
	version1  = 0
	version2c = 1
)

// Operation is what a request asks for.
type Operation byte

// The operations of a request.
const (
	Get     = Operation(pduGet)
	GetNext = Operation(pduGetNext)
	Set     = Operation(pduSet)
	GetBulk = Operation(pduGetBulk)
)

// Request is a request as Config.Answer sees it.
type Request struct {
	From      netip.AddrPort
	Version   int // 1, or 2 for SNMPv2c
	Community string
	Operation Operation
	ID        int64
	// NonRepeaters and MaxRepetitions are of a GetBulk.
	NonRepeaters, MaxRepetitions int64
	OIDs                         []string
}

// request is a request as it is answered. Its slices look into the datagram.
type request struct {
	version   int64
	community []byte
	operation Tag
	id        []byte // the contents of the request-id, to be sent back as they came
	first     int64  // error-status, or non-repeaters
	second    int64  // error-index, or max-repetitions
	bindings  []byte // the contents of the list of variables
	names     [][]byte
}

// readRequest takes a datagram apart. It is not ok when this is no request of version 1 or 2c that is well formed. The names are
// appended to the given slice.
func readRequest(datagram []byte, names [][]byte) (q request, ok bool) {
	q.names = names[:0]
	message, _, ok := nextOf(tagSequence, datagram)
	if !ok {
		return q, false
	}
	if q.version, message, ok = nextInteger(message); !ok || q.version != version1 && q.version != version2c {
		return q, false
	}
	if q.community, message, ok = nextOf(OctetString, message); !ok {
		return q, false
	}
	operation, pdu, rest, ok := next(message)
	if !ok || len(rest) > 0 || !isAsked(operation, q.version) {
		return q, false
	}
	q.operation = operation
	return q, q.readPDU(pdu)
}

// isAsked reports whether an agent is asked this in this version.
func isAsked(operation Tag, version int64) bool {
	switch operation {
	case pduGet, pduGetNext, pduSet:
		return true
	default:
		return operation == pduGetBulk && version == version2c
	}
}

func (q *request) readPDU(pdu []byte) bool {
	id, rest, ok := nextOf(Integer32, pdu)
	if _, isNumber := integerOf(id); !ok || !isNumber {
		return false
	}
	q.id = id
	if q.first, rest, ok = nextInteger(rest); !ok {
		return false
	}
	if q.second, rest, ok = nextInteger(rest); !ok {
		return false
	}
	q.bindings, rest, ok = nextOf(tagSequence, rest)
	return ok && len(rest) == 0 && q.readNames()
}

// readNames reads the list of variables. The values in it mean nothing in what can be asked here, but must be there.
func (q *request) readNames() bool {
	for list := q.bindings; len(list) > 0; {
		binding, more, ok := nextOf(tagSequence, list)
		if !ok {
			return false
		}
		name, value, ok := nextOf(ObjectIdentifier, binding)
		if !ok || !validOID(name) {
			return false
		}
		if _, _, rest, ok := next(value); !ok || len(rest) > 0 {
			return false
		}
		q.names = append(q.names, name)
		list = more
	}
	return true
}

func nextInteger(b []byte) (v int64, rest []byte, ok bool) {
	contents, rest, ok := nextOf(Integer32, b)
	if !ok {
		return 0, nil, false
	}
	v, ok = integerOf(contents)
	return v, rest, ok
}

// public is the request for Config.Answer.
func (q *request) public(from netip.AddrPort) Request {
	id, _ := integerOf(q.id)
	p := Request{
		From: from, Version: int(q.version) + 1, Community: string(q.community), Operation: Operation(q.operation), ID: id,
		OIDs: make([]string, len(q.names)),
	}
	if q.operation == pduGetBulk {
		p.NonRepeaters, p.MaxRepetitions = q.first, q.second
	}
	for i, name := range q.names {
		p.OIDs[i] = formatOID(name)
	}
	return p
}
