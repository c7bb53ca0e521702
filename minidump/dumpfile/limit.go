package dumpfile

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrLimit is wrapped by the error of [Open], or that of [File.Truncated], when
// a [Limit] did not allow to unpack all of the input.
var ErrLimit = errors.New("the limit on what may be unpacked is reached")

// A Limit bounds the bytes that are unpacked into temporary files and stand
// there at one time, of all the files that are opened with it. It is safe for
// concurrent use.
type Limit struct {
	max  int64
	used atomic.Int64
}

// NewLimit makes a limit of so many bytes; 0 means that there is none.
func NewLimit(bytes int64) *Limit { return &Limit{max: bytes} }

// take reserves n bytes, or as many as there are left.
func (l *Limit) take(n int64) int64 {
	if l == nil || l.max <= 0 {
		return n
	}
	for {
		used := l.used.Load()
		n = min(n, l.max-used)
		if l.used.CompareAndSwap(used, used+n) {
			return n
		}
	}
}

// give returns what was taken.
func (l *Limit) give(n int64) {
	if l != nil && l.max > 0 {
		l.used.Add(-n)
	}
}

// reached is the error of an input of which only size bytes could be unpacked.
func (l *Limit) reached(size int64) error {
	return fmt.Errorf("unpacking stopped after %d bytes: %w, %d bytes in all", size, ErrLimit, l.max)
}
