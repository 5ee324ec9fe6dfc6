package api

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// Object is one thing that we look after.
type Object struct {
	Ref      string   `json:"ref" doc:"kind/name: how everything else points at it." example:"link/sjo-mia"`
	Kind     string   `json:"kind" enum:"site,link,server,service,trunk,destination,customer"`
	Name     string   `json:"name"`
	Site     string   `json:"site" doc:"The site that it is at; empty for what is at none."`
	State    State    `json:"state"`
	Parents  []string `json:"parents" nullable:"false" doc:"What it depends on directly; several are alternatives."`
	Children []string `json:"children" nullable:"false" doc:"What depends on it directly."`
	Facts    Facts    `json:"facts" doc:"What the configuration says of it; only what its kind has."`
	URL      string   `json:"url,omitempty" doc:"Its page, when Vigía has a public address."`
}

// State is how an object stands now.
type State struct {
	Severity  string  `json:"severity" enum:"none,indeterminate,warning,minor,major,critical" doc:"The worst of its standing alarms."`
	Stale     bool    `json:"stale" doc:"One of its series that should have data has none."`
	Shadow    bool    `json:"shadow" doc:"Every alarm of it stands in the shadow of a parent: measured and shown, not paging."`
	Alarms    int     `json:"alarms" doc:"How many alarms stand."`
	Incidents []int64 `json:"incidents" nullable:"false" doc:"The incidents that they belong to."`
}

// Facts is what the configuration says of an object.
type Facts struct {
	Timezone       string   `json:"timezone,omitempty" doc:"site, customer: IANA name."`
	Peer           string   `json:"peer,omitempty" doc:"link: the other end."`
	CapacityBps    *int64   `json:"capacity_bps,omitempty" doc:"link: bits a second."`
	Media          []string `json:"media,omitempty" doc:"server: its own RTP addresses."`
	Servers        []string `json:"servers,omitempty" doc:"service: who does the job."`
	AtLeast        *int     `json:"at_least,omitempty" doc:"service, destination: how many must be healthy."`
	Via            []string `json:"via,omitempty" doc:"trunk: the links that it runs over."`
	Networks       []string `json:"networks,omitempty" doc:"trunk: the other side's addresses."`
	Prefixes       []string `json:"prefixes,omitempty" doc:"destination: number prefixes."`
	Trunks         []string `json:"trunks,omitempty" doc:"destination: the trunks that calls take."`
	AccountManager string   `json:"account_manager,omitempty" doc:"customer."`
	Contact        string   `json:"contact,omitempty" doc:"customer."`
}

// Check is one probe of an object.
type Check struct {
	Name     string   `json:"name" doc:"The check's name, by default its kind; the instance of its series." example:"ping"`
	Kind     string   `json:"kind" example:"ping"`
	Target   string   `json:"target" doc:"What is probed." example:"192.0.2.1"`
	EveryS   float64  `json:"every_s" doc:"Period, seconds."`
	TimeoutS float64  `json:"timeout_s" doc:"Deadline of a run, seconds."`
	LastRun  *RunLine `json:"last_run,omitempty" doc:"Absent before the first run."`
}

// ObjectDetail is an object with its checks and latest values.
type ObjectDetail struct {
	Object
	Checks []Check `json:"checks" nullable:"false"`
	Latest []Value `json:"latest" nullable:"false" doc:"The newest value of each of its series."`
}

// ObjectPage is a page of objects.
type ObjectPage struct {
	Objects []Object `json:"objects" nullable:"false"`
	Total   int      `json:"total" doc:"How many there are in all, under the same filters."`
	Next    string   `json:"next,omitempty" doc:"Pass it as after to get the next page; absent on the last."`
}

// ObjectsInput filters lists of objects. It is exported because huma finds parameters only in exported embedded structs.
type ObjectsInput struct {
	asked
	Site  string `query:"site" doc:"Only what is at this site." example:"san-jose"`
	State string `query:"state" enum:"bad,well" doc:"Only what has a standing alarm, or what has none."`
	After string `query:"after" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"2000" default:"500"`
}

type kindInput struct {
	ObjectsInput
	Kind string `path:"kind" enum:"site,link,server,service,trunk,destination,customer"`
}

type objectInput struct {
	asked
	Kind string `path:"kind" enum:"site,link,server,service,trunk,destination,customer"`
	Name string `path:"name" maxLength:"200"`
}

func listObjects(s *server, ctx context.Context, who Caller, in *ObjectsInput) (ObjectPage, error) {
	return s.objects(ctx, who, in, func(inventory.Ref) bool { return true })
}

func listKind(s *server, ctx context.Context, who Caller, in *kindInput) (ObjectPage, error) {
	return s.objects(ctx, who, &in.ObjectsInput, func(r inventory.Ref) bool { return string(r.Kind) == in.Kind })
}

// objects lists what the filters leave, in the order of the inventory: by kind, then by name.
func (s *server) objects(ctx context.Context, who Caller, in *ObjectsInput, keep func(inventory.Ref) bool) (ObjectPage, error) {
	inv := s.Inventory()
	states, err := s.states(ctx, who.Scope, nil)
	if err != nil {
		return ObjectPage{}, err
	}
	var refs []inventory.Ref
	for _, r := range inv.Refs() {
		if keep(r) && who.Scope.Sees(r) && in.matches(inv, states, r) {
			refs = append(refs, r)
		}
	}
	page := ObjectPage{Objects: []Object{}, Total: len(refs)}
	refs, more, err := pageOf(refs, in.After, in.Limit)
	if err != nil {
		return ObjectPage{}, err
	}
	for _, r := range refs {
		page.Objects = append(page.Objects, s.object(inv, states, who.Scope, r))
	}
	if more {
		page.Next = refs[len(refs)-1].String()
	}
	return page, nil
}

func (in *ObjectsInput) matches(inv *inventory.Inventory, states map[inventory.Ref]*State, r inventory.Ref) bool {
	if in.Site != "" && inv.SiteOf(r) != in.Site {
		return false
	}
	bad := states[r] != nil
	return in.State == "" || in.State == "bad" && bad || in.State == "well" && !bad
}

// pageOf cuts the page after a Ref out of a list that is in the inventory's order.
func pageOf(refs []inventory.Ref, after string, limit int) (page []inventory.Ref, more bool, err error) {
	if after != "" {
		last, err := inventory.ParseRef(after)
		if err != nil {
			return nil, false, badParameter("after", err.Error(), after)
		}
		at := slices.IndexFunc(refs, func(r inventory.Ref) bool { return compareRefs(r, last) > 0 })
		if at < 0 {
			return nil, false, nil
		}
		refs = refs[at:]
	}
	if len(refs) > limit {
		return refs[:limit], true, nil
	}
	return refs, false, nil
}

// compareRefs orders Refs as the inventory does.
func compareRefs(a, b inventory.Ref) int {
	rank := func(k inventory.Kind) int { return slices.Index(inventory.Kinds[:], k) }
	if d := rank(a.Kind) - rank(b.Kind); d != 0 {
		return d
	}
	return strings.Compare(a.Name, b.Name)
}

// badParameter is a query parameter that cannot be right.
func badParameter(name, why string, value any) error {
	return huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Location: "query." + name, Message: why, Value: value})
}

// refOf finds an object that is in the inventory and that the caller may see.
func (s *server) refOf(who Caller, kind, name string) (inventory.Ref, error) {
	ref := inventory.Ref{Kind: inventory.Kind(kind), Name: name}
	known := slices.ContainsFunc(s.Inventory().Refs(), func(r inventory.Ref) bool { return r == ref })
	if !known || !who.Scope.Sees(ref) {
		return ref, store.ErrNotFound
	}
	return ref, nil
}

func getObject(s *server, ctx context.Context, who Caller, in *objectInput) (ObjectDetail, error) {
	ref, err := s.refOf(who, in.Kind, in.Name)
	if err != nil {
		return ObjectDetail{}, err
	}
	states, err := s.states(ctx, who.Scope, []inventory.Ref{ref})
	if err != nil {
		return ObjectDetail{}, err
	}
	return ObjectDetail{
		Object: s.object(s.Inventory(), states, who.Scope, ref),
		Checks: s.checksOf(who.Lang, ref),
		Latest: s.latestOf(who, ref),
	}, nil
}

func (s *server) object(inv *inventory.Inventory, states map[inventory.Ref]*State, scope store.Scope, r inventory.Ref) Object {
	state := State{Severity: "none", Incidents: []int64{}}
	if st := states[r]; st != nil {
		state = *st
	}
	return Object{
		Ref: r.String(), Kind: string(r.Kind), Name: r.Name, Site: inv.SiteOf(r), State: state,
		Parents: names(inv.Parents(r)), Children: names(visible(scope, inv.Children(r))),
		Facts: factsOf(inv, r), URL: s.link("/" + string(r.Kind) + "s/" + r.Name),
	}
}

func visible(scope store.Scope, refs []inventory.Ref) []inventory.Ref {
	return slices.DeleteFunc(slices.Clone(refs), func(r inventory.Ref) bool { return !scope.Sees(r) })
}

func (s *server) checksOf(lang collectors.Lang, ref inventory.Ref) []Check {
	out := []Check{}
	for _, c := range s.Checks() {
		if c.ID.Ref != ref {
			continue
		}
		line := Check{Name: c.ID.Instance, Kind: c.Kind, Target: c.Target, EveryS: seconds(c.Every), TimeoutS: seconds(c.Timeout)}
		if run, ok := s.Runs.LastRun(c.ID); ok {
			last := s.runLine(lang, run)
			line.LastRun = &last
		}
		out = append(out, line)
	}
	return out
}
