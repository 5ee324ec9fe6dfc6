package alerting_test

import "testing"

// tree is a site with a link, a server and a trunk behind the link, and a server beside it.
const tree = `
site san-jose
link sjo-mia at san-jose
link backup at san-jose
server sbc-1 behind link/sjo-mia
server db-1 at san-jose
trunk carrier-a via link/sjo-mia
trunk carrier-b via link/sjo-mia link/backup
threshold up on * | critical 0 clear 1 | policy noc
threshold cpu_pct on * | major 80 clear 70 | policy noc
threshold loss_pct on * | warning 1 clear 0.5 | critical 10 clear 5 | policy noc
threshold latency_ms on * | warning 100 clear 80 | nodata 1m major | policy noc
policy noc | NOC after 0s min warning notify noc-slack | ack 60m
check link/sjo-mia ping every 10s
check link/backup ping every 10s
check server/sbc-1 ping every 10s
check trunk/carrier-a ping every 10s
check trunk/carrier-b ping every 10s
`

func TestShadowStories(t *testing.T) {
	playAll(t, tree, []story{
		{"a link down: one page, its children join in its shadow", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 6s    trunk/carrier-a up 0 every 10s
at 6s    expect shadow server/sbc-1 up
at 6s    expect shadow trunk/carrier-a up
at 6s    expect incident 1 members 3
at 6s    expect incidents 1
at 5m    link/sjo-mia up 1 every 10s
at 5m    server/sbc-1 up 1 every 10s
at 5m    trunk/carrier-a up 1 every 10s
at 5m    expect told noc-slack resolved incident 1
at 1h    expect quiet
`},
		{"all in one plan: the parent is raised first", `
at 0s    trunk/carrier-a up 0 every 10s
at 0s    server/sbc-1 up 0 every 10s
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 0s    expect incidents 1
at 0s    expect own link/sjo-mia up
at 0s    expect shadow server/sbc-1 up
at 0s    expect shadow trunk/carrier-a up
`},
		{"another alarm of a child pages all the same", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 cpu_pct 95 every 10s
at 5s    expect own server/sbc-1 cpu_pct
at 5s    expect told noc-slack opened incident 2
`},
		{"another alarm of a parent suppresses nothing", `
at 0s    link/sjo-mia latency_ms 300 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 5s    expect own server/sbc-1 up
at 5s    expect told noc-slack opened incident 2
`},
		{"total loss of a parent suppresses", `
at 0s    link/sjo-mia loss_pct 100 every 10s
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 0s    expect incidents 1
at 5s    server/sbc-1 up 0 every 10s
at 5s    expect shadow server/sbc-1 up
`},
		{"partial loss of a parent suppresses nothing", `
at 0s    link/sjo-mia loss_pct 60 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 5s    expect told noc-slack opened incident 2
`},
		{"total loss of a child stands in the shadow, partial loss does not", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 loss_pct 100 every 10s
at 5s    expect shadow server/sbc-1 loss_pct
at 1m    server/sbc-1 loss_pct 40 every 10s
at 1m    expect own server/sbc-1 loss_pct
at 1m    expect told noc-slack opened incident 2
`},
		{"no data of a child stands in the shadow", `
memory matters
at 0s    server/sbc-1 latency_ms 10 every 10s
at 1m    server/sbc-1 latency_ms stops
at 1m    link/sjo-mia up 0 every 10s
at 1m    expect told noc-slack opened incident 1
at 1m50s expect stale server/sbc-1 latency_ms
at 1m50s expect shadow server/sbc-1 latency_ms
at 5m    expect quiet
`},
		{"a parent with no data is down", `
memory matters
threshold up on * | critical 0 clear 1 | nodata critical | policy noc
at 0s    link/backup up 1 every 10s
at 0s    trunk/carrier-a up 1 every 10s
at 0s    trunk/carrier-b up 1 every 10s
at 0s    server/sbc-1 up 1 every 10s
at 0s    link/sjo-mia up 1 every 10s
at 1m    link/sjo-mia up stops
at 1m20s expect stale link/sjo-mia up
at 1m20s expect told noc-slack opened incident 1
at 1m25s server/sbc-1 up 0 every 10s
at 1m25s expect shadow server/sbc-1 up
at 2m    expect incidents 1
`},
		{"parent and child fall silent together: one page", `
memory matters
threshold up on * | critical 0 clear 1 | nodata critical | policy noc
at 0s    link/sjo-mia up 1 every 10s
at 0s    link/backup up 1 every 10s
at 0s    trunk/carrier-a up 1 every 10s
at 0s    trunk/carrier-b up 1 every 10s
at 0s    server/sbc-1 up 1 every 10s
at 1m    link/sjo-mia up stops
at 1m    server/sbc-1 up stops
at 1m    trunk/carrier-a up stops
at 1m20s expect told noc-slack opened incident 1
at 1m20s expect incident 1 members 3
at 2m    expect incidents 1
`},
		{"through an object without checks of its own", `
server edge at san-jose
server behind-edge behind server/edge
check site/san-jose ping every 10s
at 0s    site/san-jose up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/behind-edge up 0 every 10s
at 5s    expect shadow server/behind-edge up
`},
		{"a child that rose just before its parent is merged", `
at 0s    server/sbc-1 up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 9s    link/sjo-mia up 0 every 10s
at 9s    expect told noc-slack opened incident 2
at 9s    expect told noc-slack merged incident 1 into 2
at 9s    expect incident 1 merged
at 9s    expect shadow server/sbc-1 up
at 9s    expect incident 2 members 2
at 1m    ack incident 1 by ana
at 1m    expect refused refused_over
`},
		{"pages that were not sent yet are withdrawn by a merge", `
deliveries by hand
at 0s    server/sbc-1 up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 9s    link/sjo-mia up 0 every 10s
at 9s    expect superseded 1
at 9s    expect told noc-slack opened incident 2
at 9s    expect told noc-slack merged incident 1
`},
		{"a child that has been down for long is a fault of its own", `
at 0s    server/sbc-1 up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 9m    link/sjo-mia up 0 every 10s
at 9m    expect told noc-slack opened incident 2
at 9m    expect own server/sbc-1 up
at 9m    expect incident 1 open
at 20m   expect quiet
`},
		{"a child waits for the verdict on a parent that is breaching", `
threshold up on link/* | critical 0 clear 1 for 15s | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 2s    server/sbc-1 up 0 every 10s
at 2s    expect pending server/sbc-1 up
at 14s   expect quiet
at 15s   expect told noc-slack opened incident 1
at 15s   expect shadow server/sbc-1 up
at 15s   expect incidents 1
`},
		{"a child whose parent turns out well pages at once", `
threshold up on link/* | critical 0 clear 1 for 15s | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 2s    server/sbc-1 up 0 every 10s
at 9s    expect quiet
at 10s   link/sjo-mia up 1 every 10s
at 10s   expect told noc-slack opened incident 1
at 10s   expect own server/sbc-1 up
`},
		{"a child does not wait for ever", `
threshold up on link/* | critical 0 clear 1 for 5m | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 2s    server/sbc-1 up 0 every 10s
at 31s   expect quiet
at 32s   expect told noc-slack opened incident 1
at 32s   expect own server/sbc-1 up
at 5m    expect told noc-slack opened incident 2
at 5m    expect told noc-slack merged incident 1
at 5m    expect shadow server/sbc-1 up
`},
		{"when the parent is back, a child that is still bad pages after a grace", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 5m5s  link/sjo-mia up 1 every 10s
at 5m34s expect shadow server/sbc-1 up
at 5m34s expect incident 1 open
at 5m35s expect own server/sbc-1 up
at 5m35s expect told noc-slack opened incident 2
at 5m35s expect told noc-slack resolved incident 1
at 20m   expect quiet
`},
		{"a child that recovers within the grace pages nobody", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 5m5s  link/sjo-mia up 1 every 10s
at 5m25s server/sbc-1 up 1 every 10s
at 5m25s expect told noc-slack resolved incident 1
at 20m   expect quiet
`},
		{"a parent that fails again within the grace keeps its shadow", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 5m5s  link/sjo-mia up 1 every 10s
at 5m15s link/sjo-mia up 0 every 10s
at 5m15s expect shadow server/sbc-1 up
at 6m    expect shadow server/sbc-1 up
at 6m    expect own link/sjo-mia up
at 6m    expect incident 1 open
at 6m    expect incidents 1
`},
		{"several parents are alternatives: one is not enough", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    link/backup up 1 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    trunk/carrier-b up 0 every 10s
at 5s    expect own trunk/carrier-b up
at 5s    expect told noc-slack opened incident 2
`},
		{"several parents are alternatives: all are", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 1s    link/backup up 0 every 10s
at 1s    expect told noc-slack opened incident 2
at 5s    trunk/carrier-b up 0 every 10s
at 5s    expect shadow trunk/carrier-b up
at 5s    expect incident 1 members 2
at 5s    expect incidents 2
`},
		{"one alternative down, the other breaching: the child waits, and then pages on its own", `
threshold up on link/backup | critical 0 clear 1 for 10m | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 1s    link/backup up 0 every 10s
at 5s    trunk/carrier-b up 0 every 10s
at 5s    expect pending trunk/carrier-b up
at 34s   expect quiet
at 35s   expect own trunk/carrier-b up
at 35s   expect told noc-slack opened incident 2
`},
		{"the shadow is transitive: site, link, server", `
check site/san-jose ping every 10s
at 0s    site/san-jose up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 3s    link/sjo-mia up 0 every 10s
at 5s    server/sbc-1 up 0 every 10s
at 5s    server/db-1 up 0 every 10s
at 5s    expect shadow link/sjo-mia up
at 5s    expect shadow server/sbc-1 up
at 5s    expect shadow server/db-1 up
at 5s    expect incidents 1
at 5m    site/san-jose up 1 every 10s
at 5m    server/db-1 up 1 every 10s
at 5m30s expect told noc-slack opened incident 2
at 5m30s expect told noc-slack resolved incident 1
at 5m30s expect own link/sjo-mia up
at 5m30s expect shadow server/sbc-1 up
at 5m30s expect incident 2 members 2
`},
		{"down means all reachability checks", `
check link/sjo-mia sip every 10s
at 0s    link/sjo-mia up 1 every 10s by sip
at 0s    link/sjo-mia up 0 every 10s by ping
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 5s    expect own server/sbc-1 up
at 5s    expect told noc-slack opened incident 2
at 15s   link/sjo-mia up 0 every 10s by sip
at 15s   expect shadow server/sbc-1 up
at 15s   expect told noc-slack merged incident 2
at 15s   expect incidents 1
at 15s   expect incident 1 members 3
`},
		{"two reachability alarms of one object share an incident", `
check server/db-1 http every 10s
check server/db-1 ping every 10s
at 0s    server/db-1 up 0 every 10s by ping
at 0s    expect told noc-slack opened incident 1
at 4s    server/db-1 up 0 every 10s by http
at 4s    expect incident 1 members 2
at 4s    expect own server/db-1 up by http
at 1m    server/db-1 up 1 every 10s by ping
at 1m    expect incident 1 open
at 2m    server/db-1 up 1 every 10s by http
at 2m    expect told noc-slack resolved incident 1
`},
		{"a shadowed member that raises the severity pages again from level 1", `
threshold up on link/* | major 0 clear 1 | policy noc
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened severity major
at 5s    server/sbc-1 up 0 every 10s
at 5s    expect incident 1 open critical
at 5s    expect told noc-slack severity severity critical
`},
		{"acknowledging the parent covers what stands in its shadow", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 3s    ack incident 1 by ana for 2h
at 3s    expect told noc-slack acknowledged
at 5s    server/sbc-1 up 0 every 10s
at 5s    expect incident 1 acknowledged
at 1h    expect quiet
`},
		{"a shadow outlives a restart", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened incident 1
at 5s    server/sbc-1 up 0 every 10s
at 7s    restart
at 20m   expect shadow server/sbc-1 up
at 20m   expect incidents 1
`},
	})
}
