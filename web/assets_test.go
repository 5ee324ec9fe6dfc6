package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// firstLoad is what a browser fetches before it has anything, at most, in octets (design §8).
const firstLoad = 120_000

// TestFirstLoad adds up a page with charts, compressed, and everything that it loads: its links, its scripts and the modules they import.
func TestFirstLoad(t *testing.T) {
	w := newTestWorld(t)
	w.trouble()
	a := w.get("/links/sjo-gua", header("Accept-Encoding", "gzip"))
	sum, files := len(a.body), 0
	plain, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	walk(doc, func(n *html.Node) {
		for _, name := range []string{"href", "src"} {
			if address, ok := attr(n, name); ok && strings.HasPrefix(address, "/static/") {
				wanted[address] = true
			}
		}
	})
	for name := range w.server.assets.files {
		if strings.HasPrefix(name, "js/") {
			wanted[w.server.assets.base()+"/"+name] = true
		}
	}
	for address := range wanted {
		f := w.get(address, header("Accept-Encoding", "gzip"))
		if f.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", address, f.StatusCode)
		}
		sum += len(f.body)
		files++
	}
	t.Logf("first load of a page with charts: %d octets in %d files", sum, files)
	if sum > firstLoad {
		t.Errorf("%d octets, more than %d", sum, firstLoad)
	}
}

func TestAssets(t *testing.T) {
	w := newTestWorld(t)
	address := w.server.assets.base() + "/css/tokens.css"
	a := w.get(address)
	if a.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("Content-Encoding") != "" {
		t.Errorf("headers %v", a.Header)
	}
	packed := w.get(address, header("Accept-Encoding", "br, gzip"))
	if packed.Header.Get("Content-Encoding") != "gzip" || len(packed.body) >= len(a.body) {
		t.Errorf("not compressed: %v, %d octets", packed.Header, len(packed.body))
	}
	for _, bad := range []string{"/static/0000/css/tokens.css", w.server.assets.base() + "/../server.go", w.server.assets.base() + "/css/", "/static/"} {
		if a := w.get(bad); a.StatusCode == http.StatusOK || strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, kept %q", bad, a.StatusCode, a.Header.Get("Cache-Control"))
		}
	}
}
