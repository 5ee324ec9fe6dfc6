package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"vigia/mos"
)

// read makes a score of the flags. Its error says what to do.
func (c *MosCmd) read() error {
	if c.Codecs {
		return c.nothingElse("--codecs")
	}
	scale, err := c.scale()
	if err != nil {
		return err
	}
	if c.R != nil || c.MOS != nil {
		return c.readMapping(scale)
	}
	in := mos.Input{Scale: scale}
	for _, step := range []func(*mos.Input) error{c.readCodec, c.readNumbers, c.readBuffer} {
		if err := step(&in); err != nil {
			return err
		}
	}
	if c.score, err = mos.Prepare(in); err != nil {
		return c.codecProblem(err, in.Scale)
	}
	if err := c.readSet(); err != nil {
		return err
	}
	c.score.Evaluate()
	return nil
}

// scale is what --model says; without it narrowband, which readCodec may widen.
func (c *MosCmd) scale() (mos.Scale, error) {
	if c.Model == "" {
		return mos.NB, nil
	}
	scale, ok := mos.ParseScale(c.Model)
	if !ok {
		return 0, fmt.Errorf("--model: %q is no scale; write nb, wb or fb", printable(c.Model))
	}
	return scale, nil
}

// readMapping turns --r into a MOS or --mos into an R.
func (c *MosCmd) readMapping(scale mos.Scale) error {
	flag, v := "--r", c.R
	if c.MOS != nil {
		flag, v = "--mos", c.MOS
	}
	if err := c.nothingElse(flag); err != nil {
		return err
	}
	if math.IsNaN(*v) || math.IsInf(*v, 0) {
		return fmt.Errorf("%s: give a number", flag)
	}
	c.score.Scale, c.score.R = scale, *v
	if c.MOS == nil {
		return nil
	}
	r, ok := mos.RFromMOS(scale, *v)
	if !ok {
		return fmt.Errorf("--mos: %g is not between 1 and 4.5, where the E-model's scales end", *v)
	}
	c.score.R = r
	return nil
}

// nothingElse refuses figures of a call beside a flag that takes none.
func (c *MosCmd) nothingElse(flag string) error {
	if c.Codec != "" || c.Buffer != "" || len(c.Set) > 0 {
		return fmt.Errorf("%s stands alone: leave --codec, --buffer and --set out", flag)
	}
	for _, n := range c.numbers() {
		if n.value != nil {
			return fmt.Errorf("%s stands alone: leave %s out", flag, n.flag)
		}
	}
	return nil
}

// mosNumber is a flag with a number, and where it goes.
type mosNumber struct {
	flag      string
	value     *float64
	low, high float64
	known     mos.Known
	to        func(*mos.Input) *float64
}

// numbers are all of them. The limits are those of sense; narrower ranges of the Recommendations are flagged in the result.
func (c *MosCmd) numbers() []mosNumber {
	const most = 100_000 // ms
	return []mosNumber{
		{"--ie", c.Ie, 0, 132, 0, nil},
		{"--bpl", c.Bpl, 0.01, 1000, 0, nil},
		{"--loss", c.Loss, 0, 100, mos.KnownLoss, func(in *mos.Input) *float64 { return &in.LossPct }},
		{"--late", c.Late, 0, 100, mos.KnownLate, func(in *mos.Input) *float64 { return &in.LatePct }},
		{"--burst", c.Burst, 0.1, 1000, mos.KnownBurst, func(in *mos.Input) *float64 { return &in.BurstR }},
		{"--delay", c.Delay, 0, most, mos.KnownDelay, func(in *mos.Input) *float64 { return &in.DelayMs }},
		{"--rtt", c.RTT, 0, most, mos.KnownRTT, func(in *mos.Input) *float64 { return &in.RTTMs }},
		{"--jitter", c.Jitter, 0, most, mos.KnownJitter, func(in *mos.Input) *float64 { return &in.JitterMs }},
		{"--packet", c.Packet, 1, 1000, mos.KnownPacket, func(in *mos.Input) *float64 { return &in.PacketMs }},
	}
}

func (c *MosCmd) readNumbers(in *mos.Input) error {
	for _, n := range c.numbers() {
		if n.value == nil {
			continue
		}
		if !(*n.value >= n.low && *n.value <= n.high) {
			return fmt.Errorf("%s: %g is not between %g and %g", n.flag, *n.value, n.low, n.high)
		}
		if n.to != nil {
			*n.to(in) = *n.value
			in.Known |= n.known
		}
	}
	if c.Packet != nil && c.RTT == nil {
		return errors.New("--packet only counts with --rtt; --delay has it in it")
	}
	return nil
}

func (c *MosCmd) readCodec(in *mos.Input) error {
	if c.Codec == "" {
		in.Codec, c.label = c.ownCodec(in.Scale), "given"
		if c.Ie != nil {
			in.Known |= mos.KnownCodec
		}
		return nil
	}
	codec, err := mos.ParseCodec(c.Codec)
	if err != nil {
		return c.codecProblem(err, in.Scale)
	}
	if c.Model == "" {
		in.Scale = codec.Scale
	}
	in.Codec, c.label = codec, codec.Label()
	in.Known |= mos.KnownCodec
	return nil
}

// ownCodec is the codec of --ie and --bpl, or the Recommendation's defaults.
func (c *MosCmd) ownCodec(scale mos.Scale) mos.Codec {
	codec := mos.Own(scale, mos.PermittedRange(scale, mos.Ie).Default, mos.PermittedRange(scale, mos.Bpl).Default)
	if c.Ie != nil {
		codec.Ie.Value = *c.Ie
	}
	if c.Bpl != nil {
		codec.Bpl.Value = *c.Bpl
	} else if c.Ie != nil {
		codec.Bpl.Grade = mos.Proxy
	}
	return codec
}

// codecProblem says what to do about a codec that cannot be rated.
func (c *MosCmd) codecProblem(err error, scale mos.Scale) error {
	switch {
	case errors.Is(err, mos.ErrUnknownCodec):
		return fmt.Errorf("--codec: %s (%s; --codecs lists all)", printable(err.Error()), meant(c.Codec, codecNames()))
	case errors.Is(err, mos.ErrNoFigures):
		return fmt.Errorf("--codec: %s; if you have figures of your own, give --ie and --bpl", printable(err.Error()))
	case errors.Is(err, mos.ErrNarrower):
		return fmt.Errorf("--codec: the figures of %s belong to a wider scale than %s; leave --model out or write a wider one", printable(c.Codec), scale)
	}
	return fmt.Errorf("--codec: %s", printable(err.Error()))
}

func codecNames() []string {
	var names []string
	for _, c := range mos.Codecs() {
		if len(names) == 0 || names[len(names)-1] != c.Name {
			names = append(names, c.Name)
		}
	}
	return names
}

func (c *MosCmd) readBuffer(in *mos.Input) error {
	switch c.Buffer {
	case "":
		return nil
	case "adaptive":
		in.Buffer.Adaptive = true
	default:
		ms, err := strconv.ParseFloat(c.Buffer, 64)
		if err != nil || !(ms >= 1 && ms <= 10_000) {
			return fmt.Errorf("--buffer: %q is neither adaptive nor a length from 1 to 10000 ms", printable(c.Buffer))
		}
		in.Buffer.Ms = ms
	}
	in.Known |= mos.KnownBuffer
	return nil
}

// allDelays is the key of --set that stands for T, Ta and Tr.
const allDelays = "Tx"

// readSet puts the inputs of --set in place of what the other flags made.
func (c *MosCmd) readSet() error {
	given := map[string]float64{}
	for _, pair := range c.Set {
		key, text, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			return fmt.Errorf("--set: %q is no KEY=VALUE, such as TELR=50", printable(pair))
		}
		if _, twice := given[key]; twice {
			return fmt.Errorf("--set: %s stands there twice", printable(key))
		}
		v, err := c.setValue(key, text)
		if err != nil {
			return err
		}
		given[key] = v
	}
	c.setDelays(given)
	for key, v := range given {
		if i, ok := mos.ParseSymbol(key); ok {
			c.score.Set(i, v)
		}
	}
	return nil
}

// setValue reads one value of --set.
func (c *MosCmd) setValue(key, text string) (float64, error) {
	i, ok := mos.ParseSymbol(key)
	if !ok && key != allDelays {
		return 0, fmt.Errorf("--set: %q is no input of the E-model (%s)", printable(key), meant(key, append(mos.SymbolNames(), allDelays)))
	}
	if key == allDelays {
		i = mos.Ta
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		k := mos.PermittedRange(c.score.Scale, i)
		return 0, fmt.Errorf("--set: %s=%s is no number; permitted are %s", key, printable(text), rangeText(k))
	}
	return v, nil
}

// setDelays sets the three delays from Tx; on the wider scales from Ta too, when neither T nor Tr is given.
func (c *MosCmd) setDelays(given map[string]float64) {
	x, ok := given[allDelays]
	if !ok && c.score.Scale != mos.NB {
		_, t := given["T"]
		_, tr := given["Tr"]
		if x, ok = given["Ta"]; t || tr {
			ok = false
		}
	}
	if ok {
		c.score.Set(mos.T, x)
		c.score.Set(mos.Ta, x)
		c.score.Set(mos.Tr, 2*x)
	}
}

// rangeText is a range in words.
func rangeText(k mos.Range) string {
	if k.Low == k.High {
		return strings.TrimSpace(fmt.Sprintf("only %g %s", k.Low, k.Unit))
	}
	return strings.TrimSpace(fmt.Sprintf("%g to %g %s", k.Low, k.High, k.Unit))
}
