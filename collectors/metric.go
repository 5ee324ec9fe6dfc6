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

	ResponseMS Metric = "response_ms"
	CPUPct     Metric = "cpu_pct"
	RAMPct     Metric = "ram_pct"
	DiskPct    Metric = "disk_pct"
	UptimeS    Metric = "uptime_s"

	HealthyServers Metric = "healthy_servers"
	BusyHourPct    Metric = "busy_hour_pct"

	ASRPct Metric = "asr_pct"
	NERPct Metric = "ner_pct"
	ACDS   Metric = "acd_s"
	PDDMS  Metric = "pdd_ms"
	Calls  Metric = "calls"

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
	VigiaClockJumpS    Metric = "vigia_clock_jump_s"     // how far the wall clock jumped, seconds
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
	UnitBool    Unit = "bool" // 1 yes, 0 no
)

// MetricInfo describes a metric.
type MetricInfo struct {
	Unit         Unit
	Reachability bool // whether a bad value means "cannot be reached": only these stand in the shadow of a parent
	LowerIsWorse bool
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
	RAMPct:     {Unit: UnitPercent, Kinds: kinds("server")},
	DiskPct:    {Unit: UnitPercent, Kinds: kinds("server")},
	UptimeS:    {Unit: UnitSeconds, Kinds: kinds("link", "server")},

	HealthyServers: {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("service")},
	BusyHourPct:    {Unit: UnitPercent, Kinds: kinds("service")},

	ASRPct: {Unit: UnitPercent, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	NERPct: {Unit: UnitPercent, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	ACDS:   {Unit: UnitSeconds, LowerIsWorse: true, Kinds: kinds("trunk", "destination")},
	PDDMS:  {Unit: UnitMS, Kinds: kinds("trunk", "destination")},
	Calls:  {Unit: UnitNone, LowerIsWorse: true, Kinds: kinds("trunk", "customer", "destination")},

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
	VigiaClockJumpS:    {Unit: UnitSeconds},
	VigiaUnsent:        {},
}

func kinds(names ...inventory.Kind) []inventory.Kind { return names }
