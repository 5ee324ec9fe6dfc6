package alerting

import (
	"strconv"

	"vigia/collectors"
)

// CanaryReceiver is the receiver of canaries: not a person, but the part of Vigía that waits for them. No configured receiver has its name.
const CanaryReceiver = "vigia_canary"

// CauseCanary is why it is told.
const CauseCanary Cause = "canary"

// canary answers the sample of a canary with a notification to the CanaryReceiver. It belongs to no incident. When it arrives, what was put
// into the sink has been planned, stored and sent: the whole way that an alarm takes works.
func (p *planner) canary(m *collectors.Sample) {
	n := Notification{
		Key: "canary." + strconv.FormatInt(m.At.UnixMicro(), 10), Receiver: CanaryReceiver, Cause: CauseCanary,
		CreatedAt: p.now, State: NotificationPending, NextAt: p.now,
	}
	n.Message = Message{Key: n.Key, Cause: n.Cause, Series: m.Series, Ref: m.Series.Ref, Value: m.Value, At: m.At}
	p.canaries = append(p.canaries, n)
}
