package http

import "vigia/collectors"

// words are what the check says besides the words of package reach. The codes of ok name what was measured on the way.
var words = collectors.Words{
	"ok":         {EN: "{0} in {1} ms (connect {2}, first byte {3})", ES: "{0} en {1} ms (conexión {2}; primer byte {3})"},
	"ok_tls":     {EN: "{0} in {1} ms (connect {2}, tls {4}, first byte {3})", ES: "{0} en {1} ms (conexión {2}; tls {4}; primer byte {3})"},
	"ok_dns":     {EN: "{0} in {1} ms (dns {5}, connect {2}, first byte {3})", ES: "{0} en {1} ms (dns {5}; conexión {2}; primer byte {3})"},
	"ok_dns_tls": {EN: "{0} in {1} ms (dns {5}, connect {2}, tls {4}, first byte {3})", ES: "{0} en {1} ms (dns {5}; conexión {2}; tls {4}; primer byte {3})"},

	"status":         {EN: "status {0}, wanted {1}", ES: "estado {0}, se esperaba {1}"},
	"lacks":          {EN: "body lacks \"{0}\"", ES: "al cuerpo le falta \"{0}\""},
	"holds":          {EN: "body holds \"{0}\", which it must not", ES: "el cuerpo contiene \"{0}\", y no debe"},
	"cut_off":        {EN: "body breaks off after {0} octets", ES: "el cuerpo se corta después de {0} octetos"},
	"unreadable":     {EN: "body cannot be read after {0} octets: {1}", ES: "el cuerpo no se puede leer después de {0} octetos: {1}"},
	"not_http":       {EN: "answer of {0} is not HTTP: {1}", ES: "la respuesta de {0} no es HTTP: {1}"},
	"long_header":    {EN: "{0} answers with more than 64 KiB of headers", ES: "{0} responde con más de 64 KiB de encabezados"},
	"late_answer":    {EN: "no answer from {0} within {1} s (connected, waiting for the first byte)", ES: "sin respuesta de {0} en {1} s (conectado, esperando el primer byte)"},
	"late_body":      {EN: "the body from {0} does not end within {1} s", ES: "el cuerpo de {0} no termina en {1} s"},
	"other_host":     {EN: "status {0} redirects to another host, {1}, which is not followed", ES: "el estado {0} redirige a otro host, {1}, y no se sigue"},
	"other_port":     {EN: "status {0} redirects to another port, {1}, which is not followed", ES: "el estado {0} redirige a otro puerto, {1}, y no se sigue"},
	"to_plain":       {EN: "status {0} redirects from https to http, which is not followed", ES: "el estado {0} redirige de https a http, y no se sigue"},
	"bad_redirect":   {EN: "status {0} redirects to an address that cannot be read", ES: "el estado {0} redirige a una dirección que no se puede leer"},
	"many_redirects": {EN: "redirected more than {0} times", ES: "redirigido más de {0} veces"},

	"step_first":    {EN: "first byte {0} ms after the request", ES: "primer byte {0} ms después de la solicitud"},
	"step_status":   {EN: "status {0}, {1} octets of body read, {2} ms in all", ES: "estado {0}, {1} octetos de cuerpo leídos, {2} ms en total"},
	"step_redirect": {EN: "status {0} redirects to {1}", ES: "el estado {0} redirige a {1}"},
	"step_long":     {EN: "body is longer than 1 MiB: only the first MiB was read", ES: "el cuerpo pasa de 1 MiB: solo se leyó el primero"},
}
