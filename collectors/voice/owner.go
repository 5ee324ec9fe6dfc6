package voice

import "net/netip"

// owner is whose a call is and where it ran.
type owner struct {
	customer string
	party    whom // which party is the customer
	leg      int  // of which leg
	address  netip.Addr
	trunk    string
	site     string
	trunks   []string
}

// ownerOf matches a call against the rules, the most specific first: networks (the longest prefix), domains, trunks, numbers.
func (r *Rules) ownerOf(c *call) owner {
	o := owner{customer: Unassigned, party: nobody}
	r.takeTrunks(c, &o)
	found := r.byNetwork(c, &o) || r.byDomain(c, &o) || r.byTrunkOf(c, &o) || r.byNumber(c, &o)
	if found && !o.address.IsValid() {
		o.address = r.mediaOf(&c.legs[o.leg].parties[o.party])
	}
	if o.site = r.siteOf(c); o.site == "" {
		if o.site = r.trunkSites[o.trunk]; o.site == "" {
			o.site = c.site
		}
	}
	return o
}

// eachAddress calls f with every address of the call, media before signalling, until f says stop.
func (c *call) eachAddress(f func(leg int, party whom, a netip.Addr) (stop bool)) {
	for i := range c.legs {
		for _, w := range [2]whom{caller, callee} {
			p := &c.legs[i].parties[w]
			for _, e := range p.ends {
				if f(i, w, e.addr) {
					return
				}
			}
			if p.signalling.IsValid() && f(i, w, p.signalling) {
				return
			}
		}
	}
}

func (r *Rules) byNetwork(c *call, o *owner) bool {
	longest := 0
	c.eachAddress(func(leg int, party whom, a netip.Addr) bool {
		if name, bits := r.customerNets.longest(a); bits > longest {
			longest = bits
			o.customer, o.leg, o.party, o.address = name, leg, party, a
		}
		return false
	})
	return longest > 0
}

func (r *Rules) byDomain(c *call, o *owner) bool {
	for i := range c.legs {
		for w, host := range [2]string{c.legs[i].fromHost, c.legs[i].toHost} {
			if name := r.domain(host); name != "" {
				o.customer, o.leg, o.party = name, i, whom(w)
				return true
			}
		}
	}
	return false
}

func (r *Rules) byTrunkOf(c *call, o *owner) (found bool) {
	c.eachAddress(func(leg int, party whom, a netip.Addr) bool {
		if name := r.byTrunk[r.trunkAt(a)]; name != "" {
			o.customer, o.leg, o.party, found = name, leg, party, true
		}
		return found
	})
	return found
}

func (r *Rules) byNumber(c *call, o *owner) bool {
	for i := range c.legs {
		for w, number := range [2]string{c.legs[i].from, c.legs[i].to} {
			digits, _ := digitsOf(number)
			if name := r.numbers.find(digits); name != "" {
				o.customer, o.leg, o.party = name, i, whom(w)
				return true
			}
		}
	}
	return false
}

// takeTrunks lists the trunks that a call ran over. The one that is shown is a carrier's, the last of them, or else a customer's.
func (r *Rules) takeTrunks(c *call, o *owner) {
	carrier := false
	note := func(name string) {
		if name == "" {
			return
		}
		for _, have := range o.trunks {
			if have == name {
				return
			}
		}
		o.trunks = append(o.trunks, name)
		if isCarrier := r.byTrunk[name] == ""; isCarrier || !carrier {
			o.trunk, carrier = name, carrier || isCarrier
		}
	}
	c.eachAddress(func(_ int, _ whom, a netip.Addr) bool {
		note(r.trunkAt(a))
		return false
	})
	for i := range c.legs {
		for _, k := range c.legs[i].tries {
			note(k.trunk)
		}
	}
}

// mediaOf is where a party takes media: an address that the world can reach rather than a private one.
func (r *Rules) mediaOf(p *party) netip.Addr {
	var found netip.Addr
	for _, e := range p.ends {
		if r.ours(e.addr) {
			continue
		}
		if !found.IsValid() || found.IsPrivate() && !e.addr.IsPrivate() {
			found = e.addr
		}
	}
	return found
}

// siteOf is the site of the server whose media addresses the call used.
func (r *Rules) siteOf(c *call) (site string) {
	c.eachAddress(func(_ int, _ whom, a netip.Addr) bool {
		site = r.serverSites[r.mediaNets.find(a)]
		return site != ""
	})
	return site
}

// sideOf tells where a leg runs.
func (r *Rules) sideOf(c *call, leg int, o *owner) LegSide {
	var ours [2]bool
	for w := range c.legs[leg].parties {
		p := &c.legs[leg].parties[w]
		for _, e := range p.ends {
			if name := r.trunkAt(e.addr); name != "" {
				return r.sideOfTrunk(name)
			}
			if r.customerNets.find(e.addr) != "" {
				return Access
			}
			ours[w] = ours[w] || r.ours(e.addr)
		}
	}
	if ours[caller] && ours[callee] {
		return Core
	}
	for w := range c.legs[leg].parties {
		a := c.legs[leg].parties[w].signalling
		if name := r.trunkAt(a); name != "" {
			return r.sideOfTrunk(name)
		}
		if r.customerNets.find(a) != "" {
			return Access
		}
	}
	if o.party != nobody && o.leg == leg && o.customer != Unassigned {
		return Access
	}
	return UnknownSide
}

func (r *Rules) sideOfTrunk(name string) LegSide {
	if r.byTrunk[name] != "" {
		return Access
	}
	return Carrier
}
