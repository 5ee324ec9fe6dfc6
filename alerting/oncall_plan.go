package alerting

import (
	"maps"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
)

// The commands about who is on call.
const (
	CommandOverride       CommandKind = "override"        // a person takes the place of whoever would be on call
	CommandOverrideCancel CommandKind = "override_cancel" // an override is taken back, or ends now
	CommandHandoverNote   CommandKind = "handover_note"   // words for whoever comes next
)

// OnCallOrder is what a command about who is on call says besides its note.
type OnCallOrder struct {
	Rotation string    `json:",omitempty"`
	Person   string    `json:",omitempty"`
	From     time.Time `json:",omitzero"`
	To       time.Time `json:",omitzero"`
	Override string    `json:",omitempty"` // the one that is cancelled
}

// HandoverNote is what a person wrote for whoever is on call next.
type HandoverNote struct {
	ID       string // of the command that made it
	Rotation string
	By       string
	At       time.Time
	Note     string
}

// EventOnCall is a line about who is on call: an override, a note, or that nobody was on call when somebody was to be told.
const EventOnCall EventKind = "on_call"

// Bounds of what may be decided about who is on call.
const (
	LongestOverride  = 92 * day
	FurthestOverride = 2 * 366 * day
	maxOverrides     = 1000 // that have not ended
	overrideKept     = day  // how long the engine remembers one that has ended
)

const (
	codeToldOnCall     = ".on_call" // after a code of codeTold
	codeNobodyOnCall   = "engine.nobody_on_call"
	codeOnCallUnknown  = "engine.on_call_unknown"
	codePersonUnknown  = "engine.person_unknown"
	codeOverride       = "engine.override"
	codeOverrideCancel = "engine.override_cancel"
	codeOverrideEnd    = "engine.override_end"
	codeHandover       = "engine.handover"

	codeRefusedRotation = "engine.refused_rotation"
	codeRefusedPerson   = "engine.refused_person"
	codeRefusedOrder    = "engine.refused_order"
	codeRefusedLong     = "engine.refused_long"
	codeRefusedFar      = "engine.refused_far"
	codeRefusedOverride = "engine.refused_override"
	codeRefusedOver1000 = "engine.refused_overrides"
	codeRefusedNote     = "engine.refused_note"
	codeNobodyToldAtAll = ".nobody" // after codeNobodyOnCall, codeOnCallUnknown or codePersonUnknown
)

// onCallWords are what the engine says about who is on call.
var onCallWords = collectors.Words{
	codeNobodyOnCall:  {EN: "Nobody is on call in {0}: {1} is told instead", ES: "Nadie está de turno en {0}: se avisa a {1} en su lugar"},
	codeOnCallUnknown: {EN: "{2} is on call in {0} and cannot be told any more: {1} is told instead", ES: "{2} está de turno en {0} y ya no tiene destinatarios: se avisa a {1} en su lugar"},
	codePersonUnknown: {EN: "{2} cannot be told any more: {1} is told instead", ES: "{2} ya no tiene destinatarios: se avisa a {1} en su lugar"},

	codeNobodyOnCall + codeNobodyToldAtAll:  {EN: "Nobody is on call in {0}, and there is no receiver to tell instead", ES: "Nadie está de turno en {0} y no hay a quién avisar en su lugar"},
	codeOnCallUnknown + codeNobodyToldAtAll: {EN: "{2} is on call in {0} and cannot be told any more, and there is no receiver to tell instead", ES: "{2} está de turno en {0} y ya no tiene destinatarios, y no hay a quién avisar en su lugar"},
	codePersonUnknown + codeNobodyToldAtAll: {EN: "{2} cannot be told any more, and there is no receiver to tell instead", ES: "{2} ya no tiene destinatarios y no hay a quién avisar en su lugar"},

	codeOverride:       {EN: "{0}: {1} is on call in place of others, decided by {2}", ES: "{0}: {1} está de turno en lugar de otros, por decisión de {2}"},
	codeOverrideCancel: {EN: "{0}: {1} is not on call in place of others after all, decided by {2}", ES: "{0}: {1} ya no estará de turno en lugar de otros, por decisión de {2}"},
	codeOverrideEnd:    {EN: "{0}: {1} ends being on call in place of others, decided by {2}", ES: "{0}: {1} deja de estar de turno en lugar de otros, por decisión de {2}"},
	codeHandover:       {EN: "{0}: {1} left a note for the hand-over", ES: "{0}: {1} dejó una nota para el relevo"},

	codeRefusedRotation: {EN: "There is no rotation {0}", ES: "No existe la rotación {0}"},
	codeRefusedPerson:   {EN: "There is no person {0} in the configuration", ES: "No existe la persona {0} en la configuración"},
	codeRefusedOrder:    {EN: "The end must come after the beginning", ES: "El final debe ser posterior al comienzo"},
	codeRefusedLong:     {EN: "Longer than {0} days: change the rotation in the configuration", ES: "Más de {0} días: cambie la rotación en la configuración"},
	codeRefusedFar:      {EN: "Further ahead than two years", ES: "Faltan más de dos años"},
	codeRefusedOverride: {EN: "There is no such override, or it is over", ES: "No existe esa sustitución, o ya terminó"},
	codeRefusedOver1000: {EN: "There are {0} overrides already: cancel some", ES: "Ya hay {0} sustituciones: cancele algunas"},
	codeRefusedNote:     {EN: "A note needs words", ES: "Una nota necesita palabras"},
}

// addOnCall adds what the engine says about who is on call, and the tellings that name who was.
func addOnCall(words collectors.Words) {
	maps.Copy(words, onCallWords)
	for code, text := range plainWords {
		if strings.HasPrefix(code, codeTold+".") {
			words[code+codeToldOnCall] = collectors.Text{EN: text.EN + ". On call: {3}", ES: text.ES + ". De turno: {3}"}
		}
	}
}

// tells is who is told when a level of an incident is told now.
func (p *planner) tells(w *workIncident, level int) Telling {
	return p.cfg.Tells(w.Ref, &w.Policy, level, p.overrides(), p.now)
}

// overrides are those that hold in this plan.
func (p *planner) overrides() []Override {
	if len(p.out.Change.Overrides) == 0 {
		return p.st.overrides
	}
	return withOverrides(slices.Clone(p.st.overrides), p.out.Change.Overrides)
}

// toldText is the line that says that a level was told, and who was on call.
func (p *planner) toldText(w *workIncident, level int, cause Cause, t *Telling) collectors.Reason {
	code := codeTold + "." + string(cause)
	args := []any{w.Policy.Levels[level].Name, float64(level + 1), float64(w.Escalation.Round)}
	var who []string
	for _, d := range t.OnCall {
		if d.reached() {
			who = append(who, d.who())
		}
	}
	if len(who) > 0 {
		code += codeToldOnCall
		args = append(args, strings.Join(who, ", "))
	}
	return collectors.Because(code, args...)
}

// sayUnreached puts on the timeline who should have been told and could not be.
func (p *planner) sayUnreached(w *workIncident, t *Telling) {
	for _, d := range t.OnCall {
		if d.reached() {
			continue
		}
		code := codeNobodyOnCall
		switch {
		case d.Rotation == "":
			code = codePersonUnknown
		case d.Missing != "":
			code = codeOnCallUnknown
		}
		if len(d.Instead) == 0 {
			code += codeNobodyToldAtAll
		}
		text := collectors.Because(code, d.Rotation, strings.Join(d.Instead, ", "), d.Missing)
		p.event(Event{IncidentID: w.ID, Kind: EventOnCall, Severity: w.Severity, Text: text})
	}
}

// onCall reports whether a command is about who is on call, and not about an incident.
func (k CommandKind) onCall() bool {
	return k == CommandOverride || k == CommandOverrideCancel || k == CommandHandoverNote
}

// decideOnCall carries out a command about who is on call; it returns why not, or nothing.
func (p *planner) decideOnCall(c *Command) collectors.Reason {
	order := OnCallOrder{}
	if c.OnCall != nil {
		order = *c.OnCall
	}
	if c.Kind == CommandOverrideCancel {
		return p.cancelOverride(c, order.Override)
	}
	if p.cfg.Schedule.Rotation(order.Rotation) == nil {
		return collectors.Because(codeRefusedRotation, order.Rotation)
	}
	if c.Kind == CommandHandoverNote {
		return p.handover(c, order.Rotation)
	}
	if why := p.checkOverride(&order); !why.IsZero() {
		return why
	}
	p.out.Change.Overrides = append(p.out.Change.Overrides, Override{
		ID: c.ID, Rotation: order.Rotation, Person: order.Person, From: order.From.UTC(), To: order.To.UTC(), Note: c.Note, By: c.Actor, At: p.now,
	})
	p.event(Event{Kind: EventOnCall, Actor: c.Actor, Text: collectors.Because(codeOverride, order.Rotation, order.Person, c.Actor), Note: c.Note})
	return collectors.Reason{}
}

func (p *planner) checkOverride(o *OnCallOrder) collectors.Reason {
	switch {
	case len(p.cfg.Schedule.People[o.Person].Receivers) == 0:
		return collectors.Because(codeRefusedPerson, o.Person)
	case !o.To.After(o.From):
		return collectors.Because(codeRefusedOrder)
	case !o.To.After(p.now):
		return collectors.Because(codeRefusedPast)
	case o.To.Sub(o.From) > LongestOverride:
		return collectors.Because(codeRefusedLong, float64(LongestOverride/day))
	case o.From.Sub(p.now) > FurthestOverride:
		return collectors.Because(codeRefusedFar)
	case len(p.overrides()) >= maxOverrides:
		return collectors.Because(codeRefusedOver1000, float64(maxOverrides))
	}
	return collectors.Reason{}
}

// cancelOverride takes an override back. Of one that has begun, what has been stays: it ends now.
func (p *planner) cancelOverride(c *Command, id string) collectors.Reason {
	list := p.overrides()
	i := slices.IndexFunc(list, func(o Override) bool { return o.ID == id })
	if i < 0 || !list[i].CancelledAt.IsZero() || !list[i].To.After(p.now) {
		return collectors.Because(codeRefusedOverride)
	}
	o, code := list[i], codeOverrideCancel
	if o.From.Before(p.now) {
		o.To, code = p.now, codeOverrideEnd
	} else {
		o.CancelledBy, o.CancelledAt = c.Actor, p.now
	}
	p.out.Change.Overrides = append(p.out.Change.Overrides, o)
	p.event(Event{Kind: EventOnCall, Actor: c.Actor, Text: collectors.Because(code, o.Rotation, o.Person, c.Actor), Note: c.Note})
	return collectors.Reason{}
}

func (p *planner) handover(c *Command, rotation string) collectors.Reason {
	if strings.TrimSpace(c.Note) == "" {
		return collectors.Because(codeRefusedNote)
	}
	p.out.Change.Handovers = append(p.out.Change.Handovers, HandoverNote{ID: c.ID, Rotation: rotation, By: c.Actor, At: p.now, Note: c.Note})
	p.event(Event{Kind: EventOnCall, Actor: c.Actor, Text: collectors.Because(codeHandover, rotation, c.Actor), Note: c.Note})
	return collectors.Reason{}
}

// adoptOverrides takes what a Change says of overrides, and forgets those that ended long ago.
func (s *State) adoptOverrides(c *Change) {
	if len(c.Overrides) == 0 {
		return
	}
	list := withOverrides(slices.Clone(s.overrides), c.Overrides) // a plan may still hold the old list
	s.overrides = slices.DeleteFunc(list, func(o Override) bool {
		return !o.CancelledAt.IsZero() || !o.To.After(c.At.Add(-overrideKept))
	})
}

// withOverrides puts rows into a list, in the place of those of the same id.
func withOverrides(list, rows []Override) []Override {
	for _, o := range rows {
		if i := slices.IndexFunc(list, func(old Override) bool { return old.ID == o.ID }); i >= 0 {
			list[i] = o
		} else {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, byDecision)
	return list
}
