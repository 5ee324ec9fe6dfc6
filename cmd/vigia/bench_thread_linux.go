package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// threadCPU is the CPU time of the calling thread so far. A goroutine that asks twice must be locked to its thread.
func threadCPU() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("ask for the CPU time of a thread: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
