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
//	  - {object_id: 1.3.6.1.4.1.2021.250, descr: "^Linux"}   # RE2 over sysDescr
//	extends: [host-resources, if-mib] # in order; no cycles
//	interfaces: true                  # it has an IF-MIB (inherited)
//	objects:                          # scalars: whole OIDs with their instance
//	  memTotalReal: 1.3.6.1.4.1.2021.4.5.0
//	columns:                          # columns of tables: OIDs without an index
//	  hrStorageDescr: 1.3.6.1.2.1.25.2.3.1.3
//	facts:                            # shown on the page of the device: model, serial, version, location, contact
//	  serial: someScalar
//	metrics:
//	  - metric: ram_pct
//	    total: memTotalReal
//	    free: [memAvailReal, memBuffer, memCached]
//	    unit: 1024
//
// Of the profiles that match, the one with the longest object_id wins; of equally long ones that with a descr. A device that none matches
// gets the profile generic. Names of objects and columns are inherited, a profile's own win.
//
// Definitions of one metric are alternatives: the first for which the device has the objects is used, a profile's own before those that it
// extends, in the order in which they stand. What has the same metric and "also: true" is used besides.
//
// # A metric
//
//	metric    a name of collectors.Catalogue
//	what is measured, exactly one of
//	  value: NAME                        the figure itself
//	  used: NAMES, total: NAME           100 · Σused / total
//	  used: NAMES, free: NAMES           100 · Σused / (Σused + Σfree)
//	  free: NAMES, total: NAME           100 · (total − Σfree) / total
//	  ok: NAME, good: [N...], skip: [N...]     1 when the value is among good, else 0; rows whose value is among skip are left out
//	  sensor: {type: NAME, scale: NAME, precision: NAME, value: NAME, status: NAME}
//	                                     an ENTITY-SENSOR-MIB table (RFC 3433): each row is a metric by its type, so metric is not given
//	counters: true   the names are counters; what counts is how much they grew since the last poll. With value: growth per second.
//	optional: NAMES  of free or used: names that the device may lack; they count 0
//	scale: 0.1       factor of value (and of nothing else); offset: added after it
//	max: 100         a figure above it is not believed; min likewise
//	unit: 1024       octets per unit of used, free and total, a number or a NAME; with it the Detail says sizes
//	rows: each       for columns: each (default) | mean | max | min | sum | first
//	name: NAME       what a row is called; its index when it is not given or empty. Or {column: NAME, via: NAME, pattern: RE2}: via is a
//	                 column whose value is the row's index in column; of pattern its first group is the name. Or a list of alternatives.
//	only: [{column: NAME, is: [...]}, {column: NAME, not: [...]}, {column: NAME, matches: RE2}, {index: RE2}]
//	                 which rows, all conditions must hold. OIDs and numbers are compared as text, OIDs without a leading dot.
//	tags: {key: NAME}  more about a row, for its Detail
//	part: NAME       text: the figure is of a part although it is a scalar ("PSU 1")
//	also: true       not an alternative
//
// NAME is of objects or columns. A metric whose names are all objects is one figure; one that names a column has rows, and an object that it
// names stands for the same value in each. NAMES is one NAME or a list.
//
// A value is a number, or text that begins with one ("41 C", "12.5%"). A row whose value is missing or no number is left out.
package profile
