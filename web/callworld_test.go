package web

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"vigia/collectors/voice"
	"vigia/mos"
)

// pointer is where a figure that was measured stands.
func pointer[T any](v T) *T { return &v }

// packed writes intervals as a tracker does (collectors/voice, interval.go): the fields that charts show.
func packed(list []voice.Interval) []byte {
	logCode := func(v *float64, scale float64) uint64 {
		if v == nil {
			return 511
		}
		return uint64(math.Round(math.Log1p(*v) * scale))
	}
	var out []byte
	for _, i := range list {
		bits := uint64(i.Seconds*4) | uint64(i.Expected)<<8 | uint64(i.Lost)<<21 | logCode(i.JitterMS, 58)<<34 | logCode(i.RTTMS, 55)<<43
		switch {
		case i.R == nil:
			bits |= 255 << 52
		default:
			bits |= uint64(math.Round(*i.R*1.7)) << 52
		}
		if !i.Judged {
			bits |= 1 << 61 // on hold
		}
		if i.Dead {
			bits |= 1 << 62
		}
		out = binary.LittleEndian.AppendUint64(out, bits)
	}
	return out
}

// course is intervals of five seconds: R as given, before the first third and after it.
func course(n int, before, after float64, change ...func(i int, x *voice.Interval)) []byte {
	var list []voice.Interval
	for i := range n {
		r, jitter, lost := before, 6.0, uint32(0)
		if i > n/3 {
			r, jitter, lost = after, 50, 25
		}
		r += float64(i % 3)
		jitter += float64(i % 4)
		x := voice.Interval{Seconds: 5, Expected: 250, Lost: lost, JitterMS: &jitter, RTTMS: pointer(160 + float64(i%5)), R: &r, Judged: true}
		for _, c := range change {
			c(i, &x)
		}
		list = append(list, x)
	}
	return packed(list)
}

// aCall is an answered call of a customer: bad towards the caller, fine the other way.
func aCall(n int, start time.Time) voice.Call {
	r := 47.4
	c := voice.Call{
		ID: fmt.Sprintf("8f21c0a4-%d/7@198.51.100.24", n), Customer: "clinica", Trunk: "guatel", Site: "guatemala", From: voice.Text(fmt.Sprintf("+5062222%04d", n)), To: "+50255557731",
		Start: start, Answered: start.Add(6200 * time.Millisecond), End: start.Add(286 * time.Second), Codec: "G729", Network: "198.51.100.24", Country: "GT", UserAgent: "phone/1.0",
		R: &r, MOS: pointer(mos.MOS(mos.NB, r)), Scale: "nb", Cause: "late", CoveragePct: pointer(98.0), Revision: 1, Signalled: true, Status: 200, Q850: 16, PDDMS: pointer(1900.0),
		Why: "hangup", Legs: 1, Streams: []voice.Stream{},
	}
	bad := voice.Stream{
		Side: voice.Access, Direction: voice.CalleeToCaller, SSRC: 0x1234abcd, Reporter: pointer(uint32(7)), Packets: pointer(uint32(14000)), Lost: pointer(uint32(84)), LossPct: pointer(0.6),
		LatePct: pointer(10.4), JitterMS: pointer(52.0), RTTMS: pointer(164.0), MOS: c.MOS, R: &r, RPerceived: pointer(45.0), WorstR: pointer(38.0), Below70: pointer(163.0), Below60: pointer(158.0),
		Assumed: []string{"buffer", "burst", "late", "a word of tomorrow"}, Attribution: &voice.Attribution{Delay: 0.24, Loss: 0.06, Late: 1.22, Codec: 0.45},
		VendorMOS: pointer(3.1), Disagrees: true, Codec: "G729",
		Packed: course(56, 74, 44, func(i int, x *voice.Interval) {
			switch {
			case i < 2:
				x.Judged, x.R = false, nil
			case i >= 50 && i < 53:
				x.Dead, x.R, x.JitterMS, x.RTTMS = true, nil, nil, nil
			}
		}),
	}
	good := voice.Stream{
		Side: voice.Access, Direction: voice.CallerToCallee, SSRC: 0x99aa, Packets: pointer(uint32(14000)), Lost: pointer(uint32(0)), LossPct: pointer(0.0), LatePct: pointer(0.4), JitterMS: pointer(5.0),
		RTTMS: pointer(164.0), MOS: pointer(mos.MOS(mos.NB, 81.9)), R: pointer(81.9), WorstR: pointer(80.1), Below70: pointer(0.0), Below60: pointer(0.0), RPerceived: pointer(81.0),
		Assumed: []string{"burst", "rtt_one_side"}, Attribution: &voice.Attribution{Delay: 0.1, Codec: 0.26}, Codec: "G729", Packed: course(56, 81, 81),
	}
	c.Streams = append(c.Streams, good, bad)
	return c
}

// unmeasured is a call that was spoken in and that nobody reported on.
func unmeasuredCall(n int, start time.Time) voice.Call {
	c := aCall(n, start)
	c.R, c.MOS, c.Scale, c.Cause, c.Codec, c.CoveragePct, c.Streams = nil, nil, "", "", "PCMA", pointer(0.0), []voice.Stream{}
	c.Customer = voice.Unassigned
	return c
}

// refusedCall was never answered.
func refusedCall(n int, start time.Time) voice.Call {
	c := unmeasuredCall(n, start)
	c.Answered, c.Status, c.Q850, c.Why, c.CoveragePct, c.PDDMS, c.Codec = time.Time{}, 503, 34, "failed", nil, nil, ""
	c.End = start.Add(900 * time.Millisecond)
	return c
}

// goodCall has nothing wrong.
func goodCall(n int, start time.Time) voice.Call {
	c := aCall(n, start)
	r := 91.6
	c.R, c.MOS, c.Cause, c.Codec, c.Streams = &r, pointer(mos.MOS(mos.NB, r)), "", "PCMA", c.Streams[:1]
	return c
}

// wideCall is on the wideband scale.
func wideCall(n int, start time.Time) voice.Call {
	c := aCall(n, start)
	r := 84.0
	c.R, c.MOS, c.Scale, c.Cause, c.Codec = &r, pointer(mos.MOS(mos.WB, r)), "wb", "loss", "opus"
	return c
}

// putCalls writes calls into the world's store.
func (w *testWorld) putCalls(calls ...voice.Call) {
	w.t.Helper()
	for i := range calls {
		w.store.PutCall(&calls[i])
	}
	if err := w.store.FlushCalls(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// withCalls is the small operator with one call of each sort, newest first as listed here.
func withCalls(t testing.TB) (*testWorld, []voice.Call) {
	t.Helper()
	w := newTestWorld(t)
	now := time.Now().UTC().Truncate(time.Second)
	make := []func(int, time.Time) voice.Call{aCall, goodCall, wideCall, unmeasuredCall, refusedCall}
	var list []voice.Call
	for i, one := range make {
		list = append(list, one(i, now.Add(-time.Duration(i+1)*7*time.Minute)))
	}
	w.putCalls(list...)
	return w, list
}
