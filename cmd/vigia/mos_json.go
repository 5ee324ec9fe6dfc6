package main

import (
	"encoding/json"
	"io"

	"vigia/mos"
)

// scoreJSON is what vigia mos --json writes. R and its parts are in R of the scale, everything in attribution in MOS.
type scoreJSON struct {
	mappingJSON

	Ro          float64         `json:"Ro"`
	Is          float64         `json:"Is"`
	Idte        float64         `json:"Idte"`
	Idle        float64         `json:"Idle"`
	Idd         float64         `json:"Idd"`
	IeEff       float64         `json:"IeEff"`
	Listening   bool            `json:"listening"` // no delay is known
	Assumed     []string        `json:"assumed"`
	Outside     []string        `json:"outside"`  // inputs outside their permitted range
	Cautions    []string        `json:"cautions"` // limits of the model
	Late        lateJSON        `json:"late"`
	Attribution attributionJSON `json:"attribution"`
	Fixed       attributionJSON `json:"fixed"` // the MOS without the one cause
}

// mappingJSON is an R and what follows from it alone; vigia mos --r and --mos write no more.
type mappingJSON struct {
	Scale    string  `json:"scale"`
	R        float64 `json:"R"`
	MOS      float64 `json:"MOS"`
	GoB      float64 `json:"GoB"`
	PoW      float64 `json:"PoW"`
	Category string  `json:"category"`
}

// lateJSON is late loss, per cent of what arrived, and the range of R that its uncertainty makes.
type lateJSON struct {
	Pct     float64 `json:"pct"`
	LowPct  float64 `json:"low_pct"`
	HighPct float64 `json:"high_pct"`
	LowR    float64 `json:"low_R"`
	HighR   float64 `json:"high_R"`
}

type attributionJSON struct {
	Delay float64 `json:"delay"`
	Loss  float64 `json:"loss"`
	Late  float64 `json:"late"`
	Codec float64 `json:"codec"`
}

// codecJSON is one line of vigia mos --codecs --json.
type codecJSON struct {
	Codec     string   `json:"codec"`
	Scale     string   `json:"scale"`
	Ie        *float64 `json:"Ie"` // null: nobody has published one
	IeGrade   string   `json:"Ie_grade"`
	IeSource  string   `json:"Ie_source"`
	Bpl       *float64 `json:"Bpl"`
	BplGrade  string   `json:"Bpl_grade"`
	BplSource string   `json:"Bpl_source"`
}

func mapping(scale mos.Scale, r float64) mappingJSON {
	return mappingJSON{Scale: scale.String(), R: r, MOS: mos.MOS(scale, r), GoB: mos.GoB(scale, r), PoW: mos.PoW(scale, r), Category: mos.BandOf(scale, r).String()}
}

func writeScoreJSON(w io.Writer, s *mos.Score) error {
	a := s.Attribution()
	return json.NewEncoder(w).Encode(scoreJSON{
		mappingJSON: mapping(s.Scale, s.R),
		Ro:          s.Ro, Is: s.Is, Idte: s.Idte, Idle: s.Idle, Idd: s.Idd, IeEff: s.IeEff,
		Listening: s.Listening(), Assumed: s.Assumed.Words(), Outside: s.Outside.Names(), Cautions: s.Cautions.Texts(),
		Late:        lateJSON{s.Late.Pct, s.Late.LowPct, s.Late.HighPct, s.LowR, s.HighR},
		Attribution: attributionJSON(a.Lost), Fixed: attributionJSON(a.Fixed),
	})
}

func codecAsJSON(c *mos.Codec) codecJSON {
	value := func(f mos.Figure) *float64 {
		if f.Grade == mos.Unknown {
			return nil
		}
		return &f.Value
	}
	return codecJSON{
		Codec: c.Label(), Scale: c.Scale.String(), Ie: value(c.Ie), IeGrade: c.Ie.Grade.String(), IeSource: c.Ie.Source,
		Bpl: value(c.Bpl), BplGrade: c.Bpl.Grade.String(), BplSource: c.Bpl.Source,
	}
}
