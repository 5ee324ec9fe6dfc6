package web

import (
	"time"

	"vigia/alerting"
	"vigia/collectors/inventory"
)

// wallBody is the screen on the wall: read from across the room, never touched.
type wallBody struct {
	Incidents []incidentRow
	More      int
	Calm      bool
	Loose     int
	Judged    moment
	Clock     string
	Date      string
	Sites     []siteRow
	Tiles     []tile
}

// How much a wall shows.
const (
	wallIncidents = 5
	wallSites     = 8
	wallTiles     = 5
)

func (s *Server) wallboard(v *visit) error {
	w, err := s.world(v.ctx(), v.scope())
	if err != nil {
		return err
	}
	body := wallBody{Loose: len(w.loose()), Clock: v.now.In(v.zone).Format("15:04"), Date: v.t("weekday."+v.now.In(v.zone).Weekday().String()) + " " + v.day(v.now)}
	for i := range w.Incidents {
		if i == wallIncidents {
			body.More = len(w.Incidents) - i
			break
		}
		body.Incidents = append(body.Incidents, s.incidentRow(v, w, &w.Incidents[i]))
	}
	body.Calm = len(body.Incidents) == 0
	if last := s.health().Engine.LastPlan; !last.IsZero() {
		body.Judged = moment{v.span(max(v.now.Sub(last), 0)), last.UnixMilli()}
	}
	all := map[inventory.Kind][]row{}
	for _, kind := range []inventory.Kind{inventory.KindLink, inventory.KindTrunk, inventory.KindServer} {
		all[kind] = s.rows(v, w, w.refsOf(kind), nil, nil)
	}
	body.Sites, _, _ = s.siteRows(v, w, all)
	body.Sites = body.Sites[:min(len(body.Sites), wallSites)]
	tiles, err := s.overviewTiles(v, w, all)
	if err != nil {
		return err
	}
	body.Tiles = tiles[len(tiles)-wallTiles:]
	f := s.framed(v, w, "wallboard", "wallboard", v.t("nav.wallboard"))
	f.Wall, f.Body = true, body
	if f.Theme == "" {
		f.Theme = "dark"
	}
	return s.show(v, 200, f)
}

// Worst is the shape of a site: the worst of what is there, or the calm one.
func (r siteRow) Worst() shape {
	var worst shape
	for _, sq := range r.Squares {
		if sq.Shape.Rank > worst.Rank || worst.Icon == "" {
			worst = sq.Shape
		}
	}
	if worst.Icon == "" {
		worst = shape{Class: "is-unknown", Icon: "unknown"}
	}
	return worst
}

// Hot reports whether a site needs somebody.
func (r siteRow) Hot() bool { return r.Worst().Rank >= 10*int(alerting.Indeterminate) }

// ShiftStep is by how many pixels the wall is shifted at the moment, against burn-in: another one each hour.
func (b wallBody) ShiftStep(now moment) int64 {
	return now.MS / time.Hour.Milliseconds() % 4
}
