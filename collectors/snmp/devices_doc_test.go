package snmp

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigia/collectors"
	"vigia/collectors/snmp/profile"
)

var update = flag.Bool("update", false, "write the files anew that tests compare with")

// compareFile compares a text with a file, or writes the file when the flag -update is given.
func compareFile(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s (-want +got; go test -run TestRecordings -update writes it anew):\n%s", path, cmp.Diff(string(want), got))
	}
}

const devicesHead = `# Devices that were tried

This page is written by a test (` + "`go test ./collectors/snmp -run TestRecordings -update`" + `). It discovers and polls recordings of real devices that nobody of
this project has made, served by our own responder and by [snmpsim](https://github.com/lextudio/snmpsim), and holds what was found against a script that only
reads the recording (` + "`collectors/snmp/testdata/count.py`" + `). How to see what your own devices offer: [discover.md](discover.md).

## What counts as what

- **Interface**: a row of IF-MIB's ifTable, also one that is shut down. Watched by default are those that are not shut down and no loopback.
- **Processor**: what the device gives a load of its own for. First asked is the maker's MIB, then each processor of HOST-RESOURCES-MIB; a device that only says how
  busy it is as a whole has one. A board without memory has no processor, even if the MIB has a row for it.
- **Memory pool**: memory that can be full by itself: one for the main memory of a host; on routers and switches each pool or board of the maker's MIB.
  Buffers and caches lie in memory and are no pools. Swap, paging files and the virtual memory of Windows are measured and no pools either. Left out is what is
  always full by design (` + "`lsmpi_io`" + ` of IOS XE).
- **Disk**: a file system, volume or flash partition that has a size and can become full. No disks are: drives without a medium, CD-ROM, floppy and network
  drives; file systems without data (` + "`/proc`, `/sys`, `/run`, `/dev`, `/dev/shm`, `/snap`" + `); those of containers; the read-only images that Junos runs from; what
  NetApp keeps for snapshots. Only where HOST-RESOURCES-MIB has none, the file systems that snmpd.conf names. A partition that a device lists twice counts twice.
- **Sensor**: a temperature, fan, voltage, current, power, optical level, or a part that is well or not.

What has no size is looked for again with each discovery: every hour, and when the device says that something has changed.

## Found

| device | profile | interfaces | processors | memory pools | disks | sensors | CPU | memory | swap | disk | load | temperature | parts |
|---|---|--:|--:|--:|--:|--:|:-:|:-:|:-:|:-:|:-:|:-:|:-:|
`

// devicesPage is docs/devices.md.
func devicesPage(t *testing.T, devices []*recorded) string {
	t.Helper()
	set, err := profile.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, 0, len(devices))
	for _, d := range devices {
		lines = append(lines, d.line())
	}
	slices.Sort(lines)
	return devicesHead + strings.Join(lines, "") + profilesPart(set, devices)
}

// line is one device in the table.
func (d *recorded) line() string {
	descr := strings.NewReplacer("|", "/", "<", "", ">", "").Replace(shortText(d.survey.Descr))
	n := counts(d.survey)
	out := fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d |", descr, d.survey.Profile, n[0], n[1], n[2], n[3], d.survey.Sensors)
	for _, m := range []collectors.Metric{
		collectors.CPUPct, collectors.RAMPct, collectors.SwapPct, collectors.DiskPct, collectors.Load1, collectors.TemperatureC, collectors.PartOK,
	} {
		said := "–"
		if slices.ContainsFunc(d.result.Values, func(v collectors.Value) bool { return v.Metric == m }) {
			said = "yes"
		}
		out += " " + said + " |"
	}
	return out + "\n"
}

// shortText is the beginning of a text.
func shortText(text string) string {
	const most = 44
	if r := []rune(text); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return text
}

// profilesPart says of which profiles figures were read from a recording, and of which not.
func profilesPart(set *profile.Set, devices []*recorded) string {
	var read, empty, none strings.Builder
	for _, name := range set.Names() {
		p := set.Named(name)
		own := slices.ContainsFunc(p.Metrics, func(m *profile.Metric) bool { return m.Profile == name })
		uses, chosen := 0, 0
		for _, d := range devices {
			if d.using[name] {
				uses++
			}
			if d.survey.Profile == name {
				chosen++
			}
		}
		source := strings.Join(strings.Fields(p.Source), " ")
		switch {
		case uses > 0:
			fmt.Fprintf(&read, "| %s | %s | %d |\n", name, p.Title, uses)
		case chosen > 0 && own:
			fmt.Fprintf(&empty, "- **%s** (%s). %s\n", name, p.Title, source)
		case own:
			fmt.Fprintf(&none, "- **%s** (%s). %s\n", name, p.Title, source)
		}
	}
	return "\n## Profiles of which figures were read from a recording\n\nThat a profile is here does not mean that every object of it was there; what was not is said in its `source`.\n\n" +
		"| profile | | recordings |\n|---|---|--:|\n" + read.String() +
		"\n## Profiles that were chosen for a recording which holds nothing of their MIB\n\n" + empty.String() +
		"\n## Profiles of which no figure was read from a recording\n\nWhat each says of itself:\n\n" + none.String()
}
