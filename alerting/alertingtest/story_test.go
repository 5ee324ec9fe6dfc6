package alertingtest

import (
	"strings"
	"testing"
)

// small is a network for stories about stories.
const small = `
link sjo-mia
threshold up on link/* | critical 0 clear 1 | policy noc
policy noc | L1 after 0s notify noc-slack
`

// TestAStoryCanFail plays stories that are not true and looks for what they are told.
func TestAStoryCanFail(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"a page that nobody expected", "at 0s link/sjo-mia up 0 every 10s", "nobody expected that noc-slack is told opened"},
		{"a page that does not come", "at 0s link/sjo-mia up 1\nat 1m expect told noc-slack opened", "not told now"},
		{"a page at another time", "at 0s link/sjo-mia up 0 every 10s\nat 1m expect told noc-slack opened", "not told now"},
		{"another state", "at 0s link/sjo-mia up 0\nat 0s expect clear link/sjo-mia up\nat 0s expect told noc-slack opened", "it is raised"},
		{"another severity", "at 0s link/sjo-mia up 0\nat 0s expect raised minor link/sjo-mia up\nat 0s expect told noc-slack opened", "it is raised critical"},
		{"no such incident", "at 0s link/sjo-mia up 1\nat 0s expect incident 1 open", "there is no incident 1"},
		{"not quiet", "at 0s link/sjo-mia up 0\nat 0s expect quiet", "notifications nobody expected"},
		{"time runs backwards", "at 5s link/sjo-mia up 1\nat 1s link/sjo-mia up 1", "time runs backwards"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := read(small + c.script)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(s.play(), "\n"); !strings.Contains(got, c.want) {
				t.Errorf("it says %q, want %q", got, c.want)
			}
		})
	}
}

func TestAStoryIsReadStrictly(t *testing.T) {
	for _, script := range []string{"once upon a time", "at noon expect quiet", "threshold up", "policy noc | L1", "check x ping every 1s"} {
		if _, err := read(script); err == nil {
			t.Errorf("%q was understood", script)
		}
	}
}
