package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"vigia/mos"
)

// MosCmd is vigia mos: the E-model for one call on paper.
type MosCmd struct {
	Model  string   `help:"nb, wb or fb: narrowband (G.107), wideband (G.107.1) or fullband (G.107.2). Default: that of the codec, else nb." placeholder:"SCALE"`
	Codec  string   `help:"A codec, with its bit rate where it has several: G.711, G.729A, AMR-WB@12.65. --codecs lists them." placeholder:"NAME" xor:"codec,impairment"`
	Ie     *float64 `help:"In place of --codec: its equipment impairment factor on the scale of --model." placeholder:"N" xor:"codec"`
	Bpl    *float64 `help:"In place of --codec: its packet-loss robustness." placeholder:"N" xor:"impairment"`
	Loss   *float64 `help:"Packets lost in the network, per cent." placeholder:"PCT"`
	Late   *float64 `help:"Packets discarded by the jitter buffer, per cent of those that arrived. Default: reckoned from --jitter." placeholder:"PCT"`
	Burst  *float64 `help:"BurstR: how much longer runs of losses are than random ones. Default: 1." placeholder:"R"`
	Delay  *float64 `help:"One way, from mouth to ear, ms." placeholder:"MS" xor:"delay"`
	RTT    *float64 `name:"rtt" help:"Round trip of the network, ms; packet, codec and buffer are added to half of it." placeholder:"MS" xor:"delay"`
	Jitter *float64 `help:"RFC 3550 jitter, ms." placeholder:"MS"`
	Buffer string   `help:"The receiver's jitter buffer: ms, or adaptive. Default: 60." placeholder:"MS"`
	Packet *float64 `help:"Speech in one packet, ms. Default: 20." placeholder:"MS"`
	Set    []string `help:"Any input by the Recommendation's symbol, such as TELR=50,Ta=120. Tx sets T and Ta, and twice as much Tr." placeholder:"KEY=VALUE"`
	R      *float64 `name:"r" help:"Only turn this R into a MOS." placeholder:"R" xor:"only"`
	MOS    *float64 `name:"mos" help:"Only turn this MOS into an R." placeholder:"MOS" xor:"only"`
	Codecs bool     `help:"List the codecs: figures, how well they are known, and where they are from." xor:"only"`
	JSON   bool     `name:"json" help:"One JSON object with all digits, in place of text."`

	score mos.Score // what the flags say; set by Validate
	label string    // of the codec
}

// Help is what vigia mos --help says besides the flags.
func (*MosCmd) Help() string {
	var symbols []string
	for _, name := range mos.SymbolNames() {
		i, _ := mos.ParseSymbol(name)
		k := mos.PermittedRange(mos.NB, i)
		symbols = append(symbols, fmt.Sprintf("%s %g (%g to %g)", name, k.Default, k.Low, k.High))
	}
	return `It computes R by the E-model first and turns it into a MOS last. What is not given is assumed, and said to be. Without --delay and --rtt the score is
for listening only. The three scales must not be compared: each ends at MOS 4.5.

--set takes these, each with its default and permitted range on the narrowband scale. What is outside is computed and flagged. echo=0 is perfect echo
control. With wb and fb, Ta alone stands for all three delays.

` + strings.Join(symbols, ", ") + `

The assumed words: codec; plc (the receiver conceals losses); ie, bpl (no ITU figure for just this use); loss; late (reckoned from jitter, or none); burst
(losses are random); rtt (no delay known); packet (20 ms); buffer (fixed, 60 ms).

Exit codes: 0 computed; 2 the flags are wrong.`
}

// Validate reads the flags; an error is the caller's mistake.
func (c *MosCmd) Validate() error { return c.read() }

// Run computes and prints.
func (c *MosCmd) Run(kc *kong.Context) error {
	switch {
	case c.Codecs:
		return writeCodecs(kc.Stdout, c.JSON)
	case c.R != nil || c.MOS != nil:
		return writeMapping(kc.Stdout, c.score.Scale, c.score.R, c.JSON)
	case c.JSON:
		return writeScoreJSON(kc.Stdout, &c.score)
	}
	return writeScore(kc.Stdout, &c.score, c.label)
}
