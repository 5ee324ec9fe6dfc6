// Package mos rates speech: what a network, a jitter buffer and a codec do to a call goes in, R and MOS come out.
//
// It computes the E-model of ITU-T G.107 (06/2015, narrowband), G.107.1 (06/2019, wideband) and G.107.2 (06/2019, fullband) in full, the mappings
// between R and MOS, and what the model needs to be fed from RTCP. Everything is a pure function of values: no clock, no I/O, no state outside what the
// caller holds, and no allocation on the way to a Score.
//
//	Input ──(buffer, delay budget, codec)──▶ Params ──Compute──▶ Result (R) ──▶ MOS
//
// A call is a Pool of its intervals' Scores, rated once; Perception is how people remember the same intervals.
//
// Units: loss and late loss in per cent, delays in milliseconds, levels in dB, rates in kbit/s. Names are the Recommendations' where they have one.
//
// What the package promises:
//   - R is computed first and MOS last. A MOS belongs to a Scale; the three scales all end at 4.5 and are not comparable.
//   - Input from anywhere, NaN and infinities included, gives finite figures. What lies outside a permitted range is scored and named in Result.Outside.
//   - More loss, more late loss, burstier loss, more delay or a worse codec never gives a better R or MOS.
//   - A figure that nobody has published is refused (ErrNoFigures) or stands in the Score's Assumed; none is invented.
//
// Decisions, where the texts leave a choice:
//   - MOS is clamped to 1 below R 6.5, where the cubic of Annex B dips under it. R itself is not clamped: it says how far beyond the scale a call is.
//   - Idte is not let under 0. The formula gives down to -0.1 for echo paths of 1 to 4 ms, so that a longer delay would score better.
//   - Ie,eff is not let over 95 (132 fullband), which the formula does for bursty loss far outside what it is trusted for.
//   - Wideband Roe: the 06/2019 text takes a noise level that it does not define, and its corrigendum was not at hand. No with Nfor -96 is used (Roe 106.2);
//     the other reading (129) differs by at most 0.02 MOS up to 250 ms.
//   - Fullband Ro is 148, as in the 2019 text; the 2023 text computes 147.5 from room and circuit noise.
//   - BurstR stands in the narrowband formula only. On the other scales it is used in the same place, as an extension that Result.Cautions names.
//   - A codec without a published Bpl gets a relative's, or the default of G.107 (4.3, the least robust); its grade is Proxy and the Score says bpl.
//   - A is an input but never set by this package: it moves expectation, not speech.
//   - Without a known delay a call is rated for listening only (Id of no delay), and says so; see Score.Listening.
package mos
