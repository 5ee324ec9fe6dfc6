package wire

import (
	"bytes"

	"vigia/collectors/voice"
)

// keeper keeps copies of what it is lent.
type keeper struct {
	reports   []voice.Report
	signals   []voice.Signal
	qualities []voice.Quality
}

func (k *keeper) Report(r *voice.Report) { k.reports = append(k.reports, *r) }

func (k *keeper) Signal(m *voice.Signal) {
	s := *m
	for _, f := range []*[]byte{
		&s.CorrelationID, &s.CallID, &s.Branch, &s.FromTag, &s.ToTag, &s.FromUser, &s.FromHost, &s.ToUser, &s.ToHost,
		&s.RequestUser, &s.RequestHost, &s.AssertedUser, &s.UserAgent, &s.Joint,
	} {
		*f = bytes.Clone(*f)
	}
	s.Media = append([]voice.Media(nil), s.Media...)
	for i := range s.Media {
		s.Media[i].Codecs = append([]voice.Codec(nil), s.Media[i].Codecs...)
		s.Media[i].SSRCs = append([]uint32(nil), s.Media[i].SSRCs...)
		for j := range s.Media[i].Codecs {
			c := &s.Media[i].Codecs[j]
			c.Name, c.Fmtp = bytes.Clone(c.Name), bytes.Clone(c.Fmtp)
		}
	}
	k.signals = append(k.signals, s)
}

func (k *keeper) Quality(q *voice.Quality) {
	c := *q
	for _, f := range []*[]byte{&c.CorrelationID, &c.CallID, &c.FromTag, &c.ToTag, &c.LocalUser, &c.LocalHost, &c.RemoteUser, &c.RemoteHost, &c.UserAgent, &c.Local.Codec, &c.Remote.Codec} {
		*f = bytes.Clone(*f)
	}
	k.qualities = append(k.qualities, c)
}

// nobody throws everything away.
type nobody struct{}

func (nobody) Report(*voice.Report)   {}
func (nobody) Signal(*voice.Signal)   {}
func (nobody) Quality(*voice.Quality) {}
