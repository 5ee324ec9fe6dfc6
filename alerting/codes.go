package alerting

import (
	"maps"
	"slices"
	"strings"
	"time"

	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Codes of what the engine says. Those about one alarm end in .kind.metric, so that the sentence is whole in either language:
// title.link.loss_pct is "Link {0} loses {1} % of packets".
const (
	wordTitle    = "title"
	wordJoined   = "joined"
	wordShadowed = "shadowed"
	wordCleared  = "cleared"
	wordFreed    = "freed"
	wordSteady   = "steady"

	codeOpened          = "opened"
	codeNoData          = "engine.no_data"
	codeNeverData       = "engine.never_data"
	codeMoved           = "engine.moved"
	codeMergedInto      = "engine.merged_into"
	codeMergedFrom      = "engine.merged_from"
	codeResolved        = "engine.resolved"
	codeRose            = "engine.rose"
	codeFell            = "engine.fell"
	codeLate            = "engine.late"
	codeTold            = "engine.told"
	codeAcked           = "engine.acked"
	codeAssigned        = "engine.assigned"
	codeSnoozed         = "engine.snoozed"
	codeSnoozeOver      = "engine.snooze_over"
	codeMuted           = "engine.muted"
	codeUnmuted         = "engine.unmuted"
	codeMuteMade        = "engine.mute_made"
	codeMuteEnded       = "engine.mute_ended"
	codeMuteUnknown     = "engine.mute_unknown"
	codeMuteReason      = "engine.mute_reason"
	codeMuteOn          = "engine.mute_on"
	codeMuteRecurs      = "engine.mute_recurs"
	codeMuteLong        = "engine.mute_long"
	codeMuteClock       = "engine.mute_clock"
	codeMuteWindow      = "engine.mute_window"
	codeRefusedNobody   = "engine.refused_nobody"
	codeAckExpired      = "engine.ack_expired"
	codeAckRose         = "engine.ack_rose"
	codeUnacked         = "engine.unacked"
	codeComment         = "engine.comment"
	codeClosed          = "engine.closed"
	codeFlapping        = "engine.flapping"
	codeGivenUp         = "engine.given_up"
	codeGivenUpFallback = "engine.given_up_fallback"
	codeReceiverFailing = "engine.receiver_failing"
	codeStoreFailing    = "engine.store_failing"
	codeDropped         = "engine.dropped"
	codeUntold          = "engine.untold"
	codeJumpedAhead     = "engine.jumped_ahead"
	codeJumpedBack      = "engine.jumped_back"
	codeCheckRemoved    = "engine.check_removed"
	codeRuleRemoved     = "engine.rule_removed"
	codeAdopted         = "engine.adopted"
	codeSameInto        = "engine.same_into"
	codeSameFrom        = "engine.same_from"
	codeRefusedOver     = "engine.refused_over"
	codeRefusedUnknown  = "engine.refused_unknown"
	codeRefusedPast     = "engine.refused_past"
	codeRefusedKind     = "engine.refused_kind"
	codeRefusedEmpty    = "engine.refused_empty"
	codeRefusedNoLevel  = "engine.refused_no_level"
	codeRefusedNotAcked = "engine.refused_not_acked"
)

// untilWord ends the code of a sentence that says for how long.
const untilWord = "_until"

// EngineWords is what the engine says: titles, events, refusals.
var EngineWords = engineWords()

var plainWords = collectors.Words{
	codeNoData:      {EN: "no data for {0}", ES: "sin datos desde hace {0}"},
	codeNeverData:   {EN: "no data has ever come, {0} after the start", ES: "nunca han llegado datos, {0} después del inicio"},
	codeMoved:       {EN: "Now part of incident {0}", ES: "Ahora forma parte del incidente {0}"},
	codeMergedInto:  {EN: "Joined incident {0}: what it depends on is down", ES: "Se unió al incidente {0}: no responde aquello de lo que depende"},
	codeMergedFrom:  {EN: "Incident {0} is a consequence and joined this one", ES: "El incidente {0} es una consecuencia y se unió a este"},
	codeAdopted:     {EN: "Only a process that was cut off from the database knew of this; it goes on here", ES: "Solo lo sabía un proceso aislado de la base de datos; continúa aquí"},
	codeSameInto:    {EN: "The same as incident {0}, which another process opened meanwhile", ES: "Es lo mismo que el incidente {0}, que otro proceso abrió entretanto"},
	codeSameFrom:    {EN: "Incident {0}, of a process that was cut off from the database, is the same", ES: "El incidente {0}, de un proceso aislado de la base de datos, es lo mismo"},
	codeResolved:    {EN: "Resolved after {0}", ES: "Resuelto después de {0}"},
	codeLate:        {EN: "This step is {0} late", ES: "Este paso llega {0} tarde"},
	codeAcked:       {EN: "{0} has it", ES: "{0} lo tomó"},
	codeAckExpired:  {EN: "The time of {0} is over: nobody has it", ES: "Terminó el plazo de {0}: nadie lo tiene"},
	codeAckRose:     {EN: "It got worse since it was acknowledged: nobody has it", ES: "Empeoró desde que se tomó: nadie lo tiene"},
	codeUnacked:     {EN: "{0} gave it back: nobody has it", ES: "{0} lo devolvió: nadie lo tiene"},
	codeComment:     {EN: "{0} wrote", ES: "{0} escribió"},
	codeClosed:      {EN: "{0} closed the incident by hand", ES: "{0} cerró el incidente a mano"},
	codeFlapping:    {EN: "It comes and goes: one notice now, then quiet until it is stable", ES: "Va y viene: un aviso ahora y luego silencio hasta que sea estable"},
	codeGivenUp:     {EN: "{0} could not be told: {1}", ES: "No se pudo avisar a {0}: {1}"},
	codeUntold:      {EN: "{0} incidents should have told somebody and did not", ES: "{0} incidentes debían avisar a alguien y no lo hicieron"},
	codeDropped:     {EN: "{0} samples were dropped: they came faster than they could be judged", ES: "Se descartaron {0} muestras: llegaron más rápido de lo que se podían evaluar"},
	codeJumpedAhead: {EN: "The clock jumped ahead by {0}", ES: "El reloj saltó {0} hacia adelante"},
	codeJumpedBack:  {EN: "The clock jumped back by {0}", ES: "El reloj saltó {0} hacia atrás"},

	codeGivenUpFallback:      {EN: "{0} could not be told: {1}. {2} is told instead", ES: "No se pudo avisar a {0}: {1}. Se avisa a {2} en su lugar"},
	codeAcked + untilWord:    {EN: "{0} has it for {1}", ES: "{0} lo tomó por {1}"},
	codeAssigned:             {EN: "{2} gave it to {0}", ES: "{2} lo asignó a {0}"},
	codeAssigned + untilWord: {EN: "{2} gave it to {0} for {1}", ES: "{2} lo asignó a {0} por {1}"},
	codeSnoozed + untilWord:  {EN: "{0} put it off for {1}: nobody has it, and nobody is told before", ES: "{0} lo pospuso {1}: nadie lo tiene y no se avisa antes"},
	codeSnoozeOver:           {EN: "It was put off by {0} until now: nobody has it", ES: "{0} lo pospuso hasta ahora: nadie lo tiene"},

	codeMuted + "." + string(Silence):         {EN: "Silenced by {0} for another {1}: nobody is paged", ES: "Silenciado por {0}, faltan {1}: no se avisa a nadie"},
	codeMuted + "." + string(Maintenance):     {EN: "In the maintenance of {0} for another {1}: nobody is paged", ES: "En el mantenimiento de {0}, faltan {1}: no se avisa a nadie"},
	codeUnmuted:                               {EN: "The quiet is over, and it is still bad", ES: "Terminó el silencio y sigue mal"},
	codeMuteMade + "." + string(Silence):      {EN: "{0} silenced {1}", ES: "{0} silenció {1}"},
	codeMuteMade + "." + string(Maintenance):  {EN: "{0} planned maintenance of {1}", ES: "{0} programó mantenimiento de {1}"},
	codeMuteEnded + "." + string(Silence):     {EN: "{0} ended the silence of {1}", ES: "{0} terminó el silencio de {1}"},
	codeMuteEnded + "." + string(Maintenance): {EN: "{0} ended the maintenance of {1}", ES: "{0} terminó el mantenimiento de {1}"},
	codeMuteUnknown:                           {EN: "There is no silence or maintenance {0}, or it is over", ES: "No existe el silencio o mantenimiento {0}, o ya terminó"},
	codeMuteReason:                            {EN: "A silence or maintenance needs a reason", ES: "Un silencio o mantenimiento necesita un motivo"},
	codeMuteOn:                                {EN: "Say what it is about: 1 to {0} objects or patterns such as link/sjo-*", ES: "Indique de qué se trata: de 1 a {0} objetos o patrones como link/sjo-*"},
	codeMuteRecurs:                            {EN: "A silence is for once; what comes again and again is a maintenance", ES: "Un silencio es una sola vez; lo que se repite es un mantenimiento"},
	codeMuteLong:                              {EN: "A silence may last {0} at most; for longer, plan a maintenance or mend the threshold", ES: "Un silencio dura como máximo {0}; para más, programe un mantenimiento o corrija el umbral"},
	codeMuteClock:                             {EN: "{0} in {1} is no time of day of a time zone, or the week of the month is none", ES: "{0} en {1} no es una hora de una zona horaria, o la semana del mes no existe"},
	codeMuteWindow:                            {EN: "A window may last {0} at most", ES: "Una ventana dura como máximo {0}"},
	codeRefusedNobody:                         {EN: "Say to whom it is assigned", ES: "Indique a quién se asigna"},

	codeReceiverFailing: {EN: "{0} could not be told: {1}", ES: "No se pudo avisar a {0}: {1}"},
	codeStoreFailing:    {EN: "what is decided cannot be stored: {0}", ES: "lo decidido no se puede guardar: {0}"},
	codeCheckRemoved:    {EN: "Closed: nothing measures {0} any more", ES: "Cerrada: ya nada mide {0}"},
	codeRuleRemoved:     {EN: "Closed: the new configuration expects nothing of {0}", ES: "Cerrada: la nueva configuración no espera nada de {0}"},
	codeRefusedOver:     {EN: "Incident {0} is over: resolved, or part of another", ES: "El incidente {0} ya terminó: está resuelto o es parte de otro"},
	codeRefusedUnknown:  {EN: "There is no incident {0}", ES: "No existe el incidente {0}"},
	codeRefusedPast:     {EN: "The end lies in the past", ES: "El final está en el pasado"},
	codeRefusedKind:     {EN: "Vigía does not know the command {0}", ES: "Vigía no conoce la orden {0}"},
	codeRefusedEmpty:    {EN: "A comment needs words", ES: "Un comentario necesita palabras"},
	codeRefusedNoLevel:  {EN: "There is no further level in policy {0}", ES: "No hay más niveles en la política {0}"},
	codeRefusedNotAcked: {EN: "Nobody has incident {0}", ES: "Nadie tiene el incidente {0}"},

	codeTold + ".opened":      {EN: "{0} told (level {1}, round {2})", ES: "{0} avisado (nivel {1}, ronda {2})"},
	codeTold + ".escalated":   {EN: "{0} told: nobody has taken it (level {1}, round {2})", ES: "{0} avisado: nadie lo ha tomado (nivel {1}, ronda {2})"},
	codeTold + ".repeat":      {EN: "{0} told again: nobody has taken it (level {1}, round {2})", ES: "{0} avisado de nuevo: nadie lo ha tomado (nivel {1}, ronda {2})"},
	codeTold + ".severity":    {EN: "{0} told: it got worse (level {1}, round {2})", ES: "{0} avisado: empeoró (nivel {1}, ronda {2})"},
	codeTold + ".ack_expired": {EN: "{0} told: nobody has it any more (level {1}, round {2})", ES: "{0} avisado: ya nadie lo tiene (nivel {1}, ronda {2})"},
	codeTold + ".reopened":    {EN: "{0} told: it is bad again (level {1}, round {2})", ES: "{0} avisado: volvió a fallar (nivel {1}, ronda {2})"},
	codeTold + ".unmuted":     {EN: "{0} told: the quiet is over and it is still bad (level {1}, round {2})", ES: "{0} avisado: terminó el silencio y sigue mal (nivel {1}, ronda {2})"},
	codeTold + ".snooze_over": {EN: "{0} told: it was put off until now (level {1}, round {2})", ES: "{0} avisado: se pospuso hasta ahora (nivel {1}, ronda {2})"},
	codeTold + ".flapping":    {EN: "{0} told once: it comes and goes (level {1}, round {2})", ES: "{0} avisado una vez: va y viene (nivel {1}, ronda {2})"},
}

// kindNouns begin a sentence about an object.
var kindNouns = map[inventory.Kind]collectors.Text{
	inventory.KindSite:        {EN: "Site {0}", ES: "Sitio {0}"},
	inventory.KindLink:        {EN: "Link {0}", ES: "Enlace {0}"},
	inventory.KindServer:      {EN: "Server {0}", ES: "Servidor {0}"},
	inventory.KindService:     {EN: "Service {0}", ES: "Servicio {0}"},
	inventory.KindTrunk:       {EN: "Trunk {0}", ES: "Troncal {0}"},
	inventory.KindDestination: {EN: "Destination {0}", ES: "Destino {0}"},
	inventory.KindCustomer:    {EN: "Customer {0}", ES: "Cliente {0}"},
	inventory.KindVigia:       {EN: "Vigía", ES: "Vigía"},
}

// predicates say what an alarm means to people; {1} is the value, {2} the instance. What is not here is "{metric} {1} {unit}".
var predicates = map[collectors.Metric]collectors.Text{
	collectors.Up:                 {EN: " is down", ES: " está fuera de servicio"},
	collectors.LossPct:            {EN: " loses {1} % of packets", ES: " pierde {1} % de los paquetes"},
	collectors.LatencyMS:          {EN: " is slow: {1} ms", ES: " está lento: {1} ms"},
	collectors.ResponseMS:         {EN: " answers slowly: {1} ms", ES: " responde con lentitud: {1} ms"},
	collectors.InterfaceUp:        {EN: ": its interface is down", ES: ": su interfaz está caída"},
	collectors.PartOK:             {EN: ": a part has failed", ES: ": un componente ha fallado"},
	collectors.TLSExpiryD:         {EN: ": its certificate ends in {1} days", ES: ": su certificado vence en {1} días"},
	collectors.Unusual:            {EN: ": {2:m} is far from usual, {1} times its scatter", ES: ": {2:m} lejos de lo usual, {1} veces su dispersión"},
	collectors.TimesUsual:         {EN: ": {2:m} at {1} times the usual", ES: ": {2:m} a {1} veces lo usual"},
	collectors.Change1H:           {EN: ": {2:m} changed by {1} within an hour", ES: ": {2:m} cambió {1} en una hora"},
	collectors.BusyHourPct:        {EN: " is short of capacity: {1} % at the busy hour", ES: " tiene poca capacidad: {1} % en la hora pico"},
	collectors.FullInD:            {EN: ": a disk is full in {1} days", ES: ": un disco se llena en {1} días"},
	collectors.HealthyServers:     {EN: " is short of servers: {1} healthy", ES: " tiene pocos servidores sanos: {1}"},
	collectors.WorkingTrunks:      {EN: " is short of trunks: {1} working", ES: " tiene pocas troncales en servicio: {1}"},
	collectors.VigiaReceiverDown:  {EN: " cannot tell {2}", ES: " no puede avisar a {2}"},
	collectors.VigiaStoreDown:     {EN: " cannot store what happens", ES: " no puede guardar lo que sucede"},
	collectors.VigiaSetAside:      {EN: ": the database refuses {1} things for good, they are set aside", ES: ": la base de datos rechaza {1} cosas definitivamente; quedaron apartadas"},
	collectors.VigiaNoJournal:     {EN: " has no local journal", ES: " no tiene diario local"},
	collectors.VigiaConfigRefused: {EN: " runs on an old configuration: the new one is refused", ES: " sigue con una configuración anterior: la nueva fue rechazada"},
	collectors.VigiaCanaryS:       {EN: ": nothing has come through the way of an alarm for {1} s", ES: ": nada ha recorrido el camino de una alarma desde hace {1} s"},
	collectors.VigiaUnsent:        {EN: ": {1} incidents should have told somebody and did not", ES: ": {1} incidentes debían avisar a alguien y no lo hicieron"},
	collectors.VigiaDropped:       {EN: " dropped {1} samples", ES: " descartó {1} muestras"},
	collectors.VigiaVoiceDown:     {EN: " does not receive reports about calls", ES: " no recibe reportes de llamadas"},
	collectors.VigiaVoiceLossPct:  {EN: " loses {1} % of the reports about calls", ES: " pierde el {1} % de los reportes de llamadas"},
	collectors.VigiaClockJumpS:    {EN: ": the clock jumped by {1} s", ES: ": el reloj saltó {1} s"},
}

// aboutTexts are the sentences about one alarm; {T} is its title, {N} its object and what was measured last.
var aboutTexts = map[string]collectors.Text{
	wordTitle:    {EN: "{T}", ES: "{T}"},
	wordJoined:   {EN: "Joined: {T}", ES: "Se unió: {T}"},
	wordShadowed: {EN: "Joined, kept from paging: {T}", ES: "Se unió, sin avisar aparte: {T}"},
	wordCleared:  {EN: "Well again: {N}", ES: "De nuevo bien: {N}"},
	wordFreed:    {EN: "Left: it stays after what it depends on came back. {T}", ES: "Salió: sigue después de volver aquello de lo que depende. {T}"},
	wordSteady:   {EN: "No longer comes and goes, it stays: {T}", ES: "Ya no va y viene, permanece: {T}"},
}

func engineWords() collectors.Words {
	words := maps.Clone(plainWords)
	for kind, noun := range kindNouns {
		addAbout(words, string(kind)+".other", noun, collectors.Text{EN: ": {3} {1}", ES: ": {3} {1}"}, collectors.Text{EN: "{3}", ES: "{3}"}, collectors.Text{EN: ", {3} {1}", ES: ", {3} {1}"})
		for metric, info := range collectors.Catalogue {
			if info.Kinds == nil && kind == inventory.KindVigia || slices.Contains(info.Kinds, kind) {
				name := collectors.Text{EN: collectors.MetricName(collectors.English, metric), ES: collectors.MetricName(collectors.Spanish, metric)}
				addAbout(words, string(kind)+"."+string(metric), noun, predicate(metric, name), name, wellAgain(metric, name))
				part := collectors.Text{EN: name.EN + " {2}", ES: name.ES + " {2}"}
				addAbout(words, string(kind)+"."+string(metric)+partWord, noun, partPredicate(metric, part), part, wellAgain(metric, part))
			}
		}
	}
	for metric := range collectors.Catalogue {
		addOpened(words, metric)
	}
	addOnCall(words)
	for _, from := range Severities {
		for _, to := range Severities {
			key := "." + from.String() + "." + to.String()
			words[codeRose+key] = collectors.Text{EN: "Worse: " + from.String() + " is now " + to.String(), ES: "Empeora: de " + severityES[from] + " a " + severityES[to]}
			words[codeFell+key] = collectors.Text{EN: "Better: " + from.String() + " is now " + to.String(), ES: "Mejora: de " + severityES[from] + " a " + severityES[to]}
		}
	}
	return words
}

var severityES = map[Severity]string{Critical: "crítica", Major: "mayor", Minor: "menor", Warning: "aviso", Indeterminate: "indeterminada"}

// predicate is what an alarm of a metric says of its object.
func predicate(metric collectors.Metric, name collectors.Text) collectors.Text {
	if p, ok := predicates[metric]; ok {
		return p
	}
	unit := unitOf(metric)
	return collectors.Text{EN: ": " + name.EN + " {1}" + unit, ES: ": " + name.ES + " {1}" + unit}
}

// partWord ends the code of a sentence about a part of an object: a disk, an interface.
const partWord = ".part"

// partPredicates are predicates of a part; {2} is its name.
var partPredicates = map[collectors.Metric]collectors.Text{
	collectors.InterfaceUp: {EN: ": interface {2} is down", ES: ": la interfaz {2} está caída"},
	collectors.FullInD:     {EN: ": {2} is full in {1} days", ES: ": {2} se llena en {1} días"},
	collectors.PartOK:      {EN: ": {2} has failed", ES: ": {2} ha fallado"},
}

func partPredicate(metric collectors.Metric, name collectors.Text) collectors.Text {
	if p, ok := partPredicates[metric]; ok {
		return p
	}
	unit := unitOf(metric)
	return collectors.Text{EN: ": " + name.EN + " {1}" + unit, ES: ": " + name.ES + " {1}" + unit}
}

// unitless marks yes and no, of which no figure is written.
const unitless = "-"

func unitOf(metric collectors.Metric) string {
	switch u := collectors.Catalogue[metric].Unit; u {
	case collectors.UnitBool:
		return unitless
	case collectors.UnitNone:
		return ""
	case collectors.UnitPps:
		return "/s"
	case collectors.UnitBps:
		return " Mb/s"
	default:
		return " " + string(u)
	}
}

// figure is a value as the texts write it: bits in millions.
func figure(metric collectors.Metric, v float64) float64 {
	if collectors.Catalogue[metric].Unit == collectors.UnitBps {
		return v / 1e6
	}
	return v
}

// wellAgain is what stands behind the name of an object that is well again: the figure, or for yes and no what is true again. One that
// answers again needs no more words.
func wellAgain(metric collectors.Metric, name collectors.Text) collectors.Text {
	unit := unitOf(metric)
	switch {
	case metric == collectors.Up:
		return collectors.Text{}
	case unit == unitless:
		well := 0.0
		if collectors.Catalogue[metric].LowerIsWorse {
			well = 1
		}
		return collectors.Text{
			EN: ", " + name.EN + " " + collectors.FormatValue(collectors.English, metric, well),
			ES: ", " + name.ES + " " + collectors.FormatValue(collectors.Spanish, metric, well),
		}
	}
	return collectors.Text{EN: ", " + name.EN + " {1}" + unit, ES: ", " + name.ES + " {1}" + unit}
}

func addAbout(words collectors.Words, key string, noun, predicate, name, well collectors.Text) {
	for word, frame := range aboutTexts {
		words[word+"."+key] = collectors.Text{
			EN: strings.NewReplacer("{T}", noun.EN+predicate.EN, "{N}", noun.EN+well.EN).Replace(frame.EN),
			ES: strings.NewReplacer("{T}", noun.ES+predicate.ES, "{N}", noun.ES+well.ES).Replace(frame.ES),
		}
		words[word+"."+key+".stale"] = collectors.Text{
			EN: strings.NewReplacer("{T}", noun.EN+": no data ("+name.EN+")", "{N}", noun.EN+well.EN).Replace(frame.EN),
			ES: strings.NewReplacer("{T}", noun.ES+": sin datos ("+name.ES+")", "{N}", noun.ES+well.ES).Replace(frame.ES),
		}
	}
}

// addOpened makes the sentences that open an incident: how bad, over what, for how long, confirmed by how many, told by which policy.
func addOpened(words collectors.Words, metric collectors.Metric) {
	unit := unitOf(metric)
	en, es := collectors.MetricName(collectors.English, metric), collectors.MetricName(collectors.Spanish, metric)
	facts := map[string]collectors.Text{
		"over":  {EN: en + " {0}" + unit + ", limit {1}" + unit, ES: es + " {0}" + unit + ", límite {1}" + unit},
		"under": {EN: en + " {0}" + unit + ", limit {1}" + unit, ES: es + " {0}" + unit + ", límite {1}" + unit},
		"stale": {EN: "no data (" + en + ") for {2}", ES: "sin datos (" + es + ") desde hace {2}"},
	}
	if collectors.Catalogue[metric].Unit == collectors.UnitBool {
		facts["under"] = collectors.Text{
			EN: collectors.FormatValue(collectors.English, metric, 0), ES: collectors.FormatValue(collectors.Spanish, metric, 0),
		}
		facts["over"] = collectors.Text{
			EN: en + " " + collectors.FormatValue(collectors.English, metric, 1), ES: es + " " + collectors.FormatValue(collectors.Spanish, metric, 1),
		}
	}
	for side, fact := range facts {
		held := collectors.Text{EN: ", for {2}", ES: ", durante {2}"}
		sure := collectors.Text{EN: ", confirmed (further probes: {3})", ES: ", confirmado (sondeos adicionales: {3})"}
		if side == "stale" {
			held, sure = collectors.Text{}, collectors.Text{}
		}
		for _, policy := range []string{"", ".untold"} {
			end := collectors.Text{EN: ". Policy {4}", ES: ". Política {4}"}
			if policy != "" {
				end = collectors.Text{EN: ". No policy: nobody is told", ES: ". Sin política: no se avisa a nadie"}
			}
			key := codeOpened + "." + string(metric) + "." + side
			words[key+policy] = collectors.Text{EN: "Incident opened: " + fact.EN + end.EN, ES: "Se abrió el incidente: " + fact.ES + end.ES}
			words[key+".held"+policy] = collectors.Text{EN: "Incident opened: " + fact.EN + held.EN + end.EN, ES: "Se abrió el incidente: " + fact.ES + held.ES + end.ES}
			words[key+".confirmed"+policy] = collectors.Text{EN: "Incident opened: " + fact.EN + sure.EN + end.EN, ES: "Se abrió el incidente: " + fact.ES + sure.ES + end.ES}
		}
	}
}

// about is a sentence about an alarm: its arguments are name, value, instance and metric.
func about(word string, a *Alarm) collectors.Reason {
	metric := string(a.Series.Metric)
	if info, ok := collectors.Catalogue[a.Series.Metric]; !ok || info.Kinds != nil && !slices.Contains(info.Kinds, a.Series.Ref.Kind) ||
		info.Kinds == nil && a.Series.Ref.Kind != inventory.KindVigia {
		metric = "other"
	}
	code, which := word+"."+string(a.Series.Ref.Kind)+"."+metric, a.Series.Instance
	if collectors.Catalogue[a.Series.Metric].Derived {
		which = a.Series.Check().Instance
	} else if part := a.Series.Part(); part != "" && metric != "other" {
		code += partWord
		which = part
	}
	if a.State == Stale {
		code += ".stale"
	}
	return collectors.Because(code, a.Series.Ref.Name, figure(a.Series.Metric, a.Value), which, string(a.Series.Metric))
}

// title is what happened, as the alarm says it.
func title(a *Alarm) collectors.Reason { return about(wordTitle, a) }

// opened says why an incident was opened.
func (p *planner) opened(w *work, policy *Policy) collectors.Reason {
	a := &w.alarm
	code, held, confirms := codeOpened+"."+string(a.Series.Metric), p.now.Sub(a.PendingAt), 0
	h := a.hold(a.Tier.Severity)
	switch {
	case a.State == Stale:
		code += ".stale"
	case a.Tier.Below():
		code += ".under"
	default:
		code += ".over"
	}
	if c := w.rule.Confirm; a.State != Stale && h != nil && c != nil && c.Probes > 0 && h.Confirms >= c.Probes {
		code += ".confirmed"
		confirms = h.Confirms
	} else if a.State != Stale && held >= time.Second {
		code += ".held"
	}
	if len(policy.Levels) == 0 {
		code += ".untold"
	}
	return collectors.Because(code, figure(a.Series.Metric, a.Value), figure(a.Series.Metric, a.Tier.Raise), brief(held), float64(confirms), policy.Name)
}

// brief writes a span as both languages do.
func brief(d time.Duration) string {
	if d >= time.Second {
		d = d.Round(time.Second)
	}
	return collectors.FormatSpan(collectors.English, d)
}
