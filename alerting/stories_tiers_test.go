package alerting_test

import "testing"

func TestTierStories(t *testing.T) {
	playAll(t, oneLink, []story{
		{"a level that holds raises", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 0s    expect pending link/sjo-mia loss_pct
at 20s   expect quiet
at 30s   expect raised critical link/sjo-mia loss_pct
at 30s   expect told noc-slack opened level 1
at 30s   expect incident 1 open critical
`},
		{"a level that does not hold says nothing", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 20s   link/sjo-mia loss_pct 0 every 10s
at 10m   expect quiet
at 10m   expect incidents 0
`},
		{"the hold starts anew after a dip", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 20s   link/sjo-mia loss_pct 6
at 30s   link/sjo-mia loss_pct 12 every 10s
at 50s   expect quiet
at 60s   expect raised critical link/sjo-mia loss_pct
at 60s   expect told noc-slack opened
`},
		{"a dip under critical goes on holding the warning", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 20s   link/sjo-mia loss_pct 3 every 10s
at 119s  expect quiet
at 2m    expect raised warning link/sjo-mia loss_pct
at 2m    expect told noc-slack opened
`},
		{"the warning tier takes its own time", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 1m50s expect quiet
at 2m    expect raised warning link/sjo-mia loss_pct
at 2m    expect told noc-slack opened
`},
		{"at the level itself it raises", `
at 0s    link/sjo-mia loss_pct 10 every 10s
at 30s   expect raised critical link/sjo-mia loss_pct
at 30s   expect told noc-slack opened
`},
		{"slow samples raise when for is over", `
at 0s    link/sjo-mia loss_pct 12 every 60s
at 29s   expect pending link/sjo-mia loss_pct
at 30s   expect raised critical link/sjo-mia loss_pct
at 30s   expect told noc-slack opened
`},
		{"a last sample that is too old raises nothing by itself", `
threshold latency_ms on link/* | warning 100 clear 80 for 5m | policy noc
at 0s    link/sjo-mia latency_ms 200 every 10s
at 10s   link/sjo-mia latency_ms stops
at 10m   expect pending link/sjo-mia latency_ms
at 10m   expect quiet
`},
		{"severity rises inside one alarm", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 2m    expect told noc-slack opened severity warning
at 5m    link/sjo-mia loss_pct 20 every 10s
at 5m30s expect raised critical link/sjo-mia loss_pct
at 5m30s expect told noc-slack severity severity critical
at 5m30s expect incident 1 open critical
at 5m30s expect incident 1 title Link sjo-mia loses 20 % of packets
at 5m30s expect incidents 1
`},
		{"major clears but the warning level still holds: it falls and nobody is paged", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct 3 every 10s
at 1m10s expect raised critical link/sjo-mia loss_pct
at 1m20s expect raised warning link/sjo-mia loss_pct
at 1m20s expect incident 1 open warning
at 1m20s expect event severity incident 1
at 5m    expect quiet
`},
		{"in the band between clear and raise nothing changes", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct 7 every 10s
at 20m   expect raised critical link/sjo-mia loss_pct
`},
		{"clear must hold for clear_for", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct 0 every 10s
at 1m    expect clearing link/sjo-mia loss_pct
at 1m20s expect clearing warning link/sjo-mia loss_pct
at 1m59s expect incident 1 open
at 2m    expect clear link/sjo-mia loss_pct
at 2m    expect told noc-slack resolved
at 2m    expect incident 1 resolved critical
`},
		{"a relapse while clearing keeps it raised", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct 0 every 10s
at 1m10s link/sjo-mia loss_pct 12 every 10s
at 1m10s expect raised critical link/sjo-mia loss_pct
at 5m    expect quiet
`},
		{"after clear a new breach is a new incident", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct 0 every 10s
at 2m    expect told noc-slack resolved
at 3m    link/sjo-mia loss_pct 12 every 10s
at 3m30s expect told noc-slack opened incident 2
`},
		{"low values can be bad", `
threshold asr_pct on trunk/* | major 40 clear 60 | policy noc
trunk carrier-a
at 0s    trunk/carrier-a asr_pct 50 every 60s
at 1m    trunk/carrier-a asr_pct 40 every 60s
at 1m    expect raised major trunk/carrier-a asr_pct
at 1m    expect told noc-slack opened
at 2m    trunk/carrier-a asr_pct 55 every 60s
at 10m   expect raised major trunk/carrier-a asr_pct
at 10m9s trunk/carrier-a asr_pct 60 every 60s
at 10m9s expect clear trunk/carrier-a asr_pct
at 10m9s expect told noc-slack resolved
`},
		{"with for zero the first sample raises", `
threshold up on link/* | critical 0 clear 1 | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect raised critical link/sjo-mia up
at 0s    expect told noc-slack opened
at 10s   link/sjo-mia up 1 every 10s
at 10s   expect told noc-slack resolved
`},
		{"confirm: certainty costs two seconds", `
threshold up on link/* | critical 0 clear 1 for 30s | confirm 3 500ms | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 1s    expect pending link/sjo-mia up
at 1500ms expect raised critical link/sjo-mia up
at 1500ms expect told noc-slack opened
`},
		{"confirm: a probe that disagrees starts anew", `
threshold up on link/* | critical 0 clear 1 for 30s | confirm 3 1s | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 1500ms link/sjo-mia up 1 every 10s
at 5m    expect quiet
at 5m    expect clear link/sjo-mia up
`},
		{"confirm without probes falls back on for", `
threshold up on link/* | critical 0 clear 1 for 15s | confirm 3 1s | policy noc
at 0s    link/sjo-mia up 0
at 10s   link/sjo-mia up 0
at 14s   expect quiet
at 15s   expect told noc-slack opened
`},
		{"confirm with for zero does not wait for ever", `
threshold up on link/* | critical 0 clear 1 | confirm 3 1s | policy noc
at 0s    link/sjo-mia up 0
at 12s   expect quiet
at 13s   expect told noc-slack opened
`},
		{"the most specific threshold wins whole", `
threshold loss_pct on link/sjo-mia | minor 50 clear 40 | policy noc
at 0s    link/sjo-mia loss_pct 30 every 10s
at 10m   expect quiet
at 11m   link/sjo-mia loss_pct 60 every 10s
at 11m   expect raised minor link/sjo-mia loss_pct
at 11m   expect told noc-slack opened
`},
		{"two instances are two series and two incidents", `
threshold latency_ms on link/* | warning 100 clear 80 | policy noc
at 0s    link/sjo-mia latency_ms 200 every 10s by a
at 0s    link/sjo-mia latency_ms 200 every 10s by b
at 0s    expect told noc-slack opened incident 1
at 0s    expect told noc-slack opened incident 2
`},
		{"breach and recovery in one plan are told as both", `
threshold up on link/* | critical 0 clear 1 | policy noc
at 10s   link/sjo-mia up 0 stamped 2s ago
at 10s   link/sjo-mia up 1 stamped 1s ago
at 10s   expect clear link/sjo-mia up
at 10s   expect incident 1 resolved critical
at 10s   expect quiet
`},
	})
}

func TestBadSampleStories(t *testing.T) {
	playAll(t, oneLink+"threshold up on link/* | critical 0 clear 1 | policy noc\n", []story{
		{"not a number is refused", `
at 0s    link/sjo-mia up NaN
at 1s    link/sjo-mia up -Inf
at 1m    expect quiet
`},
		{"a stamp far ahead is refused", `
at 0s    link/sjo-mia up 0 stamped 10m ahead
at 1m    expect quiet
`},
		{"a stamp a little ahead is judged", `
at 0s    link/sjo-mia up 0 stamped 1m ahead
at 0s    expect told noc-slack opened
at 5s    link/sjo-mia up 1
at 5s    expect told noc-slack resolved
`},
		{"out of order is ignored", `
at 20s   link/sjo-mia up 1
at 20s   link/sjo-mia up 0 stamped 5s ago
at 1m    expect quiet
`},
		{"the same sample twice is once", `
at 20s   link/sjo-mia loss_pct 12
at 20s   link/sjo-mia loss_pct 12 stamped 0s ago
at 20s   expect pending link/sjo-mia loss_pct
`},
		{"late data pages for nothing", `
at 2h    link/sjo-mia up 0 stamped 1h ago
at 3h    expect quiet
`},
		{"what is not in the inventory is not judged", `
at 0s    link/elsewhere up 0
at 1m    expect quiet
`},
	})
}

func TestNoDataStories(t *testing.T) {
	playAll(t, oneLink, []story{
		{"a series that vanishes is stale", `
at 0s    link/sjo-mia loss_pct 0 every 10s
at 5m    link/sjo-mia loss_pct stops
at 6m49s expect quiet
at 6m50s expect stale major link/sjo-mia loss_pct
at 6m50s expect told noc-slack opened
at 6m50s expect incident 1 open major
`},
		{"no data is not recovery", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct stops
at 3m    expect stale critical link/sjo-mia loss_pct
at 3m    expect incident 1 open critical
at 20m   expect quiet
`},
		{"data that is well ends it", `
at 0s    link/sjo-mia loss_pct 0
at 2m    expect told noc-slack opened
at 10m   link/sjo-mia loss_pct 0 every 10s
at 10m   expect clear link/sjo-mia loss_pct
at 10m   expect told noc-slack resolved
`},
		{"data that is bad goes on as the same alarm", `
at 0s    link/sjo-mia loss_pct 0
at 2m    expect told noc-slack opened
at 10m   link/sjo-mia loss_pct 12 every 10s
at 10m   expect raised critical link/sjo-mia loss_pct
at 10m   expect told noc-slack severity incident 1
at 10m   expect incidents 1
`},
		{"stale between two breaches stays one incident", `
at 0s    link/sjo-mia loss_pct 12 every 10s
at 30s   expect told noc-slack opened
at 1m    link/sjo-mia loss_pct stops
at 3m    expect stale critical link/sjo-mia loss_pct
at 9m    link/sjo-mia loss_pct 12 every 10s
at 9m    expect raised critical link/sjo-mia loss_pct
at 9m    expect quiet
`},
		{"a check that never came counts from the start", `
memory matters
threshold up on link/* | critical 0 clear 1 | nodata major | policy noc
check link/sjo-mia ping every 10s
at 29s   expect quiet
at 30s   expect stale major link/sjo-mia up
at 30s   expect told noc-slack opened
`},
		{"a restart gives every series its time again", `
memory matters
at 0s    link/sjo-mia loss_pct 0 every 10s
at 1m    link/sjo-mia loss_pct stops
at 2m    restart
at 4m    link/sjo-mia loss_pct 0 every 10s
at 10m   expect quiet
`},
		{"a vanished series that was pending is stale", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 20s   link/sjo-mia loss_pct stops
at 2m9s  expect pending link/sjo-mia loss_pct
at 2m10s expect stale major link/sjo-mia loss_pct
at 2m10s expect told noc-slack opened
`},
	})
}
