package collectors

import "vigia/collectors/inventory"

// Metric is the name of what is measured, with its unit in the name.
type Metric string

// The metrics of links, servers, services and trunks (design §6). Vigía's own begin with vigia_.
const (
	LatencyMS   Metric = "latency_ms"
	LossPct     Metric = "loss_pct"
	JitterMS    Metric = "jitter_ms"
	InBps       Metric = "in_bps"
	OutBps      Metric = "out_bps"
	InUtilPct   Metric = "in_util_pct"
	OutUtilPct  Metric = "out_util_pct"
	Up          Metric = "up"
	ErrorsPps   Metric = "errors_pps"
	DiscardsPps Metric = "discards_pps"

	InterfaceUp Metric = "if_up" // one interface's operational state (RFC 2863 ifOperStatus)

	ResponseMS Metric = "response_ms"
	CPUPct     Metric = "cpu_pct"
	CorePct    Metric = "core_pct" // one processor of several
	RAMPct     Metric = "ram_pct"
	PoolPct    Metric = "pool_pct" // one memory pool of several
	SwapPct    Metric = "swap_pct"
	DiskPct    Metric = "disk_pct"
	Load1      Metric = "load_1m" // run queue, mean of one minute
	Load5      Metric = "load_5m"
	Load15     Metric = "load_15m"
	UptimeS    Metric = "uptime_s"

	TemperatureC Metric = "temperature_c"
	FanRPM       Metric = "fan_rpm"
	VoltageV     Metric = "voltage_v"
	CurrentA     Metric = "current_a"
	PowerW       Metric = "power_w"
	OpticalDBM   Metric = "optical_dbm"
	HumidityPct  Metric = "humidity_pct"
	BatteryPct   Metric = "battery_pct"
	RuntimeS     Metric = "runtime_s" // how long a UPS can go on
	LoadPct      Metric = "load_pct"  // of a UPS: of what it can carry
	PartOK       Metric = "part_ok"   // a fan, a power supply, a disk: works or not

	Sessions    Metric = "sessions"     // of a firewall or a proxy, at this moment
	ProbeMOS    Metric = "probe_mos"    // a device's own estimate from test packets (Cisco IP SLA); not of calls
	ProbeRTTMS  Metric = "probe_rtt_ms" // the same, round-trip time
	CallsFailed Metric = "calls_failed_ps"

	HealthyServers Metric = "healthy_servers"
	BusyHourPct    Metric = "busy_hour_pct"
	WorkingTrunks  Metric = "working_trunks" // of a destination: those that can be reached, and those that nothing checks

	Unusual    Metric = "unusual"     // how far another metric is from what is usual at this hour of the week, in times its usual scatter
	TimesUsual Metric = "times_usual" // the same as a share: 0.1 is a tenth of what is usual
	Change1H   Metric = "change_1h"   // how much another metric has changed within an hour, in its own unit
	FullInD    Metric = "full_in_d"   // days until a disk is full if it goes on as in the last week

	ASRPct Metric = "asr_pct"
	NERPct Metric = "ner_pct"
	ACDS   Metric = "acd_s"
	PDDMS  Metric = "pdd_ms"
	Calls  Metric = "calls"

	Attempts Metric = "attempts" // calls that came to an outcome (answered or failed) in the minute
	Failures Metric = "failures" // of them those that failed, by code and cause: the instance is voice:486, or voice:503/q850-34 with a Q.850 cause

	MOSMean         Metric = "mos_mean"
	MOSP10          Metric = "mos_p10"
	BadCallsPct     Metric = "bad_calls_pct"
	PoorCallsPct    Metric = "poor_calls_pct"
	OneWayPct       Metric = "one_way_pct"
	RTCPCoveragePct Metric = "rtcp_coverage_pct"
	QualityDecline  Metric = "quality_decline"

	DNSMS       Metric = "dns_ms"        // http: name resolution
	ConnectMS   Metric = "connect_ms"    // http, tcp: TCP connect
	TLSMS       Metric = "tls_ms"        // http: TLS handshake
	FirstByteMS Metric = "first_byte_ms" // http: request sent to first octet of the answer
	TLSExpiryD  Metric = "tls_expiry_d"  // http, sip: days until the first certificate of the chain expires
	StatusCode  Metric = "response_code" // http, sip: the final status code

	VigiaSkippedSlots  Metric = "vigia_skipped_slots"    // slots that could not run, since the last sample
	VigiaLateMS        Metric = "vigia_late_ms"          // 99th percentile of how late runs started
	VigiaDropped       Metric = "vigia_dropped_samples"  // samples dropped because a sink was full, since the last sample
	VigiaOutboxLagS    Metric = "vigia_outbox_lag_s"     // age of the oldest notification that is due and not sent
	VigiaConfigRefused Metric = "vigia_config_refused"   // 1 while the file on disk is refused and the old configuration runs on
	VigiaReceiverDown  Metric = "vigia_receiver_failing" // 1 while a receiver gives up notifications; instance: the receiver
	VigiaStoreDown     Metric = "vigia_store_failing"    // 1 while the store refuses writes
	VigiaSetAside      Metric = "vigia_set_aside"        // things that the database refuses for good and that nobody has looked at
	VigiaNoJournal     Metric = "vigia_no_journal"       // 1 while the local journal cannot be used
	VigiaBackupAgeS    Metric = "vigia_backup_age_s"     // how old the newest backup is
	VigiaVoiceDown     Metric = "vigia_voice_failing"    // 1 while reports about calls are not received
	VigiaVoiceLossPct  Metric = "vigia_voice_loss_pct"   // reports about calls that the kernel dropped before they were read
	VigiaClockJumpS    Metric = "vigia_clock_jump_s"     // how far the wall clock jumped, seconds
	VigiaCanaryS       Metric = "vigia_canary_s"         // how long ago a canary came through collecting, judging, storing and sending
	VigiaUnsent        Metric = "vigia_untold_incidents" // incidents that should have told someone and did not (the auditor)
)

// Unit says how a figure is written.
type Unit string

// The units that pages and messages know.
const (
	UnitNone    Unit = ""
	UnitPercent Unit = "%"
	UnitMS      Unit = "ms"
	UnitSeconds Unit = "s"
	UnitDays    Unit = "d"
	UnitBps     Unit = "bps"
	UnitPps     Unit = "/s"
	UnitCelsius Unit = "°C"
	UnitRPM     Unit = "rpm"
	UnitVolt    Unit = "V"
	UnitAmpere  Unit = "A"
	UnitWatt    Unit = "W"
	UnitDBM     Unit = "dBm"
	UnitBool    Unit = "bool" // 1 yes, 0 no
)

// MetricInfo describes a metric.
type MetricInfo struct {
	Unit         Unit
	Reachability bool // whether a bad value means "cannot be reached": only these stand in the shadow of a parent
	LowerIsWorse bool
	Derived      bool             // worked out from another metric, which the first part of the instance names
	Kinds        []inventory.Kind // which objects have it; nil: Vigía itself
}

// Catalogue holds every metric there is.
var Catalogue = map[Metric]MetricInfo{
	LatencyMS:   {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	LossPct:     {Unit: UnitPercent, Kinds: kinds("link", "server", "trunk")},
	JitterMS:    {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	InBps:       {Unit: UnitBps, Kinds: kinds("link", "server")},
	OutBps:      {Unit: UnitBps, Kinds: kinds("link", "server")},
	InUtilPct:   {Unit: UnitPercent, Kinds: kinds("link", "server")},
	OutUtilPct:  {Unit: UnitPercent, Kinds: kinds("link", "server")},
	Up:          {Unit: UnitBool, Reachability: true, LowerIsWorse: true, Kinds: kinds("site", "link", "server", "trunk")},
	ErrorsPps:   {Unit: UnitPps, Kinds: kinds("link", "server")},
	DiscardsPps: {Unit: UnitPps, Kinds: kinds("link", "server")},

	ResponseMS: {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	CPUPct:     {Unit: UnitPercent, Kinds: kinds("server")},
	CorePct:    {Unit: UnitPercent, Kinds: kinds("server")},
	RAMPct:     {Unit: UnitPercent, Kinds: kinds("server")},
	PoolPct:    {Unit: UnitPercent, Kinds: kinds("server")},
	SwapPct:    {Unit: UnitPercent, Kinds: kinds("server")},
	DiskPct:    {Unit: UnitPercent, Kinds: kinds("server")},
	Load1:      {Unit: UnitNone, Kinds: kinds("server")},
	Load5:      {Unit: UnitNone, Kinds: kinds("server")},
	Load15:     {Unit: UnitNone, Kinds: kinds("server")},
	UptimeS:    {Unit: UnitSeconds, LowerIsWorse: true, Kinds: kinds("link", "server")},

	InterfaceUp: {Unit: UnitBool, LowerIsWorse: true, Kinds: kinds("link", "server")},

	TemperatureC: {Unit: UnitCelsius, Kinds: kinds("server")},
	FanRPM:       {Unit: UnitRPM, LowerIsWorse: true, Kinds: kinds("server")},
	VoltageV:     {Unit: UnitVolt, Kinds: kinds("server")},
	CurrentA:     {Unit: UnitAmpere, Kinds: kinds("server")},
	PowerW:       {Unit: UnitWatt, Kinds: kinds("server")},
	OpticalDBM:   {Unit: UnitDBM, LowerIsWorse: true, Kinds: kinds("server")},
	HumidityPct:  {Unit: UnitPercent, Kinds: kinds("server")},
	BatteryPct:   {Unit: UnitPercent, LowerIsWorse: true, Kinds: kinds("server")},
	RuntimeS:     {Unit: UnitSeconds, LowerIsWorse: true, Kinds: kinds("server")},
	LoadPct:      {Unit: UnitPercent, Kinds: kinds("server")},
	PartOK:       {Unit: UnitBool, LowerIsWorse: true, Kinds: kinds("server")},

	Sessions:    {Unit: UnitNone, Kinds: kinds("server")},
	ProbeMOS:    {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("server")},
	ProbeRTTMS:  {Unit: UnitMS, Kinds: kinds("server")},
	CallsFailed: {Unit: UnitPps, Kinds: kinds("server")},

	HealthyServers: {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("service")},
	BusyHourPct:    {Unit: UnitPercent, Kinds: kinds("service")},
	WorkingTrunks:  {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("destination")},

	Unusual:    {Unit: UnitNone, Derived: true, Kinds: kinds("link", "server", "service", "trunk", "customer", "destination")},
	TimesUsual: {Unit: UnitNone, Derived: true, LowerIsWorse: true, Kinds: kinds("link", "server", "service", "trunk", "customer", "destination")},
	Change1H:   {Unit: UnitNone, Derived: true, Kinds: kinds("link", "server", "service", "trunk", "customer", "destination")},
	FullInD:    {Unit: UnitDays, LowerIsWorse: true, Kinds: kinds("server")},

	ASRPct: {Unit: UnitPercent, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	NERPct: {Unit: UnitPercent, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	ACDS:   {Unit: UnitSeconds, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	PDDMS:  {Unit: UnitMS, Kinds: kinds("trunk", "destination")},
	Calls:  {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("server", "trunk", "customer", "destination")},

	Attempts: {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	Failures: {Unit: UnitNone, Kinds: kinds("trunk", "destination")},

	MOSMean:         {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("customer")},
	MOSP10:          {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("customer")},
	BadCallsPct:     {Unit: UnitPercent, Kinds: kinds("customer")},
	PoorCallsPct:    {Unit: UnitPercent, Kinds: kinds("customer")},
	OneWayPct:       {Unit: UnitPercent, Kinds: kinds("customer")},
	RTCPCoveragePct: {Unit: UnitPercent, LowerIsWorse: true, Kinds: kinds("customer")},
	QualityDecline:  {Unit: UnitNone, Kinds: kinds("customer")},

	DNSMS:       {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	ConnectMS:   {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	TLSMS:       {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	FirstByteMS: {Unit: UnitMS, Kinds: kinds("link", "server", "trunk")},
	TLSExpiryD:  {Unit: UnitDays, LowerIsWorse: true, Kinds: kinds("link", "server", "trunk")},
	StatusCode:  {Unit: UnitNone, Kinds: kinds("link", "server", "trunk")},

	VigiaSkippedSlots:  {},
	VigiaLateMS:        {Unit: UnitMS},
	VigiaDropped:       {},
	VigiaOutboxLagS:    {Unit: UnitSeconds},
	VigiaConfigRefused: {Unit: UnitBool},
	VigiaReceiverDown:  {Unit: UnitBool},
	VigiaStoreDown:     {Unit: UnitBool},
	VigiaSetAside:      {},
	VigiaNoJournal:     {Unit: UnitBool},
	VigiaBackupAgeS:    {Unit: UnitSeconds},
	VigiaCanaryS:       {Unit: UnitSeconds},
	VigiaVoiceDown:     {Unit: UnitBool},
	VigiaVoiceLossPct:  {Unit: UnitPercent},
	VigiaClockJumpS:    {Unit: UnitSeconds},
	VigiaUnsent:        {},
}

func kinds(names ...inventory.Kind) []inventory.Kind { return names }
