package slack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// story is an incident that began a while ago, told step by step.
type story struct {
	opened time.Time
	step   int
}

func (s *story) next(cause alerting.Cause, change func(*alerting.Message)) alerting.Message {
	m := alertingtest.SampleMessage()
	m.Cause, m.OpenedAt, m.At = cause, s.opened, s.opened.Add(time.Duration(s.step)*time.Second)
	m.Key = alerting.NotificationKey(m.Incident, 1, "noc-slack", cause, s.step)
	s.step++
	if change != nil {
		change(&m)
	}
	return m
}

func taken(m *alerting.Message) { m.State, m.AckBy = alerting.Acknowledged, "Ana" }

func over(m *alerting.Message) { m.State, m.ResolvedAt = alerting.Resolved, m.At }

// openWith opens a notifier on a Slack.
func openWith(t *testing.T, p *alertingtest.Slack, setup alerting.ReceiverSetup) *notifier {
	t.Helper()
	c := &Config{
		Token: inventory.NewSecret(botToken), AppToken: inventory.NewSecret(appToken), SigningSecret: inventory.NewSecret(signingSecret),
		Channel: "C0123456789", APIURL: p.API(),
	}
	setup.Receiver.Name, setup.Words = "noc-slack", alertingtest.SampleWords
	if setup.PublicURL == "" {
		setup.PublicURL = "https://noc.example.com"
	}
	n, err := c.Open(setup)
	if err != nil {
		t.Fatal(err)
	}
	return n.(*notifier)
}

func tell(t *testing.T, n *notifier, m alerting.Message) {
	t.Helper()
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatalf("%s: %v", m.Cause, err)
	}
}

func decideNothing(context.Context, alerting.Command) (alerting.CommandResult, error) {
	return alerting.CommandResult{OK: true}, nil
}

// rootsOf are the messages of incidents in the channel.
func rootsOf(p *alertingtest.Slack) (roots, replies []alertingtest.SlackPosted) {
	for _, m := range p.Posted() {
		if m.Thread == "" {
			roots = append(roots, m)
		} else {
			replies = append(replies, m)
		}
	}
	return roots, replies
}

func TestOneLivingMessage(t *testing.T) {
	p := alertingtest.StartSlack(t)
	n := openWith(t, p, alerting.ReceiverSetup{Decide: decideNothing})
	s := &story{opened: time.Now().Add(-time.Hour)}
	steps := []struct {
		message   alerting.Message
		colour    string
		shows     string
		buttons   bool
		broadcast bool
	}{
		{s.next(alerting.CauseOpened, nil), "#c8102e", "Critical", true, false},
		{s.next(alerting.CauseSeverity, func(m *alerting.Message) { m.Severity = alerting.Major }), "#e86f00", "Major", true, true},
		{s.next(alerting.CauseAcknowledged, taken), "#c8102e", "Ana", true, false},
		{s.next(alerting.CauseResolved, over), overColour, "Resolved", false, false},
		{s.next(alerting.CauseReopened, nil), "#c8102e", "Critical", true, true},
	}
	for i, step := range steps {
		tell(t, n, step.message)
		roots, replies := rootsOf(p)
		if len(roots) != 1 || len(replies) != i {
			t.Fatalf("%s: %d messages and %d replies, want 1 and %d", step.message.Cause, len(roots), len(replies), i)
		}
		root := roots[0]
		if !strings.Contains(root.Attachments, `"color":"`+step.colour+`"`) || !strings.Contains(root.Raw(), step.shows) {
			t.Errorf("%s: want %s and %q in\n%s\n%s", step.message.Cause, step.colour, step.shows, root.Attachments, root.Raw())
		}
		for _, action := range []string{actionAcknowledge, actionEscalate, actionSnooze} {
			if strings.Contains(root.Attachments, action) != step.buttons {
				t.Errorf("%s: button %s there: %v, want %v", step.message.Cause, action, !step.buttons, step.buttons)
			}
		}
		if !strings.Contains(root.Attachments, "https://noc.example.com/incidents/2418") {
			t.Errorf("%s: no way to the page", step.message.Cause)
		}
		if i > 0 {
			last := replies[i-1]
			if last.Thread != root.TS || last.Broadcast != step.broadcast || last.Meta("key") != step.message.Key || strings.Contains(last.Blocks, actionAcknowledge) {
				t.Errorf("%s: the reply is %+v", step.message.Cause, last)
			}
		}
	}
	if got := p.Calls("conversations.history"); got != 1 {
		t.Errorf("the channel was read %d times, want once", got)
	}
}

// TestNoButtonsThatLeadNowhere: without a way back there are none.
func TestNoButtonsThatLeadNowhere(t *testing.T) {
	p := alertingtest.StartSlack(t)
	s := &story{opened: time.Now()}
	tell(t, openWith(t, p, alerting.ReceiverSetup{}), s.next(alerting.CauseOpened, nil))
	if roots, _ := rootsOf(p); strings.Contains(roots[0].Attachments, actionAcknowledge) {
		t.Error("there are buttons although nothing can be decided")
	}
}

func TestRestart(t *testing.T) {
	p := alertingtest.StartSlack(t)
	s := &story{opened: time.Now().Add(-time.Hour)}
	opened, repeat := s.next(alerting.CauseOpened, nil), s.next(alerting.CauseRepeat, nil)
	first := openWith(t, p, alerting.ReceiverSetup{Decide: decideNothing})
	tell(t, first, opened)
	tell(t, first, repeat)
	for range 450 { // the channel is busy: three pages
		p.Put(alertingtest.SlackPosted{TS: fmt.Sprintf("%d.%06d", time.Now().Unix(), len(p.Posted())+1), Text: "chatter", Bot: "B0OTHER"})
	}
	// Somebody else's message that claims to be about the incident, one of another Vigía, and one of another receiver.
	roots, _ := rootsOf(p)
	for i, change := range []func(*alertingtest.SlackPosted){
		func(m *alertingtest.SlackPosted) { m.Bot = "B0OTHER" },
		func(m *alertingtest.SlackPosted) {
			m.Metadata = strings.Replace(m.Metadata, "noc.example.com", "lab.example.com", 1)
		},
		func(m *alertingtest.SlackPosted) {
			m.Metadata = strings.Replace(m.Metadata, `"receiver":"noc-slack"`, `"receiver":"else"`, 1)
		},
	} {
		decoy := roots[0]
		decoy.TS = fmt.Sprintf("%d.%06d", time.Now().Add(-30*time.Minute).Unix(), i)
		change(&decoy)
		p.Put(decoy)
	}
	before := len(p.Posted())

	second := openWith(t, p, alerting.ReceiverSetup{Decide: decideNothing})
	tell(t, second, opened) // the process died before it could note that Slack had taken them
	tell(t, second, repeat)
	if got := len(p.Posted()); got != before {
		t.Fatalf("%d messages were posted twice", got-before)
	}
	tell(t, second, s.next(alerting.CauseResolved, over))
	posted := p.Posted()
	if got := len(posted) - before; got != 1 || posted[before].Thread != roots[0].TS {
		t.Fatalf("%d messages came, the last in the thread of %q, want 1 in that of %q", got, posted[before].Thread, roots[0].TS)
	}
	if !strings.Contains(posted[0].Raw(), "Resolved") || strings.Contains(posted[0].Attachments, actionAcknowledge) {
		t.Errorf("the old message does not show the end:\n%s", posted[0].Raw())
	}
	if got := p.Calls("conversations.history"); got != 1+3 {
		t.Errorf("the channel was read in %d pages, want 1 and 3", got)
	}
	// An incident that began after the start has no message of an earlier process.
	fresh := (&story{opened: time.Now().Add(2 * skew)}).next(alerting.CauseOpened, func(m *alerting.Message) { m.Incident = 2500 })
	tell(t, second, fresh)
	if got := p.Calls("conversations.history"); got != 1+3 {
		t.Error("the channel was read for an incident that nobody can have told of")
	}
}

// TestAnswerLost: Slack took the message, and its answer never came.
func TestAnswerLost(t *testing.T) {
	p := alertingtest.StartSlack(t)
	n := openWith(t, p, alerting.ReceiverSetup{})
	s := &story{opened: time.Now().Add(2 * skew)} // after the start: without a doubt nobody would look
	opened, repeat := s.next(alerting.CauseOpened, nil), s.next(alerting.CauseRepeat, nil)
	for i, m := range []alerting.Message{opened, repeat} {
		p.LoseAnswers("chat.postMessage", true)
		if _, err := n.Notify(t.Context(), m); err == nil || errors.Is(err, alerting.ErrPermanent) {
			t.Fatalf("%s: a lost answer gives %v", m.Cause, err)
		}
		p.LoseAnswers("chat.postMessage", false)
		tell(t, n, m)
		if got := len(p.Posted()); got != i+1 {
			t.Fatalf("%s: %d messages, want %d", m.Cause, got, i+1)
		}
	}
}

func TestSlowDownEverywhere(t *testing.T) {
	tests := map[string]func(s *story) []alerting.Message{
		"conversations.history": func(s *story) []alerting.Message { return []alerting.Message{s.next(alerting.CauseOpened, nil)} },
		"chat.postMessage":      func(s *story) []alerting.Message { return []alerting.Message{s.next(alerting.CauseOpened, nil)} },
		"chat.update": func(s *story) []alerting.Message {
			return []alerting.Message{s.next(alerting.CauseOpened, nil), s.next(alerting.CauseResolved, over)}
		},
	}
	for method, messages := range tests {
		t.Run(method, func(t *testing.T) {
			p := alertingtest.StartSlack(t)
			n := openWith(t, p, alerting.ReceiverSetup{})
			list := messages(&story{opened: time.Now().Add(-time.Hour)})
			for _, m := range list[:len(list)-1] {
				tell(t, n, m)
			}
			p.SlowDown(method, 9*time.Second)
			_, err := n.Notify(t.Context(), list[len(list)-1])
			var later *alerting.RetryAfterError
			if !errors.As(err, &later) || later.After != 9*time.Second {
				t.Fatalf("got %v, want to wait 9 s", err)
			}
			p.SlowDown(method, 0)
			tell(t, n, list[len(list)-1])
			if got := len(p.Posted()); got != len(list) {
				t.Errorf("%d messages, want %d: a reply that was taken is not posted again", got, len(list))
			}
		})
	}
}

func TestMessageGone(t *testing.T) {
	p := alertingtest.StartSlack(t)
	n := openWith(t, p, alerting.ReceiverSetup{})
	s := &story{opened: time.Now().Add(-time.Hour)}
	tell(t, n, s.next(alerting.CauseOpened, nil))
	p.Refuse("chat.postMessage", "thread_not_found")
	m := s.next(alerting.CauseRepeat, nil)
	if _, err := n.Notify(t.Context(), m); err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("a lost thread gives %v", err)
	}
	p.Refuse("chat.postMessage", "")
	tell(t, n, m)
	if roots, _ := rootsOf(p); len(roots) != 2 {
		t.Errorf("%d messages, want a second one after somebody removed the first", len(roots))
	}
	p.Refuse("chat.update", "edit_window_closed")
	tell(t, n, s.next(alerting.CauseResolved, over)) // the thread says it
	if _, replies := rootsOf(p); len(replies) != 1 {
		t.Errorf("%d replies, want 1", len(replies))
	}
}

// TestBlind: a bot that may only write tells all the same.
func TestBlind(t *testing.T) {
	p := alertingtest.StartSlack(t)
	p.Refuse("conversations.history", "missing_scope")
	p.Refuse("conversations.replies", "missing_scope")
	n := openWith(t, p, alerting.ReceiverSetup{})
	s := &story{opened: time.Now().Add(-time.Hour)}
	tell(t, n, s.next(alerting.CauseOpened, nil))
	end := s.next(alerting.CauseResolved, over)
	p.SlowDown("chat.update", time.Second)
	if _, err := n.Notify(t.Context(), end); err == nil {
		t.Error("an edit that was refused for now is not tried again")
	}
	p.SlowDown("chat.update", 0)
	tell(t, n, end) // what was taken before is remembered
	if roots, replies := rootsOf(p); len(roots) != 1 || len(replies) != 1 || roots[0].Edits != 1 {
		t.Errorf("%d messages, %d replies", len(roots), len(replies))
	}
}

// TestOldNewsDoNotReturn: a late attempt at an older notification does not turn the message back.
func TestOldNewsDoNotReturn(t *testing.T) {
	p := alertingtest.StartSlack(t)
	n := openWith(t, p, alerting.ReceiverSetup{})
	s := &story{opened: time.Now().Add(-time.Hour)}
	opened, repeat, resolved := s.next(alerting.CauseOpened, nil), s.next(alerting.CauseRepeat, nil), s.next(alerting.CauseResolved, over)
	tell(t, n, opened)
	tell(t, n, resolved)
	tell(t, openWith(t, p, alerting.ReceiverSetup{}), repeat) // even after a restart
	if roots, _ := rootsOf(p); !strings.Contains(roots[0].Raw(), "Resolved") {
		t.Errorf("the message shows old news:\n%s", roots[0].Raw())
	}
}

// TestDigestEdits: what a digest tells about incidents reaches their own messages.
func TestDigestEdits(t *testing.T) {
	p := alertingtest.StartSlack(t)
	n := openWith(t, p, alerting.ReceiverSetup{Decide: decideNothing})
	s := &story{opened: time.Now().Add(-time.Hour)}
	tell(t, n, s.next(alerting.CauseOpened, nil))
	n = openWith(t, p, alerting.ReceiverSetup{Decide: decideNothing}) // after a restart
	m := alertingtest.SampleDigest(3)                                 // of incidents that have no message
	m.Digest = append(m.Digest, s.next(alerting.CauseResolved, over), s.next(alerting.CauseRepeat, func(m *alerting.Message) { m.At = s.opened }))
	tell(t, n, m)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	alertingtest.Soon(t, "the message shows the end", func() bool { return strings.Contains(p.Posted()[0].Raw(), "Resolved") })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPicture(t *testing.T) {
	p := alertingtest.StartSlack(t)
	history := func(_ context.Context, _ collectors.Series, from, to time.Time) ([]alerting.Reading, error) {
		return []alerting.Reading{{At: from, Value: 1}, {At: from.Add(time.Minute), Value: math.NaN()}, {At: to, Value: 12}}, nil
	}
	n := openWith(t, p, alerting.ReceiverSetup{History: history})
	s := &story{opened: time.Now().Add(-time.Hour)}
	tell(t, n, s.next(alerting.CauseOpened, nil))
	tell(t, n, s.next(alerting.CauseResolved, over))
	files := p.Files()
	if len(files) != 1 || !strings.HasPrefix(string(files[0]), "\x89PNG") {
		t.Fatalf("%d files, want one PNG", len(files))
	}
	form := p.Last("files.completeUploadExternal")
	if roots, _ := rootsOf(p); form.Get("thread_ts") != roots[0].TS || form.Get("channel_id") != "C0123456789" {
		t.Errorf("the picture went to %v", form)
	}
	for name, history := range map[string]alerting.History{
		"fails": func(context.Context, collectors.Series, time.Time, time.Time) ([]alerting.Reading, error) {
			return nil, errors.New("away")
		},
		"hangs": func(ctx context.Context, _ collectors.Series, _, _ time.Time) ([]alerting.Reading, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		n := openWith(t, p, alerting.ReceiverSetup{History: history})
		if _, err := n.Notify(t.Context(), (&story{opened: time.Now().Add(2 * skew)}).next(alerting.CauseOpened, func(m *alerting.Message) { m.Incident = int64(len(name)) })); err != nil {
			t.Errorf("a history that %s fails the message: %v", name, err)
		}
	}
}

func TestRootsAreBounded(t *testing.T) {
	r := newRoots(time.Now())
	for i := range int64(5000) {
		r.set(i, root{ts: "1.1"})
		r.doubt(fmt.Sprint(i), time.Now())
	}
	_, known := r.of(4999)
	if _, ask := r.unsure(doubtOf(1), time.Now().Add(-time.Second)); len(r.by) != maxRoots || len(r.order) != maxRoots || !known || len(r.doubts) > maxDoubts || !ask {
		t.Errorf("%d roots, %d in order, %d doubts; what was forgotten is looked for: %v", len(r.by), len(r.order), len(r.doubts), ask)
	}
}
