package ctxlock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/dumpscan/dumpscan/analysis/internal/ctxlock"
)

func TestExclusion(t *testing.T) {
	t.Parallel()
	l := ctxlock.New()
	n := 0 // the race detector watches it
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if err := l.Lock(context.Background()); err != nil {
					t.Error(err)
					return
				}
				n++
				l.Unlock()
			}
		})
	}
	wg.Wait()
	if n != 800 {
		t.Errorf("%d turns, want 800", n)
	}
}

func TestGivingUp(t *testing.T) {
	t.Parallel()
	l := ctxlock.New()
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Lock(done); !errors.Is(err, context.Canceled) {
		t.Errorf("a free lock after the end of the context: %v", err)
	}
	if err := l.Lock(context.Background()); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := l.Lock(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a held lock: %v", err)
	}
	l.Unlock()
	if err := l.Lock(context.Background()); err != nil {
		t.Errorf("after giving up: %v", err)
	}
}
