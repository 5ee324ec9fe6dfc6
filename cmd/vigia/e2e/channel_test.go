package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

const channelConfig = `listen: %[1]s
store: %[2]s
sites: [{name: here}]
links:
  - {name: main,  site: here, peer: P, checks: [{kind: tcp, address: "%[3]s", every: 1s, timeout: 500ms}]}
  - {name: taken, site: here, peer: P, checks: [{kind: tcp, address: "%[4]s", every: 1s, timeout: 500ms}]}
thresholds:
  - {metric: up, on: link/main,  tiers: [{severity: critical, raise: 0, clear: 1}], policy: noc}
  - {metric: up, on: link/taken, tiers: [{severity: critical, raise: 0, clear: 1}], policy: taken}
  - {metric: vigia_receiver_failing, on: vigia/*, tiers: [{severity: major, raise: 1, clear: 0}], policy: self}
policies:
  - {name: noc, fallback: managers, levels: [{name: L1, after: 0s, notify: [well, broken, busy, shut, silent, away, later, never, mute], repeat: 60m}]}
  - {name: taken, fallback: managers, levels: [{name: L1, after: 0s, notify: [stuck], repeat: 60m}]}
  - {name: self, levels: [{name: ADMIN, after: 0s, notify: [admin], repeat: 60m}]}
mail: {from: vigia@example.com}
receivers:
  - {name: well,     kind: webhook, url: "%[5]s/well"}
  - {name: broken,   kind: webhook, url: "%[5]s/broken"}
  - {name: busy,     kind: webhook, url: "%[5]s/busy"}
  - {name: shut,     kind: webhook, url: "%[5]s/shut"}
  - {name: silent,   kind: webhook, url: "%[5]s/silent"}
  - {name: away,     kind: webhook, url: "http://%[6]s/away"}
  - {name: stuck,    kind: webhook, url: "%[5]s/stuck"}
  - {name: managers, kind: webhook, url: "%[5]s/managers"}
  - {name: admin,    kind: webhook, url: "%[5]s/admin"}
  - {name: later,    kind: email, smtp: "smtp://%[7]s", to: [later@example.com]}
  - {name: never,    kind: email, smtp: "smtp://%[7]s", to: [never@example.com]}
  - {name: mute,     kind: email, smtp: "smtp://%[8]s", to: [mute@example.com]}
`

// inTime is when the fallback must have heard that a receiver cannot be reached: 45 s, and the attempt that is under way then.
const inTime = 45*time.Second + 8*time.Second

// TestChannelFaults breaks every receiver of a level in its own way. Nothing is lost, none delays another, the fallback is told in time, an
// alarm says which receiver fails and clears when it works again, and an acknowledgement takes the place of what was to be tried again.
func TestChannelFaults(t *testing.T) {
	w := newChannelWorld(t)
	w.down.turn(t)
	w.taken.turn(t)
	w.atOnce()
	w.acknowledgedInstead()
	w.patience()
	w.mended()
}

type channelWorld struct {
	t           *testing.T
	p           *process
	down, taken *crashTarget
	sink        *channelSink
	away        *crashTarget // where nobody listens until it is mended
	mute        *muteListener
	start       time.Time
}

func newChannelWorld(t *testing.T) *channelWorld {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	w := &channelWorld{t: t, down: newCrashTarget(t, rng), taken: newCrashTarget(t, rng), sink: newChannelSink(), away: newCrashTarget(t, rng)}
	w.away.turn(t)
	hook := w.sink.serve(t, listen(t))
	mail := w.sink.mail(t, listen(t))
	w.mute = &muteListener{Listener: listen(t), muted: true}
	w.sink.mail(t, w.mute)
	dir, at := t.TempDir(), freeAddress(t)
	file := filepath.Join(dir, "vigia.yaml")
	text := fmt.Appendf(nil, channelConfig, at, "sqlite:"+filepath.Join(dir, "vigia.db"), w.down.addr, w.taken.addr, "http://"+hook, w.away.addr, mail, w.mute.Addr())
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.p = start(t, at, "run", "-c", file)
	return w
}

// until fails the test unless it is so within the time.
func (w *channelWorld) until(d time.Duration, what string, so func() bool) {
	w.t.Helper()
	if !eventually(d, so) {
		w.t.Fatalf("after %s: %s\n%s\n%s", d, what, w.sink, w.p.output)
	}
}

// atOnce: everybody is tried at once, and what is refused for good, or for longer than the fallback's time, is told to the fallback at once.
func (w *channelWorld) atOnce() {
	w.t.Helper()
	w.until(5*time.Second, "well was not told", func() bool { return len(w.sink.heard("well", "opened")) == 1 })
	w.start = w.sink.heard("well", "opened")[0].at
	for _, receiver := range []string{"broken", "busy", "shut", "silent", "later", "never"} {
		w.until(2*time.Second, receiver+" was not tried beside the others", func() bool { return w.sink.tries(receiver) > 0 })
	}
	for _, receiver := range []string{"shut", "never"} {
		w.until(3*time.Second, "the fallback was not told of "+receiver, func() bool { return w.sink.insteadOf(receiver) == 1 })
		w.until(3*time.Second, "no alarm says that "+receiver+" fails", func() bool { return slices.Contains(w.failing(), receiver) })
	}
	w.until(6*time.Second, "busy was not told when it had said", func() bool { return len(w.sink.heard("busy", "opened")) == 1 })
	if waited := w.sink.heard("busy", "opened")[0].at.Sub(w.start); waited < 2900*time.Millisecond {
		w.t.Errorf("busy asked for 3 s and was told after %s", waited)
	}
}

// acknowledgedInstead: who takes an incident while its page is to be tried again is what the receiver hears of.
func (w *channelWorld) acknowledgedInstead() {
	w.t.Helper()
	w.until(5*time.Second, "stuck was not tried twice", func() bool { return w.sink.tries("stuck") > 1 })
	id := w.incident("link/taken").ID
	if status := takeIncident(w.t.Context(), w.p.base, id, "mine"); status != http.StatusOK {
		w.t.Fatalf("acknowledging incident %d: status %d", id, status)
	}
	w.sink.mend("stuck")
	w.until(10*time.Second, "stuck did not hear who has it", func() bool { return len(w.sink.heard("stuck", "acknowledged")) == 1 })
	if n := len(w.sink.heard("stuck", "opened")); n != 0 {
		w.t.Errorf("stuck was paged %d times after the incident was taken", n)
	}
	for _, n := range w.incident("link/taken").Notifications {
		if n.Cause == "opened" && n.State != "superseded" {
			w.t.Errorf("%s is %s, want superseded", n.Key, n.State)
		}
	}
}

// patience: what another attempt may mend is tried until the fallback's time; each is mended then, and hears what it missed.
func (w *channelWorld) patience() {
	w.t.Helper()
	waiting := []string{"broken", "silent", "away", "later", "mute"}
	for _, r := range waiting {
		if n := w.sink.insteadOf(r); n != 0 {
			w.t.Errorf("the fallback was told of %s after %s", r, time.Since(w.start))
		}
	}
	w.until(time.Until(w.start.Add(inTime)), "the fallback was not told of everybody in time", func() bool {
		waiting = slices.DeleteFunc(waiting, func(r string) bool {
			if w.sink.insteadOf(r) == 0 {
				return false
			}
			if after := time.Since(w.start); after < 40*time.Second {
				w.t.Errorf("%s was given up after %s", r, after)
			}
			w.mend(r)
			return true
		})
		return len(waiting) == 0
	})
	for _, r := range []string{"broken", "silent", "away", "later", "mute"} {
		w.until(8*time.Second, r+" was not told what it had missed", func() bool { return len(w.sink.heard(r, "opened")) == 1 })
	}
}

func (w *channelWorld) mend(receiver string) {
	w.sink.mend(receiver)
	switch receiver {
	case "away":
		l, err := net.Listen("tcp", w.away.addr)
		if err != nil {
			w.t.Fatal(err)
		}
		w.sink.serve(w.t, l)
	case "mute":
		w.mute.speak()
	}
}

// mended: with the recovery everybody is told, the alarms clear, and the books say so. Only shut asked not to be spoken to, and is not.
func (w *channelWorld) mended() {
	w.t.Helper()
	w.mend("never")
	w.down.mend(w.t)
	for _, r := range []string{"well", "broken", "busy", "silent", "away", "later", "never", "mute", "managers"} {
		w.until(8*time.Second, r+" was not told of the recovery", func() bool { return len(w.sink.heard(r, "resolved")) == 1 })
	}
	w.until(5*time.Second, "an alarm of a receiver that works stands", func() bool { return slices.Equal(w.failing(), []string{"shut"}) })
	w.until(5*time.Second, "the administrator was not told of each receiver", func() bool {
		return len(w.sink.heard("admin", "opened")) == 7 && len(w.sink.heard("admin", "resolved")) == 6
	})
	if n := w.sink.tries("shut"); n != 1 {
		w.t.Errorf("shut asked for two minutes and was tried %d times", n)
	}
	for _, n := range w.incident("link/main").Notifications {
		want := "sent"
		switch {
		case n.Receiver == "shut" && n.Cause == "resolved":
			want = "pending"
		case n.Receiver == "shut", n.Receiver == "never" && n.Cause == "opened":
			want = "given_up"
		}
		if n.State != want {
			w.t.Errorf("%s is %s, want %s", n.Key, n.State, want)
		}
	}
	for key, n := range w.sink.copies() {
		if n > 1 {
			w.t.Errorf("%s was accepted %d times", key, n)
		}
	}
	if strings.Contains(w.p.output.String(), "panic") {
		w.t.Errorf("the process says:\n%s", w.p.output)
	}
}

// failing lists the receivers whose alarm stands.
func (w *channelWorld) failing() []string {
	var list struct {
		Alarms []struct {
			Series struct{ Metric, Instance string } `json:"series"`
		} `json:"alarms"`
	}
	if err := w.p.getJSON("/api/v1/alarms?active=true", &list); err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, a := range list.Alarms {
		if a.Series.Metric == "vigia_receiver_failing" {
			names = append(names, a.Series.Instance)
		}
	}
	return names
}

// incident is the newest incident about ref.
func (w *channelWorld) incident(ref string) crashIncident {
	w.t.Helper()
	var list struct {
		Incidents []crashIncident `json:"incidents"`
	}
	if err := w.p.getJSON("/api/v1/incidents?ref="+ref, &list); err != nil || len(list.Incidents) == 0 {
		w.t.Fatalf("no incident about %s: %v", ref, err)
	}
	var detail crashIncident
	if err := w.p.getJSON(fmt.Sprintf("/api/v1/incidents/%d", list.Incidents[0].ID), &detail); err != nil {
		w.t.Fatal(err)
	}
	return detail
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// channelSink is the other side of every receiver: each misbehaves in its own way until it is mended.
type channelSink struct {
	mu    sync.Mutex
	well  map[string]bool
	tried map[string]int
	told  []crashTold // what was accepted
}

func newChannelSink() *channelSink {
	well := map[string]bool{"well": true, "managers": true, "admin": true, "away": true, "mute": true}
	return &channelSink{well: well, tried: map[string]int{}}
}

// String lists what was accepted.
func (s *channelSink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := fmt.Sprintf("tried: %v\n", s.tried)
	for _, m := range s.told {
		text += fmt.Sprintf("%s %s %s\n", clock(m.at), m.receiver, m.Key)
	}
	return text
}

func (s *channelSink) mend(receiver string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.well[receiver] = true
}

// try counts an attempt and says whether it is the first, and whether the receiver works.
func (s *channelSink) try(receiver string) (first, well bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried[receiver]++
	return s.tried[receiver] == 1, s.well[receiver]
}

func (s *channelSink) tries(receiver string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried[receiver]
}

func (s *channelSink) accept(receiver string, m crashTold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range append(m.Items, m)[:max(len(m.Items), 1)] {
		one.at, one.receiver = time.Now(), receiver
		s.told = append(s.told, one)
	}
}

// heard is what a receiver accepted about the links for this cause; the administrator hears of receivers.
func (s *channelSink) heard(receiver, cause string) (list []crashTold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.told {
		if m.receiver == receiver && m.Cause == cause && (receiver != "managers" || strings.HasPrefix(m.Ref, "link/main")) {
			list = append(list, m)
		}
	}
	return list
}

// insteadOf is how often the fallback was told what a receiver could not be.
func (s *channelSink) insteadOf(receiver string) (n int) {
	for _, m := range s.heard("managers", "fallback") {
		if strings.HasPrefix(m.Undelivered, receiver+":") {
			n++
		}
	}
	return n
}

func (s *channelSink) copies() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, m := range s.told {
		n[m.Key]++
	}
	return n
}

// serve answers webhooks at l and returns its address.
func (s *channelSink) serve(t *testing.T, l net.Listener) string {
	server := &http.Server{Handler: s}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

func (s *channelSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	receiver := strings.TrimPrefix(r.URL.Path, "/")
	var m crashTold
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	first, well := s.try(receiver)
	switch {
	case well || receiver == "busy" && !first:
		s.accept(receiver, m)
		w.WriteHeader(http.StatusAccepted)
	case receiver == "busy":
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusTooManyRequests)
	case receiver == "shut":
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusTooManyRequests)
	case receiver == "silent":
		<-r.Context().Done()
	default:
		http.Error(w, "out of order", http.StatusInternalServerError)
	}
}

// mail is a mail server at l. It defers later@ and refuses never@ until they are mended.
func (s *channelSink) mail(t *testing.T, l net.Listener) string {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &channelMail{sink: s}, nil }))
	server.Domain = "peer.example"
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

type channelMail struct {
	sink *channelSink
	to   string
}

func (c *channelMail) Mail(string, *smtp.MailOptions) error { return nil }

func (c *channelMail) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to, _, _ = strings.Cut(to, "@")
	_, well := c.sink.try(c.to)
	switch {
	case well:
		return nil
	case c.to == "never":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody of that name"}
	}
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come back later"}
}

func (c *channelMail) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	cause := "opened"
	if strings.Contains(string(raw), "Resolved") {
		cause = "resolved"
	}
	c.sink.accept(c.to, crashTold{Key: c.to + "." + cause, Cause: cause})
	return nil
}

func (c *channelMail) Reset()        {}
func (c *channelMail) Logout() error { return nil }

// muteListener takes connections and, while it is mute, never says a word to them.
type muteListener struct {
	net.Listener
	mu    sync.Mutex
	muted bool
	held  []net.Conn
}

func (m *muteListener) Accept() (net.Conn, error) {
	for {
		conn, err := m.Listener.Accept()
		if err != nil {
			return nil, err
		}
		m.mu.Lock()
		muted := m.muted
		if muted {
			m.held = append(m.held, conn)
		}
		m.mu.Unlock()
		if !muted {
			return conn, nil
		}
	}
}

func (m *muteListener) speak() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.muted = false
	for _, conn := range m.held {
		conn.Close()
	}
}
