package alertingtest

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// SlackPosted is one message in the channel of a Slack.
type SlackPosted struct {
	TS, Thread  string
	Broadcast   bool
	Text        string
	Blocks      string // JSON
	Attachments string // JSON
	Metadata    string // JSON
	Edits       int
	Bot         string
}

// SlackCall is one call of a method.
type SlackCall struct {
	Method string
	Form   url.Values
}

// Slack is one channel with one bot, as far as a notifier needs them, and behaves as Slack documents: history newest first and in pages,
// metadata only when it is asked for, 429 with Retry-After, refusals in words with status 200.
type Slack struct {
	Server *httptest.Server
	gone   chan struct{}

	mu       sync.Mutex
	answer   Answer
	refusals map[string]string // Slack's words for why not, by method; "" for all methods
	slow     map[string]time.Duration
	posted   []*SlackPosted
	attempts []SlackPosted // every chat.postMessage, accepted or not
	calls    []SlackCall
	files    [][]byte
	told     []SlackCall // chat.postEphemeral
	people   map[string]string
	sockets  slackSockets
	lost     map[string]bool // methods that are carried out, and whose answers do not arrive
}

// StartSlack starts one on loopback.
func StartSlack(t *testing.T) *Slack {
	t.Helper()
	s := &Slack{gone: make(chan struct{}), refusals: map[string]string{}, slow: map[string]time.Duration{}, people: map[string]string{}, lost: map[string]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	t.Cleanup(func() { close(s.gone); s.sockets.closeAll() })
	return s
}

// API is its address.
func (s *Slack) API() string { return s.Server.URL + "/api" }

// Set changes how it answers from now on.
func (s *Slack) Set(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = a
}

// Refuse lets a method, or "" for every one, say a word of refusal; no word ends that.
func (s *Slack) Refuse(method, word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals[method] = word
}

// SlowDown lets a method answer 429 with a wait; 0 ends that.
func (s *Slack) SlowDown(method string, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow[method] = wait
}

// LoseAnswers lets a method be carried out and its answer be lost on the way.
func (s *Slack) LoseAnswers(method string, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost[method] = lost
}

// Person gives an id a name.
func (s *Slack) Person(id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[id] = name
}

// Put adds a message of somebody else.
func (s *Slack) Put(p SlackPosted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posted = append(s.posted, &p)
}

// Posted are the messages that are there, oldest first.
func (s *Slack) Posted() []SlackPosted {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []SlackPosted
	for _, p := range s.posted {
		list = append(list, *p)
	}
	return list
}

// Told are the ephemeral messages.
func (s *Slack) Told() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []url.Values
	for _, c := range s.told {
		list = append(list, c.Form)
	}
	return list
}

// Files are what was uploaded and completed.
func (s *Slack) Files() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.files)
}

// Calls counts the calls of a method.
func (s *Slack) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.calls {
		if c.Method == method {
			n++
		}
	}
	return n
}

// Last is the last call of a method.
func (s *Slack) Last(method string) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range slices.Backward(s.calls) {
		if c.Method == method {
			return c.Form
		}
	}
	return nil
}

// ServeHTTP takes a call.
func (s *Slack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/socket" {
		s.sockets.serve(w, r)
		return
	}
	if r.URL.Path == "/upload" {
		s.upload(w, r)
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/api/")
	if !ok || r.ParseForm() != nil {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	s.calls = append(s.calls, SlackCall{method, r.Form})
	answer, refusal, slow, lost := s.answer, s.refusals[method]+s.refusals[""], s.slow[method], s.lost[method]
	if method == "chat.postMessage" {
		s.attempts = append(s.attempts, postedOf(r.Form))
	}
	s.mu.Unlock()
	if answer == SlowDown {
		slow = PeerWait
	}
	switch {
	case answer == Hang:
		select {
		case <-r.Context().Done():
		case <-s.gone:
		}
	case slow > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(slow/time.Second)))
		http.Error(w, "slowly", http.StatusTooManyRequests)
	case answer == RefuseNow:
		s.refuse(w, "internal_error")
	case answer == RefuseForGood:
		s.refuse(w, "channel_not_found")
	case answer == Echo:
		s.refuse(w, "odd_error "+r.Form.Get("token")+r.Header.Get("Authorization"))
	case refusal != "":
		s.refuse(w, refusal)
	case lost:
		s.carryOut(httptest.NewRecorder(), r, method)
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	default:
		s.carryOut(w, r, method)
	}
}

func (s *Slack) refuse(w http.ResponseWriter, word string) {
	say(w, map[string]any{"ok": false, "error": word})
}

func say(w http.ResponseWriter, answer map[string]any) {
	if _, set := answer["ok"]; !set {
		answer["ok"] = true
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // a caller that has gone is no error of ours
}

func (s *Slack) carryOut(w http.ResponseWriter, r *http.Request, method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch method {
	case "auth.test":
		say(w, map[string]any{"user_id": "U0BOT", "bot_id": "B0OURS", "team_id": "T1"})
	case "users.info":
		name, known := s.people[r.Form.Get("user")]
		if !known {
			s.refuse(w, "user_not_found")
			return
		}
		say(w, map[string]any{"user": map[string]any{"id": r.Form.Get("user"), "name": "login", "profile": map[string]any{"display_name": name}}})
	case "chat.postMessage":
		p := postedOf(r.Form)
		p.TS, p.Bot = fmt.Sprintf("%d.%06d", time.Now().Unix(), len(s.posted)+1), "B0OURS"
		s.posted = append(s.posted, &p)
		say(w, map[string]any{"channel": r.Form.Get("channel"), "ts": p.TS})
	case "chat.update":
		s.update(w, r.Form)
	case "chat.postEphemeral":
		s.told = append(s.told, SlackCall{method, r.Form})
		say(w, map[string]any{"message_ts": "1.1"})
	case "conversations.history":
		s.list(w, r.Form, func(p *SlackPosted) bool { return p.Thread == "" || p.Broadcast })
	case "conversations.replies":
		s.list(w, r.Form, func(p *SlackPosted) bool { return p.TS == r.Form.Get("ts") || p.Thread == r.Form.Get("ts") })
	case "files.getUploadURLExternal":
		say(w, map[string]any{"upload_url": s.Server.URL + "/upload", "file_id": "F1"})
	case "files.completeUploadExternal":
		say(w, map[string]any{"files": []any{map[string]any{"id": "F1", "title": "chart"}}})
	case "apps.connections.open":
		say(w, map[string]any{"url": "ws" + strings.TrimPrefix(s.Server.URL, "http") + "/socket"})
	default:
		s.refuse(w, "unknown_method")
	}
}

func (s *Slack) upload(w http.ResponseWriter, r *http.Request) {
	file, _, err := r.FormFile("file")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	data, err := io.ReadAll(file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, data)
}

func postedOf(form url.Values) SlackPosted {
	return SlackPosted{
		Thread: form.Get("thread_ts"), Broadcast: form.Get("reply_broadcast") == "true", Text: form.Get("text"),
		Blocks: form.Get("blocks"), Attachments: form.Get("attachments"), Metadata: form.Get("metadata"),
	}
}

func (s *Slack) update(w http.ResponseWriter, form url.Values) {
	for _, p := range s.posted {
		if p.TS != form.Get("ts") {
			continue
		}
		if p.Bot != "B0OURS" {
			s.refuse(w, "cant_update_message")
			return
		}
		fresh := postedOf(form)
		p.Text, p.Blocks, p.Attachments, p.Edits = fresh.Text, fresh.Blocks, fresh.Attachments, p.Edits+1
		if fresh.Metadata != "" {
			p.Metadata = fresh.Metadata
		}
		say(w, map[string]any{"channel": form.Get("channel"), "ts": p.TS, "text": p.Text})
		return
	}
	s.refuse(w, "message_not_found")
}

// list answers a question about the past, in pages.
func (s *Slack) list(w http.ResponseWriter, form url.Values, in func(*SlackPosted) bool) {
	var found []map[string]any
	for _, p := range slices.Backward(s.posted) {
		oldest, latest := form.Get("oldest"), form.Get("latest")
		if !in(p) || oldest != "" && p.TS <= oldest || latest != "" && p.TS >= latest {
			continue
		}
		m := map[string]any{"type": "message", "ts": p.TS, "text": p.Text, "bot_id": p.Bot}
		if p.Thread != "" {
			m["thread_ts"] = p.Thread
		}
		if yes := form.Get("include_all_metadata"); (yes == "1" || yes == "true") && p.Metadata != "" {
			m["metadata"] = json.RawMessage(p.Metadata)
		}
		found = append(found, m)
	}
	limit, _ := strconv.Atoi(form.Get("limit"))  // what cannot be read is no limit
	begin, _ := strconv.Atoi(form.Get("cursor")) // nor a place
	if limit <= 0 {
		limit = 100
	}
	end, next := begin+limit, ""
	if end < len(found) {
		next = strconv.Itoa(end)
	}
	page := append([]map[string]any{}, found[min(begin, len(found)):min(end, len(found))]...)
	say(w, map[string]any{"messages": page, "has_more": next != "", "response_metadata": map[string]any{"next_cursor": next}})
}

// Copies are the attempts to post, as they would be read.
func (s *Slack) Copies() []Copy {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Copy
	for _, p := range s.attempts {
		raw := p.Raw()
		list = append(list, Copy{Key: p.Meta("key"), Text: html.UnescapeString(raw), Raw: raw})
	}
	return list
}

// Meta is one word of the metadata.
func (p SlackPosted) Meta(name string) string {
	var meta struct {
		EventPayload map[string]string `json:"event_payload"`
	}
	if err := json.Unmarshal([]byte(p.Metadata), &meta); err != nil {
		return err.Error()
	}
	return meta.EventPayload[name]
}

// Raw is every text of a message in Slack's markup, and the addresses of its buttons.
func (p SlackPosted) Raw() string {
	list := []string{p.Text}
	list = markupIn(list, p.Blocks)
	return strings.Join(markupIn(list, p.Attachments), "\n")
}

func markupIn(list []string, text string) []string {
	if text == "" {
		return list
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return append(list, "not JSON: "+err.Error())
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			for key, one := range v {
				if text, ok := one.(string); ok && (key == "text" || key == "url") {
					list = append(list, text)
				} else {
					walk(one)
				}
			}
		}
	}
	walk(v)
	return list
}
