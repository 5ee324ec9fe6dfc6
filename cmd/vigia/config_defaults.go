package main

import (
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// defaultThresholds are what ships with Vigía. A threshold of the file for the same metric and object takes the place of one of these whole.
//
// Reachability is confirmed by three probes a second apart before it is raised, and its silence for three periods is an alarm. Loss and
// load must hold. Response times and latencies have no figure that is right for everyone, so they have none here.
func defaultThresholds(services []ServiceSpec, destinations []DestinationSpec) []alerting.Threshold {
	out := reachabilityDefaults()
	out = append(out, qualityDefaults()...)
	out = append(out, capacityDefaults()...)
	out = append(out, deviceDefaults()...)
	out = append(out, selfDefaults()...)
	for _, s := range services {
		out = append(out, serviceDefault(s))
	}
	for _, d := range destinations {
		out = append(out, destinationDefault(d))
	}
	for i := range out {
		out[i].Source = alerting.DefaultSource
	}
	return out
}

func reachabilityDefaults() []alerting.Threshold {
	var out []alerting.Threshold
	for _, on := range []inventory.Pattern{"site/*", "link/*", "server/*", "trunk/*"} {
		out = append(out, alerting.Threshold{
			Metric: collectors.Up, On: on,
			Tiers:   []alerting.Tier{{Severity: alerting.Critical, Raise: 0, Clear: 1}},
			NoData:  &alerting.NoData{Severity: alerting.Major}, // After zero: three periods of the series
			Confirm: &alerting.Confirm{Probes: 3, Every: time.Second},
		})
	}
	return out
}

// silentTiers are for what suddenly carries next to nothing at an hour at which it usually carries calls.
func silentTiers() []alerting.Tier {
	return []alerting.Tier{{Severity: alerting.Major, Raise: 0.05, Clear: 0.3, For: 15 * time.Minute, ClearFor: 5 * time.Minute}}
}

func qualityDefaults() []alerting.Threshold {
	return []alerting.Threshold{
		{Metric: collectors.LossPct, On: "link/*", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 1, Clear: 0.5, For: 2 * time.Minute},
			{Severity: alerting.Critical, Raise: 10, Clear: 5, For: 30 * time.Second},
		}},
		{Metric: collectors.TimesUsual, On: "trunk/*", Instance: string(collectors.Calls), Tiers: silentTiers()},
		{Metric: collectors.TimesUsual, On: "customer/*", Instance: string(collectors.Calls), Tiers: silentTiers()},
		{Metric: collectors.TLSExpiryD, On: "*", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 21, Clear: 22},
			{Severity: alerting.Major, Raise: 7, Clear: 8},
			{Severity: alerting.Critical, Raise: 1, Clear: 2},
		}},
	}
}

// capacityDefaults are the capacity rule of the house (design §5): built for 40 % at the busy hour, 60 % means add servers, 80 % must still
// serve well.
func capacityDefaults() []alerting.Threshold {
	load := []alerting.Tier{
		{Severity: alerting.Major, Raise: 80, Clear: 70, For: 10 * time.Minute, ClearFor: 2 * time.Minute},
		{Severity: alerting.Critical, Raise: 90, Clear: 85, For: 5 * time.Minute, ClearFor: 2 * time.Minute},
	}
	return []alerting.Threshold{
		{Metric: collectors.CPUPct, On: "server/*", Tiers: load},
		{Metric: collectors.RAMPct, On: "server/*", Tiers: load},
		{Metric: collectors.BusyHourPct, On: "service/*", Tiers: []alerting.Tier{{Severity: alerting.Warning, Raise: 60, Clear: 55}}},
		{Metric: collectors.FullInD, On: "server/*", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 14, Clear: 21, For: time.Hour},
			{Severity: alerting.Major, Raise: 3, Clear: 5, For: 30 * time.Minute},
		}},
		{Metric: collectors.DiskPct, On: "server/*", Tiers: []alerting.Tier{
			{Severity: alerting.Minor, Raise: 80, Clear: 78, For: 5 * time.Minute},
			{Severity: alerting.Major, Raise: 90, Clear: 88, For: 5 * time.Minute},
			{Severity: alerting.Critical, Raise: 95, Clear: 93, For: time.Minute},
		}},
	}
}

// deviceDefaults are about what devices say of themselves: how full a link is and whether it damages packets, a part that has failed, a UPS.
func deviceDefaults() []alerting.Threshold {
	full := []alerting.Tier{
		{Severity: alerting.Major, Raise: 80, Clear: 75, For: 5 * time.Minute, ClearFor: 2 * time.Minute},
		{Severity: alerting.Critical, Raise: 95, Clear: 90, For: 5 * time.Minute, ClearFor: 2 * time.Minute},
	}
	return []alerting.Threshold{
		{Metric: collectors.InUtilPct, On: "link/*", Tiers: full},
		{Metric: collectors.OutUtilPct, On: "link/*", Tiers: full},
		{Metric: collectors.ErrorsPps, On: "link/*", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 1, Clear: 0.1, For: 5 * time.Minute, ClearFor: 5 * time.Minute},
		}},
		{Metric: collectors.PartOK, On: "server/*", Tiers: []alerting.Tier{{Severity: alerting.Major, Raise: 0, Clear: 1, For: 2 * time.Minute}}},
		{Metric: collectors.BatteryPct, On: "server/*", Tiers: []alerting.Tier{
			{Severity: alerting.Minor, Raise: 50, Clear: 60},
			{Severity: alerting.Critical, Raise: 20, Clear: 30},
		}},
	}
}

// selfDefaults watch Vigía itself.
func selfDefaults() []alerting.Threshold {
	one := func(metric collectors.Metric, severity alerting.Severity, raise, clear float64, hold time.Duration) alerting.Threshold {
		return alerting.Threshold{Metric: metric, On: "vigia/*", Tiers: []alerting.Tier{
			{Severity: severity, Raise: raise, Clear: clear, For: hold, ClearFor: 10 * time.Second},
		}}
	}
	return []alerting.Threshold{
		one(collectors.VigiaConfigRefused, alerting.Major, 1, 0, 0),
		one(collectors.VigiaStoreDown, alerting.Critical, 1, 0, 0),
		one(collectors.VigiaSetAside, alerting.Major, 1, 0, 0),
		one(collectors.VigiaNoJournal, alerting.Major, 1, 0, 0),
		one(collectors.VigiaReceiverDown, alerting.Major, 1, 0, 0),
		one(collectors.VigiaBackupAgeS, alerting.Major, (26 * time.Hour).Seconds(), (25 * time.Hour).Seconds(), 0),
		one(collectors.VigiaVoiceDown, alerting.Major, 1, 0, 0),
		{Metric: collectors.VigiaVoiceLossPct, On: "vigia/*", Tiers: []alerting.Tier{
			{Severity: alerting.Warning, Raise: 0.1, Clear: 0.05, For: 20 * time.Second, ClearFor: time.Minute},
			{Severity: alerting.Major, Raise: 1, Clear: 0.5, For: 20 * time.Second, ClearFor: time.Minute},
		}},
		one(collectors.VigiaUnsent, alerting.Major, 1, 0, 0),
		one(collectors.VigiaCanaryS, alerting.Major, canaryLate.Seconds(), 60, 0),
		one(collectors.VigiaDropped, alerting.Warning, 1, 0, 0),
		one(collectors.VigiaSkippedSlots, alerting.Warning, 1, 0, time.Minute),
	}
}

// serviceDefault is what a service needs: fewer healthy servers than at_least are major, none is critical.
func serviceDefault(s ServiceSpec) alerting.Threshold {
	return shortOf(collectors.HealthyServers, inventory.KindService, s.Name, s.AtLeast)
}

// destinationDefault is what a destination needs: fewer working trunks than at_least are major, none is critical.
func destinationDefault(d DestinationSpec) alerting.Threshold {
	return shortOf(collectors.WorkingTrunks, inventory.KindDestination, d.Name, d.AtLeast)
}

func shortOf(metric collectors.Metric, kind inventory.Kind, name string, atLeast int) alerting.Threshold {
	t := alerting.Threshold{
		Metric: metric, On: inventory.Pattern(string(kind) + "/" + name),
		Tiers: []alerting.Tier{{Severity: alerting.Critical, Raise: 0, Clear: 1}},
	}
	if atLeast > 1 {
		t.Tiers = append(t.Tiers, alerting.Tier{Severity: alerting.Major, Raise: float64(atLeast - 1), Clear: float64(atLeast)})
	}
	return t
}
