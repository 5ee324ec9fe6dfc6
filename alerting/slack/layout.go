package slack

import (
	"strings"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
)

// Slack's limits: 3,000 characters in a section, 10 fields in it of 2,000 characters each, 50 blocks in a message. We stay well below.
const (
	maxSection = 2800
	maxFields  = 10
	maxLines   = 60 // of a digest in one message
)

// layout is the message as blocks; several lists when a digest is too long for one message.
func layout(said alerting.Said) [][]slackapi.Block {
	blocks := []slackapi.Block{
		section("*" + escape(said.Shape+" "+said.Badge) + "*  " + link(said.URL, said.Title)),
		slackapi.NewContextBlock("", markdown(escape(joined(said.Cause, said.Incident)))),
	}
	blocks = append(blocks, facts(said.Facts)...)
	if len(said.Items) > 0 {
		return digest(blocks, said.Items)
	}
	if said.URL != "" {
		label := slackapi.NewTextBlockObject(slackapi.PlainTextType, said.Action, false, false)
		blocks = append(blocks, slackapi.NewActionBlock("", slackapi.NewButtonBlockElement("open", "", label).WithURL(said.URL)))
	}
	return [][]slackapi.Block{blocks}
}

// facts are sections of two columns.
func facts(list []alerting.Fact) []slackapi.Block {
	var blocks []slackapi.Block
	for i := 0; i < len(list); i += maxFields {
		var fields []*slackapi.TextBlockObject
		for _, f := range list[i:min(i+maxFields, len(list))] {
			fields = append(fields, markdown("*"+escape(f.Label)+"*\n"+escape(f.Value)))
		}
		blocks = append(blocks, slackapi.NewSectionBlock(nil, fields, nil))
	}
	return blocks
}

// digest spreads the items over sections, and the sections over messages.
func digest(head []slackapi.Block, items []alerting.Said) [][]slackapi.Block {
	messages, blocks := [][]slackapi.Block{}, head
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			blocks = append(blocks, section(text.String()))
			text.Reset()
		}
	}
	for i, item := range items {
		line := escape(item.Shape+" "+item.Badge) + "  " + link(item.URL, item.Title) + "\n" + escape(joined(item.Cause, item.Brief(), item.Incident)) + "\n"
		if text.Len()+len(line) > maxSection {
			flush()
		}
		text.WriteString(line)
		if (i+1)%maxLines == 0 {
			flush()
			messages, blocks = append(messages, blocks), nil
		}
	}
	flush()
	if len(blocks) > 0 {
		messages = append(messages, blocks)
	}
	return messages
}

func section(text string) slackapi.Block { return slackapi.NewSectionBlock(markdown(text), nil, nil) }

// markdown is text in Slack's markup, verbatim: Slack makes no links or mentions of its own from it.
func markdown(text string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.MarkdownType, text, false, true)
}

// link shows escaped words that lead to a URL of ours.
func link(url, words string) string {
	if url == "" {
		return escape(words)
	}
	return "<" + strings.NewReplacer("|", "%7C", ">", "%3E", "<", "%3C").Replace(url) + "|" + escape(words) + ">"
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape makes text harmless: Slack reads &, < and > as the beginning of something.
func escape(text string) string { return escaper.Replace(text) }

func joined(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " · ")
}
