package main

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// policies looks at every policy, its levels and the receivers that they name.
func (l *loader) policies(cfg *Config) {
	known := map[string]int{}
	for i := range cfg.ReceiverSpecs {
		known[cfg.ReceiverSpecs[i].Name] = 1
	}
	first := map[string]int{}
	for i := range cfg.PolicySpecs {
		p := &cfg.PolicySpecs[i]
		if n := l.at[&p.Name]; n != nil {
			if line := first[p.Name]; line > 0 {
				l.problem(n, "duplicate-policy", "", "the policy %q is there twice, first in line %d", p.Name, line)
			}
			first[p.Name] = n.Line
		}
		l.levels(p, known)
		if standsFor(p.Fallback) {
			l.problem(l.at[&p.Fallback], "fallback-manager", "name one of the receivers", "the fallback must be a receiver that every incident has")
		} else {
			l.receiverExists(&p.Fallback, known)
		}
	}
	l.onCall(cfg, known)
	for i := range cfg.Customers {
		l.policyExists(cfg, &cfg.Customers[i].Policy)
	}
	switch {
	case len(cfg.PolicySpecs) == 0:
		l.notice(nil, "no-policies", "there are no policies: alarms are raised and shown, but nobody is told")
	case cfg.defaultPolicy() == "":
		l.notice(nil, "no-default-policy", "none of the %d policies is called default: alarms by the thresholds that ship with Vigía tell nobody", len(cfg.PolicySpecs))
	}
	l.managers(cfg)
}

func (l *loader) levels(p *PolicySpec, known map[string]int) {
	for i := range p.Levels {
		level := &p.Levels[i]
		if i > 0 && level.After < p.Levels[i-1].After {
			l.problem(l.where(&level.After, level), "level-order", "levels are told one after the other",
				"level %d comes after %s, before level %d (%s)", i+1, level.After, i, p.Levels[i-1].After)
		}
		if level.MinSeverity != nil {
			l.severity(level.MinSeverity)
		}
		for _, list := range [][]string{level.Notify, level.AfterHours} {
			for j := range list {
				if !standsFor(list[j]) {
					l.receiverExists(&list[j], known)
				}
			}
		}
	}
}

func (l *loader) receiverExists(name *string, known map[string]int) {
	n := l.at[name]
	if n == nil || *name == "" || known[*name] > 0 {
		return
	}
	hint := "add it under receivers"
	if best := nearest(*name, slices.Collect(maps.Keys(known))); best != "" {
		hint = meant(*name, []string{best})
	}
	l.problem(n, "unknown-receiver", hint, "there is no receiver called %q", *name)
}

func (l *loader) policyExists(cfg *Config, name *string) {
	n := l.at[name]
	if n == nil || *name == "" {
		return
	}
	var names []string
	for i := range cfg.PolicySpecs {
		names = append(names, cfg.PolicySpecs[i].Name)
	}
	if slices.Contains(names, *name) {
		return
	}
	l.problem(n, "unknown-policy", meant(*name, names), "there is no policy called %q", *name)
}

// readMapping reads a receiver: its kind decides which keys there are besides the common ones.
func (r *ReceiverSpec) readMapping(l *loader, n *yaml.Node) {
	word := l.kindWord(n)
	kind := l.receiver[word]
	if kind == nil {
		l.unknownKind(n, word, slices.Collect(maps.Keys(l.receiver)))
		l.common(n, r)
		return
	}
	r.own = kind.New()
	full := l.withMail(word, n)
	l.structure(full, r, r.own)
	l.at[r] = n
	l.ownProblems(full, r.own.Validate())
}

// withMail adds the keys of the section mail that an e-mail receiver leaves out.
func (l *loader) withMail(kind string, n *yaml.Node) *yaml.Node {
	if kind != "email" || l.mail == nil || l.mail.Kind != yaml.MappingNode {
		return n
	}
	full := *n
	full.Content = slices.Clone(n.Content)
	for i := 0; i+1 < len(l.mail.Content); i += 2 {
		key := l.mail.Content[i]
		if (key.Value == "smtp" || key.Value == "from") && child(n, key.Value) == nil {
			full.Content = append(full.Content, key, l.mail.Content[i+1])
		}
	}
	return &full
}

// receivers looks at the names of receivers and opens each one once.
func (l *loader) receivers(cfg *Config) {
	first, used := map[string]int{}, usedReceivers(cfg)
	for i := range cfg.ReceiverSpecs {
		r := &cfg.ReceiverSpecs[i]
		n := l.at[&r.Name]
		if n == nil {
			continue
		}
		if line := first[r.Name]; line > 0 {
			l.problem(n, "duplicate-receiver", "", "the receiver %q is there twice, first in line %d", r.Name, line)
			continue
		}
		first[r.Name] = n.Line
		if r.Name == alerting.CanaryReceiver {
			l.problem(n, "reserved-receiver", "choose another name", "%s is Vigía's own, which waits for canaries", r.Name)
			continue
		}
		if strings.HasPrefix(r.Name, alerting.AccountManager) {
			l.problem(n, "reserved-receiver", "choose another name", "names that begin with account_manager stand for customers' account managers")
			continue
		}
		if strings.HasPrefix(r.Name, personReceiver) {
			l.problem(n, "reserved-receiver", "choose another name", "names that begin with %s stand for people's own addresses", personReceiver)
			continue
		}
		if !used[r.Name] {
			l.notice(n, "unused-receiver", "no policy names the receiver %s", r.Name)
		}
		if r.own != nil && !l.hasErrorsIn(l.at[r]) {
			if _, err := r.own.Open(r.setup(ReceiverParts{})); err != nil {
				l.problem(l.at[r], "cannot-open", "", "the receiver cannot be opened: %s", l.scrub(err.Error()))
			}
		}
	}
}

func usedReceivers(cfg *Config) map[string]bool {
	used := map[string]bool{}
	for _, p := range cfg.PolicySpecs {
		used[p.Fallback] = true
		for _, level := range p.Levels {
			for _, name := range slices.Concat(level.Notify, level.AfterHours) {
				used[name] = true
			}
		}
	}
	useOnCall(cfg, used)
	return used
}

// managers makes an e-mail receiver for the account manager of each customer, when a policy tells account managers.
func (l *loader) managers(cfg *Config) {
	at := l.managerUse(cfg)
	if at == nil {
		return
	}
	kind := l.receiver["email"]
	if kind == nil || child(l.mail, "smtp") == nil || child(l.mail, "from") == nil {
		l.problem(at, "manager-without-mail", "give mail: {smtp: …, from: …}", "account managers are told by e-mail, and the section mail does not say how")
		return
	}
	for i := range cfg.Customers {
		c := &cfg.Customers[i]
		if c.AccountManager == "" {
			if c.Policy != "" {
				l.notice(l.at[c], "no-account-manager", "customer %s has no account_manager; a level that tells account managers skips it", c.Name)
			}
			continue
		}
		cfg.managers = append(cfg.managers, l.manager(kind, c))
	}
}

// managerUse is where a level first names account_manager, or nil.
func (l *loader) managerUse(cfg *Config) *yaml.Node {
	for i := range cfg.PolicySpecs {
		for j := range cfg.PolicySpecs[i].Levels {
			level := &cfg.PolicySpecs[i].Levels[j]
			for _, notify := range [][]string{level.Notify, level.AfterHours} {
				if k := slices.Index(notify, alerting.AccountManager); k >= 0 {
					return l.at[&notify[k]]
				}
			}
		}
	}
	return nil
}

// manager makes the receiver of one customer's account manager, as if it stood in the file.
func (l *loader) manager(kind *alerting.ReceiverKind, c *CustomerSpec) ReceiverSpec {
	r := l.addressed(kind, l.at[&c.AccountManager], c.AccountManager)
	r.Name, r.Language, r.manager = managerReceiver(c.Name), c.Language, c.Name
	return r
}

// addressed makes an e-mail receiver of an address that stands at a node.
func (l *loader) addressed(kind *alerting.ReceiverKind, at *yaml.Node, address string) ReceiverSpec {
	word := func(s string) *yaml.Node {
		n := *at
		n.Value, n.Style, n.Tag = s, yaml.DoubleQuotedStyle, "!!str"
		return &n
	}
	r := ReceiverSpec{Kind: kind.Name, own: kind.New()}
	list := &yaml.Node{Kind: yaml.SequenceNode, Line: at.Line, Content: []*yaml.Node{word(address)}}
	mapping := &yaml.Node{Kind: yaml.MappingNode, Line: list.Line, Content: []*yaml.Node{word("to"), list}}
	full := l.withMail(kind.Name, mapping)
	l.structure(full, r.own)
	l.ownProblems(full, r.own.Validate())
	return r
}

// managerReceiver is the name of the receiver of a customer's account manager: a word, and a different one for each customer.
func managerReceiver(customer string) string {
	word := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_') {
			return r
		}
		return '-'
	}, customer)
	if word != customer {
		sum := sha256.Sum256([]byte(customer))
		word += "-" + hex.EncodeToString(sum[:4])
	}
	return alerting.AccountManager + "_" + word
}

// defaultPolicy is the policy of what names none: the one called default, or the only one, or none.
func (c *Config) defaultPolicy() string {
	for i := range c.PolicySpecs {
		if c.PolicySpecs[i].Name == "default" {
			return "default"
		}
	}
	if len(c.PolicySpecs) == 1 {
		return c.PolicySpecs[0].Name
	}
	return ""
}

// policyOf is the policy of an object that has its own; "" for the others.
func (c *Config) policyOf(ref inventory.Ref) string {
	if ref.Kind != inventory.KindCustomer {
		return ""
	}
	for i := range c.Customers {
		if c.Customers[i].Name == ref.Name {
			return c.Customers[i].Policy
		}
	}
	return ""
}
