package e2e

import (
	"testing"
	"time"
)

// TestBrowserDemo looks at what a newcomer sees first: the demo with its troubles and its inbox.
func TestBrowserDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes a minute: run without -short")
	}
	browser(t)
	script := axe(t)
	listen := freeAddress(t)
	p := start(t, listen, "demo", "--listen", listen)
	firstIncident(t, p, 60*time.Second)
	for _, c := range []struct {
		lang, theme   string
		width, height int64
	}{{"en", "light", 1366, 768}, {"es", "dark", 390, 844}} {
		b := openTab(t, p.base, c.width, c.height)
		b.open("/settings")
		b.cookies("lang="+c.lang, "theme="+c.theme)
		for _, path := range []string{"/", "/alarms", "/demo", "/links", "/servers", "/trunks", "/services", "/health", "/oncall", "/incidents/1"} {
			t.Run(c.lang+path, func(t *testing.T) { look(t, b, script, path, c.lang, c.theme) })
		}
	}
}
