package store_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
	"vigia/store/storetest"
)

// proxy stands between the store and PostgreSQL and can be cut.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	p := &proxy{listener: listener(t), target: target}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		p.listener.Close()
		p.set(true)
		serving.Wait()
	})
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	cut := p.cut
	p.mu.Unlock()
	if cut {
		return
	}
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			io.Copy(pair[0], pair[1])
			pair[0].Close()
		})
	}
	both.Wait()
}

// set cuts all connections and refuses new ones, or lets them through again.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}

// The database goes away and comes back: samples wait, changes are refused in words, everything heals by itself, nothing is written twice
// or lost, and the active process is still the active one.
func TestDatabaseAway(t *testing.T) {
	dsn := storetest.Postgres(t)
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, address.Host)
	address.Host = p.listener.Addr().String()
	s, err := store.Open(t.Context(), store.Config{DSN: address.String(), FlushEvery: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop := run(t, s)
	acquire(t, s)
	apply(t, s, outage(1, link, alerting.Major, noon))

	now := time.Now().Add(-time.Hour)
	name := series(link, "loss_pct")
	put := func(from, n int) { s.Put(line(name, now.Add(time.Duration(from)*time.Second), time.Second, n)) }
	put(0, 100)
	eventually(t, "the first samples are written", func() bool { return s.Stats().Written == 100 })
	p.set(true)
	put(100, 100)
	err = s.Apply(t.Context(), outage(2, link, alerting.Major, noon))
	if err == nil || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("applied while the database was away: %v", err)
	}
	eventually(t, "the outage is noticed", func() bool {
		stats := s.Stats()
		return !stats.Up && !stats.DownSince.IsZero() && stats.LastError != ""
	})
	put(200, 100)
	if latest, ok := s.Latest(store.Everything(), name); !ok || latest.At.Before(now.Add(290*time.Second)) {
		t.Error("the newest sample is not seen while the database is away")
	}
	p.set(false)
	eventually(t, "all is written", func() bool { stats := s.Stats(); return stats.Up && stats.Written == 300 })
	apply(t, s, outage(2, link, alerting.Major, noon))
	if err := stop(); err != nil {
		t.Error(err)
	}
	direct, err := store.Open(t.Context(), store.Config{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	result := read(t, direct, name, now, now.Add(time.Hour), 0)
	if len(result.Points) != 300 || s.Dropped() != 0 {
		t.Errorf("%d samples were kept and %d dropped, want 300 and 0", len(result.Points), s.Dropped())
	}
}
