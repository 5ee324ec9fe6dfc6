package ping

import "vigia/collectors"

// words is what a ping says.
var words = collectors.Words{
	"ping.answered": {EN: "{0} of {0} answered; {1} / {2} / {3} ms", ES: "{0} de {0} respondidos; {1} / {2} / {3} ms"},
	"ping.lost":     {EN: "lost {0} of {1}; {2} / {3} / {4} ms", ES: "{0} de {1} perdidos; {2} / {3} / {4} ms"},
	"ping.silent":   {EN: "{1} does not answer: {0} of {0} pings lost", ES: "{1} no responde: {0} de {0} pings perdidos"},

	"ping.net_unreachable":  {EN: "network unreachable, says {0}", ES: "red inalcanzable, según {0}"},
	"ping.host_unreachable": {EN: "host unreachable, says {0}", ES: "equipo inalcanzable, según {0}"},
	"ping.prohibited":       {EN: "pings are refused by {0} (administratively prohibited)", ES: "{0} rechaza los pings (prohibido por su administrador)"},
	"ping.ttl":              {EN: "pings go round in a circle near {0} (time to live exceeded)", ES: "los pings dan vueltas cerca de {0} (tiempo de vida agotado)"},
	"ping.unreachable":      {EN: "unreachable, says {0} (ICMP type {1}, code {2})", ES: "inalcanzable, según {0} (ICMP tipo {1}, código {2})"},

	"ping.no_route": {EN: "this machine has no route to {0}", ES: "esta máquina no tiene ruta hacia {0}"},
	"ping.barred":   {EN: "this machine does not let pings to {0} out: a firewall rule, a prohibiting route or a broadcast address", ES: "esta máquina no deja salir pings hacia {0}: una regla del cortafuegos, una ruta que lo prohíbe o una dirección de difusión"},
	"ping.unsent":   {EN: "pings to {0} could not be sent: {1}", ES: "no se pudieron enviar pings hacia {0}: {1}"},

	"ping.no_such_name": {EN: "{0} does not resolve: there is no such name", ES: "{0} no se resuelve: ese nombre no existe"},
	"ping.dns_timeout":  {EN: "{0} does not resolve: the name server did not answer in time", ES: "{0} no se resuelve: el servidor de nombres no respondió a tiempo"},
	"ping.dns_failed":   {EN: "{0} does not resolve: the name server says {1}", ES: "{0} no se resuelve: el servidor de nombres dice {1}"},
	"ping.no_family":    {EN: "{0} has no IPv{1} address", ES: "{0} no tiene dirección IPv{1}"},
	"ping.old_address":  {EN: "the name server failed; used the last address, {0}", ES: "el servidor de nombres falló; se usó la última dirección, {0}"},

	"ping.forbidden": {
		EN: "not allowed to send pings: give the process the capability CAP_NET_RAW, or let its group use ping sockets (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")",
		ES: "no se permite enviar pings: dé al proceso la capacidad CAP_NET_RAW, o permita a su grupo los sockets de ping (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")",
	},
	"ping.busy": {
		EN: "no time left: {0} raw sockets are in use at once; with net.ipv4.ping_group_range opened there is no such bound",
		ES: "sin tiempo: {0} sockets raw están en uso a la vez; con net.ipv4.ping_group_range abierto no hay tal límite",
	},
	"ping.no_source": {EN: "cannot send from {0}: it is not an address of this machine", ES: "no se puede enviar desde {0}: no es una dirección de esta máquina"},
	"ping.no_socket": {EN: "could not open a socket: {0}", ES: "no se pudo abrir un socket: {0}"},
	"ping.cut":       {EN: "the run was cut off before all answers could come: {0} of {1} pings sent", ES: "la prueba se cortó antes de que pudieran llegar todas las respuestas: {0} de {1} pings enviados"},

	"ping.starved": {
		EN: "not measured: this machine is too busy, the last ping left {0:1} s late",
		ES: "sin medir: esta máquina está demasiado ocupada, el último ping salió {0:1} s tarde",
	},

	"ping.to":         {EN: "pinged {0}", ES: "ping a {0}"},
	"ping.raw":        {EN: "sent by a raw socket: ping sockets are not allowed here (net.ipv4.ping_group_range)", ES: "enviado por un socket raw: aquí no se permiten los sockets de ping (net.ipv4.ping_group_range)"},
	"ping.duplicates": {EN: "{0} duplicate answers", ES: "{0} respuestas duplicadas"},
	"ping.no_answer":  {EN: "not answered: ping {0}", ES: "sin respuesta: ping {0}"},
	"ping.not_sent":   {EN: "{0} pings could not be sent: {1}", ES: "{0} pings no se pudieron enviar: {1}"},
}
