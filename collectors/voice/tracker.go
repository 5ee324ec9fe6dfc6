package voice

import (
	"sync"
	"sync/atomic"
	"time"

	"vigia/collectors"
	"vigia/mos"
)

// Config is how a Tracker works. The zero value of a field takes the default that its comment names.
type Config struct {
	Shards   int // 16
	MaxCalls int // held at once, finished ones that wait for late reports included: 150,000
	// MaxInferred is how many calls without signalling one observer may have: half of MaxCalls.
	MaxInferred int

	Settle  time.Duration // between the end of a call and handing it out, for reports that are on their way: 5 s
	Late    time.Duration // how long after its end a call is amended by late reports (rule 20): 60 s
	Park    time.Duration // how long reports wait for their signalling before they may become a call of their own (rule 17): 60 s
	Trying  time.Duration // longest silence of a call that is not answered: 4 min
	Silence time.Duration // longest silence of a call with reports: 5 min; of one without signalling: a fifth of it
	Longest time.Duration // longest silence of an answered call without a report: 4 h

	// Buffer is the jitter buffer that is assumed where none is reported; nil: the E-model's own assumption.
	Buffer *mos.Buffer
	Rules  *Rules // whose a call is; nil: nobody's
}

func (c *Config) setDefaults() {
	defaultTo(&c.Shards, 16)
	defaultTo(&c.MaxCalls, 150_000)
	defaultTo(&c.MaxInferred, (c.MaxCalls+1)/2)
	defaultTo(&c.Settle, 5*time.Second)
	defaultTo(&c.Late, 60*time.Second)
	defaultTo(&c.Park, 60*time.Second)
	defaultTo(&c.Trying, 4*time.Minute)
	defaultTo(&c.Silence, 5*time.Minute)
	defaultTo(&c.Longest, 4*time.Hour)
	c.Shards = min(c.Shards, max(c.MaxCalls, 1))
}

func defaultTo[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Output takes calls. Call is called without any lock of the tracker, mostly by Tick and, when room must be made, by who hands over a fact; it holds up
// only its caller. A call comes once with Revision 1 when it is finished, and again with the same ID and Start and the next Revision when
// late reports changed it; the highest
// one replaces the others whole.
type Output interface {
	Call(Call)
}

// Tracker turns facts into calls. It starts no goroutine and reads no clock: it is driven by the facts and by Tick.
type Tracker struct {
	cfg    Config
	out    Output
	sink   collectors.Sink
	rules  atomic.Pointer[Rules]
	buffer atomic.Pointer[mos.Buffer] // that is assumed; nil: the E-model's own assumption
	shards []*shard
	hash   hasher
	shared *shared
	count  counts

	ids, addrs, ssrcs *index
	observers         observers
	recent            recent
	ownLoss           atomic.Bool
	minute            atomic.Int64 // the minute whose figures are being counted

	tickMu sync.Mutex // one Tick at a time
}

// New makes a tracker that hands finished calls to out and the figures of trunks and destinations to sink.
func New(cfg Config, out Output, sink collectors.Sink) *Tracker {
	cfg.setDefaults()
	t := &Tracker{cfg: cfg, out: out, sink: sink, hash: newHasher(), shared: newShared(), ids: newIndex(), addrs: newIndex(), ssrcs: newIndex()}
	t.observers.init()
	t.recent.most = 3 * cfg.MaxCalls // a call has two or three names
	t.SetRules(cfg.Rules)
	t.SetBuffer(cfg.Buffer)
	for range cfg.Shards {
		t.shards = append(t.shards, newShard())
	}
	return t
}

// SetRules replaces the rules, for calls that are finished from now on.
func (t *Tracker) SetRules(r *Rules) {
	if r == nil {
		r = Compile(nil, Extra{})
	}
	t.rules.Store(r)
}

// SetBuffer replaces the jitter buffer that is assumed where none is reported, for calls that are finished from now on.
func (t *Tracker) SetBuffer(b *mos.Buffer) { t.buffer.Store(b) }

// SetOwnLoss says whether the sockets that feed the tracker lose more than one datagram in a thousand. Calls that were in progress meanwhile
// say so (assumed: collector_loss), and no alarm about quality should rest on them (rule 27).
func (t *Tracker) SetOwnLoss(share float64) { t.ownLoss.Store(share > 0.001) }

// maxPerShard is the bound of one shard.
func (t *Tracker) maxPerShard() int { return (t.cfg.MaxCalls + len(t.shards) - 1) / len(t.shards) }

// shardOf picks the shard of a new call by its first key.
func (t *Tracker) shardOf(key uint64) *shard { return t.shards[key%uint64(len(t.shards))] }

// Stats counts what is held and what was done.
func (t *Tracker) Stats() Stats {
	s := Stats{
		Reports: t.count.reports.Load(), Signals: t.count.signals.Load(), Qualities: t.count.qualities.Load(),
		Finished: t.count.finished.Load(), Amended: t.count.amended.Load(), Adopted: t.count.orphansJoined.Load(),
		Dropped: map[Reason]uint64{},
	}
	for r := range reasonCount {
		if n := t.count.dropped[r].Load(); n > 0 {
			s.Dropped[r] = n
		}
	}
	for _, sh := range t.shards {
		sh.mu.Lock()
		s.Calls += sh.held
		s.Streams += sh.streams
		for _, n := range sh.inferred {
			s.Inferred += n
		}
		sh.mu.Unlock()
	}
	return s
}

// makeRoom evicts the oldest idle calls of a full shard, which is locked, and returns what is to be handed out for them.
func (t *Tracker) makeRoom(s *shard, done []Call) []Call {
	for s.held >= t.maxPerShard() {
		c := s.oldest()
		if c == nil {
			break
		}
		t.count.drop(ReasonEvicted)
		if c.revision == 0 {
			t.finish(c, max(c.last, c.over), endEvicted)
		}
		done = t.handOut(c, done)
		t.forget(c)
	}
	return done
}

// forget removes a call, whose shard is locked, and all that leads to it.
func (t *Tracker) forget(c *call) {
	for _, k := range c.keys {
		t.ids.remove(k, c)
		if c.revision > 0 {
			t.recent.add(k)
		}
	}
	for i := range c.legs {
		l := &c.legs[i]
		key := t.hash.text(keyCallID, []byte(l.callID))
		t.ids.remove(key, c)
		if c.revision > 0 && key != 0 {
			t.recent.add(key)
		}
		for p := range l.parties {
			for _, e := range l.parties[p].ends {
				t.forgetEndpoint(c, e)
			}
		}
	}
	for _, s := range c.streams {
		t.ssrcs.remove(t.hash.ssrc(s.ssrc), c)
		t.ssrcs.remove(t.hash.ssrc(s.reporter), c)
	}
	for _, n := range c.cnames {
		t.ids.remove(t.cnameKey(n.hash), c)
	}
	c.shard.delete(c)
}

func (t *Tracker) forgetEndpoint(c *call, e endpoint) {
	t.addrs.remove(t.hash.address(e.addr, e.port), c)
	if e.rtcp != 0 {
		t.addrs.remove(t.hash.address(e.addr, e.rtcp), c)
	}
}

// deliver hands calls out. No lock is held.
func (t *Tracker) deliver(done []Call) {
	for i := range done {
		t.out.Call(done[i])
	}
}
