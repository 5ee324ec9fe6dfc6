package web

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// What the details of samples hold (their JSON). Any field may lack; after a restart all of them do, until the next sample.
type (
	interfaceDetail struct {
		Name, Alias, Descr string
		Admin, Oper        string
		Speed              float64 `json:"speed_bps"`
		Capacity           float64 `json:"capacity_bps"` // as configured
	}
	sizeDetail   struct{ Used, Total float64 } // octets
	coresDetail  struct{ Cores int }
	deviceDetail struct {
		Profile, Title, Name, Descr, Location, Model, Serial, Version string
	}
)

// detailOf reads a sample's detail. One that cannot be read is as good as none: the figures stand without it.
func detailOf[T any](r reading) T {
	var d T
	if r.Detail != "" {
		if err := json.Unmarshal([]byte(r.Detail), &d); err != nil {
			var none T
			return none
		}
	}
	return d
}

// deviceBody is what an object's page shows of what SNMP measures there.
type deviceBody struct {
	Ports   *portsCard
	Cores   *coresCard
	Disks   *disksCard
	Memory  []sizeRow
	Sensors *sensorsCard
	Facts   []fact
	Months  string // where the percentiles of the months are; "" when there is no traffic
	Thrown  []thrownRow
}

func (s *Server) device(v *visit, w *world, ref inventory.Ref, list readings) (deviceBody, error) {
	d := deviceBody{
		Cores: s.coresCard(v, w, list), Disks: s.disksCard(v, w, list), Memory: s.memoryRows(v, w, list), Sensors: s.sensorsCard(v, w, list),
		Facts: v.deviceFacts(list), Thrown: s.thrownRows(v, ref),
	}
	if r, ok := list.whole().worstOf(collectors.InBps); ok {
		d.Months = monthsURL(r.Series)
	}
	var err error
	d.Ports, err = s.portsCard(v, w, list)
	return d, err
}

// whole are the readings that are not of parts.
func (list readings) whole() readings {
	var out readings
	for _, r := range list {
		if r.Series.Part() == "" {
			out = append(out, r)
		}
	}
	return out
}

// tiled are the readings that the tiles of a whole device are made of: the disks, of which the worst counts, are among them.
func (list readings) tiled() readings {
	out := list.whole()
	for _, r := range list {
		if r.Series.Metric == collectors.DiskPct && r.Series.Part() != "" {
			out = append(out, r)
		}
	}
	return out
}

// of are the readings of one instance.
func (list readings) of(instance string) readings {
	var out readings
	for _, r := range list {
		if r.Series.Instance == instance {
			out = append(out, r)
		}
	}
	return out
}

// at is the reading of a metric of one instance.
func (list readings) at(m collectors.Metric, instance string) (reading, bool) {
	for _, r := range list {
		if r.Series.Metric == m && r.Series.Instance == instance {
			return r, true
		}
	}
	return reading{}, false
}

// capacityOf is how much fits through a series' interface, bit/s: what is configured, else what the device says; 0 when nobody knows.
func capacityOf(inv *inventory.Inventory, list readings, series collectors.Series) float64 {
	if l := inv.Link(series.Ref.Name); series.Ref.Kind == inventory.KindLink && l != nil && l.Capacity > 0 {
		return float64(l.Capacity)
	}
	r, _ := list.at(collectors.InterfaceUp, series.Instance)
	d := detailOf[interfaceDetail](r)
	return max(cmp.Or(d.Capacity, d.Speed), 0)
}

// partURL is the page of one part of an object.
func partURL(series collectors.Series) string {
	return pageOf(series.Ref) + "?" + url.Values{"of": {series.Instance}}.Encode()
}

// partName is what people call a part: an interface by the name that the device gives it.
func partName(list readings, series collectors.Series) string {
	r, _ := list.at(collectors.InterfaceUp, series.Instance)
	return cmp.Or(clean(detailOf[interfaceDetail](r).Name), series.Part())
}

// clean makes one line of what a device says of itself.
func clean(text string) string {
	const most = 160
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

// deviceSaid is what the device says of itself; nothing when it has not yet.
func (list readings) deviceSaid() deviceDetail {
	r, _ := list.whole().worstOf(collectors.UptimeS)
	return detailOf[deviceDetail](r)
}

// deviceFacts lists what the device is; without its detail, how long it runs.
func (v *visit) deviceFacts(list readings) []fact {
	r, ok := list.whole().worstOf(collectors.UptimeS)
	if !ok {
		return nil
	}
	d := list.deviceSaid()
	var facts []fact
	add := func(code, value string) {
		if value = clean(value); value != "" {
			facts = append(facts, fact{Label: v.t(code), Value: value})
		}
	}
	add("device.name", d.Name)
	add("device.model", d.Model)
	add("device.version", d.Version)
	add("device.serial", d.Serial)
	add("device.location", d.Location)
	if r.Fresh {
		facts = append(facts, fact{Label: v.metric(collectors.UptimeS), Value: v.t("device.uptime", v.span(seconds(r.Value)), v.brief(r.At.Add(-seconds(r.Value))))})
	} else {
		facts = append(facts, fact{Label: v.metric(collectors.UptimeS), Value: "– " + v.t("none.since", v.brief(r.At))})
	}
	add("device.descr", d.Descr)
	add("device.profile", joinSaid(d.Title, d.Profile))
	return facts
}

func seconds(v float64) time.Duration {
	const most = 100 * 365 * 86400
	return time.Duration(math.Min(math.Max(v, 0), most) * float64(time.Second))
}

// joinSaid puts what is there behind one another.
func joinSaid(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}

// percent writes a share without a fraction, but for what is small.
func (s *speaker) percent(v float64) string {
	if math.Abs(v) >= 10 {
		v = math.Round(v)
	}
	return collectors.FormatUnit(s.lang, collectors.UnitPercent, v)
}

// octets is how much of how much is used; "" when the sample does not say.
func (s *speaker) octets(r reading) string {
	d := detailOf[sizeDetail](r)
	if d.Total <= 0 || d.Total > octetsMost || d.Used < 0 || d.Used > octetsMost {
		return ""
	}
	return s.t("size.of", collectors.FormatOctetsOf(s.lang, d.Used, d.Total), collectors.FormatOctets(s.lang, d.Total))
}

// octetsMost is more than any disk has: a device that says so is wrong.
const octetsMost = 1e21

// meter is a bar of one hundred with ticks at 40, 60 and 80.
type meter struct {
	Width string // percent
	Class string // the severity's, when an alarm stands
	None  bool
}

func (s *Server) meterOf(w *world, r reading, ok bool) meter {
	if !ok || !r.Fresh {
		return meter{None: true}
	}
	m := meter{Width: short(math.Min(math.Max(r.Value, 0), 100))}
	if a := w.alarmOn(r.Series); a != nil {
		m.Class = "is-" + a.Severity.String()
	}
	return m
}

// rankOf is how bad the alarm on a series is, and its shape; nil when none stands.
func (s *Server) rankOf(v *visit, w *world, series collectors.Series) (rank int, sh *shape) {
	a := w.alarmOn(series)
	if a == nil {
		return 0, nil
	}
	one := v.shapeOf(a.Severity, a.State == alerting.Stale)
	return one.Rank + flag(!w.owned(a)), &one
}

// natural orders names as people count: Gi0/2 before Gi0/10.
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, nb := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many figures a text begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
