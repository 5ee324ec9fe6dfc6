// Package inventory knows what we look after: sites, links, servers, services, trunks, destinations and customers, and who depends on whom.
//
// An Inventory is an immutable snapshot. It is built once by New from a Spec, handed around by pointer, and replaced whole when the
// configuration is reloaded. Everything else points at an object by its Ref (kind/name, such as link/sjo-mia), never by a database id.
//
// Dependencies, from the top: a site carries its links and servers, a link carries the trunks that run via it; parents named in the
// inventory are added to these. Several parents are alternatives: an object is cut off only when all of its parents are. The graph has no
// cycle: New refuses one.
//
// The package also holds the value types in which an operator writes an inventory down (Duration, Bandwidth, Secret), because every kind's
// configuration uses them. It imports nothing of ours and does no input or output.
package inventory
