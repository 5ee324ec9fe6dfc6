package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"vigia/mos"
)

// rate runs vigia mos in this process.
func rate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var c cli
	var out bytes.Buffer
	parser, err := kong.New(&c, kong.Name("vigia"), kong.Writers(&out, &out), kong.Exit(func(int) { t.Error("it ends the process") }))
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(append([]string{"mos"}, args...))
	if err != nil {
		return "", err
	}
	err = k.Run()
	return out.String(), err
}

// rated runs vigia mos --json.
func rated(t *testing.T, args ...string) map[string]any {
	t.Helper()
	text, err := rate(t, append(args, "--json")...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil || strings.Count(text, "\n") != 1 {
		t.Fatalf("%v: %v in %q", args, err, text)
	}
	return got
}

// TestMosFigures: published figures come out of the command line, by flags and by symbols.
func TestMosFigures(t *testing.T) {
	for _, c := range []struct {
		args   string
		key    string
		want   float64
		within float64
	}{
		{"", "R", 93.206208, 1e-6},
		{"--model nb", "MOS", 4.409406, 1e-6},
		{"--ie 11 --bpl 19 --loss 2", "R", 74.206208, 1e-6},
		{"--codec G.729B --loss 2 --delay 150", "R", 70.5, 0.1},
		{"--set Tx=250,Bpl=25.1", "R", 79.177101, 1e-6},
		{"--set Tx=150 --set Ie=11 --set Bpl=19,Ppl=2", "MOS", 3.62, 0.01},
		{"--set Ppl=5,BurstR=2,Bpl=25.1", "IeEff", 17.210145, 1e-6},
		{"--codec PCMA --loss 5 --burst 2", "IeEff", 17.210145, 1e-6},
		{"--set A=10", "R", 103.206208, 1e-6},
		{"--set A=10", "MOS", 4.5, 0},
		{"--set Ta=150", "Idd", 0.1635, 1e-4},
		{"--set Ta=150", "Idte", 0, 0}, // on the narrowband scale each delay is its own
		{"--set TELR=60,WEPL=100,Ie=23,Tx=29", "R", 69.06, 0.3},
		{"--set echo=0", "Idle", 0, 0},
		{"--model wb", "R", 128.846315, 1e-6},
		{"--model wb --set Ta=50", "R", 128.255018, 1e-6},
		{"--model wb --delay 50", "R", 128.255018, 1e-6},
		{"--model wb --set Ta=50,T=0", "Idte", 0, 0},
		{"--model wb --set echo=0,Ie=20,Bpl=4.3,Ppl=2", "MOS", 3.4062, 5e-4},
		{"--codec AMR-WB@12.65 --set echo=0", "R", 116, 1e-9},
		{"--model fb --delay 200", "R", 143.49, 0.005},
		{"--model fb --ie 10.2 --bpl 4.3 --loss 3 --delay 140", "MOS", 3.05, 0.051},
		{"--r 80", "MOS", 4.024, 1e-9},
		{"--r=-5", "MOS", 1, 0},
		{"--r 90", "GoB", 97, 0.6},
		{"--r 60", "PoW", 17, 0.6},
		{"--mos 4.024", "R", 80, 1e-9},
		{"--model wb --r 116.1", "MOS", 4.339, 1e-6},
		{"--model fb --mos 4.5", "R", 148, 1e-9},
	} {
		got := rated(t, strings.Fields(c.args)...)[c.key]
		if v, ok := got.(float64); !ok || math.Abs(v-c.want) > c.within {
			t.Errorf("mos %s: %s is %v, want %g", c.args, c.key, got, c.want)
		}
	}
}

// TestMosJSON: the shares sum to what was lost, the parts to R, and what was not given is assumed.
func TestMosJSON(t *testing.T) {
	got := rated(t, "--codec", "G.711", "--loss", "1", "--jitter", "20", "--rtt", "120")
	sum := 0.0
	for _, cause := range []string{"delay", "loss", "late", "codec"} {
		sum += got["attribution"].(map[string]any)[cause].(float64)
	}
	if lost := 4.409405954387269 - got["MOS"].(float64); math.Abs(sum-lost) > 1e-9 {
		t.Errorf("the shares sum to %.12f, lost are %.12f", sum, lost)
	}
	r := got["Ro"].(float64)
	for _, part := range []string{"Is", "Idte", "Idle", "Idd", "IeEff"} {
		r -= got[part].(float64)
	}
	if math.Abs(r-got["R"].(float64)) > 1e-9 {
		t.Errorf("the parts make R %.12f, not %v", r, got["R"])
	}
	if text := strings.Join(wordsIn(got["assumed"]), " "); text != "plc late burst packet buffer" {
		t.Errorf("assumed: %s", text)
	}
	late := got["late"].(map[string]any)
	if got["scale"] != "nb" || got["category"] == "" || got["listening"] != false || late["low_R"].(float64) >= late["high_R"].(float64) {
		t.Errorf("%v", got)
	}
	got = rated(t, "--loss", "25", "--delay", "600", "--burst", "9")
	if text := strings.Join(wordsIn(got["outside"]), " "); text != "T Tr Ta Ppl BurstR" {
		t.Errorf("outside: %s", text)
	}
	if len(wordsIn(got["cautions"])) != 2 {
		t.Errorf("cautions: %v", got["cautions"])
	}
}

func wordsIn(list any) []string {
	var out []string
	for _, w := range list.([]any) {
		out = append(out, w.(string))
	}
	return out
}

// TestMosMistakes: each wrong flag is refused with what to do.
func TestMosMistakes(t *testing.T) {
	for args, want := range map[string]string{
		"--model swb":                     `write nb, wb or fb`,
		"--codec G.729X":                  `did you mean "G.729"`,
		"--codec AMR-WB":                  `AMR-WB@12.65`,
		"--codec G.722.1":                 `G.722.1@24`,
		"--codec AMR-WB@12.65 --model nb": `wider scale than nb`,
		"--codec iLBC@15.2":               `give --ie and --bpl`,
		"--codec a\x1b[2Jb":               `unknown codec`,
		"--codec G.711 --ie 5":            `can't be used together`,
		"--codec G.711 --bpl 5":           `can't be used together`,
		"--loss 101":                      `--loss: 101 is not between 0 and 100`,
		"--loss NaN":                      `--loss: NaN is not between`,
		"--late=-1":                       `--late: -1 is not between`,
		"--burst 0":                       `--burst: 0 is not between`,
		"--delay +Inf":                    `--delay: +Inf is not between`,
		"--delay 10 --rtt 10":             `can't be used together`,
		"--packet 30":                     `only counts with --rtt`,
		"--buffer 0":                      `--buffer: "0" is neither adaptive nor`,
		"--buffer big":                    `from 1 to 10000 ms`,
		"--set TELR":                      `is no KEY=VALUE`,
		"--set TLER=50":                   `did you mean "TELR"`,
		"--set TELR=loud":                 `permitted are 5 to 65 dB`,
		"--set Tx=NaN":                    `permitted are 0 to 500 ms`,
		"--set Nfor=x":                    `permitted are only -64 dBmp`,
		"--set Nfor=x --model wb":         `permitted are only -96 dBmp`,
		"--set TELR=1,TELR=2":             `stands there twice`,
		"--mos 4.6":                       `not between 1 and 4.5`,
		"--mos 0.9":                       `not between 1 and 4.5`,
		"--r NaN":                         `--r: give a number`,
		"--r 50 --mos 3":                  `can't be used together`,
		"--r 50 --loss 2":                 `--r stands alone: leave --loss out`,
		"--mos 4 --codec G.711":           `stands alone`,
		"--codecs --set TELR=4":           `stands alone`,
	} {
		text, err := rate(t, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mos %s: %v, %q; want %s", args, err, text, want)
			continue
		}
		mustBeHarmless(t, err.Error())
	}
}

// TestMosText compares what people see.
func TestMosText(t *testing.T) {
	for name, args := range map[string]string{
		"plain":    "--codec G.729A --loss 2 --delay 150",
		"rtcp":     "--codec PCMU --loss 1 --rtt 80 --jitter 12",
		"wide":     "--codec AMR-WB@12.65 --loss 1 --late 0.5 --burst 1.5 --rtt 60 --buffer adaptive --packet 20",
		"full":     "--codec EVS@24.4 --delay 180 --loss 0.5",
		"odd":      "--set Ppl=25,TELR=80,A=10,echo=0 --burst 9",
		"mapping":  "--mos 3.6",
		"nothing":  "",
		"own":      "--ie 7 --loss 0.001 --jitter 3 --buffer 40",
		"unheard":  "--loss 60 --delay 1500",
		"negative": "--model wb --r=-12.5",
	} {
		text, err := rate(t, strings.Fields(args)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mustBeHarmless(t, text)
		compare(t, filepath.Join("testdata/mos", name+".txt"), text)
	}
}

// TestMosCodecs lists every codec, and shows no figure where nobody has published one.
func TestMosCodecs(t *testing.T) {
	text, err := rate(t, "--codecs")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := rate(t, "--codecs", "--json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(lines))
	for _, c := range mos.Codecs() {
		if !strings.Contains(text, c.Label()+" ") {
			t.Errorf("%s is not listed", c.Label())
		}
		var got map[string]any
		if err := decoder.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got["codec"] != c.Label() || (got["Ie"] == nil) != (c.Ie.Grade == mos.Unknown) || (got["Bpl"] == nil) != (c.Bpl.Grade == mos.Unknown) {
			t.Errorf("%s: %v", c.Label(), got)
		}
	}
}

// TestMosHelp names every symbol with its range.
func TestMosHelp(t *testing.T) {
	help := (&MosCmd{}).Help()
	for _, name := range mos.SymbolNames() {
		if !strings.Contains(help, name+" ") {
			t.Errorf("%s is not in the help", name)
		}
	}
}

// TestMosPage runs every example of docs/mos.md and finds its output there.
func TestMosPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/mos.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for block := range strings.SplitSeq(string(page), "```") {
		command, output, ok := strings.Cut(strings.TrimPrefix(block, "\n"), "\n")
		args, isExample := strings.CutPrefix(command, "$ vigia mos")
		if !ok || !isExample {
			continue
		}
		examples++
		got, err := rate(t, strings.Fields(strings.ReplaceAll(args, "'", ""))...)
		if err != nil || strings.TrimSpace(got) != strings.TrimSpace(output) {
			t.Errorf("%s: %v; it prints\n%s\nand the page says\n%s", command, err, got, output)
		}
	}
	if examples < 3 {
		t.Errorf("only %d examples", examples)
	}
}
