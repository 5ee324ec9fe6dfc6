package store_test

import (
	"testing"

	"go.uber.org/goleak"
	"vigia/alerting"
	"vigia/alerting/outbox"
	"vigia/collectors"
	"vigia/store"
	"vigia/store/storetest"
)

var (
	_ alerting.Journal = (*store.Store)(nil)
	_ outbox.Queue     = (*store.Store)(nil)
	_ collectors.Sink  = (*store.Store)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOpenTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open storetest.Opener) {
		open()
		open()
	})
}
