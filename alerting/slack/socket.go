package slack

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"vigia/alerting"
)

// Times of Socket Mode.
const (
	firstWait   = 250 * time.Millisecond
	longestWait = time.Minute
	steadyAfter = time.Minute // a connection that lasted so long was a good one
	handshake   = 10 * time.Second
)

const (
	maxFrame   = 1 << 20
	maxPresses = 8 // that are carried out at once
)

// Listening reports whether buttons come by Socket Mode, and whether it is connected.
func (n *notifier) Listening() (connected, wanted bool) { return n.connected.Load(), n.sockets }

// listen keeps a connection to Slack until ctx ends: after each it waits a moment, longer after each that did not last.
func (n *notifier) listen(ctx context.Context) {
	wait, said := firstWait, ""
	for {
		began := time.Now()
		err := n.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steadyAfter {
			wait, said = firstWait, ""
		}
		if text := n.failure(ctx, err).Error(); text != said {
			said = text
			n.logger.Warn("Slack's Socket Mode is not connected; it is tried again, and buttons wait", "err", text)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, longestWait)
	}
}

var errEnded = errors.New("the connection ended")

// session is one connection. It ends with it.
func (n *notifier) session(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	client := socketmode.New(n.api, socketmode.OptionReadLimit(maxFrame), socketmode.OptionLog(log.New(io.Discard, "", 0)),
		socketmode.OptionDialer(&websocket.Dialer{HandshakeTimeout: handshake, WriteBufferSize: 4 << 10}))
	s := &session{notifier: n, client: client, end: cancel, places: make(chan struct{}, maxPresses)}
	var running sync.WaitGroup
	running.Go(func() {
		err := client.RunContext(ctx)
		if errors.Is(err, context.Canceled) {
			err = errEnded
		}
		cancel(err)
	})
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case event := <-client.Events:
			s.handle(ctx, event)
		}
	}
	n.connected.Store(false)
	running.Wait()
	s.presses.Wait()
	return context.Cause(ctx)
}

type session struct {
	*notifier
	client  *socketmode.Client
	end     context.CancelCauseFunc
	presses sync.WaitGroup
	places  chan struct{}
}

// handle takes one event. A second attempt to connect ends the session: waiting between them is ours.
func (s *session) handle(ctx context.Context, event socketmode.Event) {
	switch data := event.Data.(type) {
	case *socketmode.ConnectedEvent:
		s.connected.Store(true)
		s.logger.Info("Slack's Socket Mode is connected: buttons work")
	case *slackapi.ConnectingEvent:
		if data.ConnectionCount > 0 || data.Attempt > 1 {
			s.end(errEnded)
		}
	case *slackapi.ConnectionErrorEvent:
		s.end(data.ErrorObj)
	case *slackapi.InvalidAuthEvent:
		s.end(slackapi.StatusCodeError{Code: http.StatusNotFound, Status: "404"})
	case slackapi.InteractionCallback:
		s.press(ctx, event.Request, data)
	default:
		if event.Request != nil && event.Request.EnvelopeID != "" { // a greeting has none
			s.acknowledge(ctx, event.Request)
		}
	}
}

// acknowledge tells Slack that an envelope has come: it must within three seconds, or it is sent again.
func (s *session) acknowledge(ctx context.Context, request *socketmode.Request) {
	if err := s.client.AckCtx(ctx, request.EnvelopeID, nil); err != nil {
		s.logger.Debug("an envelope of Slack's could not be acknowledged; it comes again", "err", alerting.Outcome(err.Error(), s.secrets...))
	}
}

// press acknowledges the envelope and carries out what it says, which is finished when the connection ends meanwhile.
func (s *session) press(ctx context.Context, request *socketmode.Request, cb slackapi.InteractionCallback) {
	if request != nil {
		s.acknowledge(ctx, request)
	}
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return
	}
	now := time.Now()
	s.presses.Go(func() {
		defer func() { <-s.places }()
		s.take(context.WithoutCancel(ctx), &cb, now)
	})
}
