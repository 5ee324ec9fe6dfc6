package slack

import (
	"strconv"
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

// layout is a message as blocks; several lists when a digest is too long for one message.
func layout(said alerting.Said) [][]slackapi.Block {
	blocks := append(head(said), facts(said.Facts)...)
	if len(said.Items) > 0 {
		return digest(blocks, said.Items)
	}
	return [][]slackapi.Block{blocks}
}

// head is what a reader must see: how bad, what, why it is told.
func head(said alerting.Said) []slackapi.Block {
	return []slackapi.Block{
		section("*" + escape(said.Shape+" "+said.Badge) + "*  " + link(said.URL, said.Title)),
		slackapi.NewContextBlock("", markdown(escape(joined(said.Cause, said.Incident)))),
	}
}

// body is a message's content: blocks, and one line for notices on a screen.
func (n *notifier) body(said alerting.Said, blocks []slackapi.Block) []slackapi.MsgOption {
	return []slackapi.MsgOption{
		slackapi.MsgOptionText(said.Headline()+" · "+said.Cause, true), slackapi.MsgOptionBlocks(blocks...),
		slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl(),
	}
}

// colours of the bar beside an incident's facts; a calm one's is grey.
var colours = map[alerting.Severity]string{
	alerting.Critical: "#c8102e", alerting.Major: "#e86f00", alerting.Minor: "#eebb00", alerting.Warning: "#1a73a8", alerting.Indeterminate: "#7a4fb5",
}

const overColour = "#5e6873"

// living is the content of an incident's own message: the head, and beside a bar in the severity's colour the facts and what can be done.
func (n *notifier) living(m alerting.Message) []slackapi.MsgOption {
	said := n.wording.Say(m)
	colour, live := colours[m.Severity], alive(m)
	if colour == "" || !live {
		colour = overColour
	}
	blocks := facts(said.Facts)
	if actions := n.actions(m, said, live); len(actions) > 0 {
		blocks = append(blocks, slackapi.NewActionBlock(actionsID+"."+string(n.wording.Lang), actions...))
	}
	options := n.body(said, head(said))
	return append(options, slackapi.MsgOptionAttachments(slackapi.Attachment{Color: colour, Blocks: slackapi.Blocks{BlockSet: blocks}}))
}

// alive reports whether there is still something to decide.
func alive(m alerting.Message) bool {
	return m.State.Live() && m.Cause != alerting.CauseResolved && m.Cause != alerting.CauseMerged
}

// actions are the buttons: what can be decided, while the incident lives, and the way to its page.
func (n *notifier) actions(m alerting.Message, said alerting.Said, live bool) []slackapi.BlockElement {
	var list []slackapi.BlockElement
	if n.buttons && live {
		value := strconv.FormatInt(m.Incident, 10) + "@" + n.home
		take, escalate := "slack.acknowledge", button(actionEscalate, value, n.say("slack.escalate"))
		if m.State == alerting.Acknowledged {
			take = "slack.take_over"
		}
		first := button(actionAcknowledge, value, n.say(take))
		if m.State == alerting.Open {
			first = first.WithStyle(slackapi.StylePrimary)
		}
		list = append(list, first, escalate, button(actionSnooze, value, n.say("slack.snooze")))
	}
	if said.URL != "" {
		list = append(list, button(actionOpen, "", said.Action).WithURL(said.URL))
	}
	return list
}

func button(action, value, label string) *slackapi.ButtonBlockElement {
	return slackapi.NewButtonBlockElement(action, value, slackapi.NewTextBlockObject(slackapi.PlainTextType, label, false, false))
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
