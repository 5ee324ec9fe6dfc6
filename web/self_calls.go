package web

import (
	"strings"

	"vigia/collectors"
)

// callsPart is how reports about calls are received.
type callsPart struct {
	Trouble string
	Sources []sourceRow
	Facts   []fact
}

// sourceRow is one way by which reports come.
type sourceRow struct {
	Name, Address     string
	Received, Decoded string
	Dropped           []string
	Kernel, Buffer    string
	Lossy, Short      bool // the kernel dropped packets, or gave less buffer than was asked for
}

// shownReasons is how many reasons for not using a packet are listed, the most frequent ones.
const shownReasons = 6

func (v *visit) callsPart(h *VoiceHealth) *callsPart {
	if h == nil {
		return nil
	}
	p := &callsPart{Facts: []fact{
		{Label: v.t("voice.calls"), Value: v.t("voice.calls_of", h.Calls, h.Inferred)},
		{Label: v.t("voice.streams"), Value: v.number(float64(h.Streams))},
		{Label: v.t("voice.finished"), Value: v.whole(h.Finished)},
		{Label: v.t("voice.evicted"), Value: v.whole(h.Evicted), Bad: h.Evicted > 0},
		{Label: v.t("voice.loss"), Value: collectors.Number(v.lang, h.LossPct, 2) + " %", Bad: h.LossPct > 0},
	}}
	if reasons := v.reasons(h.Unused); len(reasons) > 0 {
		p.Facts = append(p.Facts, fact{Label: v.t("voice.unused"), Value: strings.Join(reasons, "; ")})
	}
	if h.Trouble != "" {
		p.Trouble = v.t("voice.trouble", h.Trouble)
	}
	for _, s := range h.Sources {
		row := sourceRow{
			Name: v.t("voice.source." + s.Name), Address: s.Address, Received: v.whole(s.Received), Decoded: v.whole(s.Decoded),
			Dropped: v.reasons(s.Dropped), Kernel: v.whole(s.KernelDrops), Lossy: s.KernelDrops > 0, Short: s.BufferGot < s.BufferWanted, Buffer: "–",
		}
		if s.BufferWanted > 0 {
			row.Buffer = v.t("voice.buffer_of", v.size(int64(s.BufferGot)), v.size(int64(s.BufferWanted)))
		}
		p.Sources = append(p.Sources, row)
	}
	return p
}

// reasons says how often what happened.
func (v *visit) reasons(list []Counted) []string {
	var out []string
	for _, c := range list[:min(len(list), shownReasons)] {
		out = append(out, v.t("voice.drop."+c.Reason)+" "+v.whole(c.N))
	}
	return out
}
