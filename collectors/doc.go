// Package collectors turns what a device or a path says into samples, on time.
//
// A packet's way starts here. A kind (package collectors/<kind>) knows one protocol: it parses its own part of the configuration into a
// Collector, which runs once against one target and returns a Result: values, and in words why it went well or badly. The Scheduler runs
// every check at its own phase of its period, under a deadline, and counts every slot that could not run; nothing is ever late in silence.
// What was measured goes to a Sink as samples; what happened goes to Runs, the log of a target's last runs, so that a page can say why a
// light is red.
//
// The package never imports a protocol library, the engine, the store or the pages. A new kind is its own package of two files and one
// line each in cmd/vigia/kinds.go and the documentation.
package collectors
