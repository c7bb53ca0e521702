// Package openfile opens the files that symbol paths lead to: only regular ones,
// and however many there are, only a few at the same time. It imports nothing
// of the module.
package openfile

import (
	"container/list"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// A Special is the error for a path that leads to something else than a regular
// file: to open a pipe waits for its other end, and to read a device may never end.
type Special struct{ Mode fs.FileMode }

func (e *Special) Error() string { return "is " + kind(e.Mode) + ", not a regular file" }

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// Open opens a regular file for reading, and returns its size in bytes. The error
// for anything else is a [*Special], without waiting for it.
func Open(path string) (*os.File, int64, error) {
	if err := Check(path); err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Check returns why a path is not that of a regular file, nil if it is.
func Check(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &Special{info.Mode()}
	}
	return err
}

// A Pool reads any number of files, of which it keeps the ones read last open.
// It is safe for concurrent use.
type Pool struct {
	most int

	mu     sync.Mutex
	open   list.List // of *File, the one read last in front
	closed bool
}

// NewPool returns a Pool that keeps at most so many files open, but for those
// that are being read at the same moment.
func NewPool(most int) *Pool { return &Pool{most: most} }

// A File is a file of a [Pool]. It is an io.ReaderAt.
type File struct {
	pool *Pool
	path string
	info fs.FileInfo // as it was when it was opened first

	// The rest is the pool's to lock.
	handle  *os.File
	place   *list.Element // in pool.open; nil if it is not open
	readers int
}

// Open opens a regular file.
func (p *Pool) Open(path string) (*File, error) {
	f := &File{pool: p, path: path}
	if _, err := f.acquire(); err != nil {
		return nil, err
	}
	f.release()
	return f, nil
}

// Size returns the size of the file in bytes, as it was when it was opened first.
func (f *File) Size() int64 { return f.info.Size() }

// ReadAt reads from the file, and opens it again if it is not open any more. It
// fails if the path leads to another file by then.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	h, err := f.acquire()
	if err != nil {
		return 0, err
	}
	defer f.release()
	return h.ReadAt(p, off)
}

func (f *File) acquire() (*os.File, error) {
	p := f.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fs.ErrClosed
	}
	if f.handle == nil {
		if err := f.reopen(); err != nil {
			return nil, err
		}
		f.place = p.open.PushFront(f)
	} else {
		p.open.MoveToFront(f.place)
	}
	f.readers++
	p.shrink()
	return f.handle, nil
}

func (f *File) reopen() error {
	h, _, err := Open(f.path)
	if err != nil {
		return err
	}
	info, err := h.Stat()
	if err == nil && f.info != nil && (!os.SameFile(info, f.info) || info.Size() != f.info.Size()) {
		err = fmt.Errorf("%s has changed meanwhile", f.path)
	}
	if err != nil {
		h.Close()
		return err
	}
	f.handle = h
	if f.info == nil {
		f.info = info
	}
	return nil
}

func (f *File) release() {
	f.pool.mu.Lock()
	defer f.pool.mu.Unlock()
	f.readers--
	f.pool.shrink()
}

// shrink closes files that are not being read, the one read longest ago first.
func (p *Pool) shrink() {
	for e := p.open.Back(); e != nil && (p.open.Len() > p.most || p.closed); {
		f, before := e.Value.(*File), e.Prev()
		if f.readers == 0 {
			f.close()
		}
		e = before
	}
}

func (f *File) close() {
	f.handle.Close() // it was only read
	f.pool.open.Remove(f.place)
	f.handle, f.place = nil, nil
}

// Close closes all files of the pool, which cannot be read any more.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.shrink()
}

// Len returns how many files are open.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open.Len()
}
