package mos

import (
	"errors"
	"strings"
	"testing"
)

func TestFindCodec(t *testing.T) {
	for text, want := range map[string]struct {
		label   string
		ie, bpl float64
	}{
		"G.711":       {"G.711", 0, 25.1},
		"pcmu":        {"G.711", 0, 25.1},
		"PCMA":        {"G.711", 0, 25.1},
		"g711-noplc":  {"G.711-noplc", 0, 4.3},
		"G729":        {"G.729", 10, 19},
		"G.729A":      {"G.729A", 11, 19},
		"G729AB":      {"G.729B", 11, 19},
		"G723@6.3":    {"G.723.1@6.3", 15, 16.1},
		"G.723.1@5.3": {"G.723.1@5.3", 19, 4.3},
		"G.723.1A":    {"G.723.1A@6.3", 15, 16.1},
		"G726-32":     {"G.726-32", 7, 4.3},
		"G721":        {"G.726-32", 7, 4.3},
		"GSM":         {"GSM-FR", 20, 4.3},
		"GSM-EFR":     {"GSM-EFR", 5, 10},
		"AMR@12.2":    {"AMR@12.2", 5, 10},
		"AMR-WB@23.85": {
			"AMR-WB@23.85", 8, 4.9,
		},
		"G722@64":     {"G.722@64", 13, 4.3},
		"EVS@24.4":    {"EVS@24.4", 7.2, 11.4},
		"EVS@32":      {"EVS@32", 8.7, 9.3},
		"opus@40":     {"Opus@40", 10.7, 9.8},
		"opus-nb@6":   {"Opus-NB@6", 23, 24.6},
		"AMR-WB@12.7": {"AMR-WB@12.65", 13, 4.3}, // within a hundredth
		"G722":        {"G.722@64", 13, 4.3},
		"G728":        {"G.728@16", 7, 4.3},
		"PCMU@64":     {"G.711", 0, 25.1},
		"L16":         {"L16", 0, 4.3},
		"G.728@12.8":  {"G.728@12.8", 20, 4.3},
	} {
		c, err := ParseCodec(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.Label() != want.label || c.Ie.Value != want.ie || c.Bpl.Value != want.bpl {
			t.Errorf("%s: %s, Ie %g, Bpl %g; want %+v", text, c.Label(), c.Ie.Value, c.Bpl.Value, want)
		}
	}
}

func TestFindCodecRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"":              ErrUnknownCodec,
		"...":           ErrUnknownCodec,
		"é":             ErrUnknownCodec,
		"G.999":         ErrUnknownCodec,
		"telephone":     ErrUnknownCodec,
		"AMR-WB":        ErrWhichRate,
		"AMR-WB@12":     ErrWhichRate,
		"opus":          ErrWhichRate,
		"AMR-WB@x":      ErrWhichRate,
		"AMR-WB@-1":     ErrWhichRate,
		"AMR-WB@Inf":    ErrWhichRate,
		"AMR-WB@NaN":    ErrWhichRate,
		"G.729D":        ErrNoFigures,
		"iLBC@15.2":     ErrNoFigures,
		"Speex":         ErrNoFigures,
		"SILK":          ErrNoFigures,
		"EVS-WB":        ErrNoFigures,
		"LC3plus":       ErrNoFigures,
		"G.723.1@12.65": ErrWhichRate,
	} {
		if c, err := ParseCodec(text); !errors.Is(err, want) {
			t.Errorf("%s: %s, %v; want %v", text, c.Label(), err, want)
		}
	}
	_, err := ParseCodec("EVS")
	if err == nil || !strings.Contains(err.Error(), "EVS@13.2") {
		t.Errorf("the rates are not named: %v", err)
	}
}

func TestNearestRate(t *testing.T) {
	for _, c := range []struct {
		name string
		kbps float64
		want string
	}{{"AMR-WB", 12.3, "AMR-WB@12.65"}, {"AMR-WB", 2, "AMR-WB@6.6"}, {"opus", 64, "Opus@40"}, {"G722", 63.7, "G.722@64"}, {"PCMU", 62, "G.711"}} {
		if got, err := NearestRate(c.name, c.kbps); err != nil || got.Label() != c.want {
			t.Errorf("%s at %g: %s, %v", c.name, c.kbps, got.Label(), err)
		}
	}
	for name, want := range map[string]error{"AMR-WB": ErrWhichRate, "nothing": ErrUnknownCodec, "iLBC": ErrWhichRate} {
		if _, err := NearestRate(name, 0); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NearestRate("iLBC", 14); !errors.Is(err, ErrNoFigures) {
		t.Error(err)
	}
}

// TestTable: each row is found by its own label, says where its figures are from, and has figures that the model can use.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Codecs() {
		label := c.Label()
		if seen[label] {
			t.Errorf("%s stands there twice", label)
		}
		seen[label] = true
		found, err := ParseCodec(label)
		if c.Ie.Grade == Unknown {
			if !errors.Is(err, ErrNoFigures) || c.Ie.Value != 0 || c.Bpl.Value != 0 {
				t.Errorf("%s has no figures, and gives %v, Ie %g, Bpl %g", label, err, c.Ie.Value, c.Bpl.Value)
			}
			continue
		}
		if err != nil || found != c {
			t.Errorf("%s finds %s, %v", label, found.Label(), err)
		}
		for what, f := range map[string]Figure{"Ie": c.Ie, "Bpl": c.Bpl} {
			if f.Source == "" || strings.Contains(f.Source, "none published") != (f.Grade == Proxy) {
				t.Errorf("%s: %s is %s, from %q", label, what, f.Grade, f.Source)
			}
		}
		if k := PermittedRange(c.Scale, Bpl); c.Bpl.Value < k.Low || c.Bpl.Value > k.High {
			t.Errorf("%s: Bpl %g", label, c.Bpl.Value)
		}
		if _, narrower := c.on(c.Scale - 1); narrower && c.Scale > NB {
			t.Errorf("%s is rated on a narrower scale", label)
		}
	}
}

// TestRescaled: what a narrower codec costs on a wider scale.
func TestRescaled(t *testing.T) {
	wide, err := FindCodec("AMR-WB", 12.65)
	if err != nil {
		t.Fatal(err)
	}
	g711 := G711()
	for _, c := range []struct {
		codec *Codec
		scale Scale
		want  float64
	}{{&g711, NB, 0}, {&g711, WB, 35.8}, {&g711, FB, 54.8}, {&wide, WB, 13}, {&wide, FB, 32}} {
		if got, ok := c.codec.on(c.scale); !ok || !near(got, c.want, 1e-12) {
			t.Errorf("%s on %s: %g, want %g", c.codec.Name, c.scale, got, c.want)
		}
	}
}

func TestGrades(t *testing.T) {
	for g, want := range map[Grade]string{Given: "given", Verified: "verified", Secondary: "secondary", Provisional: "provisional", Recalled: "recalled", Proxy: "proxy", Unknown: "unknown", 99: "unknown"} {
		if g.String() != want {
			t.Errorf("%d is %s", g, g)
		}
	}
	if Secondary.Weak() || !Provisional.Weak() {
		t.Error("an ITU figure is not weak; any other is")
	}
}
