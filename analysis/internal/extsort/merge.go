package extsort

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// A run is a part of the file that is sorted.
type run struct{ start, end int64 }

// writeRecord writes the length of a record and the record.
func writeRecord(w *bufio.Writer, b []byte) (n int, err error) {
	var head [binary.MaxVarintLen64]byte
	n = binary.PutUvarint(head[:], uint64(len(b)))
	if _, err := w.Write(head[:n]); err != nil {
		return 0, err
	}
	_, err = w.Write(b)
	return n + len(b), err
}

// A cursor reads a run, one value after the other.
type cursor[T any] struct {
	r     *bufio.Reader
	buf   []byte
	value T
	run   int
}

var errDamaged = errors.New("what was written is not what is read")

// next reads the next value; io.EOF at the end.
func (c *cursor[T]) next(values *Values[T]) error {
	n, err := binary.ReadUvarint(c.r)
	if err != nil {
		return err
	}
	c.buf = slices.Grow(c.buf[:0], int(n))[:n]
	if _, err := io.ReadFull(c.r, c.buf); err != nil {
		return err
	}
	var zero T
	c.value = zero
	if !values.Decode(c.buf, &c.value) {
		return errDamaged
	}
	return nil
}

// The buffers of all runs together take about as much as the values did before,
// but for a least size of each.
const leastBuffer, mostBuffer = 4 << 10, 64 << 10

// merge visits the values of all runs.
func (s *Sorter[T]) merge(ctx context.Context, visit func(*T) bool) error {
	size := min(max(s.memory/len(s.runs), leastBuffer), mostBuffer)
	var heads []*cursor[T] // a heap
	for i, r := range s.runs {
		c := &cursor[T]{r: bufio.NewReaderSize(io.NewSectionReader(s.file, r.start, r.end-r.start), size), run: i}
		if err := c.next(&s.values); err != nil {
			return fileError(err)
		}
		heads = append(heads, c)
	}
	for i := len(heads)/2 - 1; i >= 0; i-- {
		s.down(heads, i)
	}
	for n := uint64(0); len(heads) > 0; {
		if n++; n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !visit(&heads[0].value) || n == s.limit {
			return nil
		}
		switch err := heads[0].next(&s.values); {
		case err == io.EOF:
			heads[0] = heads[len(heads)-1]
			heads = heads[:len(heads)-1]
		case err != nil:
			return fileError(err)
		}
		s.down(heads, 0)
	}
	return nil
}

// down moves a head to its place below.
func (s *Sorter[T]) down(heads []*cursor[T], i int) {
	for {
		child := 2*i + 1
		if child >= len(heads) {
			return
		}
		if child+1 < len(heads) && s.before(heads[child+1], heads[child]) {
			child++
		}
		if !s.before(heads[child], heads[i]) {
			return
		}
		heads[i], heads[child] = heads[child], heads[i]
		i = child
	}
}

// before orders equal values by their runs: the first has the earlier ones.
func (s *Sorter[T]) before(a, b *cursor[T]) bool {
	c := s.values.Compare(&a.value, &b.value)
	return c < 0 || c == 0 && a.run < b.run
}
