package dumpfile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// choose opens the archive and picks the file wanted, or else its only file, or
// else its only dump. It looks into the files whose names are those of dumps
// first, and into the others only if no one is a dump: an archive of a folder has
// many files.
func (s *spooler) choose(r io.ReaderAt, size int64, path, want string) (*zip.File, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // no path is ever used
		return nil, fmt.Errorf("%w: the table of contents, which stands at the end, cannot be read", err)
	}
	archive.RegisterDecompressor(zip.Deflate, inflate)
	window := maxWindow(size)
	archive.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(
		zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(window)))

	var files []*zip.File
	var names []string
	for _, f := range archive.File {
		if f.Mode().IsRegular() && !strings.HasSuffix(f.Name, "/") {
			files = append(files, f)
			names = append(names, f.Name)
		}
	}
	if want != "" {
		i, ok := findMember(names, want)
		if !ok {
			return nil, &ChoiceError{Archive: path, Wanted: want, Names: names}
		}
		return readable(files[i])
	}
	if len(files) == 1 {
		return readable(files[0])
	}
	var dumps []*zip.File
	var dumpNames []string
	for _, named := range []bool{true, false} {
		for _, f := range files {
			if namesDump(f.Name) != named {
				continue
			}
			if s.ctx.Err() != nil {
				return nil, context.Cause(s.ctx)
			}
			if holdsDump(f, window) {
				dumps = append(dumps, f)
				dumpNames = append(dumpNames, f.Name)
			}
		}
		if len(dumps) > 0 {
			break
		}
	}
	switch len(dumps) {
	case 0:
		return nil, &ChoiceError{Archive: path, Names: names}
	case 1:
		return dumps[0], nil
	}
	return nil, &ChoiceError{Archive: path, Names: dumpNames, Dumps: true}
}

// readable says in plain words what archive/zip would not.
func readable(f *zip.File) (*zip.File, error) {
	const encrypted = 1
	if f.Flags&encrypted != 0 {
		return nil, fmt.Errorf("%s is encrypted in the archive", f.Name)
	}
	return f, nil
}

// namesDump reports whether a name is one that people give to dumps.
func namesDump(name string) bool {
	name = strings.ToLower(name)
	for _, ext := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, ext)
	}
	return strings.HasSuffix(name, "dmp") || strings.HasSuffix(name, ".dump")
}

// holdsDump reports whether a file of an archive is a minidump, compressed once
// more or not.
func holdsDump(f *zip.File, window uint64) bool {
	const least = 20 // bytes of an empty gzip file; the header of a dump has more
	if f.UncompressedSize64 < least {
		return false
	}
	r, err := f.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	head := make([]byte, 4)
	n, _ := fill(r, head) // short files are no dumps
	all := io.MultiReader(bytes.NewReader(head[:n]), r)
	var inner io.ReadCloser
	switch detect(head[:n]) {
	case gzipped:
		inner, err = gunzip(all)
	case zstandard:
		inner, err = unzstd(all, window)
	default:
		return string(head[:n]) == "MDMP"
	}
	if err != nil {
		return false
	}
	defer inner.Close()
	n, _ = fill(inner, head)
	return string(head[:n]) == "MDMP"
}

// inflaters are at rest: one has tables of tens of kilobytes.
var inflaters sync.Pool

// inflate is flate.NewReader with the tables of a reader that was closed.
func inflate(r io.Reader) io.ReadCloser {
	if old, ok := inflaters.Get().(io.ReadCloser); ok && old.(flate.Resetter).Reset(r, nil) == nil {
		return &inflater{old}
	}
	return &inflater{flate.NewReader(r)}
}

// An inflater goes back to the others when it is closed.
type inflater struct{ r io.ReadCloser }

func (i *inflater) Read(b []byte) (int, error) {
	if i.r == nil {
		return 0, fs.ErrClosed
	}
	return i.r.Read(b)
}

func (i *inflater) Close() error {
	if i.r == nil {
		return nil
	}
	err := i.r.Close()
	inflaters.Put(i.r)
	i.r = nil
	return err
}
