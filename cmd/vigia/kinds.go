package main

import (
	"maps"

	"vigia/alerting"
	"vigia/alerting/email"
	"vigia/alerting/pagerduty"
	"vigia/alerting/slack"
	"vigia/alerting/sms"
	"vigia/alerting/teams"
	"vigia/alerting/telegram"
	"vigia/alerting/webhook"
	"vigia/collectors"
	"vigia/collectors/http"
	"vigia/collectors/ping"
	"vigia/collectors/sip"
	"vigia/collectors/snmp"
	"vigia/collectors/tcp"
	"vigia/store"
	"vigia/web"
)

// kinds are the kinds of checks and receivers that there are: one line each.
func kinds() Kinds {
	return Kinds{
		Checks: []collectors.Kind{
			ping.Kind(),
			http.Kind(),
			tcp.Kind(),
			sip.Kind(),
			snmp.Kind(),
		},
		Receivers: []alerting.ReceiverKind{
			email.Kind(),
			webhook.Kind(),
			slack.Kind(),
			pagerduty.Kind(),
			teams.Kind(),
			telegram.Kind(),
			sms.Kind(),
		},
	}
}

// words joins the catalogues of everyone who speaks to people.
func words(k Kinds) collectors.Words {
	all := collectors.Words{}
	for _, w := range []collectors.Words{
		collectors.MetricWords, collectors.PollWords, collectors.HealthWords, collectors.UsualWords, alerting.EngineWords, alerting.MessageWords,
		slack.Words, sms.Words, store.RestoreWords, appWords, usualWords, voiceWords, backupWords, web.Words,
	} {
		maps.Copy(all, w)
	}
	for _, kind := range k.Checks {
		maps.Copy(all, kind.Words)
	}
	return all
}

// appWords are what the joints themselves have to say.
var appWords = collectors.Words{
	"app.config_refused": {EN: "the configuration file is refused: {0}", ES: "el archivo de configuración no se acepta: {0}"},
	"app.store_away":     {EN: "{0}; {1} changes wait in the local journal, and people are told as always", ES: "{0}; {1} cambios esperan en el diario local, y se avisa como siempre"},
	"app.store_refuses":  {EN: "{0}", ES: "{0}"},
	"app.no_journal":     {EN: "{0}: while the database is away, what happens cannot be kept", ES: "{0}: mientras la base de datos no responda, no se puede guardar lo que suceda"},
	"app.set_aside":      {EN: "{0} things wait in {1} for somebody who looks at them; move the file away when that is done", ES: "{0} cosas esperan en {1} a que alguien las revise; mueva el archivo cuando esté hecho"},
	"app.canary":         {EN: "the last one that arrived set out {0} before and took {1} ms", ES: "el último que llegó salió {0} antes y tardó {1} ms"},
	"app.config_fine":    {EN: "the configuration on disk is the one that runs", ES: "la configuración del disco es la que está en uso"},
}
