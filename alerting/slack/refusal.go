package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	slackapi "github.com/slack-go/slack"

	"vigia/alerting"
)

// forGood are Slack's refusals that another attempt cannot mend.
var forGood = []string{
	"account_inactive", "as_user_not_supported", "cant_update_message", "channel_not_found", "edit_window_closed", "ekm_access_denied",
	"enterprise_is_restricted", "invalid_arg_name", "invalid_arguments", "invalid_array_arg", "invalid_attachments", "invalid_auth", "invalid_blocks",
	"invalid_blocks_format", "invalid_charset", "invalid_form_data", "invalid_metadata_format", "invalid_metadata_schema", "invalid_post_type",
	"is_archived", "is_inactive", "metadata_too_large", "method_deprecated", "method_not_supported_for_channel_type", "missing_post_type",
	"missing_scope", "msg_blocks_too_long", "msg_too_long", "no_permission", "no_text", "not_allowed_token_type", "not_authed", "not_in_channel",
	"org_login_required", "restricted_action", "restricted_action_non_threadable_channel", "restricted_action_read_only_channel",
	"restricted_action_thread_locked", "restricted_action_thread_only_channel", "team_access_not_granted", "team_not_found", "token_expired",
	"token_revoked", "too_many_attachments", "two_factor_setup_required",
}

// lostThread are refusals that mean that the incident's message is gone.
var lostThread = []string{"thread_not_found", "message_not_found", "cannot_reply_to_message"}

// refusedWith is Slack's word for a refusal; nothing when it was something else.
func refusedWith(err error) string {
	var refusal slackapi.SlackErrorResponse
	if errors.As(err, &refusal) {
		return refusal.Err
	}
	return ""
}

// failure classifies what Slack, or the way to it, said.
func (n *notifier) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("slack did not answer in time: %w", ctx.Err())
	}
	var limit *slackapi.RateLimitedError
	if errors.As(err, &limit) {
		return &alerting.RetryAfterError{After: max(limit.RetryAfter, time.Second), Err: errors.New("slack asks to go slower")}
	}
	if word := refusedWith(err); word != "" {
		return n.judged("slack: "+word, slices.Contains(forGood, word))
	}
	var status slackapi.StatusCodeError
	if errors.As(err, &status) {
		permanent := status.Code < 500 && status.Code != http.StatusRequestTimeout && status.Code != http.StatusTooManyRequests
		return n.judged(fmt.Sprintf("slack: HTTP %d", status.Code), permanent)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return n.judged("slack: "+err.Error(), false)
}

func (n *notifier) judged(text string, permanent bool) error {
	text = alerting.Outcome(text, n.secrets...)
	if permanent {
		return fmt.Errorf("%s: %w", text, alerting.ErrPermanent)
	}
	return errors.New(text)
}

// settled reports whether a failed call surely did nothing: Slack said no. After anything else it may have been carried out.
func settled(err error) bool {
	var limit *slackapi.RateLimitedError
	return errors.As(err, &limit) || slices.Contains(forGood, refusedWith(err)) || slices.Contains(lostThread, refusedWith(err))
}
