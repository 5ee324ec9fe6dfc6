package web

import (
	"cmp"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// columnSpec is a column of a list: the first of its metrics that an object has.
type columnSpec struct {
	key     string
	metrics []collectors.Metric
}

// delays are the metrics that say how long an answer takes, the most telling first.
var delays = []collectors.Metric{collectors.LatencyMS, collectors.ResponseMS, collectors.ConnectMS}

// listColumns are the columns of each kind's list. One in which no object has a figure is left out.
var listColumns = map[inventory.Kind][]columnSpec{
	inventory.KindLink: {
		{"loss", []collectors.Metric{collectors.LossPct}},
		{"delay", delays},
		{"jitter", []collectors.Metric{collectors.JitterMS}},
		{"in", []collectors.Metric{collectors.InUtilPct, collectors.InBps}},
		{"out", []collectors.Metric{collectors.OutUtilPct, collectors.OutBps}},
	},
	inventory.KindServer: {
		{"response", []collectors.Metric{collectors.ResponseMS, collectors.LatencyMS, collectors.ConnectMS}},
		{"loss", []collectors.Metric{collectors.LossPct}},
		{"cpu", []collectors.Metric{collectors.CPUPct}},
		{"ram", []collectors.Metric{collectors.RAMPct}},
		{"disk", []collectors.Metric{collectors.DiskPct}},
		{"cert", []collectors.Metric{collectors.TLSExpiryD}},
	},
	inventory.KindTrunk: {
		{"delay", delays},
		{"loss", []collectors.Metric{collectors.LossPct}},
		{"asr", []collectors.Metric{collectors.ASRPct}},
		{"ner", []collectors.Metric{collectors.NERPct}},
		{"pdd", []collectors.Metric{collectors.PDDMS}},
		{"calls", []collectors.Metric{collectors.Calls}},
	},
	inventory.KindService: {{"healthy", []collectors.Metric{collectors.HealthyServers}}, {"busy", []collectors.Metric{collectors.BusyHourPct}}},
}

// column is a column that is shown.
type column struct {
	Key, Label string
	URL        string // sorts by it
	Sorted     bool
}

// row is one object of a list.
type row struct {
	item
	Cells   []figure
	Spark   spark
	Servers []item // of a service
	For     moment

	values []float64 // larger is worse
	raw    []float64
	line   collectors.Series // of the sparkline; zero for none
}

// table is a list of objects of one kind.
type table struct {
	Kind        inventory.Kind
	Columns     []column
	Rows        []row
	Total       int // before paging
	Well        int
	NameURL     string
	StateURL    string
	Sort        string
	SparkNeeded bool
}

// busyMetrics say how busy an object is, which as a trend tells more than a loss or a delay that mostly does not move.
var busyMetrics = map[inventory.Kind][]collectors.Metric{
	inventory.KindLink:   {collectors.InUtilPct, collectors.InBps},
	inventory.KindServer: {collectors.CPUPct},
}

// rows makes a row for each object that keep wants, without sparklines.
func (s *Server) rows(v *visit, w *world, refs []inventory.Ref, specs []columnSpec, keep func(item) bool) []row {
	var list []row
	for _, ref := range refs {
		found := s.glance(v, w, ref)
		r := row{item: s.item(v, w, ref, found)}
		if keep != nil && !keep(r.item) {
			continue
		}
		r.For = v.running(r.Since)
		r.values, r.raw = make([]float64, len(specs)), make([]float64, len(specs))
		for k, spec := range specs {
			one, ok := found.firstOf(spec.metrics...)
			cell := s.cell(v, w, one, ok)
			r.values[k], r.raw[k] = math.NaN(), math.NaN()
			if !cell.None {
				r.values[k], r.raw[k] = one.Value, one.Value
				if part := one.Series.Part(); part != "" {
					cell.Of = clean(part)
				}
				if collectors.Catalogue[one.Series.Metric].LowerIsWorse {
					r.values[k] = -one.Value
				}
				if r.line == (collectors.Series{}) {
					r.line = one.Series
				}
			}
			r.Cells = append(r.Cells, cell)
		}
		if busy, ok := found.firstOf(busyMetrics[ref.Kind]...); ok && busy.Fresh {
			r.line = busy.Series
		}
		if a := w.worst(ref); a != nil && collectors.Catalogue[a.Series.Metric].Unit != collectors.UnitBool && a.State != alerting.Stale {
			r.line = a.Series
		}
		if ref.Kind == inventory.KindService {
			s.fillService(v, w, &r)
		}
		list = append(list, r)
	}
	return list
}

// fillService says how many servers are healthy of how many, and which they are.
func (s *Server) fillService(v *visit, w *world, r *row) {
	service := w.inv.Service(r.Ref.Name)
	if service == nil {
		return
	}
	for _, name := range service.Servers {
		ref := inventory.Ref{Kind: inventory.KindServer, Name: name}
		r.Servers = append(r.Servers, s.item(v, w, ref, s.glance(v, w, ref)))
	}
	if len(r.Cells) > 0 && !r.Cells[0].None {
		r.Cells[0].Unit = v.t("service.of", len(service.Servers))
	}
	r.line = collectors.Series{}
}

// trim leaves out the columns in which no row has a figure; the first stays.
func trim(specs []columnSpec, rows []row) []columnSpec {
	var kept []columnSpec
	var at []int
	for k, spec := range specs {
		if k == 0 || slices.ContainsFunc(rows, func(r row) bool { return !math.IsNaN(r.values[k]) }) {
			kept, at = append(kept, spec), append(at, k)
		}
	}
	for i := range rows {
		cells, values, raw := make([]figure, len(at)), make([]float64, len(at)), make([]float64, len(at))
		for to, from := range at {
			cells[to], values[to], raw[to] = rows[i].Cells[from], rows[i].values[from], rows[i].raw[from]
		}
		rows[i].Cells, rows[i].values, rows[i].raw = cells, values, raw
	}
	return kept
}

// sortRows orders by state (worst first, unowned first, then the first column), by name, or by a column's value, largest first.
func sortRows(rows []row, specs []columnSpec, by string) {
	k := slices.IndexFunc(specs, func(c columnSpec) bool { return c.key == by })
	slices.SortStableFunc(rows, func(a, b row) int {
		switch {
		case by == "name":
			return cmp.Compare(a.Name, b.Name)
		case k >= 0:
			return cmp.Or(largest(a.values[k], b.values[k]), cmp.Compare(a.Name, b.Name))
		}
		c := cmp.Compare(b.rank, a.rank)
		if c == 0 && len(a.values) > 0 {
			c = largest(a.values[0], b.values[0])
		}
		return cmp.Or(c, cmp.Compare(a.Name, b.Name))
	})
}

// largest orders by value, largest first, and what has none last.
func largest(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	}
	return cmp.Compare(b, a)
}

// drawRows adds the sparklines of all rows with one read.
func (s *Server) drawRows(v *visit, w *world, rows []row) error {
	var series []collectors.Series
	for _, r := range rows {
		if r.line.Metric != "" {
			series = append(series, r.line)
		}
	}
	lines, err := s.sparks(v, w, series)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Spark = lines[rows[i].line]
	}
	return nil
}

// refsOf lists the objects of one kind.
func (w *world) refsOf(kind inventory.Kind) []inventory.Ref {
	var list []inventory.Ref
	for _, ref := range w.inv.Refs() {
		if ref.Kind == kind {
			list = append(list, ref)
		}
	}
	return list
}

// listKinds are the lists by their address.
var listKinds = map[string]inventory.Kind{
	"links": inventory.KindLink, "servers": inventory.KindServer, "trunks": inventory.KindTrunk, "services": inventory.KindService,
}

// listBody is what a list's page shows.
type listBody struct {
	table
	Page    string // links, servers, …
	Query   filter
	CSV     string
	Pages   []pageLink
	First   int
	Last    int
	Empty   bool // there is none of this kind at all
	States  []string
	Sites   []string
	Service bool
}

type pageLink struct {
	URL, Label string
	Current    bool
}

// rowsPerPage is how many objects a list shows at once.
const rowsPerPage = 200

func (s *Server) list(page string) func(*visit) error {
	kind := listKinds[page]
	return func(v *visit) error {
		w, err := s.world(v.ctx(), v.scope())
		if err != nil {
			return err
		}
		f := readFilter(v, "/"+page)
		refs := w.refsOf(kind)
		rows := s.rows(v, w, refs, listColumns[kind], f.keeps)
		specs := trim(listColumns[kind], rows)
		sortRows(rows, specs, f.Sort)
		if v.r.URL.Query().Get("format") == "csv" {
			return s.listCSV(v, page, specs, rows)
		}
		body := listBody{
			table: table{Kind: kind, Total: len(rows), Well: wellOf(rows), Sort: f.Sort, NameURL: f.with("sort", "name"), StateURL: f.with("sort", "")},
			Page:  page, Query: f, CSV: f.with("format", "csv"), Empty: len(refs) == 0, Service: kind == inventory.KindService,
			States: []string{"problem", "silent", "well"}, Sites: siteNames(w),
		}
		for _, spec := range specs {
			body.Columns = append(body.Columns, column{spec.key, v.t("col." + spec.key), f.with("sort", spec.key), f.Sort == spec.key})
		}
		body.cut(rows, f)
		if err := s.drawRows(v, w, body.Rows); err != nil {
			return err
		}
		fr := s.framed(v, w, "list", page, v.t("nav."+page))
		fr.Body = body
		return s.show(v, 200, fr)
	}
}

// cut takes the page that was asked for.
func (b *listBody) cut(rows []row, f filter) {
	at, _ := strconv.Atoi(f.values.Get("page"))
	last := max((len(rows)-1)/rowsPerPage, 0)
	at = min(max(at-1, 0), last)
	from, to := at*rowsPerPage, min((at+1)*rowsPerPage, len(rows))
	b.Rows, b.First, b.Last = rows[from:to], from+1, to
	for n := 0; last > 0 && n <= last; n++ {
		b.Pages = append(b.Pages, pageLink{URL: f.with("page", strconv.Itoa(n+1)), Label: strconv.Itoa(n + 1), Current: n == at})
	}
}

func siteNames(w *world) []string {
	var names []string
	for _, site := range w.inv.Sites {
		names = append(names, site.Name)
	}
	return names
}

func wellOf(rows []row) int {
	n := 0
	for _, r := range rows {
		if r.OK() {
			n++
		}
	}
	return n
}

// filter is what a list is asked for; it stands in the URL.
type filter struct {
	State string // problem, silent, well or ""
	Site  string
	Q     string
	Sort  string
	Chips []chip

	path   string
	values url.Values
}

// chip is one filter that is on, and the address without it.
type chip struct{ Key, Value, URL string }

func readFilter(v *visit, path string) filter {
	q := v.r.URL.Query()
	for _, gone := range []string{"part", "format"} {
		q.Del(gone)
	}
	f := filter{State: q.Get("state"), Site: q.Get("site"), Q: strings.TrimSpace(q.Get("q")), Sort: q.Get("sort"), path: path, values: q}
	if f.State != "problem" && f.State != "silent" && f.State != "well" {
		f.State = ""
	}
	if f.State != "" {
		f.Chips = append(f.Chips, chip{v.t("filter.state"), v.t("filter.state." + f.State), f.with("state", "")})
	}
	if f.Site != "" {
		f.Chips = append(f.Chips, chip{v.t("filter.site"), f.Site, f.with("site", "")})
	}
	if f.Q != "" {
		f.Chips = append(f.Chips, chip{v.t("filter.text"), f.Q, f.with("q", "")})
	}
	return f
}

// with is the address with one value changed; an empty one is left out. Changing anything goes back to the first page.
func (f filter) with(key, value string) string {
	q := url.Values{}
	for k, list := range f.values {
		q[k] = list
	}
	q.Del(key)
	if key != "page" {
		q.Del("page")
	}
	if value != "" {
		q.Set(key, value)
	}
	if len(q) == 0 {
		return f.path
	}
	return f.path + "?" + q.Encode()
}

// keeps reports whether an object passes the filter.
func (f filter) keeps(it item) bool {
	switch {
	case f.State == "problem" && it.Shape.Rank < 10, f.State == "well" && !it.OK(), f.State == "silent" && it.Shape.Icon != "unknown":
		return false
	case f.Site != "" && it.Site != f.Site:
		return false
	}
	return f.Q == "" || holds(it.Name, f.Q) || holds(it.Site, f.Q) || holds(it.What, f.Q)
}

func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
