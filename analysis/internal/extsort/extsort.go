// Package extsort sorts what may be more than memory should hold: it keeps some
// megabytes, and what is beyond them in a temporary file, in sorted runs that
// are merged at the end (D. Knuth, The Art of Computer Programming, vol. 3, 5.4).
package extsort

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Values says what the values of a [Sorter] are like.
type Values[T any] struct {
	Compare func(a, b *T) int
	Size    func(v *T) int                 // bytes of memory, about
	Append  func(b []byte, v *T) []byte    // the value as it is kept in the file
	Decode  func(b []byte, v *T) (ok bool) // the reverse; v must not refer to b
}

// A Sorter sorts values; those that compare equal stay in their order. Close
// must be called.
type Sorter[T any] struct {
	values Values[T]
	memory int    // bytes of values before they go to the file
	limit  uint64 // how many are wanted; 0: all

	held  []T
	spare []T // of the same size, for the next order of held
	used  int // bytes of held
	worst *T  // what does not come before it is not among the first limit
	order []uint32
	file  *os.File
	out   *bufio.Writer
	buf   []byte
	end   int64
	runs  []run
}

// Memory is the number of bytes of values that are worth keeping.
const Memory = 16 << 20

// New returns a sorter of the first limit values, or of all if limit is 0, that
// keeps so many bytes of them in memory.
func New[T any](values Values[T], limit uint64, memory int) *Sorter[T] {
	return &Sorter[T]{values: values, limit: limit, memory: memory}
}

// Add enters a value. The error is about the temporary file.
func (s *Sorter[T]) Add(v *T) error {
	if s.worst != nil && s.values.Compare(v, s.worst) >= 0 {
		return nil
	}
	s.held = append(s.held, *v)
	s.used += s.values.Size(v)
	const slack = 1024 // values beyond the limit before the last are let go
	if s.limit > 0 && uint64(len(s.held))/2 >= s.limit+slack {
		s.cut()
	}
	if s.used < s.memory {
		return nil
	}
	s.cut()
	if s.used < s.memory/2 {
		return nil // the limit has made room
	}
	return s.spill()
}

// cut sorts what is held, and lets go of what is beyond the limit.
func (s *Sorter[T]) cut() {
	s.order = s.order[:0]
	for i := range s.held {
		s.order = append(s.order, uint32(i))
	}
	slices.SortFunc(s.order, func(a, b uint32) int {
		if c := s.values.Compare(&s.held[a], &s.held[b]); c != 0 {
			return c
		}
		return int(a) - int(b)
	})
	if s.limit > 0 && s.limit <= uint64(len(s.order)) {
		s.order = s.order[:s.limit]
	}
	if cap(s.spare) < len(s.order) {
		s.spare = make([]T, 0, cap(s.held))
	}
	sorted := s.spare[:len(s.order)]
	s.used = 0
	for i, at := range s.order {
		sorted[i] = s.held[at]
		s.used += s.values.Size(&sorted[i])
	}
	clear(s.held) // its strings
	s.held, s.spare = sorted, s.held[:0]
	if n := len(sorted); s.limit > 0 && s.limit == uint64(n) {
		worst := sorted[n-1]
		s.worst = &worst
	}
}

// spill moves what is held, which is sorted, to the file.
func (s *Sorter[T]) spill() error {
	if s.file == nil {
		file, err := os.CreateTemp("", "dumpscan-*.sort")
		if err != nil {
			return fileError(err)
		}
		s.file = file
		os.Remove(file.Name()) // which Windows does when it is closed, see Close
		s.out = bufio.NewWriterSize(file, 256<<10)
	}
	r := run{start: s.end}
	for i := range s.held {
		s.buf = s.values.Append(s.buf[:0], &s.held[i])
		n, err := writeRecord(s.out, s.buf)
		if err != nil {
			return fileError(err)
		}
		s.end += int64(n)
	}
	r.end = s.end
	s.runs = append(s.runs, r)
	clear(s.held) // their strings
	s.held, s.used = s.held[:0], 0
	return nil
}

// Each calls visit with the values in their order until it returns false. The
// pointer is valid until visit returns. It may be called once. The error is that
// of ctx or about the temporary file.
func (s *Sorter[T]) Each(ctx context.Context, visit func(*T) bool) error {
	s.cut()
	if len(s.runs) > 0 && len(s.held) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if len(s.runs) == 0 {
		for i := range s.held {
			if i%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if !visit(&s.held[i]) {
				break
			}
		}
		return nil
	}
	if err := s.out.Flush(); err != nil {
		return fileError(err)
	}
	s.held, s.spare, s.order, s.out = nil, nil, nil, nil
	return s.merge(ctx, visit)
}

// Close removes the temporary file.
func (s *Sorter[T]) Close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name()) // still there on Windows, which removes no open file
	}
}

// fileError says what to do about a temporary file, whose name is gone.
func fileError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("sorting needs a temporary file in %s (is the disk full? TMPDIR, or TMP on Windows, names another folder): %w", os.TempDir(), err)
}
