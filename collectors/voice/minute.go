package voice

import (
	"slices"
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// minuteOver puts the figures of the last minute, when it is over, as samples.
func (t *Tracker) minuteOver(now time.Time) {
	minute := now.Unix() / 60
	last := t.minute.Swap(minute)
	if last == 0 || last == minute || t.sink == nil {
		return
	}
	total := map[tallyKey]*tally{}
	calls := map[inventory.Ref]int{}
	for _, s := range t.shards {
		s.mu.Lock()
		for k, a := range s.tally {
			if total[k] == nil {
				total[k] = &tally{}
			}
			total[k].add(a)
		}
		clear(s.tally)
		t.inProgress(s, calls)
		s.mu.Unlock()
	}
	at := time.Unix(minute*60, 0).UTC()
	if samples := t.samples(total, calls, at); len(samples) > 0 {
		t.sink.Put(samples)
	}
}

// inProgress counts the answered calls of each trunk and destination.
func (t *Tracker) inProgress(s *shard, calls map[inventory.Ref]int) {
	rules := t.rules.Load()
	for _, kind := range [2]listKind{listQuiet, listTalking} {
		for c := s.lists[kind].first; c != nil; c = c.next {
			for i := range c.legs {
				for j, k := range c.legs[i].tries {
					if !c.ranOver(k.trunk, i, j) {
						calls[trunkRef(k.trunk)]++
					}
				}
			}
			if name := rules.destination(c.legs[0].to); name != "" {
				calls[inventory.Ref{Kind: inventory.KindDestination, Name: name}]++
			}
		}
	}
}

// ranOver reports whether a trunk was tried before the j-th try of the i-th leg: a call counts once for each of its trunks.
func (c *call) ranOver(trunk string, i, j int) bool {
	for a := range c.legs[:i+1] {
		for b, k := range c.legs[a].tries {
			if (a < i || b < j) && k.trunk == trunk {
				return true
			}
		}
	}
	return false
}

// samples writes the figures down. A ratio of nothing is no sample.
func (t *Tracker) samples(total map[tallyKey]*tally, calls map[inventory.Ref]int, at time.Time) []collectors.Sample {
	var out []collectors.Sample
	for _, ref := range t.rules.Load().counted {
		a := total[tallyKey{ref: ref}]
		if a == nil {
			a = &tally{}
		}
		w := writerOf(ref, "", at, &out)
		w.put(collectors.Calls, float64(calls[ref]), time.Minute)
		w.put(collectors.Attempts, float64(a.attempts), time.Minute)
		w.ratios(a)
		w.failures(a)
	}
	for _, k := range t.countries(total) {
		a := total[k]
		w := writerOf(k.ref, k.country, at, &out)
		w.put(collectors.Attempts, float64(a.attempts), 0)
		w.ratios(a)
	}
	return out
}

// countries picks the countries of trunks that have series of their own.
func (t *Tracker) countries(total map[tallyKey]*tally) []tallyKey {
	by := map[inventory.Ref][]tallyKey{}
	for k, a := range total {
		if k.country != "" && a.attempts >= fewAttempts {
			by[k.ref] = append(by[k.ref], k)
		}
	}
	var out []tallyKey
	for _, list := range by {
		slices.SortFunc(list, func(a, b tallyKey) int { return int(total[b].attempts) - int(total[a].attempts) })
		for range max(len(list)-maxCountries, 0) {
			t.count.drop(ReasonParts)
		}
		out = append(out, list[:min(len(list), maxCountries)]...)
	}
	return out
}

// sampleWriter writes samples of one object, or of one part of it.
type sampleWriter struct {
	ref  inventory.Ref
	part string
	at   time.Time
	out  *[]collectors.Sample
}

func writerOf(ref inventory.Ref, part string, at time.Time, out *[]collectors.Sample) sampleWriter {
	return sampleWriter{ref: ref, part: part, at: at, out: out}
}

func (w sampleWriter) put(m collectors.Metric, v float64, every time.Duration) {
	id := collectors.CheckID{Ref: w.ref, Instance: Instance}
	*w.out = append(*w.out, collectors.Sample{Series: collectors.Series{Metric: m, Ref: w.ref, Instance: id.Part(w.part)}, At: w.at, Value: v, Every: every})
}

func (w sampleWriter) ratios(a *tally) {
	if a.attempts > 0 {
		w.put(collectors.ASRPct, 100*float64(a.answered)/float64(a.attempts), 0)
		w.put(collectors.NERPct, 100*float64(a.effective)/float64(a.attempts), 0)
	}
	if a.ended > 0 {
		w.put(collectors.ACDS, a.talked.Seconds()/float64(a.ended), 0)
	}
	if a.ringing > 0 {
		w.put(collectors.PDDMS, a.delay.Seconds()*1000/float64(a.ringing), 0)
	}
}

func (w sampleWriter) failures(a *tally) {
	list := make([]failure, 0, len(a.failures))
	for f := range a.failures {
		list = append(list, f)
	}
	slices.SortFunc(list, func(x, y failure) int { return int(a.failures[y]) - int(a.failures[x]) })
	for _, f := range list[:min(len(list), maxFailures)] {
		part := strconv.Itoa(int(f.status))
		if f.q850 != 0 {
			part += "/q850-" + strconv.Itoa(int(f.q850))
		}
		v := w
		v.part = part
		v.put(collectors.Failures, float64(a.failures[f]), 0)
	}
}
