package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
	"vigia/web/api"
)

// Config is what the pages are made from. Functions return what is valid now and are called for each request. CheckNow, CheckStats, State,
// Demo, API, Slack, Metrics, Ready, Alive and Logger may be nil.
type Config struct {
	Store     *store.Store
	Inventory func() *inventory.Inventory
	Checks    func() []collectors.Check
	Runs      *collectors.Runs
	Rules     func() *alerting.Rules
	Policies  func() map[string]alerting.Policy
	Receivers func() []alerting.Receiver
	Schedule  func() *alerting.Schedule // who may be on call; nil: nobody
	// Tells is who is told when a level is told at an instant; nil: whom the level names.
	Tells     func(ref inventory.Ref, policy *alerting.Policy, level int, overrides []alerting.Override, at time.Time) alerting.Telling
	Words     collectors.Words // everything that collectors, engine and pages say
	Brand     string           // the operator's name; "" shows none
	PublicURL string           // where people reach the pages: its host is accepted in the Host header
	Version   string
	Now       func() time.Time
	Logger    *slog.Logger

	Health     func() Health
	State      func() State             // what every page says about this process
	CheckNow   func(inventory.Ref) bool // runs every check of an object at once; false: it has none
	CheckStats func(collectors.CheckID) (collectors.CheckStats, bool)
	Demo       func() []DemoMessage // what the demo's sinks received, newest first; nil outside the demo

	API     http.Handler // serves /api/
	Metrics http.Handler // serves /metrics
	Slack   http.Handler // takes what Slack posts to /slack/interactions, and checks its signature
	Ready   func() error // why Vigía does not take work, for /readyz
	Alive   func() error // why its loop does not turn, for /healthz
}

// Health is what only the joints of the process know; the rest the pages read from the store.
type Health struct {
	Started   time.Time
	Scheduler collectors.SchedulerStats
	Engine    alerting.EngineStats
	Config    ConfigHealth
	Voice     *VoiceHealth // nil while no source of reports about calls is configured, and on a standby
}

// ConfigHealth is the state of the configuration file.
type ConfigHealth struct {
	File         string
	LoadedAt     time.Time // when what runs now was loaded
	RefusedSince time.Time // zero while the file on disk is what runs
	Errors       []string  // why it is refused, one line each
	Notices      []string  // what is accepted and does nothing in this version
}

// VoiceHealth is how reports about calls are received.
type VoiceHealth struct {
	Sources  []CallSource
	Trouble  string  // why nothing is received; "" while it is
	LossPct  float64 // what the kernel dropped lately
	Calls    int     // held now
	Inferred int     // of them without signalling
	Streams  int
	Finished uint64
	Evicted  uint64    // calls that were ended to make room
	Unused   []Counted // facts that the tracker did not use
}

// CallSource is one way by which reports come, counted since it was opened.
type CallSource struct {
	Name, Address           string
	Received, Decoded       uint64
	Dropped                 []Counted // the most frequent first
	KernelDrops             uint64
	BufferWanted, BufferGot int // receive buffer in octets; 0 where there is none of our own
}

// Counted is how often something happened; its word is voice.drop. and the reason.
type Counted struct {
	Reason string
	N      uint64
}

// DemoMessage is one thing that the demo's built-in mail server or webhook received.
type DemoMessage struct {
	At      time.Time
	Kind    string // mail or webhook
	To      string
	Raw     []byte // the mail as it came, or the webhook's body
	Headers map[string]string
}

// Server serves the pages.
type Server struct {
	cfg       Config
	assets    *assets
	pages     map[collectors.Lang]pageSet
	events    *Events
	billed    *memo[monthsKey, monthsFound]
	forecasts *memo[inventory.Ref, forecasts]
	begin     beginning
	host      string // of the public URL
	mux       http.Handler
	packers   packers
}

// New makes the server. It fails when a template or the public URL cannot be read, or a route declares no policy.
func New(cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{cfg: cfg, events: NewEvents(cfg.Store, cfg.Now, cfg.Logger), billed: newMonths(), forecasts: newForecasts()}
	if cfg.PublicURL != "" {
		u, err := url.Parse(cfg.PublicURL)
		if err != nil {
			return nil, fmt.Errorf("public URL: %w", err)
		}
		s.host = strings.ToLower(u.Hostname())
	}
	var err error
	if s.assets, err = newAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(cfg.Words); err != nil {
		return nil, err
	}
	s.mux, err = s.routed(s.routes())
	return s, err
}

// Handler serves everything: pages, assets, the stream, the API, the probes of health.
func (s *Server) Handler() http.Handler { return s.mux }

// Close ends the open streams, so that an http.Server can shut down. It may be called twice.
func (s *Server) Close() { s.events.Close() }

// routed joins the routes behind the one wrapper.
func (s *Server) routed(routes []route) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, r := range routes {
		if !r.policy.Declared() {
			return nil, errors.New(r.pattern + " declares no policy")
		}
		mux.Handle(r.pattern, s.admit(r))
	}
	return http.NewCrossOriginProtection().Handler(secured(mux)), nil
}

// apiConfig is what the API's handlers need of ours.
func (s *Server) apiConfig() api.Config {
	c := s.cfg
	return api.Config{
		Store: c.Store, Inventory: c.Inventory, Checks: c.Checks, Runs: c.Runs, Rules: c.Rules, Policies: c.Policies, Words: c.Words,
		Schedule: c.Schedule, Version: c.Version, PublicURL: strings.TrimRight(c.PublicURL, "/"), Now: c.Now, Logger: c.Logger,
	}
}
