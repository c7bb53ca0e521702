//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// dieBy ends the process by a signal.
func dieBy(s os.Signal) {
	signal.Reset(s)
	if n, ok := s.(syscall.Signal); ok && syscall.Kill(syscall.Getpid(), n) == nil {
		time.Sleep(time.Second) // until it arrives
	}
	os.Exit(exitInterrupted)
}
