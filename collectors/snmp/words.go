package snmp

import "vigia/collectors"

// wordList is what the check says, without the prefix of the kind.
var wordList = collectors.Words{
	"ok":           {EN: "{0}: {1} values in {2} requests", ES: "{0}: {1} valores en {2} solicitudes"},
	"ok_discarded": {EN: "{0}: {1} values in {2} requests, {3} thrown away", ES: "{0}: {1} valores en {2} solicitudes, {3} descartados"},
	"traffic":      {EN: "in {0} Mb/s, out {1} Mb/s, {2} errors a second", ES: "entrada {0} Mb/s, salida {1} Mb/s, {2} errores por segundo"},
	"first":        {EN: "{0} is up; its counters were read for the first time, rates come with the next run", ES: "{0} está activa; sus contadores se leyeron por primera vez, las tasas llegan con la próxima lectura"},
	"looking":      {EN: "{0} is being discovered: {1} objects read, the next run goes on", ES: "se está descubriendo {0}: {1} objetos leídos, sigue en la próxima lectura"},

	"unfinished": {EN: "{0} answers slowly: {1} objects read in the time that was given; give it more", ES: "{0} responde despacio: {1} objetos leídos en el tiempo dado; dele más"},

	"state_up":             {EN: "interface {0} is up", ES: "la interfaz {0} está activa"},
	"state_down":           {EN: "interface {0} is down", ES: "la interfaz {0} está caída"},
	"state_admin":          {EN: "interface {0} is shut down by configuration", ES: "la interfaz {0} está desactivada por configuración"},
	"state_testing":        {EN: "interface {0} is in a test", ES: "la interfaz {0} está en prueba"},
	"state_unknown":        {EN: "the device does not know the state of interface {0}", ES: "el equipo no conoce el estado de la interfaz {0}"},
	"state_dormant":        {EN: "interface {0} is dormant: it waits for an event", ES: "la interfaz {0} está en espera de un evento"},
	"state_notPresent":     {EN: "interface {0} has lost its hardware", ES: "falta el hardware de la interfaz {0}"},
	"state_lowerLayerDown": {EN: "interface {0} is down: what it runs over is down", ES: "la interfaz {0} está caída: lo está aquello sobre lo que funciona"},

	"no_interface": {EN: "no interface is called {0}; there are {2}: {1}", ES: "ninguna interfaz se llama {0}; hay {2}: {1}"},
	"ambiguous":    {EN: "{1} interfaces are called {0}, such as {2} and {3}: write the name of one", ES: "{1} interfaces se llaman {0}, como {2} y {3}: escriba el nombre de una"},

	"silent":       {EN: "no answer from {0} ({1} requests): it is away, it does not let us ask, or the community is wrong; SNMP says nothing in all three cases", ES: "sin respuesta de {0} ({1} solicitudes): no está, no nos permite preguntar o la comunidad es incorrecta; SNMP calla en los tres casos"},
	"silent3":      {EN: "no answer from {0} ({1} requests)", ES: "sin respuesta de {0} ({1} solicitudes)"},
	"mute":         {EN: "{0} says who it is and then keeps silent to {1}: it cannot read what we ask, so the priv password or algorithm is wrong", ES: "{0} dice quién es y luego no responde a {1}: no puede leer lo que preguntamos, así que la contraseña o el algoritmo priv es incorrecto"},
	"refused":      {EN: "{0} has no SNMP agent on this port (ICMP port unreachable)", ES: "{0} no tiene agente SNMP en este puerto (ICMP port unreachable)"},
	"no_route":     {EN: "there is no route to {0}", ES: "no hay ruta a {0}"},
	"name":         {EN: "the name {0} has no address", ES: "el nombre {0} no tiene dirección"},
	"ended":        {EN: "the run was ended", ES: "se interrumpió la lectura"},
	"user":         {EN: "{0} does not know the user {1}", ES: "{0} no conoce al usuario {1}"},
	"auth":         {EN: "{0} does not accept the auth key of {1}: wrong password or algorithm", ES: "{0} no acepta la clave auth de {1}: contraseña o algoritmo incorrectos"},
	"priv":         {EN: "{0} cannot decrypt what {1} sends: wrong priv password or algorithm", ES: "{0} no puede descifrar lo que envía {1}: contraseña o algoritmo priv incorrectos"},
	"level":        {EN: "{0} does not allow this security level to {1}: give or leave out auth and priv", ES: "{0} no permite a {1} este nivel de seguridad: indique o quite auth y priv"},
	"window":       {EN: "{0} says that our clock of it is wrong, again after it was set (usmStatsNotInTimeWindows)", ES: "{0} dice que nuestro reloj de él es incorrecto, también después de ajustarlo (usmStatsNotInTimeWindows)"},
	"engine":       {EN: "{0} does not keep its engine ID (usmStatsUnknownEngineIDs)", ES: "{0} no mantiene su engine ID (usmStatsUnknownEngineIDs)"},
	"context":      {EN: "{0} does not know the context, or {1} may not see it", ES: "{0} no conoce el contexto, o {1} no puede verlo"},
	"invalid":      {EN: "{0} says that our message is not valid (snmpInvalidMsgs)", ES: "{0} dice que nuestro mensaje no es válido (snmpInvalidMsgs)"},
	"model":        {EN: "{0} does not speak the user-based security model", ES: "{0} no usa el modelo de seguridad basado en usuarios"},
	"access":       {EN: "{0} knows us and does not let us read this", ES: "{0} nos conoce y no nos permite leer esto"},
	"access_level": {EN: "{0} knows us and does not let us read this at this security level: give auth and priv", ES: "{0} nos conoce y no nos permite leer esto con este nivel de seguridad: indique auth y priv"},
	"status":       {EN: "{0} answers with the error {1}", ES: "{0} responde con el error {1}"},
	"too_big":      {EN: "{0} cannot answer even one value: the answer is too big", ES: "{0} no puede responder ni un valor: la respuesta es demasiado grande"},

	"damaged":    {EN: "the answer of {0} is no SNMP that can be read", ES: "la respuesta de {0} no es SNMP legible"},
	"other_name": {EN: "{0} answers something that was not asked for ({1})", ES: "{0} responde algo que no se preguntó ({1})"},
	"empty":      {EN: "{0} answers without any value", ES: "{0} responde sin ningún valor"},
	"order":      {EN: "{0} answers names that do not increase in column {1}", ES: "{0} responde nombres que no crecen en la columna {1}"},

	"step_found":   {EN: "discovered: {0}, interfaces {1}, processors {2}, memory pools {3}, disks {4}, sensors {5}", ES: "descubierto: {0}, interfaces {1}, procesadores {2}, zonas de memoria {3}, discos {4}, sensores {5}"},
	"step_later":   {EN: "the device could not be looked at anew in the time that was left; the next run goes on", ES: "no hubo tiempo para descubrir de nuevo el equipo; sigue en la próxima lectura"},
	"step_moved":   {EN: "{0} interfaces are gone or bear another name: the device is discovered anew", ES: "{0} interfaces ya no están o tienen otro nombre: se descubre de nuevo el equipo"},
	"note_order":   {EN: "column {0}: its names do not increase; what came before was used", ES: "columna {0}: sus nombres no crecen; se usó lo anterior"},
	"note_endless": {EN: "column {0}: more than {1} rows were not read", ES: "columna {0}: no se leyeron más de {1} filas"},

	"discarded_restart": {EN: "{0}: thrown away, the device has restarted since the last run", ES: "{0}: descartado, el equipo se reinició desde la última lectura"},
	"discarded_clock":   {EN: "{0}: thrown away, the device's clock jumped", ES: "{0}: descartado, el reloj del equipo saltó"},
	"discarded_repeat":  {EN: "{0}: thrown away, the device repeats its last answer", ES: "{0}: descartado, el equipo repite su última respuesta"},
	"discarded_old":     {EN: "{0}: thrown away, the answer is older than the last one", ES: "{0}: descartado, la respuesta es más antigua que la anterior"},
	"discarded_mark":    {EN: "{0}: thrown away, its counters began anew (ifCounterDiscontinuityTime)", ES: "{0}: descartado, sus contadores empezaron de nuevo (ifCounterDiscontinuityTime)"},
	"discarded_fell":    {EN: "{0}: thrown away, {1} fell from {2} to {3}: its counters were reset", ES: "{0}: descartado, {1} bajó de {2} a {3}: se reiniciaron sus contadores"},
	"discarded_faults":  {EN: "{0}: thrown away, {1} grew by {2}, more than there can be packets: its counters were reset", ES: "{0}: descartado, {1} creció {2}, más de los paquetes que puede haber: se reiniciaron sus contadores"},
	"discarded_back":    {EN: "{0}: {1} thrown away, it fell from {2} to {3}", ES: "{0}: {1} descartado, bajó de {2} a {3}"},
	"discarded_narrow":  {EN: "{0}: {1} thrown away, its 32 bits wrap in {2} s at full speed and {3} s have passed: poll more often", ES: "{0}: {1} descartado, sus 32 bits dan la vuelta en {2} s a plena velocidad y pasaron {3} s: lea más a menudo"},
	"discarded_above":   {EN: "{0}: {1} thrown away, {2} a second is above what the line can carry ({3})", ES: "{0}: {1} descartado, {2} por segundo supera lo que la línea puede llevar ({3})"},
	"discarded_moved":   {EN: "{0}: thrown away, the device gave it another index since the last run", ES: "{0}: descartado, el equipo le dio otro índice desde la última lectura"},
	"discarded_gone":    {EN: "{0}: thrown away, the device no longer has it", ES: "{0}: descartado, el equipo ya no lo tiene"},
	"discarded_range":   {EN: "{0}: thrown away, {1} cannot be true", ES: "{0}: descartado, {1} no puede ser cierto"},
	"discarded_more":    {EN: "and {0} more", ES: "y {0} más"},
}

// words are the same with it.
var words = prefixed(wordList)

func prefixed(list collectors.Words) collectors.Words {
	all := make(collectors.Words, len(list))
	for code, t := range list {
		all[name+"."+code] = t
	}
	return all
}
