package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
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

	_ "modernc.org/sqlite"
)

var (
	crashes   = flag.Int("crashes", 8, "TestCrashloop: how often the process is killed, on each database")
	crashSeed = flag.Uint64("crash-seed", 0, "TestCrashloop: the seed of its script; 0: another one each time")
)

const (
	crashTargets = 30
	crashGap     = 3 * time.Second // between the levels
	// crashSlack is how long a process must have lived, with a sink that answers, before what is due must have been done.
	crashSlack = 3 * time.Second
)

const crashConfig = `listen: %s
store: %s
sites: [{name: here}]
thresholds:
  - {metric: up, on: link/*, tiers: [{severity: critical, raise: 0, clear: 1, for: 1s, clear_for: 1s}], policy: noc}
policies:
  - name: noc
    levels:
      - {name: L1, after: 0s, notify: [one], repeat: 60m}
      - {name: L2, after: 3s, notify: [two], repeat: 60m}
      - {name: L3, after: 6s, notify: [three], repeat: 60m}
receivers:
  - {name: one,   kind: webhook, url: "%[3]s/one"}
  - {name: two,   kind: webhook, url: "%[3]s/two"}
  - {name: three, kind: webhook, url: "%[3]s/three"}
links:
`

// TestCrashloop kills the process at random moments, most of them while notifications are on their way, with thirty targets that fail and
// recover and a person who takes incidents. Whoever should have been told was told, once or with one copy too many for each kill.
func TestCrashloop(t *testing.T) {
	stores(t, func(t *testing.T, dsn string) {
		t.Parallel()
		c := newCrashLoop(t, dsn)
		for i := range *crashes {
			c.life(i)
		}
		c.calm()
		c.check()
	})
}

type crashLoop struct {
	t       *testing.T
	dsn     string
	file    string
	listen  string
	rng     *rand.Rand // of the test's goroutine
	sink    *crashSink
	targets []*crashTarget
	p       *process
	lives   []span // processes that were ready
	healthy []span // and whose sink answered
	flying  int    // kills while a notification was on its way
	taken   map[int64]bool
	end     []context.CancelFunc
	ended   sync.WaitGroup
}

func newCrashLoop(t *testing.T, dsn string) *crashLoop {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-crash-seed=%d", seed)
	c := &crashLoop{t: t, dsn: dsn, listen: freeAddress(t), rng: rand.New(rand.NewPCG(seed, 1)), sink: newCrashSink(t), taken: map[int64]bool{}}
	text := fmt.Appendf(nil, crashConfig, c.listen, dsn, c.sink.url)
	for i := range crashTargets {
		target := newCrashTarget(t, c.rng)
		c.targets = append(c.targets, target)
		text = fmt.Appendf(text, "  - {name: t%02d, site: here, peer: P, checks: [{kind: tcp, address: %q, every: 1s, timeout: 500ms}]}\n", i, target.addr)
	}
	c.file = filepath.Join(t.TempDir(), "vigia.yaml")
	if err := os.WriteFile(c.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.beside(rand.New(rand.NewPCG(seed, 2)), c.script)
	c.beside(rand.New(rand.NewPCG(seed, 3)), c.person)
	t.Cleanup(c.stop)
	return c
}

// beside runs something beside the test until stop.
func (c *crashLoop) beside(rng *rand.Rand, do func(context.Context, *rand.Rand)) {
	ctx, cancel := context.WithCancel(context.Background())
	c.end = append(c.end, cancel)
	c.ended.Go(func() { do(ctx, rng) })
}

func (c *crashLoop) stop() {
	for _, cancel := range c.end {
		cancel()
	}
	c.ended.Wait()
}

// script lets targets fail and recover: some for a blink, some until the last level is told.
func (c *crashLoop) script(ctx context.Context, rng *rand.Rand) {
	next := make([]time.Time, len(c.targets))
	for i := range next {
		next[i] = time.Now().Add(between(rng, 0, 6*time.Second))
	}
	for within(ctx, 50*time.Millisecond) {
		for i, target := range c.targets {
			if time.Now().Before(next[i]) {
				continue
			}
			last := between(rng, time.Second, 8*time.Second)
			if target.turn(c.t) {
				last = between(rng, 300*time.Millisecond, 12*time.Second)
			}
			next[i] = time.Now().Add(last)
		}
	}
}

// person takes an open incident now and then, and asks again with the same key when the process dies under the question.
func (c *crashLoop) person(ctx context.Context, rng *rand.Rand) {
	p := &process{base: "http://" + c.listen}
	for n := 0; within(ctx, between(rng, 700*time.Millisecond, 2*time.Second)); n++ {
		var list struct {
			Incidents []crashIncident `json:"incidents"`
		}
		if p.getJSON("/api/v1/incidents?state=open", &list) != nil || len(list.Incidents) == 0 {
			continue
		}
		id := list.Incidents[rng.IntN(len(list.Incidents))].ID
		for {
			status := takeIncident(ctx, p.base, id, fmt.Sprint("take-", n))
			if status == http.StatusOK || status == http.StatusAccepted {
				c.taken[id] = true
			}
			if status == http.StatusInternalServerError {
				c.t.Errorf("acknowledging incident %d: status %d", id, status)
			}
			if status != 0 || !within(ctx, 100*time.Millisecond) {
				break
			}
		}
	}
}

// takeIncident acknowledges and returns the answer's status, 0 when there was none.
func takeIncident(ctx context.Context, base string, id int64, key string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/api/v1/incidents/%d/acknowledge", base, id), strings.NewReader(`{"note":"mine"}`))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		return 0
	}
	return res.StatusCode
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

// within lets time pass; false when ctx ended meanwhile.
func within(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// begin starts the process.
func (c *crashLoop) begin() time.Time {
	c.t.Helper()
	c.p = start(c.t, c.listen, "run", "-c", c.file)
	return time.Now()
}

// life runs the process for a while and kills it: two times out of three with the sink silent, so that what is sent is on its way.
func (c *crashLoop) life(i int) {
	ready := c.begin()
	within(c.t.Context(), between(c.rng, 500*time.Millisecond, 3*time.Second))
	silent := time.Now()
	if i%3 != 2 {
		c.sink.hold(true)
		eventually(6*time.Second, func() bool { return c.sink.flying() > 0 })
		within(c.t.Context(), between(c.rng, time.Millisecond, 500*time.Millisecond))
	}
	if c.sink.flying() > 0 {
		c.flying++
	}
	died := time.Now()
	c.p.kill()
	c.sink.hold(false)
	c.wellSpoken()
	c.lives, c.healthy = append(c.lives, span{ready, died}), append(c.healthy, span{ready, silent})
	if i%4 == 3 {
		within(c.t.Context(), 2500*time.Millisecond) // levels come due while nobody is there
	}
}

// wellSpoken looks for what a process must never say.
func (c *crashLoop) wellSpoken() {
	c.t.Helper()
	for line := range strings.Lines(c.p.output.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "DATA RACE") || strings.Contains(line, "level=ERROR") {
			c.t.Errorf("the process says: %s", line)
		}
	}
}

// calm lets the last process live until what still fails has been told to everybody, mends all, and waits until all is said.
func (c *crashLoop) calm() {
	ready := c.begin()
	c.stop()
	within(c.t.Context(), 2*crashGap+crashSlack)
	for _, target := range c.targets {
		target.mend(c.t)
	}
	settled := func() bool {
		for _, i := range c.incidents() {
			if i.State != "resolved" || slices.ContainsFunc(i.Notifications, crashNotification.waits) {
				return false
			}
		}
		return true
	}
	if !eventually(15*time.Second, settled) {
		c.t.Errorf("it does not come to rest:\n%s", c.p.output)
	}
	c.lives, c.healthy = append(c.lives, span{ready, time.Now()}), append(c.healthy, span{ready, time.Now()})
}

// incidents reads every incident about a target, with what was told.
func (c *crashLoop) incidents() []crashIncident {
	c.t.Helper()
	var list struct {
		Incidents []crashIncident `json:"incidents"`
	}
	if err := c.p.getJSON("/api/v1/incidents?limit=1000", &list); err != nil {
		c.t.Fatal(err)
	}
	var found []crashIncident
	for _, i := range list.Incidents {
		var detail crashIncident
		if err := c.p.getJSON(fmt.Sprintf("/api/v1/incidents/%d", i.ID), &detail); err != nil {
			c.t.Fatal(err)
		}
		if strings.HasPrefix(detail.Ref, "link/") {
			found = append(found, detail)
		}
	}
	return found
}

// intact asks SQLite whether the file is whole.
func (c *crashLoop) intact() {
	path, isFile := strings.CutPrefix(c.dsn, "sqlite:")
	if !isFile {
		return
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	var answer string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		c.t.Errorf("the database is damaged: %s %v", answer, err)
	}
	var broken int
	if err := db.QueryRow("SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&broken); err != nil || broken != 0 {
		c.t.Errorf("%d rows point nowhere: %v", broken, err)
	}
}

// crashTarget is a TCP port that is open or closed, and when. The port lies below those that the system gives to outgoing connections.
type crashTarget struct {
	addr string

	mu     sync.Mutex
	l      net.Listener // nil: closed
	closed []span       // the last one may have no end
}

func newCrashTarget(t *testing.T, rng *rand.Rand) *crashTarget {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+rng.IntN(18000))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		g := &crashTarget{addr: addr, l: l}
		go greet(l)
		t.Cleanup(func() {
			if g.l != nil {
				g.l.Close()
			}
		})
		return g
	}
	t.Fatal("no port is free")
	return nil
}

func greet(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		conn.Close()
	}
}

// turn closes what is open and opens what is closed, and reports whether it is closed now.
func (g *crashTarget) turn(t *testing.T) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.l != nil {
		g.l.Close()
		g.l = nil
		g.closed = append(g.closed, span{from: time.Now()})
		return true
	}
	l, err := net.Listen("tcp", g.addr)
	if err != nil {
		t.Errorf("open %s again: %v", g.addr, err)
		return true
	}
	g.l = l
	g.closed[len(g.closed)-1].to = time.Now()
	go greet(l)
	return false
}

func (g *crashTarget) mend(t *testing.T) {
	if g.l == nil {
		g.turn(t)
	}
}

// crashSink is the webhook of all receivers. While it holds, it takes requests and does not answer.
type crashSink struct {
	url string

	mu      sync.Mutex
	rng     *rand.Rand
	release chan struct{} // nil: it answers
	held    int
	lives   int
	told    []crashTold
}

// crashTold is one message as it came, alone or in a digest.
type crashTold struct {
	Key         string      `json:"key"`
	Cause       string      `json:"cause"`
	Incident    int64       `json:"incident"`
	Ref         string      `json:"ref"`
	OpenedAt    time.Time   `json:"opened_at"`
	Undelivered string      `json:"undelivered"`
	Items       []crashTold `json:"items"`

	at       time.Time
	life     int
	receiver string
	answered time.Time // zero: it was not
}

type lifeKey struct{}

func newCrashSink(t *testing.T) *crashSink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &crashSink{url: "http://" + l.Addr().String(), rng: rand.New(rand.NewPCG(4, 4))}
	server := &http.Server{Handler: s, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		s.mu.Lock()
		defer s.mu.Unlock()
		return context.WithValue(ctx, lifeKey{}, s.lives)
	}}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

// hold makes it silent, or lets go of what it holds: the process that sent it is dead, and the next one is another.
func (s *crashSink) hold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.release = make(chan struct{})
		return
	}
	if s.release != nil {
		close(s.release)
		s.release = nil
	}
	s.lives++
}

func (s *crashSink) flying() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

func (s *crashSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender died in the middle of it
	}
	var m crashTold
	if err := json.Unmarshal(raw, &m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.at, m.receiver = time.Now(), strings.TrimPrefix(r.URL.Path, "/")
	m.life, _ = r.Context().Value(lifeKey{}).(int)
	list := append(m.Items[:0:0], m.Items...)
	if len(list) == 0 {
		list = []crashTold{m}
	}
	s.mu.Lock()
	first := len(s.told)
	for _, one := range list {
		one.at, one.receiver, one.life = m.at, m.receiver, m.life
		s.told = append(s.told, one)
	}
	release, pause := s.release, between(s.rng, 0, 150*time.Millisecond)
	s.held++
	s.mu.Unlock()
	answer := release == nil && within(r.Context(), pause)
	if release != nil {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held--
	if answer {
		w.WriteHeader(http.StatusAccepted)
		for i := range list {
			s.told[first+i].answered = time.Now()
		}
	}
}
