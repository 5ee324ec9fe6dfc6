package store

import (
	"sync"

	"vigia/alerting"
)

// orders are the commands that were posted in this process while the database was away. The engine gets them from here, and their rows come
// out of the local journal.
type orders struct {
	mu   sync.Mutex
	list map[string]*order
	line []string // those that the engine has not got yet, in order
}

type order struct {
	alerting.Command
	result *alerting.CommandResult
}

const mostOrders = 10_000 // that are remembered with their answers

func newOrders() *orders { return &orders{list: map[string]*order{}} }

func (o *orders) post(c alerting.Command) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.list[c.ID] != nil {
		return
	}
	if len(o.list) >= mostOrders {
		clear(o.list) // answers that nobody has asked for since
	}
	o.list[c.ID] = &order{Command: c}
	o.line = append(o.line, c.ID)
}

// pending hands out, once, what was posted.
func (o *orders) pending() []alerting.Command {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []alerting.Command
	for _, id := range o.line {
		if c := o.list[id]; c != nil {
			list = append(list, c.Command)
		}
	}
	o.line = nil
	return list
}

// answer takes the results of a Change.
func (o *orders) answer(results []alerting.CommandResult) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range results {
		if c := o.list[results[i].ID]; c != nil {
			c.result = &results[i]
		}
	}
}

// result is the answer to a command that was posted here. Known: it was.
func (o *orders) result(id string) (r alerting.CommandResult, done, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.list[id]
	if c == nil || c.result == nil {
		return alerting.CommandResult{ID: id}, false, c != nil
	}
	return *c.result, true, true
}
