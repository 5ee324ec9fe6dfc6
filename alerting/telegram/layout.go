package telegram

import (
	"html"
	"strings"
	"unicode/utf16"

	"vigia/alerting"
)

// maxVisible is how long a message may be, in UTF-16 units without its markup. Telegram's limit is 4096.
const maxVisible = 3800

// text is HTML for Telegram, and how long it is to a reader.
type text struct {
	strings.Builder
	visible int
}

func (t *text) plain(s string) {
	t.visible += units(s)
	t.WriteString(escape(s))
}

func (t *text) bold(s string) {
	t.WriteString("<b>")
	t.plain(s)
	t.WriteString("</b>")
}

// link shows words that lead to a URL of ours, or only the words.
func (t *text) link(url, words string) {
	if url == "" {
		t.plain(words)
		return
	}
	t.WriteString(`<a href="` + html.EscapeString(url) + `">`)
	t.plain(words)
	t.WriteString("</a>")
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// defuse keeps Telegram from making mentions and links of its own.
var defuse = strings.NewReplacer("@", "@\u2060", "://", ":\u2060//")

func escape(s string) string { return html.EscapeString(defuse.Replace(s)) }

// layout writes a message; several when a digest is too long for one.
func layout(said alerting.Said) []string {
	head := &text{}
	head.bold(said.Shape + " " + said.Badge)
	head.plain("  ")
	head.link(said.URL, said.Title)
	head.plain("\n" + joined(said.Cause, said.Incident) + "\n")
	if len(said.Items) > 0 {
		return digest(head, said.Items)
	}
	for _, f := range said.Facts {
		one := &text{}
		one.plain("\n")
		one.bold(f.Label + ":")
		one.plain(" " + f.Value)
		if head.visible+one.visible > maxVisible {
			break // the page has the rest
		}
		head.WriteString(one.String())
		head.visible += one.visible
	}
	return []string{head.String()}
}

// digest spreads the items over messages.
func digest(head *text, items []alerting.Said) []string {
	var messages []string
	for _, item := range items {
		one := &text{}
		one.plain("\n" + item.Shape + " ")
		one.bold(item.Badge)
		one.plain("  ")
		one.link(item.URL, item.Title)
		one.plain("\n" + joined(item.Cause, item.Brief(), item.Incident) + "\n")
		if head.visible+one.visible > maxVisible {
			messages, head = append(messages, head.String()), &text{}
		}
		head.WriteString(one.String())
		head.visible += one.visible
	}
	return append(messages, head.String())
}

func joined(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}
