//go:build !unix

package main

import "os"

// dieBy ends the process as a shell would report one that a signal has ended:
// there are no signals here that a process could send to itself.
func dieBy(os.Signal) { os.Exit(exitInterrupted) }
