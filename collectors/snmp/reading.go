package snmp

import (
	"time"

	"vigia/collectors"
	"vigia/collectors/snmp/profile"
)

// reading is what one poll read for the metrics of a device, with what the one before read. It implements profile.Reading.
type reading struct {
	now, before map[string]value
	m           moment
	elapsed     float64
}

// Number is a value as a number.
func (r *reading) Number(oid string) (float64, bool) { return r.now[oid].float() }

// Text is a value as text.
func (r *reading) Text(oid string) (string, bool) {
	v := r.now[oid]
	return v.String(), v.kind != absent
}

// Growth is how much a counter grew since the last poll.
func (r *reading) Growth(oid string) (float64, bool) {
	if r.before == nil || r.elapsed < enough {
		return 0, false
	}
	last, now := counterOf(r.before[oid]), counterOf(r.now[oid])
	if !last.known || !now.known || last.wide != now.wide || now.value < last.value || last.value == 0 && now.value >= asleep {
		return 0, false
	}
	return float64(now.value - last.value), true
}

// asleep is what a counter that was 0 cannot reach in one period: an agent that has just started says 0 until it looks for the first time
// (net-snmp's ssCpuRaw objects), and then everything since the machine started.
const asleep = 1000

// Elapsed is the time between the two polls in seconds.
func (r *reading) Elapsed() float64 { return r.elapsed }

var _ profile.Reading = (*reading)(nil)

// readMetrics takes what the metrics need out of what was read by exact names, and walks their large tables. What is elapsed is measured by
// the device's clock when that can be believed.
func (r *run) readMetrics() error {
	if !r.health || len(r.f.metrics) == 0 {
		return nil
	}
	next := reading{now: make(map[string]value, len(r.f.exact)+r.f.cells), m: r.exact.moments[0].moment}
	from := len(r.names) - len(r.f.exact)
	for i, v := range r.exact.values[from:] {
		if v.kind != absent {
			next.now[r.f.exact[i]] = v
		}
	}
	for i := range r.f.tables {
		if err := r.readTable(&next, &r.f.tables[i]); err != nil {
			return err
		}
	}
	if r.last.now != nil && !r.fresh {
		elapsed, v := r.clock.between(r.last.m, next.m)
		if !v.bad() && elapsed >= enough {
			next.before, next.elapsed = r.last.now, elapsed
		}
	}
	r.last = next
	return nil
}

func (r *run) readTable(next *reading, table *metricTable) error {
	n := len(table.columns)
	row := 0
	return r.s.gather(r.ctx, table.request, func(position int, cells []value, _ moment) {
		for row < len(table.wanted) && table.wanted[row] != position {
			row++
		}
		if row == len(table.wanted) {
			return
		}
		for i := range cells {
			if cells[i].kind != absent {
				next.now[table.names[row*n+i]] = cells[i]
			}
		}
	})
}

// tellMetrics makes values of what was read. Of two figures of one metric and part the first counts.
func (r *run) tellMetrics() {
	if !r.health {
		return
	}
	type key struct {
		metric collectors.Metric
		part   string
	}
	seen := map[key]bool{}
	for _, c := range r.f.metrics {
		figures, lacks := c.Eval(c.rows, &r.last)
		for i := range figures {
			f := &figures[i]
			if k := (key{f.Metric, f.Part}); seen[k] || !finite(f.Value) || f.Metric == collectors.UptimeS {
				continue
			} else {
				seen[k] = true
			}
			r.r.Values = append(r.r.Values, collectors.Value{Metric: f.Metric, Part: f.Part, Value: f.Value, Detail: r.figureDetail(f)})
		}
		for _, l := range lacks {
			r.lack(l)
		}
	}
	r.last.before = nil
}

// lack notes a figure that was measured and cannot be true; what is only missing or not known yet is no news.
func (r *run) lack(l profile.Lack) {
	if l.Why != "range" {
		return
	}
	what := string(l.Metric)
	if l.Part != "" {
		what += " " + l.Part
	}
	r.r.Discarded++
	r.r.Steps = append(r.r.Steps, because("discarded_range", what, l.Value))
}

// figureDetail says sizes and tags of a figure as JSON.
func (r *run) figureDetail(f *profile.Figure) string {
	detail := map[string]any{}
	for k, v := range f.Tags {
		detail[k] = v
	}
	if finite(f.Used) && finite(f.Total) && f.Total > 0 {
		detail["used"], detail["total"] = f.Used, f.Total
	}
	if f.Metric == collectors.CPUPct && f.Part == "" && r.f.cores > 0 {
		detail["cores"] = r.f.cores
	}
	if len(detail) == 0 {
		return ""
	}
	return toJSON(detail)
}

// tellDevice tells of the device itself: how fast it answers, and since when it has been running.
func (r *run) tellDevice() {
	add := func(m collectors.Metric, v float64, detail string) {
		r.r.Values = append(r.r.Values, collectors.Value{Metric: m, Value: v, Detail: detail})
	}
	if r.link != "" {
		return
	}
	add(collectors.Up, 1, "")
	add(collectors.ResponseMS, float64(r.s.first)/float64(time.Millisecond), "")
	if seconds, ok := r.uptime(); ok {
		add(collectors.UptimeS, seconds, r.f.detail)
	}
}

// uptime is how long the device has been running: by its profile, where hrSystemUptime does not begin anew with the agent, else sysUpTime.
func (r *run) uptime() (float64, bool) {
	for _, c := range r.f.metrics {
		if c.Metric.Metric != collectors.UptimeS {
			continue
		}
		if figures, _ := c.Eval(c.rows, &r.last); len(figures) > 0 && finite(figures[0].Value) {
			return figures[0].Value, true
		}
	}
	return float64(r.hello.ticks) / ticksPerSecond, r.hello.hasTicks
}
