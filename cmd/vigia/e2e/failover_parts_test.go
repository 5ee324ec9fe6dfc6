package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// seat is a place where a vigia runs: its address, its file, its own way to the database.
type seat struct {
	t      *testing.T
	listen string
	file   string
	way    *way
	p      *process
}

func newSeat(t *testing.T, dsn string, config func(listen, dsn string) string) *seat {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t, listen: freeAddress(t), way: newWay(t, u.Host), file: filepath.Join(t.TempDir(), "vigia.yaml")}
	u.Host = s.way.listener.Addr().String()
	if err := os.WriteFile(s.file, []byte(config(s.listen, u.String())), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs vigia here and waits until it is ready.
func (s *seat) start() {
	s.t.Helper()
	s.p = start(s.t, s.listen, "run", "-c", s.file)
}

func (s *seat) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.p.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// halt stops the process and waits until all of its threads stand: on a busy machine some run on for a while.
func (s *seat) halt() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	tasks := fmt.Sprintf("/proc/%d/task/*/status", s.p.cmd.Process.Pid)
	if !eventually(5*time.Second, func() bool { return standing(tasks) }) {
		s.t.Fatal("the process does not stop")
	}
}

// standing reports whether no thread runs; there is nothing to see where there is no /proc.
func standing(tasks string) bool {
	files, err := filepath.Glob(tasks)
	if err != nil {
		return false
	}
	for _, file := range files {
		if status, err := os.ReadFile(file); err == nil && !strings.Contains(string(status), "\nState:\tT") {
			return false
		}
	}
	return true
}

// stepsDown is how often the process here has said that it is no longer the active one.
func (s *seat) stepsDown() int { return strings.Count(s.p.output.String(), "no longer the active one") }

// active reports whether the process here calls itself the active one; ok is false when it does not answer.
func (s *seat) active() (active, ok bool) {
	client := http.Client{Timeout: time.Second}
	res, err := client.Get(s.p.base + "/metrics")
	if err != nil {
		return false, false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return false, false
	}
	return strings.Contains(string(text), "\nvigia_active 1\n"), strings.Contains(string(text), "\nvigia_active ")
}

// becomes waits until the process here is active, or stands by, and returns how long after from that was.
func (s *seat) becomes(active bool, from time.Time, within time.Duration) time.Duration {
	s.t.Helper()
	if !eventually(within, func() bool { is, ok := s.active(); return ok && is == active }) {
		s.t.Fatalf("active=%v not within %s:\n%s", active, within, s.p.output)
	}
	return time.Since(from)
}

// way is a seat's way to the database. It can be cut, which both sides notice, or fall silent, which neither does.
type way struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	cut    bool
	silent chan struct{} // closed when it is not silent
	conns  []net.Conn
}

func newWay(t *testing.T, target string) *way {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &way{listener: l, target: target, silent: make(chan struct{})}
	close(w.silent)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { w.serve(client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.hush(false)
		w.set(true)
		serving.Wait()
	})
	return w
}

func (w *way) serve(client net.Conn) {
	defer client.Close()
	w.mu.Lock()
	cut := w.cut
	w.mu.Unlock()
	if cut {
		return
	}
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer server.Close()
	w.mu.Lock()
	w.conns = append(w.conns, client, server)
	if w.cut {
		client.Close()
	}
	w.mu.Unlock()
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() { w.copy(pair[0], pair[1]) })
	}
	both.Wait()
}

// copy carries octets, and holds them while the way is silent.
func (w *way) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		w.mu.Lock()
		silent := w.silent
		w.mu.Unlock()
		<-silent
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// set cuts all connections and refuses new ones, or lets them through again.
func (w *way) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	if !cut {
		return
	}
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// hush lets nothing through and tells nobody, or lets it through again.
func (w *way) hush(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		w.silent = make(chan struct{})
		return
	}
	select {
	case <-w.silent:
	default:
		close(w.silent)
	}
}

// message is one thing that was said to one receiver, alone or in a digest.
type message struct {
	path, key, cause, ref string
	at                    time.Time
}

// heard lists everything that came.
func (h *hook) heard() []message {
	var list []message
	for _, p := range h.all() {
		bodies := []map[string]any{p.Body}
		if items, ok := p.Body["items"].([]any); ok && len(items) > 0 {
			bodies = nil
			for _, item := range items {
				body, _ := item.(map[string]any)
				bodies = append(bodies, body)
			}
		}
		for _, b := range bodies {
			list = append(list, message{p.Path, fmt.Sprint(b["key"]), fmt.Sprint(b["cause"]), fmt.Sprint(b["ref"]), p.At})
		}
	}
	return list
}

// tells reports whether both receivers have heard something of an object.
func (h *hook) tells(ref, cause string) bool {
	found := map[string]bool{}
	for _, m := range h.heard() {
		if m.ref == ref && m.cause == cause {
			found[m.path] = true
		}
	}
	return len(found) == 2
}

// figures are how long something took, again and again.
type figures []time.Duration

func (f figures) String() string {
	if len(f) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(f))
	at := func(p int) time.Duration { return sorted[(len(sorted)*p+99)/100-1].Round(time.Millisecond) }
	return fmt.Sprintf("n=%d p50=%s p99=%s max=%s", len(f), at(50), at(99), at(100))
}
