// Package measure is what the comparisons with peers have in common: the CPU of a process, the machine's load, the median of rounds.
package measure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Median is the one in the middle, of an even number the upper one. There must be one at least.
func Median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// Load is the machine's load over the last minute, for people.
func Load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(data), " ")
	return one
}

// clockTicks is how many a second /proc counts in; Linux has shown 100 to programs on all common machines for long (proc(5)).
const clockTicks = 100

// CPU is the CPU time of a process so far, in user mode and in the kernel.
func CPU(pid int) (time.Duration, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), ") ") // behind the name, which may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is short", pid)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / clockTicks, err
}
