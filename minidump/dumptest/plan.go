package dumptest

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

// plan is a dump whose every byte has its place: chunks in file order.
type plan struct {
	ptr     int // pointer size of the dumped process
	padding byte
	chunks  []chunk
	end     int64
	limit   int64            // the file ends here; 0 means after the last chunk
	anchors map[string]int64 // nil when no one will ask
	patches []placedPatch
	stacks  []uint32 // RVAs of the stacks placed, in the order of the threads
	err     error    // the first one
}

// chunk is a run of bytes: data, or what write produces, or zeros.
type chunk struct {
	off, size int64
	data      []byte
	write     func(*bufio.Writer) error
}

type placedPatch struct {
	off  int64
	data []byte
}

func (p *plan) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

// put places data and returns the index of its chunk.
func (p *plan) put(data []byte) int {
	p.chunks = append(p.chunks, chunk{off: p.end, size: int64(len(data)), data: data})
	p.end += int64(len(data))
	return len(p.chunks) - 1
}

// rva places data and returns its offset.
func (p *plan) rva(what string, data []byte) uint32 {
	at := p.u32("the RVA of "+what, p.end)
	p.put(data)
	return at
}

// whole places data that is a stream of its own.
func (p *plan) whole(data []byte) (start, size int64) {
	start = p.end
	p.put(data)
	return start, int64(len(data))
}

// generate places size bytes that write will produce when the file is written.
func (p *plan) generate(size int64, write func(*bufio.Writer) error) {
	p.chunks = append(p.chunks, chunk{off: p.end, size: size, write: write})
	p.end += size
}

// zeros places size bytes of zero that are never held in memory.
func (p *plan) zeros(size int64) {
	p.chunks = append(p.chunks, chunk{off: p.end, size: size})
	p.end += size
}

// u32 narrows a size or an offset to the 32 bits the format has for it.
func (p *plan) u32(what string, v int64) uint32 {
	if v > math.MaxUint32 {
		p.fail("%s is %#x: it does not fit in 32 bits", what, v)
	}
	return uint32(v)
}

// mark names an offset.
func (p *plan) mark(off int64, format string, args ...any) {
	if p.anchors != nil {
		p.anchors[fmt.Sprintf(format, args...)] = off
	}
}

func (p *plan) anchor(name string) int64 {
	off, ok := p.anchors[name]
	if !ok {
		p.fail("no anchor %q in this dump", name)
	}
	return off
}

// size is the length of the file.
func (p *plan) size() int64 {
	if p.limit > 0 && p.limit < p.end {
		return p.limit
	}
	return p.end
}

func (p *plan) writeTo(w io.Writer) (int64, error) {
	out := &patchWriter{w: w, patches: p.patches, limit: p.size()}
	buf := bufio.NewWriterSize(out, 1<<16)
	for _, c := range p.chunks {
		if c.off >= out.limit {
			break
		}
		if err := c.writeTo(buf); err != nil {
			return out.off, err
		}
		// Only an iterator that yields differently the second time gets here
		// with another length; every RVA would be wrong.
		if at := out.seen + int64(buf.Buffered()); at != c.off+c.size {
			return out.off, fmt.Errorf("dumptest: the iterator gave %d bytes, and %d when it was ranged first", at-c.off, c.size)
		}
	}
	err := buf.Flush()
	return out.off, err
}

func (c chunk) writeTo(buf *bufio.Writer) error {
	switch {
	case c.data != nil:
		_, err := buf.Write(c.data)
		return err
	case c.write != nil:
		return c.write(buf)
	}
	var zeros [1 << 12]byte
	for left := c.size; left > 0; {
		n := min(left, int64(len(zeros)))
		if _, err := buf.Write(zeros[:n]); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// patchWriter applies the patches to what passes through it and drops what
// lies behind the limit.
type patchWriter struct {
	w       io.Writer
	patches []placedPatch
	limit   int64
	seen    int64 // bytes taken
	off     int64 // bytes handed on
}

func (w *patchWriter) Write(b []byte) (int, error) {
	taken := len(b)
	off := w.seen
	w.seen += int64(taken)
	if off+int64(len(b)) > w.limit {
		b = b[:max(0, w.limit-off)]
	}
	if len(b) == 0 {
		return taken, nil
	}
	if touches(w.patches, off, len(b)) {
		b = append([]byte(nil), b...) // b may be the caller's own slice
		apply(w.patches, off, b)
	}
	n, err := w.w.Write(b)
	w.off += int64(n)
	if err != nil {
		return n, err
	}
	return taken, nil
}

func touches(patches []placedPatch, off int64, n int) bool {
	for _, p := range patches {
		if p.off < off+int64(n) && p.off+int64(len(p.data)) > off {
			return true
		}
	}
	return false
}

// apply overwrites the part of b, which stands at off in the file, that the
// patches reach.
func apply(patches []placedPatch, off int64, b []byte) {
	for _, p := range patches {
		from := p.off - off
		data := p.data
		if from < 0 {
			data = data[min(int64(len(data)), -from):]
			from = 0
		}
		if from < int64(len(b)) {
			copy(b[from:], data)
		}
	}
}
