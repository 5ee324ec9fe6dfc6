package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
	"vigia/store"
)

// Config is what the API answers from. Everything but Logger is needed; functions return what is valid now and are called for each request.
type Config struct {
	Store     *store.Store
	Inventory func() *inventory.Inventory
	Checks    func() []collectors.Check
	Runs      *collectors.Runs
	Rules     func() *alerting.Rules
	Policies  func() map[string]alerting.Policy
	Schedule  func() *alerting.Schedule // who may be on call; nil: nobody
	Words     collectors.Words
	Version   string
	PublicURL string // where links lead, without a trailing slash; "" leaves them out
	Now       func() time.Time
	Logger    *slog.Logger
}

// Prefix is the path under which every operation lies.
const Prefix = "/api/v1"

// maxBody is how large the body of a request may be, in octets.
const maxBody = 64 << 10

// server answers the operations.
type server struct {
	Config
	started time.Time
}

// New makes the API's handler. It serves paths that begin with Prefix.
func New(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	router := chi.NewRouter()
	router.NotFound(noSuchPath)
	router.MethodNotAllowed(noSuchMethod)
	s := &server{Config: cfg, started: cfg.Now()}
	s.describe(router)
	return http.NewCrossOriginProtection().Handler(router)
}

// describe adds every operation and the document to the router.
func (s *server) describe(router chi.Router) huma.API {
	doc := huma.DefaultConfig("Vigía", s.Version)
	doc.CreateHooks = nil // no $schema fields in answers
	doc.DocsPath, doc.SchemasPath = "", ""
	doc.OpenAPIPath = "" // served below, in one form and under the same policy as the rest
	doc.RejectUnknownQueryParameters = true
	doc.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	doc.Info.Description = aboutText
	doc.Info.Version = "1"
	doc.Tags = tags
	api := humachi.New(router, doc)
	for _, op := range s.operations() {
		op.register(s, api)
	}
	return api
}

const aboutText = `What Vigía looks after, what it measured, what is wrong, and who has it.

Times are RFC 3339 in UTC; durations are seconds; an object is named kind/name, such as link/sjo-mia. What was not measured is null or
absent, never 0. Sentences follow Accept-Language (en, es). An unknown query parameter is refused.`
