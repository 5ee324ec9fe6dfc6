package collectors

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestFormatValue(t *testing.T) {
	tests := []struct {
		metric Metric
		value  float64
		en, es string
	}{
		{LossPct, 11.2, "11.2 %", "11,2 %"},
		{LossPct, 0.04, "0.04 %", "0,04 %"},
		{LossPct, 100, "100 %", "100 %"},
		{LossPct, 9.96, "10.0 %", "10,0 %"},
		{LatencyMS, 64.1, "64.1 ms", "64,1 ms"},
		{LatencyMS, 0.347, "0.35 ms", "0,35 ms"},
		{LatencyMS, 1843.6, "1,844 ms", "1844 ms"},
		{InBps, 1.2e9, "1.2 Gb/s", "1,2 Gb/s"},
		{InBps, 1e9, "1 Gb/s", "1 Gb/s"},
		{OutBps, 940_400_000, "940 Mb/s", "940 Mb/s"},
		{OutBps, 64_000, "64 kb/s", "64 kb/s"},
		{OutBps, 12, "12 b/s", "12 b/s"},
		{Up, 0, "down", "fuera de servicio"},
		{Up, 1, "up", "en servicio"},
		{VigiaConfigRefused, 1, "refused, the former one runs on", "rechazada, sigue la anterior"},
		{ErrorsPps, 3.128, "3.13/s", "3,13/s"},
		{ACDS, 42, "42 s", "42 s"},
		{UptimeS, 12_060, "3 h 21 m", "3 h 21 m"},
		{UptimeS, 187_200, "2 d 4 h", "2 d 4 h"},
		{TLSExpiryD, 6.5, "6.5 d", "6,5 d"},
		{HealthyServers, 1, "1", "1"},
		{MOSMean, 3.4567, "3.46", "3,46"},
		{LossPct, math.NaN(), "–", "–"},
		{InBps, math.Inf(1), "–", "–"},
		{"of_a_later_version", 2.5, "2.50", "2,50"},
	}
	for _, tt := range tests {
		if got := FormatValue(English, tt.metric, tt.value); got != tt.en {
			t.Errorf("%s %v in English: %q, want %q", tt.metric, tt.value, got, tt.en)
		}
		if got := FormatValue(Spanish, tt.metric, tt.value); got != tt.es {
			t.Errorf("%s %v in Spanish: %q, want %q", tt.metric, tt.value, got, tt.es)
		}
	}
}

func TestFormatSpan(t *testing.T) {
	tests := map[time.Duration]string{
		0:                              "0 s",
		350 * time.Millisecond:         "350 ms",
		2500 * time.Millisecond:        "2.5 s",
		45*time.Second + 7:             "45 s",
		time.Minute:                    "1 m",
		4*time.Minute + 12*time.Second: "4 m 12 s",
		3*time.Hour + 21*time.Minute + 59*time.Second: "3 h 21 m",
		24 * time.Hour:                "1 d",
		50*time.Hour + 59*time.Minute: "2 d 2 h",
		-90 * time.Second:             "−1 m 30 s",
	}
	for d, want := range tests {
		if got := FormatSpan(English, d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestFormatMoment(t *testing.T) {
	zone, err := time.LoadLocation("America/Costa_Rica")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC) // still the 23rd in Costa Rica
	tests := []struct {
		at     time.Time
		zone   *time.Location
		en, es string
	}{
		{now.Add(-time.Hour), zone, "20:00:00", "20:00:00"},
		{now.Add(-time.Hour), nil, "02:00:00", "02:00:00"},
		{now.Add(-4 * time.Hour), nil, "23 Nov 23:00:00", "23 nov 23:00:00"},
		{now.Add(4 * time.Hour), zone, "24 Nov 01:00:00", "24 nov 01:00:00"},
		{time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC), nil, "2 Jan 2025 03:04:05", "2 ene 2025 03:04:05"},
	}
	for _, tt := range tests {
		if got := FormatMoment(English, tt.at, now, tt.zone); got != tt.en {
			t.Errorf("%v: %q, want %q", tt.at, got, tt.en)
		}
		if got := FormatMoment(Spanish, tt.at, now, tt.zone); got != tt.es {
			t.Errorf("%v: %q, want %q", tt.at, got, tt.es)
		}
	}
}

func TestFormatZone(t *testing.T) {
	tests := map[string]string{"America/Costa_Rica": "UTC−6", "UTC": "UTC", "Asia/Kolkata": "UTC+5:30", "America/St_Johns": "UTC−3:30"}
	for name, want := range tests {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := FormatZone(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), zone); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestMetricWordsAreComplete(t *testing.T) {
	for metric := range Catalogue {
		for _, lang := range []Lang{English, Spanish} {
			if _, ok := MetricWords["metric."+string(metric)]; !ok || MetricName(lang, metric) == "" {
				t.Errorf("%s has no name in %s", metric, lang)
			}
		}
	}
	if got := MetricName(English, "of_a_later_version"); got != "of_a_later_version" {
		t.Errorf("an unknown metric is called %q", got)
	}
	if got := Capitalise("índice"); got != "Índice" {
		t.Errorf("got %q", got)
	}
}

func TestFormatOctets(t *testing.T) {
	tests := []struct {
		octets float64
		en, es string
	}{
		{0, "0 B", "0 B"},
		{999, "999 B", "999 B"},
		{1500, "1.5 kB", "1,5 kB"},
		{60e9, "60 GB", "60 GB"},
		{24.64e9, "24.6 GB", "24,6 GB"},
		{59.96e9, "60 GB", "60 GB"},
		{999.96e9, "1,000 GB", "1000 GB"},
		{1.6e12, "1.6 TB", "1,6 TB"},
		{137.6e9, "137.6 GB", "137,6 GB"},
		{math.NaN(), "– B", "– B"},
	}
	for _, tt := range tests {
		if got := FormatOctets(English, tt.octets); got != tt.en {
			t.Errorf("%v in English: %q, want %q", tt.octets, got, tt.en)
		}
		if got := FormatOctets(Spanish, tt.octets); got != tt.es {
			t.Errorf("%v in Spanish: %q, want %q", tt.octets, got, tt.es)
		}
	}
	if got := FormatOctetsOf(Spanish, 300e6, 1e9); got != "0,3" {
		t.Errorf("a small share of a gigabyte: %q", got)
	}
}

// TestFormatUnitsOfDevices: units without a rule of their own keep three significant digits and a space.
func TestFormatUnitsOfDevices(t *testing.T) {
	for m, want := range map[Metric]string{TemperatureC: "41.3 °C", FanRPM: "4,812 rpm", VoltageV: "3.29 V", CurrentA: "41.3 A", PowerW: "187 W", OpticalDBM: "−6.25 dBm"} {
		value := map[Metric]float64{TemperatureC: 41.26, FanRPM: 4812.4, VoltageV: 3.288, CurrentA: 41.26, PowerW: 187.4, OpticalDBM: -6.25}[m]
		if got := FormatValue(English, m, value); got != want {
			t.Errorf("%s: %q, want %q", m, got, want)
		}
	}
}
