package snmpagent

import (
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Recording holds the variables of one device. Its zero value holds none. A later value for an OID replaces an earlier one.
//
// The setters return nothing, so that a device can be written down line by line: the first mistake is kept, told by Err, and refused by
// Listen and SetRecording. A Recording may be used from several goroutines. An agent serves what the recording held when it was given:
// later changes reach it with the next SetRecording.
type Recording struct {
	mu     sync.Mutex
	octets []byte // of all OIDs and values; only ever appended to, because tables look into it
	rows   []row  // in the order in which they were set
	live   []live
	err    error
	built  *table // of the above, until it changes
}

// Record is one variable.
type Record struct {
	OID string // dotted, without a dot in front
	Tag Tag
	// Contents are the octets of the value without tag and length. Empty for what a function computes.
	Contents []byte
}

const longestValue = 1<<16 - 1 - 4 // octets, so that its encoding is counted in 16 bits; no datagram holds more

// SetInt sets an Integer32.
func (r *Recording) SetInt(oid string, v int32) {
	r.setNumber(oid, Integer32, uint64(int64(v)))
}

// SetString sets an OCTET STRING.
func (r *Recording) SetString(oid, v string) { r.setValue(oid, OctetString, []byte(v)) }

// SetOID sets an OBJECT IDENTIFIER, given as dotted text.
func (r *Recording) SetOID(oid, v string) {
	contents, err := encodeOID(nil, v)
	if err != nil {
		r.fail(fmt.Errorf("value of %s: %w", oid, err))
		return
	}
	r.setValue(oid, ObjectIdentifier, contents)
}

// SetIP sets an IpAddress, which is always one of IPv4.
func (r *Recording) SetIP(oid string, v netip.Addr) {
	if !v.Unmap().Is4() {
		r.fail(fmt.Errorf("value of %s: %v is no IPv4 address", oid, v))
		return
	}
	octets := v.Unmap().As4()
	r.setValue(oid, IPAddress, octets[:])
}

// SetCounter32 sets a Counter32.
func (r *Recording) SetCounter32(oid string, v uint32) { r.setNumber(oid, Counter32, uint64(v)) }

// SetCounter64 sets a Counter64.
func (r *Recording) SetCounter64(oid string, v uint64) { r.setNumber(oid, Counter64, v) }

// SetGauge sets a Gauge32, which is also an Unsigned32.
func (r *Recording) SetGauge(oid string, v uint32) { r.setNumber(oid, Gauge32, uint64(v)) }

// SetTicks sets TimeTicks; an answer holds hundredths of a second.
func (r *Recording) SetTicks(oid string, v time.Duration) {
	r.setNumber(oid, TimeTicks, ticks(v))
}

// SetFunc sets a number of an unsigned type that is computed for each answer, from the time since its agent began to listen or was
// restarted. What is too large for the type wraps. The function must be safe for several agents at once.
func (r *Recording) SetFunc(oid string, tag Tag, value func(elapsed time.Duration) uint64) {
	if !tag.isNumber() || tag == Integer32 {
		r.fail(fmt.Errorf("function of %s: type %d is no unsigned number", oid, tag))
		return
	}
	r.add(oid, nil, &live{tag: tag, value: value})
}

// SetIntFunc is SetFunc for an Integer32.
func (r *Recording) SetIntFunc(oid string, value func(elapsed time.Duration) int32) {
	r.add(oid, nil, &live{tag: Integer32, value: func(elapsed time.Duration) uint64 { return uint64(int64(value(elapsed))) }})
}

// Delete removes a variable.
func (r *Recording) Delete(oid string) { r.add(oid, nil, nil) }

// Err is the first mistake that was made in setting variables.
func (r *Recording) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Len is how many variables the recording holds.
func (r *Recording) Len() int { return len(r.table().rows) }

// Records are the variables in the order of a walk.
func (r *Recording) Records() iter.Seq[Record] {
	t := r.table()
	return func(yield func(Record) bool) {
		for i := range t.rows {
			if !yield(t.record(i)) {
				return
			}
		}
	}
}

// Lookup finds one variable.
func (r *Recording) Lookup(oid string) (Record, bool) {
	octets, err := encodeOID(nil, oid)
	if err != nil {
		return Record{}, false
	}
	t := r.table()
	i, found := t.search(octets)
	if !found {
		return Record{}, false
	}
	return t.record(i), true
}

// Clone is a recording that starts with the same variables and changes by itself.
func (r *Recording) Clone() *Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Recording{
		octets: slices.Clip(r.octets), rows: slices.Clone(r.rows), live: slices.Clone(r.live), err: r.err, built: r.built,
	}
}

func (r *Recording) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// setNumber sets a number. One that can change by itself is encoded for each answer, any other now.
func (r *Recording) setNumber(oid string, tag Tag, v uint64) {
	if tag.isCounter() || tag == TimeTicks {
		r.add(oid, nil, &live{tag: tag, recorded: v})
		return
	}
	r.add(oid, appendNumber(nil, tag, v), nil)
}

func (r *Recording) setValue(oid string, tag Tag, contents []byte) {
	if len(contents) > longestValue {
		r.fail(fmt.Errorf("value of %s: %d octets are more than a datagram holds", oid, len(contents)))
		return
	}
	r.add(oid, appendValue(nil, tag, contents), nil)
}

// add appends a row: with a value that does not change, with one that does, or with neither, which removes the variable.
func (r *Recording) add(oid string, value []byte, l *live) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := len(r.octets)
	octets, err := encodeOID(r.octets, oid)
	if err != nil {
		if r.err == nil {
			r.err = err
		}
		return
	}
	added := row{at: uint32(at), oidLen: uint16(len(octets) - at), valueLen: uint16(len(value)), live: -1}
	if l != nil {
		l.isUptime = l.value == nil && l.tag == TimeTicks && string(octets[at:]) == sysUpTime
		added.live = int32(len(r.live))
		r.live = append(r.live, *l)
	}
	r.octets = append(octets, value...)
	r.rows = append(r.rows, added)
	r.built = nil
}

// table is what agents serve; it is built once for all of them.
func (r *Recording) table() *table {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.built == nil {
		r.built = newTable(r.octets, r.rows, r.live)
	}
	return r.built
}
