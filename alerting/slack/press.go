package slack

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
	"vigia/collectors"
)

// Names of what a message's buttons are.
const (
	actionsID         = "vigia" // the block that holds them; its language follows
	actionAcknowledge = "vigia_acknowledge"
	actionEscalate    = "vigia_escalate"
	actionSnooze      = "vigia_snooze"
	actionOpen        = "vigia_open" // only leads to the page
)

var decisions = map[string]alerting.CommandKind{
	actionAcknowledge: alerting.CommandAcknowledge, actionEscalate: alerting.CommandEscalate, actionSnooze: alerting.CommandSnooze,
}

// Times of a press.
const (
	snoozeFor   = time.Hour
	pressWithin = 15 * time.Second
	nameWithin  = 2 * time.Second
)

// press is one pressed button, as far as we need it.
type press struct {
	id       string // the same for every copy that Slack sends
	kind     alerting.CommandKind
	incident int64
	home     string
	lang     collectors.Lang
	user     string
	channel  string
	thread   string // where the button was, when that was in a thread
}

// pressesIn are those of our buttons that an interaction is about.
func pressesIn(cb *slackapi.InteractionCallback) []press {
	if cb.Type != slackapi.InteractionTypeBlockActions || cb.User.ID == "" {
		return nil
	}
	var list []press
	for _, action := range cb.ActionCallback.BlockActions {
		block, lang, _ := strings.Cut(action.BlockID, ".")
		id, home, _ := strings.Cut(action.Value, "@")
		incident, err := strconv.ParseInt(id, 10, 64)
		kind, ours := decisions[action.ActionID]
		if block != actionsID || !ours || err != nil {
			continue
		}
		channel, message := cmp.Or(cb.Container.ChannelID, cb.Channel.ID), cmp.Or(cb.Container.MessageTs, cb.Message.Timestamp)
		sum := sha256.Sum256([]byte(strings.Join([]string{channel, message, cb.User.ID, action.ActionID, action.Value, action.ActionTs}, "\x00")))
		list = append(list, press{
			id: "slack." + hex.EncodeToString(sum[:16]), kind: kind, incident: incident, home: home, lang: collectors.Lang(lang),
			user: cb.User.ID, channel: channel, thread: cb.Container.ThreadTs,
		})
	}
	return list
}

// take carries out what was pressed and tells who pressed it what came of it, so that only they see it.
func (n *notifier) take(ctx context.Context, cb *slackapi.InteractionCallback, now time.Time) {
	for _, p := range pressesIn(cb) {
		ctx, cancel := context.WithTimeout(ctx, pressWithin)
		n.answer(ctx, p, n.carryOut(ctx, p, now))
		cancel()
	}
}

// carryOut posts the command, and says what came of it.
func (n *notifier) carryOut(ctx context.Context, p press, now time.Time) string {
	if p.lang != collectors.Spanish && p.lang != collectors.English {
		p.lang = n.wording.Lang
	}
	if p.home != n.home || n.decide == nil {
		return sayIn(p.lang, "slack.elsewhere")
	}
	c := alerting.Command{ID: p.id, Kind: p.kind, IncidentID: p.incident, Actor: n.name(ctx, p.user) + " (Slack)", CreatedAt: now.UTC()}
	if p.kind == alerting.CommandSnooze {
		c.Until = now.Add(snoozeFor).UTC()
	}
	result, err := n.decide(ctx, c)
	switch id := strconv.FormatInt(p.incident, 10); {
	case errors.Is(err, context.DeadlineExceeded):
		return sayIn(p.lang, "slack.done.later", id)
	case err != nil:
		n.logger.Error("what was decided in Slack could not be stored", "incident", p.incident, "kind", p.kind, "err", err)
		return sayIn(p.lang, "slack.failed")
	case !result.OK:
		return sayIn(p.lang, "slack.refused", strings.TrimSuffix(n.wording.Words.Say(p.lang, result.Reason), "."))
	default:
		return sayIn(p.lang, "slack.done."+string(p.kind), id)
	}
}

// answer says something to the one who pressed. When that cannot be said the decision stands all the same.
func (n *notifier) answer(ctx context.Context, p press, text string) {
	options := []slackapi.MsgOption{slackapi.MsgOptionText(escape(text), false)}
	if p.thread != "" {
		options = append(options, slackapi.MsgOptionTS(p.thread))
	}
	if _, err := n.api.PostEphemeralContext(ctx, p.channel, p.user, options...); err != nil {
		n.logger.Warn("who pressed a button could not be told what came of it", "incident", p.incident, "err", n.failure(ctx, err))
	}
}

const maxNames = 1000

// name is what a person is called at Slack; the id when Slack does not say.
func (n *notifier) name(ctx context.Context, id string) string {
	n.naming.Lock()
	known := n.names[id]
	n.naming.Unlock()
	if known != "" {
		return known
	}
	ctx, cancel := context.WithTimeout(ctx, nameWithin)
	defer cancel()
	user, err := n.api.GetUserInfoContext(ctx, id)
	if err != nil {
		n.logger.Warn("Slack does not say who a person is; the id stands for the name", "user", id, "err", n.failure(ctx, err))
		return alerting.Clean(id, maxName)
	}
	name := alerting.Clean(cmp.Or(user.Profile.DisplayName, user.RealName, user.Profile.RealName, user.Name, id), maxName)
	n.naming.Lock()
	defer n.naming.Unlock()
	if len(n.names) >= maxNames {
		clear(n.names)
	}
	n.names[id] = name
	return name
}

const maxName = 80
