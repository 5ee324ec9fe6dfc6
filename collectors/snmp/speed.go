package snmp

import "slices"

// typesEthernet are the interface types (IANAifType-MIB) of Ethernet: ethernetCsmacd and the three that it replaced.
var typesEthernet = []int{6, 62, 69, 117}

// ethernetMegabits are the rates of IEEE 802.3, Mbit/s.
var ethernetMegabits = []float64{10, 100, 1000, 2500, 5000, 10_000, 25_000, 40_000, 50_000, 100_000, 200_000, 400_000, 800_000}

// mendSpeed looks at an Ethernet port that says to be slower than any is: some agents write megabits into ifSpeed, which has bits. Left as it
// is, every rate of the port would be thrown away as above its line's.
func (p *port) mendSpeed() {
	const slowest = 1e6 // bit/s, 1BASE5
	switch {
	case p.speed <= 0 || p.speed >= slowest || !slices.Contains(typesEthernet, p.kind):
	case slices.Contains(ethernetMegabits, p.speed):
		p.speed *= 1e6
	default:
		p.speed = 0
	}
}
