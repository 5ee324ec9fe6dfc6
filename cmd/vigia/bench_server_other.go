//go:build !linux

package main

import "errors"

var errOnlyLinux = errors.New("the CPU time of a database's server can only be measured on Linux")

// serverOf finds no server here.
func serverOf(int) (int, error) { return 0, errOnlyLinux }

// cpu is not known here.
func (b *storeBench) cpu() (storeCPU, error) { return storeCPU{}, errOnlyLinux }
