package main

import (
	"context"
	"log/slog"
	"time"
)

// The demo's troubles: one bad minute in three, each time another one.

const (
	demoFirst  = 15 * time.Second // the first trouble comes soon, so that nobody waits
	demoBad    = time.Minute
	demoCycle  = 3 * time.Minute
	demoPerson = "Ana Rojas (demo)"
	// demoPatience is how long the demo's operator leaves an incident to whoever is watching before she takes it herself.
	demoPatience = 35 * time.Second
)

// trouble is one thing that goes wrong: which parts, and how.
type trouble struct {
	what  string
	parts map[string]demoHealth
}

// demoTroubles come in turn.
var demoTroubles = []trouble{
	{"link sjo-gua goes down, and the trunks that run over it with it", map[string]demoHealth{
		"sjo-gua": demoSilent, "edge-gua": demoFaulty, "carrier-b": demoSilent, "gua-tel": demoSilent,
	}},
	{"server media-2 answers 503", map[string]demoHealth{"media-2": demoFaulty}},
	{"trunk carrier-a does not answer OPTIONS", map[string]demoHealth{"carrier-a": demoSilent}},
	{"server sbc-1 answers slowly", map[string]demoHealth{"sbc-1": demoSlow}},
	{"the processor of server sbc-2 climbs to 92 %", map[string]demoHealth{"sbc-2.snmp": demoBusy}},
	{"link sjo-mia fills to 96 %", map[string]demoHealth{"edge-sjo": demoBusy}},
	{"router edge-sjo starts again: it says nothing for a minute and counts anew after that, while link sjo-mia goes on", map[string]demoHealth{"edge-sjo": demoSilent}},
}

// runTroubles plays the troubles until ctx ends.
func runTroubles(ctx context.Context, parts map[string]demoPart, logger *slog.Logger) {
	wait(ctx, demoFirst)
	for i := 0; ctx.Err() == nil; i++ {
		t := demoTroubles[i%len(demoTroubles)]
		logger.Info("demo: trouble begins", "what", t.what)
		setAll(parts, t.parts, logger)
		wait(ctx, demoBad)
		well := make(map[string]demoHealth, len(t.parts))
		for name := range t.parts {
			well[name] = demoWell
		}
		logger.Info("demo: trouble ends", "what", t.what)
		setAll(parts, well, logger)
		wait(ctx, demoCycle-demoBad)
	}
}

func setAll(parts map[string]demoPart, health map[string]demoHealth, logger *slog.Logger) {
	for name, h := range health {
		if err := parts[name].set(h); err != nil {
			logger.Error("demo: "+name, "err", err)
		}
	}
}
