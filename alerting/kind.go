package alerting

import (
	"context"
	"log/slog"
	"time"

	"vigia/collectors"
)

// ReceiverKind is one sort of receiver: its name in the configuration, the type of its own keys, and what it says.
type ReceiverKind struct {
	Name string
	New  func() ReceiverConfig // a fresh configuration that holds the defaults; its type has yaml tags
}

// ReceiverConfig is a kind's own part of a receiver's configuration: everything but name, kind and language.
type ReceiverConfig interface {
	// Validate lists everything that is wrong; nil when nothing is.
	Validate() []collectors.Problem
	// Open makes the notifier; it connects to nothing.
	Open(setup ReceiverSetup) (Notifier, error)
}

// ReceiverSetup is what every receiver has.
type ReceiverSetup struct {
	Receiver  Receiver
	Words     collectors.Words // the whole catalogue
	PublicURL string           // where links in messages lead, without a trailing slash
	Brand     string           // the operator's name
	Logger    *slog.Logger
	Decide    Decide  // nil: nothing can be decided at the receiver
	History   History // nil: messages have no pictures
}

// Decide posts what a person decided at a receiver, and waits a moment for the engine's answer. The same command again is one. An error that
// is context.DeadlineExceeded says that the command is stored and not answered yet.
type Decide func(ctx context.Context, c Command) (CommandResult, error)

// History reads what was measured of a series in a range, oldest first, for a picture.
type History func(ctx context.Context, s collectors.Series, from, to time.Time) ([]Reading, error)

// Reading is what a picture shows at one moment. A value that is not a number says that nothing was measured: no line may bridge it.
type Reading struct {
	At    time.Time
	Value float64
}
