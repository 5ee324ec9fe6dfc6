package teams

import (
	"encoding/json"
	"strings"

	"vigia/alerting"
)

// message is what a workflow takes.
type message struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"` // always null
	Content     card    `json:"content"`
}

// card is an Adaptive Card; only what we use of it.
type card struct {
	Schema  string            `json:"$schema"`
	Type    string            `json:"type"`
	Version string            `json:"version"`
	Body    []block           `json:"body"`
	Actions []open            `json:"actions,omitempty"`
	MSTeams map[string]string `json:"msteams,omitempty"`
}

// block is a Container or a RichTextBlock.
type block struct {
	Type      string  `json:"type"`
	Style     string  `json:"style,omitempty"`
	Bleed     bool    `json:"bleed,omitempty"`
	Spacing   string  `json:"spacing,omitempty"`
	Separator bool    `json:"separator,omitempty"`
	Items     []block `json:"items,omitempty"`
	Inlines   []run   `json:"inlines,omitempty"`
}

// run is a piece of text. Teams reads no Markdown in it.
type run struct {
	Type         string `json:"type"`
	Text         string `json:"text"`
	Weight       string `json:"weight,omitempty"`
	Size         string `json:"size,omitempty"`
	Color        string `json:"color,omitempty"`
	Subtle       bool   `json:"isSubtle,omitempty"`
	SelectAction *open  `json:"selectAction,omitempty"`
}

type open struct {
	Type  string `json:"type"`
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

const (
	container = "Container"
	richText  = "RichTextBlock"
	textRun   = "TextRun"
	openURL   = "Action.OpenUrl"
	bolder    = "Bolder"
)

// maxItems is how much of a digest goes into one message, in octets of JSON. Teams takes 28 KB, the frame included.
const maxItems = 18 << 10

// compose writes a message, or several when a digest is too long for one.
func compose(said alerting.Said) []message {
	head := block{
		Type: container, Style: colour(said), Bleed: true,
		Items: []block{
			line(run{Text: said.Shape + " " + said.Badge, Weight: bolder, Color: colour(said)}, run{Text: "  "}, run{Text: said.Title, Weight: bolder, Size: "Medium"}),
			line(run{Text: joined(said.Cause, said.Incident), Subtle: true}),
		},
	}
	foot := line(run{Text: said.Footer, Subtle: true, Size: "Small"})
	foot.Separator = true
	if len(said.Items) > 0 {
		return digest(said, head, foot)
	}
	body := []block{head}
	for _, f := range said.Facts {
		one := line(run{Text: f.Label + ": ", Weight: bolder}, run{Text: f.Value})
		one.Spacing = "Small"
		body = append(body, one)
	}
	return []message{wrap(said, append(body, foot))}
}

// digest spreads the items over messages.
func digest(said alerting.Said, head, foot block) []message {
	var messages []message
	body, size := []block{head}, 0
	for _, item := range said.Items {
		one := itemBlock(item)
		length := lengthOf(one)
		if size > 0 && size+length > maxItems {
			messages, body, size = append(messages, wrap(said, append(body, foot))), []block{head}, 0
		}
		body, size = append(body, one), size+length
	}
	return append(messages, wrap(said, append(body, foot)))
}

func itemBlock(item alerting.Said) block {
	title := run{Text: item.Title}
	if item.URL != "" {
		title.SelectAction = &open{Type: openURL, URL: item.URL}
	}
	return line(run{Text: item.Shape + " " + item.Badge + "  ", Weight: bolder, Color: colour(item)}, title,
		run{Text: "  " + joined(item.Cause, item.Brief(), item.Incident), Subtle: true})
}

// lengthOf is how many octets of JSON a block is. What cannot be written has none: posting it says why.
func lengthOf(b block) int {
	content, err := json.Marshal(b)
	if err != nil {
		return 0
	}
	return len(content)
}

func wrap(said alerting.Said, body []block) message {
	c := card{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Body: body,
		MSTeams: map[string]string{"width": "Full"},
	}
	if said.URL != "" {
		c.Actions = []open{{Type: openURL, Title: said.Action, URL: said.URL}}
	}
	return message{Type: "message", Attachments: []attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: c}}}
}

func line(runs ...run) block {
	for i := range runs {
		runs[i].Type = textRun
	}
	return block{Type: richText, Inlines: runs}
}

// colour is that of a card's head and of badges; an Adaptive Card has no more of them.
func colour(s alerting.Said) string {
	switch {
	case s.Calm:
		return "good"
	case s.Severity >= alerting.Major:
		return "attention"
	case s.Severity >= alerting.Warning:
		return "warning"
	}
	return "accent"
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
