package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"
)

// signedWithin is how far a signature's time may be from ours: what is older may be a copy that somebody kept.
const signedWithin = 5 * time.Minute

// Signed reports whether Slack signed a request with this receiver's secret, lately: v0, HMAC-SHA256 over v0:TIME:BODY.
func (n *notifier) Signed(h http.Header, body []byte, now time.Time) bool {
	seconds, err := strconv.ParseInt(h.Get("X-Slack-Request-Timestamp"), 10, 64)
	if err != nil || n.signing.IsZero() || now.Sub(time.Unix(seconds, 0)).Abs() > signedWithin {
		return false
	}
	given, err := hex.DecodeString(strings.TrimPrefix(h.Get("X-Slack-Signature"), "v0="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(n.signing.Reveal()))
	fmt.Fprintf(mac, "v0:%d:", seconds)
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), given)
}

// Pressed carries out what a signed request says was pressed. Slack waits three seconds for the answer to its request: give it first.
func (n *notifier) Pressed(ctx context.Context, body []byte, now time.Time) error {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return fmt.Errorf("read the form: %w", err)
	}
	var cb slackapi.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &cb); err != nil {
		return fmt.Errorf("read the payload: %w", err)
	}
	n.take(ctx, &cb, now)
	return nil
}
