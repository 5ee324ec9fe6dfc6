package snmpagent

import (
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collectors/collectorstest"
)

func TestParse(t *testing.T) {
	r, err := Parse(strings.NewReader(strings.Join([]string{
		"#a device", "", "   ",
		"1.3.6.1.9.2|2|-5",
		"1.3.6.1.9.10|4|ends with a space \r",
		"1.3.6.1.9.3|4x|00ff0A",
		`1.3.6.1.9.4|4e|a\x41\n\\\101\q`,
		"1.3.6.1.9.5|5|whatever",
		"1.3.6.1.9.6|6|.1.3.6.1.4.1",
		"1.3.6.1.9.7|6|",
		"1.3.6.1.9.8|64|10.0.0.1",
		"1.3.6.1.9.9|64x|0a000002",
		"1.3.6.1.9.11|65|4294967295   ",
		"1.3.6.1.9.12|66|7",
		"1.3.6.1.9.13|67|100",
		"1.3.6.1.9.14|68x|9f78043f800000",
		"1.3.6.1.9.15|70|18446744073709551615",
		"1.3.6.1.9.2|2|6",
		"1.3.6.1.9.16|4:writecache|value=a|b",
		"1.3.6.1.9.17|4|a|b",
		"1.3.6.1.9.18|4|",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for record := range r.Records() {
		fmt.Fprintf(&got, "%s %d %q\n", strings.TrimPrefix(record.OID, "1.3.6.1.9."), record.Tag, record.Contents)
	}
	want := `2 2 "\x06"
3 4 "\x00\xff\n"
4 4 "aA\n\\A\\q"
5 5 ""
6 6 "+\x06\x01\x04\x01"
7 6 "\x00"
8 64 "\n\x00\x00\x01"
9 64 "\n\x00\x00\x02"
10 4 "ends with a space "
11 65 "\x00\xff\xff\xff\xff"
12 66 "\a"
13 67 "d"
14 68 "\x9fx\x04?\x80\x00\x00"
15 70 "\x00\xff\xff\xff\xff\xff\xff\xff\xff"
16 4 "a|b"
17 4 "a|b"
18 4 ""
`
	if got.String() != want {
		t.Errorf("records\n%s\nwant\n%s", got.String(), want)
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"1.3.6.1":                                  "line 2: not of the form OID|type|value",
		"1.3.6.1|4":                                "line 2: not of the form",
		"x|4|a":                                    "line 2: ",
		"1.3.6.1|9|1":                              "type 9 is none of a value",
		"1.3.6.1||1":                               "is no number of a BER tag",
		"1.3.6.1|4x|0":                             "hexadecimal",
		`1.3.6.1|4e|\x4`:                           "two hexadecimal digits",
		"1.3.6.1|2x|00":                            "decimal",
		"1.3.6.1|2|2147483648":                     "is no number from",
		"1.3.6.1|65|4294967296":                    "32 bits",
		"1.3.6.1|65|-1":                            "32 bits",
		"1.3.6.1|6|hello":                          "arc 1",
		"1.3.6.1|64|10.0.0":                        "no IPv4 address",
		"1.3.6.1|4:":                               "not of the form",
		"1.3.6.1|4:|x":                             "names no module",
		"1.3.6.1|4:sql|x=1":                        "module \"sql\" is not served here",
		"1.3.6.1|4:numeric|rate=1":                 "numeric computes numbers",
		"1.3.6.1|2:numeric|rate=a":                 "is no number",
		"1.3.6.1|2:numeric|cumulative=1":           "option \"cumulative\" is not served here",
		"1.3.6.1|2:numeric|function=tan":           "function \"tan\" is not served here",
		"1.3.6.1|2:numeric|min=5,max=4":            "are no range",
		"1.3.6.1|2:numeric|rate":                   "name=value",
		"1.3.6.1|4:writecache|status=x":            "one option",
		"1.3.6.1|4|" + strings.Repeat("a", 65536):  "more than a datagram holds",
		"1.3.6.1|4|" + strings.Repeat("a", 1<<20):  "token too long",
		"1.3.6.1|65:writecache|hexvalue=01":        "decimal",
		"1.3.6.1|2:writecache|value=x":             "is no number from",
		"1.3.6.1|4:writecache|value=1,hexvalue=01": "one option",
	} {
		_, err := Parse(strings.NewReader("1.3.6.1.1|2|1\n" + line + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%.60q: %v, want %q", line, err, want)
		}
	}
}

func TestSetters(t *testing.T) {
	r := &Recording{}
	r.SetInt("1.3.1", -1)
	r.SetString("1.3.2", "name")
	r.SetOID("1.3.3", "1.3.6")
	r.SetCounter32("1.3.4", 1)
	r.SetCounter64("1.3.5", 1<<63)
	r.SetGauge("1.3.6", 1<<31)
	r.SetTicks("1.3.7", time.Second)
	r.SetIP("1.3.8", netip.MustParseAddr("192.0.2.1"))
	r.SetInt("1.3.1", 2)
	r.Delete("1.3.2")
	other := r.Clone()
	other.SetInt("1.3.9", 9)
	r.SetInt("1.3.10", 10)
	if err := r.Err(); err != nil || r.Len() != 8 || other.Len() != 8 {
		t.Errorf("%v, %d and %d variables", err, r.Len(), other.Len())
	}
	if _, found := r.Lookup("1.3.9"); found {
		t.Error("a clone changes what it was made of")
	}
	if got, _ := other.Lookup(".1.3.9"); string(got.Contents) != "\x09" {
		t.Errorf("the clone holds %+v", got)
	}
	if got, found := r.Lookup("1.3.1"); !found || string(got.Contents) != "\x02" {
		t.Errorf("the later value of two is not kept: %+v", got)
	}
	for name, set := range map[string]func(*Recording){
		"OID":      func(r *Recording) { r.SetInt("nothing", 1) },
		"value":    func(r *Recording) { r.SetOID("1.3", "nothing") },
		"IPv6":     func(r *Recording) { r.SetIP("1.3", netip.MustParseAddr("::1")) },
		"function": func(r *Recording) { r.SetFunc("1.3", OctetString, nil) },
		"length":   func(r *Recording) { r.SetString("1.3", strings.Repeat("a", 70_000)) },
	} {
		r := &Recording{}
		set(r)
		if _, err := Listen("127.0.0.1:0", Config{Recording: r}); err == nil || r.Err() == nil {
			t.Errorf("a mistake in the %s is taken", name)
		}
	}
}

func TestGrowth(t *testing.T) {
	const day = 24 * time.Hour
	r := &Recording{}
	r.SetTicks("1.3.6.1.2.1.1.3.0", 2*day)
	r.SetTicks("1.3.6.1.2.1.1.9.1.4.1", time.Minute)
	r.SetCounter32("1.3.1", 0)
	r.SetCounter32("1.3.2", math.MaxUint32)
	r.SetCounter64("1.3.3", 1728000000) // 10,000 a second over two days
	r.SetCounter64("1.3.4", math.MaxUint64)
	r.SetCounter32("1.3.5", 1)
	r.SetFunc("1.3.6", Counter32, func(elapsed time.Duration) uint64 { return math.MaxUint32 + uint64(elapsed/time.Second) })
	r.SetIntFunc("1.3.7", func(elapsed time.Duration) int32 { return -int32(elapsed / time.Second) })
	now := time.Unix(1e9, 0)
	a, err := Listen("127.0.0.1:0", Config{Recording: r, Grow: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	value := func(oid string) uint64 {
		v, ok := a.Value(oid)
		if !ok {
			t.Errorf("%s has no value", oid)
		}
		return v
	}
	want := func(oid string, least, most uint64) {
		t.Helper()
		if v := value(oid); v < least || v > most {
			t.Errorf("%s is %d after %v, want %d to %d", oid, v, now.Sub(time.Unix(1e9, 0)), least, most)
		}
	}
	want("1.3.2", math.MaxUint32, math.MaxUint32)
	now = now.Add(100 * time.Second)
	want("1.3.6.1.2.1.1.3.0", 17280000+10000, 17280000+10000)
	want("1.3.6.1.2.1.1.9.1.4.1", 6000, 6000)
	want("1.3.1", 0, 0)
	want("1.3.2", 24855*100*3/4-1, 24855*100*5/4) // wrapped at 2^32
	want("1.3.3", 1728000000+750_000, 1728000000+1_250_000)
	want("1.3.4", 1, 100*fastest*5/4) // wrapped at 2^64
	want("1.3.6", 99, 99)
	want("1.3.7", ^uint64(99), ^uint64(99))
	steady := value("1.3.3")
	now = now.Add(100 * time.Second)
	if first, second := steady-1728000000, value("1.3.3")-steady; first != second {
		t.Errorf("grew by %d and then by %d", first, second)
	}
	now = now.Add(1000 * time.Second)
	want("1.3.5", 2, 2)

	a.Restart(FromRecorded)
	want("1.3.6.1.2.1.1.3.0", 0, 0)
	want("1.3.3", 1728000000, 1728000000)
	a.Restart(FromZero)
	now = now.Add(10 * time.Second)
	want("1.3.6.1.2.1.1.3.0", 1000, 1000)
	want("1.3.3", 75_000, 125_000)
	now = now.Add(-time.Hour) // a clock that is set back
	want("1.3.3", 0, 0)
}

func TestNumericModule(t *testing.T) {
	r, err := Parse(strings.NewReader(strings.Join([]string{
		"1.3.1|67:numeric|rate=100",
		"1.3.2|70:numeric|rate=2.5,initial=1000,increasing=1",
		"1.3.3|65:numeric|rate=10,min=5,max=14,wrap=1",
		"1.3.4|66:numeric|rate=10,max=50",
		"1.3.5|2:numeric|function=cos,rate=0.001,scale=95,deviation=2,min=0",
		"1.3.6|2:numeric|rate=-1,min=-10,initial=0",
		"1.3.7|70:numeric|initial=18446744073709551615",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	v := view{table: r.table(), elapsed: 13 * time.Second}
	for i, want := range []uint64{1300, 1032, 5, 50, 0, ^uint64(9), math.MaxUint64} {
		got := v.number(&v.live[v.rows[i].live])
		if i == 4 {
			if got < 92 || got > 97 {
				t.Errorf("cos: %d, want about 95", got)
			}
			continue
		}
		if got != want {
			t.Errorf("row %d: %d, want %d", i+1, got, want)
		}
	}
}

// shared is the folder of recordings that are not the project's own; see VIGIA_SHARED.
func shared(t testing.TB) string {
	t.Helper()
	root := os.Getenv("VIGIA_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared")
	}
	folder := filepath.Join(root, "snmp-recordings")
	if _, err := os.Stat(folder); err != nil {
		collectorstest.Outside(t, "the folder of recordings "+folder, "set VIGIA_SHARED to the folder that holds snmp-recordings")
	}
	return folder
}

// TestRecordings parses all recordings and compares each with a count of its own of their lines.
func TestRecordings(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(shared(t), "*.snmprec.bz2"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			r, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			distinct := map[string]bool{}
			for _, raw := range r.rows {
				distinct[string(r.table().oidOf(raw))] = true
			}
			last := []byte(nil)
			for i := range r.table().rows {
				oid := r.table().oid(i)
				if compareOID(last, oid) >= 0 {
					t.Fatalf("%s is not after %s", formatOID(oid), formatOID(last))
				}
				last = oid
			}
			if r.Len() != len(distinct) || r.Len() < 100 {
				t.Errorf("%d variables, its lines have %d OIDs", r.Len(), len(distinct))
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is loaded")
	}
	path := filepath.Join(t.TempDir(), "broken.snmprec.bz2")
	if err := os.WriteFile(path, []byte("not bzip2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken file: %v", err)
	}
}
