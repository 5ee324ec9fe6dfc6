package slack

import (
	"io"
	"net/http"
	"time"
)

const maxAnswer = 8 << 20 // 200 messages of history at most 40 KB each

// newClient makes a client that follows no redirect, uses no proxy and reads no endless answer.
func newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     bounded{&http.Transport{TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true, IdleConnTimeout: 30 * time.Second}},
	}
}

type bounded struct{ http.RoundTripper }

// RoundTrip bounds the answer's body.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = limited{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

type limited struct {
	io.Reader
	io.Closer
}
