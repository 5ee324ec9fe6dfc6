package voice

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"vigia/collectors/inventory"
)

// Unassigned is the customer of calls that no rule matches.
const Unassigned = "unassigned"

// LegSide is where a leg runs.
type LegSide string

// The sides: towards a customer, between our own servers, towards a carrier.
const (
	Access      LegSide = "access"
	Core        LegSide = "core"
	Carrier     LegSide = "carrier"
	UnknownSide LegSide = "unknown"
)

// Extra is what the rules need beside the inventory.
type Extra struct {
	AgentSites map[uint32]string // HEP capture id → site
	// Infer are the addresses of observers whose HEP reports alone make a call, without signalling. Nobody else's do: UDP can be sent by anyone.
	// Captured packets and files always may.
	Infer []netip.Prefix
	// InferPublished: reports that phones publish make a call without signalling. The decoder lets only allowed phones in.
	InferPublished bool
	// InferSent: RTCP that is sent to us makes a call without signalling. Its Observer is ourselves and has no address; that the listener lets only listed
	// networks in is for the caller to know.
	InferSent bool
}

// Rules say whose a call is: an immutable value, compiled from the inventory. Its methods may be called from anywhere.
type Rules struct {
	customerNets prefixes
	domains      map[string]string // domain → customer
	byTrunk      map[string]string // trunk → customer
	numbers      numbers           // prefix → customer
	trunkNets    prefixes
	trunkSites   map[string]string
	mediaNets    prefixes // server
	serverSites  map[string]string
	destinations numbers
	countries    numbers // prefix → ISO 3166 code
	agents       map[uint32]string
	infer        prefixes
	publish      bool
	sent         bool
	counted      []inventory.Ref // trunks and destinations, whose figures are counted by the minute
}

// Compile makes the rules of an inventory, which may be nil.
func Compile(inv *inventory.Inventory, extra Extra) *Rules {
	r := &Rules{
		domains: map[string]string{}, byTrunk: map[string]string{}, trunkSites: map[string]string{}, serverSites: map[string]string{},
		agents: extra.AgentSites, publish: extra.InferPublished, sent: extra.InferSent,
	}
	r.addCountries()
	for _, p := range extra.Infer {
		r.infer.add(p, "allowed")
	}
	if inv == nil {
		inv = &inventory.Inventory{}
	}
	for _, s := range inv.Servers {
		r.serverSites[s.Name] = s.Site
		for _, p := range s.Media {
			r.mediaNets.add(p, s.Name)
		}
	}
	for _, k := range inv.Trunks {
		r.trunkSites[k.Name] = k.Site
		if len(k.Networks) > 0 { // without networks no call can be told to be a trunk's
			r.counted = append(r.counted, trunkRef(k.Name))
		}
		for _, p := range k.Networks {
			r.trunkNets.add(p, k.Name)
		}
	}
	for _, d := range inv.Destinations {
		r.counted = append(r.counted, inventory.Ref{Kind: inventory.KindDestination, Name: d.Name})
		for _, p := range d.Prefixes {
			r.destinations.add(p, d.Name)
		}
	}
	for _, c := range inv.Customers {
		r.addCustomer(c)
	}
	return r
}

func (r *Rules) addCustomer(c inventory.Customer) {
	for _, p := range c.Match.Networks {
		r.customerNets.add(p, c.Name)
	}
	for _, d := range c.Match.SIPDomains {
		r.domains[strings.ToLower(strings.TrimPrefix(d, "."))] = c.Name
	}
	for _, k := range c.Match.Trunks {
		r.byTrunk[k] = c.Name
	}
	for _, n := range c.Match.Numbers {
		r.numbers.add(n, c.Name)
	}
}

func (r *Rules) agentSite(agent uint32) string { return r.agents[agent] }

func (r *Rules) trunkAt(a netip.Addr) string { return r.trunkNets.find(a) }

// ours reports whether an address is a server's own for media.
func (r *Rules) ours(a netip.Addr) bool { return r.mediaNets.find(a) != "" }

func (r *Rules) mayInfer(a netip.Addr) bool { return r.infer.find(a) != "" }

// destination is the configured destination of a number, or "".
func (r *Rules) destination(number string) string {
	digits, _ := digitsOf(number)
	return r.destinations.find(digits)
}

// domain finds the customer of a host name: the whole name, or the longest domain that it lies in.
func (r *Rules) domain(host string) string {
	for host = strings.ToLower(host); host != ""; {
		if c := r.domains[host]; c != "" {
			return c
		}
		_, host, _ = strings.Cut(host, ".")
	}
	return ""
}

// prefixes finds the longest network that holds an address.
type prefixes struct {
	by   map[netip.Prefix]string
	bits []int // lengths that occur, the longest first; IPv6 as such, IPv4 plus 1000
}

func (p *prefixes) add(prefix netip.Prefix, name string) {
	if !prefix.IsValid() {
		return
	}
	if p.by == nil {
		p.by = map[netip.Prefix]string{}
	}
	prefix = prefix.Masked()
	p.by[prefix] = name
	bits := prefix.Bits()
	if prefix.Addr().Is4() {
		bits += 1000
	}
	if !slices.Contains(p.bits, bits) {
		p.bits = append(p.bits, bits)
		slices.SortFunc(p.bits, func(a, b int) int { return cmp.Compare(b, a) })
	}
}

func (p *prefixes) find(a netip.Addr) string {
	name, _ := p.longest(a)
	return name
}

func (p *prefixes) longest(a netip.Addr) (name string, bits int) {
	if !a.IsValid() {
		return "", 0
	}
	a = a.Unmap()
	for _, b := range p.bits {
		if (b >= 1000) != a.Is4() {
			continue
		}
		n := b % 1000
		prefix, err := a.Prefix(n)
		if err != nil {
			continue
		}
		if name := p.by[prefix]; name != "" {
			return name, n + 1
		}
	}
	return "", 0
}

// numbers finds the longest prefix of a number.
type numbers struct {
	by      map[string]string
	longest int
}

func (n *numbers) add(prefix, name string) {
	digits, _ := digitsOf(prefix)
	if digits == "" {
		return
	}
	if n.by == nil {
		n.by = map[string]string{}
	}
	n.by[digits] = name
	n.longest = max(n.longest, len(digits))
}

func (n *numbers) find(digits string) string {
	for l := min(n.longest, len(digits)); l > 0; l-- {
		if name := n.by[digits[:l]]; name != "" {
			return name
		}
	}
	return ""
}

// digitsOf strips a number to its E.164 digits and tells whether it is written as an international one: +, 00 or 011 before it. Empty when it is no
// number.
func digitsOf(number string) (digits string, international bool) {
	number = strings.TrimSpace(number)
	rest, plus := strings.CutPrefix(number, "+")
	clean := make([]byte, 0, 20)
	for i := range len(rest) {
		switch b := rest[i]; {
		case b >= '0' && b <= '9':
			if len(clean) == cap(clean) {
				return "", false
			}
			clean = append(clean, b)
		case b == '-' || b == '.' || b == ' ' || b == '(' || b == ')':
		default:
			return "", false
		}
	}
	digits = string(clean)
	if plus {
		return digits, true
	}
	for _, prefix := range [2]string{"011", "00"} {
		if d, ok := strings.CutPrefix(digits, prefix); ok && len(d) >= 8 {
			return d, true
		}
	}
	return digits, false
}
