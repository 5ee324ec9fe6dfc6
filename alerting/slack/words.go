package slack

import (
	"vigia/alerting"
	"vigia/collectors"
)

// Words is what buttons say, and what comes of pressing them.
var Words = collectors.Words{
	"slack.acknowledge": {EN: "Acknowledge", ES: "Tomar"},
	"slack.take_over":   {EN: "Take over", ES: "Tomar a cargo"},
	"slack.escalate":    {EN: "Escalate", ES: "Escalar"},
	"slack.snooze":      {EN: "Snooze 1 h", ES: "Posponer 1 h"},

	"slack.done.acknowledge": {EN: "Incident {0} is yours.", ES: "El incidente {0} es suyo."},
	"slack.done.escalate":    {EN: "The next level is told of incident {0} now.", ES: "Se avisa ahora al siguiente nivel del incidente {0}."},
	"slack.done.snooze":      {EN: "Incident {0} is put off for an hour.", ES: "El incidente {0} se pospone una hora."},
	"slack.done.later":       {EN: "It is noted, and will be done for incident {0} as soon as Vigía gets to it.", ES: "Queda anotado, y se hará con el incidente {0} en cuanto Vigía pueda."},
	"slack.refused":          {EN: "Nothing was done: {0}.", ES: "No se hizo nada: {0}."},
	"slack.failed":           {EN: "It could not be stored, so nothing was done. Try again, or decide on Vigía's page.", ES: "No se pudo guardar, así que no se hizo nada. Inténtelo de nuevo, o decida en la página de Vigía."},
	"slack.elsewhere":        {EN: "This message was posted by another Vigía, which does not listen here.", ES: "Este mensaje lo publicó otro Vigía, que no escucha aquí."},
}

func (n *notifier) say(code string, args ...any) string { return sayIn(n.wording.Lang, code, args...) }

func sayIn(lang collectors.Lang, code string, args ...any) string {
	return alerting.Clean(Words[code].Say(lang, args...), maxReason)
}

const maxReason = 400
