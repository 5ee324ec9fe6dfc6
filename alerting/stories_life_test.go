package alerting_test

import "testing"

const life = `
site san-jose
link sjo-mia at san-jose
link sjo-gua at san-jose
threshold up on link/* | critical 0 clear 1 | policy noc
threshold latency_ms on link/* | warning 100 clear 80 for 10m | policy noc
threshold vigia_receiver_failing on vigia/* | major 1 clear 0 | policy self
policy noc | NOC L1 after 0s notify noc-slack repeat 15m | NOC L2 after 20m notify l2-mail | SOC L3 after 50m notify duty | ack 60m | fallback managers
policy self | ADMIN after 0s notify admin
`

func TestDeliveryStories(t *testing.T) {
	playAll(t, life, []story{
		{"given up: the fallback is told once, and the receiver is an alarm", `
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    given up noc-slack "401 token revoked"
at 1m    expect told managers fallback incident 1
at 1m    expect event given_up incident 1
at 1m    expect sample vigia_receiver_failing 1
at 1m    expect told admin opened incident 2
at 5m    expect quiet
`},
		{"a receiver that works again ends its alarm", `
memory matters
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    given up noc-slack "401"
at 1m    expect told managers fallback
at 1m    expect told admin opened incident 2
at 15m   expect told noc-slack repeat
at 16m   sent noc-slack
at 16m   expect incident 2 resolved
at 16m   expect told admin resolved
at 16m   expect superseded 1
`},
		{"a fallback that fails too is an event and no loop", `
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    given up noc-slack "401"
at 1m    expect told managers fallback
at 1m    expect told admin opened
at 2m    given up managers "550 no such user"
at 2m    expect told admin opened incident 3
at 10m   expect quiet
`},
		{"a notice of resolution that is given up tells nobody else", `
deliveries by hand
threshold vigia_receiver_failing on vigia/* | major 9 clear 0
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    sent noc-slack
at 2m    link/sjo-mia up 1 every 10s
at 2m    expect told noc-slack resolved
at 3m    given up noc-slack "timeout"
at 3m    expect event given_up incident 1
at 9m    expect quiet
`},
		{"a repeat does not queue up behind a page that is not sent", `
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 15m   expect quiet
at 16m   sent noc-slack
at 20m   expect told l2-mail escalated
at 30m   expect told noc-slack repeat
`},
		{"resolution withdraws pages that were not sent", `
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    link/sjo-mia up 1 every 10s
at 1m    expect superseded 1
at 1m    expect told noc-slack resolved
`},
		{"acknowledgement withdraws pages that were not sent", `
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana
at 1m    expect superseded 1
at 1m    expect told noc-slack acknowledged
`},
		{"what is owed survives a restart", `
deliveries by hand
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 30s   restart
at 1m    link/sjo-mia up 1 every 10s
at 1m    expect superseded 1
at 1m    expect told noc-slack resolved
`},
	})
}

func TestLifeStories(t *testing.T) {
	playAll(t, life, []story{
		{"a restart in the middle of an escalation keeps its deadlines", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 10m   restart
at 15m   expect told noc-slack repeat
at 20m   expect told l2-mail escalated
at 20m   expect incident 1 next NOC L1 at 30m0s
`},
		{"a restart resumes a hold", `
at 0s    link/sjo-mia latency_ms 200 every 10s
at 9m55s restart
at 10m   expect told noc-slack opened
`},
		{"a hold that ends while the process is dead is raised when it lives again", `
at 0s    link/sjo-mia latency_ms 200 every 10s
at 9m55s dead for 10s
at 10m10s expect told noc-slack opened
`},
		{"an alarm whose time to clear ends while the process is dead clears when it lives again", `
threshold jitter_ms on link/* | major 30 clear 20 clear_for 1m | policy noc
at 0s    link/sjo-mia jitter_ms 40 every 10s
at 0s    expect told noc-slack opened
at 1m    link/sjo-mia jitter_ms 10 every 10s
at 1m55s dead for 10s
at 2m10s expect told noc-slack resolved
at 2m10s expect clear link/sjo-mia jitter_ms
`},
		{"a hold that ends while nothing is measured is raised by the next value that agrees", `
threshold jitter_ms on link/* | major 30 clear 20 for 5m | policy noc
at 0s    link/sjo-mia jitter_ms 40 every 10s
at 4m    link/sjo-mia jitter_ms stops
at 6m    expect quiet
at 6m    link/sjo-mia jitter_ms 40 every 10s
at 6m    expect told noc-slack opened
`},
		{"the store fails: nothing happened, and it happens when it works again", `
at 0s    store fails
at 5s    link/sjo-mia up 0 every 10s
at 55s   expect quiet
at 55s   expect incidents 0
at 1m    store works
at 1m    expect told noc-slack opened
at 1m    expect incidents 1
`},
		{"the store fails over a step: it fires once and says how late", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 10m   store fails
at 29m   store works
at 29m   expect told l2-mail escalated late 9m
at 29m1s expect told noc-slack repeat
at 29m1s expect event late incident 1
at 44m1s expect told noc-slack repeat
`},
		{"the clock jumps ahead: one step, late, and the next keeps its distance", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 5m    clock jumps 1h
at 5m    expect told l2-mail escalated late 45m
at 5m    expect event clock_jump
at 5m1s  expect told noc-slack repeat
at 20m1s expect told noc-slack repeat
at 35m   expect told duty escalated
at 35m1s expect told noc-slack repeat
at 36m   expect quiet
`},
		{"a jump ahead does not end a hold", `
at 0s    link/sjo-mia latency_ms 200 every 10s
at 5m    clock jumps 2h
at 9m59s expect quiet
at 10m   expect told noc-slack opened
`},
		{"a jump ahead makes nothing stale", `
memory matters
threshold up on link/* | critical 0 clear 1 | nodata 1m major | policy noc
at 0s    link/sjo-mia up 1 every 10s
at 5m    clock jumps 2h
at 20m   expect quiet
at 20m   expect incidents 0
`},
		{"a jump back: values are judged all the same", `
at 0s    link/sjo-mia up 1 every 10s
at 2h    clock jumps -1h
at 2h1m  link/sjo-mia up 0 every 10s
at 2h1m  expect told noc-slack opened
at 2h5m  link/sjo-mia up 1 every 10s
at 2h5m  expect told noc-slack resolved
`},
		{"flapping: one notice, then quiet until it is stable", `
memory matters
threshold up on link/* | critical 0 clear 1 | flapping 4 10m | policy noc
at 0s    link/sjo-mia up 0
at 0s    expect told noc-slack opened incident 1
at 30s   link/sjo-mia up 1
at 30s   expect told noc-slack resolved incident 1
at 60s   link/sjo-mia up 0
at 60s   expect told noc-slack opened incident 2
at 90s   link/sjo-mia up 1
at 90s   expect told noc-slack resolved incident 2
at 120s  link/sjo-mia up 0
at 120s  expect told noc-slack flapping incident 3
at 120s  expect event flapping incident 3
at 150s  link/sjo-mia up 1
at 180s  link/sjo-mia up 0
at 210s  link/sjo-mia up 1
at 240s  link/sjo-mia up 0
at 270s  link/sjo-mia up 1
at 14m29s expect incident 3 open
at 14m29s expect quiet
at 14m30s expect told noc-slack resolved incident 3
at 14m30s expect clear link/sjo-mia up
`},
		{"flapping that ends in bad is told in earnest", `
memory matters
threshold up on link/* | critical 0 clear 1 | flapping 2 5m | policy noc
at 0s    link/sjo-mia up 0
at 0s    expect told noc-slack opened
at 30s   link/sjo-mia up 1
at 30s   expect told noc-slack resolved
at 60s   link/sjo-mia up 0 every 10s
at 60s   expect told noc-slack flapping incident 2
at 5m59s expect quiet
at 6m    expect told noc-slack escalated incident 2
`},
		{"a check is removed: its alarm is closed and says so", `
check link/sjo-mia ping every 10s
check link/sjo-gua ping every 10s
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m5s  remove check link/sjo-mia ping
at 1m5s  link/sjo-mia up stops
at 1m5s  expect clear link/sjo-mia up
at 1m5s  expect event config incident 1
at 1m5s  expect told noc-slack resolved
at 5m    expect quiet
`},
		{"an object is removed with its alarms", `
check link/sjo-mia ping every 10s
check link/sjo-gua ping every 10s
at 0s    link/sjo-mia latency_ms 200 every 10s
at 10m   expect told noc-slack opened
at 11m   remove object link/sjo-mia
at 11m   expect incident 1 resolved
at 11m   expect told noc-slack resolved
at 20m   expect quiet
`},
		{"a threshold is removed: its alarm is closed", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    remove threshold up
at 1m    expect told noc-slack resolved
at 1m    expect event config incident 1
`},
		{"a stricter threshold judges what is known", `
at 0s    link/sjo-mia latency_ms 90 every 10s
at 5m    expect quiet
at 5m5s  threshold latency_ms on link/* | major 50 clear 40 | policy noc
at 5m5s  expect raised major link/sjo-mia latency_ms
at 5m5s  expect told noc-slack opened
`},
		{"a laxer threshold clears what is known", `
threshold latency_ms on link/* | warning 100 clear 80 | policy noc
at 0s    link/sjo-mia latency_ms 200 every 10s
at 0s    expect told noc-slack opened
at 5s    threshold latency_ms on link/* | warning 500 clear 400 | policy noc
at 5s    expect clear link/sjo-mia latency_ms
at 5s    expect told noc-slack resolved
`},
		{"a reload that changes nothing tells nobody", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    reload
at 2m    reload
at 14m   expect quiet
at 14m   expect incident 1 next NOC L1 at 15m0s
`},
		{"nobody is untold", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 10m   expect untold 0
`},
	})
}
