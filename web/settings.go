package web

import (
	"net/http"
	"slices"
)

// settingsBody is a reader's choices.
type settingsBody struct {
	Groups []choice
	Zones  []string
	Zone   string
	Saved  bool
}

// choice is one question with its answers.
type choice struct {
	Name, Label, Help string
	Options           []option
}

type option struct {
	Value, Label string
	Checked      bool
}

func (s *Server) settings(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	body := settingsBody{Zone: v.prefs.Zone, Zones: s.zones(), Saved: v.r.URL.Query().Has("saved")}
	for _, name := range []string{"lang", "theme", "density", "contrast"} {
		c := choice{Name: name, Label: v.t("set." + name), Help: v.t("set." + name + ".help")}
		now := chosen(v.r, name)
		for _, value := range choices[name] {
			key := value
			if key == "" {
				key = "default"
			}
			c.Options = append(c.Options, option{Value: value, Label: v.t("set." + name + "." + key), Checked: value == now})
		}
		body.Groups = append(body.Groups, c)
	}
	f := s.framed(v, w, "settings", "settings", v.t("nav.settings"))
	f.Body = body
	return s.show(v, 200, f)
}

// zones are UTC and the zones of the sites.
func (s *Server) zones() []string {
	list := []string{"UTC"}
	for _, site := range s.cfg.Inventory().Sites {
		if name := site.Timezone.String(); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func (s *Server) saveSettings(v *visit) error {
	if err := v.readForm(); err != nil {
		return err
	}
	for name, allowed := range choices {
		if value := v.r.PostForm.Get(name); v.r.PostForm.Has(name) && slices.Contains(allowed, value) {
			setCookie(v.w, name, value)
		}
	}
	if v.r.PostForm.Has("zone") {
		setCookie(v.w, "zone", zoneName(v.r.PostForm.Get("zone")))
	}
	http.Redirect(v.w, v.r, "/settings?saved", http.StatusSeeOther)
	return nil
}

// keyRow is one key, or several, and what it does.
type keyRow struct {
	Keys []string
	What string
}

// keyTable is the keyboard (ui.md §5), as far as there is something to press.
var keyTable = []struct {
	keys []string
	code string
}{
	{[]string{"j", "k"}, "move"},
	{[]string{"o", "Enter"}, "open"},
	{[]string{"x"}, "select"},
	{[]string{"Shift", "x"}, "range"},
	{[]string{"a"}, "ack"},
	{[]string{"t"}, "assign"},
	{[]string{"s"}, "silence"},
	{[]string{"c"}, "comment"},
	{[]string{"e"}, "escalate"},
	{[]string{"r"}, "check"},
	{[]string{"f"}, "filter"},
	{[]string{"/"}, "find"},
	{[]string{"."}, "held"},
	{[]string{"g", "o"}, "go.overview"},
	{[]string{"g", "a"}, "go.alarms"},
	{[]string{"g", "c"}, "go.calls"},
	{[]string{"g", "w"}, "go.oncall"},
	{[]string{"g", "l"}, "go.links"},
	{[]string{"g", "s"}, "go.servers"},
	{[]string{"g", "v"}, "go.services"},
	{[]string{"g", "t"}, "go.trunks"},
	{[]string{"g", "i"}, "go.sites"},
	{[]string{"g", "m"}, "go.mutes"},
	{[]string{"g", "h"}, "go.self"},
	{[]string{"[", "]"}, "shift"},
	{[]string{"n"}, "now"},
	{[]string{"m"}, "sound"},
	{[]string{"d"}, "density"},
	{[]string{"?"}, "keys"},
	{[]string{"Esc"}, "escape"},
}

func (s *Server) keys(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	var rows []keyRow
	for _, k := range keyTable {
		rows = append(rows, keyRow{k.keys, v.t("key." + k.code)})
	}
	f := s.framed(v, w, "keys", "", v.t("nav.keys"))
	f.Body = rows
	return s.show(v, 200, f)
}
