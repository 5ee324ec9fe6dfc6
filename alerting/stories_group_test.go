package alerting_test

import "testing"

// grouped is a site with two servers and a link, and policies that group by the site and open again.
const grouped = `
site san-jose
site miami
link sjo-mia at san-jose
server sbc-1 at san-jose
server sbc-2 at san-jose
server db-1 at miami
threshold cpu_pct on server/* | major 80 clear 70 | critical 90 clear 85 | policy noc
threshold up on * | critical 0 clear 1 | policy noc
policy noc | L1 after 0s min warning notify slack repeat 30m | L2 after 15m min major notify mail | ack 60m | group site 5m
`

func TestGroupStories(t *testing.T) {
	playAll(t, grouped, []story{
		{"what rises at one site within minutes is one incident; another site has its own", `
at 0s    server/sbc-1 cpu_pct 82 every 10s
at 0s    expect told slack opened
at 2m    server/sbc-2 cpu_pct 83 every 10s
at 2m    expect incident 1 members 2
at 3m    server/db-1 cpu_pct 84 every 10s
at 3m    expect told slack opened
at 3m    expect incident 2 members 1
at 4m    expect quiet
`},
		{"what rises later is another trouble", `
at 0s    server/sbc-1 cpu_pct 82 every 10s
at 0s    expect told slack opened
at 5m1s  server/sbc-2 cpu_pct 83 every 10s
at 5m1s  expect told slack opened
at 5m1s  expect incident 2 members 1
`},
		{"a worse member pages again from level 1", `
at 0s    server/sbc-1 cpu_pct 82 every 10s
at 0s    expect told slack opened
at 2m    server/sbc-2 cpu_pct 95 every 10s
at 2m    expect told slack severity severity critical
at 2m    expect incident 1 open critical
`},
		{"when the first one is well, another one speaks for the incident", `
at 0s    server/sbc-1 cpu_pct 82 every 10s
at 0s    expect told slack opened
at 2m    server/sbc-2 cpu_pct 83 every 10s
at 3m    server/sbc-1 cpu_pct 10 every 10s
at 3m    expect incident 1 title Server sbc-2: CPU 83 %
at 4m    server/sbc-2 cpu_pct 10 every 10s
at 4m    expect told slack resolved
at 4m    expect incident 1 resolved
`},
		{"a member that turns out to hang on what failed joins that incident alone", `
server sbc-3 at san-jose behind link/sjo-mia
at 0s    server/sbc-1 cpu_pct 82 every 10s
at 0s    expect told slack opened
at 1m    server/sbc-3 up 0 every 10s
at 1m    expect told slack severity
at 1m    expect incident 1 members 2
at 1m1s  link/sjo-mia up 0 every 10s
at 1m1s  expect incident 1 open
at 2m    expect quiet
`},
	})
	playAll(t, `
site san-jose
link sjo-mia at san-jose
server a at san-jose behind link/sjo-mia
server b at san-jose behind link/sjo-mia
server c at san-jose
threshold cpu_pct on server/* | major 80 clear 70 | policy noc
policy noc | L1 after 0s min warning notify slack | group link 10m
`, []story{{"by the link that objects depend on", `
at 0s    server/a cpu_pct 82 every 10s
at 0s    expect told slack opened
at 1m    server/b cpu_pct 83 every 10s
at 1m    expect incident 1 members 2
at 2m    server/c cpu_pct 83 every 10s
at 2m    expect told slack opened
`}})
}

func TestSampleStories(t *testing.T) {
	playAll(t, `
site san-jose
link sjo-mia at san-jose
threshold loss_pct on link/* | warning 1 clear 0.5 samples 3 | critical 10 clear 5 for 1m samples 3 | policy noc
policy noc | L1 after 0s min warning notify slack
`, []story{
		{"so many samples in a row", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 19s   expect pending link/sjo-mia loss_pct
at 20s   expect raised warning link/sjo-mia loss_pct
at 20s   expect told slack opened
at 30s   link/sjo-mia loss_pct 0 every 10s
at 30s   expect told slack resolved
`},
		{"one that disagrees starts anew", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 15s   link/sjo-mia loss_pct 0 every 10s
at 25s   link/sjo-mia loss_pct 2 every 10s
at 44s   expect quiet
at 45s   expect told slack opened
`},
		{"the time and the samples", `
at 0s    link/sjo-mia loss_pct 20 every 40s
at 1m10s expect pending link/sjo-mia loss_pct
at 1m20s expect told slack opened severity critical
`},
	})
}

func TestReopenStories(t *testing.T) {
	playAll(t, `
site san-jose
link sjo-mia at san-jose
threshold up on link/* | critical 0 clear 1 | policy noc
policy noc | L1 after 0s min warning notify slack repeat 30m | L2 after 15m min major notify mail | ack 60m | reopen 10m
`, []story{
		{"bad again within the window: the same incident, from level 1", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told slack opened
at 15m   expect told mail escalated
at 16m   link/sjo-mia up 1 every 10s
at 16m   expect told slack resolved
at 16m   expect told mail resolved
at 20m   link/sjo-mia up 0 every 10s
at 20m   expect told slack reopened level 1
at 20m   expect incident 1 open critical
at 20m   expect event reopened in 1
at 35m   expect told mail escalated level 2
at 36m   link/sjo-mia up 1 every 10s
at 36m   expect told slack resolved
at 36m   expect told mail resolved
`},
		{"after the window it is a new one", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told slack opened
at 1m    link/sjo-mia up 1 every 10s
at 1m    expect told slack resolved
at 11m1s link/sjo-mia up 0 every 10s
at 11m1s expect told slack opened
at 11m1s expect incident 2 open critical
`},
		{"an acknowledgement does not outlive the resolution", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told slack opened
at 1m    ack incident 1 by ana for 8h
at 1m    expect told slack acknowledged
at 2m    link/sjo-mia up 1 every 10s
at 2m    expect told slack resolved
at 3m    link/sjo-mia up 0 every 10s
at 3m    expect told slack reopened
`},
		{"what was learnt is written down afterwards", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told slack opened
at 1m    link/sjo-mia up 1 every 10s
at 1m    expect told slack resolved
at 2m    comment incident 1 by ana "a digger"
at 2m    expect accepted
at 2m    expect event comment in 1
at 3m    comment incident 9 by ana "nothing"
at 3m    expect refused refused_unknown
`},
	})
}
