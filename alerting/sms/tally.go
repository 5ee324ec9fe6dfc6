package sms

import (
	"errors"
	"fmt"
	"strings"

	"vigia/alerting"
)

// tally sums up what became of a message's numbers.
type tally struct {
	accepted []string
	refused  []string
	later    error // the last that another attempt may mend
	last     error
}

func (t *tally) took(to, said string) { t.accepted = append(t.accepted, ending(to)+" "+said) }

func (t *tally) note(to, said string, err error) {
	switch {
	case err == nil:
		t.took(to, said)
		return
	case !errors.Is(err, alerting.ErrPermanent):
		t.later = err
	}
	t.last = err
	t.refused = append(t.refused, ending(to)+": "+strings.TrimSuffix(err.Error(), ": "+alerting.ErrPermanent.Error()))
}

// sum is the outcome of the whole: to be tried again as long as that may reach another number, refused when none was reached.
func (t *tally) sum() (alerting.Receipt, error) {
	switch {
	case t.later != nil:
		return alerting.Receipt{}, fmt.Errorf("%d of %d numbers told: %w", len(t.accepted), len(t.accepted)+len(t.refused), t.later)
	case len(t.accepted) == 0:
		return alerting.Receipt{}, t.last
	}
	return alerting.Receipt{Outcome: alerting.Outcome(strings.Join(append(t.refused, t.accepted...), "; "))}, nil
}

// ending is enough of a number to know it by.
func ending(number string) string { return "…" + number[max(len(number)-4, 0):] }
