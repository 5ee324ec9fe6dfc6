package web

import (
	"vigia/alerting"
	"vigia/collectors/inventory"
	"vigia/store"
)

// sitesBody is the list of sites, or one site with all that is there.
type sitesBody struct {
	Sites  []siteRow
	Well   int
	Not    int
	Empty  bool
	Name   string
	Zone   string
	Tables []table
	Past   []pastIncident
}

// siteKinds are what a site has, in the order of pages.
var siteKinds = []inventory.Kind{inventory.KindLink, inventory.KindServer, inventory.KindTrunk}

func (s *Server) sites(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	f := readFilter(v, "/sites")
	all := map[inventory.Kind][]row{}
	for _, kind := range siteKinds {
		all[kind] = s.rows(v, w, w.refsOf(kind), nil, nil)
	}
	body := sitesBody{Empty: len(w.inv.Sites) == 0}
	rows, well, not := s.siteRows(v, w, all)
	body.Well, body.Not = well, not
	for _, r := range rows {
		if f.Q == "" || holds(r.Name, f.Q) {
			body.Sites = append(body.Sites, r)
		}
	}
	if v.r.URL.Query().Get("format") == "csv" {
		out := [][]string{{"name", "objects", "not_well"}}
		for _, r := range body.Sites {
			out = append(out, []string{r.Name, plain(float64(len(r.Squares) + r.More)), plain(float64(r.Bad))})
		}
		return writeCSV(v, "sites", out)
	}
	fr := s.framed(v, w, "sites", "sites", v.t("nav.sites"))
	fr.Body = body
	return s.show(v, 200, fr)
}

func (s *Server) site(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	name := v.r.PathValue("name")
	site := w.inv.Site(name)
	if site == nil {
		return store.ErrNotFound
	}
	body := sitesBody{Name: name, Zone: site.Timezone.String()}
	all := map[inventory.Kind][]row{}
	for _, kind := range siteKinds {
		rows := s.rows(v, w, w.refsOf(kind), listColumns[kind], func(it item) bool { return it.Site == name })
		all[kind] = rows
		if len(rows) == 0 {
			continue
		}
		specs := trim(listColumns[kind], rows)
		sortRows(rows, specs, "")
		t := table{Kind: kind, Total: len(rows), Rows: rows[:min(len(rows), maxListedRows)], Well: wellOf(rows)}
		for _, spec := range specs {
			t.Columns = append(t.Columns, column{Key: spec.key, Label: v.t("col." + spec.key)})
		}
		if err := s.drawRows(v, w, t.Rows); err != nil {
			return err
		}
		body.Well, body.Not = body.Well+t.Well, body.Not+t.Total-t.Well
		body.Tables = append(body.Tables, t)
	}
	if body.Past, err = s.siteIncidents(v, name); err != nil {
		return err
	}
	f := s.framed(v, w, "site", "sites", v.object(inventory.Ref{Kind: inventory.KindSite, Name: name}))
	f.Body = body
	return s.show(v, 200, f)
}

// siteIncidents lists what ended at a site in the last thirty days.
func (s *Server) siteIncidents(v *visit, name string) ([]pastIncident, error) {
	over := false
	list, err := s.cfg.Store.Incidents(v.ctx(), v.scope(), store.IncidentFilter{Live: &over, Since: v.now.Add(-month), Limit: 500})
	if err != nil {
		return nil, err
	}
	var here []alerting.Incident
	inv := s.cfg.Inventory()
	for _, i := range list {
		if inv.SiteOf(i.Ref) == name {
			here = append(here, i)
		}
	}
	return v.past(here, 8), nil
}
