package voice

// roundTrip measures the way between the observer and the reporter: from when a sender report passed to when the block that names it came
// back, less the time that it lay at the reporter (rule 10). Only times of one observer are compared, and never with the senders' clocks.
func (t *Tracker) roundTrip(c *call, s *stream, r *Report, w when, observer observerID) {
	if !r.Has.Has(HasLSR) || r.LSR == 0 || r.DLSR == 0 || observer == 0 {
		return
	}
	if lay := instant(r.DLSR) * 1e9 / 65536; lay > w.at-c.first+dlsrGrace {
		t.count.drop(ReasonRoundTrip) // it lay longer than the call lasts
		return
	}
	slack := int32(0)
	if r.Has.Has(RoundedTime) {
		slack = roundedSlack
	}
	t.measureTrip(s, r.LSR, r.DLSR, slack, w, observer)
}

// takeReverse takes the round trip of an end that sends no sender reports: its receiver reference time, named by a DLRR (RFC 3611 §4.5), and what
// the observer measured itself.
func (t *Tracker) takeReverse(s *stream, r *Report, w when, observer observerID) {
	if r.Has.Has(HasDLRR) && r.LRR != 0 && r.DLRR != 0 && observer != 0 {
		t.measureTrip(s, r.LRR, r.DLRR, 0, w, observer)
	}
	if r.Has.Has(HasRTT) {
		if r.RTTMicros == 0 || r.RTTMicros > rttPlausibleUS {
			t.count.drop(ReasonRoundTrip)
			return
		}
		s.tripped(r.RTTMicros)
	}
}

func (t *Tracker) measureTrip(s *stream, mid, lay uint32, slack int32, w when, observer observerID) {
	at, ok := s.send.seen.find(mid, observer, slack)
	if !ok {
		return
	}
	trip := int64(int32(shortTime(w.raw)-at)) - int64(lay)
	if slack > 0 && trip < 0 && trip > -roundedSlack {
		trip = 0
	}
	if trip < 0 || trip > maxRoundTrip {
		t.count.drop(ReasonRoundTrip)
		return
	}
	s.tripped(uint32(max(trip*1_000_000/65536, 1)))
}

func (s *stream) tripped(micros uint32) {
	s.rttMicros = micros
	s.rttSum += uint64(micros)
	s.rttCount++
}
