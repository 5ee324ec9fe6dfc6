package alerting_test

import "testing"

// threeLevels is a link whose policy has three levels.
const threeLevels = `
site san-jose
link sjo-mia at san-jose
threshold up on link/* | critical 0 clear 1 | policy noc
threshold loss_pct on link/* | warning 1 clear 0.5 | major 5 clear 4 | critical 10 clear 8 | policy noc
policy noc | NOC L1 after 0s min warning notify noc-slack repeat 15m | NOC L2 after 15m min major notify noc-slack l2-mail | SOC L3 after 45m min major notify duty-hook managers | ack 60m | fallback managers
`

func TestEscalationStories(t *testing.T) {
	playAll(t, threeLevels, []story{
		{"levels, delays and repeats", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened level 1
at 0s    expect incident 1 next NOC L2 at 15m0s
at 14m59s expect quiet
at 15m   expect told noc-slack escalated level 2
at 15m   expect told l2-mail escalated level 2
at 30m   expect told noc-slack repeat level 1
at 45m   expect told duty-hook escalated level 3
at 45m   expect told managers escalated level 3
at 45m1s expect told noc-slack repeat level 1
at 46m   expect quiet
at 60m   expect told noc-slack repeat level 1
at 75m   expect told duty-hook repeat level 3
at 75m   expect told managers repeat level 3
at 75m1s expect told noc-slack repeat level 1
at 76m   link/sjo-mia up 1 every 10s
at 76m   expect told noc-slack resolved
at 76m   expect told l2-mail resolved
at 76m   expect told duty-hook resolved
at 76m   expect told managers resolved
at 5h    expect quiet
`},
		{"a level above the severity waits", `
at 0s    link/sjo-mia loss_pct 2 every 10s
at 0s    expect told noc-slack opened
at 15m   expect told noc-slack repeat
at 30m   expect told noc-slack repeat
at 30m   expect incident 1 next NOC L1 at 45m0s
at 40m   link/sjo-mia loss_pct 6 every 10s
at 40m   expect told noc-slack severity severity major
at 40m   expect incident 1 next NOC L2 at 55m0s
at 55m   expect told noc-slack escalated level 2
at 55m   expect told l2-mail escalated level 2
`},
		{"a rise pages again from level 1", `
at 0s    link/sjo-mia loss_pct 6 every 10s
at 0s    expect told noc-slack opened severity major
at 15m   expect told noc-slack escalated
at 15m   expect told l2-mail escalated
at 20m   link/sjo-mia loss_pct 20 every 10s
at 20m   expect told noc-slack severity level 1
at 35m   expect told noc-slack escalated level 2
at 35m   expect told l2-mail escalated level 2
`},
		{"a fall pages nobody and skips the levels above", `
at 0s    link/sjo-mia loss_pct 20 every 10s
at 0s    expect told noc-slack opened
at 10m   link/sjo-mia loss_pct 2 every 10s
at 10m   expect raised warning link/sjo-mia loss_pct
at 15m   expect told noc-slack repeat
at 29m   expect quiet
`},
		{"nobody repeats a level that the fallen severity does not reach", `
policy noc | L1 after 0s min major notify noc-slack repeat 10m
at 0s    link/sjo-mia loss_pct 20 every 10s
at 0s    expect told noc-slack opened
at 5m    link/sjo-mia loss_pct 2 every 10s
at 3h    expect quiet
`},
		{"below every min_severity nobody is told", `
policy noc | L1 after 0s min critical notify noc-slack
at 0s    link/sjo-mia loss_pct 2 every 10s
at 1h    expect incident 1 open warning
at 1h    expect quiet
at 1h    link/sjo-mia loss_pct 2 every 10s
at 1h1s  link/sjo-mia loss_pct 30 every 10s
at 1h1s  expect told noc-slack severity
at 1h2s  link/sjo-mia loss_pct 0
at 1h2s  expect told noc-slack resolved
`},
		{"the first level may have a delay", `
policy noc | L1 after 5m notify noc-slack
at 0s    link/sjo-mia up 0 every 10s
at 4m59s expect quiet
at 5m    expect told noc-slack opened
at 35m   expect told noc-slack repeat
`},
		{"what is over before anyone was told is told to nobody", `
policy noc | L1 after 5m notify noc-slack
at 0s    link/sjo-mia up 0 every 10s
at 4m    link/sjo-mia up 1 every 10s
at 4m    expect incident 1 resolved
at 1h    expect quiet
`},
		{"the last level repeats every half hour when it says nothing", `
policy noc | L1 after 0s notify noc-slack
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 30m   expect told noc-slack repeat
at 60m   expect told noc-slack repeat
`},
		{"levels in seconds are exact", `
policy noc | L1 after 0s notify a | L2 after 2s notify b | L3 after 5s notify c repeat 3s
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told a opened
at 2s    expect told b escalated
at 5s    expect told c escalated
at 8s    expect told c repeat
`},
		{"the same receiver twice in a level is told once", `
policy noc | L1 after 0s notify noc-slack noc-slack
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    expect quiet
`},
		{"no policy: an incident without escalation", `
threshold up on link/* | critical 0 clear 1 | policy nobody-wrote-it
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect incident 1 open critical
at 9h    expect quiet
at 9h1s  link/sjo-mia up 1
at 9h1s  expect incident 1 resolved
`},
		{"the only policy is the default one", `
threshold up on link/* | critical 0 clear 1
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect incident 1 policy noc
at 0s    expect told noc-slack opened
`},
		{"the account manager is the object's own", `
policy noc | L1 after 0s notify account_manager
manager link/sjo-mia ana luis
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told ana opened
at 0s    expect told luis opened
`},
		{"the policy is frozen", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    policy noc | L1 after 0s notify somebody-else | L2 after 2m notify third
at 15m   expect told noc-slack escalated
at 15m   expect told l2-mail escalated
`},
	})
}

func TestAcknowledgementStories(t *testing.T) {
	playAll(t, threeLevels, []story{
		{"acknowledgement stops the escalation and everyone told hears of it", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 10m   ack incident 1 by ana for 30m "ticket 7"
at 10m   expect accepted
at 10m   expect told noc-slack acknowledged
at 10m   expect incident 1 acknowledged critical
at 39m   expect quiet
at 40m   expect told noc-slack ack_expired level 1
at 40m   expect event ack_expired incident 1
at 40m   expect incident 1 next NOC L2 at 55m0s
at 55m   expect told noc-slack escalated level 2
at 55m   expect told l2-mail escalated level 2
`},
		{"on expiry it goes on where it was", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 15m   expect told noc-slack escalated
at 15m   expect told l2-mail escalated
at 16m   ack incident 1 by ana
at 16m   expect told noc-slack acknowledged
at 16m   expect told l2-mail acknowledged
at 76m   expect told noc-slack ack_expired level 2
at 76m   expect told l2-mail ack_expired level 2
at 106m  expect told duty-hook escalated level 3
at 106m  expect told managers escalated level 3
`},
		{"without an end and without a timeout it holds until resolution", `
policy noc | L1 after 0s notify noc-slack
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana
at 1m    expect told noc-slack acknowledged
at 5h    expect quiet
at 5h1s link/sjo-mia up 1
at 5h1s expect told noc-slack resolved
`},
		{"a rise of severity ends it", `
at 0s    link/sjo-mia loss_pct 6 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana
at 1m    expect told noc-slack acknowledged
at 5m    link/sjo-mia loss_pct 20 every 10s
at 5m    expect incident 1 open critical
at 5m    expect told noc-slack severity
at 20m   expect told noc-slack escalated
at 20m   expect told l2-mail escalated
`},
		{"a return to the severity that was acknowledged does not", `
at 0s    link/sjo-mia loss_pct 20 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana for 5h
at 1m    expect told noc-slack acknowledged
at 5m    link/sjo-mia loss_pct 6 every 10s
at 6m    link/sjo-mia loss_pct 20 every 10s
at 6m    expect incident 1 acknowledged critical
at 2h    expect quiet
`},
		{"resolution of an acknowledged incident is told", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana
at 1m    expect told noc-slack acknowledged
at 5m    link/sjo-mia up 1 every 10s
at 5m    expect told noc-slack resolved
at 9h    expect quiet
`},
		{"the same command twice is once", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana twice
at 1m    expect told noc-slack acknowledged
at 2m    expect quiet
`},
		{"given back: the level is told again", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana
at 1m    expect told noc-slack acknowledged
at 5m    unack incident 1 by ana
at 5m    expect accepted
at 5m    expect incident 1 open
at 5m    expect told noc-slack ack_expired
at 20m   expect told noc-slack escalated
at 20m   expect told l2-mail escalated
`},
		{"refusals say why", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 7 by ana
at 1m    expect refused refused_unknown
at 2m    ack incident 1 by ana for -5m
at 2m    expect refused refused_past
at 3m    unack incident 1 by ana
at 3m    expect refused refused_not_acked
at 4m    comment incident 1 by ana
at 4m    expect refused refused_empty
at 4m1s  comment incident 1 by ana "   "
at 4m1s  expect refused refused_empty
at 5m    link/sjo-mia up 1 every 10s
at 5m    expect told noc-slack resolved
at 6m    ack incident 1 by ana
at 6m    expect refused refused_over
`},
		{"a comment is an event and nothing else", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    comment incident 1 by ana "carrier confirms"
at 1m    expect accepted
at 1m    expect event comment incident 1
at 2m    expect quiet
`},
		{"escalate now tells the next level and the later keep their distance", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    escalate incident 1 by ana
at 1m    expect told noc-slack escalated level 2
at 1m    expect told l2-mail escalated level 2
at 1m    expect incident 1 next NOC L1 at 15m0s
at 15m   expect told noc-slack repeat
at 30m   expect told noc-slack repeat
at 31m   expect told duty-hook escalated level 3
at 31m   expect told managers escalated level 3
`},
		{"beyond the last level there is nobody", `
policy noc | L1 after 0s notify noc-slack
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    escalate incident 1 by ana
at 1m    expect refused refused_no_level
`},
		{"escalating an acknowledged incident keeps the acknowledgement", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m    ack incident 1 by ana for 5h
at 1m    expect told noc-slack acknowledged
at 2m    escalate incident 1 by ana
at 2m    expect told noc-slack escalated level 2
at 2m    expect told l2-mail escalated level 2
at 2m    expect incident 1 acknowledged
at 3h    expect quiet
`},
		{"closing by hand clears what stands", `
at 0s    link/sjo-mia up 0
at 0s    expect told noc-slack opened
at 1m    close incident 1 by ana "decommissioned"
at 1m    expect accepted
at 1m    expect incident 1 resolved
at 1m    expect clear link/sjo-mia up
at 1m    expect told noc-slack resolved
`},
		{"what is closed by hand and still bad rises anew", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 1m5s  close incident 1 by ana "wrong guess"
at 1m5s  expect told noc-slack resolved
at 1m10s expect told noc-slack opened incident 2
`},
		{"an acknowledgement in the same second as a step wins", `
at 0s    link/sjo-mia up 0 every 10s
at 0s    expect told noc-slack opened
at 15m   ack incident 1 by ana
at 15m   expect told noc-slack acknowledged
at 15m   expect incident 1 acknowledged
`},
	})
}
