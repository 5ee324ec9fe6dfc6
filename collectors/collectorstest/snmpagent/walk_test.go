package snmpagent

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"vigia/collectors/collectorstest"
)

// The recordings that are walked. The first is out of order and has spaces behind its numbers, the second has lines that end in CR.
var walked = []string{"os_linux_netmanage.snmprec.bz2", "network_switch_metel-poe-box.snmprec.bz2", "network_wifi_aruba-7010.snmprec.bz2"}

// eachRecording runs a test with an agent for each of the recordings.
func eachRecording(t *testing.T, test func(t *testing.T, r *Recording, a *Agent)) {
	for _, name := range walked {
		t.Run(name, func(t *testing.T) {
			r, err := Load(filepath.Join(shared(t), name))
			if err != nil {
				t.Fatal(err)
			}
			a, err := Listen("127.0.0.1:0", Config{Recording: r, Communities: []string{"public"}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { a.Close() })
			test(t, r, a)
			if a.Faults() != 0 {
				t.Errorf("%d faults", a.Faults())
			}
		})
	}
}

// count is how many variables a walk under a prefix returns; version 1 has no Counter64.
func count(r *Recording, prefix string, version1 bool) int {
	n := 0
	for record := range r.Records() {
		if strings.HasPrefix(record.OID, prefix) && (!version1 || record.Tag != Counter64) {
			n++
		}
	}
	return n
}

// tool runs one of the programs of net-snmp and returns the lines that it prints.
func tool(t *testing.T, name string, args ...string) []string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		collectorstest.Missing(t, name, "install Debian's package snmp")
	}
	out, err := exec.CommandContext(t.Context(), path, append([]string{"-On", "-Ox", "-t", "5", "-r", "2"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %.500s", name, err, out)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, ".") { // a long string goes on in lines of its own
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestNetSNMPWalks(t *testing.T) {
	eachRecording(t, func(t *testing.T, r *Recording, a *Agent) {
		at := a.Addr().String()
		for _, walk := range []struct {
			program  string
			args     []string
			version1 bool
		}{
			{"snmpbulkwalk", []string{"-v2c", "-Cr25"}, false},
			{"snmpwalk", []string{"-v2c"}, false},
			{"snmpwalk", []string{"-v1"}, true},
		} {
			args := append(walk.args, "-c", "public", at, ".1")
			lines := tool(t, walk.program, args...)
			want := count(r, "1.", walk.version1)
			if last := lines[len(lines)-1]; strings.Contains(last, "No more variables left") {
				lines = lines[:len(lines)-1]
			}
			if len(lines) != want {
				t.Errorf("%s %v: %d variables, the recording holds %d", walk.program, walk.args, len(lines), want)
			}
		}
	})
}

func TestNetSNMPGet(t *testing.T) {
	r := &Recording{}
	r.SetString("1.3.6.1.2.1.1.1.0", "a device")
	r.SetTicks("1.3.6.1.2.1.1.3.0", 90*time.Second)
	r.SetCounter64("1.3.6.1.2.1.31.1.1.1.6.1", 1<<63)
	r.SetInt("1.3.6.1.2.1.2.2.1.8.1", -7)
	a, err := Listen("127.0.0.1:0", Config{Recording: r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	got := tool(t, "snmpget", "-v2c", "-c", "any", a.Addr().String(), ".1.3.6.1.2.1.1.1.0", ".1.3.6.1.2.1.1.3.0", ".1.3.6.1.2.1.31.1.1.1.6.1",
		".1.3.6.1.2.1.2.2.1.8.1", ".1.3.6.1.2.1.2.2.1.8.2", ".1.3.6.1.2.1.9.0")
	for i, want := range []string{
		"61 20 64 65 76 69 63 65", "Timeticks: (9000) 0:01:30.00", "Counter64: 9223372036854775808", "INTEGER: -7",
		"No Such Instance", "No Such Object",
	} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Errorf("answer %d of %q does not say %q", i+1, got, want)
		}
	}
}

func TestGoSNMPWalks(t *testing.T) {
	eachRecording(t, func(t *testing.T, r *Recording, a *Agent) {
		for _, version := range []gosnmp.SnmpVersion{gosnmp.Version1, gosnmp.Version2c} {
			client := dial(t, a, version)
			walk := client.BulkWalkAll
			if version == gosnmp.Version1 {
				walk = client.WalkAll
			}
			variables, err := walk(".1.3") // gosnmp cannot encode .1
			if err != nil {
				t.Fatalf("version %v: %v", version, err)
			}
			if want := count(r, "1.3.", version == gosnmp.Version1); len(variables) != want {
				t.Errorf("version %v: %d variables, the recording holds %d", version, len(variables), want)
			}
			for _, variable := range variables {
				compare(t, r, variable)
			}
		}
	})
}

func dial(t testing.TB, a *Agent, version gosnmp.SnmpVersion) *gosnmp.GoSNMP {
	t.Helper()
	client := &gosnmp.GoSNMP{
		Target: a.Addr().Addr().String(), Port: a.Addr().Port(), Version: version, Community: "public", Timeout: 5 * time.Second, Retries: 2,
		MaxRepetitions: 25, MaxOids: gosnmp.MaxOids,
	}
	if err := client.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Conn.Close() })
	return client
}

// compare looks whether a variable came as it was recorded.
func compare(t *testing.T, r *Recording, variable gosnmp.SnmpPDU) {
	t.Helper()
	want, found := r.Lookup(variable.Name)
	if !found {
		t.Errorf("%s came and was not recorded", variable.Name)
		return
	}
	same := Tag(variable.Type) == want.Tag
	switch got := variable.Value.(type) {
	case []byte:
		same = same && string(got) == string(want.Contents)
	case string:
		same = same && (strings.TrimPrefix(got, ".") == formatOID(want.Contents) || got == dotted(want.Contents))
	default:
		n, ok := integerOf(want.Contents)
		if want.Tag == Counter64 {
			u, _ := unsignedOf(want.Contents)
			n = int64(u)
		}
		same = same && (!ok || gosnmp.ToBigInt(got).Int64() == n)
	}
	if !same && want.Tag != Opaque { // whose contents gosnmp takes apart
		t.Errorf("%s came as type %v %v, recorded was %d % x", variable.Name, variable.Type, variable.Value, want.Tag, want.Contents)
	}
}

func dotted(contents []byte) string {
	if len(contents) != 4 {
		return "no address"
	}
	return fmt.Sprintf("%d.%d.%d.%d", contents[0], contents[1], contents[2], contents[3])
}
