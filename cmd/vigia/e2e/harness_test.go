package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vigia-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "vigia")
	out, err := exec.Command("go", "build", "-o", binary, "vigia/cmd/vigia").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// needs skips a test that lacks something outside, or fails it when everything is enabled.
func needs(t *testing.T, have bool, what, how string) {
	t.Helper()
	if have {
		return
	}
	if os.Getenv("VIGIA_TEST_ALL") == "1" {
		t.Fatalf("%s is missing: %s", what, how)
	}
	t.Skipf("%s is missing: %s", what, how)
}

// process is a running vigia.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *lockedBuffer
	done   chan struct{}
	base   string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs vigia with arguments and waits until it is ready at listen.
func start(t *testing.T, listen string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(binary, args...), output: &lockedBuffer{}, done: make(chan struct{}), base: "http://" + listen}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if i := slices.Index(args, "-c"); i >= 0 {
		p.cmd.Dir = filepath.Dir(args[i+1]) // what it keeps in its working folder lies beside its configuration, over restarts
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.kill)
	if !eventually(20*time.Second, func() bool {
		res, err := http.Get(p.base + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}) {
		t.Fatalf("vigia %s is not ready:\n%s", strings.Join(args, " "), p.output)
	}
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// stop ends the process politely and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.t.Fatalf("vigia does not stop:\n%s", p.output)
	}
	return p.cmd.ProcessState.ExitCode()
}

// getJSON reads an API answer into v.
func (p *process) getJSON(path string, v any) error {
	res, err := http.Get(p.base + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, res.Status, raw)
	}
	return json.Unmarshal(raw, v)
}

// get reads an answer as text.
func (p *process) get(t *testing.T, path string) string {
	t.Helper()
	res, err := http.Get(p.base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v: %s", path, res.Status, err, raw)
	}
	return string(raw)
}

// eventually asks again and again until it is so, or the time is over.
func eventually(within time.Duration, so func() bool) bool {
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if so() {
			return true
		}
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// hook is a webhook receiver that keeps what it was told.
type hook struct {
	url string

	mu     sync.Mutex
	posts  []post
	refuse int // status to answer with; 0: 202
	hang   bool
	slow   time.Duration // until it answers
	ctx    context.Context
}

type post struct {
	At   time.Time
	Key  string
	Path string
	Body map[string]any
}

func newHook(t *testing.T) *hook {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &hook{ctx: ctx}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.url = "http://" + l.Addr().String()
	server := &http.Server{Handler: h}
	go server.Serve(l)
	t.Cleanup(func() { cancel(); server.Close() })
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := post{At: time.Now(), Key: r.Header.Get("Idempotency-Key"), Path: r.URL.Path}
	json.NewDecoder(r.Body).Decode(&p.Body)
	h.mu.Lock()
	h.posts = append(h.posts, p)
	refuse, hang, slow := h.refuse, h.hang, h.slow
	h.mu.Unlock()
	within(r.Context(), slow)
	if hang {
		select {
		case <-h.ctx.Done():
		case <-r.Context().Done():
		}
		return
	}
	if refuse != 0 {
		w.WriteHeader(refuse)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (h *hook) set(refuse int, hang bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuse, h.hang = refuse, hang
}

func (h *hook) all() []post {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]post(nil), h.posts...)
}

// count says how often each key came.
func (h *hook) count() map[string]int {
	n := map[string]int{}
	for _, p := range h.all() {
		n[p.Key]++
	}
	return n
}

// gate is a TCP target that can be closed and opened again.
type gate struct {
	addr string
	mu   sync.Mutex
	l    net.Listener
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{addr: freeAddress(t)}
	g.open(t)
	t.Cleanup(g.close)
	return g
}

func (g *gate) open(t *testing.T) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	l, err := net.Listen("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	g.l = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.l.Close()
}
