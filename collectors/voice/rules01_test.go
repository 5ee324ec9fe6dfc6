package voice

import (
	"testing"
	"time"
)

func TestRule01NoRTCPIsNotMeasured(t *testing.T) {
	s := newStory(t)
	s.up(0)
	c := s.finish(120)
	if c.MOS != nil || c.R != nil || len(c.Streams) != 0 || c.Cause != "" {
		t.Errorf("a call without reports has mos %v, %d streams, cause %q", c.MOS, len(c.Streams), c.Cause)
	}
	near(t, "coverage", c.CoveragePct, 0, 0)
}

func TestRule02OneDirectionOnly(t *testing.T) {
	s := newStory(t)
	s.up(0)
	for i := uint32(1); i <= 12; i++ { // only the callee reports, and only on what it hears
		s.tr.Report(s.report(float64(5*i), callee).block(0, 0, 250*i, 80))
		s.tr.Report(s.report(float64(5*i)+1, caller).sent(250 * i)) // the caller's reports have no blocks
	}
	c := s.finish(61)
	near(t, "coverage", c.CoveragePct, 50, 3)
	if c.heard(t, callee).MOS == nil {
		t.Error("what the callee hears is not rated")
	}
	for _, x := range c.Streams {
		if x.Direction == CalleeToCaller {
			t.Errorf("there is a stream %s that nobody reported", x.Direction)
		}
	}
}

func TestRule02SenderReportsAloneGiveLivenessAndCodec(t *testing.T) {
	s := newStory(t, func(c *Config) { c.Silence = 20 * time.Second })
	s.up(0)
	for i := uint32(1); i <= 12; i++ {
		s.tr.Report(s.report(float64(5*i), caller).sent(250 * i))
		s.tr.Tick(s.at(float64(5 * i)))
	}
	if len(s.calls) != 0 {
		t.Fatal("the call was given up although sender reports came")
	}
	x := s.finish(61).heard(t, callee)
	if x.MOS != nil || x.Packets != nil || x.Codec != "PCMA" {
		t.Errorf("mos %v, packets %v, codec %s", x.MOS, x.Packets, x.Codec)
	}
}

func TestRule03TotalLossLooksPerfect(t *testing.T) {
	t.Run("frozen while the sender sends", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		s.steady(0, 20, 0, 80)
		for i := uint32(5); i <= 12; i++ {
			s.tr.Report(s.report(float64(5*i)-1, callee).sent(250 * i))
			s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 1000, 80).sent(250*i).named(1, 100+i))
		}
		c := s.finish(61)
		x := c.heard(t, caller)
		if !x.OneWay || c.Cause != "one_way" {
			t.Errorf("one way %v, cause %q", x.OneWay, c.Cause)
		}
		near(t, "loss", x.LossPct, 66.6, 2)
	})
	t.Run("never a block", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for i := uint32(1); i <= 12; i++ {
			s.tr.Report(s.report(float64(5*i)-1, callee).sent(250 * i))
			s.tr.Report(s.report(float64(5*i), caller).sent(250 * i))
		}
		c := s.finish(61)
		if !c.heard(t, caller).OneWay {
			t.Error("a party that reports on nothing while the other sends does not count as hearing nothing")
		}
	})
	t.Run("silence on both sides", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		s.steady(0, 20, 0, 80)
		for i := uint32(5); i <= 12; i++ {
			s.tr.Report(s.report(float64(5*i)-1, callee).sent(1000 + i))
			s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 1000, 80).named(1, 100+i))
		}
		x := s.finish(61).heard(t, caller)
		if x.OneWay {
			t.Error("silence suppression is taken for a dead direction")
		}
		near(t, "loss", x.LossPct, 0, 0)
	})
	t.Run("it comes back", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		s.steady(0, 20, 0, 80)
		for i := uint32(5); i <= 8; i++ {
			s.tr.Report(s.report(float64(5*i)-1, callee).sent(250 * i))
			s.tr.Report(s.report(float64(5*i), caller).block(0, 0, 1000, 80).named(1, 100+i))
		}
		for i := uint32(9); i <= 12; i++ { // 1,000 packets were lost, and the receiver now counts them
			s.tr.Report(s.report(float64(5*i)-1, callee).sent(250 * i))
			s.tr.Report(s.report(float64(5*i), caller).block(0, 1000, 250*i, 80).named(1, 200+i))
		}
		x := s.finish(61).heard(t, caller)
		if *x.Lost != 1000 || *x.Packets != 3000 || !x.OneWay {
			t.Errorf("lost %d of %d, one way %v: the loss of the dead stretch counts once", *x.Lost, *x.Packets, x.OneWay)
		}
	})
}

func TestRule04SignedCumulative(t *testing.T) {
	if SignExtend24(16777215) != -1 || SignExtend24(0x7fffff) != 8388607 || SignExtend24(0xffffffff) != -1 {
		t.Fatal("24 bits are not sign-extended")
	}
	s := newStory(t)
	s.up(0)
	for i, lost := range []int32{0, -1, -3, -3, 7} { // repeated packets, then ten are lost
		s.tr.Report(s.report(float64(5*(i+1)), caller).block(0, lost, uint32(250*(i+1)), 80))
	}
	x := s.finish(30).heard(t, caller)
	if *x.Lost != 10 || x.Repeated != 3 {
		t.Errorf("lost %d, repeated %d; want 10 and 3", *x.Lost, x.Repeated)
	}
}

func TestRule04CumulativeWraps(t *testing.T) {
	s := newStory(t)
	s.up(0)
	s.tr.Report(s.report(5, caller).block(0, 8388600, 250, 80))
	s.tr.Report(s.report(10, caller).block(10, SignExtend24(8388610), 500, 80))
	if x := s.finish(30).heard(t, caller); *x.Lost != 10 {
		t.Errorf("lost %d over the wrap, want 10", *x.Lost)
	}
}

func TestRule05IntervalLoss(t *testing.T) {
	for _, c := range []struct {
		name string
		feed func(s *story)
		lost uint32
	}{
		{"deltas, not the cumulative count", func(s *story) {
			s.tr.Report(s.report(5, caller).block(0, 100000, 250, 80))
			s.tr.Report(s.report(10, caller).block(25, 100025, 500, 80))
		}, 25},
		{"first report: the fraction only", func(s *story) {
			s.tr.Report(s.report(5, caller).block(64, 5000, 100250, 80)) // a quarter of 5 s
		}, 63},
		{"a report was missed: deltas", func(s *story) {
			s.tr.Report(s.report(5, caller).block(0, 0, 250, 80))
			s.tr.Report(s.report(15, caller).block(0, 50, 750, 80)) // all lost in the half that was not reported
		}, 50},
		{"the receiver started again: the fraction", func(s *story) {
			s.tr.Report(s.report(5, caller).block(0, 400, 1000, 80))
			s.tr.Report(s.report(10, caller).block(128, 125, 1250, 80))
		}, 125},
		{"more lost than can be: the fraction", func(s *story) {
			s.tr.Report(s.report(5, caller).block(0, 0, 1000, 80))
			s.tr.Report(s.report(10, caller).block(26, 9000, 1250, 80))
		}, 25},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.up(0)
			c.feed(s)
			if x := s.finish(30).heard(t, caller); *x.Lost != c.lost {
				t.Errorf("lost %d, want %d", *x.Lost, c.lost)
			}
		})
	}
}

func TestRule06SequenceCycles(t *testing.T) {
	for _, c := range []struct {
		name    string
		seq     []uint32
		packets uint32
	}{
		{"cycles counted by the receiver", []uint32{65400, 65650, 65900}, 250 + 500},
		{"modulo 2^32", []uint32{0xffffff00, 0xfffffffa, 0xf4}, 250 + 500},
		{"a receiver that wraps at 65536", []uint32{65400, 114, 364}, 250 + 500},
		{"and wraps again", []uint32{65000, 65450, 164, 614}, 250 + 450*2 + 250},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(t)
			s.up(0)
			for i, seq := range c.seq {
				s.tr.Report(s.report(float64(5*(i+1)), caller).block(0, 0, seq, 80))
			}
			x := s.finish(40).heard(t, caller)
			if c.name == "and wraps again" {
				c.packets = 250 + 450 + 250 + 450
			}
			if *x.Packets != c.packets {
				t.Errorf("%d packets, want %d", *x.Packets, c.packets)
			}
		})
	}
	t.Run("a fall by less starts again", func(t *testing.T) {
		s := newStory(t)
		s.up(0)
		for i, seq := range []uint32{20000, 20250, 300, 550} {
			s.tr.Report(s.report(float64(5*(i+1)), caller).block(0, 0, seq, 80))
		}
		if x := s.finish(40).heard(t, caller); *x.Packets != 250+250+250 {
			t.Errorf("%d packets, want the first, and one interval on either side of the restart", *x.Packets)
		}
		wantDrop(t, s, ReasonRestarted, 1)
	})
}
