package alerting_test

import "testing"

// twoShifts is a link whose first level is who is on call: ana by day, ben by night, UTC.
const twoShifts = `
site san-jose
link sjo-mia at san-jose
person ana ana-mail ana-phone
person ben ben-mail
person eva eva-mail
rotation noc | shift ana ben every 12h
threshold loss_pct on link/* | warning 1 clear 0.5 | critical 10 clear 8 | policy noc
policy noc | L1 after 0s min warning notify oncall:noc repeat 1h | L2 after 30m min critical notify managers | ack 60m | fallback spare
`

func TestOnCallStories(t *testing.T) {
	playAll(t, twoShifts, []story{
		{"who is on call is told, and the timeline says who that was", `
at 1h    link/sjo-mia loss_pct 2 every 10s
at 1h    expect told ana-mail opened level 1
at 1h    expect told ana-phone opened level 1
at 1h    expect says L1 told (level 1, round 1). On call: ana (noc)
at 90m   expect quiet
`},
		{"a repeat after the hand-over goes to the new person, and whoever was told hears of the end", `
at 11h30m link/sjo-mia loss_pct 2 every 10s
at 11h30m expect told ana-mail opened
at 11h30m expect told ana-phone opened
at 12h30m expect told ben-mail repeat level 1
at 12h30m expect says L1 told again: nobody has taken it (level 1, round 2). On call: ben (noc)
at 12h31m link/sjo-mia loss_pct 0 every 10s
at 12h31m expect told ana-mail resolved
at 12h31m expect told ana-phone resolved
at 12h31m expect told ben-mail resolved
`},
		{"an override is told from its first to its last instant", `
at 1h    override noc eva from 2h to 3h by ops
at 1h    expect accepted
at 1h    expect says noc: eva is on call in place of others, decided by ops
at 2h    link/sjo-mia loss_pct 2 every 10s
at 2h    expect told eva-mail opened
at 3h    expect told ana-mail repeat
at 3h    expect told ana-phone repeat
`},
		{"a later override wins, and a cancelled one does not count", `
at 1h    override noc ben from 2h to 5h by ops
at 1h    override noc eva from 2h to 5h by ops
at 90m   cancel override by ops
at 90m   expect accepted
at 2h    link/sjo-mia loss_pct 2 every 10s
at 2h    expect told ben-mail opened
`},
		{"an override that is cancelled while it runs ends then", `
at 1h    override noc eva from 1h to 9h by ops
at 2h    cancel override by ops
at 2h    expect says noc: eva ends being on call in place of others, decided by ops
at 2h1m  cancel override by ops
at 2h1m  expect refused refused_override
at 3h    link/sjo-mia loss_pct 2 every 10s
at 3h    expect told ana-mail opened
at 3h    expect told ana-phone opened
`},
		{"what cannot be is refused", `
at 1h    override soc eva from 2h to 3h by ops
at 1h    expect refused refused_rotation
at 1h    override noc zoe from 2h to 3h by ops
at 1h    expect refused refused_person
at 1h    override noc eva from 3h to 2h by ops
at 1h    expect refused refused_order
at 4h    override noc eva from 2h to 3h by ops
at 4h    expect refused refused_past
at 4h    override noc eva from 5h to 3000h by ops
at 4h    expect refused refused_long
at 4h    handover noc by ben ""
at 4h    expect refused refused_note
at 4h    handover noc by ben "carrier A works until six"
at 4h    expect accepted
at 4h    expect event on_call
`},
		{"nobody is on call: the fallback is told and the timeline says so", `
rotation noc | day ana every 24h hours 8h 18h
at 7h30m link/sjo-mia loss_pct 2 every 10s
at 7h30m expect told spare opened level 1
at 7h30m expect says Nobody is on call in noc: spare is told instead
at 8h30m expect told ana-mail repeat
at 8h30m expect told ana-phone repeat
`},
		{"a rotation has receivers of its own for when nobody is on call", `
rotation noc | day ana every 24h hours 8h 18h | otherwise desk
at 1h    link/sjo-mia loss_pct 2 every 10s
at 1h    expect told desk opened level 1
at 1h    expect says Nobody is on call in noc: desk is told instead
`},
		{"a later layer wins where it is active", `
rotation noc | base ana ben every 24h | night eva every 24h hours 18h 8h
at 17h30m link/sjo-mia loss_pct 2 every 10s
at 17h30m expect told ana-mail opened
at 17h30m expect told ana-phone opened
at 18h30m expect told eva-mail repeat
`},
		{"a rotation that a reload took away: never silence", `
at 1h    link/sjo-mia loss_pct 2 every 10s
at 1h    expect told ana-mail opened
at 1h    expect told ana-phone opened
at 90m   person ana
at 2h    expect told spare repeat
at 2h    expect says ana is on call in noc and cannot be told any more: spare is told instead
`},
		{"without a fallback the receivers of the other levels are the last resort", `
policy noc | L1 after 0s min warning notify oncall:noc | L2 after 30m min critical notify managers
at 0s    person ana
at 1h    link/sjo-mia loss_pct 2 every 10s
at 1h    expect told managers opened level 1
at 1h    expect says ana is on call in noc and cannot be told any more: managers is told instead
`},
		{"a person by name, and others outside business hours", `
business 8h 18h
policy noc | L1 after 0s min warning notify noc-slack person:eva after_hours oncall:noc repeat 1h | fallback spare
at 17h30m link/sjo-mia loss_pct 2 every 10s
at 17h30m expect told noc-slack opened
at 17h30m expect told eva-mail opened
at 17h30m expect says L1 told (level 1, round 1). On call: eva
at 18h30m expect told ben-mail repeat
at 18h31m link/sjo-mia loss_pct 0 every 10s
at 18h31m expect told noc-slack resolved
at 18h31m expect told eva-mail resolved
at 18h31m expect told ben-mail resolved
at 128h   link/sjo-mia loss_pct 2 every 10s     # Saturday, 08:00
at 128h   expect told ana-mail opened
at 128h   expect told ana-phone opened
`},
	})
}
