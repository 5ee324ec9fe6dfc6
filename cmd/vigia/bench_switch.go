package main

import (
	"fmt"
	"time"

	"vigia/collectors/collectorstest/snmpagent"
)

// benchSwitch is a switch with that many ports, all of them up at 1 Gb/s, with the variables that real ones have in the system group, in
// ifTable and in ifXTable (RFC 2863). Its sysObjectID is of the enterprise for documentation (RFC 5612), so that no vendor's profile fits.
func benchSwitch(ports int) *snmpagent.Recording {
	r := &snmpagent.Recording{}
	const up = 30 * 24 * time.Hour
	r.SetString("1.3.6.1.2.1.1.1.0", fmt.Sprintf("Example switch with %d ports, version 12.4(7)", ports))
	r.SetOID("1.3.6.1.2.1.1.2.0", "1.3.6.1.4.1.32473.1.48")
	r.SetTicks("1.3.6.1.2.1.1.3.0", up)
	r.SetString("1.3.6.1.2.1.1.4.0", "noc@example.net")
	r.SetString("1.3.6.1.2.1.1.5.0", "access-switch.example.net")
	r.SetString("1.3.6.1.2.1.1.6.0", "Room 12, rack 4")
	r.SetInt("1.3.6.1.2.1.1.7.0", 2)
	r.SetInt("1.3.6.1.2.1.2.1.0", int32(ports))
	r.SetTicks("1.3.6.1.2.1.31.1.5.0", time.Minute)
	for i := 1; i <= ports; i++ {
		benchPort(r, i, up)
	}
	return r
}

// benchPort records one port. Its counters stand where the traffic of a month has brought them; the agent lets them grow at that rate.
func benchPort(r *snmpagent.Recording, i int, up time.Duration) {
	index := 10100 + i
	of := func(table string, column int) string { return fmt.Sprintf("%s.%d.%d", table, column, index) }
	const ifTable, ifXTable = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
	seconds := uint64(up / time.Second)
	octets := func(mbps int) uint64 { return uint64(mbps) * 125_000 * seconds }
	in, out := octets(20+7*i%300), octets(10+11*i%300)

	r.SetInt(of(ifTable, 1), int32(index))
	r.SetString(of(ifTable, 2), fmt.Sprintf("GigabitEthernet1/0/%d", i))
	for column, v := range map[int]int32{3: 6, 4: 1500, 7: 1, 8: 1} { // ifType, ifMtu, ifAdminStatus, ifOperStatus
		r.SetInt(of(ifTable, column), v)
	}
	r.SetGauge(of(ifTable, 5), 1_000_000_000)
	r.SetString(of(ifTable, 6), string([]byte{0, 0, 0x5e, 0, 0x53, byte(i)}))
	r.SetTicks(of(ifTable, 9), time.Minute)
	for column, v := range map[int]uint64{10: in, 11: in / 700, 13: 41_000 + uint64(i), 14: 9_000 + uint64(i), 15: 0, 16: out, 17: out / 700, 19: 52_000, 20: 7_000} {
		r.SetCounter32(of(ifTable, column), uint32(v))
	}
	r.SetGauge(of(ifTable, 21), 0)

	r.SetString(of(ifXTable, 1), fmt.Sprintf("Gi1/0/%d", i))
	for column, v := range map[int]uint64{2: in / 9000, 3: in / 8000, 4: out / 9000, 5: out / 8000} {
		r.SetCounter32(of(ifXTable, column), uint32(v))
	}
	for column, v := range map[int]uint64{6: in, 7: in / 700, 8: in / 9000, 9: in / 8000, 10: out, 11: out / 700, 12: out / 9000, 13: out / 8000} {
		r.SetCounter64(of(ifXTable, column), v)
	}
	for column, v := range map[int]int32{14: 1, 16: 2, 17: 1} { // ifLinkUpDownTrapEnable, ifPromiscuousMode, ifConnectorPresent
		r.SetInt(of(ifXTable, column), v)
	}
	r.SetGauge(of(ifXTable, 15), 1000)
	r.SetString(of(ifXTable, 18), fmt.Sprintf("outlet %d", 300+i))
	r.SetTicks(of(ifXTable, 19), 0)
}
