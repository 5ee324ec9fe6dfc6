package mos

// Sources of figures. All ITU figures are from secondary transcriptions.
const (
	fromG113     = "ITU-T G.113 App. I, Tables I.1 and I.4"
	fromG113A    = fromG113 + "; one transcription says 10"
	fromG113WB   = "ITU-T G.113 (09/2024) App. IV, Table IV.1 (handset)"
	fromG113WBDi = "ITU-T G.113 (09/2024) App. IV, Table IV.4 (headphones, random loss)"
	fromG113FB   = "ITU-T G.113 (09/2024) App. V, Table V.1 with Erratum 1 (EVS in SWB mode, headphones)"
	fromTelektr  = "solved back from De Vleeschauwer et al., Telektronikk, Table 3"
	fromOpus     = "Alahmadi, Pocta, Melvin, ACM TOMM 17(4) 133, 2021: instrumental, random loss"
	fromAuthor   = "recalled; no source could be read"
	fromDefault  = "none published; the default of ITU-T G.107, the least robust"
	fromRelative = "none published; taken from its relative "
	byDefinition = "by definition of the scale"
	noSource     = "none published"
)

func itu(v float64) Figure            { return Figure{v, Verified, fromG113} }
func noBpl() Figure                   { return Figure{4.3, Proxy, fromDefault} }
func like(v float64, n string) Figure { return Figure{v, Proxy, fromRelative + n} }
func recalled(v float64) Figure       { return Figure{v, Recalled, fromAuthor} }
func nothing() Figure                 { return Figure{0, Unknown, noSource} }

// Codecs is the table of codecs, each with the grade and the source of its figures. The slice is the caller's.
func Codecs() []Codec {
	rows := narrowbandCodecs()
	rows = append(rows, mobileCodecs()...)
	rows = append(rows, widebandCodecs()...)
	rows = append(rows, evsCodecs()...)
	rows = append(rows, opusCodecs()...)
	return append(rows, codecsWithoutFigures()...)
}

// G711 is G.711 with packet-loss concealment as in its Appendix I: what most telephones do today, and what stands for an unknown codec of 64 kbit/s.
func G711() Codec {
	return Codec{Name: "G.711", Ie: itu(0), Bpl: itu(25.1), FrameMs: 0.125, PLCMs: 3.75, ClockHz: 8000}
}

// G711NoPLC is G.711 that fills gaps with silence.
func G711NoPLC() Codec {
	return Codec{Name: "G.711-noplc", Ie: itu(0), Bpl: itu(4.3), FrameMs: 0.125, ClockHz: 8000}
}

func narrowbandCodecs() []Codec {
	second := func(v float64) Figure { return Figure{v, Secondary, fromG113} }
	g726 := func(name string, ie Figure) Codec {
		return Codec{Name: name, Ie: ie, Bpl: noBpl(), FrameMs: 0.125, ClockHz: 8000}
	}
	g729 := func(name string, ie, bpl Figure) Codec {
		return Codec{Name: name, Ie: ie, Bpl: bpl, FrameMs: 10, LookAheadMs: 5, ClockHz: 8000}
	}
	g728 := func(kbps, ie float64) Codec {
		return Codec{Name: "G.728", Kbps: kbps, Ie: itu(ie), Bpl: noBpl(), FrameMs: 0.625, ClockHz: 8000}
	}
	g723 := func(name string, kbps, ie float64, bpl Figure) Codec {
		return Codec{Name: name, Kbps: kbps, Ie: itu(ie), Bpl: bpl, FrameMs: 30, LookAheadMs: 7.5, ClockHz: 8000}
	}
	return []Codec{
		G711(), G711NoPLC(),
		g726("G.726-40", itu(2)), g726("G.726-32", itu(7)), g726("G.726-24", second(25)), g726("G.726-16", second(50)),
		g728(16, 7), g728(12.8, 20),
		g729("G.729", itu(10), like(19, "G.729A with VAD")), g729("G.729A", Figure{11, Secondary, fromG113A}, like(19, "G.729A with VAD")), g729("G.729B", itu(11), itu(19)),
		g723("G.723.1", 5.3, 19, noBpl()), g723("G.723.1", 6.3, 15, like(16.1, "G.723.1 with VAD")), g723("G.723.1A", 6.3, 15, itu(16.1)),
		{Name: "L16", Ie: Figure{0, Verified, byDefinition}, Bpl: noBpl(), ClockHz: 8000},
	}
}

func mobileCodecs() []Codec {
	gsm := func(name string, lookAhead, ie float64, bpl Figure) Codec {
		return Codec{Name: name, Ie: itu(ie), Bpl: bpl, FrameMs: 20, LookAheadMs: lookAhead, ClockHz: 8000}
	}
	rows := []Codec{gsm("GSM-FR", 0, 20, noBpl()), gsm("GSM-HR", 4.4, 23, noBpl()), gsm("GSM-EFR", 0, 5, itu(10))}
	for _, m := range [][2]float64{{12.2, 5}, {10.2, 6}, {7.95, 10}, {7.4, 12}, {6.7, 14}, {5.9, 17}, {5.15, 20}, {4.75, 21}} {
		c := Codec{Name: "AMR", Kbps: m[0], Ie: Figure{m[1], Provisional, fromTelektr}, Bpl: noBpl(), FrameMs: 20, LookAheadMs: 5, ClockHz: 8000}
		if c.Kbps == 12.2 {
			c.Bpl, c.LookAheadMs = like(10, "GSM-EFR"), 0
		}
		rows = append(rows, c)
	}
	return rows
}

func widebandCodecs() []Codec {
	var rows []Codec
	for _, m := range [][3]float64{
		{6.6, 41}, {8.85, 26}, {12.65, 13, 4.3}, {14.25, 10}, {15.85, 7}, {18.25, 5}, {19.85, 3}, {23.05, 1, 4.6}, {23.85, 8, 4.9},
	} {
		c := Codec{Name: "AMR-WB", Kbps: m[0], Scale: WB, Ie: Figure{m[1], Secondary, fromG113WB}, Bpl: noBpl(), FrameMs: 20, LookAheadMs: 5.94, ClockHz: 16000}
		if m[2] != 0 {
			c.Bpl = Figure{m[2], Provisional, fromG113WBDi}
		}
		rows = append(rows, c)
	}
	for _, m := range [][2]float64{{64, 13}, {56, 20}, {48, 31}} {
		rows = append(rows, Codec{Name: "G.722", Kbps: m[0], Scale: WB, Ie: recalled(m[1]), Bpl: noBpl(), FrameMs: 0.125, LookAheadMs: 1.5, ClockHz: 8000})
	}
	for _, m := range [][2]float64{{32, 13}, {24, 19}} {
		rows = append(rows, Codec{Name: "G.722.1", Kbps: m[0], Scale: WB, Ie: recalled(m[1]), Bpl: noBpl(), FrameMs: 20, LookAheadMs: 20, ClockHz: 16000})
	}
	return append(rows, Codec{Name: "L16-16k", Scale: WB, Ie: Figure{0, Verified, byDefinition}, Bpl: noBpl(), ClockHz: 16000})
}

func evsCodecs() []Codec {
	var rows []Codec
	for _, m := range [][3]float64{{48, 10.2, 9.6}, {32, 8.7, 9.3}, {24.4, 7.2, 11.4}, {16.4, 10.8, 10.3}, {13.2, 17.1, 11.7}, {9.6, 22.7, 13}} {
		rows = append(rows, Codec{
			Name: "EVS", Kbps: m[0], Scale: FB, Ie: Figure{m[1], Verified, fromG113FB}, Bpl: Figure{m[2], Verified, fromG113FB},
			FrameMs: 20, LookAheadMs: 12, ClockHz: 16000,
		})
	}
	return rows
}

// opusCodecs are by audio band and by variable or constant bit rate. "Opus" is super-wideband at a variable rate. Each row: kbit/s, Ie, Bpl.
func opusCodecs() []Codec {
	var rows []Codec
	for _, band := range []struct {
		name  string
		scale Scale
		modes [][3]float64
	}{
		{"Opus", FB, [][3]float64{
			{14, 38.1, 16.5},
			{15, 34.1, 15},
			{16, 30.2, 11.8},
			{19, 23.8, 10.7},
			{22, 20.2, 10.5},
			{25, 20.2, 11.3},
			{28, 18.5, 10.6},
			{31, 16.8, 10.4},
			{34, 14.8, 10.1},
			{37, 12.1, 10.4},
			{40, 10.7, 9.8},
		}},
		{"Opus-CBR", FB, [][3]float64{
			{16, 36.9, 13.3}, {19, 29.6, 10.7}, {22, 23.4, 10}, {25, 22.6, 10.6}, {28, 23.7, 11.7}, {31, 21.7, 11.5}, {34, 20.6, 11.8}, {37, 16.2, 10.6}, {40, 15.9, 11.4},
		}},
		{"Opus-WB", WB, [][3]float64{{11, 28.4, 23.9}, {12, 23.3, 22.2}, {13, 20, 19.5}}},
		{"Opus-WB-CBR", WB, [][3]float64{{12, 29.8, 24.8}, {13, 26.2, 23}, {14, 20.8, 17.6}, {15, 18.1, 18.7}}},
		{"Opus-NB", NB, [][3]float64{{6, 23, 24.6}, {7, 21.3, 22.5}, {8, 16, 20.3}, {9, 11.7, 18.9}}},
		{"Opus-NB-CBR", NB, [][3]float64{{6, 46.3, 8.9}, {7, 31.7, 18.2}, {8, 19.2, 15.1}, {9, 13.2, 17.2}, {10, 6.2, 15.3}, {11, 2, 16}}},
	} {
		for _, m := range band.modes {
			rows = append(rows, Codec{
				Name: band.name, Kbps: m[0], Scale: band.scale, Ie: Figure{m[1], Provisional, fromOpus}, Bpl: Figure{m[2], Provisional, fromOpus},
				FrameMs: 20, LookAheadMs: 6.5, ClockHz: 48000,
			})
		}
	}
	return rows
}

// codecsWithoutFigures are known by name and timing only. They cannot be rated unless the caller brings figures.
func codecsWithoutFigures() []Codec {
	none := func(name string, kbps float64, s Scale, frame, lookAhead float64, clock uint32) Codec {
		return Codec{Name: name, Kbps: kbps, Scale: s, Ie: nothing(), Bpl: nothing(), FrameMs: frame, LookAheadMs: lookAhead, ClockHz: clock}
	}
	return []Codec{
		none("G.729D", 0, NB, 10, 5, 8000), none("G.729E", 0, NB, 10, 5, 8000),
		none("iLBC", 15.2, NB, 20, 5, 8000), none("iLBC", 13.33, NB, 30, 10, 8000),
		none("Speex", 0, NB, 20, 10, 8000), none("Speex-WB", 0, WB, 20, 14, 16000), none("SILK", 0, NB, 20, 5, 8000),
		none("EVS-WB", 0, WB, 20, 12, 16000), none("EVS-NB", 0, NB, 20, 12, 16000), none("LC3plus", 0, FB, 0, 0, 0),
	}
}
