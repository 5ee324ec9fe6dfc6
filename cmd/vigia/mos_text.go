package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"vigia/mos"
)

// writeScore prints a score for people.
func writeScore(w io.Writer, s *mos.Score, codec string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "R %.1f   MOS %.2f   %s\n", s.R, s.MOS(), mos.BandOf(s.Scale, s.R))
	fmt.Fprintf(&b, "%s; good or better for %.0f %% of people, poor or worse for %.0f %%\n", scaleName(s.Scale, s.Listening()), mos.GoB(s.Scale, s.R), mos.PoW(s.Scale, s.R))
	if s.LowR != s.HighR {
		fmt.Fprintf(&b, "R %.1f to %.1f, MOS %.2f to %.2f: jitter alone does not tell how many packets are late\n",
			s.LowR, s.HighR, mos.MOS(s.Scale, s.LowR), mos.MOS(s.Scale, s.HighR))
	}
	b.WriteByte('\n')
	writeParts(&b, s, codec)
	b.WriteByte('\n')
	writeLost(&b, s)
	writeRemarks(&b, s)
	_, err := w.Write(b.Bytes())
	return err
}

// scaleName is the scale of a MOS in words.
func scaleName(s mos.Scale, listening bool) string {
	of := [...]string{"narrowband scale (G.107, MOS-CQEN)", "wideband scale (G.107.1, MOS-CQEW)", "fullband scale (G.107.2, MOS-CQEF)"}[s]
	if listening {
		return of + ", listening only"
	}
	return of
}

// writeParts prints what R is made of.
func writeParts(w io.Writer, s *mos.Score, codec string) {
	p := &s.Params
	rows := []struct {
		sign, name string
		v          float64
		of         string
	}{
		{" ", "Ro", s.Ro, "speech over noise"},
		{"-", "Is", s.Is, isParts(s)},
		{"-", "Idte", s.Idte, fmt.Sprintf("talker echo, %g ms one way, TELR %g dB", p[mos.T], p[mos.TELR])},
		{"-", "Idle", s.Idle, fmt.Sprintf("listener echo, %g ms round trip, WEPL %g dB", p[mos.Tr], p[mos.WEPL])},
		{"-", "Idd", s.Idd, fmt.Sprintf("delay, %g ms from mouth to ear", p[mos.Ta])},
		{"-", "Ie,eff", s.IeEff, codecAndLoss(s, codec)},
		{"+", "A", s.A, "advantage of access"},
		{"=", "R", s.R, "of at most " + [...]string{"100", "129", "148"}[s.Scale]},
	}
	for _, r := range rows {
		if r.name == "A" && r.v == 0 || r.name == "Is" && s.Scale != mos.NB || strings.HasPrefix(r.name, "Id") && r.name != "Idd" && (s.Scale == mos.FB || p[mos.Echo] == 0) {
			continue
		}
		fmt.Fprintf(w, "%s %-7s %7.2f   %s\n", r.sign, r.name, r.v, r.of)
	}
}

func isParts(s *mos.Score) string {
	return fmt.Sprintf("too loud %.2f, sidetone %.2f, quantizing %.2f", s.Iolr, unsigned(s.Ist), s.Iq)
}

// codecAndLoss says what Ie,eff is made of.
func codecAndLoss(s *mos.Score, codec string) string {
	p := &s.Params
	text := fmt.Sprintf("codec %s: Ie %g, Bpl %g; lost %s", codec, p[mos.Ie], p[mos.Bpl], percentText(s.LossPct))
	if s.Late != (mos.Late{}) {
		text += fmt.Sprintf(", late %s", percentText(s.Late.Pct))
		if s.Late.LowPct != s.Late.HighPct {
			text += fmt.Sprintf(" (%s to %s)", percentText(s.Late.LowPct), percentText(s.Late.HighPct))
		}
	}
	if p[mos.BurstR] != 1 {
		text += fmt.Sprintf("; BurstR %g", p[mos.BurstR])
	}
	return text
}

// percentText is a share with as many digits as it needs, at most three of them meaningful.
func percentText(v float64) string {
	if v > 0 && v < 0.01 {
		return "under 0.01 %"
	}
	return fmt.Sprintf("%.3g %%", v)
}

// writeLost prints what took how much of the MOS.
func writeLost(w io.Writer, s *mos.Score) {
	a := s.Attribution()
	fmt.Fprintf(w, "MOS lost to     share   without it\n")
	for _, row := range []struct {
		cause       string
		lost, fixed float64
	}{
		{"delay", a.Lost.Delay, a.Fixed.Delay},
		{"network loss", a.Lost.Loss, a.Fixed.Loss},
		{"late packets", a.Lost.Late, a.Fixed.Late},
		{"codec", a.Lost.Codec, a.Fixed.Codec},
	} {
		fmt.Fprintf(w, "  %-12s  %6.2f   %6.2f\n", row.cause, unsigned(row.lost), row.fixed)
	}
	fmt.Fprintf(w, "  %-12s  %6.2f   of %.2f; without faults this codec gives %.2f\n", "together", unsigned(a.Lost.Sum()), a.Reference, a.Ceiling)
}

// unsigned takes the sign off a zero.
func unsigned(v float64) float64 {
	if v > -0.005 && v < 0 {
		return 0
	}
	return v
}

// writeRemarks prints what was assumed, and what is beyond the model.
func writeRemarks(w io.Writer, s *mos.Score) {
	if s.Assumed != 0 {
		fmt.Fprintf(w, "\nAssumed, not measured:\n")
	}
	for _, word := range s.Assumed.Words() {
		fmt.Fprintf(w, "  %-7s %s\n", word, assumedText(word, s))
	}
	if s.Outside != 0 || s.Cautions != 0 {
		fmt.Fprintf(w, "\nBeyond what the model is made for; take the score as a rough one:\n")
	}
	for _, name := range s.Outside.Names() {
		fmt.Fprintf(w, "  %s\n", outsideText(s, name))
	}
	for _, text := range s.Cautions.Texts() {
		fmt.Fprintf(w, "  %s\n", text)
	}
}

// outsideText says what is permitted. An input that was cut on the way stands at the end of its range.
func outsideText(s *mos.Score, name string) string {
	i, _ := mos.ParseSymbol(name)
	v, k := s.Params[i], mos.PermittedRange(s.Scale, i)
	switch v {
	case k.High:
		return fmt.Sprintf("%s is more than %g and is taken as that", name, v)
	case k.Low:
		return fmt.Sprintf("%s is less than %g and is taken as that", name, v)
	}
	return fmt.Sprintf("%s is %g; permitted are %s", name, v, rangeText(k))
}

// assumedText says what an assumption was, and what would replace it.
func assumedText(word string, s *mos.Score) string {
	switch word {
	case "codec":
		return fmt.Sprintf("Ie %g, Bpl %g, the Recommendation's defaults (--codec, or --ie and --bpl)", s.Params[mos.Ie], s.Params[mos.Bpl])
	case "plc":
		return "the receiver conceals lost packets (G.711-noplc if it does not)"
	case "ie":
		return "no ITU figure for the codec on this scale (--codecs says where it is from)"
	case "bpl":
		return "no ITU figure for just this codec and way of listening (--codecs says where it is from)"
	case "loss":
		return "no packet was lost (--loss)"
	case "late":
		if s.Late.BufferMs > 0 {
			return "reckoned from the jitter and the buffer (--late)"
		}
		return "no packet came too late (--late, or --jitter)"
	case "burst":
		return "losses are random (--burst)"
	case "rtt":
		return "no delay at all: the score is for listening only (--delay or --rtt)"
	case "packet":
		return fmt.Sprintf("%g ms of speech in a packet (--packet)", mos.AssumedPacketMs)
	case "buffer":
		return fmt.Sprintf("a fixed jitter buffer of %d ms (--buffer)", mos.AssumedBufferMs)
	}
	return ""
}

// writeMapping prints an R and its MOS.
func writeMapping(w io.Writer, scale mos.Scale, r float64, asJSON bool) error {
	m := mapping(scale, r)
	if asJSON {
		return json.NewEncoder(w).Encode(m)
	}
	_, err := fmt.Fprintf(w, "R %.2f   MOS %.3f   %s\n%s; good or better for %.0f %% of people, poor or worse for %.0f %%\n",
		m.R, m.MOS, m.Category, scaleName(scale, false), m.GoB, m.PoW)
	return err
}

// writeCodecs prints the table of codecs.
func writeCodecs(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		for _, c := range mos.Codecs() {
			if err := enc.Encode(codecAsJSON(&c)); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CODEC\tSCALE\tIe\tKNOWN\tBpl\tKNOWN\tSOURCES")
	for _, c := range mos.Codecs() {
		sources := c.Ie.Source
		if c.Bpl.Source != sources {
			sources += "; Bpl: " + c.Bpl.Source
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Label(), c.Scale, figureText(c.Ie), c.Ie.Grade, figureText(c.Bpl), c.Bpl.Grade, sources)
	}
	return t.Flush()
}

func figureText(f mos.Figure) string {
	if f.Grade == mos.Unknown {
		return "-"
	}
	return fmt.Sprintf("%g", f.Value)
}
