package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
)

// Names in the metadata that travels with what we post.
const (
	incidentEvent     = "vigia_incident"     // an incident's message
	notificationEvent = "vigia_notification" // everything else
)

// Bounds of looking for what an earlier process posted.
const (
	pageSize = 200
	maxPages = 25
)

// tag is what a message carries so that it is found again.
func (n *notifier) tag(event string, m alerting.Message, key string) slackapi.SlackMetadata {
	payload := map[string]any{"key": key, "at": m.At.UTC().Format(time.RFC3339Nano)}
	if m.Incident != 0 {
		payload["incident"], payload["home"], payload["receiver"] = strconv.FormatInt(m.Incident, 10), n.home, n.wording.Receiver
	}
	return slackapi.SlackMetadata{EventType: event, EventPayload: payload}
}

func word(m slackapi.SlackMetadata, name string) string {
	text, _ := m.EventPayload[name].(string)
	return text
}

// find is the incident's message: remembered, or found in the channel. The zero root: there is none.
func (n *notifier) find(ctx context.Context, m alerting.Message) (root, error) {
	if one, known := n.roots.of(m.Incident); known {
		return one, nil
	}
	doubt := doubtOf(m.Incident)
	since, ask := n.roots.unsure(doubt, m.OpenedAt)
	if !ask {
		return root{}, nil
	}
	from, to, look := n.roots.span(since, n.roots.isDoubted(doubt))
	if look {
		if err := n.readHistory(ctx, from, to); err != nil {
			return root{}, err
		}
		n.roots.certain(doubt)
	}
	one, _ := n.roots.of(m.Incident)
	return one, nil
}

func doubtOf(incident int64) string { return "incident " + strconv.FormatInt(incident, 10) }

// readHistory looks through the channel for messages of incidents. What may not be read is not read again.
func (n *notifier) readHistory(ctx context.Context, from, to time.Time) error {
	if n.blind.Load() {
		return nil
	}
	me, err := n.whoAmI(ctx)
	if err != nil {
		return n.unreadable(ctx, err)
	}
	list := map[int64]root{}
	query := slackapi.GetConversationHistoryParameters{ChannelID: n.channel, Oldest: stamp(from), Latest: stamp(to), Limit: pageSize, IncludeAllMetadata: true}
	for range maxPages {
		page, err := n.api.GetConversationHistoryContext(ctx, &query)
		if err != nil {
			return n.unreadable(ctx, err)
		}
		for i := range page.Messages {
			n.note(list, &page.Messages[i], me)
		}
		if query.Cursor = page.ResponseMetaData.NextCursor; query.Cursor == "" {
			break
		}
	}
	n.roots.found(list, from)
	return nil
}

// note adds a message of the history when it is one of ours about an incident. Of several the oldest counts.
func (n *notifier) note(list map[int64]root, m *slackapi.Message, me string) {
	tag := m.Metadata
	incident, err := strconv.ParseInt(word(tag, "incident"), 10, 64)
	ours := word(tag, "home") == n.home && word(tag, "receiver") == n.wording.Receiver
	if tag.EventType != incidentEvent || err != nil || !ours || me != "" && m.BotID != "" && m.BotID != me {
		return
	}
	if old, known := list[incident]; known && old.ts < m.Timestamp {
		return
	}
	at, err := time.Parse(time.RFC3339Nano, word(tag, "at"))
	if err != nil {
		at = time.Time{} // then any message is newer
	}
	list[incident] = root{ts: m.Timestamp, key: word(tag, "key"), shown: at}
}

// said reports whether a thread holds a reply with this key already.
func (n *notifier) said(ctx context.Context, thread, key string, since time.Time) (bool, error) {
	if n.blind.Load() {
		return false, nil
	}
	query := slackapi.GetConversationRepliesParameters{ChannelID: n.channel, Timestamp: thread, Oldest: stamp(since), Limit: pageSize, IncludeAllMetadata: true}
	for range maxPages {
		list, _, next, err := n.api.GetConversationRepliesContext(ctx, &query)
		if err != nil {
			return false, n.unreadable(ctx, err)
		}
		if slices.ContainsFunc(list, func(m slackapi.Message) bool { return word(m.Metadata, "key") == key }) {
			return true, nil
		}
		if query.Cursor = next; next == "" {
			break
		}
	}
	return false, nil
}

// unreadable turns a refusal to show the channel into blindness, which is said once: the bot posts all the same.
func (n *notifier) unreadable(ctx context.Context, err error) error {
	lost := slices.Contains(lostThread, refusedWith(err))
	err = n.failure(ctx, err)
	if lost || !errors.Is(err, alerting.ErrPermanent) {
		return err
	}
	if !n.blind.Swap(true) {
		n.logger.Warn("the bot cannot read its channel: after a restart an incident gets a second message; give it channels:history (groups:history "+
			"for a private channel) and the channel's id", "channel", n.channel, "err", err)
	}
	return nil
}

// whoAmI is the bot's own id, asked once.
func (n *notifier) whoAmI(ctx context.Context) (string, error) {
	if me := n.me.Load(); me != nil {
		return *me, nil
	}
	answer, err := n.api.AuthTestContext(ctx)
	if err != nil {
		return "", err
	}
	n.me.Store(&answer.BotID)
	return answer.BotID, nil
}

// stamp writes a moment as Slack's time stamps are.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000)
}
