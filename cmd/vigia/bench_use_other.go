//go:build !linux

package main

import (
	"errors"
	"time"
)

// cpuUsed is the CPU time of this process so far; it is only known on Linux.
func cpuUsed() (time.Duration, error) {
	return 0, errors.New("the CPU time of this process can only be measured on Linux")
}

// resident is how many octets of this process are in memory; 0: it cannot be known here.
func resident() uint64 { return 0 }

// threadCPU is the CPU time of the calling thread so far; it is only known on Linux.
func threadCPU() (time.Duration, error) {
	return 0, errors.New("the CPU time of a thread can only be measured on Linux")
}
