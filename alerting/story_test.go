package alerting_test

import (
	"testing"

	"vigia/alerting/alertingtest"
)

// story is one text that alertingtest plays.
type story struct{ name, script string }

func playAll(t *testing.T, setup string, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			alertingtest.Play(t, setup+"\n"+s.script)
		})
	}
}

// oneLink is a link with two tiers of loss, and a policy of one level.
const oneLink = `
site san-jose
link sjo-mia at san-jose
threshold loss_pct on link/* | warning 1 clear 0.5 for 2m clear_for 1m | critical 10 clear 5 for 30s clear_for 20s | nodata 2m major | policy noc
policy noc | NOC after 0s min warning notify noc-slack | ack 60m
`
