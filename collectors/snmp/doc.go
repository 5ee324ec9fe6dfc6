// Package snmp asks devices by SNMP versions 1, 2c and 3 (RFC 1157, 3416, 3414): what their interfaces carry, and how their processors,
// memories, disks and sensors are. The library gosnmp encodes, decodes and authenticates; everything else is here.
//
// A packet's way: session (one run's exchange) → walk (discovery: whole columns) or gather (polling: wanted cells) → line and clock
// (counters become rates, or are thrown away and said) and profile.Metric.Eval (figures) → Result.
//
// # One device, many checks
//
// Checks with the same address and credentials share a device: what was found on it, how large a request it takes, and for version 3 its
// engine and the keys localised to it. Ten links of one router are ten checks of one request each and one discovery.
//
// # Discovery
//
//	nothing known ──first run──▶ looking ──all columns read──▶ known ──restart, ifTableLastChange, a moved name, an hour──▶ looking
//	                              │  ▲
//	                              └──┘ the run's deadline came: the next run goes on where it stopped
//
// A device is looked at whole: IF-MIB, then of each metric of its profile the first definition that it has objects for. A device that has
// just started is looked at again after two minutes, since some tables fill late. While a discovery after an hour is under way the old one
// is polled by. A device that lies (names that do not increase, columns without end, texts of megabytes) costs only itself: every column,
// text and discovery is bounded, and what it did is among the steps of the run.
//
// # Few packets
//
// A poll asks for exact names packed into few GETs, and of tables of which more than a third of the rows is wanted it walks the columns by
// GETBULK; all cells of a row come from one answer. A request holds 48 names until a device shows that this is too much (tooBig, or silence
// while it answers smaller ones): then half, remembered. A server with a few disks takes two requests, a link one.
//
// # Rates
//
// What grew is divided by the time that passed on the device's own clock: sysUpTime comes in the same answer as the counters, so what the
// way did to the answer does not matter. Our clock takes its place where a device has none, or after three disagreements. These are never
// made a rate, and each is said (Result.Discarded, a step snmp.discarded_…):
//
//   - a restart: sysUpTime is younger than the distance of the polls; 497 days after the start it wraps, which is no restart
//   - a discontinuity: ifCounterDiscontinuityTime changed; one that changes at each poll is no mark
//   - an answer that is older than the last one, or the same again
//   - 64 bits that fell; 32 bits where errors or discards or both directions fell: they were reset
//   - 32 bits that can wrap more than once between two polls at the speed of the line
//   - more than the line can carry, by ifHighSpeed; what is no line (tunnels, VLANs, loopbacks) has no speed to believe, there the sum of
//     all lines of the device counts
//   - an interface whose row bears another name than it did, where no ifTableLastChange says that rows have moved, and one that a new
//     discovery finds under another index: it may have been made anew
//
// 32 bits that fell once are taken as a wrap when nothing above says otherwise.
//
// # Words
//
// SNMP v1 and v2c do not say that a community is wrong: it looks like an address where nobody is, and the reason says so. A v3 engine
// reports unknown users, wrong keys and clocks. Those reports are not authenticated, so nothing is decided by them; they only choose the
// words. A v3 engine that introduces itself and then keeps silent could not decrypt what was asked, or does not know the context; asking once
// more without the context tells which.
//
// # What is up
//
// A server is up when it answers. A link is up when its interface is (ifOperStatus); when the device does not answer nothing is known of
// the link, so no up is told and "no data" is the engine's matter.
//
// What it never does: it sends no SET, listens to no trap, and answers nobody.
package snmp
