package main

import (
	"encoding/json"
	"io"

	"vigia/collectors"
)

// The types below are what discover --json writes: one deviceJSON a line. Texts of devices are one line without control characters.

type deviceJSON struct {
	Host        string          `json:"host"`
	ObjectID    string          `json:"object_id"`
	Descr       string          `json:"descr"`
	Name        string          `json:"name"`
	Location    string          `json:"location"`
	Profile     string          `json:"profile"`
	Title       string          `json:"title"`
	Interfaces  []interfaceJSON `json:"interfaces"`
	Processors  int             `json:"processors"`
	MemoryPools int             `json:"memory_pools"`
	Disks       int             `json:"disks"`
	Sensors     int             `json:"sensors"`
	Metrics     []metricJSON    `json:"metrics"`
	Notes       []string        `json:"notes"`
	Requests    int             `json:"requests"`
	TookMS      int64           `json:"took_ms"`
}

type interfaceJSON struct {
	Index    string  `json:"index"`
	Name     string  `json:"name"`
	Alias    string  `json:"alias"`
	Descr    string  `json:"descr"`
	Type     string  `json:"type"`
	SpeedBps float64 `json:"speed_bps"` // 0: unknown
	Admin    string  `json:"admin"`
	Oper     string  `json:"oper"`
	Loopback bool    `json:"loopback"`
	Wide     bool    `json:"wide"` // it has 64-bit counters
}

type metricJSON struct {
	Metric collectors.Metric `json:"metric"`
	Parts  []string          `json:"parts"`
}

func writeJSON(w io.Writer, r *report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, d := range r.found() {
		if err := enc.Encode(d.json()); err != nil {
			return err
		}
	}
	return nil
}

func (d *device) json() deviceJSON {
	out := deviceJSON{
		Host: d.Host, ObjectID: harmless(d.ObjectID), Descr: harmless(d.Descr), Name: harmless(d.Name), Location: harmless(d.Location),
		Profile: harmless(d.Profile), Title: harmless(d.Title), Processors: d.Processors, MemoryPools: d.Pools, Disks: d.Disks, Sensors: d.Sensors,
		Interfaces: []interfaceJSON{}, Metrics: []metricJSON{}, Notes: []string{}, Requests: d.Requests, TookMS: d.Took.Milliseconds(),
	}
	for _, i := range d.Interfaces {
		out.Interfaces = append(out.Interfaces, interfaceJSON{
			Index: i.Index, Name: harmless(i.Name), Alias: harmless(i.Alias), Descr: harmless(i.Descr), Type: i.Type, SpeedBps: i.Speed, Admin: i.Admin, Oper: i.Oper,
			Loopback: i.Loopback, Wide: i.Wide,
		})
	}
	for _, m := range d.Metrics {
		parts := make([]string, len(m.Parts))
		for i, part := range m.Parts {
			parts[i] = harmless(part)
		}
		out.Metrics = append(out.Metrics, metricJSON{m.Metric, parts})
	}
	for _, n := range d.Notes {
		out.Notes = append(out.Notes, harmless(snmpWords().Say(collectors.English, n)))
	}
	return out
}
