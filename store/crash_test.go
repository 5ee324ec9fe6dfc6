package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigia/alerting"
	"vigia/store"
	"vigia/store/storetest"
)

// The test binary starts itself as another process; these variables tell that one what it is.
const (
	childDSN  = "VIGIA_TEST_CHILD_DSN"
	childFrom = "VIGIA_TEST_CHILD_FROM"
)

// TestChild is no test of its own: it is the process that TestKilledInTheMiddle kills.
func TestChild(t *testing.T) {
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		return
	}
	first, err := strconv.ParseInt(os.Getenv(childFrom), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, FlushEvery: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	go s.Run(context.Background()) // until this process is killed
	for n := first; ; n++ {
		s.Put(line(series(link, "loss_pct"), time.Now().Add(-time.Minute), time.Millisecond, 50))
		if err := s.Apply(t.Context(), outage(n, link, alerting.Major, noon)); err != nil {
			t.Fatal(err)
		}
		fmt.Println("applied", n)
		list, err := s.Claim(t.Context(), noon.Add(time.Hour), time.Minute, 1, nil)
		if err != nil || len(list) != 1 {
			t.Fatal(len(list), err)
		}
		fmt.Println("claimed", n)
		settle(t, s, attempt(list[0], alerting.NotificationSent, time.Time{}))
		fmt.Println("settled", n)
	}
}

// killed is killedAs of TestChild.
func killed(t *testing.T, dsn string, from int64, after time.Duration, done int) map[string]int64 {
	t.Helper()
	return killedAs(t, "TestChild", dsn, from, after, done)
}

// killedAs runs a child until it has done so many steps and a little, kills it, and returns the last number of each step that it reported.
func killedAs(t *testing.T, test, dsn string, from int64, after time.Duration, done int) map[string]int64 {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	child.Env = append(os.Environ(), childDSN+"="+dsn, childFrom+"="+strconv.FormatInt(from, 10))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last := map[string]int64{}
	var other []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		step, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			other = append(other, lines.Text())
			continue
		}
		last[step] = n
		if done--; done == 0 {
			time.AfterFunc(after, func() { child.Process.Kill() })
		}
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child was to be killed and ended with %v: %s", err, strings.Join(other, "; "))
	}
	return last
}

// A process is killed at any point, again and again. What it said it had applied and settled is there, whole; what it had not yet said is
// there whole or not at all; the next process takes over at once.
func TestKilledInTheMiddle(t *testing.T) {
	storetest.EachDSN(t, func(t *testing.T, dsn string) {
		random := rand.New(rand.NewPCG(7, 8))
		next := int64(1)
		for range 4 {
			last := killed(t, dsn, next, time.Duration(random.IntN(20_000))*time.Microsecond, 3+random.IntN(30))
			s := openAt(t, dsn, time.Now())
			eventually(t, "another process is the active one", func() bool {
				release, err := s.Acquire(t.Context())
				if err == nil {
					release()
				}
				return err == nil
			})
			snap := got[alerting.Snapshot](t)(s.Load(t.Context()))
			next = snap.NextIncident
			if n := next - 1; n != last["applied"] && n != last["applied"]+1 {
				t.Errorf("%d are stored, %d were reported", n, last["applied"])
			}
			if snap.NextAlarm != next || snap.NextEvent != next {
				t.Errorf("half a change is stored: alarms to %d, incidents to %d, events to %d", snap.NextAlarm, next, snap.NextEvent)
			}
			waiting := int64(len(snap.Notifications))
			if settled := next - 1 - waiting; settled < last["settled"] {
				t.Errorf("%d are settled, %d were reported", settled, last["settled"])
			}
			for _, n := range snap.Notifications { // for the next round: as if their leases had run out and they had been sent
				settle(t, s, attempt(n, alerting.NotificationSent, time.Time{}))
			}
			s.Close()
		}
	})
}

// TestDiskFull fills the disk of another process, by a limit on the size of its files: the change is refused, the store stays whole, and
// when there is room again everything goes on.
func TestDiskFull(t *testing.T) {
	if os.Getenv(childDSN) == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestDiskFull$", "-test.v")
		child.Env = append(os.Environ(), childDSN+"="+storetest.SQLite(t))
		if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestDiskFull") {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	s := openAt(t, os.Getenv(childDSN), noon)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	full := before
	full.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	n := int64(1)
	for ; n < 10_000; n++ {
		if err := s.Apply(t.Context(), outage(n, link, alerting.Major, noon)); err != nil {
			t.Log(err)
			break
		}
	}
	if n == 10_000 || s.Stats().Up {
		t.Fatalf("the disk is not full after %d changes", n)
	}
	if snap := got[alerting.Snapshot](t)(s.Load(t.Context())); snap.NextIncident != n || snap.NextEvent != n {
		t.Errorf("next is %d and %d, want %d", snap.NextIncident, snap.NextEvent, n)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	apply(t, s, outage(n, link, alerting.Major, noon))
	if !s.Stats().Up {
		t.Error("it did not heal")
	}
}
