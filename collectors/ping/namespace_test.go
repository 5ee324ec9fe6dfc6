//go:build linux

package ping

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"vigia/collectors/collectorstest"
)

const insideVariable = "VIGIA_PING_NAMESPACE" // names the test that runs inside a namespace

const (
	openPing   = "0 2147483647" // net.ipv4.ping_group_range: every group may use ping sockets
	closedPing = "1 0"
)

// inNamespace runs the calling test again, in a network namespace of its own, and reports whether this is that second run: a test begins
// with "if !inNamespace(…) { return }". In the namespace lo is up and the ping sockets are as asked for. user 0 stays root.
func inNamespace(t *testing.T, pingGroups string, user uint32) bool {
	t.Helper()
	if os.Getenv(insideVariable) == t.Name() {
		return true
	}
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		collectorstest.Missing(t, "root on Linux", "run the tests as root: they make a network namespace of their own")
	}
	for _, tool := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(tool); err != nil {
			collectorstest.Missing(t, tool, "install iproute2 and nftables")
		}
	}
	// A shell in the namespace sets it up and then becomes the test; with another user, that is the last thing that root does.
	script := `ip link set lo up && echo "$1" > /proc/sys/net/ipv4/ping_group_range && exec "$2" -test.run "^$3\$" -test.v -test.count 1`
	args := []string{"-c", script, "sh", pingGroups, "/proc/" + fmt.Sprint(os.Getpid()) + "/exe", t.Name()}
	cmd := exec.CommandContext(t.Context(), "sh", args...)
	if user != 0 {
		drop := fmt.Sprintf("setpriv --reuid %d --regid %d --clear-groups --bounding-set -all --inh-caps -all", user, user)
		cmd.Args[2] = strings.Replace(script, "exec ", "exec "+drop+" ", 1)
		cmd.Args[5] = copyOfSelf(t)
		cmd.Dir = "/"
	}
	cmd.Env = append(os.Environ(), insideVariable+"="+t.Name(), "GOCOVERDIR=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	if testing.Verbose() || err != nil {
		t.Logf("in the namespace:\n%s", out)
	}
	if err != nil {
		t.Errorf("in the namespace: %v", err)
	} else if !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Errorf("the test did not run in the namespace:\n%s", out)
	}
	return false
}

// copyOfSelf puts the test's binary where another user may run it.
func copyOfSelf(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "vigia-ping-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := dir + "/ping.test"
	if err := os.WriteFile(path, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// must runs a command of the namespace's set-up.
func must(t *testing.T, command string) {
	t.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// rule adds a rule to what comes in.
func rule(t *testing.T, rules ...string) {
	t.Helper()
	must(t, "nft add table inet t")
	must(t, "nft add chain inet t in { type filter hook input priority 0 ; }")
	must(t, "nft add chain inet t out { type filter hook output priority 0 ; }")
	for _, r := range rules {
		must(t, "nft add rule inet t "+r)
	}
	t.Cleanup(func() { must(t, "nft delete table inet t") })
}

// sysctl sets one for the rest of the test.
func sysctl(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := func(v string) {
		if err := os.WriteFile(path, []byte(v), 0); err != nil {
			t.Error(err)
		}
	}
	set(value)
	t.Cleanup(func() { set(strings.TrimSpace(string(old))) })
}
