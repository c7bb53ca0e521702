package dumpfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/dumpscan/dumpscan/minidump"
)

// Options say how to open a dump. The zero value is fine.
type Options struct {
	// Stdin is what the name "-" reads; nil means os.Stdin.
	Stdin io.Reader
	// TempDir is where dumps are unpacked; "" means os.TempDir().
	TempDir string
	// Limit bounds what is unpacked. Files that are opened with the same Limit
	// share it. Nil is no limit.
	Limit *Limit
	// Progress, if not nil, is called while input is being spooled, from the
	// goroutine of Open and about once a MiB, with the bytes of the input that
	// have been taken and their number, which is -1 for a pipe. Each wrapping
	// starts again at 0. It is not called for files that are read in place.
	Progress func(done, total int64)
}

// File is an open dump, unpacked. It is safe for concurrent use, but for Close.
type File struct {
	name      string
	data      input
	truncated error
}

// Open opens the dump of that name; the package comment says what names mean.
// Errors are of type *fs.PathError. They wrap a [*ChoiceError] when an archive
// leaves a choice, [ErrLimit] when nothing of the input may be unpacked, and
// context.Canceled when ctx has ended while the input was being opened or
// spooled. That is also when a pipe without a writer, or with nothing to read, is
// given up; what is pending ends with the pipe.
//
// A zstd stream names the memory that it needs. Open grants 128 MiB, as zstd
// does, or 16 times the size of the compressed file, up to 2 GiB.
func Open(ctx context.Context, name string, opts Options) (*File, error) {
	f, err := open(ctx, name, opts)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

func open(ctx context.Context, name string, opts Options) (*File, error) {
	s := &spooler{ctx: ctx, dir: opts.TempDir, limit: opts.Limit, progress: opts.Progress}
	if s.dir == "" {
		s.dir = os.TempDir()
	}
	path, member := name, ""
	if name != "-" {
		if _, err := os.Stat(name); err != nil {
			isFile := func(path string) bool {
				info, err := os.Stat(path)
				return err == nil && !info.IsDir()
			}
			if file, inside, ok := splitName(name, isFile); ok {
				path, member = file, inside
			}
		}
	}

	in, truncated, err := s.first(path, opts.Stdin)
	if err != nil {
		return nil, err
	}
	// Each round takes one wrapping off. A dump comes in one, or in two when a
	// compressed file was archived; files that unpack to themselves exist.
	const most = 8
	for range most {
		next, damage, err := s.unwrap(in, path, &member)
		if next == nil && err == nil {
			if member != "" {
				in.close()
				return nil, fmt.Errorf("%s is no zip archive, so it holds no %s", path, member)
			}
			return &File{name: name, data: in, truncated: truncated}, nil
		}
		in.close()
		if err != nil {
			return nil, err
		}
		in = *next
		if truncated == nil {
			truncated = damage
		}
	}
	in.close()
	return nil, fmt.Errorf("it is compressed more than %d times over", most)
}

// ReadAt implements io.ReaderAt on the unpacked dump.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	return f.data.ReadAt(b, off)
}

// Size is the number of bytes of the unpacked dump.
func (f *File) Size() int64 { return f.data.size }

// Name is the name given to Open.
func (f *File) Name() string { return f.name }

// Truncated says why the unpacked bytes may not be the whole dump, or all
// right: the input is damaged, a [Limit] is reached ([ErrLimit]) or the disk is
// full; nil means that nothing went wrong while unpacking. A dump that was
// truncated before it was compressed is not noticed here.
func (f *File) Truncated() error { return f.truncated }

// Dump reads the header and the directory. The dump is good until f is closed;
// it does not need to be closed itself. An error is of type *fs.PathError, as
// that of Open is, and wraps what [minidump.NewFile] says.
func (f *File) Dump() (*minidump.File, error) {
	d, err := minidump.NewFile(f, f.Size())
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: f.name, Err: err}
	}
	return d, nil
}

// Recover is Dump for a dump whose header or directory is damaged; see
// [minidump.Recover].
func (f *File) Recover(ctx context.Context) (*minidump.File, error) {
	d, err := minidump.Recover(ctx, f, f.Size())
	if err != nil {
		return nil, &fs.PathError{Op: "recover", Path: f.name, Err: err}
	}
	return d, nil
}

// Close closes the file and removes what was unpacked.
func (f *File) Close() error { return f.data.close() }

// input is a file of known size, to be read anywhere.
type input struct {
	file   *os.File
	size   int64
	keep   bool   // the file is the caller's
	remove string // path to delete after closing; "" means none
	limit  *Limit // that size was taken from; nil for what was not unpacked
}

// ReadAt ends the file at its size.
func (in input) ReadAt(b []byte, off int64) (int, error) {
	return io.NewSectionReader(in.file, 0, in.size).ReadAt(b, off)
}

func (in input) close() error {
	var err error
	if !in.keep {
		if err = in.file.Close(); err == nil { // the first time
			in.limit.give(in.size)
		}
	}
	if in.remove != "" {
		err = errors.Join(err, os.Remove(in.remove))
	}
	return err
}
