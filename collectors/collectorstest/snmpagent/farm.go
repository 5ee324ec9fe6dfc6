package snmpagent

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Farm is many agents that are closed together. Each has its own socket and goroutine; those that serve one recording share its table.
type Farm struct {
	Agents []*Agent
}

// ListenAll starts an agent on each address, with the configuration that is given for its place in the list. It starts all or none.
func ListenAll(addrs []string, config func(i int) Config) (*Farm, error) {
	f := &Farm{Agents: make([]*Agent, 0, len(addrs))}
	for i, addr := range addrs {
		a, err := Listen(addr, config(i))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("agent %d of %d: %w", i+1, len(addrs), err), f.Close())
		}
		f.Agents = append(f.Agents, a)
	}
	return f, nil
}

// Close ends all agents.
func (f *Farm) Close() error {
	var errs []error
	for _, a := range f.Agents {
		errs = append(errs, a.Close())
	}
	return errors.Join(errs...)
}

// Requests is how many datagrams have come to all agents.
func (f *Farm) Requests() uint64 {
	var n uint64
	for _, a := range f.Agents {
		n += a.Requests()
	}
	return n
}

// late holds answers that are sent later. Its zero value is ready.
type late struct {
	mu      sync.Mutex
	stopped bool
	timers  map[*time.Timer]struct{}
	running sync.WaitGroup
}

// after sends after a time, unless it is stopped before.
func (l *late) after(delay time.Duration, send func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return
	}
	if l.timers == nil {
		l.timers = map[*time.Timer]struct{}{}
	}
	l.running.Add(1)
	var timer *time.Timer
	timer = time.AfterFunc(delay, func() {
		defer l.running.Done()
		l.mu.Lock() // also waits until timer is set
		delete(l.timers, timer)
		l.mu.Unlock()
		send()
	})
	l.timers[timer] = struct{}{}
}

// stop drops what has not been sent and waits for what is being sent.
func (l *late) stop() {
	l.mu.Lock()
	l.stopped = true
	for timer := range l.timers {
		if timer.Stop() {
			l.running.Done()
		}
	}
	clear(l.timers)
	l.mu.Unlock()
	l.running.Wait()
}
