package alerting_test

import "testing"

func TestMuteStories(t *testing.T) {
	playAll(t, threeLevels, []story{
		{"a silence before: raised and shown, nobody is paged; what is still bad at its end pages from level 1", `
at 0s    silence link/sjo-* by ana for 1h "fibre cut, carrier informed"
at 0s    expect accepted
at 10m   link/sjo-mia up 0 every 10s
at 10m   expect raised critical link/sjo-mia up
at 10m   expect incident 1 open critical
at 10m   expect event muted in 1
at 59m   expect quiet
at 60m   expect told noc-slack opened level 1
at 60m   expect event unmuted in 1
at 75m   expect told noc-slack escalated level 2
at 75m   expect told l2-mail escalated level 2
`},
		{"what recovers in a silence was never told, and nobody hears of its end", `
at 0s    silence link/sjo-mia by ana for 1h "works"
at 10m   link/sjo-mia up 0 every 10s
at 20m   link/sjo-mia up 1 every 10s
at 20m   expect incident 1 resolved
at 3h    expect quiet
`},
		{"a silence over an incident that people know of stops its escalation; its end tells the last level again", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened level 1
at 15m   expect told noc-slack escalated level 2
at 15m   expect told l2-mail escalated level 2
at 20m   silence link/sjo-mia by ana for 2h "the carrier works on it"
at 2h19m expect quiet
at 2h20m expect told noc-slack unmuted level 2
at 2h20m expect told l2-mail unmuted level 2
at 2h50m expect told duty-hook escalated level 3
at 2h50m expect told managers escalated level 3
`},
		{"whoever was told before the silence hears that it is over", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened level 1
at 5m    silence link/sjo-mia by ana for 2h "works"
at 30m   link/sjo-mia up 1 every 10s
at 30m   expect told noc-slack resolved
at 3h    expect quiet
`},
		{"a silence that is cancelled", `
at 0s    silence link/sjo-mia by ana for 2h "works"
at 10m   link/sjo-mia up 0 every 10s
at 20m   unmute 1 by luis
at 20m   expect accepted
at 20m   expect told noc-slack opened level 1
at 21m   unmute 1 by luis
at 21m   expect refused mute_unknown
`},
		{"a silence of one metric lets the others page", `
at 0s    silence link/* by ana for 2h metric loss_pct "known loss"
at 10m   link/sjo-mia loss_pct 20 every 10s
at 11m   link/sjo-mia up 0 every 10s
at 11m   expect told noc-slack opened
at 12m   link/sjo-mia up 1 every 10s
at 12m   expect told noc-slack resolved
at 1h    expect quiet
`},
		{"everything at a site, with below", `
at 0s    maintenance site/san-jose by ana for 1h below "power works"
at 10m   link/sjo-mia up 0 every 10s
at 59m   expect quiet
at 1h    expect told noc-slack opened
`},
		{"without below a site is the site alone", `
at 0s    maintenance site/san-jose by ana for 1h "power works"
at 10m   link/sjo-mia up 0 every 10s
at 10m   expect told noc-slack opened
`},
		{"maintenance that is planned ahead begins and ends by itself", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    maintenance link/sjo-mia by ana from 4m for 1h "exchange of the router"
at 14m   expect quiet
at 1h5m  expect told noc-slack unmuted level 1
`},
		{"a rise in a silence pages nobody before its end", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 0s    expect told noc-slack opened
at 1m    silence link/sjo-mia by ana for 1h "works"
at 20m   link/sjo-mia loss_pct 20 every 10s
at 20m   expect incident 1 open critical
at 1h    expect quiet
at 1h1m  expect told noc-slack escalated level 1
`},
		{"an acknowledgement that ends in a silence pages nobody before its end", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana for 10m
at 1m    expect told noc-slack acknowledged
at 2m    silence link/sjo-mia by ana for 1h "works"
at 11m   expect incident 1 open
at 1h1m  expect quiet
at 1h2m  expect told noc-slack unmuted level 1
`},
		{"an acknowledgement outlives a silence", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    silence link/sjo-mia by ana for 10m "works"
at 2m    ack incident 1 by ana for 1h
at 2m    expect told noc-slack acknowledged
at 1h1m  expect quiet
at 1h2m  expect told noc-slack ack_expired
`},
		{"one who assigns names who has it", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    assign incident 1 by ana to luis for 30m
at 1m    expect told noc-slack acknowledged
at 1m    expect event assigned in 1
at 31m   expect told noc-slack ack_expired
`},
		{"nobody is no assignee, and a snooze needs an end", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    assign incident 1 by ana
at 1m    expect refused refused_nobody
at 1m    snooze incident 1 by ana
at 1m    expect refused refused_past
at 2m    snooze incident 1 by ana for 10m
at 2m    expect told noc-slack acknowledged
at 12m   expect told noc-slack snooze_over level 1
`},
		{"a silence says why, for how long and over what", `
at 0s    silence link/sjo-mia by ana for 1h
at 0s    expect refused mute_reason
at 1s    silence link/sjo-mia by ana "why"
at 1s    expect refused refused_past
at 2s    silence link/sjo-mia by ana for 1000h "why"
at 2s    expect refused mute_long
at 3s    maintenance link/sjo-mia by ana every day at 25:00 UTC for 30m "why"
at 3s    expect refused mute_clock
at 4s    maintenance link/sjo-mia by ana every day at 03:00 Mars/North for 30m "why"
at 4s    expect refused mute_clock
at 5s    maintenance link/sjo-mia by ana every day at 03:00 UTC for 30h "why"
at 5s    expect refused mute_window
at 6s    silence link/sjo-mia by ana every day at 03:00 UTC for 30m "why"
at 6s    expect refused mute_recurs
`},
	})
}
