package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// pagesOf are all pages of the operator's Vigía, with an open incident.
var pagesOf = []string{
	"/", "/alarms", "/links", "/servers", "/trunks", "/services", "/sites", "/links/sjo-gua", "/links/sjo-mia?range=24h", "/servers/sbc-1", "/trunks/carrier-a",
	"/services/sbc", "/sites/san-jose", "/incidents/1", "/incidents/1/acknowledge", "/incidents/1/comment", "/calls", "/calls?cause=loss", "/health", "/settings", "/keys", "/wallboard",
	"/oncall", "/find?q=sbc", "/links?q=nothing-is-called-so", "/no-such-page",
}

// looked is what is wrong with a page as it is shown.
type looked struct {
	Lang     string   `json:"lang"`
	Theme    string   `json:"theme"`
	Title    string   `json:"title"`
	Sideways int      `json:"sideways"` // how many pixels the page is too wide
	Who      string   `json:"who"`      // what sticks out
	Axe      []string `json:"axe"`
}

const lookScript = `(async () => {
	const root = document.documentElement;
	const sideways = root.scrollWidth - root.clientWidth;
	const out = sideways > 0 && [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest("svg, .u-wrap")).at(-1);
	const found = window.axe ? await axe.run(document, {resultTypes: ["violations"]}) : {violations: []};
	return {
		lang: root.lang, theme: root.dataset.theme ?? "", title: document.title, sideways, who: out ? out.outerHTML.slice(0, 200) : "",
		axe: found.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " (" + (n.any[0] ?? n.all[0] ?? n.none[0])?.message + ")").join(" | ")),
	};
})()`

// axe reads axe-core, which finds what a screen reader or a weak eye would stumble over.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("VIGIA_AXE")
	needs(t, path != "", "axe-core", "npm install axe-core, and set VIGIA_AXE to node_modules/axe-core/axe.min.js")
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// TestBrowserPages looks at every page in both languages, light and dark, on a laptop and on a telephone: nothing on the console, nothing that
// axe finds, nothing that sticks out sideways.
func TestBrowserPages(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at two hundred pages: run without -short")
	}
	browser(t)
	script := axe(t)
	o := newOperator(t)
	o.guatemala.close()
	o.wantLive("open", 1)
	for _, size := range [][2]int64{{1366, 768}, {390, 844}} {
		b := openTab(t, o.base, size[0], size[1])
		for _, theme := range []string{"light", "dark"} {
			for _, lang := range []string{"en", "es"} {
				b.open("/settings")
				b.cookies("lang="+lang, "theme="+theme)
				b.complaints()
				for _, path := range pagesOf {
					t.Run(fmt.Sprintf("%d/%s/%s%s", size[0], theme, lang, path), func(t *testing.T) { look(t, b, script, path, lang, theme) })
				}
			}
		}
	}
}

func look(t *testing.T, b *tab, script, path, lang, theme string) {
	b.t = t
	b.open(path)
	eval[bool](b, "document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))")
	if strings.HasPrefix(path, "/links/") {
		b.until(10*time.Second, "document.querySelector('.uchart canvas')")
	}
	eval[bool](b, "(() => {"+script+"; return true; })()")
	found := eval[looked](b, lookScript)
	if found.Lang != lang || found.Theme != theme || found.Title == "" {
		t.Errorf("language %q, theme %q, title %q", found.Lang, found.Theme, found.Title)
	}
	if found.Sideways > 0 {
		t.Errorf("%d pixels too wide: %s", found.Sideways, found.Who)
	}
	for _, v := range found.Axe {
		t.Error(v)
	}
	for _, c := range b.complaints() {
		if path == "/no-such-page" && strings.Contains(c, "404") {
			continue // the browser's own note of the status that we want
		}
		t.Errorf("console: %s", c)
	}
}
