package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const theList = "[data-list] [data-key]:not(.gone)"

// laptop opens the overview of a new operator.
func laptop(t *testing.T, path string) (*operator, *tab) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser: run without -short")
	}
	browser(t)
	o := newOperator(t)
	b := openTab(t, o.base, 1366, 768)
	b.open(path)
	b.until(10*time.Second, "document.querySelector('[data-clock]').textContent.length >= 8")
	return o, b
}

// TestBrowserLive: a link goes down, and the page that nobody touches shows it: counter, title, list; it comes back, and the row stays, struck.
func TestBrowserLive(t *testing.T) {
	o, b := laptop(t, "/")
	b.until(5*time.Second, "document.querySelector('[data-count=critical]').textContent.trim() === '0'")
	o.guatemala.close()
	b.until(15*time.Second, "document.querySelector('[data-count=critical]').textContent.trim() === '1'")
	b.until(5*time.Second, "document.title.startsWith('(1) ')")
	b.until(5*time.Second, "[...document.querySelectorAll('[data-open]')].some((a) => a.getAttribute('href') === '/incidents/1')")
	b.until(5*time.Second, "document.getElementById('favicon').href.startsWith('data:image/svg+xml')")
	o.guatemala.open(t)
	b.until(15*time.Second, "document.querySelector('[data-count=critical]').textContent.trim() === '0' && !document.title.startsWith('(')")
	b.until(5*time.Second, "document.querySelector('.gone[data-key]')")
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("console: %s", strings.Join(c, "\n"))
	}
}

// TestBrowserNothingMovesUnderTheHand: with the pointer on the list a new incident waits for a full stop.
func TestBrowserNothingMovesUnderTheHand(t *testing.T) {
	o, b := laptop(t, "/alarms")
	o.guatemala.close()
	b.until(15*time.Second, fmt.Sprintf("document.querySelectorAll(%q).length === 1", theList))
	x, y := b.center(theList)
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
	o.sbc.close()
	b.until(20*time.Second, "document.querySelector('[data-held]')?.checkVisibility()")
	if n := eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", theList)); n != 1 {
		t.Errorf("%d rows under the hand, want 1", n)
	}
	b.keys(".")
	b.until(10*time.Second, fmt.Sprintf("document.querySelectorAll(%q).length > 1 && !document.querySelector('[data-held]').checkVisibility()", theList))
}

// TestBrowserAcknowledgeByKeyboard takes an incident without a mouse: to the row, the dialog, a note, and done.
func TestBrowserAcknowledgeByKeyboard(t *testing.T) {
	o, b := laptop(t, "/")
	o.guatemala.close()
	b.until(15*time.Second, "document.querySelector('[data-row][data-key]')")
	for range 5 { // on a busy machine a key may come before the page listens: a person presses it again
		b.keys("j")
		if eventually(2*time.Second, func() bool { return eval[bool](b, "document.querySelector('.cursor') !== null") }) {
			break
		}
	}
	b.until(5*time.Second, "document.querySelector('.cursor[data-key]')")
	b.keys("a")
	b.until(10*time.Second, "document.querySelector('dialog[open]')?.contains(document.activeElement)")
	if !eval[bool](b, "document.activeElement.matches('textarea, input[type=text]')") {
		eval[bool](b, "(document.querySelector('dialog[open] textarea, dialog[open] input[type=text]').focus(), true)")
	}
	// The driver sends a key and its letter one after the other; on a busy machine the dialog is there in between and takes the letter.
	eval[bool](b, "(document.activeElement.value = '', true)")
	b.do(chromedp.KeyEvent("ticket 7"))
	b.keys("\r", chromedp.ModifierCtrl)
	b.until(10*time.Second, "!document.querySelector('dialog[open]')")
	o.wantLive("acknowledged", 1)
	b.until(10*time.Second, "!document.title.startsWith('(')")
	b.until(5*time.Second, "document.querySelector('#toasts .toast')")
	var one struct {
		Ack struct{ Note string } `json:"acknowledgement"`
	}
	if err := o.getJSON("/api/v1/incidents/1", &one); err != nil || one.Ack.Note != "ticket 7" {
		t.Errorf("note %q, error %v", one.Ack.Note, err)
	}
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("console: %s", strings.Join(c, "\n"))
	}
}

// TestBrowserStale stops the server: within twelve seconds the page says so, greys out, and comes back by itself.
func TestBrowserStale(t *testing.T) {
	o, b := laptop(t, "/")
	o.kill()
	b.until(14*time.Second, "document.getElementById('stale').checkVisibility() && document.body.classList.contains('is-stale')")
	text := eval[string](b, "document.querySelector('[data-stale]').textContent")
	if !strings.Contains(text, ":") || !strings.Contains(text, " s") {
		t.Errorf("the banner says %q", text)
	}
	clock := eval[string](b, "document.querySelector('[data-clock]').textContent")
	b.complaints() // the browser's notes of a server that is away are what we wanted
	o.process = start(t, o.listen, "run", "-c", o.file)
	b.until(25*time.Second, "!document.getElementById('stale').checkVisibility() && !document.body.classList.contains('is-stale')")
	b.until(10*time.Second, fmt.Sprintf("document.querySelector('[data-clock]').textContent !== %q", clock))
}

// TestBrowserChart draws, zooms by dragging, and goes back by a double click.
func TestBrowserChart(t *testing.T) {
	_, b := laptop(t, "/links/sjo-mia")
	b.until(15*time.Second, "document.querySelector('.uchart .u-over')")
	box := eval[[]float64](b, "(() => { const r = document.querySelector('.uchart .u-over').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()")
	y := box[1] + box[3]/2
	b.do(
		chromedp.MouseEvent(chromedp.MouseMoved, box[0]+0.3*box[2], y),
		chromedp.MouseEvent(chromedp.MousePressed, box[0]+0.3*box[2], y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(chromedp.MouseMoved, box[0]+0.6*box[2], y, chromedp.ButtonLeft),
		chromedp.MouseEvent(chromedp.MouseReleased, box[0]+0.6*box[2], y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
	)
	b.until(10*time.Second, "/from=\\d+/.test(location.search) && /to=\\d+/.test(location.search)")
	if n := eval[int](b, "history.length"); n > 4 {
		t.Errorf("one zoom made %d entries of the history", n)
	}
	b.do(chromedp.MouseClickXY(box[0]+0.5*box[2], y, chromedp.ClickCount(2)))
	b.until(10*time.Second, "!/from=/.test(location.search)")
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("console: %s", strings.Join(c, "\n"))
	}
}

// TestBrowserManyTabs: a browser opens six connections to a server; nine tabs are live all the same, also when the one that listens is closed.
func TestBrowserManyTabs(t *testing.T) {
	o, first := laptop(t, "/")
	var tabs []*tab
	for range 8 {
		ctx, closeTab := chromedp.NewContext(first.ctx)
		t.Cleanup(closeTab)
		b := &tab{t: t, ctx: ctx, base: o.base}
		if err := chromedp.Do(ctx, chromedp.Navigate(o.base+"/alarms")); err != nil {
			t.Fatal(err)
		}
		tabs = append(tabs, b)
	}
	o.guatemala.close()
	for _, b := range append(tabs, first) {
		b.until(20*time.Second, "document.querySelector('[data-count=critical]').textContent.trim() === '1'")
	}
	first.open("/healthz") // the tab that listened is gone
	o.guatemala.open(t)
	for _, b := range tabs {
		b.until(20*time.Second, "document.querySelector('[data-count=critical]').textContent.trim() === '0'")
	}
}

// TestBrowserSilence: from an incident, by the keyboard, with a preview that follows what is typed; the page stops shouting, and undo brings it back.
func TestBrowserSilence(t *testing.T) {
	o, b := laptop(t, "/")
	o.guatemala.close()
	o.wantLive("open", 1)
	b.open("/incidents/1")
	b.until(10*time.Second, "document.title.startsWith('(1) ')")
	for range 5 { // on a busy machine a key may come before the page listens: a person presses it again
		b.keys("s")
		if eventually(2*time.Second, func() bool { return eval[bool](b, "document.querySelector('dialog[open] #mute-preview') !== null") }) {
			break
		}
	}
	b.until(5*time.Second, "document.querySelector('#mute-preview').textContent.includes('Link sjo-gua')")
	const second = "document.querySelectorAll('dialog [name=on]')[1]"
	eval[bool](b, "("+second+".value = 'server/none', "+second+".dispatchEvent(new Event('change', {bubbles: true})), true)")
	b.until(10*time.Second, "document.querySelector('#mute-preview').textContent.includes('server/none selects nothing')")
	eval[bool](b, "("+second+".value = '', "+second+".dispatchEvent(new Event('change', {bubbles: true})), true)")
	b.until(10*time.Second, "document.querySelector('#mute-preview')?.textContent.includes('server/none') === false")
	eval[bool](b, "(document.querySelector('dialog [name=reason]').value = 'ticket 7', document.querySelector('dialog form').requestSubmit(), true)")
	b.until(10*time.Second, "!document.querySelector('dialog[open]') && document.querySelector('.toast button')")
	b.until(10*time.Second, "!document.title.startsWith('(') && document.querySelector('[data-count=muted]').textContent.trim() === '1'")
	b.until(10*time.Second, "document.querySelector('#facts').textContent.includes('ticket 7')")
	eval[bool](b, "(document.querySelector('.toast button').click(), true)")
	b.until(10*time.Second, "document.title.startsWith('(1) ') && document.querySelector('[data-count=muted]').textContent.trim() === '0'")
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("console: %s", strings.Join(c, "\n"))
	}
}
