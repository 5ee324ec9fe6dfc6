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
// # What is never done
//
// No inline script or style, no template type that switches escaping off, no text in a template that is not in the catalogue (words*.go), no
// figure that was not measured: what is absent is a dash with its reason.
package web
