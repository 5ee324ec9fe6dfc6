package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// usualWords are what derived samples about services and disks say.
var usualWords = collectors.Words{
	"usual.steady": {EN: "it does not grow", ES: "no crece"},
	"service.busy": {
		EN: "{0:0} % at {1}, the busiest hour of the last day, over {2} servers ({3} points against a week before); with one more server it would be {4:0} %",
		ES: "{0:0} % a las {1}, la hora más cargada del último día, entre {2} servidores ({3} puntos frente a una semana antes); con un servidor más sería {4:0} %",
	},
	"service.add": {
		EN: "add a server to {5}: {0:0} % at {1}, the busiest hour of the last day, over {2} servers ({3} points against a week before); with one more it would be {4:0} %",
		ES: "agregue un servidor a {5}: {0:0} % a las {1}, la hora más cargada del último día, entre {2} servidores ({3} puntos frente a una semana antes); con uno más sería {4:0} %",
	},
}

// How often what is derived from history is worked out.
const (
	deriveTick  = time.Minute
	changeEvery = 5 * time.Minute
	fullEvery   = 15 * time.Minute
	busyEvery   = time.Hour
	neverFullD  = 365
)

// capacity rule of the house (design §5): from this share on at the busy hour servers are added.
const addServersAt = 60

// deriver works out, from what is stored, figures that no check measures: what is usual, how fast something changes, when a disk is full, how
// busy a service is. They are ordinary samples.
type deriver struct {
	store  *store.Store
	live   func() *live
	usual  *collectors.Usual
	put    func([]collectors.Sample)
	now    func() time.Time
	logger *slog.Logger

	learnt                time.Time // the hour that the baselines are of
	config                *live     // that they were learnt for
	changed, filled, busy time.Time
}

// Run works until ctx ends.
func (d *deriver) Run(ctx context.Context) error {
	tick := time.NewTicker(deriveTick)
	defer tick.Stop()
	for {
		d.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round does what is due. What cannot be read now is tried again with the next round.
func (d *deriver) round(ctx context.Context) {
	now, l := d.now().UTC(), d.live()
	if l != d.config {
		d.config, d.learnt = l, time.Time{}
	}
	d.due(ctx, now, &d.learnt, now.Truncate(time.Hour), "what is usual", d.learn)
	d.due(ctx, now, &d.changed, now.Truncate(changeEvery), "changes within an hour", d.changes)
	d.due(ctx, now, &d.filled, now.Truncate(fullEvery), "how disks fill", d.disks)
	d.due(ctx, now, &d.busy, now.Truncate(busyEvery), "how busy services are", d.services)
}

// due does a piece of work once for each slot.
func (d *deriver) due(ctx context.Context, now time.Time, done *time.Time, slot time.Time, what string, work func(context.Context, time.Time) error) {
	if done.Equal(slot) || ctx.Err() != nil {
		return
	}
	if err := work(ctx, now); err != nil {
		if ctx.Err() == nil {
			d.logger.Warn("could not be worked out: "+what, "err", err)
		}
		return
	}
	*done = slot
}

// known lists the series of all objects that pass a test.
func (d *deriver) known(pass func(collectors.Series) bool) []collectors.Series {
	var list []collectors.Series
	var room []collectors.Sample
	for _, ref := range d.live().config.Inventory().Refs() {
		room = d.store.LatestOf(store.Everything(), ref, room[:0])
		for i := range room {
			if pass(room[i].Series) {
				list = append(list, room[i].Series)
			}
		}
	}
	slices.SortFunc(list, func(a, b collectors.Series) int {
		if a.Less(b) {
			return -1
		}
		return 1
	})
	return list
}

// asked reports whether a threshold is about a metric derived from a series.
func (d *deriver) asked(metric collectors.Metric, base collectors.Series) bool {
	return !collectors.Catalogue[base.Metric].Derived && d.live().engine.Rules.Match(collectors.DerivedSeries(metric, base)) != nil
}

// learn learns what is usual at this hour for every series that a threshold compares with it.
func (d *deriver) learn(ctx context.Context, now time.Time) error {
	list := d.known(func(s collectors.Series) bool {
		return d.asked(collectors.Unusual, s) || d.asked(collectors.TimesUsual, s)
	})
	if len(list) == 0 {
		d.usual.Watch(nil)
		return nil
	}
	odd, err := d.odd(ctx, now)
	if err != nil {
		return err
	}
	zones := map[string][]collectors.Series{}
	for _, s := range list {
		zone := d.zone(s.Ref).String()
		zones[zone] = append(zones[zone], s)
	}
	watched := map[collectors.Series]collectors.Watched{}
	for _, series := range zones {
		if err := d.learnZone(ctx, now.Truncate(time.Hour), series, odd, watched); err != nil {
			return err
		}
	}
	d.usual.Watch(watched)
	return nil
}

// learnZone learns for the series of one time zone: the same hour by the wall clock, which moves against UTC twice a year.
func (d *deriver) learnZone(ctx context.Context, hour time.Time, series []collectors.Series, odd map[collectors.Series][]stretch, to map[collectors.Series]collectors.Watched) error {
	weeks := map[collectors.Series][][]float64{}
	for k := 1; k <= collectors.LearnWeeks; k++ {
		from := hour.In(d.zone(series[0].Ref)).AddDate(0, 0, -7*k)
		lines, err := d.store.Sparklines(ctx, store.Everything(), series, from, from.Add(time.Hour-time.Microsecond), collectors.LearnPoints)
		if err != nil {
			return err
		}
		for _, s := range series {
			if within(odd[s], from) {
				continue // it was in alarm for being unusual: that is not what is usual
			}
			values := make([]float64, 0, collectors.LearnPoints)
			for _, p := range lines[s] {
				values = append(values, p.Mean)
			}
			weeks[s] = append(weeks[s], values)
		}
	}
	for _, s := range series {
		if b, ok := collectors.Learn(s.Metric, weeks[s], hour); ok {
			to[s] = collectors.Watched{Baseline: b, Distance: d.asked(collectors.Unusual, s), Share: d.asked(collectors.TimesUsual, s)}
		}
	}
	return nil
}

func (d *deriver) zone(ref inventory.Ref) *time.Location {
	inv := d.live().config.Inventory()
	if site := inv.Site(inv.SiteOf(ref)); site != nil && site.Timezone != nil {
		return site.Timezone
	}
	return time.UTC
}

// stretch is a time in which an alarm stood.
type stretch struct{ from, until time.Time }

func within(list []stretch, hour time.Time) bool {
	return slices.ContainsFunc(list, func(s stretch) bool {
		return s.from.Before(hour.Add(time.Hour)) && (s.until.IsZero() || s.until.After(hour))
	})
}

// odd lists, by base series, when an alarm stood because it was not as usual.
func (d *deriver) odd(ctx context.Context, now time.Time) (map[collectors.Series][]stretch, error) {
	alarms, err := d.store.Alarms(ctx, store.Everything(), store.AlarmFilter{Since: now.AddDate(0, 0, -7*collectors.LearnWeeks-1), Limit: 10_000})
	if err != nil {
		return nil, err
	}
	out := map[collectors.Series][]stretch{}
	for i := range alarms {
		s := alarms[i].Series
		if s.Metric != collectors.Unusual && s.Metric != collectors.TimesUsual {
			continue
		}
		base := collectors.Series{Metric: collectors.Metric(s.Check().Instance), Ref: s.Ref, Instance: s.Part()}
		one := stretch{alarms[i].RaisedAt, alarms[i].ClearedAt}
		if alarms[i].State != alerting.Clear {
			one.until = time.Time{}
		}
		out[base] = append(out[base], one)
	}
	return out, nil
}

// changes works out how much the watched series have changed within an hour: the mean of the last five minutes against that an hour before.
func (d *deriver) changes(ctx context.Context, now time.Time) error {
	list := d.known(func(s collectors.Series) bool { return d.asked(collectors.Change1H, s) })
	if len(list) == 0 {
		return nil
	}
	after, err := d.store.Sparklines(ctx, store.Everything(), list, now.Add(-changeEvery), now, 1)
	if err != nil {
		return err
	}
	before, err := d.store.Sparklines(ctx, store.Everything(), list, now.Add(-time.Hour-changeEvery), now.Add(-time.Hour), 1)
	if err != nil {
		return err
	}
	var out []collectors.Sample
	for _, s := range list {
		if a, b := before[s], after[s]; len(a) > 0 && len(b) > 0 {
			out = append(out, collectors.Change(s, now, a[0].Mean, b[0].Mean, changeEvery))
		}
	}
	d.send(out)
	return nil
}

// disks works out when disks are full.
func (d *deriver) disks(ctx context.Context, now time.Time) error {
	list := d.known(func(s collectors.Series) bool { return s.Metric == collectors.DiskPct })
	if len(list) == 0 {
		return nil
	}
	lines, err := d.store.Sparklines(ctx, store.Everything(), list, now.Add(-collectors.ForecastSpan), now, 5*collectors.ForecastPoints)
	if err != nil {
		return err
	}
	var out []collectors.Sample
	for _, s := range list {
		moments := make([]collectors.Moment, len(lines[s]))
		for i, p := range lines[s] {
			moments[i] = collectors.Moment{At: p.At, Value: p.Mean}
		}
		f := collectors.Foresee(moments)
		m := collectors.Sample{
			Series: collectors.Series{Metric: collectors.FullInD, Ref: s.Ref, Instance: s.Instance}, At: now, Every: fullEvery,
			Value: neverFullD, Reason: collectors.Because("usual.steady"),
		}
		switch f.Outlook {
		case collectors.TooLittle:
			continue
		case collectors.Filling:
			m.Value = max(f.Full.Sub(now).Hours()/24, 0)
			m.Reason = collectors.Because("usual.full", moments[len(moments)-1].Value, "7 d")
		}
		out = append(out, m)
	}
	d.send(out)
	return nil
}

// services works out the load of every service at the busiest hour of the last day: the mean of its servers' processors, hour by hour.
func (d *deriver) services(ctx context.Context, now time.Time) error {
	var out []collectors.Sample
	inv := d.live().config.Inventory()
	for i := range inv.Services {
		s := &inv.Services[i]
		day, err := d.busiest(ctx, s.Servers, now)
		if err != nil {
			return err
		}
		week, err := d.busiest(ctx, s.Servers, now.AddDate(0, 0, -7))
		if err != nil {
			return err
		}
		if day.servers == 0 {
			continue // not measured is not idle
		}
		out = append(out, busySample(s.Name, day, week, d.zone(inventory.Ref{Kind: inventory.KindServer, Name: s.Servers[0]}), now))
	}
	d.send(out)
	return nil
}

// busyHour is the hour of a day in which a service's servers had most to do.
type busyHour struct {
	at      time.Time
	load    float64 // per cent
	servers int     // that were measured in it
}

// busiest finds the busiest hour of the day before an instant.
func (d *deriver) busiest(ctx context.Context, servers []string, end time.Time) (best busyHour, err error) {
	var list []collectors.Series
	var room []collectors.Sample
	for _, name := range servers {
		room = d.store.LatestOf(store.Everything(), inventory.Ref{Kind: inventory.KindServer, Name: name}, room[:0])
		for i := range room {
			if room[i].Series.Metric == collectors.CPUPct && room[i].Series.Part() == "" {
				list = append(list, room[i].Series)
				break
			}
		}
	}
	if len(list) == 0 {
		return best, nil
	}
	end = end.Truncate(time.Hour)
	lines, err := d.store.Sparklines(ctx, store.Everything(), list, end.Add(-24*time.Hour), end.Add(-time.Microsecond), 24)
	if err != nil {
		return best, err
	}
	sums, counts := map[time.Time]float64{}, map[time.Time]int{}
	for _, points := range lines {
		for _, p := range points {
			hour := p.At.UTC().Truncate(time.Hour)
			sums[hour] += p.Mean
			counts[hour]++
		}
	}
	for hour, sum := range sums {
		if load := sum / float64(counts[hour]); best.servers == 0 || load > best.load || load == best.load && hour.Before(best.at) {
			best = busyHour{hour, load, counts[hour]}
		}
	}
	return best, nil
}

// busySample says how busy a service is, and what one more server would do.
func busySample(name string, day, week busyHour, zone *time.Location, now time.Time) collectors.Sample {
	code, trend := "service.busy", "–"
	if day.load >= addServersAt {
		code = "service.add"
	}
	if week.servers > 0 {
		trend = collectors.Number(collectors.English, day.load-week.load, 0)
		if day.load >= week.load {
			trend = "+" + trend
		}
	}
	with := day.load * float64(day.servers) / float64(day.servers+1)
	return collectors.Sample{
		Series: collectors.Series{Metric: collectors.BusyHourPct, Ref: inventory.Ref{Kind: inventory.KindService, Name: name}}, At: now, Every: busyEvery, Value: day.load,
		Reason: collectors.Because(code, day.load, day.at.In(zone).Format("15:04"), float64(day.servers), trend, with, name),
	}
}

func (d *deriver) send(samples []collectors.Sample) {
	if len(samples) > 0 {
		d.put(samples)
	}
}
