package web

import (
	"net/url"
	"strconv"
	"sync"
	"time"
)

// timeRange is what the charts of a page show.
type timeRange struct {
	From, To time.Time
	Live     bool // its end is now
	Key      string
	Text     string // of a frozen range
	Presets  []pageLink
	Earlier  string
	Later    string
	Now      string
	Compare  string // address with or without last week; "" when there is nothing of last week
	Compared bool
}

// presets are the lengths that are offered.
var presets = []struct {
	key  string
	span time.Duration
}{{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

const longestRange = 400 * 24 * time.Hour

// readRange reads ?range, or ?from and ?to in seconds since 1970.
func (s *Server) readRange(v *visit) timeRange {
	q := v.r.URL.Query()
	path := v.r.URL.EscapedPath()
	r := timeRange{Key: presets[0].key, To: v.now, From: v.now.Add(-presets[0].span), Live: true}
	for _, p := range presets {
		if p.key == q.Get("range") {
			r.Key, r.From = p.key, v.now.Add(-p.span)
		}
	}
	from, okFrom := unixTime(q.Get("from"))
	to, okTo := unixTime(q.Get("to"))
	if okFrom && okTo && from.Before(to) && to.Sub(from) <= longestRange && !to.After(v.now.Add(time.Minute)) {
		r.From, r.To, r.Live, r.Key = from, to, false, ""
		r.Text = v.clock(from) + " – " + v.clock(to)
	}
	if r.Live {
		r.From = s.notBefore(r.From, r.To)
	}
	compare := q.Get("compare") == "week"
	at := func(change func(url.Values)) string {
		n := url.Values{}
		for _, key := range []string{"range", "from", "to", "compare", "runs", "of", "ports"} {
			if q.Has(key) {
				n.Set(key, q.Get(key))
			}
		}
		change(n)
		if len(n) == 0 {
			return path
		}
		return path + "?" + n.Encode()
	}
	for _, p := range presets {
		r.Presets = append(r.Presets, pageLink{Label: v.t("range." + p.key), Current: p.key == r.Key, URL: at(func(n url.Values) {
			n.Del("from")
			n.Del("to")
			n.Set("range", p.key)
		})})
	}
	r.step(v, at)
	if begin := s.logBegin(); !begin.IsZero() && begin.Before(r.To.Add(-7*24*time.Hour)) {
		r.Compared = compare
		r.Compare = at(func(n url.Values) {
			n.Del("compare")
			if !compare {
				n.Set("compare", "week")
			}
		})
	}
	return r
}

// notBefore moves the beginning of a range that reaches before the first sample there is to that sample, but leaves five minutes.
func (s *Server) notBefore(from, to time.Time) time.Time {
	begin := s.firstSample()
	if least := to.Add(-5 * time.Minute); begin.After(least) {
		begin = least
	}
	if begin.After(from) {
		return begin
	}
	return from
}

// firstSample is when measuring began, as far as it is known yet; zero when it is not.
func (s *Server) firstSample() time.Time {
	if begin := s.logBegin(); !begin.IsZero() {
		return begin
	}
	return s.health().Started
}

// logBegin is when the oldest sample was measured; zero while nobody knows. The store counts all its series to say so, and a page asks
// several times, so it is asked once in two seconds.
func (s *Server) logBegin() time.Time {
	s.begin.mu.Lock()
	defer s.begin.mu.Unlock()
	if now := s.cfg.Now(); s.begin.asked.IsZero() || now.Sub(s.begin.asked) > beginKeep || now.Before(s.begin.asked) {
		s.begin.log, s.begin.asked = s.cfg.Store.Stats().LogBegin, now
	}
	return s.begin.log
}

// beginning is what logBegin has heard last, and when.
type beginning struct {
	mu         sync.Mutex
	log, asked time.Time
}

const beginKeep = 2 * time.Second

// step makes the addresses half a range earlier and later, and of now.
func (r *timeRange) step(v *visit, at func(func(url.Values)) string) {
	half := r.To.Sub(r.From) / 2
	shifted := func(d time.Duration) string {
		return at(func(n url.Values) {
			n.Del("range")
			n.Set("from", strconv.FormatInt(r.From.Add(d).Unix(), 10))
			n.Set("to", strconv.FormatInt(r.To.Add(d).Unix(), 10))
		})
	}
	r.Earlier = shifted(-half)
	if r.Live {
		return
	}
	r.Now = at(func(n url.Values) {
		n.Del("from")
		n.Del("to")
	})
	r.Later = r.Now
	if r.To.Add(half).Before(v.now) {
		r.Later = shifted(half)
	}
}

func unixTime(text string) (time.Time, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 1e11 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(n * 1000)).UTC(), true
}
