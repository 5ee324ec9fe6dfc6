package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// findBody is what a search found.
type findBody struct {
	Q         string
	Objects   []item
	Incidents []incidentRow
	More      int
	Calls     []callLine // the newest of a number
	CallsURL  string     // where all of them are; "" when what is looked for is no number
}

// mostFound is how many objects a search shows.
const mostFound = 60

// find looks for objects by name, site or target, and for an incident by its number. One exact hit is opened at once.
func (s *Server) find(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	body := findBody{Q: strings.TrimSpace(v.r.URL.Query().Get("q"))}
	if id, err := strconv.ParseInt(strings.TrimPrefix(body.Q, "#"), 10, 64); err == nil {
		if in, err := s.cfg.Store.Incident(v.ctx(), v.scope(), id); err == nil {
			http.Redirect(v.w, v.r, incidentURL(in.ID), http.StatusSeeOther)
			return nil
		}
	}
	if body.Q != "" {
		exact := s.search(v, w, &body)
		if exact == "" {
			if exact, err = s.findCalls(v, w, &body); err != nil {
				return err
			}
		}
		if exact != "" {
			http.Redirect(v.w, v.r, exact, http.StatusSeeOther)
			return nil
		}
	}
	f := s.framed(v, w, "find", "", v.t("find.title"))
	f.Q, f.Body = body.Q, body
	return s.show(v, 200, f)
}

// search fills the body; it returns the address of the only object of exactly that name.
func (s *Server) search(v *visit, w *world, body *findBody) string {
	var exact []string
	for _, ref := range w.inv.Refs() {
		if pageOf(ref) == "" || !v.scope().Sees(ref) {
			continue
		}
		if strings.EqualFold(ref.Name, body.Q) || strings.EqualFold(ref.String(), body.Q) {
			exact = append(exact, pageOf(ref))
		}
		found := holds(ref.Name, body.Q) || holds(w.inv.SiteOf(ref), body.Q)
		for _, c := range w.checks[ref] {
			found = found || holds(c.Target, body.Q)
		}
		if !found {
			continue
		}
		if len(body.Objects) == mostFound {
			body.More++
			continue
		}
		body.Objects = append(body.Objects, s.item(v, w, ref, s.glance(v, w, ref)))
	}
	slices.SortStableFunc(body.Objects, func(a, b item) int { return b.rank - a.rank })
	for i := range w.Incidents {
		if row := s.incidentRow(v, w, &w.Incidents[i]); holds(row.Title, body.Q) {
			body.Incidents = append(body.Incidents, row)
		}
	}
	if len(exact) == 1 {
		return exact[0]
	}
	return ""
}

// firstBody is what a newcomer sees.
type firstBody struct {
	Database  string
	File      string
	Receivers int
}

// firstRun is the overview while nothing is configured.
func (s *Server) firstRun(v *visit, w *world) error {
	file := s.health().Config.File
	if file == "" {
		file = "vigia.yaml"
	}
	f := s.framed(v, w, "firstrun", "overview", v.t("first.title"))
	f.Body = firstBody{Database: s.cfg.Store.Stats().Database, File: file, Receivers: len(s.cfg.Receivers())}
	return s.show(v, 200, f)
}
