package slack

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
	"vigia/alerting/peer"
	"vigia/collectors/inventory"
)

type notifier struct {
	api     *slackapi.Client
	channel string
	wording alerting.Wording
	home    string             // the host of the public URL: tells several Vigías in one channel apart
	secrets []inventory.Secret // what no outcome may show
	signing inventory.Secret
	decide  alerting.Decide
	history alerting.History
	logger  *slog.Logger
	buttons bool // pressing them leads somewhere
	sockets bool // by Socket Mode

	roots     *roots
	served    peer.Served   // replies that Slack has taken, by key
	turn      chan struct{} // held while something is looked for or edited
	blind     atomic.Bool   // the bot may not read its channel
	me        atomic.Pointer[string]
	connected atomic.Bool // by Socket Mode

	naming sync.Mutex
	names  map[string]string // of people, by their ids
}

// Pace stays under Slack's limits: one message a second and channel, and as many edits.
func (n *notifier) Pace() alerting.Pace { return alerting.Pace{Burst: 5, Every: 2 * time.Second} }

// Notify tells the channel: the incident's own message is posted or edited, and what follows goes into its thread.
func (n *notifier) Notify(ctx context.Context, m alerting.Message) (alerting.Receipt, error) {
	tell := n.incident
	if m.Incident == 0 || len(m.Digest) > 0 || m.Cause == alerting.CauseTest {
		tell = n.plain
	}
	said, err := tell(ctx, m)
	if err != nil {
		return alerting.Receipt{}, err
	}
	return alerting.Receipt{Outcome: alerting.Outcome(said, n.secrets...)}, nil
}

// plain posts what is about no incident, or about many. A digest that is too long for one message continues in its thread.
func (n *notifier) plain(ctx context.Context, m alerting.Message) (string, error) {
	said := n.wording.Say(m)
	var thread, last string
	for _, blocks := range layout(said) {
		options := append(n.body(said, blocks), slackapi.MsgOptionMetadata(n.tag(notificationEvent, m, m.Key)))
		if thread != "" {
			options = append(options, slackapi.MsgOptionTS(thread))
		}
		_, ts, err := n.api.PostMessageContext(ctx, n.channel, options...)
		if err != nil {
			return "", n.failure(ctx, err)
		}
		if last = ts; thread == "" {
			thread = ts
		}
	}
	n.roots.setStale(m.Digest)
	return "posted to " + n.channel + " as " + last, nil
}

// incident posts or edits the incident's message, and replies to it.
func (n *notifier) incident(ctx context.Context, m alerting.Message) (string, error) {
	one, err := n.alone(ctx, func() (root, error) { return n.find(ctx, m) })
	if err != nil {
		return "", err
	}
	if one.ts == "" {
		return n.begin(ctx, m)
	}
	said := "posted to " + n.channel + " as " + one.ts
	if one.key != m.Key {
		if said, err = n.reply(ctx, m, one.ts); err != nil {
			return "", err
		}
	}
	if err := n.edit(ctx, m); err != nil {
		return "", err
	}
	return said, nil
}

// alone does something that no other goroutine does meanwhile.
func (n *notifier) alone(ctx context.Context, do func() (root, error)) (root, error) {
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		return root{}, n.failure(ctx, ctx.Err())
	}
	defer func() { <-n.turn }()
	return do()
}

// begin posts the incident's message.
func (n *notifier) begin(ctx context.Context, m alerting.Message) (string, error) {
	doubt, start := doubtOf(m.Incident), time.Now()
	options := append(n.living(m), slackapi.MsgOptionMetadata(n.tag(incidentEvent, m, m.Key)))
	_, ts, err := n.api.PostMessageContext(ctx, n.channel, options...)
	if err != nil {
		if !settled(err) {
			n.roots.doubt(doubt, start)
		}
		return "", n.failure(ctx, err)
	}
	n.roots.certain(doubt)
	n.roots.set(m.Incident, root{ts: ts, key: m.Key, shown: m.At})
	n.picture(ctx, m, ts)
	return "posted to " + n.channel + " as " + ts, nil
}

// reply posts into the incident's thread, and into the channel as well when it asks for somebody: an edit alone calls nobody. What was taken
// before, by this process or an earlier one, is not posted again.
func (n *notifier) reply(ctx context.Context, m alerting.Message, thread string) (string, error) {
	outcome := "posted to " + n.channel + " in the thread of " + thread
	if n.served.Has(m.Key, thread) {
		return outcome, nil
	}
	if since, ask := n.roots.unsure(m.Key, m.At); ask {
		done, err := n.said(ctx, thread, m.Key, since)
		if err != nil || done {
			return outcome, err
		}
	}
	said, start := n.wording.Say(m), time.Now()
	options := append(n.body(said, layout(said)[0]), slackapi.MsgOptionMetadata(n.tag(notificationEvent, m, m.Key)), slackapi.MsgOptionTS(thread))
	if !said.Calm {
		options = append(options, slackapi.MsgOptionBroadcast())
	}
	_, ts, err := n.api.PostMessageContext(ctx, n.channel, options...)
	if err != nil {
		switch {
		case slices.Contains(lostThread, refusedWith(err)):
			n.roots.forget(m.Incident)
		case !settled(err):
			n.roots.doubt(m.Key, start)
		}
		return "", n.failure(ctx, err)
	}
	n.roots.certain(m.Key)
	n.served.Note(m.Key, thread)
	return "posted to " + n.channel + " as " + ts + " in the thread of " + thread, nil
}

// edit lets the incident's message show what this one says, unless it shows something newer. A message that cannot be edited any more stays
// as it is: the thread has it all.
func (n *notifier) edit(ctx context.Context, m alerting.Message) error {
	_, err := n.alone(ctx, func() (root, error) {
		one, known := n.roots.of(m.Incident)
		if !known || m.At.Before(one.shown) || one.key == m.Key && m.At.Equal(one.shown) {
			return one, nil
		}
		options := append(n.living(m), slackapi.MsgOptionMetadata(n.tag(incidentEvent, m, one.key)))
		_, _, _, err := n.api.UpdateMessageContext(ctx, n.channel, one.ts, options...)
		if err == nil {
			one.shown = m.At
			n.roots.set(m.Incident, one)
			return one, nil
		}
		if slices.Contains(lostThread, refusedWith(err)) {
			n.roots.forget(m.Incident)
			return one, nil
		}
		err = n.failure(ctx, err)
		if errors.Is(err, alerting.ErrPermanent) {
			n.logger.Warn("the message of an incident cannot be edited", "incident", m.Incident, "err", err)
			return one, nil
		}
		return one, err
	})
	return err
}

// Run edits what digests told about, one after the other, and listens for pressed buttons where an app token is given, until ctx ends.
func (n *notifier) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { n.refresh(ctx) })
	if n.sockets {
		parts.Go(func() { n.listen(ctx) })
	}
	parts.Wait()
	return nil
}

// Times between edits of what digests told about.
const (
	refreshEvery = 2 * time.Second // leaves room under Slack's 50 edits a minute
	refreshAgain = 15 * time.Second
)

func (n *notifier) refresh(ctx context.Context) {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			tick.Reset(n.refreshOne(ctx))
		}
	}
}

// refreshOne edits one message that is behind, passes by incidents that have none, and says how long to wait for the next.
func (n *notifier) refreshOne(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		m, waits := n.roots.nextStale()
		if !waits {
			return refreshEvery
		}
		one, err := n.alone(ctx, func() (root, error) { return n.find(ctx, m) })
		if err == nil && one.ts == "" {
			continue
		}
		if err == nil {
			err = n.edit(ctx, m)
		}
		if err == nil {
			return refreshEvery
		}
		n.roots.setStale([]alerting.Message{m})
		var later *alerting.RetryAfterError
		if errors.As(err, &later) {
			return max(later.After, refreshEvery)
		}
		return refreshAgain
	}
	return refreshEvery
}
