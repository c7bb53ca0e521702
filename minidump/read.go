package minidump

import "io"

// readFullAt reads len(p) bytes at off. An io.ReaderAt may return io.EOF with
// a full read; that is no error here.
func readFullAt(r io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// load reads the bytes [off, off+n) that lie inside the file, for structures
// of a fixed, small size.
func (f *File) load(t StreamType, off int64, n int) *cursor {
	c := &cursor{off: off, stream: t}
	n = int(min(int64(n), max(f.size-off, 0)))
	c.buf = make([]byte, n)
	if _, err := readFullAt(f.r, c.buf, off); err != nil {
		c.err = &FormatError{Stream: t, Off: off, Msg: "reading", Err: err}
	}
	return c
}

// loadStream reads up to n bytes from the start of the stream of type t, and
// never beyond the size that the directory gives it.
func (f *File) loadStream(t StreamType, n int) (*cursor, DirectoryEntry, error) {
	d, err := f.find(t)
	if err != nil {
		return nil, d, err
	}
	return f.load(t, int64(d.RVA), int(min(int64(n), int64(d.DataSize)))), d, nil
}
