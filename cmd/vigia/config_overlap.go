package main

import (
	"net/netip"
	"strings"
)

// belongs is what one object claims of networks, domains or numbers, in the form in which a wider claim is looked for.
type belongs struct {
	of   map[string]string // what is claimed → whose it is
	node map[string]any    // → where it was read
	keys []string          // in the order of the file
}

func (b *belongs) add(what, whose string, at any) {
	if b.of == nil {
		b.of, b.node = map[string]string{}, map[string]any{}
	}
	b.of[what], b.node[what] = whose, at
	b.keys = append(b.keys, what)
}

// overlaps notes match rules of different customers, and networks of different trunks, of which one lies within the other. The narrower one
// wins, which may be what was meant, and may not.
func (l *loader) overlaps(cfg *Config) {
	var networks, domains, numbers, trunks belongs
	for i := range cfg.Customers {
		c := &cfg.Customers[i]
		for j := range c.Match.Networks {
			networks.add(c.Match.Networks[j].Masked().String(), c.Name, &c.Match.Networks[j])
		}
		for j := range c.Match.SIPDomains {
			domains.add(strings.ToLower(c.Match.SIPDomains[j]), c.Name, &c.Match.SIPDomains[j])
		}
		for j := range c.Match.Numbers {
			numbers.add(c.Match.Numbers[j], c.Name, &c.Match.Numbers[j])
		}
	}
	for i := range cfg.Trunks {
		for j := range cfg.Trunks[i].Networks {
			trunks.add(cfg.Trunks[i].Networks[j].Masked().String(), cfg.Trunks[i].Name, &cfg.Trunks[i].Networks[j])
		}
	}
	l.within(&networks, "customer", widerNetwork)
	l.within(&domains, "customer", widerDomain)
	l.within(&numbers, "customer", widerNumber)
	l.within(&trunks, "trunk", widerNetwork)
}

// within notes every claim that lies in a wider one of somebody else; wider gives the next wider claim there may be, "" after the widest.
func (l *loader) within(b *belongs, kind string, wider func(string) string) {
	for _, what := range b.keys {
		for w := wider(what); w != ""; w = wider(w) {
			other, taken := b.of[w]
			if !taken {
				continue
			}
			if whose := b.of[what]; other != whose {
				l.notice(l.at[b.node[what]], "overlapping-match", "%s of %s %s lies within %s of %s: calls in both are %s's, whose rule is the narrower", what, kind, whose, w, other, whose)
			}
			break
		}
	}
}

func widerNetwork(s string) string {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Bits() == 0 {
		return ""
	}
	return netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked().String()
}

func widerDomain(s string) string {
	_, rest, _ := strings.Cut(s, ".")
	return rest
}

func widerNumber(s string) string {
	if len(s) <= 2 { // a plus and a digit
		return ""
	}
	return s[:len(s)-1]
}
