// Package ctxlock is for locks that are held during a download: who waits for
// one must be able to give up. It imports nothing of the module.
package ctxlock

import "context"

// Lock is a mutex that is waited for no longer than a context allows.
type Lock chan struct{}

// New returns a Lock that nobody holds.
func New() Lock { return make(Lock, 1) }

// Lock takes the lock, or returns the error of ctx.
func (l Lock) Lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Unlock gives the lock back.
func (l Lock) Unlock() { <-l }
