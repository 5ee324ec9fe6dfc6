package alertingtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// Setup is what a story's network, thresholds and policies look like.
type Setup struct {
	Spec       inventory.Spec
	Expected   []alerting.Expected
	Thresholds []alerting.Threshold
	Policies   map[string]alerting.Policy
	Managers   map[inventory.Ref][]string
	Schedule   *alerting.Schedule
	ByHand     bool
	Memory     bool // a restart would forget what the story is about
}

// Config builds the engine's configuration.
func (s *Setup) Config() (*alerting.Config, error) {
	inv, err := inventory.New(s.Spec)
	if err != nil {
		return nil, err
	}
	policies := map[string]alerting.Policy{}
	for name, p := range s.Policies {
		policies[name] = p
	}
	managers := map[inventory.Ref][]string{}
	for ref, list := range s.Managers {
		managers[ref] = list
	}
	return &alerting.Config{
		Inventory: inv, Rules: alerting.NewRules(s.Thresholds), Policies: policies, Expected: slices.Clone(s.Expected),
		Resolve: func(ref inventory.Ref, _ string) []string { return managers[ref] }, Schedule: s.Schedule,
	}, nil
}

// line takes one setup line. It reports whether the line is one.
func (s *Setup) line(words []string, text string) (bool, error) {
	switch words[0] {
	case "site", "link", "server", "trunk", "customer":
		return true, s.object(words)
	case "check":
		return true, s.check(words)
	case "threshold":
		return true, s.threshold(text)
	case "policy":
		return true, s.policy(text)
	case "manager":
		return true, s.manager(words)
	case "deliveries":
		s.ByHand = true
		return true, nil
	case "memory":
		s.Memory = true
		return true, nil
	}
	return s.onCallLine(words, text)
}

// object reads: KIND NAME [at SITE] [behind REF...] [via REF...].
func (s *Setup) object(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("%s needs a name", words[0])
	}
	name, site := words[1], ""
	var parents []inventory.Ref
	for i := 2; i < len(words); i++ {
		switch words[i] {
		case "at":
			site = words[i+1]
			i++
		case "behind", "via":
		default:
			ref, err := inventory.ParseRef(words[i])
			if err != nil {
				return err
			}
			parents = append(parents, ref)
		}
	}
	switch words[0] {
	case "site":
		s.Spec.Sites = append(s.Spec.Sites, inventory.Site{Name: name})
	case "link":
		s.Spec.Links = append(s.Spec.Links, inventory.Link{Name: name, Site: site, Parents: parents})
	case "server":
		s.Spec.Servers = append(s.Spec.Servers, inventory.Server{Name: name, Site: site, Parents: parents})
	case "trunk":
		s.Spec.Trunks = append(s.Spec.Trunks, inventory.Trunk{Name: name, Site: site, Via: parents})
	case "customer":
		s.Spec.Customers = append(s.Spec.Customers, inventory.Customer{Name: name})
	}
	return nil
}

// check reads: check REF NAME every DURATION.
func (s *Setup) check(words []string) error {
	if len(words) != 5 || words[3] != "every" {
		return fmt.Errorf("a check is: check REF NAME every DURATION")
	}
	ref, err := inventory.ParseRef(words[1])
	if err != nil {
		return err
	}
	every, err := time.ParseDuration(words[4])
	s.Expected = append(s.Expected, alerting.Expected{
		Series: collectors.Series{Metric: collectors.Up, Ref: ref, Instance: words[2]}, Every: every,
	})
	return err
}

func (s *Setup) manager(words []string) error {
	ref, err := inventory.ParseRef(words[1])
	if s.Managers == nil {
		s.Managers = map[inventory.Ref][]string{}
	}
	s.Managers[ref] = words[2:]
	return err
}

// threshold reads: threshold METRIC on PATTERN | part | part. One for the same metric and pattern replaces the former.
func (s *Setup) threshold(text string) error {
	parts := strings.Split(text, "|")
	head := strings.Fields(parts[0])
	if len(head) != 4 || head[2] != "on" {
		return fmt.Errorf("a threshold begins: threshold METRIC on PATTERN")
	}
	t := alerting.Threshold{Metric: collectors.Metric(head[1]), On: inventory.Pattern(head[3]), Source: "story"}
	for _, part := range parts[1:] {
		if err := thresholdPart(&t, strings.Fields(part)); err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(part), err)
		}
	}
	s.Thresholds = slices.DeleteFunc(s.Thresholds, func(o alerting.Threshold) bool {
		return o.Metric == t.Metric && o.On == t.On && o.Instance == t.Instance
	})
	s.Thresholds = append(s.Thresholds, t)
	return nil
}

func thresholdPart(t *alerting.Threshold, w []string) error {
	switch w[0] {
	case "nodata":
		return nodataPart(t, w[1:])
	case "confirm":
		probes, err := strconv.Atoi(w[1])
		if err != nil {
			return err
		}
		every, err := time.ParseDuration(w[2])
		t.Confirm = &alerting.Confirm{Probes: probes, Every: every}
		return err
	case "flapping":
		changes, err := strconv.Atoi(w[1])
		if err != nil {
			return err
		}
		window, err := time.ParseDuration(w[2])
		t.Flapping = &alerting.Flapping{Changes: changes, Window: window}
		return err
	case "policy":
		t.Policy = w[1]
		return nil
	case "only":
		t.Instance = w[1]
		return nil
	}
	return tierPart(t, w)
}

func nodataPart(t *alerting.Threshold, w []string) error {
	t.NoData = &alerting.NoData{}
	if len(w) == 2 {
		after, err := time.ParseDuration(w[0])
		if err != nil {
			return err
		}
		t.NoData.After = after
		w = w[1:]
	}
	severity, err := alerting.ParseSeverity(w[0])
	t.NoData.Severity = severity
	return err
}

// tierPart reads: SEVERITY RAISE [clear LEVEL] [for DURATION] [clear_for DURATION].
func tierPart(t *alerting.Threshold, w []string) error {
	severity, err := alerting.ParseSeverity(w[0])
	if err != nil {
		return err
	}
	tier := alerting.Tier{Severity: severity}
	if tier.Raise, err = strconv.ParseFloat(w[1], 64); err != nil {
		return err
	}
	tier.Clear = tier.Raise
	for i := 2; i+1 < len(w) && err == nil; i += 2 {
		switch w[i] {
		case "clear":
			tier.Clear, err = strconv.ParseFloat(w[i+1], 64)
		case "for":
			tier.For, err = time.ParseDuration(w[i+1])
		case "clear_for":
			tier.ClearFor, err = time.ParseDuration(w[i+1])
		case "samples":
			tier.Samples, err = strconv.Atoi(w[i+1])
		default:
			err = fmt.Errorf("%q is no part of a tier", w[i])
		}
	}
	t.Tiers = append(t.Tiers, tier)
	return err
}

// policy reads: policy NAME | LEVEL after D [min S] notify R... [repeat D] | ack D | fallback R.
func (s *Setup) policy(text string) error {
	parts := strings.Split(text, "|")
	p := alerting.Policy{Name: strings.Fields(parts[0])[1]}
	for _, part := range parts[1:] {
		w := strings.Fields(part)
		var err error
		switch w[0] {
		case "ack":
			p.AckTimeout, err = time.ParseDuration(w[1])
		case "fallback":
			p.Fallback = w[1]
		case "group":
			p.Group.By = alerting.GroupBy(w[1])
			p.Group.Within, err = time.ParseDuration(w[2])
		case "reopen":
			p.Reopen, err = time.ParseDuration(w[1])
		default:
			err = levelPart(&p, w)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(part), err)
		}
	}
	if s.Policies == nil {
		s.Policies = map[string]alerting.Policy{}
	}
	s.Policies[p.Name] = p
	return nil
}

func levelPart(p *alerting.Policy, w []string) (err error) {
	l := alerting.Level{MinSeverity: alerting.Warning}
	i := slices.Index(w, "after")
	if i < 1 {
		return fmt.Errorf("a level is: NAME after DURATION [min SEVERITY] notify RECEIVER... [repeat DURATION]")
	}
	l.Name = strings.Join(w[:i], " ")
	for ; i+1 < len(w) && err == nil; i += 2 {
		switch w[i] {
		case "after":
			l.After, err = time.ParseDuration(w[i+1])
		case "min":
			l.MinSeverity, err = alerting.ParseSeverity(w[i+1])
		case "repeat":
			l.Repeat, err = time.ParseDuration(w[i+1])
		case "notify":
			l.Notify, i = receiversFrom(w, i+1)
		case "after_hours":
			l.AfterHours, i = receiversFrom(w, i+1)
		}
	}
	p.Levels = append(p.Levels, l)
	return err
}

// receiversFrom reads names up to the next word of a level, and returns where the loop over its words goes on.
func receiversFrom(w []string, i int) (list []string, next int) {
	for ; i < len(w) && w[i] != "repeat" && w[i] != "min" && w[i] != "after_hours"; i++ {
		list = append(list, w[i])
	}
	return list, i - 2
}

// remove reads: remove check REF NAME | remove threshold METRIC | remove object REF.
func (s *Setup) remove(w []string) error {
	switch w[0] {
	case "threshold":
		s.Thresholds = slices.DeleteFunc(s.Thresholds, func(t alerting.Threshold) bool { return string(t.Metric) == w[1] })
		return nil
	case "check":
		s.Expected = slices.DeleteFunc(s.Expected, func(e alerting.Expected) bool {
			return e.Series.Ref.String() == w[1] && e.Series.Instance == w[2]
		})
		return nil
	}
	ref, err := inventory.ParseRef(w[1])
	s.Expected = slices.DeleteFunc(s.Expected, func(e alerting.Expected) bool { return e.Series.Ref == ref })
	s.Spec.Links = slices.DeleteFunc(s.Spec.Links, func(l inventory.Link) bool { return ref.Kind == inventory.KindLink && l.Name == ref.Name })
	s.Spec.Servers = slices.DeleteFunc(s.Spec.Servers, func(l inventory.Server) bool {
		return ref.Kind == inventory.KindServer && l.Name == ref.Name
	})
	return err
}
