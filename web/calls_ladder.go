package web

import (
	"strconv"
	"time"

	"vigia/collectors"
	"vigia/collectors/voice"
)

// callLadder is the signalling of a call as far as it is kept: its moments, between two parties.
type callLadder struct {
	From, To string
	Rungs    []callRung
	Height   int
	Label    string // all of it in words
	Head     string // post-dial delay, time to the answer, how it ended
	None     bool   // the call was inferred from reports alone
	Facts    []callFact
}

// callRung is one moment. Y is where it stands.
type callRung struct {
	Y, Above, Below int
	At              string
	What            string
	Back            bool // from the callee to the caller
	Plain           bool // who sent it is not known
	Talk            bool // the time in which was spoken
}

const (
	ladderTop  = 44
	ladderStep = 30
)

func (v *visit) callLadder(c *voice.Call) callLadder {
	l := callLadder{From: dash(string(c.From)), To: dash(string(c.To)), None: !c.Signalled, Facts: v.signalFacts(c)}
	if l.None {
		return l
	}
	add := func(at time.Time, r callRung) {
		r.Y = ladderTop + ladderStep*len(l.Rungs) + 14
		r.Above, r.Below = r.Y-5, r.Y+4
		if r.Talk {
			r.Above, r.Below = r.Y-13, r.Y+1
		}
		if !at.IsZero() {
			r.At = at.In(v.zone).Format("15:04:05.000")
			l.Label = joinSaid(l.Label, r.At+" "+r.What)
		}
		l.Rungs = append(l.Rungs, r)
	}
	add(c.Start, callRung{What: "INVITE"})
	if rung, at := v.ringing(c); !at.IsZero() {
		add(at, rung)
	}
	if !c.Answered.IsZero() {
		add(c.Answered, callRung{What: v.t("ladder.answered"), Back: true})
		add(time.Time{}, callRung{What: v.t("ladder.talk", v.span(talkOf(c))), Talk: true})
	}
	add(c.End, v.lastRung(c))
	l.Height = ladderTop + ladderStep*len(l.Rungs) + 4
	l.Head = v.ladderHead(c)
	return l
}

// ringing is the first sign of ringing, and when; no time when there was none before the answer.
func (v *visit) ringing(c *voice.Call) (callRung, time.Time) {
	if c.PDDMS == nil {
		return callRung{}, time.Time{}
	}
	at := c.Start.Add(time.Duration(*c.PDDMS * float64(time.Millisecond)))
	if !c.Answered.IsZero() && c.Answered.Sub(at) < time.Millisecond {
		return callRung{}, time.Time{}
	}
	return callRung{What: v.t("ladder.ringing"), Back: true}, at
}

func (v *visit) lastRung(c *voice.Call) callRung {
	switch {
	case c.Why == "hangup" && !c.Answered.IsZero():
		return callRung{What: "BYE", Plain: true}
	case c.Answered.IsZero() && c.Status >= 300:
		return callRung{What: v.sipStatus(c.Status), Back: true}
	}
	return callRung{What: v.said("call.end.", c.Why), Plain: true}
}

// ladderHead is what the ladder says in figures.
func (v *visit) ladderHead(c *voice.Call) string {
	text := ""
	if c.PDDMS != nil {
		text = v.t("ladder.pdd", v.precise(time.Duration(*c.PDDMS*float64(time.Millisecond))))
	}
	if !c.Answered.IsZero() {
		text = joinSaid(text, v.t("ladder.after", v.precise(c.Answered.Sub(c.Start))))
	}
	return text
}

// signalFacts are the codes and moments with their words.
func (v *visit) signalFacts(c *voice.Call) []callFact {
	list := []callFact{{Label: v.t("ladder.start"), Value: v.clock(c.Start)}, {Label: v.t("ladder.end"), Value: v.clock(c.End) + ", " + v.said("call.end.", c.Why)}}
	if c.Status != 0 {
		list = append(list, callFact{Label: v.t("ladder.status"), Value: v.sipStatus(c.Status)})
	}
	if c.Q850 != 0 {
		list = append(list, callFact{Label: v.t("ladder.q850"), Value: v.codeWord("q850.", c.Q850, c.Q850/16)})
	}
	for _, said := range []struct {
		key   string
		value voice.Text
	}{{"call.network", c.Network}, {"call.country", c.Country}, {"call.agent", c.UserAgent}} {
		if said.value != "" {
			list = append(list, callFact{Label: v.t(said.key), Value: string(said.value)})
		}
	}
	if c.Legs > 1 {
		list = append(list, callFact{Label: v.t("ladder.legs"), Value: strconv.Itoa(c.Legs)})
	}
	if c.Revision > 1 {
		list = append(list, callFact{Label: v.t("ladder.revision"), Value: collectors.Number(v.lang, float64(c.Revision-1), 0)})
	}
	return list
}
