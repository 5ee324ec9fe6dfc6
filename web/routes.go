package web

import (
	"net/http"

	"vigia/store"
	"vigia/web/api"
)

// route is one line of the table: what is asked, who may ask it, who answers. Exactly one of page and raw is set.
type route struct {
	pattern string // as http.ServeMux reads it
	policy  api.Policy
	page    func(*visit) error
	raw     http.Handler // an answer that is no page
}

// routes is every route there is.
func (s *Server) routes() []route {
	list := []route{
		{pattern: "GET /{$}", policy: mayLook, page: s.overview},
		{pattern: "GET /alarms", policy: mayLook, page: s.alarms},
		{pattern: "GET /alarms/acknowledge", policy: mayDecide, page: s.bulkDialog},
		{pattern: "POST /alarms/acknowledge", policy: mayDecide, page: s.bulkAcknowledge},
		{pattern: "GET /incidents/{id}", policy: mayLook, page: s.incident},
		{pattern: "GET /incidents/{id}/acknowledge", policy: mayDecide, page: s.ackDialog},
		{pattern: "POST /incidents/{id}/acknowledge", policy: mayDecide, page: s.acknowledge},
		{pattern: "POST /incidents/{id}/unacknowledge", policy: mayDecide, page: s.unacknowledge},
		{pattern: "GET /incidents/{id}/comment", policy: mayDecide, page: s.commentDialog},
		{pattern: "POST /incidents/{id}/comment", policy: mayDecide, page: s.comment},
		{pattern: "POST /incidents/{id}/escalate", policy: mayDecide, page: s.escalate},
		{pattern: "GET /incidents/{id}/assign", policy: mayDecide, page: s.handDialog(actAssign)},
		{pattern: "POST /incidents/{id}/assign", policy: mayDecide, page: s.hand(actAssign)},
		{pattern: "GET /incidents/{id}/snooze", policy: mayDecide, page: s.handDialog(actSnooze)},
		{pattern: "POST /incidents/{id}/snooze", policy: mayDecide, page: s.hand(actSnooze)},
		{pattern: "GET /mutes", policy: mayLook, page: s.mutes},
		{pattern: "GET /mutes/new", policy: mayDecide, page: s.newMute},
		{pattern: "POST /mutes", policy: mayDecide, page: s.addMute},
		{pattern: "POST /mutes/preview", policy: mayDecide, page: s.previewMute},
		{pattern: "POST /mutes/{id}/cancel", policy: mayDecide, page: s.cancelMute},
		{pattern: "GET /calls", policy: mayLook, page: s.calls},
		{pattern: "GET /calls/{id}", policy: mayLook, page: s.call},
		{pattern: "GET /find", policy: mayLook, page: s.find},
		{pattern: "GET /health", policy: technical, page: s.self},
		{pattern: "GET /settings", policy: technical, page: s.settings},
		{pattern: "POST /settings", policy: technical, page: s.saveSettings},
		{pattern: "GET /keys", policy: technical, page: s.keys},
		{pattern: "GET /wallboard", policy: mayLook, page: s.wallboard},
		{pattern: "GET /data/table", policy: mayLook, page: s.seriesTable},
		{pattern: "GET /data/months", policy: mayLook, page: s.months},
		{pattern: "GET /data/chart", policy: mayLook, raw: api.Chart(s.apiConfig(), sees)},
		{pattern: "GET /events", policy: mayLook, raw: s.events},
		{pattern: "GET /static/", policy: technical, raw: s.assets},
		{pattern: "GET /healthz", policy: technical, raw: probe(s.cfg.Alive)},
		{pattern: "GET /readyz", policy: technical, raw: probe(s.cfg.Ready)},
		{pattern: "/", policy: technical, page: func(*visit) error { return store.ErrNotFound }},
	}
	list = append(list, s.onCallRoutes()...)
	for page, kind := range listKinds {
		list = append(list,
			route{pattern: "GET /" + page, policy: mayLook, page: s.list(page)},
			route{pattern: "GET /" + page + "/{name...}", policy: mayLook, page: s.object(page, kind)},
			route{pattern: "POST /" + page + "/{name}/check", policy: mayDecide, page: s.checkNow(kind)},
		)
	}
	list = append(list,
		route{pattern: "GET /sites", policy: mayLook, page: s.sites},
		route{pattern: "GET /sites/{name...}", policy: mayLook, page: s.site},
	)
	return append(list, s.optionalRoutes()...)
}

// optionalRoutes are those that a Config may lack.
func (s *Server) optionalRoutes() []route {
	var list []route
	if s.cfg.API != nil {
		list = append(list, route{pattern: "/api/", policy: mayLook, raw: s.cfg.API})
	}
	if s.cfg.Metrics != nil {
		list = append(list, route{pattern: "GET /metrics", policy: technical, raw: s.cfg.Metrics})
	}
	if s.cfg.Slack != nil {
		list = append(list, route{pattern: "POST /slack/interactions", policy: bySignature, raw: s.cfg.Slack})
	}
	if s.cfg.Demo != nil {
		list = append(list,
			route{pattern: "GET /demo", policy: technical, page: s.demo},
			route{pattern: "GET /demo/mail/{id}", policy: technical, page: s.demoMail},
		)
	}
	return list
}

// sees is the scope of who was let in: until there are users, the built-in operator's.
func sees(*http.Request) (store.Scope, bool) { return store.Everything(), true }

// probe answers a prober: 200 and ok, or 503 and why not.
func probe(check func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if check != nil {
			if err := check(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = w.Write([]byte("ok\n")) // a prober that has gone is no error of ours
	})
}
