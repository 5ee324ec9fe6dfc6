package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTicks is how many a second /proc counts in; Linux has shown 100 to programs on all common machines for long (proc(5)).
const clockTicks = 100

// procStat reads a process's line in /proc: its name, and the fields behind that, which begin with the state.
func procStat(pid string) (name string, fields []string, err error) {
	data, err := os.ReadFile(filepath.Join("/proc", pid, "stat")) //nolint:gosec // the number of a process
	if err != nil {
		return "", nil, err
	}
	head, rest, _ := strings.Cut(string(data), ") ")
	_, name, _ = strings.Cut(head, "(")
	if fields = strings.Fields(rest); len(fields) < 15 {
		return "", nil, fmt.Errorf("/proc/%s/stat is short", pid)
	}
	return name, fields, nil
}

// serverOf is the first process of the PostgreSQL of which a process serves us. It must run on this machine.
func serverOf(backend int) (int, error) {
	name, fields, err := procStat(strconv.Itoa(backend))
	if err != nil || !strings.HasPrefix(name, "postgres") {
		return 0, errors.New("the processes of PostgreSQL are not on this machine, so that their CPU cannot be measured")
	}
	return strconv.Atoi(fields[1])
}

// cpu is the CPU time so far: of this process without what looking took, and of the database's server with all its processes, those that
// have ended included.
func (b *storeBench) cpu() (storeCPU, error) {
	own, err := cpuUsed()
	if err != nil || b.server == 0 {
		return storeCPU{Own: own.Seconds()}, err
	}
	server, err := b.serverCPU()
	if err != nil {
		return storeCPU{}, err
	}
	after, err := cpuUsed()
	now := storeCPU{(own - b.looked).Seconds(), server.Seconds()}
	b.looked += after - own
	return now, err
}

// serverCPU is that of the server's processes. It looks at every process of this machine.
func (b *storeBench) serverCPU() (sum time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	server := strconv.Itoa(b.server)
	for _, path := range stats {
		pid := filepath.Base(filepath.Dir(path))
		_, fields, err := procStat(pid)
		switch {
		case err != nil: // it has ended meanwhile
		case pid == server:
			sum += ticksOf(fields[11:15]) // its own, and that of its children that have ended
		case fields[1] == server:
			sum += ticksOf(fields[11:13])
		}
	}
	return sum, nil
}

func ticksOf(fields []string) (sum time.Duration) {
	for _, field := range fields {
		if n, err := strconv.ParseInt(field, 10, 64); err == nil {
			sum += time.Duration(n) * time.Second / clockTicks
		}
	}
	return sum
}
