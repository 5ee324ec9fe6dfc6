package slack

import (
	"bytes"
	"context"
	"time"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
	"vigia/alerting/picture"
)

// pictureWithin bounds what a picture may cost: the message has been posted by then.
const pictureWithin = 2 * time.Second

// picture puts a chart of what was measured into the incident's thread. Without it the message is whole: a failure is only noted.
func (n *notifier) picture(ctx context.Context, m alerting.Message, thread string) {
	ctx, cancel := context.WithTimeout(ctx, pictureWithin)
	defer cancel()
	png, err := picture.Of(ctx, n.history, n.wording.Lang, m)
	if len(png) == 0 || err != nil {
		n.noPicture(m, err)
		return
	}
	_, err = n.api.UploadFileContext(ctx, slackapi.UploadFileParameters{
		Reader: bytes.NewReader(png), FileSize: len(png), Filename: "chart.png", Title: n.wording.Title(m), AltTxt: n.wording.Title(m),
		Channel: n.channel, ThreadTimestamp: thread,
	})
	if err != nil {
		n.noPicture(m, n.failure(ctx, err))
	}
}

func (n *notifier) noPicture(m alerting.Message, err error) {
	if err != nil {
		n.logger.Info("a message has no picture", "incident", m.Incident, "err", alerting.Outcome(err.Error(), n.secrets...))
	}
}
