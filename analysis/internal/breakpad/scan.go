package breakpad

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// How many bytes are read from the file at once: to go through it, and to read
// a single line.
const (
	window     = 64 << 10
	lineWindow = 512
)

// A scanner reads lines from a part of the file. It keeps one window, and
// a longer line only as long as it is the current one.
type scanner struct {
	r    io.ReaderAt
	next int64 // file offset of the byte behind buf
	end  int64
	step int64 // bytes to read at once, if not more are needed
	buf  []byte
	pos  int
	off  int64 // file offset of the current line
	err  error // first failure to read; io.EOF is none
}

func newScanner(r io.ReaderAt, off, end, step int64) *scanner {
	return &scanner{r: r, next: off, end: end, step: step}
}

// line returns the next line without its end, and false behind the last one. It
// is valid until the next call.
func (s *scanner) line() ([]byte, bool) {
	searched := 0
	for {
		if i := bytes.IndexByte(s.buf[s.pos+searched:], '\n'); i >= 0 {
			line := s.buf[s.pos : s.pos+searched+i]
			s.off = s.next - int64(len(s.buf)-s.pos)
			s.pos += len(line) + 1
			return bytes.TrimSuffix(line, []byte{'\r'}), true
		}
		searched = len(s.buf) - s.pos
		if !s.fill() {
			break
		}
	}
	line := s.buf[s.pos:]
	s.off = s.next - int64(len(line))
	s.pos = len(s.buf)
	return bytes.TrimSuffix(line, []byte{'\r'}), len(line) > 0
}

// fill reads on, keeping the bytes from pos.
func (s *scanner) fill() bool {
	n := min(max(s.step, int64(len(s.buf)-s.pos)), s.end-s.next)
	if n <= 0 || s.err != nil {
		return false
	}
	kept := copy(s.buf, s.buf[s.pos:])
	s.buf, s.pos = append(s.buf[:kept], make([]byte, n)...), 0
	got, err := s.r.ReadAt(s.buf[kept:], s.next)
	s.buf = s.buf[:kept+got]
	s.next += int64(got)
	if int64(got) < n && err != nil && err != io.EOF {
		s.err = fmt.Errorf("reading at offset 0x%x: %w", s.next, err)
	}
	return got > 0
}

// fields takes the words of a line one after the other.
type fields struct {
	rest []byte
	bad  bool // a word was missing or not a number
}

func (f *fields) word() []byte {
	f.rest = bytes.TrimLeft(f.rest, " \t")
	i := bytes.IndexAny(f.rest, " \t")
	if i < 0 {
		i = len(f.rest)
	}
	w := f.rest[:i]
	f.rest = f.rest[i:]
	f.bad = f.bad || len(w) == 0
	return w
}

// hex takes a number without sign in hexadecimal.
func (f *fields) hex() uint64 {
	v, err := strconv.ParseUint(string(f.word()), 16, 64)
	f.bad = f.bad || err != nil
	return v
}

// dec takes a decimal number that fits 32 bits. The negative ones that some
// writers use for "unknown" are 0.
func (f *fields) dec() uint32 {
	v, err := strconv.ParseInt(string(f.word()), 10, 64)
	f.bad = f.bad || err != nil || v > 1<<32-1
	return uint32(max(v, 0))
}

// text takes the rest of the line.
func (f *fields) text() string { return string(bytes.Trim(f.rest, " \t")) }

// more reports whether there is another word.
func (f *fields) more() bool { return len(bytes.Trim(f.rest, " \t")) > 0 }

// skipMark takes the mark "m" of a function or symbol that several names share.
func (f *fields) skipMark() {
	save := *f
	if string(f.word()) != "m" {
		*f = save
	}
}
