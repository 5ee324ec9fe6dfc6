package alertingtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// slackSockets are the connections of Socket Mode.
type slackSockets struct {
	mu    sync.Mutex
	conns []*websocket.Conn
	count int
	acked []string // envelope ids
}

func (s *slackSockets) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s.mu.Lock()
	s.conns, s.count = append(s.conns, conn), s.count+1
	err = conn.WriteJSON(map[string]any{"type": "hello", "num_connections": 1})
	s.mu.Unlock()
	for err == nil {
		var answer struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if err = conn.ReadJSON(&answer); err == nil {
			s.mu.Lock()
			s.acked = append(s.acked, answer.EnvelopeID)
			s.mu.Unlock()
		}
	}
	s.mu.Lock()
	s.conns = slices.DeleteFunc(s.conns, func(c *websocket.Conn) bool { return c == conn })
	s.mu.Unlock()
	conn.Close()
}

func (s *slackSockets) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// Sockets says how many connections there were, and how many there are.
func (s *Slack) Sockets() (ever, now int) {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	return s.sockets.count, len(s.sockets.conns)
}

// DropSockets cuts every connection.
func (s *Slack) DropSockets() { s.sockets.closeAll() }

// Acked are the envelopes that were acknowledged.
func (s *Slack) Acked() []string {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	return slices.Clone(s.sockets.acked)
}

// SendPress sends a press over a connection of Socket Mode.
func (s *Slack) SendPress(t *testing.T, envelope, payload string) {
	t.Helper()
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	if len(s.sockets.conns) == 0 {
		t.Fatal("nobody is connected")
	}
	err := s.sockets.conns[0].WriteJSON(map[string]any{
		"type": "interactive", "envelope_id": envelope, "accepts_response_payload": false, "payload": json.RawMessage(payload),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// SlackPress is the payload of a pressed button: the first one with this action in a message's attachments. It fails where there is none.
func SlackPress(t *testing.T, p SlackPosted, action, user, at string) string {
	t.Helper()
	var list []struct {
		Blocks []struct {
			BlockID  string `json:"block_id"`
			Elements []struct {
				ActionID string `json:"action_id"`
				Value    string `json:"value"`
			} `json:"elements"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal([]byte(p.Attachments), &list); err != nil {
		t.Fatalf("read the attachments: %v", err)
	}
	for _, a := range list {
		for _, b := range a.Blocks {
			for _, e := range b.Elements {
				if e.ActionID == action {
					return fmt.Sprintf(`{"type":"block_actions","trigger_id":"1.2.3","team":{"id":"T1"},"user":{"id":%q,"username":"login"},`+
						`"container":{"type":"message_attachment","message_ts":%q,"channel_id":"C0123456789"},"channel":{"id":"C0123456789"},`+
						`"actions":[{"type":"button","action_id":%q,"block_id":%q,"value":%q,"action_ts":%q}]}`,
						user, p.TS, e.ActionID, b.BlockID, e.Value, at)
				}
			}
		}
	}
	t.Fatalf("the message has no button %s: %s", action, p.Attachments)
	return ""
}

// Soon waits until something is so; it fails after ten seconds.
func Soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("it did not happen: %s", what)
		case <-tick.C:
		}
	}
}
