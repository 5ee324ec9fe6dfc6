package wire

import (
	"math"
	"math/bits"

	"vigia/collectors/voice"
)

// noMetrics are metrics of which nothing is known (RFC 3611 §4.7).
func noMetrics() voice.VoIPMetrics {
	return voice.VoIPMetrics{
		SignalDBm0: voice.Unavailable, NoiseDBm0: voice.Unavailable, RERL: voice.Unavailable,
		RFactor: voice.Unavailable, ExternalR: voice.Unavailable, MOSLQ: voice.Unavailable, MOSCQ: voice.Unavailable,
	}
}

// Members of the VoIP metrics in three spellings: heplify's short block, its complete one, captagent's.
const (
	xrID = iota + 1 // source
	xrSSRC
	xrIdentifier
	xrType
	xrLoss // octets, each in its spellings
	xrLossRate
	xrDiscard
	xrDiscardRate
	xrBurst
	xrBurstRate
	xrGap
	xrGapRate
	xrRERL
	xrRERLLower
	xrGmin
	xrGminLower
	xrR
	xrRLower
	xrExtR
	xrExtRLower
	xrConfig
	xrBurstMS // words
	xrGapMS
	xrGapMSOld
	xrRoundTrip
	xrEndSystem
	xrEndSys
	xrNominal
	xrNominalLower
	xrMax
	xrMaxLower
	xrAbsMax
	xrAbsMaxLower
	xrSignal // levels
	xrSignalLong
	xrNoise
	xrNoiseLong
	xrMOSLQ // MOS as octets
	xrMOSCQ
	xrMOSLQLower // MOS with a point, and the wrong way round
	xrMOSCQLower
	xrConfigList
)

var metricNames = newMembers(
	"id", "ssrc", "identifier", "type", "fraction_lost", "loss_rate", "fraction_discard", "discard_rate", "burst_density", "burst_rate",
	"gap_density", "gap_rate", "RERL", "rerl", "Gmin", "gmin", "R_fact", "r_factor", "ext_R_fact", "ext_r_factor", "rx_config",
	"burst_duration", "gap_duration", "gap_Duration", "round_trip_delay", "end_system_delay", "end_sys_delay", "JB_nom", "jb_nominal", "JB_max",
	"jb_maximum", "JB_abs_max", "jb_abs_max", "signal_lev", "signal_level", "noise_lev", "noise_level", "MOS_LQ", "MOS_CQ", "mos_lq", "mos_cq",
	"RX_conf")

// metrics reads the VoIP metrics of any dialect: heplify's short block (report_blocks_xr, which is there with zeroes when no XR came), heplify 2's
// voip_metrics and captagent's block, which are complete and win over the short one.
func (m *rtcpJSON) metrics(s *jsonScan, complete bool) {
	kind := uint8(kindShort)
	if complete {
		kind = kindMetrics
	}
	if !m.members(s, &m.inner, kind) {
		return
	}
	if m.has&jsonMetrics != 0 && !complete {
		return
	}
	x, source, known := m.inner.metrics()
	if known == 0 {
		return
	}
	m.has |= jsonXR
	if complete {
		m.has |= jsonMetrics
	}
	m.xr, m.xrSource = x, source
}

// metricValue reads what among the metrics is no plain number.
func (m *rtcpJSON) metricValue(s *jsonScan, member uint8) {
	switch member {
	case xrMOSLQLower, xrMOSCQLower:
		if v, ok := s.decimal(); ok {
			m.inner.putOdd(member, int64(math.Round(min(max(v, 0), 100)*10)))
		}
	case xrConfigList:
		m.inner.putOdd(member, int64(rxConf(s)))
	default:
		m.number(s, member)
	}
}

// metrics makes VoIP metrics of numbers. known is 0 when all of them are, as nearly always in heplify's short block.
func (v *memberValues) metrics() (x voice.VoIPMetrics, source, known uint32) {
	x = noMetrics()
	for left := v.has; left != 0; left &= left - 1 {
		member := uint8(bits.TrailingZeros64(left))
		n := v.value[member]
		switch {
		case member <= xrIdentifier:
			source = uint32(n)
			known |= source
		case n == 0 && (member <= xrGapRate || member >= xrBurstMS && member <= xrAbsMaxLower): // 0 already
		case member == xrMOSLQLower || member == xrMOSCQLower:
			if v.odd>>member&1 == 0 {
				n *= 10
			}
			tenths(member, n, &x)
		case member == xrConfigList:
			if v.odd>>member&1 != 0 {
				x.RXConfig = uint8(n)
			}
		case setMetric(member, n, &x):
			known |= uint32(n)
		}
	}
	return x, source, known
}

// setMetric takes a plain number that is in range.
func setMetric(member uint8, v int64, x *voice.VoIPMetrics) bool {
	switch {
	case member == xrType:
		return true
	case member >= xrSignal && member <= xrNoiseLong: // captagent prints the octet without its sign
		if v < math.MinInt8 || v > math.MaxUint8 {
			return false
		}
		if member <= xrSignalLong {
			x.SignalDBm0 = int8(v)
		} else {
			x.NoiseDBm0 = int8(v)
		}
		return true
	case v < 0 || v > math.MaxUint16:
		return false
	}
	if to := wordMember(member, x); to != nil {
		*to = uint16(v)
		return true
	}
	if to := octetMember(member, x); to != nil && v <= math.MaxUint8 {
		*to = uint8(v)
		return true
	}
	return false
}

func octetMember(member uint8, x *voice.VoIPMetrics) *uint8 {
	switch member {
	case xrLoss, xrLossRate:
		return &x.LossRate
	case xrDiscard, xrDiscardRate:
		return &x.DiscardRate
	case xrBurst, xrBurstRate:
		return &x.BurstDensity
	case xrGap, xrGapRate:
		return &x.GapDensity
	case xrRERL, xrRERLLower:
		return &x.RERL
	case xrGmin, xrGminLower:
		return &x.Gmin
	case xrR, xrRLower:
		return &x.RFactor
	case xrExtR, xrExtRLower:
		return &x.ExternalR
	case xrConfig:
		return &x.RXConfig
	case xrMOSLQ:
		return &x.MOSLQ
	case xrMOSCQ:
		return &x.MOSCQ
	}
	return nil
}

func wordMember(member uint8, x *voice.VoIPMetrics) *uint16 {
	switch member {
	case xrBurstMS:
		return &x.BurstMS
	case xrGapMS, xrGapMSOld:
		return &x.GapMS
	case xrRoundTrip:
		return &x.RoundTripMS
	case xrEndSystem, xrEndSys:
		return &x.EndSystemMS
	case xrNominal, xrNominalLower:
		return &x.BufferNominalMS
	case xrMax, xrMaxLower:
		return &x.BufferMaxMS
	case xrAbsMax, xrAbsMaxLower:
		return &x.BufferAbsMaxMS
	}
	return nil
}

// tenths takes a MOS of heplify 2, which writes tenths with a point (12.7 is its "unavailable"), takes the listening score for the conversational
// one, and the other way round. 0 is no MOS.
func tenths(member uint8, n int64, x *voice.VoIPMetrics) {
	switch {
	case n <= 0 || n > voice.Unavailable:
	case member == xrMOSCQLower:
		x.MOSLQ = uint8(n)
	default:
		x.MOSCQ = uint8(n)
	}
}

// rxConf puts captagent's list of one object together again: PLC in bits 7-6, the buffer's kind in 5-4, its rate in 3-0.
func rxConf(s *jsonScan) (config uint8) {
	if !s.open('[') {
		return 0
	}
	for first := true; s.next(']', first); first = false {
		if !s.open('{') {
			continue
		}
		for inner := true; s.next('}', inner); inner = false {
			key := s.key()
			v, _, _ := s.number()
			switch string(key) {
			case "PLC":
				config |= uint8(v&3) << 6
			case "JB_adapt":
				config |= uint8(v&3) << 4
			case "JB_rate":
				config |= uint8(v & 15)
			}
		}
	}
	return config
}
