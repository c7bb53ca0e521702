// Command dumpscan finds handle leaks in Windows minidumps, on any operating
// system. See "dumpscan help" and the README.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var got os.Signal
	caught := make(chan struct{})
	go func() {
		got = <-signals
		signal.Stop(signals) // a second signal ends the program at once
		close(caught)
		cancel()
	}()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	select {
	case <-caught:
		// Whoever started the program learns that it was interrupted, so that a
		// loop of a shell stops too.
		dieBy(got)
	default:
	}
	os.Exit(code)
}
