package mos

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestFactsVectors reads the project's table of vectors where it lies beside the repository. Rows that say EXPECT-DISAGREE are negative controls: other
// people's mistakes, which must not be reproduced.
func TestFactsVectors(t *testing.T) {
	rows := factsRows(t)
	if len(rows) < 60 {
		t.Fatalf("only %d vectors", len(rows))
	}
	for _, row := range rows {
		wrong := factsProblem(t, row)
		if disagrees := strings.Contains(row["source"], "EXPECT-DISAGREE"); disagrees != (wrong != "") {
			t.Errorf("%s (%s %s): %q; disagreement expected: %v", row["id"], row["model"], row["inputs"], wrong, disagrees)
		}
	}
}

func factsRows(t *testing.T) []map[string]string {
	t.Helper()
	for _, folder := range []string{os.Getenv("VIGIA_TEST_FACTS"), "../../shared/facts"} {
		f, err := os.Open(filepath.Join(folder, "emodel-vectors.csv"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		table, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var rows []map[string]string
		for _, line := range table[1:] {
			row := map[string]string{}
			for i, column := range table[0] {
				row[column] = line[i]
			}
			rows = append(rows, row)
		}
		return rows
	}
	t.Skip("outside the repository: the vectors are not here; VIGIA_TEST_FACTS names their folder")
	return nil
}

// facts are the inputs of a row.
type facts map[string]string

func (f facts) number(t *testing.T, key string, otherwise float64) float64 {
	text, ok := f[key]
	if !ok {
		return otherwise
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s=%s: %v", key, text, err)
	}
	return v
}

// factsProblem is how this package differs from a row, or nothing.
func factsProblem(t *testing.T, row map[string]string) string {
	scale, ok := ParseScale(row["model"])
	if !ok {
		t.Fatalf("model %q", row["model"])
	}
	in := facts{}
	for pair := range strings.SplitSeq(row["inputs"], ";") {
		key, value, _ := strings.Cut(pair, "=")
		in[key] = value
	}
	gotR, gotMOS := factsCompute(t, scale, in)
	tolerance := strings.SplitN(row["tolerance"]+"/"+row["tolerance"], "/", 3)
	for i, got := range []float64{gotR, gotMOS} {
		text := []string{row["R"], row["MOS"]}[i]
		if text == "" || math.IsNaN(got) {
			continue
		}
		want, within := facts{"v": text}.number(t, "v", 0), facts{"v": tolerance[i]}.number(t, "v", 0)
		if math.Abs(got-want) > within+1e-12 {
			return strconv.FormatFloat(got, 'f', 6, 64) + " is not " + text
		}
	}
	return ""
}

// factsCompute is R and MOS of a row; NaN where it has none.
func factsCompute(t *testing.T, scale Scale, in facts) (r, score float64) {
	p := factsParams(t, scale, in)
	result := Compute(scale, p)
	rated := in.number(t, "R", 0)
	switch in["calc"] {
	case "full":
		r = result.R + in.number(t, "Rshift", 0)
		return r, MOS(scale, r)
	case "map":
		return rated, MOS(scale, rated)
	case "gob":
		return math.NaN(), GoB(scale, rated)
	case "pow":
		return math.NaN(), PoW(scale, rated)
	case "ieeff":
		return result.IeEff, math.NaN()
	case "simple":
		id := 0.0
		switch text := in["id"]; text {
		case "idd":
			id = result.Idd
		case "none":
		case "cr":
			id = 0.024*p[Ta] + 0.11*max(0, p[Ta]-177.3)
		default:
			id = in.number(t, "id", 0)
		}
		return in.number(t, "Rbase", 0) - id - result.IeEff, math.NaN()
	case "comp":
		return component(t, &result, in["want"]), math.NaN()
	}
	t.Fatalf("calc=%s", in["calc"])
	return 0, 0
}

func component(t *testing.T, r *Result, name string) float64 {
	all := map[string]float64{
		"Ro": r.Ro, "Is": r.Is, "Iolr": r.Iolr, "Ist": r.Ist, "Iq": r.Iq, "No": r.No, "Idte": r.Idte, "Idle": r.Idle, "Idd": r.Idd, "Id": r.Id(), "IeEff": r.IeEff,
	}
	v, ok := all[name]
	if !ok {
		t.Fatalf("no component %s", name)
	}
	return v
}

func factsParams(t *testing.T, scale Scale, in facts) Params {
	p := Defaults(scale)
	if scale != NB { // these rows name one delay, which stands for all
		p.SetDelay(in.number(t, "Ta", 0))
	}
	if _, ok := in["Tx"]; ok {
		p.SetDelay(in.number(t, "Tx", 0))
	}
	for key := range in {
		if i, ok := ParseSymbol(key); ok {
			p[i] = in.number(t, key, 0)
		}
	}
	return p
}
