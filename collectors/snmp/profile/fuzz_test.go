package profile

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"
)

// arbitrary is a device that says anything, the same for the same seed and OID.
type arbitrary struct{ seed uint64 }

func (a arbitrary) pick(oid string) uint64 {
	h := a.seed ^ 14695981039346656037
	for i := range len(oid) {
		h = (h ^ uint64(oid[i])) * 1099511628211
	}
	return h ^ h>>29
}

func (a arbitrary) Number(oid string) (float64, bool) {
	values := []float64{0, 1, 2, -1, 50, 100, 100.3, 1e9, -2147483648, 4294967295, 1e308, -1e308, 5e-324, math.Inf(1), math.Inf(-1), math.NaN()}
	n := a.pick(oid)
	return values[n%uint64(len(values))], n%5 != 0
}

func (a arbitrary) Text(oid string) (string, bool) {
	texts := []string{"", "x", "x", "1", "9", "17", "\xff\x00\x1b[31m", "4096", ".1.3.6.1.2.1.25.2.1.4", "12.5%", "x #2"}
	n := a.pick(oid) >> 8
	return texts[n%uint64(len(texts))], n%7 != 0
}

func (a arbitrary) Growth(oid string) (float64, bool) { return a.Number(oid + "+") }
func (a arbitrary) Elapsed() float64                  { v, _ := a.Number("elapsed"); return v }
func (a arbitrary) Scalar(oid string) (string, bool)  { return a.Text(oid) }

func (a arbitrary) Column(oid string) map[string]string {
	out := map[string]string{"": "no index", "1.x": "none either", "4294967296": "nor this"}
	for i := range a.pick(oid) % 8 {
		index := strconv.FormatUint(i, 10)
		if text, ok := a.Text(oid + "." + index); ok {
			out[index] = text
		}
	}
	return out
}

// FuzzLoad: no YAML makes it panic, and what it accepts can be evaluated with whatever a device says.
func FuzzLoad(f *testing.F) {
	for _, folder := range []string{"testdata/good", "testdata/bad", "profiles"} {
		files, err := filepath.Glob(folder + "/*.yaml")
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, uint64(len(data)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		set, err := load(nil, fstest.MapFS{"x.yaml": {Data: data}})
		if err != nil {
			return
		}
		for _, m := range set.Named("x").Metrics {
			exercise(t, m, arbitrary{seed})
		}
		set.For(string(data), string(data))
		set.For("1.3.6.1.4.1.9."+strconv.FormatUint(seed%100, 10), "Linux")
	})
}

// FuzzClean: what is shown of a device's text is one line of at most 80 characters, and cleaning it again changes nothing.
func FuzzClean(f *testing.F) {
	f.Add("a\x00\x1b  b")
	f.Add("\xe1\xe9")
	f.Add("\u202eevil")
	f.Fuzz(func(t *testing.T, text string) {
		once := Clean(text)
		if n := len([]rune(once)); n > maxName {
			t.Errorf("%d characters", n)
		}
		if again := Clean(once); again != once {
			t.Errorf("%q, then %q", once, again)
		}
	})
}

// FuzzParseNumber: a number that is read is finite.
func FuzzParseNumber(f *testing.F) {
	for _, text := range []string{"41 C", "-3.2dBm", "1e999", "nan", "0x1A", "+", "1e", "1e5", "."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, ok := ParseNumber(text); ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
			t.Errorf("%q is %v", text, v)
		}
	})
}
