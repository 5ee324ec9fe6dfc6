package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"vigia/collectors/voice"
	"vigia/store"
)

// Call is a call as every face of Vigía shows it.
type Call struct {
	ID          string       `json:"call_id" doc:"Call-ID of the first leg; of a call without signalling, one made of its SSRCs and start."`
	Customer    string       `json:"customer" doc:"unassigned when no match rule says whose it is."`
	Trunk       *string      `json:"trunk"`
	Site        *string      `json:"site"`
	From        *string      `json:"from" doc:"Number or user name as signalled, its end masked where the configuration says so."`
	To          *string      `json:"to"`
	Start       time.Time    `json:"start"`
	End         time.Time    `json:"end"`
	Codec       *string      `json:"codec" doc:"Of the worse direction."`
	Network     *string      `json:"network" doc:"The customer's own media address."`
	Country     *string      `json:"country" doc:"Of the other party, ISO 3166." example:"GT"`
	UserAgent   *string      `json:"user_agent" doc:"The customer's."`
	MOS         *float64     `json:"mos" doc:"Of the worse direction; null: not measured, which is not good."`
	R           *float64     `json:"r"`
	Scale       *string      `json:"scale" enum:"nb,wb,fb" doc:"Of mos and r. Scales never mix."`
	Cause       *string      `json:"cause" enum:"delay,loss,late,codec,one_way" doc:"What costs most; null when nothing does."`
	CoveragePct *float64     `json:"coverage_pct" doc:"How much of the answered time reports cover; null when it was never answered."`
	Streams     []CallStream `json:"streams" nullable:"false"`
}

// CallStream is one direction of one leg.
type CallStream struct {
	Leg         int              `json:"leg" doc:"0 is the first."`
	Side        string           `json:"side" enum:"access,core,carrier,unknown"`
	Direction   string           `json:"direction" enum:"caller_to_callee,callee_to_caller,unknown"`
	SSRC        uint32           `json:"ssrc"`
	Reporter    *uint32          `json:"reporter" doc:"SSRC of the receiver; null when it never reported."`
	Packets     *uint32          `json:"packets" doc:"Expected in the time that is judged."`
	Lost        *uint32          `json:"lost"`
	LossPct     *float64         `json:"loss_pct"`
	LatePct     *float64         `json:"late_pct" doc:"Thrown away by the jitter buffer, of what arrived; by the model unless the endpoint says."`
	JitterMS    *float64         `json:"jitter_ms"`
	RTTMS       *float64         `json:"rtt_ms" doc:"Between the leg's ends."`
	MOS         *float64         `json:"mos"`
	R           *float64         `json:"r"`
	RPerceived  *float64         `json:"r_perceived" doc:"Weighted by what a listener remembers."`
	WorstR      *float64         `json:"worst_r" doc:"Of the worst ten seconds."`
	Below70     *float64         `json:"seconds_below_70"`
	Below60     *float64         `json:"seconds_below_60"`
	OneWay      bool             `json:"one_way" doc:"Nothing arrived while the other side sent."`
	Assumed     []string         `json:"assumed" nullable:"false" doc:"What the score rests on that nobody measured; dtmf_loss and collector_loss: loss that may not have been."`
	Attribution *CallAttribution `json:"attribution" doc:"What each cause takes from the MOS of an unimpaired call, in MOS."`
}

// CallAttribution shares the lost MOS out.
type CallAttribution struct {
	Delay float64 `json:"delay"`
	Loss  float64 `json:"loss"`
	Late  float64 `json:"late"`
	Codec float64 `json:"codec"`
}

// CallDetail is a call with how it went and with the intervals of its streams.
type CallDetail struct {
	Call
	Revision   int              `json:"revision" doc:"1 when it was finished; counts up when late reports change it."`
	Signalled  bool             `json:"signalled" doc:"false: inferred from reports alone."`
	AnsweredAt *time.Time       `json:"answered_at" doc:"null: never."`
	Status     *int             `json:"status" doc:"The final SIP status; null: none was seen."`
	Q850       *int             `json:"q850" doc:"Cause of its Reason header."`
	PDDMS      *float64         `json:"pdd_ms" doc:"From the INVITE to the first sign of ringing."`
	Why        string           `json:"ended_by" doc:"How it ended: hangup, failed, silent, evicted, shutdown."`
	Intervals  [][]CallInterval `json:"intervals" nullable:"false" doc:"Of each stream in turn; empty where none are kept any more."`
}

// CallInterval is a stretch of a stream between two reports.
type CallInterval struct {
	Seconds  float64  `json:"seconds"`
	Expected uint32   `json:"expected" doc:"Packets."`
	Lost     uint32   `json:"lost"`
	JitterMS *float64 `json:"jitter_ms"`
	RTTMS    *float64 `json:"rtt_ms"`
	R        *float64 `json:"r"`
	Judged   bool     `json:"judged" doc:"false: before the answer, on hold, fax, or doubtful."`
	Dead     bool     `json:"dead" doc:"Nothing arrived while the other side sent."`
}

// CallPage is a page of calls, newest first.
type CallPage struct {
	Calls []Call  `json:"calls" nullable:"false"`
	Next  *string `json:"next" doc:"Pass it as after to get the next page; null on the last."`
}

type callsInput struct {
	asked
	Since      time.Time `query:"since" doc:"RFC 3339: began since."`
	Until      time.Time `query:"until" doc:"RFC 3339: began before."`
	Customer   string    `query:"customer"`
	Trunk      string    `query:"trunk"`
	Site       string    `query:"site"`
	Country    string    `query:"country" doc:"Of the other party, ISO 3166."`
	Number     string    `query:"number" maxLength:"100" doc:"Of either party: the digits that its number ends with, or with a star what it begins with." example:"+50622*"`
	MinMOS     float64   `query:"min_mos" minimum:"1" maximum:"5"`
	MaxMOS     float64   `query:"max_mos" minimum:"1" maximum:"5" doc:"On the call's own scale. Calls that were not measured have none."`
	Cause      string    `query:"cause" enum:"delay,loss,late,codec,one_way"`
	OneWay     bool      `query:"one_way" doc:"Only calls of which a direction was not heard."`
	Unmeasured bool      `query:"unmeasured" doc:"Only calls that were spoken in and have no MOS."`
	After      string    `query:"after" doc:"The next of the page before."`
	Limit      int       `query:"limit" minimum:"1" maximum:"999" default:"100"`
}

type callInput struct {
	asked
	ID    string    `path:"id" doc:"The Call-ID, percent-encoded." maxLength:"2000"`
	Start time.Time `query:"start" doc:"When it began: tells calls of one Call-ID apart. Without it the newest is meant."`
}

func listCalls(s *server, ctx context.Context, who Caller, in *callsInput) (CallPage, error) {
	f := store.CallFilter{
		Since: in.Since, Until: in.Until, Customer: in.Customer, Trunk: in.Trunk, Site: in.Site, Country: in.Country, Number: in.Number,
		MinMOS: in.MinMOS, MaxMOS: in.MaxMOS, Cause: in.Cause, OneWay: in.OneWay, Unmeasured: in.Unmeasured, Limit: in.Limit + 1,
	}
	if in.After != "" {
		key, err := store.ParseCallKey(in.After)
		if err != nil {
			return CallPage{}, huma.NewError(http.StatusUnprocessableEntity, "after is not the next of a page: leave it out to begin anew.")
		}
		f.After = key
	}
	found, err := s.Store.Calls(ctx, who.Scope, f)
	if err != nil {
		return CallPage{}, err
	}
	page := CallPage{Calls: []Call{}}
	for i := range found[:min(len(found), in.Limit)] {
		page.Calls = append(page.Calls, CallOf(&found[i]))
	}
	if len(found) > in.Limit {
		next := store.CallKeyOf(&found[in.Limit-1]).String()
		page.Next = &next
	}
	return page, nil
}

func getCall(s *server, ctx context.Context, who Caller, in *callInput) (CallDetail, error) {
	c, err := s.Store.Call(ctx, who.Scope, in.ID, in.Start)
	if err != nil {
		return CallDetail{}, err
	}
	out := CallDetail{
		Call: CallOf(&c), Revision: c.Revision, Signalled: c.Signalled, AnsweredAt: instant(c.Answered), Status: known(c.Status), Q850: known(c.Q850),
		PDDMS: c.PDDMS, Why: c.Why, Intervals: [][]CallInterval{},
	}
	for i := range c.Streams {
		intervals := []CallInterval{}
		for _, v := range voice.Intervals(c.Streams[i].Packed) {
			intervals = append(intervals, CallInterval(v))
		}
		out.Intervals = append(out.Intervals, intervals)
	}
	return out, nil
}

// CallOf is a call in the shape of the API.
func CallOf(c *voice.Call) Call {
	out := Call{
		ID: c.ID, Customer: c.Customer, Trunk: text(c.Trunk), Site: text(c.Site), From: text(c.From), To: text(c.To), Start: c.Start.UTC(), End: c.End.UTC(),
		Codec: text(c.Codec), Network: text(c.Network), Country: text(c.Country), UserAgent: text(c.UserAgent), MOS: c.MOS, R: c.R,
		Scale: text(c.Scale), Cause: text(c.Cause), CoveragePct: c.CoveragePct, Streams: []CallStream{},
	}
	for i := range c.Streams {
		v := &c.Streams[i]
		out.Streams = append(out.Streams, CallStream{
			Leg: v.Leg, Side: string(v.Side), Direction: v.Direction, SSRC: v.SSRC, Reporter: v.Reporter, Packets: v.Packets, Lost: v.Lost,
			LossPct: v.LossPct, LatePct: v.LatePct, JitterMS: v.JitterMS, RTTMS: v.RTTMS, MOS: v.MOS, R: v.R, RPerceived: v.RPerceived, WorstR: v.WorstR,
			Below70: v.Below70, Below60: v.Below60, OneWay: v.OneWay, Assumed: list(v.Assumed), Attribution: (*CallAttribution)(v.Attribution),
		})
	}
	return out
}

// text is a text that is null when it is not known.
func text(t voice.Text) *string {
	if t == "" {
		return nil
	}
	s := string(t)
	return &s
}

// known is a code that is null when there was none.
func known(code int) *int {
	if code == 0 {
		return nil
	}
	return &code
}
