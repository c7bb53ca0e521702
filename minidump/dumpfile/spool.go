package dumpfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// spooler copies streams into temporary files.
type spooler struct {
	ctx      context.Context
	dir      string
	limit    *Limit
	progress func(done, total int64)
}

// first gives the input as it is: a regular file in place, anything else
// (standard input, a named pipe) spooled.
func (s *spooler) first(path string, stdin io.Reader) (in input, truncated, err error) {
	// The pipe, if there is one, ends with this function.
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	own := path != "-" // the file is ours to close
	var file *os.File
	if own {
		if file, err = openFile(ctx, path); err != nil {
			return input{}, nil, bare(err)
		}
	} else if stdin == nil {
		file = os.Stdin
	} else if f, ok := stdin.(*os.File); ok {
		file = f
	} else {
		return s.spool(newPipe(ctx, stdin), -1, nil)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = bare(err)
	case info.IsDir():
		err = errors.New("it is a directory")
	case info.Mode().IsRegular() && atStart(file):
		return input{file: file, size: info.Size(), keep: !own}, nil, nil
	default:
		in, truncated, err = s.spool(newPipe(ctx, file), -1, nil)
	}
	if own {
		file.Close() // only read from
	}
	return in, truncated, err
}

// openFile opens a file. That of a named pipe waits for somebody who writes, and
// that of a device may take any time: it is given up when the context ends, and
// what is opened then is closed again.
func openFile(ctx context.Context, path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && (info.Mode().IsRegular() || info.IsDir()) {
		return os.Open(path)
	}
	type result struct {
		file *os.File
		err  error
	}
	opened := make(chan result)
	go func() {
		file, err := os.Open(path)
		select {
		case opened <- result{file, err}:
		case <-ctx.Done():
			if err == nil {
				file.Close()
			}
		}
	}()
	select {
	case r := <-opened:
		return r.file, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// atStart reports whether no one has read from the file: standard input may be
// a file whose beginning someone else has taken.
func atStart(file *os.File) bool {
	pos, err := file.Seek(0, io.SeekCurrent)
	return err == nil && pos == 0
}

// chunkSize is how much is copied between two looks at the context. The first
// chunks are smaller, for most of what comes through a pipe in tests is small.
const (
	chunkSize      = 1 << 20
	firstChunkSize = 32 << 10
)

// spool copies src into a new temporary file; see copyTo.
func (s *spooler) spool(src io.Reader, total int64, done func() int64) (in input, truncated, err error) {
	tmp, err := os.CreateTemp(s.dir, "dumpscan-*.dmp")
	if err != nil {
		return input{}, nil, fmt.Errorf("unpacking needs a temporary file in %s: %w", s.dir, bare(err))
	}
	in = input{file: tmp, limit: s.limit}
	if os.Remove(tmp.Name()) != nil {
		in.remove = tmp.Name() // Windows deletes no open file
	}
	in.size, truncated, err = s.copyTo(tmp, src, total, done)
	if err != nil {
		in.close()
		return input{}, nil, err
	}
	return in, truncated, nil
}

// copyTo copies src to w. done says how much of the input that has taken; nil
// means as much as was copied. If src or w fails after some bytes, or the limit is
// reached, these are kept and truncated says what happened.
func (s *spooler) copyTo(w io.Writer, src io.Reader, total int64, done func() int64) (size int64, truncated, err error) {
	chunk := make([]byte, firstChunkSize)
	for {
		n, readErr := fill(src, chunk)
		if s.ctx.Err() != nil {
			return size, nil, context.Cause(s.ctx)
		}
		granted := s.limit.take(int64(n))
		written, err := w.Write(chunk[:granted])
		s.limit.give(granted - int64(written))
		size += int64(written)
		switch {
		case err != nil:
			err = fmt.Errorf("unpacking into %s failed after %d bytes (is the disk full? TMPDIR, or TMP on Windows, names another folder): %w", s.dir, size, bare(err))
		case granted < int64(n):
			err = s.limit.reached(size)
		}
		if err != nil && size == 0 {
			return 0, nil, err
		}
		if err != nil {
			return size, err, nil
		}
		if s.progress != nil && n > 0 {
			taken := size
			if done != nil {
				taken = min(done(), total)
			}
			s.progress(taken, total)
		}
		switch {
		case readErr == nil:
			if len(chunk) < chunkSize {
				chunk = make([]byte, 2*len(chunk))
			}
		case readErr == io.EOF:
			return size, nil, nil
		case size == 0:
			return size, nil, readErr
		default:
			return size, fmt.Errorf("the input breaks after %d unpacked bytes: %w", size, readErr), nil
		}
	}
}

// fill reads until b is full or src ends or fails. Unlike io.ReadFull it leaves
// an unexpected end that src itself reports apart from the expected one.
func fill(src io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = src.Read(b[n:])
		n += m
	}
	return n, err
}

// bare takes off an error what os wraps around it: the operation and the path of
// a temporary file that no longer has a name.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// pipe reads from a source that may block for ever, such as a terminal, and
// gives up when the context ends. The read that is pending then stays behind
// until the source ends; it writes to memory of its own.
type pipe struct {
	ctx     context.Context
	results chan []byte // what has been read; closed at the end
	err     error       // set before results is closed
	rest    []byte
}

func newPipe(ctx context.Context, src io.Reader) *pipe {
	p := &pipe{ctx: ctx, results: make(chan []byte)}
	go func() {
		defer close(p.results)
		for {
			b := make([]byte, pipeSize)
			n, err := src.Read(b)
			if n > 0 {
				select {
				case p.results <- b[:n]:
				case <-ctx.Done():
					err = ctx.Err()
				}
			}
			if err != nil {
				p.err = err
				return
			}
		}
	}()
	return p
}

// pipeSize is what one read from a pipe asks for: as much as Linux pipes hold.
const pipeSize = 64 << 10

func (p *pipe) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		select {
		case data, ok := <-p.results:
			if !ok {
				return 0, p.err
			}
			p.rest = data
		case <-p.ctx.Done():
			return 0, context.Cause(p.ctx)
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
