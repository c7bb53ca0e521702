package pdb

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/dumpscan/dumpscan/analysis/internal/bounded"
)

// stream is one stream of the container.
type stream struct {
	m      *msf
	name   string
	size   int64
	blocks []uint32
	memory atomic.Pointer[[]byte] // all of it, while it is kept in memory
}

// fail makes the error for what is found at offset off.
func (s *stream) fail(off int64, format string, args ...any) error {
	return &bounded.Error{Part: s.name, Off: off, Msg: fmt.Sprintf(format, args...)}
}

// readAt fills p from offset off, or fails.
func (s *stream) readAt(p []byte, off int64) error {
	if off < 0 || int64(len(p)) > s.size-off {
		return s.fail(off, "%d bytes wanted, the stream has %d", len(p), s.size)
	}
	if all := s.memory.Load(); all != nil {
		copy(p, (*all)[off:])
		return nil
	}
	bs := s.m.blockSize
	if err := s.readBlocks(p, s.blocks[off/bs:], off%bs); err != nil {
		return &bounded.Error{Part: s.name, Off: off, Msg: "cannot read", Err: err}
	}
	return nil
}

// readBlocks fills p from offset within of the first of the blocks. Neighbours in the file are read at once; a
// single block goes through the cache.
func (s *stream) readBlocks(p []byte, blocks []uint32, within int64) error {
	m := s.m
	for len(p) > 0 {
		need := (within + int64(len(p)) + m.blockSize - 1) / m.blockSize
		run := 1
		for int64(run) < need && blocks[run] == blocks[0]+uint32(run) {
			run++
		}
		n := min(int64(len(p)), int64(run)*m.blockSize-within)
		if within+n <= m.blockSize {
			if err := m.readBlock(p[:n], blocks[0], within); err != nil {
				return err
			}
		} else {
			if int64(blocks[0])+int64(run) > int64(m.numBlocks) {
				return fmt.Errorf("blocks %d to %d of %d", blocks[0], int64(blocks[0])+int64(run)-1, m.numBlocks)
			}
			if _, err := m.r.ReadAt(p[:n], int64(blocks[0])*m.blockSize+within); err != nil {
				return err
			}
		}
		p, blocks, within = p[n:], blocks[run:], 0
	}
	return nil
}

// cursor reads n bytes at offset off into memory, for decoding. The bytes are known to exist before they are
// allocated.
func (s *stream) cursor(off, n int64) (*bounded.Cursor, error) {
	if off < 0 || n < 0 || n > s.size-off || n > math.MaxInt {
		return nil, s.fail(off, "%d bytes wanted, the stream has %d", n, s.size)
	}
	buf := make([]byte, n)
	if err := s.readAt(buf, off); err != nil {
		return nil, err
	}
	return bounded.New(s.name, off, buf), nil
}

// u32 reads one number.
func (s *stream) u32(off int64) (uint32, error) {
	if all := s.memory.Load(); all != nil && off >= 0 && off <= s.size-4 {
		return binary.LittleEndian.Uint32((*all)[off:]), nil
	}
	var b [4]byte
	err := s.readAt(b[:], off)
	return binary.LittleEndian.Uint32(b[:]), err
}

// cstring reads a NUL-terminated string that begins at off and ends before end.
func (s *stream) cstring(off, end int64) (string, error) {
	var out []byte
	var chunk [128]byte
	for off < end {
		part := chunk[:min(int64(len(chunk)), end-off)]
		if err := s.readAt(part, off); err != nil {
			return "", err
		}
		for i, b := range part {
			if b == 0 {
				return string(append(out, part[:i]...)), nil
			}
		}
		out = append(out, part...)
		off += int64(len(part))
	}
	return "", s.fail(off, "string without an end")
}

// window walks over a part of a stream in order, reading it in pieces: small ones first, as the walk may be short.
type window struct {
	s        *stream
	off, end int64 // what is left to walk
	buf      []byte
	bufOff   int64 // offset of buf in the stream
	piece    int   // bytes to read next
}

const (
	firstPiece = 1 << 12
	lastPiece  = 1 << 17
)

func (s *stream) window(off, end int64) *window {
	w := &window{s: s, off: off, end: min(end, s.size), piece: firstPiece}
	if all := s.memory.Load(); all != nil {
		w.buf = *all
	}
	return w
}

// left returns the number of bytes not yet walked over.
func (w *window) left() int64 { return w.end - w.off }

// peek returns the next n bytes without walking over them. They are valid until the next peek.
func (w *window) peek(n int) ([]byte, error) {
	if int64(n) > w.left() {
		return nil, w.s.fail(w.off, "%d bytes wanted, %d left", n, w.left())
	}
	if at := w.off - w.bufOff; at >= 0 && at+int64(n) <= int64(len(w.buf)) {
		return w.buf[at : at+int64(n)], nil
	}
	size := int(min(int64(max(n, w.piece)), w.left()))
	w.piece = min(2*w.piece, lastPiece)
	if cap(w.buf) < size {
		w.buf = make([]byte, size)
	}
	w.buf, w.bufOff = w.buf[:size], w.off
	if err := w.s.readAt(w.buf, w.off); err != nil {
		w.buf = w.buf[:0]
		return nil, err
	}
	return w.buf[:n], nil
}

// ahead returns what is in memory from here on, at least n bytes of it.
func (w *window) ahead(n int) ([]byte, error) {
	if _, err := w.peek(n); err != nil {
		return nil, err
	}
	at := w.off - w.bufOff
	return w.buf[at:min(int64(len(w.buf)), at+w.left())], nil
}

// skip walks over n bytes.
func (w *window) skip(n int64) { w.off += min(n, w.left()) }
