// Package profile describes devices: which objects of their MIBs mean CPU, memory, disks, sensors and calls. A profile is YAML with numeric
// OIDs; those in profiles/ are part of the binary, and a folder of the operator's own may add to them or replace one by its name.
//
// The package decides with values and never opens a socket: Load reads and checks, Set.For chooses, Metric.Rows and Metric.Eval turn what a
// device answered into figures. What interfaces count is not described here: IF-MIB is the same everywhere and its traps are code
// (package snmp); a profile only says whether there are any.
//
// # A profile
//
//	name: net-snmp-linux              # the file's name without .yaml
//	title: Linux, net-snmp            # for people
//	source: >                         # where the OIDs come from, and what is not verified; may not be empty
//	  UCD-SNMP-MIB and HOST-RESOURCES-MIB (RFC 2790)
//	match:                            # any of these; none: only to be extended
//	  - {object_id: 1.3.6.1.4.1.8072.3.2.10}
//	  - {object_id: 1.3.6.1.4.1.2021.250, descr: "^Linux"}   # both; descr is RE2 over sysDescr, and may stand alone
//	extends: [host-resources, if-mib] # in order; no cycles
//	interfaces: true                  # it has an IF-MIB (inherited)
//	objects:                          # scalars: whole OIDs with their instance
//	  memTotalReal: 1.3.6.1.4.1.2021.4.5.0
//	columns:                          # columns of tables: OIDs without an index
//	  hrStorageDescr: 1.3.6.1.2.1.25.2.3.1.3
//	facts:                            # shown on the page of the device: model, serial, version, location, contact; objects (inherited)
//	  serial: someScalar
//	metrics:
//	  - metric: ram_pct
//	    total: memTotalReal
//	    free: [memAvailReal, memBuffer, memCached]
//	    unit: 1024
//
// OIDs are numbers with dots between them, without a dot in front. A file has at most 256 kB, a regular expression (RE2) at most 200 octets,
// and there are at most 500 profiles. A file is strict: unknown keys and names, keys that stand twice, anchors and tags of YAML are errors,
// and Load tells all of them.
//
// Of the profiles that match, the one with the longest object_id wins, counted in numbers: 1.3.6.1.4.1.9 does not match 1.3.6.1.4.1.99. Of
// equally long ones that with a descr wins, then the operator's, then the first by name. A descr without object_id counts as the shortest.
// Two files of one origin may not have the same condition. A device that none matches gets the profile generic.
//
// Names of objects and columns are inherited; a profile's own win, then those of what stands first in extends. A metric means the names
// that its own file knows: a file that extends it and gives a name another OID does not change it.
//
// Definitions of one metric are alternatives: the first for which the device has the objects is used, a profile's own before those that it
// extends, in the order in which they stand. What has the same metric and "also: true" is used besides. What is inherited twice is there once.
//
// # A metric
//
//	metric    a name of collectors.Catalogue: one that servers have, and not up
//	what is measured, exactly one of
//	  value: NAME                        the figure itself
//	  used: NAMES, total: NAME           100 · Σused / total
//	  used: NAMES, free: NAMES           100 · Σused / (Σused + Σfree)
//	  free: NAMES, total: NAME           100 · (total − Σfree) / total
//	  ok: NAME, good: [N...], skip: [N...]     1 when the value is among good, else 0; what has a value among skip is left out
//	  sensor: {type: NAME, scale: NAME, precision: NAME, value: NAME, status: NAME}
//	                                     an ENTITY-SENSOR-MIB table (RFC 3433): each row is a metric by its type, so metric is not given.
//	                                     type and value are needed; scale, precision and status count as units, 0 and ok when they lack
//	counters: true   the names are counters; what counts is how much they grew since the last poll. With value: growth per second.
//	optional: NAMES  of free or used: names that the device may lack; they count 0. At least one name is not optional
//	scale: 0.1       factor of value (and of nothing else); offset: added after it
//	max: 100         a figure above it is not believed; min likewise. Not of ok and sensor
//	unit: 1024       octets per unit of used, free and total, a number or a NAME; with it the Detail says sizes. Not of counters
//	rows: each       for columns: each (default) | mean | max | min | sum | first; all but each make one figure without a part.
//	                 sum adds up used and total (in octets when there is a unit) before it divides; first is the first row that has a figure
//	name: NAME       what a row is called; its index when it is not given or empty. Or {column: NAME, via: NAME, pattern: RE2}: via is a
//	                 column whose value is the row's index in column; of pattern its first group is the name, and text that it does not
//	                 match is none. Or a list of alternatives. With rows: max, min and first it only says what is counted.
//	only: [{column: NAME, is: [...]}, {column: NAME, not: [...]}, {column: NAME, matches: RE2}, {column: NAME, unlike: RE2}, {index: RE2}]
//	                 which rows, all conditions must hold; unlike holds for text that does not match. OIDs and numbers are compared as text,
//	                 OIDs without a leading dot; a cell that is not there is empty text.
//	tags: {key: NAME}  more about a row, for its Detail
//	part: TEXT       the figure is of a part although it is a scalar ("PSU 1")
//	also: true       not an alternative
//
// NAME is of objects or columns. A metric whose names are all objects is one figure; one that names a column has rows, and an object that it
// names stands for the same value in each. NAMES is one NAME or a list. What tells rows apart (name, only, tags, the columns of a sensor
// table but value and status, a column as unit) are columns; they are read in discovery and not at each poll.
//
// # Figures
//
// A value is a number, or text that begins with one ("41 C", "12.5%"; see ParseNumber). A row whose value is missing or no number is left out
// and is a Lack; of rows that make one figure only when none is left.
//
// Used, free and total below 0 are sizes that went over an Integer32: 2^32 is added. A total of 0 is an empty disk or a pool that is not
// there, and is left out without a word.
//
// A metric in percent is believed from 0 to 100, whatever its form; min and max say otherwise, and load_pct has no upper end (a UPS can be
// overloaded). Up to 0.5 beyond is taken for rounding. A sensor's value of ±10^9 says that it is out of range (RFC 3433).
//
// Rows that share a name are all called "name #index": a row keeps its name whatever becomes of the others.
package profile
