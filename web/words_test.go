package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

var placeholder = regexp.MustCompile(`\{\d+(?::\d)?\}`)

// TestWordsInBothLanguages: every text is there twice, with the same arguments, and in plain words.
func TestWordsInBothLanguages(t *testing.T) {
	for code, text := range Words {
		if text.EN == "" || text.ES == "" {
			t.Errorf("%s lacks a language: %+v", code, text)
		}
		en, es := placeholder.FindAllString(text.EN, -1), placeholder.FindAllString(text.ES, -1)
		slices.Sort(en)
		slices.Sort(es)
		if !slices.Equal(slices.Compact(en), slices.Compact(es)) {
			t.Errorf("%s: arguments %v and %v", code, en, es)
		}
		if strings.Contains(text.EN+text.ES, "!") || strings.Contains(strings.ToLower(text.EN), "oops") {
			t.Errorf("%s: %q", code, text.EN)
		}
		for _, tu := range []string{" tú ", " tu ", " te ", "puedes", "quieres"} {
			if strings.Contains(" "+strings.ToLower(text.ES)+" ", tu) {
				t.Errorf("%s says tú: %q", code, text.ES)
			}
		}
		if one, ok := strings.CutSuffix(code, ".one"); ok && Words[one+".many"].EN == "" {
			t.Errorf("%s has no form for many", one)
		}
	}
}

// TestWordsForEveryValue: codes that are put together from a value exist for every value.
func TestWordsForEveryValue(t *testing.T) {
	need := func(code string) {
		if _, ok := Words["web."+code]; !ok {
			t.Errorf("%s is missing", code)
		}
	}
	for _, s := range alerting.Severities {
		need("severity." + s.String())
	}
	for _, k := range inventory.Kinds {
		need("kind." + string(k))
		need("n." + string(k) + ".one")
	}
	for _, specs := range listColumns {
		for _, c := range specs {
			need("col." + c.key)
		}
	}
	for page := range listKinds {
		need("nav." + page)
		need("list.empty." + page)
	}
	for _, p := range presets {
		need("range." + p.key)
	}
	for name, values := range choices {
		for _, v := range values {
			if v == "" {
				v = "default"
			}
			need("set." + name + "." + v)
		}
		need("set." + name)
		need("set." + name + ".help")
	}
	for _, k := range keyTable {
		need("key." + k.code)
	}
	for _, key := range scriptKeys {
		need("js." + key)
	}
	for _, c := range []alerting.Cause{
		alerting.CauseOpened, alerting.CauseEscalated, alerting.CauseRepeat, alerting.CauseSeverity, alerting.CauseAckExpired, alerting.CauseAcknowledged,
		alerting.CauseResolved, alerting.CauseMerged, alerting.CauseFlapping, alerting.CauseFallback, alerting.CauseTest, alerting.CauseDigest, alerting.CauseMissed,
		alerting.CauseUnmuted, alerting.CauseSnoozeOver,
	} {
		need("cause." + string(c))
	}
	for _, kind := range []alerting.MuteKind{alerting.Silence, alerting.Maintenance} {
		for _, code := range []string{"mute.kind.", "mute.mark.", "now.muted.", "done.mute_made.", "done.mute_ended.", "mute.save."} {
			need(code + string(kind))
		}
	}
	for _, n := range []int{1, 2, 3, 4, 5, -1} {
		for _, code := range []string{"mute.nth.", "mute.week.", "mute.choice."} {
			need(code + nth(n))
		}
	}
	for _, a := range []act{actComment, actAssign, actSnooze} {
		need(string(a) + ".title")
	}
	need(decideBody{Act: actAssign}.Lasts())
	need(decideBody{Act: actSnooze}.Lasts())
	for _, day := range []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"} {
		need("weekday." + day)
	}
}

// TestCodeSaysOnlyKnownKeys reads the package's own source: each t("…") and count("…") with a whole key must have its text.
func TestCodeSaysOnlyKnownKeys(t *testing.T) {
	files := token.NewFileSet()
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".go") || strings.HasSuffix(n.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, n.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name, ok := call.Fun.(*ast.SelectorExpr)
			literal, isLiteral := call.Args[0].(*ast.BasicLit)
			if !ok || !isLiteral || literal.Kind != token.STRING {
				return true
			}
			key, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if want, ok := map[string]string{"t": "", "count": ".many"}[name.Sel.Name]; ok {
				found++
				if _, known := Words["web."+key+want]; !known {
					t.Errorf("%s says %q, which is no text", n.Name(), key+want)
				}
			}
			return true
		})
	}
	if found < 150 {
		t.Errorf("only %d keys found: is the reading broken?", found)
	}
}

// marks may stand in a template as they are: names of products, units, keys.
var marks = []string{"Vigía", "CSV", "Ctrl", "Enter", "Esc", "vigia check -c", "vigia demo", "kill -HUP $(pidof vigia)", "0 s"}

// insideTag tells text from markup: what stands between a < and its >.
var insideTag = regexp.MustCompile(`(?s)<[^>]*>`)

// TestTemplatesHoldNoText: every visible word comes from the catalogue, and every key that a template says is in it. A literal attribute that
// people read (aria-label, title, placeholder) fails too.
func TestTemplatesHoldNoText(t *testing.T) {
	sets, err := parsePages(testWords())
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, page := range sets[collectors.English] {
		for _, one := range page.Templates() {
			if one.Tree == nil {
				continue
			}
			seen++
			checkTree(t, name+"/"+one.Name(), one.Tree.Root)
		}
	}
	if seen < 50 {
		t.Errorf("only %d templates", seen)
	}
}

func checkTree(t *testing.T, name string, root *parse.ListNode) {
	t.Helper()
	var all strings.Builder
	var visit func(parse.Node)
	visit = func(node parse.Node) {
		switch n := node.(type) {
		case *parse.ListNode:
			if n == nil {
				return
			}
			for _, c := range n.Nodes {
				visit(c)
			}
		case *parse.TextNode:
			all.Write(n.Text)
		case *parse.ActionNode:
			all.WriteString("\x00")
			checkKeys(t, name, n.Pipe)
		case *parse.IfNode:
			visitBranch(n.List, n.ElseList, visit)
		case *parse.RangeNode:
			visitBranch(n.List, n.ElseList, visit)
		case *parse.WithNode:
			visitBranch(n.List, n.ElseList, visit)
		}
	}
	visit(root)
	source := all.String()
	for _, read := range regexp.MustCompile(`(aria-label|title|placeholder|alt)="([^"]*)"`).FindAllStringSubmatch(source, -1) {
		if letters(read[2]) && !slices.Contains(marks, read[2]) {
			t.Errorf("%s: %s is written out: %q", name, read[1], read[2])
		}
	}
	source = regexp.MustCompile(`(?s)<kbd[^>]*>.*?</kbd>`).ReplaceAllString(source, "")
	for piece := range strings.SplitSeq(insideTag.ReplaceAllString(source, "\x00"), "\x00") {
		word := strings.TrimSpace(piece)
		if letters(word) && !slices.Contains(marks, strings.Trim(word, " .,·&;amp()")) && !slices.Contains(marks, word) && !strings.Contains(word, "kill -HUP") {
			t.Errorf("%s: text that is not in the catalogue: %q", name, word)
		}
	}
}

func visitBranch(list, otherwise *parse.ListNode, visit func(parse.Node)) {
	visit(list)
	if otherwise != nil {
		visit(otherwise)
	}
}

func letters(s string) bool { return strings.IndexFunc(s, unicode.IsLetter) >= 0 }

// checkKeys looks up every whole key that a pipeline says.
func checkKeys(t *testing.T, name string, pipe *parse.PipeNode) {
	t.Helper()
	if pipe == nil {
		return
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			if inner, ok := arg.(*parse.PipeNode); ok {
				checkKeys(t, name, inner)
			}
		}
		if len(command.Args) < 2 {
			continue
		}
		say, ok := command.Args[0].(*parse.IdentifierNode)
		key, isText := command.Args[1].(*parse.StringNode)
		if !ok || !isText {
			continue
		}
		want, says := map[string]string{"t": "", "count": ".many"}[say.Ident]
		if _, known := Words["web."+key.Text+want]; says && !known {
			t.Errorf("%s says %q, which is no text", name, key.Text+want)
		}
	}
}
