package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const notifyConfig = `store: sqlite:%[1]s/vigia.db
brand: {name: Example Telecom}
public_url: https://noc.example.com
mail: {smtp: "smtp://%[2]s", from: vigia@example.com}
customers: [{name: acme, account_manager: ana@example.com, language: es, policy: noc}]
policies: [{name: noc, levels: [{notify: [hook, account_manager]}]}]
receivers:
  - {name: hook, kind: webhook, url: "%[3]s/s3cret-path"}
  - {name: mailbox, kind: email, to: [never@example.com]}
`

// TestNotifyTest sends test messages to a real webhook and a real mail server, which an account manager's mail goes to as well, with no
// database in sight.
func TestNotifyTest(t *testing.T) {
	sink, hook, dir := newChannelSink(), newHook(t), t.TempDir()
	mail := sink.mail(t, listen(t))
	sink.mend("ana")
	file := filepath.Join(dir, "vigia.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, notifyConfig, dir, mail, hook.url), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		says string // a pattern
	}{
		{[]string{"hook"}, 0, `^hook \(webhook\): accepted: HTTP 202 from 127\.0\.0\.1\n$`},
		{[]string{"account_manager_acme"}, 0, `^account_manager_acme \(email\): accepted by 127\.0\.0\.1: .*\n$`},
		{[]string{"mailbox"}, 1, `^mailbox \(email\): failed: 127\.0\.0\.1: .*550.*nobody of that name"\n    It refused, .*\nvigia: 1 of 1 receivers could not be told\n$`},
		{[]string{"--all"}, 1, `(?s)^hook .*\nmailbox .*\naccount_manager_acme .*\nvigia: 1 of 3 receivers could not be told\n$`},
		{[]string{"hoock"}, 1, `^vigia: .* has no receiver called "hoock" \(did you mean "hook"\?\)\n$`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			code, output := runOnce(t, append([]string{"notify", "test", "-c", file}, tt.args...)...)
			if code != tt.code || !regexp.MustCompile(tt.says).MatchString(output) || strings.Contains(output, "s3cret") {
				t.Errorf("exit code %d, says\n%s\nwant %d and %s", code, output, tt.code, tt.says)
			}
		})
	}
	hook.mu.Lock()
	defer hook.mu.Unlock()
	if len(hook.posts) != 2 || hook.posts[0].Body["cause"] != "test" || hook.posts[0].Key == hook.posts[1].Key || !strings.HasPrefix(hook.posts[0].Key, "test.hook.") {
		t.Errorf("the webhook got %+v", hook.posts)
	}
	if _, err := os.Stat(filepath.Join(dir, "vigia.db")); err == nil {
		t.Error("a test made a database")
	}
}
