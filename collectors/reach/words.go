package reach

import "vigia/collectors"

// Words is the catalogue of what can go wrong on the way, with the kind's name before each code, and with the kind's own words added.
func Words(kind string, own collectors.Words) collectors.Words {
	all := make(collectors.Words, len(words)+len(own))
	for code, text := range words {
		all[kind+"."+code] = text
	}
	for code, text := range own {
		all[kind+"."+code] = text
	}
	return all
}

// words are the failures of names, sockets and certificates. Addresses are host:port.
var words = collectors.Words{
	"no_name":    {EN: "{0} does not resolve: there is no such name", ES: "{0} no se resuelve: ese nombre no existe"},
	"no_address": {EN: "{0} has no address of the wanted family", ES: "{0} no tiene dirección de la familia pedida"},
	"no_family":  {EN: "{0} is not an IPv{1} address", ES: "{0} no es una dirección IPv{1}"},
	"dns_silent": {EN: "{0} does not resolve: the name server does not answer", ES: "{0} no se resuelve: el servidor de nombres no responde"},
	"dns_broken": {EN: "{0} does not resolve: {1}", ES: "{0} no se resuelve: {1}"},
	"late_dns":   {EN: "{0} is not resolved within {1} s (dns)", ES: "{0} no se resuelve en {1} s (dns)"},

	"forbidden":    {EN: "{0} is a link-local, multicast or metadata address: checks do not go there", ES: "{0} es una dirección de enlace local, multidifusión o metadatos: las pruebas no van allí"},
	"refused":      {EN: "connection refused by {0}", ES: "conexión rechazada por {0}"},
	"reset":        {EN: "connection reset by {0}", ES: "conexión cortada por {0}"},
	"closed":       {EN: "{0} closes the connection without an answer", ES: "{0} cierra la conexión sin responder"},
	"no_route":     {EN: "no route to {0}", ES: "no hay ruta hacia {0}"},
	"no_source":    {EN: "{0} cannot be used as the source address on this machine", ES: "{0} no se puede usar como dirección de origen en esta máquina"},
	"no_files":     {EN: "this machine is out of file descriptors: raise the limit (ulimit -n) of vigia", ES: "esta máquina agotó sus descriptores de archivo: suba el límite (ulimit -n) de vigia"},
	"broken":       {EN: "connection to {0}: {1}", ES: "conexión con {0}: {1}"},
	"late_connect": {EN: "no answer from {0} within {1} s (connect)", ES: "sin respuesta de {0} en {1} s (conexión)"},
	"stopped":      {EN: "the run was stopped before an answer came", ES: "la prueba se detuvo antes de recibir respuesta"},

	"late_tls":           {EN: "no answer from {0} within {1} s (TLS handshake)", ES: "sin respuesta de {0} en {1} s (saludo TLS)"},
	"not_tls":            {EN: "{0} does not speak TLS", ES: "{0} no habla TLS"},
	"tls_broken":         {EN: "TLS handshake with {0}: {1}", ES: "saludo TLS con {0}: {1}"},
	"cert_expired":       {EN: "certificate expired {0:0} days ago", ES: "el certificado venció hace {0:0} días"},
	"cert_expired_h":     {EN: "certificate expired {0} h ago", ES: "el certificado venció hace {0} h"},
	"cert_chain_expired": {EN: "certificate {0} in the chain expired {1} days ago", ES: "el certificado {0} de la cadena venció hace {1} días"},
	"cert_early":         {EN: "certificate becomes valid only in {0} days", ES: "el certificado será válido dentro de {0} días"},
	"cert_name":          {EN: "certificate is for {0}, not for {1}", ES: "el certificado es para {0}, no para {1}"},
	"cert_noname":        {EN: "certificate names no host, so it is not for {0}", ES: "el certificado no nombra ningún host, así que no es para {0}"},
	"cert_issuer":        {EN: "certificate's issuer {0} is unknown", ES: "el emisor del certificado, {0}, es desconocido"},
	"cert_bad":           {EN: "certificate does not hold: {0}", ES: "el certificado no es válido: {0}"},

	// Steps on the way.
	"step_resolved":  {EN: "{0} resolves to {1} in {2} ms", ES: "{0} se resuelve como {1} en {2} ms"},
	"step_connected": {EN: "connected to {0} in {1} ms", ES: "conectado a {0} en {1} ms"},
	"step_tls":       {EN: "{0} with {1}, in {2} ms", ES: "{0} con {1}, en {2} ms"},
	"step_cert":      {EN: "certificate {0}, issued by {1}, expires on {2} ({3} days)", ES: "certificado {0}, emitido por {1}, vence el {2} ({3} días)"},
}
