package wire

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"vigia/collectors/voice"
)

// The messages are written after the senders' formats (key names, types, order), with figures of our own: Alice
// (2703024129) sends, and has received from Bob (2964324354).
const (
	fromRTPEngine = `{"sender_information":{"ntp_timestamp_sec":3998000000,"ntp_timestamp_usec":2147483648,"octets":160000,"rtp_timestamp":160000,"packets":1000},` +
		`"ssrc":2703024129,"type":200,"report_count":1,"report_blocks":[{"source_ssrc":2964324354,"highest_seq_no":69778,"fraction_lost":26,"ia_jitter":88,` +
		`"packets_lost":101,"lsr":305419896,"dlsr":65536}],"sdes_ssrc":2703024129,"sdes_report_count":1,` +
		`"sdes_information":[{"sdes_chunk_ssrc":2703024129,"type":1,"text":"alice@192.0.2.1"},{"sdes_chunk_ssrc":2703024129,"type":6,"text":"tool"}]}`
	fromCaptagent = `{"sender_information":{"ntp_timestamp_sec":3998000000,"ntp_timestamp_usec":2147483648,"octets":160000,"rtp_timestamp":160000, "packets":1000},` +
		`"ssrc":2703024129,"type":200, "report_blocks":[{"source_ssrc":2964324354,"highest_seq_no":69778,"fraction_lost":26,"ia_jitter":88,` +
		`"packets_lost":-101,"lsr":305419896,"dlsr":65536}],"report_count":1,"sdes_ssrc":2703024129,"sdes_information": [ {"type":1,"text":"alice@192.0.2.1"},],"sdes_report_count":1}`
	fromHeplify = `{"sender_information":{"ntp_timestamp_sec":3998000000,"ntp_timestamp_usec":2147483648,"rtp_timestamp":160000,"packets":1000,"octets":160000},` +
		`"ssrc":2703024129,"type":202,"report_count":1,"report_blocks":[{"source_ssrc":2964324354,"fraction_lost":26,"packets_lost":16777215,"highest_seq_no":69778,` +
		`"ia_jitter":88,"lsr":305419896,"dlsr":65536}],"report_blocks_xr":{"type":0,"id":0,"fraction_lost":0,"fraction_discard":0,"burst_density":0,"gap_density":0,` +
		`"burst_duration":0,"gap_duration":0,"round_trip_delay":0,"end_system_delay":0},"sdes_ssrc":2703024129}`
	fromHeplifyRR = `{"sender_information":{"ntp_timestamp_sec":0,"ntp_timestamp_usec":0,"rtp_timestamp":0,"packets":0,"octets":0},"ssrc":2703024129,"type":201,"report_count":1,` +
		`"report_blocks":[{"source_ssrc":2964324354,"fraction_lost":26,"packets_lost":101,"highest_seq_no":69778,"ia_jitter":88,"lsr":305419896,"dlsr":65536}],` +
		`"report_blocks_xr":{"type":7,"id":2964324354,"fraction_lost":5,"fraction_discard":7,"burst_density":90,"gap_density":2,` +
		`"burst_duration":640,"gap_duration":9000,"round_trip_delay":120,"end_system_delay":85},"sdes_ssrc":0}`
	fromHeplify2XR = `{"sender_information":{"ntp_timestamp_sec":0,"ntp_timestamp_usec":0,"rtp_timestamp":0,"packets":0,"octets":0},"ssrc":2703024129,"type":207,"report_count":0,` +
		`"report_blocks":null,"report_blocks_xr":{"type":7,"id":2964324354,"fraction_lost":5,"fraction_discard":7,"burst_density":90,"gap_density":2,` +
		`"burst_duration":640,"gap_duration":9000,"round_trip_delay":120,"end_system_delay":85},"voip_metrics":{"ssrc":2964324354,"loss_rate":5,"discard_rate":7,` +
		`"burst_density":90,"gap_density":2,"burst_duration":640,"gap_duration":9000,"round_trip_delay":120,"end_system_delay":85,"signal_level":-15,"noise_level":-60,` +
		`"rerl":55,"gmin":16,"r_factor":88,"ext_r_factor":127,"mos_cq":4.1,"mos_lq":3.9,"rx_config":243,"jb_nominal":60,"jb_maximum":120,"jb_abs_max":240},"sdes_ssrc":0}`
	fromAsterisk = `{"ssrc":2703024129,"type":200,"report_count":2,"sender_information":{"ntp_timestamp_sec":"1789011200","ntp_timestamp_usec":"500000",` +
		`"rtp_timestamp":160000,"packets":1000,"octets":160000},"report_blocks":[{"source_ssrc":2964324354,"fraction_lost":26,"packets_lost":101,` +
		`"highest_seq_no":69778,"ia_jitter":88,"lsr":"305419896","dlsr":65536}]}`
	fromHepipe = `{"type":200,"ssrc":2703024129,"report_count":48211,"report_blocks":[{"source_ssrc":2703024129,"fraction_lost":26,"packets_lost":-3,` +
		`"highest_seq_no":69778,"lsr":305419896,"ia_jitter":88,"dlsr":65536}],"sender_information":{"packets":250,"ntp_timestamp_sec":3998000000,` +
		`"ntp_timestamp_usec":2147483648,"rtp_timestamp":160000,"octets":160000}}`
	fromCaptagentXR = `{"ssrc":2703024129,"type":207,"Extended_report_information":{"identifier":2964324354, "loss_rate":5, "discard_rate":7, "burst_rate":90, "gap_rate":2, ` +
		`"burst_duration":640, "gap_duration":9000, "round_trip_delay":120, "end_sys_delay":85, "signal_lev":241, "noise_lev":196, "RERL":55, "Gmin":16, "R_fact":88, ` +
		`"ext_R_fact":127, "MOS_LQ":41, "MOS_CQ":39, "RX_conf":[{"PLC":3, "JB_adapt":3, "JB_rate":3}], "JB_nom":60, "JB_max":120, "JB_abs_max":240}`
)

func TestRTCPJSON(t *testing.T) {
	name := voice.HashName([]byte("alice@192.0.2.1"))
	sr := func(change func(*voice.Report)) voice.Report { return with(fromAlice(0), change) }
	rr := func(more voice.Fields) voice.Report {
		return sr(func(r *voice.Report) {
			r.Has = voice.HasReporter | blockBits | more
			r.SenderNTP, r.SenderRTP, r.SentPackets, r.SentOctets = 0, 0, 0, 0
		})
	}
	short := noMetrics()
	short.LossRate, short.DiscardRate, short.BurstDensity, short.GapDensity = 5, 7, 90, 2
	short.BurstMS, short.GapMS, short.RoundTripMS, short.EndSystemMS = 640, 9000, 120, 85
	alone := voice.Report{Has: voice.HasReporter | voice.HasSource | voice.HasVoIP, Reporter: alice, Source: bob, VoIP: wantVoIP}
	named := func(r *voice.Report) { r.Has |= voice.HasCNAME; r.CNAME = name }

	for title, tt := range map[string]struct {
		data    string
		told    Dialect
		dialect Dialect
		want    []voice.Report
		stats   JSONStats
	}{
		"rtpengine":         {fromRTPEngine, 0, DialectRTPEngine, []voice.Report{sr(named)}, JSONStats{}},
		"captagent":         {fromCaptagent, 0, DialectPlain, []voice.Report{sr(func(r *voice.Report) { named(r); r.CumulativeLost = -101 })}, JSONStats{}},
		"captagent, told":   {fromCaptagent, DialectCaptagent, DialectCaptagent, []voice.Report{sr(func(r *voice.Report) { named(r); r.CumulativeLost = -101 })}, JSONStats{}},
		"captagent's XR":    {fromCaptagentXR, 0, DialectPlain, []voice.Report{alone}, JSONStats{Cut: true}},
		"heplify":           {fromHeplify, 0, DialectHeplify, []voice.Report{sr(func(r *voice.Report) { r.CumulativeLost = -1 })}, JSONStats{}},
		"heplify, RR":       {fromHeplifyRR, 0, DialectHeplify, []voice.Report{with(rr(voice.HasVoIP), func(r *voice.Report) { r.VoIP = short })}, JSONStats{}},
		"heplify 2, XR":     {fromHeplify2XR, 0, DialectHeplify, []voice.Report{alone}, JSONStats{}},
		"heplify 2, no MOS": {strings.NewReplacer(`4.1`, `12.7`, `3.9`, `12.7`).Replace(fromHeplify2XR), 0, DialectHeplify, []voice.Report{with(alone, func(r *voice.Report) { r.VoIP.MOSLQ, r.VoIP.MOSCQ = 127, 127 })}, JSONStats{}},
		"heplify, SDES alone with its SR's figures": {
			strings.Replace(strings.Replace(fromHeplify, `"ssrc":2703024129`, `"ssrc":0`, 1), `"packets_lost":16777215`, `"packets_lost":101`, 1), 0, DialectHeplify, []voice.Report{fromAlice(0)}, JSONStats{},
		},
		"Asterisk": {fromAsterisk, 0, DialectAsterisk, []voice.Report{sr(func(r *voice.Report) { r.Has |= voice.RoundedTime })}, JSONStats{}},
		"Asterisk, RR": {
			`{"ssrc":2703024129,"type":201,"report_count":1,"sender_information":null,"report_blocks":[{"source_ssrc":2964324354,"fraction_lost":26,"packets_lost":101,` +
				`"highest_seq_no":69778,"ia_jitter":88,"lsr":"305419896","dlsr":65536}]}`, 0, DialectPlain, []voice.Report{rr(0)}, JSONStats{},
		},
		"hepipe.js": {fromHepipe, 0, DialectFreeSWITCH, []voice.Report{sr(func(r *voice.Report) {
			r.Has = r.Has&^(voice.HasCumulative|voice.HasSenderCounts) | voice.HasLostSince
			r.Source, r.LostSince, r.CumulativeLost, r.SentPackets, r.SentOctets = alice, -3, 0, 0, 0
		})}, JSONStats{}},
		"rtpengine, told to be hepipe.js": {fromRTPEngine, DialectFreeSWITCH, DialectFreeSWITCH, []voice.Report{sr(func(r *voice.Report) {
			named(r)
			r.Has = r.Has&^(voice.HasCumulative|voice.HasSenderCounts) | voice.HasLostSince
			r.LostSince, r.CumulativeLost, r.SentPackets, r.SentOctets = 101, 0, 0, 0
		})}, JSONStats{}},
		"hepgen: fraction beyond 32 bits, signed LSR, no count": {
			`{"type":200,"ssrc":2703024129,"report_count":0,"report_blocks":[{"source_ssrc":2964324354,"highest_seq_no":69778,"fraction_lost":26,"ia_jitter":88,"packets_lost":101,` +
				`"lsr":-1097006646,"dlsr":65536}],"sender_information":{"packets":1000,"octets":160000,"ntp_timestamp_sec":3998000000,"ntp_timestamp_usec":13217348104192,"rtp_timestamp":160000}}`,
			0, DialectPlain,
			[]voice.Report{sr(func(r *voice.Report) {
				r.SenderNTP = 3_998_000_000<<32 | 13217348104192&0xffffffff
				r.LSR = 3197960650
			})},
			JSONStats{},
		},
		"home-made, Unix time": {
			strings.NewReplacer("3998000000", "1789011200", "2147483648", "500000", `"sdes_chunk_ssrc":2703024129,`, "").Replace(fromRTPEngine), 0, DialectPlain,
			[]voice.Report{sr(func(r *voice.Report) { named(r); r.Has |= voice.RoundedTime })},
			JSONStats{},
		},
		"all in quotes": {
			`{"ssrc":"2703024129","type":"201","report_blocks":[{"source_ssrc":"2964324354","fraction_lost":"26","packets_lost":"101","highest_seq_no":"69778","ia_jitter":"88",` +
				`"lsr":"305419896","dlsr":"65536"}]}`, 0, DialectPlain, []voice.Report{rr(0)}, JSONStats{},
		},
		"as floating point": {
			`{"ssrc":2.703024129e9,"type":201.0,"report_blocks":[{"source_ssrc":2964324354.0,"fraction_lost":26.9,"packets_lost":1.01E2,"highest_seq_no":69778,"ia_jitter":88,` +
				`"lsr":305419896,"dlsr":65536}]}`, 0, DialectPlain, []voice.Report{rr(0)}, JSONStats{},
		},
		"SR without blocks, null": {
			strings.Replace(fromHeplify[:strings.Index(fromHeplify, `,"report_blocks"`)], "202", "200", 1) + `,"report_blocks":null}`, 0, DialectPlain,
			[]voice.Report{sr(func(r *voice.Report) {
				*r = voice.Report{Has: voice.HasReporter | senderBits, Reporter: alice, SenderNTP: r.SenderNTP, SenderRTP: r.SenderRTP, SentPackets: 1000, SentOctets: 160000}
			})},
			JSONStats{},
		},
		"RR without blocks": {`{"ssrc":2703024129,"type":201,"report_count":0,"report_blocks":[]}`, 0, DialectPlain, []voice.Report{{Has: voice.HasReporter, Reporter: alice}}, JSONStats{}},
		"captagent, SR without ssrc": {
			`{"sender_information":{"ntp_timestamp_sec":0,"ntp_timestamp_usec":0,"octets":9,"rtp_timestamp":7, "packets":8},"sdes_ssrc":2703024129}`, 0, DialectPlain,
			[]voice.Report{{Has: voice.HasReporter | voice.HasSenderCounts, Reporter: alice, SentPackets: 8, SentOctets: 9}},
			JSONStats{},
		},
		"SR and RR of one packet, keys twice": {
			`{"ssrc":2703024129,"type":200,"report_blocks":[{"source_ssrc":1,"fraction_lost":2}],"ssrc":2703024129,"type":201,"report_blocks":[{"source_ssrc":3,"fraction_lost":4}]}`, 0, DialectPlain,
			[]voice.Report{
				{Has: voice.HasReporter | voice.HasSource | voice.HasFraction, Reporter: alice, Source: 1, FractionLost: 2},
				{Has: voice.HasReporter | voice.HasSource | voice.HasFraction, Reporter: alice, Source: 3, FractionLost: 4},
			},
			JSONStats{},
		},
		"impossible fraction, strange members": {
			`{"more":{"deep":[[[{"ssrc":9}]]]},"ssrc":2703024129,"report_blocks":[{"source_ssrc":5,"fraction_lost":256,"ia_jitter":true,"x":"\"}"}, {}, 7, null]}`, 0, DialectPlain,
			[]voice.Report{{Has: voice.HasReporter | voice.HasSource, Reporter: alice, Source: 5}},
			JSONStats{},
		},
	} {
		t.Run(title, func(t *testing.T) {
			var d JSONDecoder
			var sink recorder
			d.Begin(testSeen, []byte("call"), 0)
			stats, err := d.Decode([]byte(tt.data), tt.told, &sink)
			if err != nil {
				t.Fatal(err)
			}
			tt.stats.Dialect, tt.stats.Reports = tt.dialect, len(tt.want)
			if stats != tt.stats {
				t.Errorf("stats %+v, want %+v", stats, tt.stats)
			}
			sameReports(t, sink.reports, tt.want)
		})
	}
}

func TestRTCPJSONRefused(t *testing.T) {
	for title, tt := range map[string]struct {
		data string
		want error
	}{
		"empty":             {"", ErrNotJSON},
		"text":              {"INVITE sip:", ErrNotJSON},
		"a list":            {`[{"ssrc":1}]`, ErrNotJSON},
		"no colon":          {`{"ssrc" 1}`, ErrNotJSON},
		"no comma":          {`{"ssrc":1 "type":200}`, ErrNotJSON},
		"cut in a number":   {`{"type":200,"ssrc":12`, ErrNotJSON},
		"cut in a key":      {`{"type":200,"ssr`, ErrNotJSON},
		"nothing of ours":   {`{"a":1}`, ErrNoFigures},
		"SDES alone":        {`{"ssrc":0,"type":202,"report_blocks":null,"sdes_ssrc":5}`, ErrNoFigures},
		"more than we read": {`{"a":"` + strings.Repeat("x", maxRTCPJSON) + `"}`, ErrJSONTooLarge},
	} {
		var d JSONDecoder
		var sink recorder
		if _, err := d.Decode([]byte(tt.data), DialectAuto, &sink); !errors.Is(err, tt.want) || len(sink.reports) > 0 {
			t.Errorf("%s: %v with %d reports, want %v", title, err, len(sink.reports), tt.want)
		}
	}
}

// TestRTCPJSONBeside covers what comes beside a message: the MOS chunk, addresses that lie, and more blocks than RTCP has.
func TestRTCPJSONBeside(t *testing.T) {
	var d JSONDecoder
	var sink recorder
	lies := testSeen
	lies.Dst = netip.MustParseAddrPort("127.0.0.1:5000")
	d.Begin(lies, nil, 4.25)
	if _, err := d.Decode([]byte(fromHepipe), DialectAuto, &sink); err != nil {
		t.Fatal(err)
	}
	if r := sink.reports[0]; r.Seen.Src.IsValid() || r.Seen.Dst.IsValid() || !r.Has.Has(voice.HasVendorMOS) || r.VendorMOS != 4.25 {
		t.Errorf("%+v", r)
	}
	d.Begin(lies, nil, 0)
	if _, err := d.Decode([]byte(fromRTPEngine), DialectAuto, &sink); err != nil {
		t.Fatal(err)
	}
	if r := sink.reports[1]; r.Seen != lies || r.Has.Has(voice.HasVendorMOS) {
		t.Errorf("%+v", r)
	}
	sink = recorder{}
	stats, err := d.Decode([]byte(`{"ssrc":1,"report_blocks":[`+strings.Repeat(`{"source_ssrc":2},`, 40)+`]}`), DialectAuto, &sink)
	if err != nil || stats.Reports != maxJSONBlocks || !stats.Excess {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestParseDialect(t *testing.T) {
	for d := range dialectCount {
		if got, ok := ParseDialect(d.String()); !ok || got != d {
			t.Errorf("%s: %s, %v", d, got, ok)
		}
	}
	if d, ok := ParseDialect(""); !ok || d != DialectAuto {
		t.Errorf("empty: %s, %v", d, ok)
	}
	if _, ok := ParseDialect("homer"); ok || dialectCount.String() != "unknown" {
		t.Error("homer is no dialect")
	}
}
