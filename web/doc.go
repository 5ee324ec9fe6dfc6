// Package web serves the pages, the assets, the live stream, and mounts the API.
//
// Pages are rendered on the server in the reader's language, theme and time zone, complete without scripts: every act is a form, every
// filter and every range is in the URL. The scripts add what is live (static/js, package docs in each file).
//
// # One request
//
//	route (routes.go) → wrapper (guard.go): who asks, from where, by which name → page → world (what stands, three queries) → template
//
// Every route declares its policy (role and reach) in one table and passes one wrapper. Until there are users the machine's own loopback is
// the built-in operator; other addresses, and Host names that are neither loopback nor the public URL's, are refused. A proxy on the same
// machine makes everybody who reaches it the operator.
//
// A page never decides: what people do is a command, posted to the store, planned by the engine, and answered within two seconds.
//
// # What the pages offer the scripts
//
// Assets lie under /static/<digest>/, so that modules find each other by relative names. A page is whole without scripts; these attributes
// are what they hold on to.
//
//	<html data-theme data-density data-contrast>      the reader's cookies theme, density, contrast (and lang, zone), set without a flash
//	<body data-now data-last data-zone data-worst data-unowned data-title data-say data-events>
//	                          the server's clock (ms), the newest event, the zone of shown times, texts as JSON ({0} is an argument), the stream
//	data-count data-label     a counter of the bar; data-clock the time of the last message; data-sound the switch; #favicon; #stale, data-stale, data-retry
//	id + data-live="event"    a part that is fetched anew when something happened; "tick": every ten seconds too; data-live-incident="12": only then
//	data-list, data-key       a list and its rows: while a hand is on it rows neither come nor go, and data-held says how many wait; data-gone is rewritten
//	data-morph="keep"         is left as it is
//	data-until data-since data-ago (ms), .drain data-from data-to      countdowns, running spans, ages, draining bars
//	data-chart data-metric data-unit data-label data-live-end data-compare data-height      a chart and where its data are
//	data-yes data-no          what one and zero are called in a chart of yes and no
//	data-chart2 data-levels   a second line in it; levels that are not the series' own: [{severity, raise, below, words}]
//	data-hotkey="a"           is pressed by that key, in the row under the cursor first (data-row, data-open, data-select); data-go="l": g l; data-focus="/"
//	data-bulk data-bulk-count data-clear      the bar of what can be done with what is selected, in the form #bulk
//	#dialogs, dialog[data-dialog data-dialog-incident data-dialog-url], data-conflict, data-close      dialogs that htmx brings
//
// /servers/x?of=snmp:eth0 is the page of one part of an object, with the charts that the object's own page leaves out. What takes long (the
// 95th percentile, the forecast of disks) is asked for by hx-trigger="load" when the page is there, and kept for a while.
//
// /calls is one query in the order of time; a page ends with a key and the next one begins there, so that a page in the middle of tens of
// millions of calls costs what the first one does. The bar of how they were is from the hourly figures, where these can say what is asked, and
// counts the customers that are configured. The charts of a call are drawn on the server.
//
// ?part=a,b with the header HX-Request answers with those parts of a page only; names that it lacks are left out. An act that a script sent
// is answered with 204 and HX-Trigger {"vigia:done": {"say", "undo"}}, a dialog again when something is missing or somebody was faster, or
// 409 with {"vigia:failed": {"say"}}.
//
// # What is never done
//
// No inline script or style, no template type that switches escaping off, no text in a template that is not in the catalogue (words*.go), no
// figure that was not measured: what is absent is a dash with its reason.
package web
