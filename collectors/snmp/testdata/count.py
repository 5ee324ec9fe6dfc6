#!/usr/bin/env python3
"""Counts what devices have, from their recordings (.snmprec, also .bz2) and from nothing else.

    count.py FILE...     prints for each file: its name, interfaces, processors, memory pools, disks, with tabs between them

It is the second opinion on package snmp: it knows no profile, sends nothing, and was written from the meaning of the MIBs. What the two
count must be the same for every recording.

Interface: a row of IF-MIB's ifTable: an index of one number that has ifDescr, ifType or ifOperStatus. One that is shut down counts too.

For the others the device's own MIB is asked first, by its sysObjectID; where that says nothing, the standard ones. The standard ones:

  processors    rows of hrProcessorLoad (HOST-RESOURCES-MIB); else one, when UCD-SNMP-MIB tells how busy the processor is
  memory pools  one, when UCD-SNMP-MIB has the memory's size; else rows of hrStorage of type RAM that have a size. Buffers and caches lie in
                memory and are no pools of their own; neither are swap, paging files and virtual memory
  disks         rows of hrStorage of type fixed disk or flash memory that have a size, but for file systems that hold no data (/proc, /sys,
                /run, /dev, /snap, devfs, tmpfs as a name) and those of containers; else rows of UCD-SNMP-MIB's dskTable.
                CD-ROM drives, floppy and network disks are of other types

The makers' own, by enterprise number, are the functions below.
"""
import bz2
import re
import sys

UCD = "1.3.6.1.4.1.2021"
HR = "1.3.6.1.2.1.25"
CISCO = "1.3.6.1.4.1.9.9"


class Recording:
    """The values of one device by OID, as text; octets are decoded as Latin-1."""

    def __init__(self, path):
        opened = bz2.open(path, "rb") if path.endswith(".bz2") else open(path, "rb")
        self.values = {}
        with opened as lines:
            for line in lines:
                parts = line.decode("latin-1").rstrip("\r\n").split("|", 2)
                if len(parts) == 3 and not parts[0].startswith("#"):
                    self.values[parts[0].strip()] = decode(parts[1], parts[2])

    def column(self, oid):
        """A column's values by index."""
        start = oid + "."
        return {k[len(start):]: v for k, v in self.values.items() if k.startswith(start)}

    def number(self, oid):
        """A scalar as a number; None when it is not there."""
        return to_number(self.values.get(oid))

    def has(self, *oids):
        return all(self.number(oid) is not None for oid in oids)


def decode(kind, text):
    if ":" in kind:  # a module of snmpsim computes it: any number will do
        return "1"
    if kind.endswith("x"):
        return bytes.fromhex(text).decode("latin-1")
    return text


def to_number(text):
    """The number that a text begins with, or None."""
    found = re.match(r"\s*([-+]?\d+(\.\d+)?)", text or "")
    return float(found.group(1)) if found else None


def numbers(column):
    return {i: to_number(v) for i, v in column.items() if to_number(v) is not None}


def interfaces(r):
    rows = set()
    for column in (2, 3, 8):
        rows |= {i for i in r.column(f"1.3.6.1.2.1.2.2.1.{column}") if "." not in i}
    return len(rows)


# The standard MIBs.

PSEUDO = re.compile(r"/(proc|sys|run|snap)(/|$)|/dev($|[ ,]|/shm|/fd|/mqueue)|/var/lib/(docker|containers|kubelet)/|devfs|procfs|tmpfs")


def storage(r, types):
    """The names of rows of hrStorage that are of these types and have a size."""
    kind, name, size = (r.column(f"{HR}.2.3.1.{c}") for c in (2, 3, 5))
    found = {}
    for i, k in kind.items():
        if k.strip(". ").rsplit(".", 1)[-1] in types and k.strip(". ").startswith(f"{HR}.2.1.") and to_number(size.get(i)):
            found[i] = name.get(i, "")
    return found


def standard_processors(r):
    loads = numbers(r.column(f"{HR}.3.3.1.2"))
    return len(loads) or int(r.has(f"{UCD}.11.50.0", f"{UCD}.11.52.0", f"{UCD}.11.53.0") or r.has(f"{UCD}.11.11.0"))


def standard_pools(r):
    if r.number(f"{UCD}.4.5.0") and r.has(f"{UCD}.4.6.0"):
        return 1
    return len([n for n in storage(r, {"2"}).values() if not re.search(r"(?i)buffer|cache", n)])


def standard_disks(r):
    disks = [n for n in storage(r, {"4", "9"}).values() if not PSEUDO.match(n)]
    return len(disks) or len(numbers(r.column(f"{UCD}.9.1.9")))


# The makers' own MIBs. Each function returns processors, pools and disks; 0 leaves the question to the standard MIBs.


def sums(a, b):
    """How many rows of two columns, used and free, have a sum above 0."""
    return len([i for i in a if i in b and a[i] + b[i] > 0])


def cisco(r):
    """CISCO-PROCESS-MIB, of IOS XE each core; memory of CISCO-ENHANCED-MEMPOOL-MIB, else CISCO-MEMORY-POOL-MIB, but lsmpi_io, which is always
    full; of NX-OS CISCO-PROCESS-MIB's; partitions of CISCO-FLASH-MIB that have a size."""
    descr = r.values.get("1.3.6.1.2.1.1.1.0", "")
    col = lambda oid: numbers(r.column(f"{CISCO}.{oid}"))
    cpus = len(col("109.1.1.1.1.7") or col("109.1.1.1.1.4")) or int(r.has("1.3.6.1.4.1.9.2.1.57.0"))
    if re.search("IOS[- ]?XE|LINUX_IOSD", descr):
        cpus = len(col("109.1.1.2.1.4")) or cpus
    pools = 0
    if "NX-OS" in descr:
        pools = sums(col("109.1.1.1.1.12"), col("109.1.1.1.1.13"))
    for table, used, free, name in ("221.1.1.1.1", 18, 20, 3), ("221.1.1.1.1", 7, 8, 3), ("48.1.1.1", 5, 6, 2):
        names = r.column(f"{CISCO}.{table}.{name}")
        full = {i for i, n in names.items() if n == "lsmpi_io"}
        used, free = col(f"{table}.{used}"), col(f"{table}.{free}")
        pools = pools or sums({i: v for i, v in used.items() if i not in full}, free)
    size = col("10.1.1.4.1.1.13") or col("10.1.1.4.1.1.4")
    return cpus, pools, len([v for v in size.values() if v])


def juniper(r):
    """jnxOperatingTable: what has memory has a processor. File systems are hrStorage's, but the images that Junos mounts to run from."""
    memory = numbers(r.column("1.3.6.1.4.1.2636.3.1.13.1.15"))
    boards = len([v for v in memory.values() if v])
    images = re.compile(r".*mounted on: (/packages|/\.mount/packages|/junos|/dev|/proc|/sys|/run|/snap)(/|$)")
    disks = [n for n in storage(r, {"4", "9"}).values() if not images.match(n) and not PSEUDO.match(n)]
    return boards, boards, len(disks)


def huawei(r):
    """hwEntityStateTable: what has memory has a processor; else HUAWEI-CPU-MIB and HUAWEI-MEMORY-MIB. Flash of HUAWEI-FLASH-MAN-MIB."""
    own = "1.3.6.1.4.1.2011"
    boards = entities(r, f"{own}.5.25.31.1.1.1.1", 7)
    cpus = boards or len(numbers(r.column(f"{own}.6.3.4.1.3")))
    pools = boards or len([v for v in numbers(r.column(f"{own}.6.3.5.1.1.2")).values() if v])
    return cpus, pools, len([v for v in numbers(r.column(f"{own}.6.9.1.1.4.1.1.4")).values() if v])


def entities(r, table, memory):
    """How many entities of a board table use memory."""
    return len([v for v in numbers(r.column(f"{table}.{memory}")).values() if v])


def comware(r):
    """HH3C-ENTITY-EXT-MIB and its older twin: what has memory has a processor."""
    boards = entities(r, "1.3.6.1.4.1.25506.2.6.1.1.1.1", 8) or entities(r, "1.3.6.1.4.1.2011.10.2.6.1.1.1.1", 8)
    return boards, boards, 0


def oceanstor(r):
    """Controllers, each with its memory, and storage pools."""
    own = "1.3.6.1.4.1.34774.4.1.23"
    cpus, memories = (numbers(r.column(f"{own}.5.2.1.{c}")) for c in (8, 9))
    return len(cpus), len(memories), len([v for v in numbers(r.column(f"{own}.4.2.1.7")).values() if v])


def netapp(r):
    """Its one processor figure; file systems and aggregates that have a size, without what is kept for snapshots."""
    name, size = r.column("1.3.6.1.4.1.789.1.5.4.1.2"), numbers(r.column("1.3.6.1.4.1.789.1.5.4.1.29"))
    disks = [i for i, n in name.items() if not n.endswith("/.snapshot") and size.get(i)]
    return int(r.has("1.3.6.1.4.1.789.1.2.1.3.0")), 0, len(disks)


def aruba(r):
    """WLSX-SYSTEMEXT-MIB: processors, memory, and storage of type flash."""
    own = "1.3.6.1.4.1.14823.2.2.1.2.1"
    kind, size = (numbers(r.column(f"{own}.14.1.{c}")) for c in (2, 3))
    memory = numbers(r.column(f"{own}.15.1.2"))
    disks = [i for i, k in kind.items() if k == 2 and size.get(i)]
    return len(numbers(r.column(f"{own}.13.1.3"))), len([v for v in memory.values() if v]), len(disks)


def arista(r):
    """EOS types /tmp, / and /var/log as virtual memory, though they are where data lies; what is called RAM is memory."""
    rows = storage(r, {"3", "4", "9"})
    return 0, 0, len([n for n in rows.values() if not n.startswith("RAM")])


def sangfor(r):
    """Its own processor figure, and rows of its disk tables that are partitions of a disk."""
    disks = 0
    for own in "1.3.6.1.4.1.35047.1", "1.3.6.1.4.1.45577.1":
        names = r.column(f"{own}.5.1.2")
        disks = disks or len([n for n in names.values() if re.match("/dev/[hsv]d", n)])
    own = r.has("1.3.6.1.4.1.35047.1.3.0") or r.has("1.3.6.1.4.1.45577.1.3.0")
    return int(own and not numbers(r.column(f"{HR}.3.3.1.2"))), 0, disks


def legend(r):
    """Row 1 of the processor table is all of them together; memory and disks as in UCD-SNMP-MIB under its own number."""
    own = "1.3.6.1.4.1.9833.1.4"
    cpus = [i for i in r.column(f"{own}.1.1.4") if i != "1"]
    return len(cpus), int(bool(r.number(f"{own}.2.5.0"))), len(numbers(r.column(f"{own}.3.1.9")))


def figures(cpu, memory):
    """A maker that has one figure of each."""
    return lambda r: (int(bool(cpu) and r.has(cpu)), int(bool(memory) and r.has(memory)), 0)


def dlink(r):
    own = "1.3.6.1.4.1.171.12.1.1"
    return int(r.has(f"{own}.6.2.0")), len([v for v in numbers(r.column(f"{own}.9.1.2")).values() if v]), 0


def procurve(r):
    own = "1.3.6.1.4.1.11.2.14.11.5.1"
    memory = numbers(r.column(f"{own}.1.2.1.1.1.5"))
    return int(r.has(f"{own}.9.6.1.0")), len([v for v in memory.values() if v]), 0


def bdcom(r):
    own = "1.3.6.1.4.1.3320.9"
    return len(numbers(r.column(f"{own}.109.1.1.1.1.4"))), int(r.has(f"{own}.48.1.0")), 0


def topsec(r):
    """Only the NGFW of software version 3 has these numbers."""
    if not re.search("NGFW.* Software Version V3", r.values.get("1.3.6.1.2.1.1.1.0", "")):
        return 0, 0, 0
    return figures("1.3.6.1.4.1.14331.5.5.1.4.5.0", "1.3.6.1.4.1.14331.5.5.1.4.6.0")(r)


MAKERS = {
    "1.3.6.1.4.1.9": cisco,
    "1.3.6.1.4.1.11.2.3.7": procurve,
    "1.3.6.1.4.1.171": dlink,
    "1.3.6.1.4.1.789": netapp,
    "1.3.6.1.4.1.1588": figures("1.3.6.1.4.1.1588.2.1.1.1.26.1.0", "1.3.6.1.4.1.1588.2.1.1.1.26.6.0"),
    "1.3.6.1.4.1.2011": huawei,
    "1.3.6.1.4.1.2011.2.91": oceanstor,
    "1.3.6.1.4.1.34774.4.1": oceanstor,
    "1.3.6.1.4.1.2011.10": comware,
    "1.3.6.1.4.1.25506": comware,
    "1.3.6.1.4.1.2636": juniper,
    "1.3.6.1.4.1.3320": bdcom,
    "1.3.6.1.4.1.5089": figures("1.3.6.1.4.1.5089.1.2.1.1.0", ""),
    "1.3.6.1.4.1.9833": legend,
    "1.3.6.1.4.1.14331": topsec,
    "1.3.6.1.4.1.14823": aruba,
    "1.3.6.1.4.1.30065": arista,
    "1.3.6.1.4.1.35047": sangfor,
    "1.3.6.1.4.1.45577": sangfor,
}


def maker(r):
    """The function of the longest number that the device's sysObjectID begins with."""
    who = r.values.get("1.3.6.1.2.1.1.2.0", "").strip(". ")
    known = [m for m in MAKERS if (who + ".").startswith(m + ".")]
    return MAKERS[max(known, key=len)] if known else lambda r: (0, 0, 0)


def count(path):
    r = Recording(path)
    cpus, pools, disks = maker(r)(r)
    return interfaces(r), cpus or standard_processors(r), pools or standard_pools(r), disks or standard_disks(r)


if __name__ == "__main__":
    for path in sys.argv[1:]:
        print(path, *count(path), sep="\t")
