package main

import (
	"maps"

	"vigia/alerting"
	"vigia/alerting/email"
	"vigia/alerting/slack"
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
		},
	}
}

// words joins the catalogues of everyone who speaks to people.
func words(k Kinds) collectors.Words {
	all := collectors.Words{}
	for _, w := range []collectors.Words{
		collectors.MetricWords, collectors.PollWords, collectors.HealthWords, alerting.EngineWords, alerting.MessageWords, store.RestoreWords, appWords, backupWords, web.Words,
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
	"app.config_fine":    {EN: "the configuration on disk is the one that runs", ES: "la configuración del disco es la que está en uso"},
}
