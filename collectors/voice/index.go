package voice

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
)

// maxSharers is how many calls one key leads to at most (one SDP address in two legs, one SSRC in two calls). The oldest is forgotten.
const maxSharers = 8

// hasher makes the keys of the indexes. Its seed is the process's own, so that nobody outside can make keys collide.
type hasher struct {
	seed maphash.Seed
	salt uint64
}

func newHasher() hasher {
	seed := maphash.MakeSeed()
	return hasher{seed: seed, salt: maphash.Bytes(seed, []byte("salt")) | 1}
}

// text is the key of a Call-ID, a tag or another name; 0 for an empty one.
func (h hasher) text(kind byte, b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return mix(maphash.Bytes(h.seed, b)^uint64(kind), h.salt)
}

// address is the key of a transport address; 0 for the zero AddrPort and for addresses that stand for none.
func (h hasher) address(addr netip.Addr, port uint16) uint64 {
	if !usable(addr) || port == 0 {
		return 0
	}
	b := addr.As16()
	return mix(mix(binary.BigEndian.Uint64(b[:8])^h.salt, h.salt)^binary.BigEndian.Uint64(b[8:])^uint64(port)<<17, h.salt)
}

// ssrc is the key of an SSRC; 0 for 0, which is nobody's.
func (h hasher) ssrc(ssrc uint32) uint64 {
	if ssrc == 0 {
		return 0
	}
	return mix(uint64(ssrc)^h.salt, h.salt)
}

// mix spreads the bits of v (the finisher of splitmix64), never to 0.
func mix(v, salt uint64) uint64 {
	v += salt
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return max(v^v>>31, 1)
}

// usable reports whether an address can belong to one party only.
func usable(addr netip.Addr) bool {
	return addr.IsValid() && !addr.IsUnspecified() && !addr.IsLoopback()
}

const indexParts = 16

// index leads from a key to the calls that have it. It has locks of its own, which are only ever taken inside a shard's lock or alone.
type index struct {
	parts [indexParts]indexPart
}

type indexPart struct {
	mu   sync.Mutex
	one  keyTable
	more map[uint64][]*call // the second and further calls of a key, rare
	_    [32]byte           // keeps two parts' locks out of one cache line
}

func newIndex() *index {
	x := &index{}
	for i := range x.parts {
		x.parts[i].one.init(16)
		x.parts[i].more = map[uint64][]*call{}
	}
	return x
}

func (x *index) part(key uint64) *indexPart { return &x.parts[key>>32%indexParts] }

// get returns the first call of a key, or nil.
func (x *index) get(key uint64) *call {
	if key == 0 {
		return nil
	}
	p := x.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.one.get(key)
}

// claim makes c the call of a key that has none, and returns the call that the key now has.
func (x *index) claim(key uint64, c *call) *call {
	p := x.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.one.get(key); have != nil {
		return have
	}
	p.one.set(key, c)
	return c
}

// all appends every call of a key to into, without repeating those that are there.
func (x *index) all(key uint64, into []*call) []*call {
	if key == 0 {
		return into
	}
	p := x.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.one.get(key); c != nil {
		into = appendNew(into, c)
		if len(p.more) > 0 {
			for _, c := range p.more[key] {
				into = appendNew(into, c)
			}
		}
	}
	return into
}

func appendNew(list []*call, c *call) []*call {
	for _, have := range list {
		if have == c {
			return list
		}
	}
	return append(list, c)
}

// add makes a key lead to c too.
func (x *index) add(key uint64, c *call) {
	if key == 0 {
		return
	}
	p := x.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.one.get(key)
	switch {
	case first == nil:
		p.one.set(key, c)
	case first != c:
		list := appendNew(p.more[key], c)
		if len(list) >= maxSharers {
			p.one.set(key, list[0])
			list = list[1:]
		}
		p.more[key] = list
	}
}

// remove makes a key no longer lead to c.
func (x *index) remove(key uint64, c *call) {
	if key == 0 {
		return
	}
	p := x.part(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.more[key]
	if p.one.get(key) == c {
		if len(list) == 0 {
			p.one.remove(key)
			return
		}
		p.one.set(key, list[0])
		list = list[1:]
	} else {
		kept := list[:0:0]
		for _, have := range list {
			if have != c {
				kept = append(kept, have)
			}
		}
		list = kept
	}
	if len(list) == 0 {
		delete(p.more, key)
		return
	}
	p.more[key] = list
}
