package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"vigia/collectors/voice"
	"vigia/store"
)

// hepStore is the store that calls are written to while they are measured; nil when they are only compared.
type hepStore struct {
	meter   storeBench // knows the server and its CPU time
	store   *store.Store
	ahead   atomic.Int64 // how far the store's clock is ahead, a time.Duration
	stop    context.CancelFunc
	writing sync.WaitGroup
}

// openHEPStore opens an empty store and lets it run as the product does. An empty address means none.
func openHEPStore(ctx context.Context, dsn string, logger *slog.Logger) (*hepStore, error) {
	if dsn == "" {
		return nil, nil
	}
	h := &hepStore{}
	st, err := store.Open(ctx, store.Config{DSN: dsn, Logger: logger, Now: func() time.Time { return time.Now().Add(time.Duration(h.ahead.Load())) }})
	if err != nil {
		return nil, err
	}
	h.store = st
	if err := h.begin(ctx); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	h.writing.Go(func() { st.Run(keep) }) //nolint:errcheck // what is not written is seen by the counts
	return h, nil
}

// begin makes sure that no calls are in the store, and finds the server.
func (h *hepStore) begin(ctx context.Context) error {
	there, err := h.store.Calls(ctx, store.Everything(), store.CallFilter{Limit: 1})
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return fmt.Errorf("%s holds calls: the measurement needs a database of its own", h.store.Stats().Database)
	}
	child, err := h.store.ServerProcess(ctx)
	if err != nil {
		return err
	}
	if child > 0 {
		if h.meter.server, err = serverOf(child); err != nil {
			return err
		}
	}
	_, err = h.store.Acquire(ctx)
	return err
}

// output is load, and the store besides.
func (h *hepStore) output(load voice.Output) voice.Output {
	if h == nil {
		return load
	}
	return bothOutputs{load, store.CallWriter{Store: h.store}}
}

// cpu is the CPU time so far of this process and of the database's server.
func (h *hepStore) cpu() (storeCPU, error) {
	if h == nil {
		own, err := cpuUsed()
		return storeCPU{Own: own.Seconds()}, err
	}
	return h.meter.cpu()
}

// written waits until the calls that were handed out are in the database.
func (h *hepStore) written(ctx context.Context) error {
	if h == nil {
		return nil
	}
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for h.store.Stats().CallsPending > 0 {
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// finish ends the store's own loop, which writes what waits, and does what the store would do ten minutes later: adds up the hourly figures. It
// returns how many calls are stored.
func (h *hepStore) finish(ctx context.Context) (written uint64, err error) {
	if h == nil {
		return 0, nil
	}
	h.stop()
	h.writing.Wait()
	h.ahead.Store(int64(time.Hour))
	for range 2 { // the first may go on with what the loop had begun
		if err := h.store.Compact(ctx); err != nil {
			return 0, err
		}
	}
	s := h.store.Stats()
	if s.CallsDropped+s.CallsRefused+s.CallsUncounted > 0 || s.CallsPending > 0 {
		return s.CallsWritten, fmt.Errorf("of %d calls %d were dropped, %d refused, %d are not in the hourly figures, %d still wait", s.CallsTaken, s.CallsDropped, s.CallsRefused, s.CallsUncounted, s.CallsPending)
	}
	return s.CallsWritten, nil
}

func (h *hepStore) close() {
	if h != nil {
		h.stop()
		h.writing.Wait()
		h.store.Close() //nolint:errcheck // what was committed is on the disk
	}
}

type bothOutputs [2]voice.Output

func (b bothOutputs) Call(c voice.Call) {
	b[0].Call(c)
	b[1].Call(c)
}
