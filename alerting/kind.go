package alerting

import (
	"log/slog"

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
}
