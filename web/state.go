package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// State is what this process is, and how its store does: what every page says in a banner when it is not as usual. It must be told from
// memory, since it is asked for each request and while the database is away.
type State struct {
	Active         bool      // this process measures, judges and tells; otherwise it is a standby
	Holder         string    // who took the right to be the active one last: host and process; empty when that is not known
	Held           bool      // and has it still, as far as is known
	Epoch          int64     // counts how often that right was taken
	StoreDownSince time.Time // since when the database does not take writes; zero while it does
	StoreError     string    // why
	Journaled      int       // changes that wait in the local journal
}

// state is that of a process without a standby when nobody tells.
func (s *Server) state() State {
	if s.cfg.State == nil {
		return State{Active: true}
	}
	return s.cfg.State()
}

// banner is one line above a page.
type banner struct {
	Class      string // the severity's
	Mark, Icon string // the drawing's class and name
	Text       string
}

// banners are what a reader must know whatever the page: that this is a standby, that the database is away.
func (v *visit) banners(st State) []banner {
	var list []banner
	if !st.StoreDownSince.IsZero() {
		text := v.count("banner.down", st.Journaled, v.brief(st.StoreDownSince))
		if !st.Active {
			text = v.t("banner.unread", v.brief(st.StoreDownSince))
		}
		list = append(list, banner{"is-critical", "sev", "s-critical", text})
	}
	switch {
	case st.Active:
	case st.Held && st.Holder != "":
		list = append(list, banner{"is-unknown", "ico", "i-clock", v.t("banner.standby", st.Holder)})
	default:
		list = append(list, banner{"is-unknown", "ico", "i-clock", v.t("banner.nobody")})
	}
	return list
}

// roleFacts are what the page of Vigía itself says about the role of this process.
func (v *visit) roleFacts(st State) []fact {
	role := v.t("self.role.active")
	if !st.Active {
		role = v.t("self.role.standby")
	}
	facts := []fact{{Label: v.t("self.role"), Value: role}}
	if st.Epoch > 0 {
		holder := st.Holder
		if !st.Active && !st.Held {
			holder = v.t("self.holder.nobody", holder)
		}
		facts = append(facts, fact{Label: v.t("self.holder"), Value: holder}, fact{Label: v.t("self.epoch"), Value: v.whole(uint64(max(st.Epoch, 0)))})
	}
	if !st.StoreDownSince.IsZero() {
		facts = append(facts, fact{Label: v.t("self.down_since"), Value: v.clock(st.StoreDownSince) + ": " + st.StoreError, Bad: true})
	}
	return facts
}

// How long a page may wait for the database. What is costly bounds itself; what a person decides waits for the engine's answer too.
const (
	readWithin   = 5 * time.Second
	decideWithin = 15 * time.Second
	costlyWithin = costlyMost + readWithin
)

// patience is how long a request may take.
func patience(r *http.Request) time.Duration {
	switch {
	case r.Method == http.MethodPost:
		return decideWithin
	case r.URL.Path == "/data/months", r.URL.Path == "/data/table", r.URL.Query().Get("forecast") != "":
		return costlyWithin
	}
	return readWithin
}

// bounded gives a request an end, so that a database that does not answer costs a reader no more than that.
func bounded(r *http.Request) (*http.Request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), patience(r))
	return r.WithContext(ctx), cancel
}

// asksBanner reports whether the page's scripts ask for the banners among other parts: they come even when the rest cannot be read.
func (v *visit) asksBanner() bool {
	return v.scripted() && slices.Contains(strings.Split(v.r.URL.Query().Get("part"), ","), "banner")
}
